"""Compiled sums of products of spins, and of terms of equal Potts states."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int8, Int32

from intertwine import _threads
from intertwine._compile import kernel


def product_sums(rows: Int8[np.ndarray, "n N"], sites: Int32[np.ndarray, "T k"]) -> Float[np.ndarray, " n"]:
    """Σ_terms Π s of spins ±1, float64 (n,).

    >>> product_sums(np.array([[1, -1, 1]], np.int8), np.array([[0, 1], [1, 2]], np.int32))
    array([-2.])
    """
    out = np.empty(len(rows))
    rows, sites = np.ascontiguousarray(rows), np.ascontiguousarray(sites)
    loop = {1: _sum_1, 2: _sum_2, 4: _sum_4}.get(sites.shape[1], _sum_any)

    def part(start: int, stop: int) -> None:
        loop(rows[start:stop], sites, out[start:stop])

    _threads.over_ranges(part, len(rows))
    return out


def equal_sums(
    rows: Int8[np.ndarray, "n N"], sites: Int32[np.ndarray, "T k"], states: int
) -> Float[np.ndarray, "n q"]:
    """For every state a the number of terms whose sites are all in it, float64 (n, q).

    >>> equal_sums(np.array([[2, 2, 2, 0]], np.int8), np.array([[0, 1], [1, 2], [2, 3]], np.int32), 3)
    array([[0., 0., 2.]])
    """
    out = np.zeros((len(rows), states))
    rows, sites = np.ascontiguousarray(rows), np.ascontiguousarray(sites)

    def part(start: int, stop: int) -> None:
        _equal(rows[start:stop], sites, out[start:stop])

    _threads.over_ranges(part, len(rows))
    return out


@kernel
def _sum_1(rows: np.ndarray, sites: np.ndarray, out: np.ndarray):
    for c in range(rows.shape[0]):
        total = 0
        for t in range(sites.shape[0]):
            total += rows[c, sites[t, 0]]
        out[c] = total


@kernel
def _sum_2(rows: np.ndarray, sites: np.ndarray, out: np.ndarray):
    for c in range(rows.shape[0]):
        total = 0
        for t in range(sites.shape[0]):
            total += rows[c, sites[t, 0]] * rows[c, sites[t, 1]]
        out[c] = total


@kernel
def _sum_4(rows: np.ndarray, sites: np.ndarray, out: np.ndarray):
    for c in range(rows.shape[0]):
        total = 0
        for t in range(sites.shape[0]):
            left = rows[c, sites[t, 0]] * rows[c, sites[t, 1]]
            total += left * rows[c, sites[t, 2]] * rows[c, sites[t, 3]]
        out[c] = total


@kernel
def _sum_any(rows: np.ndarray, sites: np.ndarray, out: np.ndarray):
    for c in range(rows.shape[0]):
        total = 0
        for t in range(sites.shape[0]):
            product = 1
            for k in range(sites.shape[1]):
                product *= rows[c, sites[t, k]]
            total += product
        out[c] = total


@kernel
def _equal(rows: np.ndarray, sites: np.ndarray, out: np.ndarray):
    for c in range(rows.shape[0]):
        for t in range(sites.shape[0]):
            state = rows[c, sites[t, 0]]
            same = 1
            for k in range(1, sites.shape[1]):
                same &= rows[c, sites[t, k]] == state
            out[c, state] += same
