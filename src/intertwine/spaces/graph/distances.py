"""Distances between the sites of a graph: numbers of edges of shortest paths."""

from __future__ import annotations

import numpy as np

from intertwine._checks import fail

_LARGEST_TABLE = 2**27
_AT_ONCE = 2**22


def pair_distances(size: int, edges: np.ndarray) -> np.ndarray:
    """int16 (N, N): the distances, −1 between sites that no path joins, found breadth first.

    >>> pair_distances(4, np.array([[0, 1], [1, 2]])).tolist()
    [[0, 1, 2, -1], [1, 0, 1, -1], [2, 1, 0, -1], [-1, -1, -1, 0]]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    if size**2 > _LARGEST_TABLE:
        got, remedy = f"{size} sites", "only the edges, shell 1, are known of larger ones"
        raise fail("graph", "one whose table of distances fits in memory", got, remedy)
    i, j = edges.T
    links = coo_array((np.ones(2 * len(edges)), (np.r_[i, j], np.r_[j, i])), shape=(size, size)).tocsr()
    found = np.empty((size, size), np.int16)
    step = max(1, _AT_ONCE // size)
    for first in range(0, size, step):
        sites = np.arange(first, min(first + step, size))
        rows = dijkstra(links, unweighted=True, indices=sites)
        found[sites] = np.where(np.isinf(rows), -1, rows)
    return found
