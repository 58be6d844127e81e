r"""A block of cells, a buffer around it, and the environment beyond: the geometry of coarse graining.

    E E E E E E
    E . . . . E        V: the block, b cells along each direction
    E . V V . E        .: the buffer, cells at distance 1 … buffer
    E . V V . E        E: the environment, the next cells after it, or all that remain
    E . . . . E
    E E E E E E        (block 2, buffer 1, environment 1)

Distances are those of the cells' numbers, the largest over the directions. Without a buffer the environment
knows the spins next to it, and a coarse variable is asked for short distances; with one it is asked for what
reaches farther (Koch-Janusz & Ringel, Nature Physics 14, 578, 2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int32

from intertwine._checks import fail, positive_int
from intertwine.spaces.lattice import Lattice

LARGEST_BLOCK = 16
"""Spins of the largest block: rules are tables of 2^n numbers."""


@dataclass(frozen=True)
class BlockWindow:
    """Where block and environment are, for every placement of the block on a periodic lattice.

    block: cells along each direction. buffer: layers of cells left out, ≥ 0. environment: layers of cells
    after them, or None for all that remain.

    Raises InputError for lattices that are not periodic, blocks of more than 16 spins, and where nothing is
    left for the environment.

    >>> from intertwine.spaces.lattices import Square
    >>> window = BlockWindow(Square(6, 6), block=2, buffer=1)
    >>> window.inside.shape, window.outside.shape, window.inside[0].tolist()
    ((36, 4), (36, 20), [0, 1, 6, 7])
    """

    lattice: Lattice
    block: int = 2
    buffer: int = 1
    environment: int | None = 1

    def __post_init__(self) -> None:
        if not isinstance(self.lattice, Lattice):
            raise fail("lattice", "a lattice, such as it.Square(8, 8)", self.lattice)
        if not all(self.lattice.periodic):
            raise fail("lattice", "a periodic lattice", self.lattice.name)
        block = positive_int("block", self.block, "give the cells along a side of the block")
        if block > min(self.lattice.extent):
            raise fail("block", f"at most {min(self.lattice.extent)} cells", block, "take a larger lattice")
        spins = block**self.lattice.dimension * self.lattice.basis_size
        if spins > LARGEST_BLOCK:
            raise fail("block", f"a block of at most {LARGEST_BLOCK} spins", f"{spins} spins")
        if isinstance(self.buffer, bool) or not isinstance(self.buffer, int | np.integer) or self.buffer < 0:
            raise fail("buffer", "a number of layers ≥ 0", self.buffer)
        if self.environment is not None:
            positive_int("environment", self.environment, "give layers of cells, or None for all the rest")
        if not self.outside.shape[1]:
            expected = f"a lattice with cells beyond a block of {block} and a buffer of {self.buffer}"
            raise fail("lattice", expected, self.lattice.name, "take a larger lattice or a smaller buffer")

    @cached_property
    def inside(self) -> Int32[np.ndarray, "C n"]:
        """The sites of the block, row-major, for each of the C cells where it may begin."""
        return self._sites(self._distance == 0)

    @cached_property
    def outside(self) -> Int32[np.ndarray, "C m"]:
        """The sites of the environment, likewise."""
        reach = self._distance.max() if self.environment is None else self.buffer + self.environment
        return self._sites((self._distance > self.buffer) & (self._distance <= reach))

    @cached_property
    def _distance(self) -> np.ndarray:
        """Of each cell from the block that begins at cell 0."""
        cells, extent = self.lattice._geometry.cells, np.array(self.lattice.extent)
        return np.where(cells < self.block, 0, np.minimum(cells - self.block + 1, extent - cells)).max(1)

    def _sites(self, chosen: np.ndarray) -> np.ndarray:
        geometry = self.lattice._geometry
        folded, _ = geometry.wrap(geometry.cells[:, None] + geometry.cells[chosen])
        sites = geometry.number(folded)[..., None] * self.lattice.basis_size
        sites = (sites + np.arange(self.lattice.basis_size)).reshape(len(geometry.cells), -1)
        return np.ascontiguousarray(sites, np.int32)
