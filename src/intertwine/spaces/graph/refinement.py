r"""Refinement of colours: sites that see the same colours along the same kinds of edges keep one colour.

    c'(v) = (c(v), {{ (kind(e), c(u)) : e = {v, u} }})                until the number of colours stays

(Weisfeiler & Leman 1968; the equitable partitions of McKay, Congr. Numer. 30, 45, 1981). The multiset is told
by a sum of mixed 64-bit words. Two multisets with the same sum by accident would only make the partition
coarser: nothing is concluded from colours but where to look.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Adjacency(NamedTuple):
    """Both directions of every edge, sorted by where they start: pointers int (n + 1,), targets int (2E,),
    kinds uint64 (2E,), one word for each kind of edge."""

    pointers: np.ndarray
    targets: np.ndarray
    kinds: np.ndarray

    @classmethod
    def of(cls, size: int, edges: np.ndarray, kinds: np.ndarray) -> Adjacency:
        """Of the edges (E, 2) of `size` sites, their kinds int (E,)."""
        source, target = np.concatenate([edges, edges[:, ::-1]]).T
        order = np.argsort(source, kind="stable")
        counts = np.bincount(source, minlength=size)
        pointers = np.concatenate([[0], np.cumsum(counts)])
        return cls(pointers, target[order], mixed(np.tile(kinds, 2)[order].astype(np.uint64)))

    def twice(self) -> Adjacency:
        """Two copies side by side, so that the colours of both mean the same."""
        n, ends = len(self.pointers) - 1, self.pointers[-1]
        return Adjacency(
            np.concatenate([self.pointers, self.pointers[1:] + ends]),
            np.concatenate([self.targets, self.targets + n]),
            np.tile(self.kinds, 2),
        )


def mixed(words: np.ndarray) -> np.ndarray:
    """uint64 words stirred, one to one (the finaliser of SplitMix64, Steele et al. 2014)."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def refined(adjacency: Adjacency, colours: np.ndarray) -> np.ndarray:
    """The coarsest equitable partition finer than `colours`, int (n,), as colours 0, 1, … in an order that
    does not depend on how the sites are numbered.

    >>> path = Adjacency.of(4, np.array([[0, 1], [1, 2], [2, 3]]), np.zeros(3, int))
    >>> colours = refined(path, np.zeros(4, int))
    >>> bool(colours[0] == colours[3] != colours[1] == colours[2])
    True
    """
    count = len(np.unique(colours))
    while True:
        words = mixed(mixed(colours.astype(np.uint64))[adjacency.targets] ^ adjacency.kinds)
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(words, dtype=np.uint64)])  # modulo 2^64
        seen = sums[adjacency.pointers[1:]] - sums[adjacency.pointers[:-1]]
        order = np.lexsort((seen, colours))
        new = (np.diff(colours[order]) != 0) | (np.diff(seen[order]) != 0)
        colours = np.empty(len(order), np.int64)
        colours[order] = np.concatenate([[0], np.cumsum(new)])
        found = int(colours.max(initial=0)) + 1
        if found == count or found == len(colours):
            return colours
        count = found


def marked(colours: np.ndarray, sites: np.ndarray) -> np.ndarray:
    """`colours` with one more, for `sites`."""
    out = colours.copy()
    out[sites] = colours.max(initial=0) + 1
    return out
