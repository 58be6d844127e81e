r"""Functions on the corners of the n-cube, taken apart for the sum of few units on top of a linear function.

ln Q(v) = ℓ(v) + Σ_i ln(1 + e^{θ_i(v)}) with ℓ linear and each θ_i large on one face of the cube only. So a
target t(v) is met by ℓ ≤ t, linear, and on top of it units that lift the corners where ℓ < t:

- ℓ touches t at n + 1 corners or more: a vertex of a linear program, maximise Σ ℓ(v) subject to ℓ ≤ t. It is
  all of t where t itself is linear (a product distribution);
- a unit lifts all corners of a face where ln(e^{t − ℓ} − 1) is linear; on an edge it always is (Montúfar &
  Ay, Neural Comput. 23, 1306 (2011)), so that what is left is paired by a maximum matching along edges.

Corners are numbered as in `UnitLayer.states`: the first coordinate varies slowest.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np


class Face(NamedTuple):
    """A face and what is to be added on it: corner the values (n,) of its fixed coordinates (0 at the free
    ones), free (n,) booleans; θ = level + slope·(v − ½) on the free coordinates (slope 0 at the fixed)."""

    corner: np.ndarray
    free: np.ndarray
    level: float
    slope: np.ndarray

    @property
    def highest(self) -> float:
        """The largest θ on the face."""
        return self.level + 0.5 * float(np.abs(self.slope).sum())


def supporting_function(
    corners: np.ndarray, target: np.ndarray, weight: np.ndarray
) -> tuple[float, np.ndarray]:
    """(ℓ_0, slope) of the linear ℓ = ℓ_0 + slope·v ≤ target, float64 (2^n,), with the largest Σ weight·ℓ.

    >>> corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> level, slope = supporting_function(corners, np.array([0.0, 1, 2, 3]), np.ones(4))
    >>> abs(level) < 1e-9, np.round(slope, 6).tolist()
    (True, [2.0, 1.0])
    """
    from scipy.optimize import linprog

    matrix = np.column_stack([np.ones(len(corners)), corners]).astype(float)
    tolerances = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    found = linprog(
        -(weight @ matrix) / weight.sum(), A_ub=matrix, b_ub=target, bounds=(None, None), options=tolerances
    )
    if found.x is None:  # never seen: the constant is feasible, and the optimum is bounded
        return float(target.min()), np.zeros(corners.shape[1])
    return float(found.x[0]), found.x[1:]


def covering_faces(lift: np.ndarray, needed: np.ndarray, tolerance: float) -> list[Face]:
    """Disjoint faces on which units lift every needed corner by `lift` > 0, to `tolerance`; (2^n,) each.

    Large faces first, then edges by a maximum matching, then single corners.
    """
    size = len(lift).bit_length() - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        theta = np.where(needed, lift + np.log1p(-np.exp(-lift)), 0.0)
    left, faces = needed.copy(), []
    for dimension in range(size, 1, -1):
        if left.sum() < 2**dimension:
            continue
        for free in combinations(range(size), dimension):
            faces += _linear_faces(theta, lift, left, free, tolerance)
    return faces + _edges_and_corners(theta, left)


def _axes_first(values: np.ndarray, free: tuple[int, ...]) -> np.ndarray:
    """(faces, 2^k): the corners of every face with these free coordinates."""
    size = len(values).bit_length() - 1
    fixed = [i for i in range(size) if i not in free]
    return values.reshape((2,) * size).transpose(*fixed, *free).reshape(-1, 2 ** len(free))


def _linear_faces(
    theta: np.ndarray, lift: np.ndarray, left: np.ndarray, free: tuple[int, ...], tolerance: float
) -> list[Face]:
    """Faces with these free coordinates, all corners left, where θ is linear; taken out of `left`."""
    size = len(theta).bit_length() - 1
    whole = _axes_first(left, free).all(axis=1)
    if not whole.any():
        return []
    signs = _bits(len(free)) - 0.5
    values, wanted = _axes_first(theta, free)[whole], _axes_first(lift, free)[whole]
    levels = values.mean(1)
    slopes = values @ signs * (4 / 2 ** len(free))
    fitted = np.logaddexp(0, levels[:, None] + slopes @ signs.T)
    good = np.abs(fitted - wanted).max(1) <= tolerance
    numbers = _axes_first(np.arange(len(theta)), free)[whole][good]
    left[numbers.ravel()] = False
    corners = _bits(size)
    return [
        _face(corners[row[0]], free, level, slope)
        for row, level, slope in zip(numbers, levels[good], slopes[good], strict=True)
    ]


def _edges_and_corners(theta: np.ndarray, left: np.ndarray) -> list[Face]:
    """Edges between corners that are left, as many as can be disjoint, then the lone corners."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_bipartite_matching

    size = len(theta).bit_length() - 1
    corners, numbers = _bits(size), np.arange(len(theta))
    even = left & (corners.sum(1) % 2 == 0)
    odd = left & ~even
    pairs = [(v, v ^ (1 << (size - 1 - i))) for v in numbers[even] for i in range(size)]
    pairs = np.array([pair for pair in pairs if odd[pair[1]]], int).reshape(-1, 2)
    graph = csr_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(theta),) * 2)
    partner = maximum_bipartite_matching(graph, perm_type="column")
    faces, alone = [], left.copy()
    for v in numbers[even]:
        if (other := int(partner[v])) < 0:
            continue
        low, high = min(v, other), max(v, other)
        (axis,) = np.flatnonzero(corners[low] != corners[high])
        level, slope = float(0.5 * (theta[low] + theta[high])), theta[high] - theta[low]
        faces.append(_face(corners[low], (int(axis),), level, np.array([slope])))
        alone[[low, high]] = False
    return faces + [_face(corners[v], (), float(theta[v]), np.zeros(0)) for v in numbers[alone]]


def _face(corner: np.ndarray, free: tuple[int, ...], level: float, slope: np.ndarray) -> Face:
    size = len(corner)
    where, slopes = np.zeros(size, bool), np.zeros(size)
    where[list(free)] = True
    slopes[list(free)] = slope
    return Face(np.where(where, 0, corner), where, float(level), slopes)


def _bits(size: int) -> np.ndarray:
    """All corners (2^size, size), the first coordinate slowest."""
    return (np.arange(2**size)[:, None] >> np.arange(size - 1, -1, -1)) & 1
