"""The fields in which independent units have given means: where annealed paths begin."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.models.machines.unit_kinds import unit_kind
from intertwine.models.machines.unit_layer import UnitLayer


def base_rate(layer: UnitLayer, mean: ArrayLike, floor: float = 1e-3) -> np.ndarray:
    """The fields (N,) in which independent units have the `mean` (N,) of data: E[x|θ] = mean.

    floor: means are kept this far (in probability) from the ends of what the units can reach.

    Raises InputError for a mean of another shape, or not finite.

    >>> [round(x, 3) for x in base_rate(UnitLayer.of("binary", 2), [0.5, 0.9]).tolist()]
    [0.0, 2.197]
    """
    m = np.asarray(mean, np.float64)
    if m.shape != (layer.size,) or not np.isfinite(m).all():
        raise fail("mean", f"{layer.size} finite numbers, one per column", f"shape {m.shape}")
    found, begin = [], 0
    for kind, columns in layer.parts:
        part, begin = m[begin : begin + columns], begin + columns
        found.append(_inverse_mean(kind, part, floor))
    return np.concatenate(found) / np.asarray(layer.variance(), np.float64)


def _inverse_mean(kind: str, mean: np.ndarray, floor: float) -> np.ndarray:
    if kind == "binary":
        p = np.clip(mean, floor, 1 - floor)
        return np.log(p) - np.log1p(-p)
    if kind == "spin":
        p = np.clip((1 + mean) / 2, floor, 1 - floor)
        return 0.5 * (np.log(p) - np.log1p(-p))
    if kind == "gaussian":
        return mean
    if kind.startswith("potts"):
        groups = np.maximum(mean.reshape(-1, unit_kind(kind).columns), floor)
        groups = np.log(groups / groups.sum(1, keepdims=True))
        return (groups - groups.mean(1, keepdims=True)).ravel()
    return _rectified_field(np.maximum(mean, 10 * floor))


def _rectified_field(mean: np.ndarray) -> np.ndarray:
    """θ with θ + φ(θ)/Φ(θ) = mean > 0, by bisection: the mean lies above θ and above 1/(1 − θ)/2."""
    from scipy.special import log_ndtr

    low, high = -2.0 / mean - 2.0, mean.copy()
    for _ in range(80):
        middle = 0.5 * (low + high)
        value = middle + np.exp(-0.5 * middle * middle - 0.5 * np.log(2 * np.pi) - log_ndtr(middle))
        low, high = np.where(value < mean, middle, low), np.where(value < mean, high, middle)
    return 0.5 * (low + high)
