"""Blocks of b × b × … cells of a periodic lattice, and the configurations that are blocked.

The blocked lattice is the same lattice with extents b times smaller: the length of a cell is the unit on
every level.
"""

from __future__ import annotations

import dataclasses
import math
from functools import lru_cache

import numpy as np
from jaxtyping import Int8, Int32
from numpy.typing import ArrayLike

from intertwine._caveats import caveat, tell
from intertwine._checks import InputError, fail
from intertwine.spaces.lattice import Lattice
from intertwine.spaces.lattices import Square


@lru_cache(maxsize=64)
def block_sites(lattice: Lattice, b: int) -> Int32[np.ndarray, "blocks n"]:
    """The b^d sites of each block, blocks in the order of the blocked lattice's sites.

    >>> from intertwine.spaces.lattices import Square
    >>> block_sites(Square(4, 4), 2)[:2].tolist()
    [[0, 1, 4, 5], [2, 3, 6, 7]]
    """
    _check_tiles(lattice, b)
    numbers = np.arange(lattice.size, dtype=np.int32).reshape(
        [n for extent in lattice.extent for n in (extent // b, b)]
    )
    d = lattice.dimension
    sites = numbers.transpose([*range(0, 2 * d, 2), *range(1, 2 * d, 2)]).reshape(-1, b**d)
    sites = np.ascontiguousarray(sites)
    sites.setflags(write=False)
    return sites


def blocked_lattice(lattice: Lattice, b: int) -> Lattice:
    """The lattice of the blocks: the same with extents b times smaller.

    Raises InputError where blocks do not tile it.

    >>> from intertwine.spaces.lattices import Triangular
    >>> blocked_lattice(Triangular(9, 6), 3).name
    'triangular:3x2'
    """
    _check_tiles(lattice, b)
    return dataclasses.replace(lattice, extent=tuple(n // b for n in lattice.extent))


def lattice_of(spins: ArrayLike, lattice: Lattice | None) -> Lattice:
    """The lattice of configurations (..., N): `lattice`, or where None is given the one that they carry
    (`it.sample` gives it along). It is never guessed from N.

    Raises InputError where neither says it.

    >>> from intertwine.spaces.lattices import Square
    >>> lattice_of(np.ones((5, 16)), Square(2, 8)).name
    'square:2x8'
    """
    found = getattr(spins, "lattice", None) if lattice is None else lattice
    if not isinstance(found, Lattice):
        raise unknown_lattice("lattice", f"{np.asarray(spins).shape[-1]} sites", found)
    return found


def unknown_lattice(argument: str, sites: str, got: object = None) -> InputError:
    """The error of a lattice that must be told."""
    remedy = "an array alone does not say how its sites are linked: give for example it.Square(16, 64)"
    return fail(argument, f"the lattice of the {sites}", got, remedy)


def assumed_torus(size: int, argument: str, units: str) -> Lattice:
    """The square torus of `size` units of a machine, which carries no lattice of its own, said as a `Caveat`.

    Raises InputError where `size` is no square number.
    """
    side = math.isqrt(size)
    if side * side != size:
        raise unknown_lattice(argument, f"{size} {units}")
    said = (
        f"{size} {units} are taken for the square torus {side}×{side}; give {argument}=… where they are not"
    )
    tell([caveat("assumption", said)], stacklevel=4)
    return Square(side, side)


def checked_spins(spins: ArrayLike, lattice: Lattice, states: int | None = None) -> Int8[np.ndarray, "... N"]:
    """Configurations of a lattice as int8: spins ±1, or 0 … states − 1. Raises InputError for others."""
    found = checked_states(spins, lattice)
    if states is None:
        if found.size and not (np.abs(found) == 1).all():
            raise fail("spins", "spins ±1", "other values", "2 v − 1 makes spins of bits")
    elif found.size and not (found.min() >= 0 and found.max() < states):
        raise fail("spins", f"states 0 to {states - 1}", "other values")
    return found


def check_carried(spins: ArrayLike, lattice: Lattice) -> None:
    """Raise InputError for configurations that carry another lattice than `lattice`."""
    carried = getattr(spins, "lattice", lattice)
    if isinstance(carried, Lattice) and carried != lattice:
        drawn = f"{carried.name}, on which these configurations were drawn"
        raise fail("lattice", drawn, lattice.name, "leave it out, or give np.asarray(...) of them")


def checked_states(spins: ArrayLike, lattice: Lattice) -> Int8[np.ndarray, "... N"]:
    """Whole numbers (..., N) of a lattice as int8. Raises InputError for others."""
    if not isinstance(lattice, Lattice):
        raise fail("lattice", "a lattice, such as it.Square(8, 8)", lattice)
    check_carried(spins, lattice)
    found = np.asarray(spins)
    if found.ndim == 0 or found.shape[-1] != lattice.size:
        raise fail("spins", f"configurations (..., {lattice.size}) of {lattice.name}", f"shape {found.shape}")
    if found.dtype == np.int8:
        return found
    if found.dtype.kind not in "biuf" or not np.isfinite(found).all() or (found != np.rint(found)).any():
        raise fail("spins", "whole numbers, spins ±1 or states", f"{found.dtype}, not all whole")
    if found.size and (found.min() < -127 or found.max() > 127):
        raise fail("spins", "spins ±1 or states", "numbers beyond 127")
    return found.astype(np.int8)


def _check_tiles(lattice: Lattice, b: int) -> None:
    if not isinstance(lattice, Lattice):
        raise fail("lattice", "a lattice, such as it.Square(8, 8)", lattice)
    if lattice.basis_size != 1 or not all(lattice.periodic):
        raise fail(
            "lattice", "a periodic lattice with one site per cell", lattice.name, "blocks tile only these"
        )
    if any(n % b for n in lattice.extent):
        expected = f"extents that blocks of {b} tile"
        raise fail("lattice", expected, lattice.name, f"take multiples of {b}")
