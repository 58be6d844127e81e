r"""The lowest eigenpair with three vectors in memory: Lanczos without reorthogonalisation.

    β_{k+1} v_{k+1} = H v_k − α_k v_k − β_k v_{k−1}

Rounding makes copies of converged eigenvalues, but leaves the lowest Ritz value and its vector right (Paige
1971; Cullum & Willoughby 1985). The residual of the Ritz pair is β_{k+1} times the last component of its
eigenvector of the tridiagonal matrix. The vector is summed in a second pass of the same recurrence.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh_tridiagonal

from intertwine.quantum.exact.lanczos import Matrix, NotConverged

_EVERY = 5
_MOST = 3000
ENERGY, VECTOR = 1e-7, 1e-9
"""Residuals, over the energy's modulus, for the energy alone (its error is the square over the gap), and for
the vector."""


class LowestPair(NamedTuple):
    """vector: None where only the energy was asked for. products: how often H was applied."""

    energy: float
    vector: np.ndarray | None
    residual: float
    products: int


def lowest_pair(matrix: Matrix, *, vector: bool = True, seed: int = 0) -> LowestPair:
    """The lowest eigenpair of a Hermitian matrix that is only multiplied with; `NotConverged` after 3,000
    products.

    >>> pair = lowest_pair(np.diag([3.0, -2.0, 1.0, 5.0]))
    >>> round(pair.energy, 9), np.abs(pair.vector).round(6).tolist()
    (-2.0, [0.0, 1.0, 0.0, 0.0])
    """
    alphas, betas = np.zeros(0), np.zeros(0)
    previous = np.zeros(0)
    current = _start(matrix, seed)
    goal = VECTOR if vector else ENERGY
    for k in range(1, _MOST + 1):
        image, alpha, beta = _step(matrix, previous, current, betas[-1] if k > 1 else 0.0)
        alphas = np.append(alphas, alpha)
        exhausted = beta <= 1e-13 * max(np.max(np.abs(alphas)), 1e-300) or k == matrix.shape[0]
        if k % _EVERY == 0 or exhausted:
            energy, share = _ritz(alphas, betas)
            residual = abs(beta * share[-1])
            if residual <= goal * max(abs(energy), 1e-3 * np.max(np.abs(alphas))) or exhausted:
                break
        betas = np.append(betas, beta)
        image /= beta
        previous, current = current, image
    else:
        raise NotConverged(f"a residual of {residual:.2g} after {_MOST} steps of Lanczos")
    del previous, current, image
    if not vector:
        return LowestPair(float(energy), None, float(residual), k)
    return LowestPair(float(energy), _summed(matrix, seed, betas, share), float(residual), 2 * k)


def _start(matrix: Matrix, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    start = rng.normal(size=matrix.shape[0])
    if np.issubdtype(matrix.dtype, np.complexfloating):
        start = start + 1j * rng.normal(size=matrix.shape[0])
    start /= np.linalg.norm(start)
    return start


def _step(
    matrix: Matrix, previous: np.ndarray, current: np.ndarray, beta: float
) -> tuple[np.ndarray, float, float]:
    image = matrix @ current
    if beta:
        image -= beta * previous
    alpha = float(np.real(np.vdot(current, image)))
    image -= alpha * current
    return image, alpha, float(np.linalg.norm(image))


def _ritz(alphas: np.ndarray, betas: np.ndarray) -> tuple[float, np.ndarray]:
    energies, vectors = eigh_tridiagonal(alphas, betas[: len(alphas) - 1], select="i", select_range=(0, 0))
    return float(energies[0]), vectors[:, 0]


def _summed(matrix: Matrix, seed: int, betas: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Σ_k share_k v_k, by the recurrence once more."""
    current, previous = _start(matrix, seed), np.zeros(0)
    total = share[0] * current
    for k in range(1, len(share)):
        image, _, _ = _step(matrix, previous, current, betas[k - 2] if k > 1 else 0.0)
        image /= betas[k - 1]
        previous, current = current, image
        total += share[k] * current
    return total / np.linalg.norm(total)
