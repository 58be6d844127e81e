"""Compiled: where an element that keeps the character of a group carries the states of its orbits."""

from __future__ import annotations

import numpy as np

from intertwine.quantum.exact.hilbert.listing_kernels import compiled, image, sign
from intertwine.quantum.exact.hilbert.row_kernels import column


@compiled
def orbit_images(
    begin: int,
    end: int,
    g: int,
    moving_tables: np.ndarray,
    moving_chunks: np.ndarray,
    moving_swaps: np.ndarray,
    moving_places: np.ndarray,
    states: np.ndarray,
    norms: np.ndarray,
    starts: np.ndarray,
    shift: int,
    tables: np.ndarray,
    chunks: np.ndarray,
    swaps: np.ndarray,
    places: np.ndarray,
    characters: np.ndarray,
    rows: np.ndarray,
    values: np.ndarray,
):
    """U_g |r̃_i⟩ = values[i] |r̃_{rows[i]}⟩ = σ(g, r) σ(h, g r) χ(h)* |r̃'⟩, with r' = h g r."""
    for i in range(begin, end):
        t = image(states[i], g, moving_tables, moving_chunks)
        turn = sign(states[i], g, moving_swaps, moving_places)
        j, h, other = column(t, states, starts, shift, tables, chunks, swaps, places)
        rows[i] = max(j, 0)
        values[i] = np.conj(characters[h] + 0j) * (turn * other) if j >= 0 else 0j
