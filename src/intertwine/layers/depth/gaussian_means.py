r"""Averages of an activation over Gaussian pre-activations, ⟨F(z)⟩_K = ∫ dz e^{−z²/2K} F(z)/√(2πK).

    one input       ⟨σ²⟩,  ⟨zσσ'⟩/K = d⟨σ²⟩/dK,  ⟨σ'²⟩,  ⟨σ⁴⟩
    two inputs      ⟨σ(z₁)σ(z₂)⟩,  ⟨σ'(z₁)σ'(z₂)⟩  of covariance ((K₁, C), (C, K₂))

In closed form for scale-invariant activations (arc-cosine kernels: Cho & Saul 2009) and erf (Williams 1997);
else by Gauss-Legendre on panels between the kinks of σ, halved until both halves together say the same, to
1e-12 of the integral of |F|. Where σ jumps, σ' has a delta function: ⟨σ'²⟩ is infinite, and d⟨σ²⟩/dK is taken
as ⟨σ²(z² − K)⟩/2K².
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.layers.depth.activation import Activation

_FAR = 38.0
_EDGES = np.array([0.0, 0.5, 1, 1.5, 2, 3, 4, 5, 6, 8, 11, 16, 24, _FAR])
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_TOLERANCE = 1e-13
_LEVELS, _MOST = 48, 512
_WIDE = 9.0
_INNER, _INNER_WEIGHTS = np.polynomial.legendre.leggauss(48)


class Moments(NamedTuple):
    """square ⟨σ²⟩, growth d⟨σ²⟩/dK, slope ⟨σ'²⟩, fourth ⟨σ⁴⟩."""

    square: float
    growth: float
    slope: float
    fourth: float


def moments(activation: Activation, K: float) -> Moments:
    """The averages over z of variance K ≥ 0.

    Raises InputError where they are not finite.

    >>> moments(Activation.of("relu"), 2.0)
    Moments(square=1.0, growth=0.5, slope=0.5, fourth=6.0)
    >>> round(moments(Activation.of("tanh"), 1.0).square, 10)
    0.3942944904
    """
    if K <= 0:
        a = activation.slope_square
        slope = math.inf if len(activation.jumps) else a
        return Moments(activation.at_zero**2, a, slope, activation.at_zero**4)
    if activation.scale_invariant:
        left, right = activation.slopes
        a = activation.slope_square
        return Moments(a * K, a, a, 1.5 * (left**4 + right**4) * K**2)
    jumps = len(activation.jumps) > 0
    root = math.sqrt(K)

    def integrand(u: np.ndarray) -> np.ndarray:
        value, slope = activation.with_slope(root * u)
        square = value**2
        growth = square * (u**2 - 1) / (2 * K) if jumps else u * value * slope / root
        return np.stack([square, growth, slope**2, square**2])

    found = gaussian_integral(integrand, activation.kinks / root, activation.name)
    square, growth, slope, fourth = (float(x) for x in found)
    if activation.is_erf:
        square = 2 / math.pi * math.asin(2 * K / (1 + 2 * K))
        slope = 4 / math.pi / math.sqrt(1 + 4 * K)
        growth = slope / (1 + 2 * K)
    return Moments(square, growth, math.inf if jumps else slope, fourth)


def gaussian_integral(
    integrand: Callable[[np.ndarray], np.ndarray], breaks: Float[np.ndarray, " n"], name: str
) -> Float[np.ndarray, " k"]:
    """∫ du e^{−u²/2} f(u)/√2π of k functions at once, f: (n,) → (k, n), smooth between `breaks`.

    >>> gaussian_integral(lambda u: np.stack([u**2, u**4]), np.zeros(1), "powers").round(10).tolist()
    [1.0, 3.0]
    """
    edges = np.unique(np.concatenate([-_EDGES, _EDGES, breaks[np.abs(breaks) < _FAR]]))
    a, b = edges[:-1], edges[1:]
    values = _panels(integrand, a, b, name)
    size = np.abs(values).sum(1)
    total = np.zeros(len(values))
    for _ in range(_LEVELS):
        middle = (a + b) / 2
        halves = _panels(integrand, np.concatenate([a, middle]), np.concatenate([middle, b]), name)
        first, second = halves[:, : len(a)], halves[:, len(a) :]
        both = first + second
        rough = (np.abs(both - values) > _TOLERANCE * size[:, None]).any(0)
        total += both[:, ~rough].sum(1)
        if not rough.any():
            return total
        if rough.sum() > _MOST:  # what rounding leaves
            return total + both[:, rough].sum(1)
        a, b = np.concatenate([a[rough], middle[rough]]), np.concatenate([middle[rough], b[rough]])
        values = np.concatenate([first[:, rough], second[:, rough]], axis=1)
    return total + values.sum(1)


def _panels(
    integrand: Callable[[np.ndarray], np.ndarray], a: np.ndarray, b: np.ndarray, name: str
) -> np.ndarray:
    """The integral over each panel, (k, panels)."""
    half = (b - a) / 2
    u = ((a + b) / 2)[:, None] + half[:, None] * _NODES
    weight = np.exp(-(u**2) / 2) / math.sqrt(2 * math.pi) * _WEIGHTS * half[:, None]
    with np.errstate(all="ignore"):
        found = integrand(u.reshape(-1)).reshape(-1, *u.shape) * weight
    if not np.isfinite(found).all():
        at = u[~np.isfinite(found).all(0)]
        remedy = "take one that is, or a smaller kernel"
        got = f"{name}, which is not finite {np.abs(at).min():.3g} standard deviations from 0"
        raise fail("activation", "an activation whose averages are finite", got, remedy)
    return found.sum(-1)


def root(change: Callable[[float], float], low: float, high: float) -> float:
    """Where a function changes its sign, to rounding.

    >>> abs(root(lambda x: x * x - 2, 0.0, 2.0) - 2**0.5) < 1e-14
    True
    """
    from scipy.optimize import brentq

    return float(brentq(change, low, high, xtol=1e-14, rtol=np.float64(1e-14)))  # type: ignore[arg-type]


def pair_mean(activation: Activation, K1: float, K2: float, C: float) -> float:
    """⟨σ(z₁)σ(z₂)⟩, |C| ≤ √(K₁K₂).

    >>> round(pair_mean(Activation.of("relu"), 1.0, 1.0, 0.0) * 2 * np.pi, 12)
    1.0
    """
    c = _correlation(K1, K2, C)
    if activation.scale_invariant:
        even, odd = _even_and_odd(activation)
        of_sizes = 2 / math.pi * (math.sqrt(1 - c**2) + c * math.asin(c))
        return math.sqrt(K1 * K2) * (odd**2 * c + even**2 * of_sizes)
    if activation.is_erf:
        return 2 / math.pi * math.asin(2 * C / math.sqrt((1 + 2 * K1) * (1 + 2 * K2)))
    if min(K1, K2) <= 0:
        one, other = (_mean(activation, K) for K in (K1, K2))
        return one * other
    return _pair(activation, K1, K2, c, slope=False)


def pair_slope(activation: Activation, K1: float, K2: float, C: float) -> float:
    """⟨σ'(z₁)σ'(z₂)⟩ = d⟨σ(z₁)σ(z₂)⟩/dC; infinite for C = √(K₁K₂) where σ jumps.

    >>> pair_slope(Activation.of("relu"), 1.0, 1.0, 0.0), pair_slope(Activation.of("relu"), 1.0, 1.0, 1.0)
    (0.25, 0.5)
    """
    c = _correlation(K1, K2, C)
    if activation.scale_invariant:
        even, odd = _even_and_odd(activation)
        return odd**2 + even**2 * 2 / math.pi * math.asin(c)
    if activation.is_erf:
        return 4 / math.pi / math.sqrt((1 + 2 * K1) * (1 + 2 * K2) - 4 * C**2)
    if len(activation.jumps):
        if abs(c) >= 1:
            return math.inf
        h = 1e-4 * (1 - abs(c)) * math.sqrt(K1 * K2)
        up, down = (pair_mean(activation, K1, K2, C + s * h) for s in (1, -1))
        return (up - down) / (2 * h)
    if min(K1, K2) <= 0:
        return activation.slope_square
    return _pair(activation, K1, K2, c, slope=True)


def _correlation(K1: float, K2: float, C: float) -> float:
    return min(1.0, max(-1.0, C / math.sqrt(K1 * K2))) if K1 > 0 and K2 > 0 else 0.0


def _even_and_odd(activation: Activation) -> tuple[float, float]:
    """σ(z) = odd·z + even·|z|."""
    left, right = activation.slopes
    return (right - left) / 2, (right + left) / 2


def _mean(activation: Activation, K: float) -> float:
    """⟨σ⟩."""
    if K <= 0:
        return activation.at_zero
    root = math.sqrt(K)
    found = gaussian_integral(lambda u: activation(root * u)[None], activation.kinks / root, activation.name)
    return float(found[0])


def _pair(activation: Activation, K1: float, K2: float, c: float, *, slope: bool) -> float:
    """One integral inside the other: z₂ given z₁ has the mean c √(K₂/K₁) z₁ and the variance K₂(1 − c²)."""
    which = 1 if slope else 0
    spread = math.sqrt(K2 * max(1 - c**2, 0.0))
    ratio, root = c * math.sqrt(K2 / K1), math.sqrt(K1)

    def given(z: np.ndarray) -> np.ndarray:
        mean = ratio * z
        if spread < 1e-12 * math.sqrt(K2):
            return activation.with_slope(mean)[which]
        low, high = mean - _WIDE * spread, mean + _WIDE * spread
        inner = np.linspace(-_WIDE, _WIDE, 5)[1:-1] * spread
        kinks = np.broadcast_to(activation.kinks, (len(z), len(activation.kinks)))
        edges = np.concatenate([mean[:, None] + inner, kinks], axis=1)
        edges = np.sort(np.clip(edges, low[:, None], high[:, None]), axis=1)
        edges = np.concatenate([low[:, None], edges, high[:, None]], axis=1)
        a, b = edges[:, :-1, None], edges[:, 1:, None]
        y = (a + b) / 2 + (b - a) / 2 * _INNER
        u = (y - mean[:, None, None]) / spread
        weight = np.exp(-(u**2) / 2) / (spread * math.sqrt(2 * math.pi)) * _INNER_WEIGHTS * (b - a) / 2
        return (activation.with_slope(y)[which] * weight).sum((1, 2))

    def integrand(u: np.ndarray) -> np.ndarray:
        z = root * u
        return (activation.with_slope(z)[which] * given(z))[None]

    breaks = activation.kinks / root
    if abs(ratio) > 0:  # what z₂ sees of the kinks, as far as it is sharp
        seen = activation.kinks / ratio / root
        near = spread / abs(ratio) / root * np.array([-6.0, -3.0, 0.0, 3.0, 6.0])
        breaks = np.concatenate([breaks, (seen[:, None] + near).reshape(-1)])
    return float(gaussian_integral(integrand, breaks, activation.name)[0])
