r"""The infinite square and triangular lattices of Ising spins without a field, in closed form.

    ln Ψ(s) = K Σ_{⟨ij⟩} s_i s_j,     E = −Σ_{⟨ij⟩} s_i s_j

Square lattice (Onsager, Phys. Rev. 65, 117, 1944), κ = 2 sinh 2K / cosh² 2K, κ' = 2 tanh² 2K − 1, with
complete elliptic integrals K₁, E₁ of modulus κ:

    ln Z/N = ln(2 cosh 2K) + (1/π) ∫_0^{π/2} ln[(1 + √(κ'² + κ² sin² φ))/2] dφ
    ⟨E⟩/N  = −coth 2K [1 + (2/π) κ' K₁]
    C/N    = (4/π) (K coth 2K)² [K₁ − E₁ − (1 − tanh² 2K)(π/2 + κ' K₁)]

Spontaneous magnetization (1 − sinh⁻⁴ 2K)^{1/8} (Yang, Phys. Rev. 85, 808, 1952); correlation length along a
row, 1/ξ = ln coth K − 2K above T_c and 2(2K − ln coth K) below.

Triangular lattice (Houtappel, Physica 16, 425, 1950; Wannier, Phys. Rev. 79, 357, 1950), C = cosh 2K,
S = sinh 2K:

    ln Z/N = ln 2 + (1/4π) ∫_0^{2π} ln[(A + √(A² − B²))/2] dφ,   A = C³ + S³ − S cos φ,  B = 2 S cos(φ/2)

with ⟨E⟩/N by a complex step, and m⁸ = 1 − 16x³/((1 + 3x)(1 − x)³), x = e^{−4K} (Potts, Phys. Rev. 88, 352,
1952). Integrals use the double-exponential rule, whose nodes crowd at the ends, where the integrands are
singular at the critical point.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from intertwine._checks import fail
from intertwine.models.spins.ising import CRITICAL_SQUARE, CRITICAL_TRIANGULAR


class OnsagerValues(NamedTuple):
    """Of the infinite square lattice, per site: ln Z in nats, energy ⟨E⟩, specific heat K² Var(E),
    spontaneous magnetization; and the correlation length in lattice constants (infinite at K_c, as is the
    specific heat)."""

    log_partition: float
    energy: float
    specific_heat: float
    magnetization: float
    correlation_length: float


class TriangularValues(NamedTuple):
    """Of the infinite triangular lattice, per site: ln Z in nats, energy ⟨E⟩, spontaneous magnetization."""

    log_partition: float
    energy: float
    magnetization: float


def onsager(K: float) -> OnsagerValues:
    """The exact values of the infinite square lattice at 0 < K ≤ 10; accurate to 1e-12.

    Raises InputError for other K.

    >>> values = onsager(0.5)
    >>> [round(x, 6) for x in values]
    [1.025793, -1.745565, 0.724871, 0.911319, 2.192375]
    """
    from scipy.special import ellipe, ellipkm1

    K = _coupling(K)
    if K <= 0:
        raise fail("K", "a coupling in (0, 10]", K)
    tanh, sinh = math.tanh(2 * K), math.sinh(2 * K)
    modulus = 2 * sinh / math.cosh(2 * K) ** 2
    rest = (sinh * sinh - 1) / math.cosh(2 * K) ** 2  # κ' without cancellation
    angle, weight = double_exponential(math.pi / 2)
    inner = np.log1p(np.hypot(rest, modulus * np.sin(angle))) - math.log(2)
    log_z = math.log(2 * math.cosh(2 * K)) + float(weight @ inner) / math.pi
    if abs(K - CRITICAL_SQUARE) < 1e-14:
        return OnsagerValues(log_z, -math.sqrt(2), math.inf, 0.0, math.inf)
    first, second = float(ellipkm1(rest * rest)), float(ellipe(1 - rest * rest))
    energy = -(1 + 2 / math.pi * rest * first) / tanh
    bracket = first - second - (1 - tanh * tanh) * (math.pi / 2 + rest * first)
    heat = 4 / math.pi * (K / tanh) ** 2 * bracket
    ordered = K > CRITICAL_SQUARE
    gap = 2 * K + math.log(math.tanh(K))
    length = 1 / (2 * gap if ordered else -gap)
    return OnsagerValues(log_z, energy, heat, (1 - sinh**-4) ** 0.125 if ordered else 0.0, length)


def ising_triangular(K: float) -> TriangularValues:
    """The exact values of the infinite triangular lattice at −10 ≤ K ≤ 10; accurate to 1e-10.

    K < 0 is the antiferromagnet, without order and with the ground-state entropy 0.3230659472 per site.

    Raises InputError for other K.

    >>> values = ising_triangular(CRITICAL_TRIANGULAR)
    >>> [round(x, 6) + 0.0 for x in values]
    [0.879585, -2.0, 0.0]
    """
    K = _coupling(K)
    log_z = _triangular(complex(K)).real
    critical = abs(K - CRITICAL_TRIANGULAR) < 1e-12
    energy = -2.0 if critical else -_triangular(K + 1e-30j).imag / 1e-30
    if K <= CRITICAL_TRIANGULAR or critical:
        return TriangularValues(log_z, energy, 0.0)
    x = math.exp(-4 * K)
    return TriangularValues(log_z, energy, (1 - 16 * x**3 / ((1 + 3 * x) * (1 - x) ** 3)) ** 0.125)


def _triangular(K: complex) -> complex:
    """ln Z/N at complex K; A − B and A + B are formed without cancellation near φ = 0."""
    C, S = np.cosh(2 * K), np.sinh(2 * K)
    # even about π; for K → −∞, √(A² − B²) has a kink at 2π/3
    (low, first), (high, second) = (double_exponential(width) for width in (2 * math.pi / 3, math.pi / 3))
    angle, weight = np.concatenate([low, 2 * math.pi / 3 + high]), np.concatenate([first, second])
    q = np.sin(angle / 4) ** 2  # cos(φ/2) = 1 − 2q
    base = np.exp(2 * K) * (C * C - C * S + S * S) + S
    difference = (base - 4 * S) + 4 * S * q * (3 - 2 * q)  # A − B
    total = base + 4 * S * q * (1 - 2 * q)  # A + B
    inner = np.log((difference + total) / 4 + np.sqrt(difference * total) / 2)
    return complex(math.log(2) + (weight @ inner) / (2 * math.pi))


def double_exponential(width: float, nodes: int = 800) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of the tanh-sinh rule on [0, width]; nodes near 0 keep their relative accuracy."""
    t = np.linspace(-4.5, 3.2, nodes)
    u = math.pi / 2 * np.sinh(t)
    places = width / (1 + np.exp(-2 * u))
    weights = width * (t[1] - t[0]) * math.pi / 4 * np.cosh(t) / np.cosh(u) ** 2
    return places, weights


def _coupling(K: float) -> float:
    number = isinstance(K, int | float | np.floating | np.integer) and not isinstance(K, bool)
    if not number or not abs(K) <= 10:
        raise fail("K", "a coupling of at most 10 in modulus", K)
    return float(K)
