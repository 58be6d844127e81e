"""Compiled: H X for a sum of products of operators on two halves (`halves`)."""

from __future__ import annotations

import numpy as np

from intertwine.quantum.exact.hilbert.listing_kernels import compiled


@compiled
def apply_halves(
    begin: int,
    end: int,
    up_rows: np.ndarray,
    up_columns: np.ndarray,
    up_values: np.ndarray,
    down_rows: np.ndarray,
    down_columns: np.ndarray,
    down_values: np.ndarray,
    diagonal: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
):
    """y = K_u x + x K_vᵀ + D ∘ x on rows begin..end−1."""
    width = x.shape[1]
    for i in range(begin, end):
        for j in range(width):
            total = diagonal[i, j] * x[i, j]
            for k in range(down_rows[j], down_rows[j + 1]):
                total += down_values[k] * x[i, down_columns[k]]
            y[i, j] = total
        for k in range(up_rows[i], up_rows[i + 1]):
            c, value = up_columns[k], up_values[k]
            for j in range(width):
                y[i, j] += value * x[c, j]
