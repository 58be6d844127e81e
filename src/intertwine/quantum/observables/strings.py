r"""String and loop operators, as products of Pauli matrices.

string    E_i Π_{i<k<j} X_k E_j       hidden order: a string with ends (den Nijs & Rommelse, PRB 40, 4709)
loop      Π_{i in loop} Z_i           Wilson loops; around a torus they tell its sectors (Kitaev 2003)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from intertwine._checks import fail, one_of
from intertwine.quantum.entanglement.regions import checked_region
from intertwine.quantum.operators.operator import Operator

if TYPE_CHECKING:
    from intertwine.spaces.lattice import Lattice

_LETTERS = ("X", "Y", "Z")


def string_operator(
    where: Lattice | int, sites: Iterable[int], *, inside: str = "X", ends: str | None = "Z"
) -> Operator:
    """The product of `inside` over `sites`, with `ends` in place of it (or None: everywhere) at the first and
    last of them.

    where: the lattice, or the number of spins. sites: in their order, at least 3 with ends. inside, ends:
    "X", "Y" or "Z". Hermitian, its square is 1. Raises InputError for other letters and for sites that repeat
    or lie outside.

    >>> string_operator(6, range(1, 5)).strings()
    [((1+0j), {1: 'Z', 2: 'X', 3: 'X', 4: 'Z'})]
    """
    size, lattice = _where(where)
    chosen = checked_region(sites, size, "sites")
    one_of("inside", inside, _LETTERS)
    letters = dict.fromkeys(chosen, inside)
    if ends is not None:
        one_of("ends", ends, _LETTERS)
        if len(chosen) < 3:
            raise fail("sites", "at least 3 for a string with ends", chosen, "or give ends=None")
        letters[chosen[0]] = letters[chosen[-1]] = ends
    return Operator.from_strings(size, [(1.0, letters)], lattice=lattice, name="string")


def wilson_loop(
    where: Lattice | int, sites: Iterable[int] | None = None, *, letter: str = "Z", direction: int = 0
) -> Operator:
    """The product of `letter` over the sites of a loop.

    where: the lattice, or the number of spins. sites: of the loop; None for the straight one around a torus
    along basis vector `direction`, through site 0 (its kind of site in every cell). Raises InputError for
    sites that repeat or lie outside, other letters, and directions that are open.

    >>> from intertwine.spaces.lattices import Square
    >>> wilson_loop(Square(3, 3), direction=1).strings()
    [((1+0j), {0: 'Z', 1: 'Z', 2: 'Z'})]
    """
    size, lattice = _where(where)
    one_of("letter", letter, _LETTERS)
    if sites is None:
        sites = _around(lattice, direction)
    chosen = checked_region(sites, size, "sites")
    return Operator.from_strings(size, [(1.0, dict.fromkeys(chosen, letter))], lattice=lattice, name="loop")


def _where(where: Lattice | int) -> tuple[int, Lattice | None]:
    size = getattr(where, "size", None)
    if size is not None:
        return int(size), where  # type: ignore[return-value]
    if isinstance(where, bool) or not isinstance(where, int) or where < 1:
        raise fail("where", "a lattice or a number of spins", where)
    return where, None


def _around(lattice: Lattice | None, direction: int) -> list[int]:
    """Sites along a basis vector, once around."""
    if lattice is None:
        raise fail("sites", "the sites of the loop where there is no lattice", None)
    extent = lattice.extent
    if not 0 <= direction < len(extent) or not lattice.periodic[direction]:
        raise fail("direction", "a periodic direction of the lattice", direction)
    basis = lattice.size // int(np.prod(extent))
    step = int(np.prod(extent[direction + 1 :])) * basis
    return [k * step for k in range(extent[direction])]
