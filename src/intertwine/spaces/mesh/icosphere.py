"""The icosahedron and its subdivisions: positions and faces.

Level k has 10·4^k + 2 vertices, of which the first 10·4^(k−1) + 2 are those of the level below, and
20·4^k faces. `icosphere` pushes the midpoints of edges to the unit sphere, level after level;
`icosahedron` leaves them where they are, so that the faces stay flat and all curvature is in the twelve
corners: the grid of Cohen, Weiler, Kicanaoglu & Welling (ICML 2019)."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations

import numpy as np
from jaxtyping import Float, Int

from intertwine._checks import fail
from intertwine.symmetry import icosahedral_rotations

_MOST = 8


def checked_level(level: object) -> int:
    """A level from 0 to 8, or the error."""
    if isinstance(level, bool) or not isinstance(level, int | np.integer) or not 0 <= level <= _MOST:
        raise fail("level", f"a whole number from 0 to {_MOST}", level, "level k has 10·4^k + 2 vertices")
    return int(level)


@lru_cache(maxsize=8)
def icosphere(level: int) -> tuple[Float[np.ndarray, "n 3"], Int[np.ndarray, "F 3"]]:
    """Positions on the unit sphere and faces, outward.

    >>> points, faces = icosphere(2)
    >>> points.shape, faces.shape, bool(np.allclose(np.linalg.norm(points, axis=1), 1))
    ((162, 3), (320, 3), True)
    """
    if checked_level(level) == 0:
        return _icosahedron()
    points, faces = subdivided(*icosphere(level - 1))
    return points / np.linalg.norm(points, axis=1, keepdims=True), faces


@lru_cache(maxsize=8)
def icosahedron(level: int) -> tuple[Float[np.ndarray, "n 3"], Int[np.ndarray, "F 3"]]:
    """Positions on a flat-faced icosahedron, whose corners are on the unit sphere, and faces, outward."""
    if checked_level(level) == 0:
        return _icosahedron()
    return subdivided(*icosahedron(level - 1))


def subdivided(
    points: Float[np.ndarray, "n 3"], faces: Int[np.ndarray, "F 3"]
) -> tuple[Float[np.ndarray, "m 3"], Int[np.ndarray, "G 3"]]:
    """Every triangle cut into four at the midpoints of its edges, which follow the vertices that were there.

    >>> subdivided(np.eye(3), np.array([[0, 1, 2]]))[1].tolist()
    [[0, 3, 4], [1, 5, 3], [2, 4, 5], [3, 5, 4]]
    """
    sides = np.sort(np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1).reshape(-1, 2), axis=1)
    edges, edge_of = np.unique(sides, axis=0, return_inverse=True)
    ab, bc, ca = (edge_of.reshape(-1, 3) + len(points)).T
    a, b, c = faces.T
    finer = np.stack([[a, ab, ca], [b, bc, ab], [c, ca, bc], [ab, bc, ca]], axis=0)
    middles = (points[edges[:, 0]] + points[edges[:, 1]]) / 2
    return np.concatenate([points, middles]), np.moveaxis(finer, -1, 0).reshape(-1, 3)


def _icosahedron() -> tuple[np.ndarray, np.ndarray]:
    """On the fivefold axes of `icosahedral_rotations`, so that those are its symmetries."""
    r = icosahedral_rotations()
    turns = r[np.abs(np.trace(r, axis1=1, axis2=2) - (1 + 5**0.5) / 2) < 1e-6]  # by 72°
    axial = np.stack([turns[:, i, j] - turns[:, j, i] for i, j in ((2, 1), (0, 2), (1, 0))], axis=1)
    points = axial / np.linalg.norm(axial, axis=1, keepdims=True)
    gram = points @ points.T
    near = np.abs(gram - 5**-0.5) < 1e-6
    faces = [
        (a, b, c) if np.linalg.det(points[[a, b, c]]) > 0 else (a, c, b)
        for a, b, c in combinations(range(12), 3)
        if near[a, b] and near[b, c] and near[a, c]
    ]
    return points, np.array(faces)
