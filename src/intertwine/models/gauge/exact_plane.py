r"""Exact values of gauge theory with the Wilson action in two dimensions.

In the infinite plane plaquettes are independent of one another, so that one integral over the group has all
(Gross & Witten, Phys. Rev. D 21, 446, 1980; Migdal, JETP 42, 413, 1975):

    u(β) = ⟨Re tr U/n⟩ under e^{(β/n) Re tr U} dU,      ⟨W⟩ = u^area of every loop that does not cross itself
    U(1): I_1(β)/I_0(β)       SU(2): I_2(β)/I_1(β)       SU(3): Weyl's integral over two angles

On a torus of V plaquettes corrections are of order u^V; with the charge of U(1) they are exact here:

    Z(θ) = Σ_n z_n(θ)^V,      z_n(θ) = ∫ dα/2π e^{β cos α + i(n + θ/2π) α},      ⟨Q²⟩ = −Z''(0)/Z(0)

(the character expansion with a θ term; Wiese, Nucl. Phys. B 318, 153, 1989).
"""

from __future__ import annotations

import numpy as np

from intertwine._checks import fail, finite_number, positive_int
from intertwine.symmetry.groups.gauge_group import CyclicGroup, GaugeGroup, gauge_group


def plane_plaquette(group: str | GaugeGroup, beta: float) -> float:
    """u(β), the mean plaquette in the infinite plane, to rounding.

    Raises InputError for other groups, and β that is not finite.

    >>> [round(plane_plaquette(group, 2.0), 6) for group in ("Z2", "U(1)", "SU(2)", "SU(3)")]
    [0.964028, 0.697775, 0.433127, 0.128628]
    """
    from scipy.special import ive

    chosen, b = gauge_group(group), finite_number("beta", beta)
    if isinstance(chosen, CyclicGroup):
        cosines = np.real(chosen.roots)
        weights = np.exp(b * cosines - (b * cosines).max())
        return float(weights @ cosines / weights.sum())
    if abs(b) > _HUGE and chosen.name != "SU(3)":  # 1 − (number of generators)/2β; the next term rounds away
        return float(np.sign(b) * (1 - (1 if chosen.name == "U(1)" else 3) / (2 * abs(b))))
    if chosen.name == "U(1)":
        return float(ive(1, b) / ive(0, b))
    if chosen.name == "SU(2)":
        return float(ive(2, b) / ive(1, b)) if b else 0.0
    return _of_two_angles(b)


_HUGE = 1e8
"""The |β| beyond which the Bessel functions of scipy end in nan."""
_WIDE = 2000.0
"""The |β| beyond which the weights are confined to a part of the torus."""


def _of_two_angles(beta: float) -> float:
    """SU(3): the torus of diagonal matrices with |Vandermonde|², by the trapezoidal rule, which converges
    faster than any power on periodic functions; for large |β| around one of the maxima, where the weights at
    the edge are below e^{−80}: 1, or for β < 0 the element e^{2πi/3} of the centre."""
    if abs(beta) <= _WIDE:
        count = 64 + 16 * int(np.ceil(np.sqrt(abs(beta))))
        angle = 2 * np.pi * np.arange(count) / count
    else:
        angle = np.sqrt(1000 / abs(beta)) * np.linspace(-1, 1, 201) + (0 if beta > 0 else 2 * np.pi / 3)
    a, b = np.meshgrid(angle, angle)
    roots = [np.exp(1j * a), np.exp(1j * b), np.exp(-1j * (a + b))]
    measure = np.prod([abs(roots[i] - roots[j]) ** 2 for i, j in ((0, 1), (0, 2), (1, 2))], axis=0)
    trace = np.real(roots[0] + roots[1] + roots[2]) / 3
    weights = measure * np.exp(beta * trace - (beta * trace).max())
    return float((weights * trace).sum() / weights.sum())


def plane_loop(group: str | GaugeGroup, beta: float, area: int) -> float:
    """⟨W⟩ of a loop around `area` plaquettes in the infinite plane.

    >>> round(plane_loop("SU(2)", 2.0, 4), 6)
    0.035194
    """
    return plane_plaquette(group, beta) ** positive_int("area", area, "give the number of plaquettes inside")


def plane_topological_susceptibility(beta: float, plaquettes: int) -> float:
    """⟨Q²⟩/V of U(1) on a torus of V `plaquettes`, 0 < β ≤ 10⁶, to rounding.

    Raises InputError for other numbers.

    >>> [round(plane_topological_susceptibility(beta, 64), 6) for beta in (2.0, 1.0)]
    [0.019364, 0.040636]
    """
    V = positive_int("plaquettes", plaquettes, "give the sites of the torus")
    if not 0 < beta <= 1e6:
        raise fail("beta", "a positive number, at most 10⁶", beta)
    nodes, weights = np.polynomial.legendre.leggauss(400)
    alpha = min(np.pi, 20 / np.sqrt(beta)) * nodes  # beyond, the density is below e^{−80}
    density = weights / 2 * np.exp(beta * (np.cos(alpha) - 1))
    most = 60 + int(9 * np.sqrt(beta))  # z_n falls as e^{−n²/2β}
    n = np.arange(-most, most + 1)[:, None]
    phases = np.exp(1j * n * alpha) * density
    z, first, second = (phases.sum(1), (1j * phases * alpha).sum(1), -(phases * alpha**2).sum(1))
    scale = z.real.max()
    z, first, second = (part / scale for part in (z, first / (2 * np.pi), second / (2 * np.pi) ** 2))
    total = (z**V).sum()
    curved = (V * z ** (V - 1) * second + V * (V - 1) * z ** (V - 2) * first**2).sum()
    return float((-curved / total).real / V)
