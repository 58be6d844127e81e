"""Sites without translations, as a lattice of one open cell that holds them all.

What asks a lattice for its extents, momenta or classes of displacements (structure factors, sectors,
correlation functions) then takes any set of sites: there is one momentum, 0, and every pair of sites is a
class of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from jaxtyping import Float, Int32

from intertwine._checks import fail

_LARGEST_TABLE = 2**27


class OneCell(ABC):
    """A place whose sites have positions, and no translations."""

    @property
    @abstractmethod
    def size(self) -> int:
        """The number of sites N."""

    @property
    @abstractmethod
    def name(self) -> str: ...

    @property
    @abstractmethod
    def positions(self) -> Float[np.ndarray, "N d"]:
        """float64 (N, d)."""

    @property
    def dimension(self) -> int:
        """d of the positions, 0 where there are none."""
        return self.positions.shape[1]

    @property
    def extent(self) -> tuple[int, ...]:
        """(1, …): one cell."""
        return (1,) * self.dimension

    @property
    def periodic(self) -> tuple[bool, ...]:
        """(False, …)."""
        return (False,) * self.dimension

    @property
    def basis_size(self) -> int:
        """N: all sites are in the one cell."""
        return self.size

    @property
    def basis_vectors(self) -> Float[np.ndarray, "d d"]:
        """The unit vectors: there is no unit of length but that of the positions."""
        return np.eye(self.dimension)

    @property
    def momenta(self) -> Float[np.ndarray, "1 d"]:
        """(1, d): 0 alone."""
        return np.zeros((1, self.dimension))

    @property
    def origin(self) -> Float[np.ndarray, " d"]:
        """(d,): the mean of the positions."""
        return self.positions.mean(axis=0)

    @property
    def displacements(self) -> Float[np.ndarray, "C d"]:
        """float64 (N², d): r_j − r_i of class iN + j."""
        return (self.positions[None] - self.positions[:, None]).reshape(self.size**2, self.dimension)

    @property
    def displacement_index(self) -> Int32[np.ndarray, "N N"]:
        """int32 (N, N): iN + j, every pair is a class of its own."""
        if self.size**2 > _LARGEST_TABLE:
            raise fail("graph", "a graph whose tables fit in memory", self.name, "take a smaller graph")
        return np.arange(self.size**2, dtype=np.int32).reshape(self.size, self.size)
