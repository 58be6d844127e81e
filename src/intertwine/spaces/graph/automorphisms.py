r"""The automorphisms of a graph with kinds of edges: permutations p with {p(i), p(j)} an edge of kind k
wherever {i, j} is one.

Sites b_1, b_2, … are marked, and colours refined, until all sites differ. Of the automorphisms that fix
b_1 … b_{k−1}, one is looked for that takes b_k to each site of its colour, by refining two copies side by
side, in one of which the image is marked (McKay 1981). The orbits of the b_k in the chain of stabilisers
G = G_0 ≥ G_1 ≥ … give the order, |G| = Π |orbit_k|, and every element once, as a product of representatives
(Sims 1970). Generators found prune what is left to look for.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np

from intertwine._checks import fail
from intertwine.spaces.graph.refinement import Adjacency, marked, refined

_MOST_STEPS = 20_000


class Automorphisms(NamedTuple):
    """A group in strong generators. generators: int32 (m, N). orbits: for each marked site b_k int32
    (n_k, N), elements that fix b_1 … b_{k−1} and take b_k to each site that it can reach, the identity first.
    """

    generators: np.ndarray
    orbits: tuple[np.ndarray, ...]

    @property
    def order(self) -> int:
        """How many automorphisms there are, exactly."""
        return prod(len(orbit) for orbit in self.orbits)

    def elements(self) -> np.ndarray:
        """All of them, int32 (order, N), the identity first."""
        found = np.arange(self.generators.shape[1], dtype=np.int32)[None]
        for orbit in reversed(self.orbits):
            found = orbit[:, found].reshape(-1, found.shape[1])
        return found


def find_automorphisms(size: int, edges: np.ndarray, kinds: np.ndarray) -> Automorphisms:
    """Those of the graph with the edges int (E, 2) of the kinds int (E,); `InputError` where the search takes
    too long (graphs made to defeat it).

    >>> square = np.array([[0, 1], [1, 2], [2, 3], [0, 3]])
    >>> find_automorphisms(4, square, np.zeros(4, int)).order
    8
    >>> find_automorphisms(4, square, np.array([0, 1, 0, 1])).elements().tolist()
    [[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]]
    """
    return _Search(size, edges, kinds).found()


class _Search:
    def __init__(self, size: int, edges: np.ndarray, kinds: np.ndarray):
        self.size, self.steps = size, 0
        self.edges, self.kinds = edges.astype(np.int64), kinds.astype(np.int64)
        self.code = self._coded(np.arange(size))
        one = Adjacency.of(size, self.edges, self.kinds)
        self.both = one.twice()
        colours = refined(one, np.zeros(size, np.int64))
        self.base: list[int] = []
        self.levels = [colours]
        while (counts := np.bincount(colours)).max(initial=0) > 1:
            cell = np.flatnonzero(counts > 1)[np.argmin(counts[counts > 1])]
            self.base.append(int(np.flatnonzero(colours == cell)[0]))
            colours = refined(one, marked(colours, np.array(self.base[-1:])))
            self.levels.append(colours)

    def found(self) -> Automorphisms:
        generators: list[np.ndarray] = []
        orbits: list[np.ndarray] = []
        for k in reversed(range(len(self.base))):
            colours, site = self.levels[k], self.base[k]
            orbit = self._orbit(site, generators)
            missed = np.zeros(self.size, bool)
            for image in np.flatnonzero(colours == colours[site]):
                if image in orbit or missed[image]:
                    continue
                element = self._mapping(k, np.tile(colours, 2), int(image))
                if element is None:
                    missed[list(self._orbit(int(image), generators))] = True
                else:
                    generators.append(element)
                    orbit = self._orbit(site, generators)
            orbits.insert(0, np.array([orbit[i] for i in (site, *sorted(orbit.keys() - {site}))]))
        rows = np.array(generators, np.int32).reshape(-1, self.size)
        return Automorphisms(rows, tuple(orbit.astype(np.int32) for orbit in orbits))

    def _orbit(self, site: int, generators: list[np.ndarray]) -> dict[int, np.ndarray]:
        """For each site that products of the generators take `site` to, one that does."""
        reached = {site: np.arange(self.size)}
        frontier = [site]
        while frontier:
            here = frontier.pop()
            for generator in generators:
                there = int(generator[here])
                if there not in reached:
                    reached[there] = generator[reached[here]]
                    frontier.append(there)
        return reached

    def _mapping(self, k: int, colours: np.ndarray, image: int) -> np.ndarray | None:
        """An automorphism that takes b_k to `image` and agrees with the colours (2N,) of both copies, or
        None."""
        self.steps += 1
        if self.steps > _MOST_STEPS:
            expected = f"one whose automorphisms are found within {_MOST_STEPS} steps"
            raise fail("graph", expected, f"{self.size} sites", "colour some bonds, which tells sites apart")
        colours = refined(self.both, marked(colours, np.array([self.base[k], self.size + image])))
        left, right = colours[: self.size], colours[self.size :]
        order, images = np.argsort(left, kind="stable"), np.argsort(right, kind="stable")
        if not np.array_equal(left[order], right[images]):
            return None
        guess = np.empty(self.size, np.int64)
        guess[order] = images
        if np.array_equal(self._coded(guess), self.code):
            return guess
        if k + 1 == len(self.base):
            return None
        for candidate in np.flatnonzero(right == left[self.base[k + 1]]):
            element = self._mapping(k + 1, colours, int(candidate))
            if element is not None:
                return element
        return None

    def _coded(self, permutation: np.ndarray) -> np.ndarray:
        """The edges with their kinds after `permutation`, as sorted numbers."""
        i, j = permutation[self.edges].T
        return np.sort((self.kinds * self.size + np.minimum(i, j)) * self.size + np.maximum(i, j))
