"""The table of groups: a row is a name, how it is made, and what textbooks say. Every law of the tests of
characters, irreps and decompositions runs on every row (Isaacs, Character Theory of Finite Groups, 1976;
Conway et al., ATLAS of Finite Groups, 1985; for space groups: the stars of momenta and their little groups).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from intertwine.spaces import Kagome, Square
from intertwine.symmetry import (
    FiniteGroup,
    alternating,
    cyclic,
    dicyclic,
    dihedral,
    direct_product,
    full_tetrahedral,
    icosahedral,
    octahedral,
    quaternion,
    semidirect_product,
    symmetric,
    tetrahedral,
    with_inversion,
)


class Row(NamedTuple):
    """types: how many characters are real, complex, quaternionic."""

    make: Callable[[], FiniteGroup]
    order: int
    degrees: list[int]
    types: tuple[int, int, int]


def heisenberg(p: int) -> FiniteGroup:
    """The extraspecial group of order p³ and exponent p: Z_p² ⋊ Z_p."""
    k = np.arange(p * p)
    action = [k // p * p + (k + t * (k // p)) % p for t in range(p)]
    return semidirect_product(direct_product(cyclic(p), cyclic(p)), cyclic(p), action, f"{p}^(1+2)")


def frobenius(p: int, multiplier: int) -> FiniteGroup:
    """Z_p ⋊ ⟨multiplier⟩."""
    powers = [1]
    while powers[-1] * multiplier % p != 1:
        powers.append(powers[-1] * multiplier % p)
    action = np.outer(powers, np.arange(p)) % p
    return semidirect_product(cyclic(p), cyclic(len(powers)), action, f"F{p * len(powers)}")


def special_linear(p: int) -> FiniteGroup:
    """SL(2, p) on the non-zero vectors of F_p²."""
    vectors = [v for v in itertools.product(range(p), repeat=2) if any(v)]
    rows = []
    for a, b, c, d in ((1, 1, 0, 1), (1, 0, 1, 1)):
        rows.append([vectors.index(((a * x + b * y) % p, (c * x + d * y) % p)) for x, y in vectors])
    return FiniteGroup.from_permutations(rows, f"SL(2,{p})")


def projective_seven() -> FiniteGroup:
    """PSL(2, 7) on the projective line, point 7 at infinity: x + 1, 2x, −1/x."""
    shift = [(x + 1) % 7 for x in range(7)] + [7]
    double = [2 * x % 7 for x in range(7)] + [7]
    inversion = [7] + [-pow(x, -1, 7) % 7 for x in range(1, 7)] + [0]
    return FiniteGroup.from_permutations([shift, double, inversion], "PSL(2,7)")


GROUPS: dict[str, Row] = {
    "C1": Row(lambda: cyclic(1), 1, [1], (1, 0, 0)),
    "C2": Row(lambda: cyclic(2), 2, [1] * 2, (2, 0, 0)),
    "C3": Row(lambda: cyclic(3), 3, [1] * 3, (1, 2, 0)),
    "C4": Row(lambda: cyclic(4), 4, [1] * 4, (2, 2, 0)),
    "C12": Row(lambda: cyclic(12), 12, [1] * 12, (2, 10, 0)),
    "C2×C6": Row(lambda: direct_product(cyclic(2), cyclic(6)), 12, [1] * 12, (4, 8, 0)),
    "C3×C3": Row(lambda: direct_product(cyclic(3), cyclic(3)), 9, [1] * 9, (1, 8, 0)),
    "D1": Row(lambda: dihedral(1), 2, [1] * 2, (2, 0, 0)),
    "D2": Row(lambda: dihedral(2), 4, [1] * 4, (4, 0, 0)),
    "D3": Row(lambda: dihedral(3), 6, [1, 1, 2], (3, 0, 0)),
    "D4": Row(lambda: dihedral(4), 8, [1] * 4 + [2], (5, 0, 0)),
    "D5": Row(lambda: dihedral(5), 10, [1, 1, 2, 2], (4, 0, 0)),
    "D6": Row(lambda: dihedral(6), 12, [1] * 4 + [2] * 2, (6, 0, 0)),
    "Q8": Row(quaternion, 8, [1] * 4 + [2], (4, 0, 1)),
    "Dic3": Row(lambda: dicyclic(3), 12, [1] * 4 + [2] * 2, (3, 2, 1)),
    "S3": Row(lambda: symmetric(3), 6, [1, 1, 2], (3, 0, 0)),
    "S4": Row(lambda: symmetric(4), 24, [1, 1, 2, 3, 3], (5, 0, 0)),
    "S5": Row(lambda: symmetric(5), 120, [1, 1, 4, 4, 5, 5, 6], (7, 0, 0)),
    "S6": Row(lambda: symmetric(6), 720, [1, 1, 5, 5, 5, 5, 9, 9, 10, 10, 16], (11, 0, 0)),
    "A4": Row(lambda: alternating(4), 12, [1, 1, 1, 3], (2, 2, 0)),
    "A5": Row(lambda: alternating(5), 60, [1, 3, 3, 4, 5], (5, 0, 0)),
    "A6": Row(lambda: alternating(6), 360, [1, 5, 5, 8, 8, 9, 10], (7, 0, 0)),
    "PSL(2,7)": Row(projective_seven, 168, [1, 3, 3, 6, 7, 8], (4, 2, 0)),
    "T": Row(tetrahedral, 12, [1, 1, 1, 3], (2, 2, 0)),
    "O": Row(octahedral, 24, [1, 1, 2, 3, 3], (5, 0, 0)),
    "I": Row(icosahedral, 60, [1, 3, 3, 4, 5], (5, 0, 0)),
    "Td": Row(full_tetrahedral, 24, [1, 1, 2, 3, 3], (5, 0, 0)),
    "Th": Row(lambda: with_inversion(tetrahedral()), 24, [1] * 6 + [3] * 2, (4, 4, 0)),
    "Oh": Row(lambda: with_inversion(octahedral()), 48, [1] * 4 + [2] * 2 + [3] * 4, (10, 0, 0)),
    "F20": Row(lambda: frobenius(5, 2), 20, [1] * 4 + [4], (3, 2, 0)),
    "F21": Row(lambda: frobenius(7, 2), 21, [1] * 3 + [3] * 2, (1, 4, 0)),
    "SL(2,3)": Row(lambda: special_linear(3), 24, [1, 1, 1, 2, 2, 2, 3], (2, 4, 1)),
    "SL(2,5)": Row(lambda: special_linear(5), 120, [1, 2, 2, 3, 3, 4, 4, 5, 6], (5, 0, 4)),
    "3^(1+2)": Row(lambda: heisenberg(3), 27, [1] * 9 + [3] * 2, (1, 10, 0)),
    "Q8×Q8": Row(
        lambda: direct_product(quaternion(), quaternion()), 64, [1] * 16 + [2] * 8 + [4], (17, 0, 8)
    ),
    "Q8×A4": Row(
        lambda: direct_product(quaternion(), alternating(4)),
        96,
        [1] * 12 + [2] * 3 + [3] * 4 + [6],
        (8, 10, 2),
    ),
    "square 4×4": Row(
        lambda: FiniteGroup.of(Square(4).space_group), 128, [1] * 8 + [2] * 6 + [4] * 6, (20, 0, 0)
    ),
    "kagome 3×3": Row(
        lambda: FiniteGroup.of(Kagome(3).space_group), 108, [1] * 4 + [2] * 4 + [4] + [6] * 2, (11, 0, 0)
    ),
    "square 6×6": Row(
        lambda: FiniteGroup.of(Square(6).space_group),
        288,
        [1] * 8 + [2] * 6 + [4] * 12 + [8],
        (27, 0, 0),
    ),
}

SMALL = [name for name, row in GROUPS.items() if row.order <= 24]


@lru_cache(maxsize=64)
def group(name: str) -> FiniteGroup:
    """The group of a row."""
    return GROUPS[name].make()
