r"""How the sums S_α of a configuration change with one of its sites, counted: its couplings are read from it.

Let g_α = S_α(v) − S_α(v with site i in another state b). Whether the site is in its state a or in b, all else
given, is a coin that knows nothing but the couplings,

    p(a | a or b, rest) = 1/(1 + e^{−K·g}),

so that Σ ln p over sites, and over b, has its maximum at K: the pseudo-likelihood of spins ±1 (Besag 1975),
its composite form of pairs of states for Potts models (Lindsay 1988). All that is needed of configurations is
how often each g occurs. The law of one site given the others does not know how large the lattice is:
couplings found so compare from level to level of blocking.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float, Int8, Int64

from intertwine import _threads
from intertwine._compile import kernel
from intertwine.rg.terms.term_graph import term_graph
from intertwine.spaces.lattice import Lattice

MOST = 5000
"""So many different changes are told apart, at most."""


def countable(lattice: Lattice, families: tuple[Any, ...], states: int | None) -> int:
    """How many of the first `families` can be counted together: all sites alike, at most `MOST` changes.

    >>> from intertwine.spaces.lattices import Square
    >>> countable(Square(8, 8), ("nearest", "next", "plaquette", "third"), None)
    4
    """
    for number in range(len(families), 0, -1):
        terms = _terms(lattice, families[:number])
        if terms is not None and np.prod(_widths(terms, states)) <= MOST:
            return number
    return 0


def changes(lattice: Lattice, families: tuple[Any, ...], states: int | None) -> Float[np.ndarray, "M n"]:
    """Every g/2, float64 (M, n), in the order of `change_counts`.

    >>> from intertwine.spaces.lattices import Chain
    >>> changes(Chain(4), ("nearest",), None).ravel(), changes(Chain(4), ("nearest",), 3).ravel()
    (array([-2.,  0.,  2.]), array([-1. , -0.5,  0. ,  0.5,  1. ]))
    """
    terms = _terms(lattice, families)
    assert terms is not None
    widths = _widths(terms, states)
    digits = np.stack(np.unravel_index(np.arange(np.prod(widths)), tuple(widths[::-1]))[::-1], 1)
    return 2.0 * digits - terms if states is None else (digits - terms) / 2.0


def change_counts(
    rows: Int8[np.ndarray, "n N"], lattice: Lattice, families: tuple[Any, ...], states: int | None = None
) -> Int64[np.ndarray, " M"]:
    """How often each of `changes` occurs in spins ±1 or Potts states (n, N): (M,).

    >>> from intertwine.spaces.lattices import Chain
    >>> change_counts(np.array([[1, 1, 1, -1]], np.int8), Chain(4), ("nearest",))
    array([1, 2, 1])
    """
    terms = _terms(lattice, families)
    assert terms is not None
    widths = _widths(terms, states)
    radix = np.concatenate([[1], np.cumprod(widths)]).astype(np.int64)
    graph, rows, found = term_graph(lattice, families), np.ascontiguousarray(rows), []

    def part(start: int, stop: int) -> None:
        counts = np.zeros(radix[-1], np.int64)
        if states is None:
            _spin_changes(rows[start:stop], *graph, terms, radix, counts)
        else:
            _state_changes(rows[start:stop], *graph, terms, radix, states, counts)
        found.append(counts)

    _threads.over_ranges(part, len(rows))
    return np.sum(found, axis=0)


@lru_cache(maxsize=64)
def _terms(lattice: Lattice, families: tuple[Any, ...]) -> Int64[np.ndarray, " n"] | None:
    """How many terms of each family a site has; None where sites differ."""
    graph = term_graph(lattice, families)
    site = np.repeat(np.arange(lattice.size), np.diff(graph.first))
    table = np.zeros((lattice.size, len(families)), np.int64)
    np.add.at(table, (site, graph.family), 1)
    return table[0] if (table == table[0]).all() else None


def _widths(terms: Int64[np.ndarray, " n"], states: int | None) -> Int64[np.ndarray, " n"]:
    return terms + 1 if states is None else 2 * terms + 1


@kernel
def _spin_changes(
    rows: np.ndarray,
    first: np.ndarray,
    family: np.ndarray,
    begin: np.ndarray,
    others: np.ndarray,
    terms: np.ndarray,
    radix: np.ndarray,
    counts: np.ndarray,
):
    field = np.zeros(len(terms), np.int64)
    for c in range(rows.shape[0]):
        for i in range(rows.shape[1]):
            field[:] = 0
            for t in range(first[i], first[i + 1]):
                product = rows[c, i]
                for j in range(begin[t], begin[t + 1]):
                    product = product * rows[c, others[j]]
                field[family[t]] += product
            code = 0
            for a in range(len(terms)):
                code += (field[a] + terms[a]) // 2 * radix[a]
            counts[code] += 1


@kernel
def _state_changes(
    rows: np.ndarray,
    first: np.ndarray,
    family: np.ndarray,
    begin: np.ndarray,
    others: np.ndarray,
    terms: np.ndarray,
    radix: np.ndarray,
    states: int,
    counts: np.ndarray,
):
    field = np.zeros((states, len(terms)), np.int64)
    for c in range(rows.shape[0]):
        for i in range(rows.shape[1]):
            field[:] = 0
            for t in range(first[i], first[i + 1]):
                state = rows[c, others[begin[t]]] if begin[t + 1] > begin[t] else 0
                same = 1
                for j in range(begin[t] + 1, begin[t + 1]):
                    same &= rows[c, others[j]] == state
                field[state, family[t]] += same
            own = rows[c, i]
            for b in range(states):
                if b != own:
                    code = 0
                    for a in range(len(terms)):
                        code += (field[own, a] - field[b, a] + terms[a]) * radix[a]
                    counts[code] += 1
