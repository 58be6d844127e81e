r"""Where a deep network is critical: (C_b, C_W)* of an activation, and to which class it belongs.

The kernel K of the pre-activations and its response to a change of the input obey, at infinite width,

    K' = C_b + C_W ⟨σ²⟩_K,      χ_∥ = C_W ⟨zσσ'⟩_K/K,      χ_⊥ = C_W ⟨σ'²⟩_K

weights of variance C_W/fan-in, biases of variance C_b. Criticality is a fixed point K* with χ_∥ = χ_⊥ = 1
(Roberts, Yaida & Hanin, The Principles of Deep Learning Theory, 2022, ch. 5):

    scale-invariant     σ(cz) = c σ(z): every K is fixed at (0, 1/a²), a² the mean square of the slopes at 0
    K* = 0              σ(0) = 0, a ≠ 0: (0, 1/a²), if K = 0 attracts: K' = K (1 − r K^p …),
                        K → (p r l)^{−1/p}
    half-stable         K* > 0 where ⟨zσσ'⟩/K = ⟨σ'²⟩, C_W = 1/⟨σ'²⟩, C_b = K* − C_W ⟨σ²⟩ ≥ 0: kernels on one
                        side of K* come to it, as 1/l; those on the other leave it
    none                otherwise: sigmoid, softplus, powers, steps
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from intertwine._caveats import beneath, caveat
from intertwine._checks import InputError
from intertwine._shown import Shown
from intertwine.layers.depth.activation import Activation
from intertwine.layers.depth.gaussian_means import moments, root

if TYPE_CHECKING:
    from intertwine.layers.nonlinear.pointwise import Function

CLASSES = ("scale-invariant", "K* = 0", "half-stable", "none")
_LOW, _HIGH, _POINTS = 1e-3, 1e4, 71
_SAME = 1e-9
_BESIDE = 2e-3
_FLAT, _STEEPEST = 1e-12, 1e8


@dataclass(frozen=True, eq=False, repr=False)
class CriticalInitialisation(Shown):
    """activation: its name. universality: one of `CLASSES`. C_b, C_W: variance of the biases and, times the
    fan-in, of the weights; nan where there is no critical point. kernel: K*, nan where every one is fixed.
    power, rate: p and r of a kernel that falls to 0; p infinite where it falls slower than any power, nan in
    other classes. attracts: from which side kernels come to a half-stable K*, "above" or "below", else "".
    others: further critical points (C_b, C_W, K*). warnings: lines `code: sentence`.
    """

    activation: str
    universality: str
    C_b: float
    C_W: float
    kernel: float
    power: float = math.nan
    rate: float = math.nan
    attracts: str = ""
    others: tuple[tuple[float, float, float], ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def exists(self) -> bool:
        """Whether there is a critical point."""
        return self.universality != "none"

    def __str__(self) -> str:
        if not self.exists:
            return beneath(f"{self.activation}: no critical initialisation", self.warnings)
        text = f"{self.activation}: C_b = {self.C_b:.10g}, C_W = {self.C_W:.10g}, class {self.universality}"
        if self.universality == "half-stable":
            text += f", K* = {self.kernel:.10g}, which attracts from {self.attracts}"
        if math.isfinite(self.power):
            text += f"; K → ({self.power * self.rate:.4g} l)^(−1/{self.power:g})"
        return beneath(text, self.warnings)


def critical_initialisation(activation: Function | Activation) -> CriticalInitialisation:
    """(C_b, C_W)* of an activation: a name ("relu", "tanh", "gelu" …) or any function of JAX arrays that acts
    on each number alone. "gelu" is z Φ(z); `jax.nn.gelu` itself is an approximation, with other numbers.

    Raises InputError for what is no activation, or is not finite. Where there is no critical point the class
    is "none", the numbers are nan, and `warnings` says why.

    >>> print(critical_initialisation("relu"))
    relu: C_b = 0, C_W = 2, class scale-invariant
    >>> print(critical_initialisation("tanh"))
    tanh: C_b = 0, C_W = 1, class K* = 0; K → (2 l)^(−1/1)
    >>> found = critical_initialisation("gelu")
    >>> found.universality, round(found.C_W, 9), round(found.C_b, 9), round(found.kernel, 9)
    ('half-stable', 1.983058257, 0.172922391, 3.561552813)
    >>> critical_initialisation("sigmoid").exists
    False
    """
    one = Activation.of(activation)
    a2 = one.slope_square
    if one.scale_invariant:
        return CriticalInitialisation(one.name, "scale-invariant", 0.0, 1 / a2, math.nan)
    if len(one.jumps):
        where = ", ".join(f"{z:.3g}" for z in one.jumps[:4])
        return _none(one, f"it jumps at z = {where}: ⟨σ'²⟩ is infinite, and inputs however close drift apart")
    half_stable = half_stable_points(one)
    through_zero = abs(one.at_zero) < 1e-12 and _FLAT < a2 < _STEEPEST
    if through_zero:
        power, rate = approach(one)
        if rate > 0:
            return CriticalInitialisation(
                one.name, "K* = 0", 0.0, 1 / a2, 0.0, power, rate, others=half_stable
            )
        unstable = (0.0, 1 / a2, 0.0)
        if half_stable:
            return _half_stable(one, (*half_stable, unstable))
        words = "K = 0 repels at C_W = 1/a²: a kernel above 0 grows, and there is no half-stable point"
        return _none(one, words, (unstable,))
    if half_stable:
        return _half_stable(one, half_stable)
    slope = "infinite" if a2 >= _STEEPEST else "0"
    why = f"σ(0) = {one.at_zero:.3g}" if abs(one.at_zero) >= 1e-12 else f"its slope at 0 is {slope}"
    return _none(one, f"{why}, so K = 0 is not critical, and χ_∥ = χ_⊥ = 1 needs C_b < 0 or is nowhere")


def _half_stable(one: Activation, points: tuple[tuple[float, float, float], ...]) -> CriticalInitialisation:
    (C_b, C_W, K), *others = points
    beside = C_b + C_W * moments(one, K * (1 + _BESIDE)).square - K * (1 + _BESIDE)
    side = "above" if beside < 0 else "below"
    return CriticalInitialisation(one.name, "half-stable", C_b, C_W, K, attracts=side, others=tuple(others))


def _none(
    one: Activation, why: str, others: tuple[tuple[float, float, float], ...] = ()
) -> CriticalInitialisation:
    nan = math.nan
    said = caveat("assumption", f"{one.name} has no critical initialisation: {why}")
    return CriticalInitialisation(one.name, "none", nan, nan, nan, others=others, warnings=(said,))


def half_stable_points(one: Activation) -> tuple[tuple[float, float, float], ...]:
    """(C_b, C_W, K*) of every half-stable point with C_b ≥ 0, K* from 0.001 to 10,000, smallest first."""
    grid = np.geomspace(_LOW, _HIGH, _POINTS)
    apart = np.array([_apart(one, K) for K in grid])
    found = []
    for k in range(_POINTS - 1):
        left, right = apart[k], apart[k + 1]
        if not (left * right < 0 and max(abs(left), abs(right)) > _SAME):
            continue
        K = root(partial(_apart, one), grid[k], grid[k + 1])
        m = moments(one, K)
        C_W = 1 / m.slope
        C_b = K - C_W * m.square
        if C_b > -1e-10 * K:
            found.append((max(C_b, 0.0), C_W, K))
    return tuple(found)


def _apart(one: Activation, K: float) -> float:
    """χ_∥/χ_⊥ − 1; nan where it is not finite."""
    try:
        m = moments(one, K)
    except InputError:
        return math.nan
    return m.growth / m.slope - 1 if m.slope > 0 else math.nan


def approach(one: Activation) -> tuple[float, float]:
    """(p, r) of K' = K (1 − r K^p) near K = 0 at C_W = 1/a²; r < 0 where K grows, p infinite with r = 1 where
    nothing is seen at K = 0.01.

    >>> [round(x, 4) for x in approach(Activation.of("tanh"))]
    [1.0, 2.0]
    """
    a2 = one.slope_square
    grid = 10.0 ** -np.arange(2, 7)
    lost = np.array([1 - moments(one, K).square / (a2 * K) for K in grid])
    seen = np.abs(lost) > 1e-11
    if seen.sum() < 2:
        return math.inf, 1.0 if lost[0] > -1e-9 else -1.0
    last = int(np.flatnonzero(seen)[-1])
    while last >= 2 and abs(lost[last]) < 1e-8:
        last -= 1
    power = float(np.log10(abs(lost[last - 1] / lost[last])))
    if power > 8:
        return math.inf, math.copysign(1.0, lost[0])
    near = round(2 * power) / 2
    if near > 0 and abs(power - near) < 0.1:
        power = near
    rates = lost / grid**power
    step = 10.0 ** (0.5 if power == 0.5 else 1.0)  # the next order: K^½ where the first is K^½, else K
    rate = (step * rates[last] - rates[last - 1]) / (step - 1)
    return power, float(rate if rate * rates[last] > 0 else rates[last])
