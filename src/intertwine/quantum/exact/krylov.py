r"""The exponential of a Hermitian matrix on a vector, by Krylov spaces.

    ψ(t + δ) = e^{−iHδ} ψ(t) ≈ ‖ψ‖ V_m e^{−iT_m δ} e_1        (real time)
    ψ(τ + δ) ∝ e^{−Hδ} ψ(τ)                                    (imaginary time, normalised)

with the Lanczos basis V_m of {ψ, Hψ, …, H^{m−1}ψ} and the tridiagonal T_m = V_mᴴHV_m (Park & Light, J. Chem.
Phys. 85, 5870 (1986)). The error of a step is about β_m |(e^{−iT_m δ})_{m1}| δ, with the last off-diagonal
element β_m; steps are as long as that stays below the tolerance (Saad, SIAM J. Numer. Anal. 29, 209 (1992)).
"""

from __future__ import annotations

import numpy as np

from intertwine.quantum.exact.lanczos import Matrix

_KRYLOV_BYTES = 4e9
_KRYLOV = 30
_ROUNDING = 1e-15
"""Of a step, at least."""


def propagated(matrix: Matrix, psi: np.ndarray, span: float, factor: complex, tolerance: float) -> np.ndarray:
    """e^{factor · matrix · span} psi, normalised; tolerance: of the error of each step."""
    return propagated_with_error(matrix, psi, span, factor, tolerance)[0]


def propagated_with_error(
    matrix: Matrix, psi: np.ndarray, span: float, factor: complex, tolerance: float
) -> tuple[np.ndarray, float]:
    """`propagated`, and the errors of its steps, added up."""
    left, total = span, 0.0
    most = int(np.clip(_KRYLOV_BYTES // (16 * len(psi)) - 2, 6, _KRYLOV))
    while left > 0:
        basis, alpha, beta = _lanczos(matrix, psi, most)
        if len(alpha) == 1:  # an eigenvector
            turn = np.exp(factor * alpha[0] * left) if np.iscomplexobj(np.array(factor)) else 1.0
            return psi * turn, total
        energies, vectors = np.linalg.eigh(np.diag(alpha) + np.diag(beta[:-1], 1) + np.diag(beta[:-1], -1))
        shifted = energies - (energies[0] if factor == -1.0 else 0.0)
        done = left
        for _ in range(200):
            small = vectors @ (np.exp(factor * shifted * done) * vectors[0].conj())
            error = abs(beta[-1] * small[-1]) / np.linalg.norm(small)
            if error <= tolerance:
                break
            done *= min(0.9, max(0.2, 0.9 * (tolerance / error) ** (1 / len(alpha))))
        psi = basis.T @ small
        psi = psi / np.linalg.norm(psi)
        total += error + _ROUNDING
        left = 0.0 if done == left else left - done
    return psi, total


def _lanczos(matrix: Matrix, psi: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The basis as rows (m, n), the diagonal (m,) and the off-diagonal elements (m,), the last one leading
    out; it is 0 where the space is invariant."""
    basis = np.empty((most, len(psi)), complex)
    alpha, beta = np.zeros(most), np.zeros(most)
    basis[0] = psi
    for m in range(most):
        w = matrix @ basis[m]
        alpha[m] = np.vdot(basis[m], w).real
        for _ in range(2):  # orthogonal to rounding
            w = w - basis[: m + 1].T @ (basis[: m + 1].conj() @ w)
        beta[m] = np.linalg.norm(w)
        if beta[m] <= 1e-13 * max(1.0, np.max(np.abs(alpha))):
            beta[m] = 0.0
            return basis[: m + 1], alpha[: m + 1], beta[: m + 1]
        if m + 1 < most:
            basis[m + 1] = w / beta[m]
    return basis, alpha, beta
