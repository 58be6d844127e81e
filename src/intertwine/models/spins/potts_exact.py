r"""The critical point of the square-lattice Potts model (Baxter, J. Phys. C 6, L445, 1973).

    ln Ψ(s) = K Σ_{⟨ij⟩} δ(s_i, s_j),    E = −Σ_{⟨ij⟩} δ(s_i, s_j),    e^{K_c} = 1 + √q,    √q = 2 cos μ

    ln Z/N = ½ ln q + 2 ∫_0^∞ tanh(μx) sinh((π − μ)x) / (x sinh πx) dx,      ⟨E⟩/N = −(1 + 1/√q)

The energy follows from self-duality alone.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from intertwine._checks import fail, positive_int
from intertwine.models.spins.potts import potts_critical


class PottsCritical(NamedTuple):
    """K_c, and per site of the infinite lattice there: ln Z in nats and energy ⟨E⟩."""

    K: float
    log_partition: float
    energy: float


def potts_at_criticality(q: int) -> PottsCritical:
    """The exact values of the infinite square lattice at K_c, q = 2, 3 or 4 (beyond, the transition jumps).

    Raises InputError for other q.

    >>> [round(x, 6) for x in potts_at_criticality(3)]
    [1.005053, 2.070187, -1.57735]
    """
    from scipy.integrate import quad

    if positive_int("q", q) not in (2, 3, 4):
        raise fail("q", "2, 3 or 4 states", q, "the critical point is continuous only there")
    if q == 4:  # μ → 0 with y = μx

        def integrand(x: float) -> float:
            return math.tanh(x) * math.exp(-x) / x
    else:
        angle = math.acos(math.sqrt(q) / 2)

        def integrand(x: float) -> float:
            decay = (
                math.exp(-angle * x) * math.expm1(-2 * (math.pi - angle) * x) / math.expm1(-2 * math.pi * x)
            )
            return math.tanh(angle * x) * decay / x

    integral = quad(integrand, 0, np.inf, epsabs=1e-14, epsrel=1e-13, limit=200)[0]
    return PottsCritical(potts_critical(q), math.log(q) / 2 + 2 * integral, -(1 + 1 / math.sqrt(q)))
