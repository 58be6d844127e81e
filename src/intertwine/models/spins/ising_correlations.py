r"""Exact correlation functions of Ising models without a field, ⟨s_0 s_r⟩.

Along the diagonal of the infinite square lattice (Montroll, Potts & Ward, J. Math. Phys. 4, 308, 1963;
Stephenson, J. Math. Phys. 5, 1009, 1964) they are Toeplitz determinants of the phase of k − e^{−iθ},

    G(r) = det [a_{j−l}]_{j,l = 1 … r},   a_n = (1/π) ∫_0^π cos(arg(k − e^{−iθ}) − nθ) dθ,   k = sinh² 2K,

r diagonal steps of √2 lattice constants, with ∂G/∂K = G tr(A⁻¹ ∂A/∂K) and ∂ arg/∂k = −sin θ/|k − e^{−iθ}|².
At K_c the derivative is infinite, as is the specific heat.

Along a side of a torus of L × M sites the fermions of the transfer matrix are free in each of four sectors
(periodic or antiperiodic along the row; with the sign of their number or without: Kaufman, Phys. Rev. 76,
1232, 1949), and with z = tanh K, α₁ = z e^{−2K}, α₂ = e^{−2K}/z and γ_q of `ising_exact`

    G(r) = Σ_s Z_s det [a^s_{j−l}]/Σ_s Z_s,    a^s_n = (1/L) Σ_q e^{−iqn} φ(q) tanh^{±1}(M γ_q/2),
    φ(q) = exp i[arg(1 − α₁ e^{iq}) + arg(1 − α₂ e^{−iq})].
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.linalg import toeplitz

from intertwine._checks import fail, finite_number, positive_int
from intertwine.models.spins.ising import CRITICAL_SQUARE
from intertwine.models.spins.onsager import double_exponential

MOST = 400
"""The largest number of distances."""


class Correlations(NamedTuple):
    """distances: r = 1 … R, float64 (R,). values: G(r). derivatives: ∂G/∂K."""

    distances: Float[np.ndarray, " R"]
    values: Float[np.ndarray, " R"]
    derivatives: Float[np.ndarray, " R"]


def chain_correlations(K: float, largest: int) -> Correlations:
    """Of the infinite chain, G(r) = tanh^r K; K in [−10, 10], not 0.

    Raises InputError for other values.

    >>> found = chain_correlations(0.7, 3)
    >>> found.values.round(6), found.derivatives.round(6)
    (array([0.604368, 0.36526 , 0.220752]), array([0.63474 , 0.767232, 0.695536]))
    """
    t, r = math.tanh(_coupling(K, -10.0)), _distances(largest)
    return Correlations(r, t**r, r * t ** (r - 1) * (1 - t * t))


def diagonal_correlations(K: float, largest: int) -> Correlations:
    """Along the diagonal of the infinite square lattice at 0 < K ≤ 10, up to `largest` diagonal steps;
    accurate to 1e-10. derivatives: infinite at K_c.

    Raises InputError for other values, and more than 400 steps.

    >>> diagonal_correlations(CRITICAL_SQUARE, 3).values.round(8)                      # 2/π, 16/3π² …
    array([0.63661977, 0.54037965, 0.48926772])
    """
    K, r = _coupling(K, 0.0), _distances(largest)
    n = len(r)
    angle, weight = double_exponential(math.pi, max(800, 25 * n))
    sinh, cosh = math.sinh(2 * K), math.cosh(2 * K)
    real, imaginary = (sinh - 1) * (sinh + 1) + 2 * np.sin(angle / 2) ** 2, np.sin(angle)
    critical = abs(K - CRITICAL_SQUARE) < 1e-14
    if critical:
        real = 2 * np.sin(angle / 2) ** 2
    turn = np.arctan2(imaginary, real) - np.arange(-n + 1, n)[:, None] * angle
    changes = -imaginary / (real**2 + imaginary**2) * 4 * sinh * cosh
    elements, moved = np.cos(turn) @ weight / math.pi, -np.sin(turn) @ (changes * weight) / math.pi
    values, slopes = np.empty(n), np.empty(n)
    for size in range(1, n + 1):
        matrix, change = (_toeplitz(x, n, size) for x in (elements, moved))
        values[size - 1] = np.linalg.det(matrix)
        slopes[size - 1] = values[size - 1] * np.trace(np.linalg.solve(matrix, change))
    return Correlations(r, values, np.full(n, np.inf) if critical else slopes)


def torus_correlations(side: int, other: int, K: float, largest: int | None = None) -> Correlations:
    """Along the sides of length `side` of a periodic side × other square lattice, both 3 or more, 0 < K ≤ 10;
    up to `largest`, None for half the side. derivatives: by differences, to 1e-7.

    Raises InputError for other values, and distances beyond the side.

    >>> torus_correlations(4, 4, 0.44).values.round(6)                                 # by enumeration too
    array([0.781424, 0.738796])
    """
    for name, value in (("side", side), ("other", other)):
        if positive_int(name, value) < 3:
            raise fail(name, "at least 3", value, "on a torus of 2, bonds are double")
    K, r = _coupling(K, 0.0), _distances(side // 2 if largest is None else largest)
    if len(r) >= side:
        raise fail("largest", f"at most {side - 1}", largest)
    step = 1e-4 * min(1.0, K)
    up, down, far_up, far_down = (_on_torus(side, other, K + m * step, len(r)) for m in (1, -1, 2, -2))
    slopes = (8 * (up - down) - (far_up - far_down)) / (12 * step)
    return Correlations(r, _on_torus(side, other, K, len(r)), slopes)


def _on_torus(side: int, other: int, K: float, largest: int) -> np.ndarray:
    z, decay, dual = math.tanh(K), math.exp(-2 * K), -math.log(math.tanh(K)) / 2
    n, logs, signs, found = np.arange(-largest + 1, largest), [], [], []
    for odd in (1, 0):
        q = (2 * np.arange(side) + odd) * math.pi / side
        rise = math.cosh(2 * dual) * math.cosh(2 * K) - math.sinh(2 * dual) * math.sinh(2 * K) * np.cos(q)
        gamma = np.arccosh(np.maximum(rise, 1.0))
        if not odd:
            gamma[0] = max(abs(2 * (K - dual)), 1e-300)
        phase = np.angle(1 - z * decay * np.exp(1j * q)) + np.angle(1 - decay / z * np.exp(-1j * q))
        waves = np.cos(phase - n[:, None] * q) / side
        damped = -np.expm1(-other * gamma) / (1 + np.exp(-other * gamma))  # tanh(Mγ/2)
        for power in (1, -1):
            ends = 1 + power * np.exp(-other * gamma) if power > 0 else -np.expm1(-other * gamma)
            logs.append(float((other * gamma / 2 + np.log(ends)).sum()))
            signs.append(1.0 if power > 0 or odd else math.copysign(1.0, K - dual))
            elements = waves @ damped**power
            found.append([np.linalg.det(_toeplitz(elements, largest, m)) for m in range(1, largest + 1)])
    weights = np.exp(np.array(logs) - max(logs)) * signs
    return weights @ np.array(found) / weights.sum()


def _toeplitz(elements: np.ndarray, n: int, size: int) -> np.ndarray:
    """[a_{j−l}] of a_{−n+1} … a_{n−1}."""
    middle = n - 1
    return toeplitz(elements[middle : middle + size], elements[middle::-1][:size])


def _coupling(K: float, least: float) -> float:
    number = finite_number("K", K)
    if not least <= number <= 10 or number == 0:
        raise fail("K", "a coupling in (0, 10]" if least == 0 else "a number in [−10, 10], not 0", K)
    return number


def _distances(largest: int) -> np.ndarray:
    if positive_int("largest", largest) > MOST:
        raise fail("largest", f"at most {MOST} distances", largest)
    return np.arange(1.0, largest + 1)
