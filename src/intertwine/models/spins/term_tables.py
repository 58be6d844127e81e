"""Tables of the interaction terms at every site: what changes when a spin is turned over."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Int32

from intertwine.models.spins.spin_terms import Shape, linked_bonds, spin_terms
from intertwine.spaces.lattice import Lattice


@lru_cache(maxsize=64)
def pair_table(
    lattice: Lattice, families: tuple[str | Shape, ...] = ()
) -> tuple[Int32[np.ndarray, "N z"], Int32[np.ndarray, "N z"]]:
    """(neighbours, numbers): for every site its partners over the nearest-neighbour bonds and the given
    families of pairs, padded with N, and the number of each pair in that order, padded with −1.

    >>> from intertwine.spaces.lattices import Chain
    >>> pair_table(Chain(4))[0].tolist()
    [[1, 3], [2, 0], [3, 1], [0, 2]]
    """
    pairs = np.concatenate(
        [linked_bonds(lattice)[0], *(spin_terms(lattice, name).sites for name in families)]
    )
    ends = np.concatenate([pairs, pairs[:, ::-1]])
    number = np.tile(np.arange(len(pairs)), 2)
    order, place = _places(ends[:, 0], lattice.size)
    width = int(place.max(initial=0)) + 1
    partners = np.full((lattice.size, width), lattice.size, np.int32)
    numbers = np.full((lattice.size, width), -1, np.int32)
    first = ends[order, 0]
    partners[first, place], numbers[first, place] = ends[order, 1], number[order]
    return partners, numbers


@lru_cache(maxsize=64)
def term_table(lattice: Lattice, family: str | Shape) -> Int32[np.ndarray, "N t k-1"]:
    """For every site the other k − 1 sites of each of its terms of a family, padded with N.

    >>> from intertwine.spaces.lattices import Square
    >>> term_table(Square(4, 4), "plaquette").shape
    (16, 4, 3)
    """
    sites = spin_terms(lattice, family).sites
    k = sites.shape[1]
    rolled = np.concatenate([np.roll(sites, -j, axis=1) for j in range(k)])
    order, place = _places(rolled[:, 0], lattice.size)
    table = np.full((lattice.size, int(place.max()) + 1, k - 1), lattice.size, np.int32)
    table[rolled[order, 0], place] = rolled[order, 1:]
    return table


def _places(first: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """An order by first site, and each row's place among those of its site."""
    order = np.argsort(first, kind="stable")
    counts = np.bincount(first, minlength=size)
    return order, np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
