"""Sites without translations, as a lattice of one open cell that holds them all.

What asks a lattice for its extents, momenta or classes of displacements (structure factors, sectors,
correlation functions) then takes any set of sites: there is one momentum, 0, and a class of displacements is
the pairs of sites with equal r_j − r_i.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int16, Int32

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
    @abstractmethod
    def distances(self) -> Int16[np.ndarray, "N N"]:
        """int16 (N, N): the numbers of edges of shortest paths, −1 where there is none."""

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

    @cached_property
    def _classes(self) -> tuple[np.ndarray, np.ndarray]:
        """The vector of each class of pairs, and (N, N) the classes."""
        if self.size**2 > _LARGEST_TABLE:
            raise fail("graph", "a graph whose tables fit in memory", self.name, "take a smaller graph")
        if not self.dimension:
            steps = np.where(self.distances < 0, self.size, self.distances)
            lengths, index = np.unique(steps, return_inverse=True)
            return lengths[:, None].astype(float), index.reshape(steps.shape).astype(np.int32)
        vectors = self.positions[None] - self.positions[:, None]
        scale = float(np.abs(vectors).max()) or 1.0
        rounded = np.rint(vectors.reshape(-1, self.dimension) / (1e-9 * scale))
        far = (rounded != 0).any(axis=1, keepdims=True)
        _, first, index = np.unique(np.hstack([far, rounded]), axis=0, return_index=True, return_inverse=True)
        return vectors.reshape(-1, self.dimension)[first], index.reshape(self.size, -1).astype(np.int32)

    @property
    def displacements(self) -> Float[np.ndarray, "C d"]:
        """float64 (C, d): r_j − r_i of each class of `displacement_index`, class 0 the zero vector. Without
        positions (C, 1), the distances along edges (N where no path joins the sites)."""
        return self._classes[0]

    @property
    def displacement_index(self) -> Int32[np.ndarray, "N N"]:
        """int32 (N, N): the class of each pair (i, j), those with equal r_j − r_i; without positions those at
        the same distance along edges."""
        return self._classes[1]
