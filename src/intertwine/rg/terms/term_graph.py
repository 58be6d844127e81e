"""The terms at every site of a lattice, family by family, flat: what the compiled kernels walk along."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32

from intertwine.models.spins.spin_terms import Shape
from intertwine.models.spins.term_tables import term_table
from intertwine.spaces.lattice import Lattice


class TermGraph(NamedTuple):
    """Terms of several families, at each of their sites, or once, at the first of them.

    first: terms first[i] … first[i + 1] − 1 are those at site i, int32 (N + 1,). family: of each term,
    int32 (M,). begin: the other sites of term m are others[begin[m]:begin[m + 1]], int32 (M + 1,).
    """

    first: Int32[np.ndarray, " N1"]
    family: Int32[np.ndarray, " M"]
    begin: Int32[np.ndarray, " M1"]
    others: Int32[np.ndarray, " O"]


@lru_cache(maxsize=32)
def term_graph(lattice: Lattice, names: tuple[str | Shape, ...], once: bool = False) -> TermGraph:
    """The graph of the families `names` of `spin_terms`; `once`: each term at its first site only.

    >>> from intertwine.spaces.lattices import Chain
    >>> graph = term_graph(Chain(4), ("nearest", "field"))
    >>> graph.first.tolist(), graph.family[:3].tolist(), graph.others[:2].tolist()
    ([0, 3, 6, 9, 12], [0, 0, 1], [1, 3])
    """
    size = lattice.size
    at, family, lengths, others = [], [], [], []
    for number, name in enumerate(names):
        table = term_table(lattice, name)
        order = table.shape[2] + 1
        present = np.ones(table.shape[:2], bool) if order == 1 else table[:, :, 0] < size
        if once:
            present &= (table > np.arange(size)[:, None, None]).all(-1)
        sites, _ = np.nonzero(present)
        at.append(sites)
        family.append(np.full(len(sites), number))
        lengths.append(np.full(len(sites), order - 1))
        others.append(table[present].reshape(-1))
    if not names:
        empty = np.zeros(0, np.int32)
        return TermGraph(np.zeros(size + 1, np.int32), empty, np.zeros(1, np.int32), empty)
    site, kind, length = np.concatenate(at), np.concatenate(family), np.concatenate(lengths)
    start = np.concatenate([[0], np.cumsum(length)])
    order = np.argsort(site, kind="stable")
    flat = np.concatenate(others)
    picked = [flat[start[m] : start[m + 1]] for m in order.tolist()]
    counts = np.bincount(site, minlength=size)
    found = (
        np.concatenate([[0], np.cumsum(counts)]),
        kind[order],
        np.concatenate([[0], np.cumsum(length[order])]),
        np.concatenate([*picked, np.zeros(0)]),
    )
    return TermGraph(*(np.ascontiguousarray(part, np.int32) for part in found))
