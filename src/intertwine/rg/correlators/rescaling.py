r"""One rescaling of distance between the correlations of two layers: G_{l+1}(r) = A G_l(b r).

ln G_{l+1}(r) is fitted by a + ln G_l(b r), with a spline through ln G_l less the best {1, r, ln r}, by least
squares with the errors of both; b by a search, a = ln A as a mean.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline
from scipy.optimize import minimize_scalar
from scipy.special import fdtrc

from intertwine.sampling.statistics.jackknife import jackknife_error

_SEEN = 3.0
"""Errors by which G differs from 0 where it is looked at."""

_FEWEST = 4
"""Distances that tell a rescaling, at least: two are fitted."""

_AROUND = 1.6
"""b is looked for from b₀/1.6 to 1.6 b₀, with b₀ that of the numbers of units."""

_SMOOTH = 3
"""Smooth departures that χ² looks at, at most."""


class Correlated(NamedTuple):
    """Correlations of a layer: r, G and one σ, (R,), and G without each bin in turn, (B, R)."""

    distances: Float[np.ndarray, " R"]
    values: Float[np.ndarray, " R"]
    errors: Float[np.ndarray, " R"]
    without: Float[np.ndarray, "B R"]

    @property
    def seen(self) -> int:
        """The distances before the first at which G is not above 0 by three errors."""
        seen = self.values > _SEEN * self.errors
        return len(seen) if seen.all() else int(np.argmin(seen))


class Step(NamedTuple):
    """One layer: b and A of G_{l+1}(r) = A G_l(b r), with one σ; the share of the change of ln G that is
    left, the share that chance alone leaves, p of it; the last distance; NaN where nothing can be told, and
    why."""

    scale: float
    scale_error: float
    log_amplitude: float
    log_amplitude_error: float
    residual: float
    residual_error: float
    p_value: float
    last: float
    why: str = ""


UNKNOWN = (math.nan, math.nan, math.nan, math.nan, math.nan, math.nan, math.nan)


def rescaled(lower: Correlated, upper: Correlated, expected: float) -> Step:
    """What the upper of two layers does. expected: b₀, around which b is looked for.

    >>> r, bins = np.arange(1.0, 21), np.ones((5, 1))
    >>> def exactly(G):
    ...     return Correlated(r, G, 0 * G, G * bins)
    >>> found = rescaled(exactly(0.8 ** r), exactly(0.64 ** r), 2.0)             # decimation of a chain
    >>> round(found.scale, 6), found.residual < 1e-6
    (2.0, True)
    """
    low, high = lower.distances[: lower.seen], upper.distances[: upper.seen]
    high = high[high * expected <= (low[-1] if len(low) else 0.0) * (1 + 1e-9)]
    if len(low) <= _FEWEST or len(high) < _FEWEST:
        below = f"up to r = {low[-1]:.3g} below" if len(low) else "at no distance below"
        above = f"up to r = {upper.distances[upper.seen - 1]:.3g} above" if upper.seen else "at none above"
        remedy = f"{_FEWEST} distances that correspond are needed: larger layers, or more samples"
        return Step(*UNKNOWN, math.nan, f"its correlations are seen {below} and {above}; {remedy}")
    n, m = len(low), len(high)
    left, right = lower.without[:, :n], upper.without[:, :m]
    if not ((left > 0).all() and (right > 0).all()):
        return Step(*UNKNOWN, math.nan, "its correlations are not positive in every bin; draw more samples")
    below, above = np.log(lower.values[:n]), np.log(upper.values[:m])
    variance = jackknife_error(np.log(right)) ** 2
    variance += np.interp(expected * high, low, jackknife_error(np.log(left)) ** 2)
    weights = 1 / np.maximum(variance, 1e-12 * variance.max()) if variance.any() else np.ones(m)
    ends = expected / _AROUND, expected * _AROUND
    scale, amplitude, rest = _fitted(low, below, high, above, weights, ends)
    again = [
        _fitted(low, np.log(a), high, np.log(b), weights, ends) for a, b in zip(left, right, strict=True)
    ]
    scales, amplitudes, rests = (np.array(column) for column in zip(*again, strict=True))
    apart = above - weights @ above / weights.sum()
    size = float(weights @ apart**2)
    if not size > 0:
        return Step(*UNKNOWN, float(high[-1]), "its correlations are the same at all distances")
    return Step(
        scale,
        float(jackknife_error(scales)),
        amplitude,
        float(jackknife_error(amplitudes)),
        math.sqrt(float(weights @ rest**2) / size),
        math.sqrt(float(weights @ jackknife_error(rests) ** 2) / size),
        _chance(high, weights, rest, rests),
        float(high[-1]),
    )


def _fitted(
    low: np.ndarray,
    below: np.ndarray,
    high: np.ndarray,
    above: np.ndarray,
    weights: np.ndarray,
    ends: tuple[float, float],
) -> tuple[float, float, np.ndarray]:
    """(b, ln A, what is left at every r) of ln G_{l+1}(r) = ln A + ln G_l(b r)."""
    table = np.stack([np.ones_like(low), low, np.log(low)], 1)
    smooth, *_ = np.linalg.lstsq(table, below)
    rest = CubicSpline(low, below - table @ smooth)

    def at(b: float) -> tuple[float, np.ndarray]:
        r = b * high
        held = np.clip(r, low[0], low[-1])  # beyond the ends the smooth part goes on
        made = smooth[0] + smooth[1] * r + smooth[2] * np.log(r) + rest(held)
        a = float(weights @ (above - made) / weights.sum())
        return a, above - made - a

    def badness(b: float) -> float:
        return float(weights @ at(b)[1] ** 2)

    grid = np.geomspace(*ends, 25)
    start = int(np.argmin([badness(b) for b in grid]))
    near = grid[max(start - 1, 0)], grid[min(start + 1, 24)]
    result: Any = minimize_scalar(badness, bounds=near, method="bounded", options={"xatol": 1e-10})
    b = float(result.x)
    return b, *at(b)


def _chance(r: np.ndarray, weights: np.ndarray, rest: np.ndarray, rests: np.ndarray) -> float:
    """How often chance exceeds the smooth part of what is left (F distribution)."""
    bins, number = len(rests), min(_SMOOTH, len(r) - 2)
    u = np.log(r)
    u = 2 * (u - u[0]) / (u[-1] - u[0]) - 1
    root = np.sqrt(weights)
    powers = np.stack([u**k for k in range(2 + number)], 1) * root[:, None]
    smooth = (np.linalg.qr(powers)[0][:, 2:] * root[:, None]).T
    if bins <= number + 1:
        return math.nan
    off = rests @ smooth.T
    off = off - off.mean(0)
    covariance = (bins - 1) / bins * off.T @ off
    seen = smooth @ rest
    squared = float(seen @ np.linalg.pinv(covariance) @ seen)
    return float(fdtrc(number, bins - number, squared * (bins - number) / (number * (bins - 1))))
