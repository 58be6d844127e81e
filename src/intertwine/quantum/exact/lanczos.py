r"""The lowest eigenpairs of one sector: LAPACK where it is small, implicitly restarted Lanczos (ARPACK)
beyond.

Starting vectors come from a fixed seed, so results repeat. A Krylov space holds one vector of a degenerate
level in exact arithmetic, so where several levels are asked for, the search is repeated in the complement of
what was found until nothing lower appears. Every eigenpair's residual ‖Hv − Ev‖ is checked.

ARPACK takes a level as found where its residual is small beside its own modulus, so that one at 0 never is
(and the next one is returned in its place). The search is therefore for H minus a number larger than its
norm, which has no level near 0.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np

_DENSE = 400
_DENSE_SINGLE = 64
_RESIDUAL = 1e-8
_BELOW = 1.5
"""Of the norm, how far the levels are moved down."""


class NotConverged(RuntimeError):  # noqa: N818
    """Lanczos did not reach its tolerance."""


class Eigenpairs(NamedTuple):
    """Ascending energies (k,), vectors as columns (dim, k), and residual norms (k,)."""

    energies: np.ndarray
    vectors: np.ndarray
    residuals: np.ndarray


def lowest(matrix: Matrix, k: int, scale: float, tolerance: float = 0.0) -> Eigenpairs:
    """The k lowest eigenpairs of a Hermitian matrix or LinearOperator; `scale` bounds its norm. tolerance: of
    the residuals, over `scale`; 0 for rounding.

    Raises `NotConverged` where a residual exceeds 1e-8·scale (or tolerance·scale).
    """
    dimension = matrix.shape[0]
    k = min(k, dimension)
    if dimension <= max(_DENSE if k > 1 else _DENSE_SINGLE, 2 * k + 2):
        dense = getattr(matrix, "toarray", lambda: matrix @ np.eye(dimension))()
        energies, vectors = np.linalg.eigh(dense)
        pairs = energies[:k], vectors[:, :k]
    else:
        pairs = _arpack(matrix, k, scale, tolerance)
    energies, vectors = pairs
    residuals = np.array(
        [np.linalg.norm(matrix @ vectors[:, j] - energies[j] * vectors[:, j]) for j in range(len(energies))]
    )
    if np.any(residuals > max(_RESIDUAL, 2 * tolerance) * max(scale, 1e-300)):
        raise NotConverged(
            f"residuals {residuals} after Lanczos, for a Hamiltonian of norm at most {scale:.3g}"
        )
    return Eigenpairs(energies, vectors, residuals)


def _arpack(matrix: Matrix, k: int, scale: float, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    dimension = matrix.shape[0]
    energies, vectors = _one_search(matrix, k, 0, scale, tolerance)
    if k == 1:
        return energies, vectors
    for seed in range(1, dimension):
        deflated = _Deflated(matrix, vectors, 4.0 * scale)
        extra, found = _one_search(deflated, 1, seed, 5.0 * scale, tolerance)
        if extra[0] >= energies[-1] - max(1e-10, tolerance) * scale:
            return energies, vectors
        energies = np.append(energies, extra)
        vectors = np.concatenate([vectors, found], axis=1)
        order = np.argsort(energies)[:k]
        energies, vectors = energies[order], vectors[:, order]
    return energies, vectors


class Matrix(Protocol):
    """A Hermitian matrix that is only multiplied with."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype: ...

    def __matmul__(self, x: np.ndarray) -> np.ndarray: ...


class _Deflated:
    """H + shift·V V†: what was found is lifted out of the way."""

    def __init__(self, matrix: Matrix, vectors: np.ndarray, shift: float) -> None:
        self.matrix, self.vectors, self.shift = matrix, vectors, shift
        self.shape, self.dtype = matrix.shape, matrix.dtype

    def __matmul__(self, x: np.ndarray) -> np.ndarray:
        return self.matrix @ x + self.shift * (self.vectors @ (self.vectors.conj().T @ x))


def _one_search(
    matrix: Matrix, k: int, seed: int, norm: float, tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    """The k lowest levels of a matrix whose norm is at most `norm`."""
    from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

    dimension = matrix.shape[0]
    rng = np.random.default_rng(seed)
    start = rng.normal(size=dimension)
    if np.issubdtype(matrix.dtype, np.complexfloating):
        start = start + 1j * rng.normal(size=dimension)
    krylov = min(dimension, max(2 * k + 1, 20))
    below = _BELOW * norm if norm > 0 else 1.0
    operator = LinearOperator(matrix.shape, matvec=lambda x: matrix @ x - below * x, dtype=matrix.dtype)  # type: ignore[call-arg]
    accuracy: Any = tolerance / (1 + _BELOW)
    try:
        energies, vectors = eigsh(
            operator, k=k, which="SA", v0=start, ncv=krylov, tol=accuracy, maxiter=100_000
        )
    except ArpackError as error:
        raise NotConverged(f"Lanczos on a sector of dimension {dimension}: {error}") from error
    order = np.argsort(energies)
    return energies[order] + below, vectors[:, order]
