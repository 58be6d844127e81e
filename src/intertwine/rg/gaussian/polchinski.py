r"""Polchinski's flow of a Gaussian lattice field, mode by mode: transport with a metric of its own.

The field φ has the free covariance C_Λ(k) = K(k̂²/Λ²)/(k̂² + m²), with k̂² the eigenvalues of −Δ on the lattice
and a cut-off K(x) = e^{−x} that is smooth. Under t = ln(Λ_0/Λ) (Polchinski, Nucl. Phys. B 231, 269, 1984)

    ∂_t P = ½ Σ_k D ∂_φ [∂_φ + 2 φ/C] P,      D(k) = −dC/dt = 2 (k̂²/Λ²) C ≥ 0,

whose Gaussians have modes of variance G = C + (C/C_0)² (G_0 − C_0): what is not free keeps its amputated
correlations (G − C)/C². At every t the equation is the steepest descent of KL(P ‖ q_t), q_t the Gaussian of
variance Q = C/2, in the Wasserstein metric of mobility D/2 (Cotler & Rezchikov 2023). Since q_t moves as
well,

    dKL/dt = −I + R,      I = Σ_k ½ D G (1/G − 1/Q)²,      R = ½ Σ_k (Q'/Q)(1 − G/Q),

with the work I of the transport, and what the moving reference adds; each is a sum over modes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_number
from intertwine._shown import Shown
from intertwine.rg.gaussian.arc_length import arc_length
from intertwine.spaces.lattice import Lattice

_MOST = 4096
"""Sites whose Laplacian is diagonalised."""


@dataclass(frozen=True, eq=False, repr=False)
class CutoffFlow(Shown):
    """momenta2: k̂² of the modes, float64 (N,), rising. times: ln(Λ_0/Λ), (T,). variance: G, free: C, (T, N).
    divergence: KL(P ‖ q_t) in nats, transport: I ≥ 0, reference: R, rate: dKL/dt = R − I, (T,) nats per unit
    of t. length: of the way in the Wasserstein metric of mobility D/2, (T,), from the first time.
    """

    momenta2: Float[np.ndarray, " N"]
    times: Float[np.ndarray, " T"]
    variance: Float[np.ndarray, "T N"]
    free: Float[np.ndarray, "T N"]
    divergence: Float[np.ndarray, " T"]
    transport: Float[np.ndarray, " T"]
    reference: Float[np.ndarray, " T"]
    length: Float[np.ndarray, " T"]

    @property
    def rate(self) -> Float[np.ndarray, " T"]:
        """dKL/dt, nats per unit of t."""
        return self.reference - self.transport

    def __str__(self) -> str:
        rows = ["       t          KL           I           R      dKL/dt"]
        columns = zip(self.times, self.divergence, self.transport, self.reference, self.rate, strict=True)
        return "\n".join(
            [*rows, *("{:8.4g}  {:10.6g}  {:10.6g}  {:10.6g}  {:10.6g}".format(*r) for r in columns)]
        )


def cutoff_flow(
    lattice: Lattice,
    times: ArrayLike,
    *,
    mass: float = 1.0,
    cutoff: float = 4.0,
    variance: ArrayLike | None = None,
) -> CutoffFlow:
    """Polchinski's flow of a Gaussian field on `lattice`.

    times: ln(Λ_0/Λ) (T,), rising from 0 on. mass: m, in units of the inverse lattice spacing; cutoff: Λ_0,
    the same. variance: G_0 of every mode at t = 0, (N,) in the order of `momenta2`, or a function of k̂²;
    unless given, that of a field whose mass is twice as large, C_0 with 2m.

    Raises InputError for variances that are not positive, also later in the flow, and for more than 4096
    sites.

    >>> from intertwine.spaces.lattices import Chain
    >>> flow = cutoff_flow(Chain(8), np.linspace(0, 1, 101), mass=0.5)
    >>> bool(np.abs(np.gradient(flow.divergence, flow.times, edge_order=2) - flow.rate).max() < 0.03)
    True
    """
    mass, cutoff = positive_number("mass", mass), positive_number("cutoff", cutoff)
    t = np.atleast_1d(np.asarray(times, np.float64))
    if t.ndim != 1 or not np.isfinite(t).all() or (np.diff(t) <= 0).any() or t[0] < 0:
        raise fail("times", "rising numbers from 0 on", times if np.size(times) < 10 else f"shape {t.shape}")
    k2 = laplacian_spectrum(lattice)
    start = _free(k2, mass, cutoff)
    if variance is None:
        first = _free(k2, 2 * mass, cutoff)
    else:
        first = np.asarray(variance(k2) if callable(variance) else variance, np.float64)
    if first.shape != k2.shape or not (np.isfinite(first).all() and first.min() > 0):
        raise fail("variance", f"{len(k2)} positive numbers, one a mode", f"shape {first.shape}")
    found = [_at(k2, mass, cutoff, start, first, x) for x in t]
    g, c, divergence, transport, reference = (np.array(x) for x in zip(*found, strict=True))
    length = np.zeros(len(t))
    breaks = np.arange(0.5, min(t[-1], 400.0), 0.5)

    def speed(x: float) -> float:
        return float(np.sqrt(_at(k2, mass, cutoff, start, first, x)[3]))

    for k in range(1, len(t)):
        length[k] = length[k - 1] + arc_length(speed, t[k - 1], t[k], breaks, 1e-13)
    return CutoffFlow(k2, t, g, c, divergence, transport, reference, length)


def laplacian_spectrum(lattice: Lattice) -> Float[np.ndarray, " N"]:
    """Eigenvalues of −Δ over the nearest-neighbour bonds, rising; Σ 4 sin²(k/2) on a hypercubic torus.

    >>> from intertwine.spaces.lattices import Chain
    >>> laplacian_spectrum(Chain(4)).round(12).tolist()
    [0.0, 2.0, 2.0, 4.0]
    """
    if not isinstance(lattice, Lattice):
        raise fail("lattice", "a lattice, such as it.Square(8, 8)", type(lattice).__name__)
    if lattice.size > _MOST:
        raise fail("lattice", f"at most {_MOST} sites", lattice.size)
    laplacian = np.zeros((lattice.size, lattice.size))
    for i, j in np.asarray(lattice.bonds()):
        laplacian[[i, j], [i, j]] += 1
        laplacian[[i, j], [j, i]] -= 1
    found = np.linalg.eigvalsh(laplacian)
    return np.where(np.abs(found) < 1e-12 * max(1.0, found[-1]), 0.0, found)


def _free(k2: np.ndarray, mass: float, scale: float) -> np.ndarray:
    return np.exp(-k2 / scale**2) / (k2 + mass**2)


def _at(k2: np.ndarray, mass: float, cutoff: float, start: np.ndarray, first: np.ndarray, t: float) -> tuple:
    """(G, C, KL, I, R) at time t."""
    scale = cutoff * np.exp(-t)
    share = np.exp(-k2 / scale**2 + k2 / cutoff**2)  # C/C_0
    c = start * share
    with np.errstate(under="ignore"):
        y = 1 + share * (first / start - 1)  # G/C, Q = C/2
    if y.min() <= 0:
        raise fail(
            "variance", "variances that stay positive along the flow", f"G/C = {y.min():.4g} at t = {t:.4g}"
        )
    loss = 2 * k2 / scale**2  # D/C = −Q'/Q
    divergence = 0.5 * (2 * y - 1 - np.log(2 * y)).sum()
    transport = 0.5 * (loss * y * (1 / y - 2) ** 2).sum()
    reference = -0.5 * (loss * (1 - 2 * y)).sum()
    return y * c, c, divergence, transport, reference
