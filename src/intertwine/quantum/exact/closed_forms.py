r"""Ground energies in closed form: the Ising chain in a transverse field, the Heisenberg ring, and fermions
without spin on a ring.

Ising: H = −Σ J_i Z_i Z_{i+1} − Σ h_i X_i is quadratic in Jordan-Wigner fermions (Lieb, Schultz & Mattis 1961;
Pfeuty 1970). An open chain has E = −Σ σ(A), the singular values of the bidiagonal A with h on and J above the
diagonal. On a ring with equal couplings the sector Π X = ±1 has momenta k with e^{ikN} = ∓1,

    E = −½ Σ_k ε_k + (the cheapest excitation, if the sector's fermion parity demands one),
    ε_k = 2 √(J² + h² − 2 J h cos k),

where the unpaired momenta 0 and π have the signed energies 2(h − J) and 2(h + J).

Heisenberg: the Bethe equations of the antiferromagnetic ring (Bethe 1931; Hulthén 1938), λ_1 … λ_{N/2} real,

    N·2 arctan 2λ_j = 2π I_j + Σ_k 2 arctan(λ_j − λ_k),     I_j = −(N/2 − 1)/2 … (N/2 − 1)/2,
    E = N − 4 Σ_j ½/(λ_j² + ¼)                              (Pauli matrices, J = 1),

solved by Newton's method.

Fermions: −Σ (c†_i c_{i+1} + h.c.) + V Σ n_i n_{i+1} with an odd number n of them, truly periodic, is the XXZ
chain at Δ = −V/2 (Yang & Yang, Phys. Rev. 150, 321 (1966)),

    L k_j = 2π I_j − Σ_l Θ(k_j, k_l),     I_j = −(n − 1)/2 … (n − 1)/2,     E = −2 Σ_j cos k_j,
    tan Θ(k, q)/2 = Δ sin((k − q)/2) / (cos((k + q)/2) − Δ cos((k − q)/2)),

followed from V = 0 on.
"""

from __future__ import annotations

import math

import numpy as np

from intertwine._checks import fail, positive_int


def ising_ring_energy(N: int, J: float = 1.0, h: float = 1.0) -> float:
    """The ground energy of −J Σ Z_i Z_{i+1} − h Σ X_i on a ring of N ≥ 3 sites.

    >>> ising_ring_energy(32)                     # 1/sin: −2/sin(π/64)
    -40.76003249419...
    """
    if positive_int("N", N) < 3:
        raise fail("N", "a ring of at least 3 sites", N)
    return min(_ising_sector(N, J, h, even) for even in (True, False))


def _ising_sector(N: int, J: float, h: float, even: bool) -> float:
    """The lowest energy with Π X = +1 (even number of fermions, half-integer momenta) or −1."""
    momenta = (2 * np.arange(N) + (1 if even else 0)) * np.pi / N
    units = 2 * np.arange(N) + (1 if even else 0)  # k = units·π/N
    unpaired = [2 * (h - J)] * bool(np.any(units == 0)) + [2 * (h + J)] * bool(np.any(units == N))
    paired = momenta[(units != 0) & (units != N)]
    energies = 2 * np.sqrt((J - h) ** 2 + 4 * J * h * np.sin(paired / 2) ** 2)
    ground = -0.5 * math.fsum(energies) - 0.5 * math.fsum(abs(e) for e in unpaired)
    occupied = sum(e < 0 for e in unpaired)
    if occupied % 2 == (0 if even else 1):
        return ground
    # One quasi-particle more changes the parity: a pair's member costs ε_k, an unpaired mode its |energy|.
    return ground + min([*energies.tolist(), *(abs(e) for e in unpaired)])


def ising_chain_energy(couplings: np.ndarray, fields: np.ndarray) -> float:
    """The ground energy of −Σ J_i Z_i Z_{i+1} − Σ h_i X_i on an open chain; J (N−1,), h (N,).

    >>> round(ising_chain_energy(np.ones(1), np.ones(2)), 12) == -round(5**0.5, 12)
    True
    """
    matrix = np.diag(np.asarray(fields, float)) + np.diag(np.asarray(couplings, float), 1)
    return -math.fsum(np.linalg.svd(matrix, compute_uv=False))


def heisenberg_ring_energy(N: int) -> float:
    """The ground energy of Σ (XX + YY + ZZ) on a ring of an even number N ≥ 4 of sites.

    >>> round(heisenberg_ring_energy(4), 12)
    -8.0
    """
    if positive_int("N", N) < 4 or N % 2:
        raise fail("N", "an even number of sites, at least 4", N)
    M = N // 2
    quantum_numbers = np.arange(M) - (M - 1) / 2
    rapidities = np.arcsinh(np.tan(np.pi * quantum_numbers / (M + 1))) / np.pi  # the density 1/(2 cosh πλ)
    residual = np.inf
    for _ in range(100):
        difference = rapidities[:, None] - rapidities[None, :]
        equations = (
            2 * N * np.arctan(2 * rapidities)
            - 2 * np.pi * quantum_numbers
            - np.sum(2 * np.arctan(difference), axis=1)
        )
        kernel = 2 / (1 + difference**2)
        jacobian = np.diag(4 * N / (1 + 4 * rapidities**2) - kernel.sum(axis=1)) + kernel
        step = np.linalg.solve(jacobian, equations)
        rapidities = rapidities - step
        previous, residual = residual, float(np.max(np.abs(step)))
        if residual < 1e-15 or (residual < 1e-11 and residual >= previous):
            break
    else:
        raise ArithmeticError(f"the Bethe equations of {N} sites did not converge: last step {residual}")
    return N - 4 * math.fsum(0.5 / (rapidities**2 + 0.25))


def fermion_ring_energy(L: int, n: int, V: float) -> float | None:
    """The ground energy of n (odd) fermions without spin on a ring of L sites, t = 1; None where the
    equations do not converge (half filling with a large V).

    >>> round(fermion_ring_energy(32, 15, 2.0), 10)
    -14.1366590925
    """
    from scipy.optimize import root

    numbers = np.arange(n) - (n - 1) / 2
    k = 2 * np.pi * numbers / L

    def rest(k: np.ndarray, delta: float) -> np.ndarray:
        apart, mean = (k[:, None] - k) / 2, (k[:, None] + k) / 2
        below = np.cos(mean) - delta * np.cos(apart)
        theta = 2 * np.arctan2(delta * np.sin(apart) * np.sign(below), np.abs(below))
        return L * k - 2 * np.pi * numbers + theta.sum(axis=1)

    found = None
    for share in np.linspace(0.1, 1.0, 10):
        found = root(rest, k, args=(-V / 2 * share,), tol=1e-13)
        k = found.x
    assert found is not None
    return float(-2 * np.cos(k).sum()) if np.max(np.abs(found.fun)) < 1e-9 else None
