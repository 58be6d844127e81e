r"""The least vertex cut of a graph of variables between two sets of sites.

A set X of variables *separates* A from B where every path from A to B along links and factors goes through X;
sites of A and B themselves may be in X. With the values of X fixed, ψ is a product of a function of A and one
of B, so that the matrix ψ(a, b) is a sum of at most Π_{v ∈ X} states(v) products:

    rank ψ(a, b) ≤ Π_{v ∈ X} states(v).

The best such bound is a least cut with capacities log2 states(v), by Menger's theorem a largest flow: each
variable becomes an arc of that capacity from where it is entered to where it is left, links are arcs of
infinite capacity, and a factor is a node that its variables enter and leave.

The flow is SciPy's (Dinic's algorithm, whole capacities). Where states are no powers of two, capacities are
rounded to about nine digits; what is returned is the exact weight of the cut that was found, which bounds the
rank in any case.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from intertwine._checks import fail
from intertwine.models.structure import Structure

_LARGEST = 2**30


def vertex_cut(graph: Structure, A: Iterable[int], B: Iterable[int]) -> tuple[int, ...]:
    """The variables of a least cut between the sites A and B, ascending; () where nothing joins them.

    >>> chain = Structure(4, np.full(4, 2.0), np.array([[0, 1], [1, 2], [2, 3]]))
    >>> len(vertex_cut(chain, [0, 1], [2, 3]))
    1
    """
    A, B = np.array(sorted(A), np.int64), np.array(sorted(B), np.int64)
    count, weights = len(graph.states), np.log2(graph.states)
    capacities, most = _whole(weights, min(len(A), len(B)))
    into, out = 2 * np.arange(count), 2 * np.arange(count) + 1
    u, v = np.asarray(graph.links, np.int64).reshape(-1, 2).T
    sizes = [len(factor) for factor in graph.factors]
    member = np.fromiter(chain.from_iterable(graph.factors), np.int64, sum(sizes))
    node = 2 * count + np.repeat(np.arange(len(sizes)), sizes)
    source = 2 * count + len(sizes)
    sink = source + 1
    arcs = [
        (into, out, capacities),
        (out[u], into[v], most),
        (out[v], into[u], most),
        (out[member], node, most),
        (node, into[member], most),
        (np.full(len(A), source), into[A], most),
        (out[B], np.full(len(B), sink), most),
    ]
    rows, columns = (np.concatenate([arc[k] for arc in arcs]) for k in (0, 1))
    values = np.concatenate([np.broadcast_to(arc[2], len(arc[0])) for arc in arcs])
    network = sparse.csr_matrix((values.astype(np.int64), (rows, columns)), shape=(sink + 1, sink + 1))
    network.data = np.minimum(network.data, most).astype(np.int32)  # a link given twice
    flow = csgraph.maximum_flow(network, source, sink).flow
    left = (network - flow).tocsr()
    left.data[left.data < 0] = 0
    left.eliminate_zeros()
    reached = np.zeros(sink + 1, bool)
    reached[csgraph.breadth_first_order(left, source, return_predecessors=False)] = True
    return tuple(int(k) for k in np.flatnonzero(reached[into] & ~reached[out]))


def _whole(weights: np.ndarray, sites: int) -> tuple[np.ndarray, int]:
    """Whole capacities in proportion to `weights`, and one that is never filled: a cut of the sites of the
    smaller side has weight `sites`."""
    if (weights < 0).any():
        raise fail("states", "at least one state of each variable", float(2 ** weights.min()))
    finite = weights[np.isfinite(weights)]
    scale = 1 if (finite == np.rint(finite)).all() else _LARGEST // (2 * sites + 2)
    most = scale * sites + 1
    capped = np.minimum(np.where(np.isfinite(weights), weights, sites + 1) * scale, most)
    return np.rint(capped).astype(np.int64), int(most)
