r"""Point groups of grids by name: their matrices on R^d, and the lattice that they map to itself.

    square      p1 p2 p4 pm p2mm p4m      C_1 C_2 C_4 D_1 D_2 D_4
    hexagonal   p3 p6 p3m1 p31m p6m       C_3 C_6 D_3 D_3 D_6, with a_0 = e_0, a_1 = (1/2, √3/2)
    square      cN dN                     C_N D_N for any N; a square grid is mapped to itself by N = 1, 2, 4
    line        line line:m               1 and the reflection
    cubic       cubic and cubic:t :o :td :th :oh      1 and T, O, T_d, T_h, O_h

Element k of a rotation group is r^k, r turning e_0 towards e_1 by 2π/N; element N + k of a dihedral one
is r^k s. s reflects x_1 ↦ −x_1, but x_0 ↦ −x_0 for p3m1, whose mirrors are perpendicular to lattice
vectors (International Tables for Crystallography A; p31m has them along lattice vectors).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from intertwine._checks import fail
from intertwine.symmetry import (
    FiniteGroup,
    cyclic,
    dihedral,
    full_tetrahedral,
    full_tetrahedral_matrices,
    octahedral,
    octahedral_rotations,
    tetrahedral,
    tetrahedral_rotations,
    with_inversion,
)

_WALLPAPER = {
    "p1": (1, False),
    "p2": (2, False),
    "p3": (3, False),
    "p4": (4, False),
    "p6": (6, False),
    "pm": (1, True),
    "p2mm": (2, True),
    "p3m1": (3, True),
    "p31m": (3, True),
    "p4m": (4, True),
    "p6m": (6, True),
}
_HEXAGONAL = ("p3", "p6", "p3m1", "p31m", "p6m")
_CUBIC: dict[str, tuple[Callable[[], FiniteGroup], Callable[[], np.ndarray], bool]] = {
    "cubic": (lambda: cyclic(1), lambda: np.eye(3)[None], False),
    "cubic:t": (tetrahedral, tetrahedral_rotations, False),
    "cubic:o": (octahedral, octahedral_rotations, False),
    "cubic:td": (full_tetrahedral, full_tetrahedral_matrices, False),
    "cubic:th": (tetrahedral, tetrahedral_rotations, True),
    "cubic:oh": (octahedral, octahedral_rotations, True),
}
"""The group, its matrices, and whether the inversion is added."""
NAMES = (*_WALLPAPER, "cN", "dN", "line", "line:m", *_CUBIC)
_LARGEST = 64


class PointGroup(NamedTuple):
    """group: H. linear: (h, d, d) orthogonal matrices on R^d. cell: (d, d), rows the lattice vectors."""

    group: FiniteGroup
    linear: np.ndarray
    cell: np.ndarray


def point_group(name: str) -> PointGroup:
    """The point group called `name`; InputError, listing the names, for any other.

    >>> point_group("p4m").group.order, point_group("p6").cell.shape, point_group("c8").group.order
    (8, (2, 2), 8)
    """
    if not isinstance(name, str):
        raise _unknown(name)
    if name in _WALLPAPER:
        n, mirror = _WALLPAPER[name]
        cell = np.array([[1.0, 0.0], [0.5, 0.75**0.5]]) if name in _HEXAGONAL else np.eye(2)
        return PointGroup(*planar(n, mirror, across=name == "p3m1"), cell)
    if name in ("line", "line:m"):
        signs = np.array([1.0, -1.0])[: 1 + name.endswith("m"), None, None]
        return PointGroup(cyclic(len(signs)), signs, np.eye(1))
    if name in _CUBIC:
        return PointGroup(*_cubic(name), np.eye(3))
    found = re.fullmatch(r"([cd])([1-9][0-9]*)", name)
    if not found or int(found[2]) > _LARGEST:
        raise _unknown(name)
    return PointGroup(*planar(int(found[2]), found[1] == "d"), np.eye(2))


def planar(n: int, mirror: bool, across: bool = False) -> tuple[FiniteGroup, np.ndarray]:
    """C_n or, with `mirror`, D_n and its matrices (h, 2, 2); s reflects axis 1, or axis 0 with `across`."""
    k = np.arange(n)
    # exact at multiples of a quarter turn
    cosine, sine = (
        np.where(np.abs(v) < 1e-15, 0.0, v) for v in (np.cos(2 * np.pi * k / n), np.sin(2 * np.pi * k / n))
    )
    turns = np.moveaxis(np.array([[cosine, -sine], [sine, cosine]]), -1, 0)
    if not mirror:
        return cyclic(n), turns
    reflection = np.diag([-1.0, 1.0] if across else [1.0, -1.0])
    return dihedral(n), np.concatenate([turns, turns @ reflection])


def _cubic(name: str) -> tuple[FiniteGroup, np.ndarray]:
    """The group and its matrices; with the inversion i, element |G| + k is element k times i."""
    group, matrices, inverted = _CUBIC[name]
    if not inverted:
        return group(), matrices()
    return with_inversion(group()), np.concatenate([matrices(), -matrices()])


def _unknown(name: object) -> Exception:
    remedy = f"N is a whole number up to {_LARGEST}, as in c8; or give matrices of your own"
    return fail("group", "one of " + ", ".join(NAMES), name, remedy)


def turned_waves(linear: np.ndarray, k: int) -> np.ndarray:
    """F(h) with (cos kθ, sin kθ)(h y) = F(h) (cos kθ, sin kθ)(y), (h, 2, 2), of the matrices (h, 2, 2)
    of a planar group, k ≥ 1.

    >>> turned_waves(point_group("p4m").linear, 1)[4].tolist()                # the mirror
    [[1.0, 0.0], [0.0, -1.0]]
    """
    phase = k * np.arctan2(linear[:, 1, 0], linear[:, 0, 0])  # of where e_0 goes
    sign = np.sign(np.linalg.det(linear))
    cosine, sine = (np.where(np.abs(v) < 1e-15, 0.0, v) for v in (np.cos(phase), np.sin(phase)))
    return np.moveaxis(np.array([[cosine, -sign * sine], [sine, sign * cosine]]), -1, 0)
