"""Means of columns and covariances of pairs of columns, of the data and of what a machine drew: the first
things that samples must have right, for data that are no pictures as well."""

from __future__ import annotations

from typing import Any

import numpy as np

MOST_COLUMNS = 80
"""Columns whose pairs are compared; evenly spread over all where there are more."""


def moments(data: np.ndarray, samples: np.ndarray, weights: np.ndarray | None = None) -> dict[str, Any]:
    """Variables of `result.nc`: mean_data and mean_samples (unit), covariance_data and covariance_samples
    (pair), pair_unit (pair, 2); no pairs of one column alone.

    data, samples: (rows, N), nan being missing; weights: of the rows of data, or None.
    """
    size = data.shape[1]
    chosen = np.unique(np.linspace(0, size - 1, min(size, MOST_COLUMNS)).round().astype(int))
    first, second = np.triu_indices(len(chosen), 1)
    of_data, of_samples = _covariance(data[:, chosen], weights), _covariance(samples[:, chosen], None)
    words = {"units": "1"}
    means = {
        "mean_data": ("unit", _means(data, weights), words | {"long_name": "mean of the rows learnt from"}),
        "mean_samples": ("unit", _means(samples, None), words | {"long_name": "mean of the samples"}),
    }
    if not len(first):
        return means
    return means | {
        "covariance_data": ("pair", of_data[first, second], words | {"long_name": "of the rows learnt from"}),
        "covariance_samples": ("pair", of_samples[first, second], words | {"long_name": "of the samples"}),
        "pair_unit": (("pair", "two"), np.stack([chosen[first], chosen[second]], 1).astype(np.int64), words),
    }


def _means(rows: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    known = ~np.isnan(rows) if rows.dtype.kind == "f" else np.ones(rows.shape, bool)
    share = known * (1.0 if weights is None else weights[:, None])
    return (np.where(known, rows, 0) * share).sum(0) / np.maximum(share.sum(0), 1e-300)


def _covariance(rows: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    known = ~np.isnan(rows) if rows.dtype.kind == "f" else np.ones(rows.shape, bool)
    away = np.where(known, rows - _means(rows, weights), 0)
    share = 1.0 if weights is None else weights[:, None]
    both = (known * share).T @ known.astype(float)
    return (away * share).T @ away / np.maximum(both, 1e-300)
