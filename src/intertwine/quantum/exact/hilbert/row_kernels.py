r"""Compiled: rows of an operator over packed configurations, stored or recomputed.

Move k of an operator takes the pattern s to t: the levels of a few modes, its fields, are one key into tables
of elements ⟨s|H|t⟩ and of bits that change, and a fermionic move has a sign by the parity of the occupied
modes between. Between states of orbits (`listing_kernels`), with r' = h t the least pattern of t's orbit,

    ⟨r̃|H|r̃'⟩ = Σ ⟨r|H|t⟩ σ(h, t) χ(h) √(n_{r'}/n_r).
"""

from __future__ import annotations

import numpy as np

from intertwine.quantum.exact.hilbert.listing_kernels import compiled, least, sign
from intertwine.quantum.exact.kernels import locate, odd


@compiled
def key_of(s: int, k: int, fields: np.ndarray, pointers: np.ndarray):
    """Which entry of its tables move k has for s. fields: int64 (F, 3), shift, mask and stride."""
    key = np.int64(0)
    for f in range(pointers[k], pointers[k + 1]):
        key += ((s >> fields[f, 0]) & fields[f, 1]) * fields[f, 2]
    return key


@compiled
def add_diagonal(
    begin: int,
    end: int,
    states: np.ndarray,
    fields: np.ndarray,
    pointers: np.ndarray,
    masks: np.ndarray,
    values: np.ndarray,
    out: np.ndarray,
):
    """out[i] += Σ_k of the elements of moves that change nothing. masks: int64 (K, 2), the bits
    whose parity is the sign, and where the tables begin."""
    for i in range(begin, end):
        s = states[i]
        total = out[i]
        for k in range(masks.shape[0]):
            value = values[masks[k, 1] + key_of(s, k, fields, pointers)]
            total += -value if odd(s & masks[k, 0]) else value
        out[i] = total


@compiled
def count_elements(
    begin: int,
    end: int,
    states: np.ndarray,
    fields: np.ndarray,
    pointers: np.ndarray,
    masks: np.ndarray,
    values: np.ndarray,
    counts: np.ndarray,
):
    """counts[i]: how many moves have an element in row i."""
    for i in range(begin, end):
        counts[i] = 0
        for k in range(masks.shape[0]):
            if values[masks[k, 1] + key_of(states[i], k, fields, pointers)] != 0:
                counts[i] += 1


@compiled
def column(
    t: int,
    states: np.ndarray,
    starts: np.ndarray,
    shift: int,
    tables: np.ndarray,
    chunks: np.ndarray,
    swaps: np.ndarray,
    places: np.ndarray,
):
    """(the column of the orbit of t or −1, the element h of the group, σ(h, t))."""
    h, s = 0, 1.0
    if tables.shape[0] > 1:
        r, h = least(t, tables, chunks)
        if h > 0:
            s = sign(t, h, swaps, places)
        t = r
    if (t >> shift) >= starts.shape[0] - 1:
        return -1, h, s
    return locate(t, states, starts, shift), h, s


@compiled
def fill_rows(
    begin: int,
    end: int,
    states: np.ndarray,
    norms: np.ndarray,
    starts: np.ndarray,
    shift: int,
    tables: np.ndarray,
    chunks: np.ndarray,
    swaps: np.ndarray,
    places: np.ndarray,
    characters: np.ndarray,
    fields: np.ndarray,
    pointers: np.ndarray,
    masks: np.ndarray,
    values: np.ndarray,
    changes: np.ndarray,
    row_starts: np.ndarray,
    columns: np.ndarray,
    data: np.ndarray,
):
    """Rows begin..end−1 of the CSR matrix of all moves; elements that lead out of the space are zeros."""
    for i in range(begin, end):
        s = states[i]
        at = row_starts[i]
        for k in range(masks.shape[0]):
            entry = masks[k, 1] + key_of(s, k, fields, pointers)
            value = values[entry]
            if value == 0:
                continue
            if odd(s & masks[k, 0]):
                value = -value
            t = s ^ changes[entry]
            j, h, turn = column(t, states, starts, shift, tables, chunks, swaps, places)
            if j < 0:
                columns[at] = 0
                data[at] = value * characters[0] * 0.0
            else:
                columns[at] = j
                data[at] = value * characters[h] * (turn * np.sqrt(norms[j] / norms[i]))
            at += 1


@compiled
def apply_rows(
    begin: int,
    end: int,
    states: np.ndarray,
    norms: np.ndarray,
    starts: np.ndarray,
    shift: int,
    tables: np.ndarray,
    chunks: np.ndarray,
    swaps: np.ndarray,
    places: np.ndarray,
    characters: np.ndarray,
    fields: np.ndarray,
    pointers: np.ndarray,
    masks: np.ndarray,
    values: np.ndarray,
    changes: np.ndarray,
    diagonal: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
):
    """y = H x on rows begin..end−1, without storing H."""
    for i in range(begin, end):
        s = states[i]
        total = x[i] * diagonal[i] * characters[0]
        for k in range(masks.shape[0]):
            entry = masks[k, 1] + key_of(s, k, fields, pointers)
            value = values[entry]
            if value == 0:
                continue
            if odd(s & masks[k, 0]):
                value = -value
            t = s ^ changes[entry]
            j, h, turn = column(t, states, starts, shift, tables, chunks, swaps, places)
            if j >= 0:
                total += value * characters[h] * (turn * np.sqrt(norms[j] / norms[i])) * x[j]
        y[i] = total


@compiled
def expand_orbits(
    begin: int,
    end: int,
    patterns: np.ndarray,
    states: np.ndarray,
    norms: np.ndarray,
    starts: np.ndarray,
    shift: int,
    tables: np.ndarray,
    chunks: np.ndarray,
    swaps: np.ndarray,
    places: np.ndarray,
    characters: np.ndarray,
    x: np.ndarray,
    out: np.ndarray,
):
    """out[i] = ⟨patterns[i]|Σ_r x_r r̃⟩."""
    for i in range(begin, end):
        j, h, turn = column(patterns[i], states, starts, shift, tables, chunks, swaps, places)
        out[i] = x[0] * 0.0
        if j >= 0:
            out[i] = x[j] * characters[h] * (turn * np.sqrt(norms[j]))
