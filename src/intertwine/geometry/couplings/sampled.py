r"""Curvature from samples: moments of the sums by bins, and the jackknife.

R is not linear in the cumulants, and third cumulants are biased, both by terms of the order of
1/(independent samples). The jackknife over bins takes these off,

    R = B R_all − (B − 1) mean_b R_without b,     error² = (B − 1)/B Σ_b (R_without b − mean)²

(Quenouille 1956; Efron 1982), where bins are joined while they are correlated (`joined`). Sums that turn over
with all spins, in a model that does not, have exactly no odd moments: these are left out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from intertwine._checks import fail
from intertwine.geometry.couplings.tensors import check_independent, scalar_curvature
from intertwine.sampling.statistics.jackknife import jackknife_error
from intertwine.sampling.statistics.joined_bins import joined

BINS = 50
FEWEST = 100
"""Samples from which anything is told."""


class Sums(NamedTuple):
    """first, second, third: moments of S − centre summed over bins, (B, n), (B, n, n), (B, n, n, n). count:
    (B,)."""

    first: np.ndarray
    second: np.ndarray
    third: np.ndarray
    count: np.ndarray


class Sampled(NamedTuple):
    """mean: ⟨S⟩ (n,). metric, third: with their errors; curvature: R with its error; all of the whole system.
    correlated: "" or how the samples are too few for their autocorrelation."""

    mean: np.ndarray
    metric: np.ndarray
    metric_error: np.ndarray
    third: np.ndarray
    third_error: np.ndarray
    curvature: float
    error: float
    correlated: str


def binned(
    sums: Float[np.ndarray, "S n"], odd: Bool[np.ndarray, " n"], centre: np.ndarray, bins: int
) -> Sums:
    """Moments of successive rows about `centre`, without those that are odd."""
    count, n = sums.shape
    apart = sums - centre
    starts = (np.arange(bins) * count) // bins
    pairs = apart[:, :, None] * apart[:, None, :]
    first = np.add.reduceat(apart, starts)
    second = np.add.reduceat(pairs, starts)
    third = np.stack([np.add.reduceat(pairs * apart[:, k, None, None], starts) for k in range(n)], -1)
    first = np.where(odd, 0, first)
    second = np.where(odd[:, None] ^ odd, 0, second)
    third = np.where(odd[:, None, None] ^ odd[:, None] ^ odd, 0, third)
    return Sums(first, second, third, np.diff([*starts, count]).astype(np.float64))


def cumulants(first: np.ndarray, second: np.ndarray, third: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """g and T of moments (..., n), (..., n, n), (..., n, n, n)."""
    metric = second - first[..., :, None] * first[..., None, :]
    apart = (
        metric[..., :, :, None] * first[..., None, None, :]
        + metric[..., :, None, :] * first[..., None, :, None]
        + metric[..., None, :, :] * first[..., :, None, None]
    )
    cube = first[..., :, None, None] * first[..., None, :, None] * first[..., None, None, :]
    return metric, third - apart - cube


def sampled_curvature(
    sums: Float[np.ndarray, "S n"], odd: Bool[np.ndarray, " n"], names: tuple[str, ...]
) -> Sampled:
    """From rows of sums, chain after chain. Raises InputError for too few, and for sums that depend on each
    other."""
    if len(sums) < FEWEST:
        raise fail("samples", f"{FEWEST} samples or more", len(sums))
    centre = np.where(odd, 0, sums.mean(0))
    return from_bins(binned(sums, odd, centre, min(BINS, len(sums) // 10)), centre, names)


def from_bins(bins: Sums, centre: np.ndarray, names: tuple[str, ...]) -> Sampled:
    """The curvature of bins of moments about `centre`."""
    n = len(names)
    whole = _values(*(part.sum(0) for part in bins))
    check_independent(whole[: n * n].reshape(n, n), names)
    parts, correlated = joined(tuple(bins), _watched)
    total = tuple(part.sum(0) for part in parts)
    without = [(t - p for t, p in zip(total, each, strict=True)) for each in zip(*parts, strict=True)]
    left = np.array([_values(*each) for each in without])
    if not np.isfinite(left).all():
        raise fail("samples", "samples whose sums are independent without any bin", f"{names}", "give more")
    value = whole + (len(left) - 1) * (whole - left.mean(0))
    error = jackknife_error(left)
    cut = n * n, n * n + n**3
    shaped = [(x[: cut[0]].reshape(n, n), x[cut[0] : cut[1]].reshape((n,) * 3)) for x in (value, error)]
    mean = centre + bins.first.sum(0) / bins.count.sum()
    return Sampled(
        mean, shaped[0][0], shaped[1][0], shaped[0][1], shaped[1][1], float(value[-1]), float(error[-1]),
        correlated,
    )  # fmt: skip


def _values(first: np.ndarray, second: np.ndarray, third: np.ndarray, count: np.ndarray) -> np.ndarray:
    metric, cube = cumulants(first / count, second / count, third / count)
    return np.concatenate([metric.ravel(), cube.ravel(), [float(scalar_curvature(metric, cube))]])


def _watched(parts: tuple[np.ndarray, ...]) -> np.ndarray:
    """What is looked at from bin to bin: means and squares."""
    first, second, _, count = parts
    squares = np.einsum("bii->bi", second)
    return np.concatenate([first, squares], 1) / count[:, None]
