r"""Compiled: patterns listed along the graph of bounds, and the least of each orbit of a signed group.

An element g of the group carries |s⟩ to σ(g, s)|g s⟩: it permutes the modes, possibly relabels their levels,
and σ is the parity of the pairs of occupied fermionic modes whose order it changes. With a one-dimensional
character χ the projector P = |G|⁻¹ Σ_g χ(g)* U_g gives an orbit with least pattern r one state, unless

    n_r = ⟨r|P|r⟩ = |G|⁻¹ Σ_{g: g r = r} χ(g)* σ(g, r)

vanishes (Sandvik, AIP Conf. Proc. 1297, 135 (2010), sec. 4, with signs). Patterns are moved by one table per
chunk of bits. This module imports numba: reach it lazily.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from intertwine.quantum.exact.kernels import odd

compiled: Any = numba.njit(nogil=True, cache=True, fastmath=False, error_model="numpy")


@compiled
def list_patterns(
    depth: int,
    node: int,
    pattern: int,
    follow: np.ndarray,
    offsets: np.ndarray,
    levels: np.ndarray,
    shifts: np.ndarray,
    out: np.ndarray,
):
    """Fills `out` with the patterns that go on from `node` of layer `depth`; returns how many there are."""
    N = levels.shape[0]
    if depth == N:
        out[0] = pattern
        return 1
    nodes = np.zeros(N + 1, np.int64)
    so_far = np.zeros(N + 1, np.int64)
    level = np.full(N + 1, -1, np.int64)
    nodes[depth], so_far[depth] = node, pattern
    found, i = 0, depth
    while i >= depth:
        level[i] += 1
        if level[i] == levels[i]:
            level[i] = -1
            i -= 1
            continue
        after = follow[offsets[i] + nodes[i] * levels[i] + level[i]]
        if after < 0:
            continue
        t = so_far[i] | (level[i] << shifts[i])
        if i == N - 1:
            out[found] = t
            found += 1
        else:
            i += 1
            nodes[i], so_far[i] = after, t
    return found


@compiled
def image(s: int, g: int, tables: np.ndarray, chunks: np.ndarray):
    """g applied to the pattern s. chunks: int64 (c, 2), shift and mask of each chunk of bits."""
    t = np.int64(0)
    for c in range(chunks.shape[0]):
        t |= tables[g, c, (s >> chunks[c, 0]) & chunks[c, 1]]
    return t


@compiled
def sign(s: int, g: int, swaps: np.ndarray, places: np.ndarray):
    """σ(g, s). swaps: int64 (g, f), the later fermionic modes that g moves before each; places: (f,)."""
    turned = False
    for f in range(places.shape[0]):
        if (s >> places[f]) & 1 and odd(s & swaps[g, f]):
            turned = not turned
    return -1.0 if turned else 1.0


@compiled
def least(s: int, tables: np.ndarray, chunks: np.ndarray):
    """The least pattern of the orbit of s, and the element that takes s there."""
    best, element = s, 0
    for g in range(1, tables.shape[0]):
        t = image(s, g, tables, chunks)
        if t < best:
            best, element = t, g
    return best, element


@compiled
def keep_least(
    begin: int,
    end: int,
    states: np.ndarray,
    tables: np.ndarray,
    chunks: np.ndarray,
    swaps: np.ndarray,
    places: np.ndarray,
    characters: np.ndarray,
    norms: np.ndarray,
):
    """norms[i]: n_r where states[i] is the least pattern of its orbit and n_r does not vanish, else 0."""
    order = tables.shape[0]
    for i in range(begin, end):
        s = states[i]
        weight = characters[0].real
        for g in range(1, order):
            t = image(s, g, tables, chunks)
            if t < s:
                weight = 0.0
                break
            if t == s:
                weight += characters[g].real * sign(s, g, swaps, places)
        norms[i] = weight / order if weight > 1e-9 * order else 0.0


@compiled
def images(
    g: int,
    states: np.ndarray,
    tables: np.ndarray,
    chunks: np.ndarray,
    swaps: np.ndarray,
    places: np.ndarray,
    out: np.ndarray,
    signs: np.ndarray,
):
    """out[i], signs[i] = g s, σ(g, s)."""
    for i in range(states.shape[0]):
        out[i] = image(states[i], g, tables, chunks)
        signs[i] = sign(states[i], g, swaps, places)
