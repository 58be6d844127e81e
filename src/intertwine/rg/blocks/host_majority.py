"""Compiled majorities of blocks."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int8, Int32

from intertwine import _threads
from intertwine._compile import kernel

TIED = -128
"""The mark of a block without a majority."""


def block_signs(
    rows: Int8[np.ndarray, "n N"], sites: Int32[np.ndarray, "M k"], first: bool
) -> Int8[np.ndarray, "n M"]:
    """The sign of the sum of each block; of its first spin, or `TIED`, where it is 0.

    >>> block_signs(np.array([[1, 1, 1, -1]], np.int8), np.array([[0, 1], [2, 3]], np.int32), False)
    array([[   1, -128]], dtype=int8)
    """
    out = np.empty((len(rows), len(sites)), np.int8)
    rows = np.ascontiguousarray(rows)

    def part(start: int, stop: int) -> None:
        _signs(rows[start:stop], sites, first, out[start:stop])

    _threads.over_ranges(part, len(rows))
    return out


def commonest_states(
    rows: Int8[np.ndarray, "n N"], sites: Int32[np.ndarray, "M k"], states: int, first: bool
) -> Int8[np.ndarray, "n M"]:
    """The commonest state of each block; where there are several, the one met first, or `TIED`.

    >>> commonest_states(np.array([[2, 2, 0, 1]], np.int8), np.array([[0, 1], [2, 3]], np.int32), 3, True)
    array([[2, 0]], dtype=int8)
    """
    out = np.empty((len(rows), len(sites)), np.int8)
    rows = np.ascontiguousarray(rows)

    def part(start: int, stop: int) -> None:
        _commonest(rows[start:stop], sites, states, first, out[start:stop])

    _threads.over_ranges(part, len(rows))
    return out


@kernel
def _signs(rows: np.ndarray, sites: np.ndarray, first: np.ndarray, out: np.ndarray):
    for c in range(rows.shape[0]):
        for block in range(sites.shape[0]):
            total = 0
            for k in range(sites.shape[1]):
                total += rows[c, sites[block, k]]
            if total == 0:
                out[c, block] = rows[c, sites[block, 0]] if first else TIED
            else:
                out[c, block] = 1 if total > 0 else -1


@kernel
def _commonest(rows: np.ndarray, sites: np.ndarray, states: int, first: np.ndarray, out: np.ndarray):
    counts = np.zeros(states, np.int32)
    for c in range(rows.shape[0]):
        for block in range(sites.shape[0]):
            counts[:] = 0
            best, winners, winner = 0, 0, 0
            for k in range(sites.shape[1]):
                counts[rows[c, sites[block, k]]] += 1
            for a in range(states):
                best = max(best, counts[a])
            for a in range(states):
                winners += counts[a] == best
            for k in range(sites.shape[1]):
                winner = rows[c, sites[block, k]]
                if counts[winner] == best:
                    break
            out[c, block] = winner if winners == 1 or first else TIED
