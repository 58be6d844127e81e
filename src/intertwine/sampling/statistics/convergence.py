r"""Convergence of Markov chains: R-hat and the effective sample size.

Both follow Vehtari, Gelman, Simpson, Carpenter & Bürkner, "Rank-normalization, folding, and localization",
Bayesian Anal. 16, 667 (2021): values are replaced by the normal scores of their ranks,
z = Φ⁻¹((rank − 3/8)/(n + 1/4)), chains are cut in halves, and R-hat = √((B/W + D − 1)/D) compares the
variance between the halves, B, with the one within them, W. The effective sample size sums the multi-chain
autocorrelation over Geyer's initial monotone sequence (Stat. Sci. 7, 473, 1992). They agree with ArviZ's to
rounding.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail, one_of


def r_hat(values: ArrayLike, *, ranked: bool = True) -> float:
    """R-hat of (chains, draws) real values: the larger of the rank-normalised split one and the folded one.

    ranked: False for the values themselves in place of their ranks, where each chain has its own version of
    values that are alike, and ranks would tell these apart.

    1 for constant values, inf if every half chain is constant but they differ; nan with fewer than 4 draws
    or 2 chains, as in ArviZ.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(4, 500))
    >>> round(r_hat(x), 3), round(r_hat(x + np.arange(4)[:, None]), 1)
    (1.001, 1.5)
    """
    x = chain_values(values)
    if x.shape[0] < 2 or x.shape[1] < 4 or not np.isfinite(x).all():
        return float("nan")
    halves = _split(x)
    folded = np.abs(halves - np.median(halves))
    if ranked:
        halves, folded = _rank_normalised(halves), _rank_normalised(folded)
    elif scale := float(np.std(halves)):
        halves, folded = halves / scale, folded / scale
    return max(_plain_r_hat(halves), _plain_r_hat(folded))


def effective_sample_size(values: ArrayLike, kind: str = "bulk") -> float:
    """The effective sample size of (chains, draws) real values, `kind` "bulk" (rank-normalised) or "mean",
    as ArviZ.

    nan with fewer than 4 draws per chain.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(4, 500))
    >>> 1500 < effective_sample_size(x) < 2500
    True
    """
    one_of("kind", kind, ("bulk", "mean"))
    x = chain_values(values)
    if x.shape[1] < 4 or not np.isfinite(x).all():
        return float("nan")
    halves = _split(x)
    return _geyer_ess(_rank_normalised(halves) if kind == "bulk" else halves)


def chain_values(values: ArrayLike) -> np.ndarray:
    """`values` as a float64 or complex128 array (chains, draws), or the error that says so."""
    if np.ma.is_masked(values):
        raise fail("values", "values without a mask", "a masked array", "fill them, or leave the rows out")
    x = np.asarray(values)
    if x.ndim != 2 or x.size == 0:
        raise fail("values", "an array of shape (chains, draws)", f"shape {x.shape}")
    return x.astype(np.complex128 if np.iscomplexobj(x) else np.float64)


def autocovariance(deviations: np.ndarray) -> np.ndarray:
    """(1/D) Σ_i δ_i δ_{i+t} of every chain by FFT, averaged over chains: (draws,)."""
    draws = deviations.shape[1]
    length = 1 << (2 * draws - 1).bit_length()
    spectrum = np.fft.rfft(deviations, n=length, axis=1)
    power = (spectrum.real**2 + spectrum.imag**2).mean(axis=0)
    return np.fft.irfft(power, n=length)[:draws] / draws


def _split(x: np.ndarray) -> np.ndarray:
    half = x.shape[1] // 2
    return np.vstack((x[:, :half], x[:, -half:]))


def _rank_normalised(x: np.ndarray) -> np.ndarray:
    """Normal scores of the ranks (ties share their average; Blom's offset 3/8)."""
    from scipy.special import ndtri

    flat = x.ravel()
    order = np.argsort(flat)
    ordered = flat[order]
    starts = np.concatenate(([True], ordered[1:] != ordered[:-1]))
    group = np.cumsum(starts)
    bounds = np.concatenate((np.flatnonzero(starts), [flat.size]))
    ranks = np.empty(flat.size)
    ranks[order] = 0.5 * (bounds[group] + bounds[group - 1] + 1)
    return ndtri((ranks - 0.375) / (flat.size + 0.25)).reshape(x.shape)


def _plain_r_hat(x: np.ndarray) -> float:
    draws = x.shape[1]
    between = draws * x.mean(axis=1).var(ddof=1)
    within = x.var(axis=1, ddof=1).mean()
    if within <= 1e-24:  # scores are of order 1: this is rounding
        return 1.0 if between <= 1e-20 else float("inf")
    return float(np.sqrt((between / within + draws - 1) / draws))


def _geyer_ess(x: np.ndarray) -> float:
    """Stan's and ArviZ's multi-chain effective sample size, to the letter of ArviZ's `_ess`."""
    if x.max() - x.min() < 1e-15:
        return float(x.size)
    chains, draws = x.shape
    covariance = autocovariance(x - x.mean(axis=1, keepdims=True))
    within = covariance[0] * draws / (draws - 1.0)
    total = covariance[0] + (x.mean(axis=1).var(ddof=1) if chains > 1 else 0.0)
    rho = (1.0 - (within - covariance) / total).tolist()
    kept = [0.0] * draws
    kept[0], kept[1] = 1.0, rho[1]
    even, odd, t = 1.0, rho[1], 1
    while t < draws - 3 and even + odd > 0.0:
        even, odd = rho[t + 1], rho[t + 2]
        if even + odd >= 0:
            kept[t + 1], kept[t + 2] = even, odd
        t += 2
    last = t - 2
    if even > 0:
        kept[last + 1] = even
    for t in range(1, last - 1, 2):
        if kept[t + 1] + kept[t + 2] > kept[t - 1] + kept[t]:
            kept[t + 1] = kept[t + 2] = (kept[t - 1] + kept[t]) / 2.0
    tau = -1.0 + 2.0 * sum(kept[: last + 1]) + sum(kept[last + 1 : last + 2])
    return x.size / max(tau, 1.0 / np.log10(x.size))
