r"""What the kernel of a deep network comes to, and over how many layers: fixed points and correlation depths.

    q* = C_b + C_W ⟨σ²⟩_q*                              the kernel of deep layers
    ξ_q = −1/ln χ_∥(q*),   ξ_c = −1/ln χ_c*             K − q* ~ e^{−l/ξ_q},   c − c* ~ e^{−l/ξ_c}

with χ_c = C_W ⟨σ'(z₁)σ'(z₂)⟩ at correlation c. Inputs come together (ordered, c* = 1) for χ_⊥ = χ_1 < 1, and
drift apart (chaotic, c* < 1) for χ_⊥ > 1; at the edge of chaos, χ_⊥ = 1, ξ_c is infinite (Poole et al. 2016;
Schoenholz, Gilmer, Ganguli & Sohl-Dickstein, ICLR 2017).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from intertwine._checks import fail, finite_number, positive_number
from intertwine.layers.depth.activation import Activation
from intertwine.layers.depth.gaussian_means import Moments, moments, pair_mean, pair_slope, root
from intertwine.layers.nonlinear.pointwise import Function

PHASES = ("ordered", "edge of chaos", "chaotic", "no fixed point")
_EDGE = 1e-9
_NOTHING, _WITHOUT_END = 1e-12, 1e12
_SHARE = 1.3


class DeepLayers(NamedTuple):
    """kernel q*: 0 where it falls to 0, inf where it grows without end. correlation: c*. parallel,
    perpendicular: χ_∥ and χ_⊥ at q*. phase: one of `PHASES`. xi_q, xi_c: layers; inf at χ = 1, nan where the
    kernel has no end."""

    kernel: float
    correlation: float
    parallel: float
    perpendicular: float
    phase: str
    xi_q: float
    xi_c: float


def next_kernel(one: Activation, C_W: float, C_b: float, K: float) -> float:
    """C_b + C_W ⟨σ²⟩_K."""
    return C_b + C_W * moments(one, K).square


def deep_layers(one: Activation, C_W: float, C_b: float, kernel: float, *, falls: bool = False) -> DeepLayers:
    """Where a flow from `kernel` ends. falls: it is known to fall to 0, however slowly."""
    nan = math.nan
    q = 0.0 if falls else _end(one, C_W, C_b, kernel)
    if not math.isfinite(q):
        return DeepLayers(math.inf, nan, nan, nan, PHASES[3], nan, nan)
    m: Moments = moments(one, q)
    parallel, perpendicular = C_W * m.growth, C_W * m.slope
    xi_q = depth_of(parallel)
    if abs(perpendicular - 1) <= _EDGE:
        return DeepLayers(q, 1.0, parallel, perpendicular, PHASES[1], xi_q, math.inf)
    if perpendicular < 1 or q == 0:
        phase = PHASES[0] if perpendicular < 1 else PHASES[2]
        return DeepLayers(q, 1.0, parallel, perpendicular, phase, xi_q, depth_of(perpendicular))
    c = _apart(one, C_W, C_b, q)
    xi_c = depth_of(C_W * pair_slope(one, q, q, c * q))
    return DeepLayers(q, c, parallel, perpendicular, PHASES[2], xi_q, xi_c)


def depth_of(slope: float) -> float:
    """−1/ln|χ|: inf at 1, nan beyond, 0 at 0.

    >>> depth_of(0.5) * math.log(2), depth_of(1.0), depth_of(0.0)
    (1.0, inf, 0.0)
    """
    size = abs(slope)
    if abs(size - 1) <= _EDGE:
        return math.inf
    if size > 1 or math.isnan(size):
        return math.nan
    return -1 / math.log(size) if size > 0 else 0.0


def _end(one: Activation, C_W: float, C_b: float, K: float) -> float:
    """The fixed point that K moves to: the first one in the direction of its first step."""

    def change(K: float) -> float:
        return next_kernel(one, C_W, C_b, K) / K - 1

    first = change(K)
    if abs(first) < 1e-14:
        return K
    up = first > 0
    before, now = K, K
    while True:
        now = now * _SHARE if up else now / _SHARE
        if now > _WITHOUT_END:
            return math.inf
        if now < _NOTHING:
            return 0.0
        try:
            here = change(now)
        except ValueError:
            return math.inf
        if (here > 0) != up or here == 0:
            break
        before = now
    return root(change, *sorted((before, now)))


def _apart(one: Activation, C_W: float, C_b: float, q: float) -> float:
    """c* < 1 of the chaotic phase: the first fixed point of the map of c that is met from 1 downwards."""

    def change(c: float) -> float:
        return (C_b + C_W * pair_mean(one, q, q, c * q)) / q - c

    above = 1.0
    for c in (*(1 - 10.0**-k for k in range(10, 1, -1)), *np.linspace(0.9, -1.0, 20).round(12)):
        here = change(float(c))
        if abs(here) < _NOTHING:
            if c < 0.9:
                return float(c)
            continue  # rounding, so near to 1
        if here > 0:
            return 1.0 if above == 1.0 else root(change, float(c), above)
        above = float(c)
    return -1.0


def edge_of_chaos(activation: Function, C_b: float) -> float:
    """The σ_w² = C_W at which χ_⊥(q*) = 1 for biases of variance σ_b² = C_b: inputs neither come together nor
    drift apart.

    activation: a name or a function of JAX arrays, as of `critical_initialisation`. C_b ≥ 0. Between edges of
    several branches the one of the smallest stable q* is taken.

    Raises InputError where no kernel up to 10⁴ has one (ReLU with C_b > 0, steps).

    >>> round(edge_of_chaos("tanh", 0.05), 9)
    1.76095464
    """
    one = Activation.of(activation)
    C_b = finite_number("C_b", C_b)
    if C_b < 0:
        raise fail("C_b", "a variance ≥ 0", C_b)
    if C_b == 0 and abs(one.at_zero) < 1e-12 and 1e-12 < one.slope_square < 1e8 and not len(one.jumps):
        return 1 / one.slope_square

    def balance(q: float) -> float:
        """1 − (C_b + C_W ⟨σ²⟩)/q with C_W = 1/⟨σ'²⟩: 0 at a fixed point."""
        m = moments(one, q)
        return 1 - (C_b + m.square / m.slope) / q if math.isfinite(m.slope) and m.slope > 0 else math.nan

    grid = np.geomspace(max(C_b, 1e-3), 1e4, 141)
    before, at = math.nan, 0.0
    for q in grid:
        try:
            here = balance(float(q))
        except ValueError:
            break
        if before * here <= 0:
            found = root(balance, at, q)
            m = moments(one, found)
            if m.growth / m.slope < 1 + 1e-12:  # the fixed point attracts
                return 1 / m.slope
        before, at = here, float(q)
    remedy = "such an activation has no edge of chaos there; see critical_initialisation"
    raise fail("C_b", f"biases for which {one.name} has an edge of chaos", C_b, remedy)


def checked_variances(C_W: object, C_b: object) -> tuple[float, float]:
    """(C_W, C_b) as numbers, C_W > 0 and C_b ≥ 0."""
    weights = positive_number("C_W", C_W, "the variance of the weights times the fan-in")
    biases = finite_number("C_b", C_b)
    if biases < 0:
        raise fail("C_b", "a variance ≥ 0", biases)
    return weights, biases
