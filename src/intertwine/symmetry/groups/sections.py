r"""Invariant sections of an equivariant bundle over a finite set, orbit by orbit.

A group K acts on points p and moves fibres by matrices F(k, p): V_p → V_{kp}, F(k k', p) = F(k, k'p)
F(k', p). The invariant sections

    κ(k p) = F(k, p) κ(p)   for all k, p

are found per orbit: κ at the orbit's first point p₀ is any vector fixed by its stabiliser, v ∈ V^S, and
it is carried along the orbit, κ(k p₀) = F(k, p₀) v. Kernels of equivariant convolutions are such
sections, and so are invariant vectors. Where F is trivial, a basis is the orbits' indicators; else V^S is
the image of the projector (1/|S|) Σ_{s∈S} F(s, p₀), whose columns are orthogonalised in order, so that
the basis is the same on every machine and stays sparse where the fibre's matrices are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

_INDEPENDENT = 1e-6


class Sections(NamedTuple):
    """A basis of invariant sections as sparse entries; each basis section has norm 1.

    count: how many. basis, point, component, value: (e,) the entries: section `basis` has `value` at
    `component` of the fibre over `point`; sorted by basis, point, component.
    """

    count: int
    basis: np.ndarray
    point: np.ndarray
    component: np.ndarray
    value: np.ndarray


def orbit_indicators(action: np.ndarray) -> Sections:
    """Invariant functions on points moved by `action`, int (k, n): the orbits' indicators, divided by
    √|orbit|."""
    first, labels = np.unique(action.min(axis=0), return_inverse=True)
    order = np.argsort(labels, kind="stable")
    sizes = np.bincount(labels)
    zeros = np.zeros(len(order), np.int64)
    return Sections(len(first), labels[order], order, zeros, (sizes[labels[order]]) ** -0.5)


def invariant_sections(
    action: np.ndarray, fibre: Callable[[np.ndarray, int], np.ndarray], dimension: int
) -> Sections:
    """The invariant sections over points moved by `action`, int (k, n).

    fibre: of elements k (m,) and a point p, the matrices F(k, p), (m, d, d), orthogonal or unitary; d =
    dimension.
    """
    firsts = np.unique(action.min(axis=0))
    parts: list[tuple[np.ndarray, ...]] = []
    count = 0
    for first in firsts:
        images = action[:, first]
        stabiliser = np.flatnonzero(images == first)
        fixed = fixed_vectors(fibre(stabiliser, int(first)), dimension)
        if len(fixed) == 0:
            continue
        points, movers = np.unique(images, return_index=True)
        moved = np.einsum("pij,vj->vpi", fibre(movers, int(first)), fixed) / len(points) ** 0.5
        moved[np.abs(moved) < 1e-12] = 0
        v, p, component = np.nonzero(moved)
        parts.append((count + v, points[p], component, moved[v, p, component]))
        count += len(fixed)
    if not parts:
        empty = np.zeros(0, np.int64)
        return Sections(0, empty, empty, empty, np.zeros(0))
    return Sections(count, *(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def fixed_vectors(matrices: np.ndarray, dimension: int) -> np.ndarray:
    """An orthonormal basis (r, d) of the vectors that all of `matrices` (m, d, d), a group, fix.

    >>> fixed_vectors(np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]), 2).round(3).tolist()
    [[0.707, 0.707]]
    """
    if len(matrices) == 1:
        return np.eye(dimension)
    projector = matrices.mean(axis=0)
    rank = round(float(np.trace(projector).real))
    found = np.zeros((0, dimension), projector.dtype)
    for column in projector.T:
        if len(found) == rank:
            break
        rest = column - found.T @ (found.conj() @ column)
        if np.linalg.norm(rest) < _INDEPENDENT:
            continue
        rest = rest - found.T @ (found.conj() @ rest)
        found = np.vstack([found, rest / np.linalg.norm(rest)])
    if len(found) != rank:
        raise AssertionError(f"{len(found)} fixed vectors, the trace says {rank}: please report this")
    return found
