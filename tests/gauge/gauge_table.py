"""The gauge groups and small lattices on which every law of links is run."""

import jax
import numpy as np

from intertwine.spaces.lattices import Cubic, Hypercubic, Square
from intertwine.spaces.links import Links

GROUPS = ("Z2", "Z5", "U(1)", "SU(2)", "SU(3)")
CONTINUOUS = ("U(1)", "SU(2)", "SU(3)")


def links_of(group: str, dimension: int = 2) -> Links:
    """Unequal extents, one of them odd."""
    return Links({2: Square(3, 4), 3: Cubic(2, 3, 4), 4: Hypercubic(2, 3, 2, 4)}[dimension], group)


def matrices(links: Links, configuration) -> np.ndarray:
    """complex128 (*extent, d, n, n), on the host."""
    return np.asarray(links.group.matrix(configuration), np.complex128)


def hot(links: Links, seed: int = 0, dtype=float):
    return links.hot(key=jax.random.key(seed), dtype=dtype)
