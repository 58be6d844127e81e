r"""The tensor network of a circuit, unrolled: a new index for each use of features, sites at the leaves.

In a circuit of products and sums x_c = Π_k Σ_d W^k_{cd} y^k_d, the index c of one use of x meets the index d
of each y^k in the factor W^k: a link. A use of x by two others is two indices, each with all that is below
it; a site s is one variable for all uses, because a basis state can be copied.
"""

from __future__ import annotations

import numpy as np

from intertwine._checks import fail
from intertwine.models.structure import Structure

MOST_INDICES = 2**18
"""Indices of an unrolled network, at most."""


class Unrolled:
    """A network that is being written down, from the top.

    >>> net = Unrolled(2)
    >>> top = net.index(3, "the sum on top")
    >>> net.link(top, 0), net.link(top, 1)
    (None, None)
    >>> net.structure().states.tolist(), net.structure().links.tolist()
    ([2.0, 2.0, 3.0], [[2, 0], [2, 1]])
    """

    def __init__(self, size: int):
        self.size = size
        self.states: list[float] = [2.0] * size
        self.names: list[str] = []
        self.links: list[tuple[int, int]] = []

    def index(self, states: int, name: str) -> int:
        """The number of a new index."""
        self.states.append(float(states))
        self.names.append(name)
        return len(self.states) - 1

    def link(self, index: int, other: int) -> None:
        """A factor of two variables."""
        self.links.append((index, other))

    def refuse_beyond(self, more: int) -> None:
        """InputError where `more` indices are too many."""
        if len(self.states) + more > MOST_INDICES:
            expected = f"a circuit whose unrolled network has at most {MOST_INDICES} indices"
            raise fail("model", expected, f"{len(self.states) + more} and more", "take fewer layers or sites")

    def structure(self) -> Structure:
        """The graph."""
        links = np.array(self.links, np.int64).reshape(-1, 2)
        return Structure(self.size, np.array(self.states), links, (), tuple(self.names))
