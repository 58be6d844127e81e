r"""The transition itself: one Gaussian hidden unit beside N spins is the Curie-Weiss model.

With weights w/√N to every spin, summing over h leaves

    p(s) ∝ exp(w² (Σ s)²/2N),      m = Σ s/N,

whose moments are sums over the N + 1 values of m. At w² = 1, the transition of the infinite system,

    ⟨m²⟩ √N → √12 Γ(3/4)/Γ(1/4),      U₄ = 1 − ⟨m⁴⟩/3⟨m²⟩² → 1 − Γ(1/4)²/12 Γ(3/4)² …

and everything near it is a function of (w² − 1)√N: χ = N(⟨m²⟩ − ⟨|m|⟩²) has a peak that grows as √N, the
mean-field exponents that Bachtis, Biroli, Decelle & Seoane (2024) measured along trainings.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from intertwine._checks import fail, positive_int

LIMIT = math.sqrt(12.0) * math.gamma(0.75) / math.gamma(0.25)
"""⟨m²⟩√N at w² = 1 for large N: p(x) ∝ e^{−x⁴/12} of x = m N^{1/4}."""

BINDER_LIMIT = 1 - math.gamma(0.25) ** 2 / (12 * math.gamma(0.75) ** 2)
"""U₄ there."""


class Magnetisation(NamedTuple):
    """Moments of m in equilibrium: ⟨m²⟩, ⟨m⁴⟩, ⟨|m|⟩; susceptibility: N(⟨m²⟩ − ⟨|m|⟩²); binder: U₄."""

    m2: float
    m4: float
    modulus: float
    susceptibility: float
    binder: float


def curie_weiss(spins: int, coupling: float = 1.0) -> Magnetisation:
    """The moments of the machine of N = `spins` spins and a Gaussian unit, w² = `coupling`: exact sums.

    >>> found = curie_weiss(256)
    >>> round(found.m2 * 16, 12), round(LIMIT, 10), round(BINDER_LIMIT, 10)
    (1.154246260062, 1.1708286566, 0.2705201283)
    """
    n = positive_int("spins", spins, "give the number of spins")
    if not math.isfinite(coupling) or coupling < 0:
        raise fail("coupling", "a finite number ≥ 0, the square of w", coupling, "1 is the transition")
    k = np.arange(n + 1)
    m = (2 * k - n) / n
    log_p = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) + coupling * n * m * m / 2
    p = np.exp(log_p - log_p.max())
    p /= p.sum()
    m2, m4, modulus = (float(p @ x) for x in (m**2, m**4, np.abs(m)))
    return Magnetisation(m2, m4, modulus, n * (m2 - modulus**2), 1 - m4 / (3 * m2 * m2))
