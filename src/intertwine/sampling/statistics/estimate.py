r"""Statistics of Markov chains: means with errors, τ, R̂ and effective sample sizes, in one place.

For C independent stationary chains of D successive draws, n = C D, the mean of an observable has the variance

    V = Var(x̄) = (1/n) Σ_{|t|<D} (1 − |t|/D) γ(t),   γ(t) = Cov(x_0, x_t),   error = √V = √(variance · τ / n),

which defines τ, the integrated autocorrelation time in draws (1 for independent draws; 1 + 2 Σ_t ρ(t) for
long chains). γ is estimated from deviations from the mean of *all* chains, whose own variance is put back
(each estimate is low by V; Wolff, Comput. Phys. Commun. 156, 143, 2004), and the sum is cut by Geyer's
initial monotone sequence (Stat. Sci. 7, 473, 1992). If the correlation dies out within a chain, that is the
usual estimate; if it does not, the sum runs over all lags and *is* the variance of the chain means over C −
1 degrees of freedom: an error bar that is right however short the chains are, as long as there are several.
τ is not let below 1: no gain from anticorrelated draws is ever claimed.

R-hat is the larger of the split, rank-normalised and the folded one, and the effective sample size is the
bulk one, of Vehtari, Gelman, Simpson, Carpenter & Bürkner (Bayesian Anal. 16, 667, 2021), computed as ArviZ
does, to rounding (`convergence`). All of it runs on the host in float64.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from intertwine._caveats import beneath, caveat, disagreement, once
from intertwine._checks import fail
from intertwine.sampling.statistics.convergence import (
    autocovariance,
    chain_values,
    effective_sample_size,
    r_hat,
)

__all__ = ["Estimate", "autocorrelation_time", "effective_sample_size", "estimate", "r_hat"]


_NOT_FINITE = caveat("untrusted", "the mean is not a number: some of the values are nan or infinite")


class _Numbers(NamedTuple):
    mean: Any
    error: Any
    variance: Any
    tau: Any
    r_hat: Any
    ess: Any
    samples: Any


class Estimate(_Numbers):
    """The mean of an observable over samples, and how far to trust it: scalars of NumPy, a pytree of arrays.

    mean: real, or complex where the observable is.
    error: one standard deviation of the mean, autocorrelation included; 0 for exact (weighted) means.
    variance: of one sample; for complex values E|x − mean|².
    tau: integrated autocorrelation time in draws (≥ 1); nan if there is one draw a chain and none was given.
    r_hat: split, rank-normalised and folded; 1 for constant values, inf for chains that are stuck apart, nan
        with fewer than 4 draws per chain or one chain.
    ess: bulk effective sample size; nan with fewer than 4 draws per chain.
    samples: how many values went in.
    notes: caveats that these numbers do not show (`noted`), lines of `warnings`; no part of the pytree.

    It can be scaled and shifted (`energy / sites`, `-energy`, `energy - exact`), and `float(estimate)` is the
    mean of a real one.
    """

    notes: tuple[str, ...] = ()

    def noted(self, lines: Iterable[str]) -> Estimate:
        """The same with further caveats."""
        copy = Estimate(*self)
        copy.notes = tuple(once([*self.notes, *lines]))
        return copy

    @property
    def warnings(self) -> tuple[str, ...]:
        """What qualifies the mean and its error, a line each; empty where nothing does.

        >>> rows = np.random.default_rng(0).normal(size=(4, 100)) + np.arange(4)[:, None]
        >>> [line.partition(":")[0] for line in estimate(rows).warnings]
        ['chains-disagree']
        """
        finite = () if np.isfinite(self.mean) or not self.samples else (_NOT_FINITE,)
        return (*finite, *disagreement(float(self.r_hat), "the estimate"), *self.notes)

    def __float__(self) -> float:
        if np.iscomplexobj(self.mean):
            raise fail("estimate", "a real mean", self.mean, "take float(estimate.mean.real)")
        return float(self.mean)

    def _scaled(self, factor: float) -> Estimate:
        size = abs(factor)
        variance = self.variance * size * size
        scaled = self._replace(mean=self.mean * factor, error=self.error * size, variance=variance)
        return scaled.noted(self.notes)

    __mul__ = __rmul__ = _scaled  # type: ignore[assignment]  (numbers, where a tuple repeats itself)

    def __truediv__(self, divisor: float) -> Estimate:
        return self._scaled(1 / divisor)

    def __neg__(self) -> Estimate:
        return self._scaled(-1)

    def _shifted(self, shift: float) -> Estimate:
        return self._replace(mean=self.mean + shift).noted(self.notes)

    __add__ = __radd__ = _shifted  # type: ignore[assignment]

    def __sub__(self, shift: float) -> Estimate:
        return self._shifted(-shift)

    @property
    def line(self) -> str:
        """Mean, error and diagnostics in one line, without the caveats."""
        notes = [
            f"{name} {format(float(value), spec)}"
            for name, value, spec in (
                ("τ", self.tau, ".1f"),
                ("R̂", self.r_hat, ".3f"),
                ("ESS", self.ess, ".0f"),
            )
            if np.isfinite(value)
        ]
        tail = f" ({', '.join(notes)})" if notes else ""
        return f"{_shown(self.mean, self.error)} ± {_rounded(self.error, self.error)}{tail}"

    def __str__(self) -> str:
        return beneath(self.line, self.warnings)


def estimate(
    values: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    tau: float | None = None,
    real: bool = False,
    independent: bool = False,
) -> Estimate:
    """The mean of `values` with its error bar and the chains' diagnostics.

    values: (chains, draws), real or complex; chains independent, draws of a chain successive.
    weights: (chains, draws) exact probabilities that sum to 1 (enumeration): the mean is then exact and its
        error 0.
    tau: an autocorrelation time in draws measured elsewhere (longer chains). The error bar is never below
        the one that it implies for chains of this length. With one draw a chain the chains themselves are
        the independent samples, the error is that of independent draws, and `tau` only fills the field that
        is nan otherwise.
    real: the observable's mean is known to be real (a Hermitian operator's complex local values): mean,
        error, tau and diagnostics are those of the real part; the variance still counts both parts.
    independent: one draw a chain, known to be drawn independently: τ = 1, R-hat = 1 and the effective sample
        size n are then no estimates.

    Values that are not finite give an estimate of nan whose `warnings` say so. Raises `InputError` for values
    that are not two-dimensional, masked values, or weights of another shape.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(16, 64))
    >>> print(estimate(x))
    −0.05 ± 0.03 (τ 1.0, R̂ 1.003, ESS 1061)
    """
    x = chain_values(values)
    if weights is not None:
        return _exact(x, weights, real)
    n = x.size
    if not np.isfinite(x).all():
        nan = np.float64(np.nan)
        mean = np.complex128(complex(np.nan, np.nan)) if np.iscomplexobj(x) and not real else nan
        return Estimate(mean, nan, nan, nan, nan, nan, np.int64(n))
    mean = x.mean()
    parts = (np.real(x),) if real or not np.iscomplexobj(x) else (np.real(x), np.imag(x))
    variance, error2 = _mean_variance(parts)
    own_tau = max(error2 * n / variance, 1.0) if variance > 0 else 1.0
    shown_tau = own_tau if x.shape[1] > 1 else np.nan
    if tau is not None:
        error2 = max(error2, variance * _finite_tau(float(tau), x.shape[1]) / n)
        shown_tau = np.fmax(shown_tau, max(1.0, float(tau)))
    if real and np.iscomplexobj(x) and n > 1:
        variance = variance + np.imag(x).var(ddof=1)
    if independent and x.shape[1] == 1:
        whole = np.float64(mean.real) if len(parts) == 1 else np.complex128(mean)
        one = np.float64(1.0)
        return Estimate(whole, np.sqrt(error2), np.float64(variance), one, one, np.float64(n), np.int64(n))
    return Estimate(
        mean=np.float64(mean.real) if len(parts) == 1 else np.complex128(mean),
        error=np.sqrt(error2),
        variance=np.float64(variance),
        tau=np.float64(shown_tau),
        r_hat=np.float64(max(r_hat(part) for part in parts)),
        ess=np.float64(min(effective_sample_size(part) for part in parts)),
        samples=np.int64(n),
    )


def autocorrelation_time(values: ArrayLike) -> float:
    """The integrated autocorrelation time of (chains, draws) real or complex values, in draws: n Var(x̄) /
    variance.

    1 for independent draws, and never less; nan with one draw a chain.

    >>> import numpy as np
    >>> round(autocorrelation_time(np.random.default_rng(0).normal(size=(16, 1000))), 1)
    1.0
    """
    x = chain_values(values)
    if x.shape[1] < 2:
        return float("nan")
    variance, error2 = _mean_variance((np.real(x), np.imag(x)) if np.iscomplexobj(x) else (x,))
    return max(float(error2 * x.size / variance), 1.0) if variance > 0 else 1.0


# -------------------------------------------------------------------------------------- the error of the mean


def _exact(x: np.ndarray, weights: ArrayLike, real: bool) -> Estimate:
    """The mean under exact probabilities; values where the probability is 0 do not count, whatever they
    are."""
    w = np.asarray(weights, np.float64)
    if w.shape != x.shape:
        raise fail("weights", f"an array of shape {x.shape}, as the values", f"shape {w.shape}")
    x = np.where(w > 0, x, 0)
    mean = np.sum(w * x)
    variance = np.sum(w * np.abs(x - mean) ** 2)
    one = np.float64(1.0)
    mean = mean.real if real else mean
    return Estimate(mean, np.float64(0.0), variance, one, one, np.float64(x.size), np.int64(x.size))


def _mean_variance(parts: tuple[np.ndarray, ...]) -> tuple[float, float]:
    """(variance of one value, variance of the mean of all), summed over `parts`; see the head of this
    file."""
    chains, draws = parts[0].shape
    n = chains * draws
    if n == 1:
        return float("nan"), float("nan")
    deviations = [part - part.mean() for part in parts]
    if draws == 1:
        variance = sum(float(np.vdot(d, d)) for d in deviations) / (n - 1)
        return variance, variance / n
    covariance = sum(autocovariance(d) for d in deviations)  # low by V, and tapered by 1 − t/D
    assert isinstance(covariance, np.ndarray)
    taper = 1.0 - np.arange(draws) / draws
    of_mean = covariance[0] / (n - 1)
    for _ in range(3):
        window, summed = _windowed_sum(covariance / taper + of_mean, taper)
        # Σ over the window of taper · (γ̂ + V) = n V, solved for the V inside; one chain alone cannot put it
        # all back
        covered = float(2.0 * taper[:window].sum() - 1.0)
        of_mean = max(summed - covered * of_mean, 0.0) / max(n - covered, n / 2 if chains == 1 else 0.0)
    variance = covariance[0] + of_mean
    return float(variance), float(max(of_mean, variance / n))


def _windowed_sum(gamma: np.ndarray, taper: np.ndarray) -> tuple[int, float]:
    """Geyer's window W and Σ_{|t|<W} taper(t) γ(t) over the initial positive sequence of pairs, made
    monotone."""
    draws = gamma.size
    pairs = gamma[: draws // 2 * 2].reshape(-1, 2).sum(axis=1)
    stops = np.flatnonzero(pairs <= 0)
    kept = max(int(stops[0]) if stops.size else pairs.size, 1)
    monotone = np.minimum.accumulate(pairs[:kept])
    smoothed = gamma.copy()
    if pairs[0] > 0:
        smoothed[: 2 * kept] *= np.repeat(monotone / pairs[:kept], 2)
    window = 2 * kept if stops.size else draws
    if window > 2 * kept:  # the lone last lag of an odd number of draws
        smoothed[-1] = min(smoothed[-1], monotone[-1] / 2)
    terms = taper[:window] * smoothed[:window]
    return window, float(2.0 * terms.sum() - terms[0])


def _finite_tau(tau: float, draws: int) -> float:
    """n Var(x̄) / variance for chains of `draws` draws with autocorrelation φ^t of integrated time `tau`."""
    if tau <= 1.0:
        return 1.0
    phi = (tau - 1.0) / (tau + 1.0)
    return tau - 2.0 * phi * (1.0 - phi**draws) / (draws * (1.0 - phi) ** 2)


# ---------------------------------------------------------------------------------------------- the text form


def _digits(error: float) -> int:
    """Decimals that show `error` with one significant digit, or two if the first is a 1."""
    if not np.isfinite(error) or error <= 0:
        return 10
    exponent = int(np.floor(np.log10(error)))
    return max(0, -exponent + (1 if error / 10.0**exponent < 1.95 else 0))


def _rounded(value: float, error: float) -> str:
    if not np.isfinite(value):
        return "nan" if np.isnan(value) else str(value)
    text = f"{value:.{min(_digits(error), 15)}f}"
    if float(text) == 0:
        text = "0" if error == 0 and value == 0 else text.lstrip("-")
    return text.replace("-", "−")


def _shown(mean: Any, error: float) -> str:
    if isinstance(mean, complex) or np.iscomplexobj(mean):
        sign = "−" if mean.imag < 0 else "+"
        return f"{_rounded(mean.real, error)} {sign} {_rounded(abs(mean.imag), error)}i"
    return _rounded(mean, error)
