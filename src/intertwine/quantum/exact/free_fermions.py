r"""The Ising ring in a transverse field as free fermions, at rest and in time, at any length.

    H = −J Σ Z_i Z_{i+1} − h Σ X_i,     a_j = (Π_{l<j} X_l) Z_j,     b_j = (Π_{l<j} X_l) Y_j,
    X_j = i a_j b_j,     Z_j Z_{j+1} = i b_j a_{j+1},     H = (i/4) Σ A_mn γ_m γ_n,

with the Majorana operators γ = (a_0, b_0, a_1, …), A real and antisymmetric (Lieb, Schultz & Mattis 1961;
Barouch & McCoy, PRA 3, 786 (1971)). In the sector Π X = +1 the ring is antiperiodic, a_N = −a_0; the ground
state and all states polarised along x lie there. Such states are Gaussian: everything follows from

    Γ_mn = (i/2) ⟨[γ_m, γ_n]⟩,     Γ(t) = e^{At} Γ(0) e^{−At},     ⟨i^k γ_1 … γ_2k⟩ = Pf Γ_{1…2k}.

A block of l neighbouring sites is a block of 2l Majorana operators; with the eigenvalues ±iν_j of Γ there,
its reduced state is a product of l modes with occupations (1 ± ν_j)/2 (Vidal, Latorre, Rico & Kitaev, PRL 90,
227902 (2003)). The overlap of two pure Gaussian states is |⟨1|2⟩|² = √det((1 − Γ_1 Γ_2)/2).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int
from intertwine.quantum.exact.driven import MAGNUS, NODES
from intertwine.quantum.exact.evolution import check_times


class FermionState:
    """A Gaussian state of the ring: `covariance` Γ, float64 (2N, 2N), and what follows from it.

    >>> state = IsingRing(8, h=0.5).polarised()
    >>> state.X, state.ZZ(1), abs(state.entropy(4))
    (1.0, 0.0, 0.0)
    """

    def __init__(self, covariance: np.ndarray) -> None:
        self.covariance = covariance

    @property
    def size(self) -> int:
        """The number of sites N."""
        return len(self.covariance) // 2

    @property
    def X(self) -> float:
        """⟨X⟩ of a site."""
        return float(self.covariance[0, 1])

    def ZZ(self, distance: int) -> float:
        """⟨Z_0 Z_d⟩, 1 ≤ d ≤ N − 1; a Pfaffian of 2d rows."""
        self._within("distance", distance, self.size - 1)
        rows = np.arange(1, 2 * distance + 1)
        return pfaffian(self.covariance[np.ix_(rows, rows)])

    def XX(self, distance: int) -> float:
        """⟨X_0 X_d⟩, 1 ≤ d ≤ N − 1."""
        self._within("distance", distance, self.size - 1)
        rows = np.array([0, 1, 2 * distance, 2 * distance + 1])
        return pfaffian(self.covariance[np.ix_(rows, rows)])

    def entropy(self, sites: int, order: float = 1) -> float:
        """The entropy of `sites` neighbours in nats: von Neumann's, or Rényi's of another order > 0."""
        self._within("sites", sites, self.size)
        if not order > 0:
            raise fail("order", "a positive number", order, "1 is von Neumann's entropy")
        block = self.covariance[: 2 * sites, : 2 * sites]
        nu = np.clip(np.linalg.eigvalsh(1j * block)[sites:], 0, 1)
        p = np.stack([(1 + nu) / 2, (1 - nu) / 2])
        if order == 1:
            return float(np.sum(p * -np.log(np.where(p > 0, p, 1))))
        return float(np.sum(np.log(np.sum(p**order, axis=0))) / (1 - order))

    def overlap(self, other: FermionState) -> float:
        """|⟨self|other⟩|²."""
        product = np.eye(2 * self.size) - self.covariance @ other.covariance
        return float(np.exp(np.linalg.slogdet(product / 2)[1] / 2))

    def _within(self, name: str, value: int, most: int) -> None:
        if positive_int(name, value) > most:
            raise fail(name, f"at most {most}", value)


class IsingRing:
    """−J Σ Z_i Z_{i+1} − h Σ X_i on a ring of N ≥ 2 sites, in the sector Π X = +1.

    Raises InputError for fewer sites, and couplings that are not finite numbers.

    >>> ring = IsingRing(40, h=0.5)
    >>> [round(state.X, 9) for state in ring.quench([0.5, 1.0])]
    [0.344630717, 0.281734058]
    """

    def __init__(self, N: int, J: float = 1.0, h: float = 1.0) -> None:
        if positive_int("N", N) < 2:
            raise fail("N", "a ring of at least 2 sites", N)
        self.N, self.J, self.h = N, _finite("J", J), _finite("h", h)
        even, odd = 2 * np.arange(N), 2 * np.arange(N) + 1
        A = np.zeros((2 * N, 2 * N))
        A[even, odd] = -2 * self.h
        signs = np.where(np.arange(N) == N - 1, -1.0, 1.0)
        A[odd, np.roll(even, -1)] += -2 * self.J * signs
        self.generator = A - A.T

    def polarised(self) -> FermionState:
        """|+x⟩ on every site."""
        covariance = np.zeros((2 * self.N, 2 * self.N))
        even = 2 * np.arange(self.N)
        covariance[even, even + 1], covariance[even + 1, even] = 1, -1
        return FermionState(covariance)

    def ground_state(self) -> FermionState:
        """The lowest state of the sector Π X = +1: Γ = −A (AᵀA)^{−1/2}, with the lowest mode filled where
        that has the other parity (odd rings with J < 0); the ground state for J, h > 0."""
        energies, modes = np.linalg.eigh(-1j * self.generator)
        signs = np.where(energies > 0, 1.0, -1.0)
        half = len(energies) // 2
        found = _gaussian(modes, signs)
        if pfaffian(found) * pfaffian(self.polarised().covariance) < 0:
            signs[[half - 1, half]] *= -1  # ± the smallest energy
            found = _gaussian(modes, signs)
        return FermionState(found)

    def energy(self, state: FermionState) -> float:
        """⟨H⟩ = ¼ Σ A_mn Γ_mn."""
        return float(np.sum(self.generator * state.covariance) / 4)

    def quench(self, times: ArrayLike, start: FermionState | None = None) -> list[FermionState]:
        """The states at `times` (≥ 0, increasing), from `start` at time 0 (None: |+x⟩)."""
        begin = self.polarised() if start is None else start
        energies, vectors = np.linalg.eigh(-1j * self.generator)
        out = []
        for t in check_times(times):
            turn = np.real((vectors * np.exp(1j * energies * t)) @ vectors.conj().T)
            out.append(FermionState(turn @ begin.covariance @ turn.T))
        return out


def _finite(name: str, value: float) -> float:
    """A coupling as a float, or the error of one that is no finite number."""
    if isinstance(value, str | bool) or np.ndim(value) or not np.isreal(value) or not np.isfinite(value):
        raise fail(name, "a finite number", value, "a coupling, for example 1.0")
    return float(value)


def _gaussian(modes: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Γ = −A/|A| of the modes of −iA with these signs of their energies."""
    return -np.real(1j * (modes * signs) @ modes.conj().T)


def ramped_ising_ring(
    N: int,
    h: Callable[[float], float],
    times: ArrayLike,
    *,
    J: float = 1.0,
    start: FermionState | None = None,
    step: float = 0.01,
) -> list[FermionState]:
    """The states at `times` under a field h(t), by the propagator of `evolution` in steps of at most `step`.

    >>> still = ramped_ising_ring(8, lambda t: 0.5, [0.25])[0]
    >>> abs(still.X - IsingRing(8, h=0.5).quench([0.25])[0].X) < 1e-12
    True
    """
    state = IsingRing(N, J, h(0.0)).polarised() if start is None else start
    now, out, bare = 0.0, [], IsingRing(N, J, 0.0).generator
    field = IsingRing(N, 0.0, 1.0).generator
    for t in check_times(times):
        count = int(np.ceil((t - now) / step - 1e-9))
        for j in range(count):
            d = (t - now) / count
            first, second = (_finite("h(t)", h(now + (j + node) * d)) for node in NODES)
            for u, v in (MAGNUS, MAGNUS[::-1]):
                energies, vectors = np.linalg.eigh(-1j * (0.5 * bare + (u * first + v * second) * field))
                turn = np.real((vectors * np.exp(1j * energies * d)) @ vectors.conj().T)
                state = FermionState(turn @ state.covariance @ turn.T)
        now = float(t)
        out.append(state)
    return out


def pfaffian(matrix: np.ndarray) -> float:
    """The Pfaffian of a real antisymmetric matrix, by elimination with pivots (Wimmer, ACM Trans. Math.
    Softw. 38, 30 (2012)).

    >>> pfaffian(np.array([[0.0, 2.0], [-2.0, 0.0]]))
    2.0
    """
    a, value = np.array(matrix, float), 1.0
    n = len(a)
    for k in range(0, n - 1, 2):
        pivot = k + 1 + int(np.argmax(np.abs(a[k + 1 :, k])))
        if pivot != k + 1:
            a[[k + 1, pivot]] = a[[pivot, k + 1]]
            a[:, [k + 1, pivot]] = a[:, [pivot, k + 1]]
            value = -value
        if a[k, k + 1] == 0:
            return 0.0
        value *= a[k, k + 1]
        tau = a[k, k + 2 :] / a[k, k + 1]
        column = a[k + 2 :, k + 1]
        a[k + 2 :, k + 2 :] += np.outer(tau, column) - np.outer(column, tau)
    return float(value)
