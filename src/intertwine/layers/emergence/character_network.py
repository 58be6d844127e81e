r"""Weights, written down, that multiply in a finite group: the solution that trained networks are held to.

For real irreps D, orthogonal matrices, Σ_j D_ij(a) D_jk(b) = D_ik(ab), and by Schur's orthogonality

    Σ_D (d_D / e_D |G|) Σ_ijk D_ij(a) D_jk(b) D_ik(c) = Σ_D (d_D / e_D |G|) χ_D(ab c⁻¹) = δ(c, ab)

A product is two squares, xy = ((x + y)² − (x − y)²)/4: Σ_D 2 d_D³ quadratic units have every product right,
without an error. With random units,

    x = uᵀD(a)v,   y = vᵀD(b)w,   z = uᵀD(c)w,      ⟨xyz⟩ = χ_D(ab c⁻¹)/d_D³,

u, v, w random unit vectors, scores are Σ (x + y)² z: the squares of x and y alone average out (for cyclic
groups these are the random phases of Gromov 2023).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np

from intertwine._checks import positive_int
from intertwine.layers.networks.table_network import TableNetwork
from intertwine.symmetry.groups.finite_group import as_group
from intertwine.symmetry.irreducible import irreps

if TYPE_CHECKING:
    from intertwine.symmetry.groups.finite_group import AnyGroup


def character_network(group: AnyGroup, units: int | None = None, *, seed: int = 0) -> TableNetwork:
    """The quadratic network that multiplies in `group`.

    units: None for the exact one of Σ 2 d³ units, whose scores are δ(c, ab); or so many random ones (units
    are shared out to irreps by d³, at least one each), nearly always right where they are many. seed: of
    these.

    >>> from intertwine.symmetry import symmetric
    >>> network, S3 = character_network(symmetric(3)), symmetric(3)
    >>> network.width, bool((network(jnp.array([3, 4])).argmax() == S3.product_table[3, 4]))
    (20, True)
    """
    group = as_group(group)
    made = (
        _exact(group) if units is None else _random(group, positive_int("units", units, "such as 500"), seed)
    )
    left, right, out = (jnp.asarray(x, jnp.result_type(float)) for x in made)
    return TableNetwork(left, right, out)


def _weighed(group: AnyGroup) -> list[tuple[np.ndarray, float]]:
    """(matrices (g, d, d), d/(e|G|)) of every real irrep."""
    found = []
    for rep in irreps(group, field="real"):
        commutant = round(float(np.mean(np.abs(np.asarray(rep.character)) ** 2)))
        found.append((np.asarray(rep.matrices, np.float64), rep.dimension / (commutant * len(rep.matrices))))
    return found


def _exact(group: AnyGroup) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    left, right, out = [], [], []
    for matrices, weight in _weighed(group):
        g, d = len(matrices), matrices.shape[1]
        i, j, k = (x.ravel() for x in np.indices((d, d, d)))
        x, y, z = matrices[:, i, j], matrices[:, j, k], matrices[:, i, k]
        left += [x, x]
        right += [y, -y]
        out += [weight / 4 * z, -weight / 4 * z]
        assert x.shape == (g, d**3)
    return np.concatenate(left, 1), np.concatenate(right, 1), np.concatenate(out, 1).T


def _random(group: AnyGroup, units: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random, irreps_of = np.random.default_rng(seed), _weighed(group)
    cubes = np.array([m.shape[1] ** 3 for m, _ in irreps_of], float)
    ends = np.round(np.cumsum(cubes) / cubes.sum() * units).astype(int)
    counts = np.maximum(1, np.diff(ends, prepend=0))
    left, right, out = [], [], []
    for (matrices, weight), count in zip(irreps_of, counts, strict=True):
        d = matrices.shape[1]
        u, v, w = (_unit_vectors(random, count, d) for _ in range(3))
        left.append(np.einsum("ni,gij,nj->gn", u, matrices, v))
        right.append(np.einsum("ni,gij,nj->gn", v, matrices, w))
        z = np.einsum("ni,gij,nj->gn", u, matrices, w)
        out.append(weight * d**3 / count * z / 2)
    return np.concatenate(left, 1), np.concatenate(right, 1), np.concatenate(out, 1).T


def _unit_vectors(random: np.random.Generator, count: int, d: int) -> np.ndarray:
    found = random.normal(size=(count, d))
    return found / np.linalg.norm(found, axis=1, keepdims=True)
