r"""One element of a Lie algebra that tells as many vectors apart as any can, and the vectors that it leaves
alone.

X generic in g splits every representation into generalised eigenspaces, weights. An invariant has weight
zero, so that only products of eigenvectors whose weights add up to zero can take part in it: 400 of the
4,096 components of six Lorentz vectors. Where g is closed under transposition, X = S + K is taken with S
generic among the symmetric matrices and K among the antisymmetric ones that commute with it: X is normal,
and its eigenvectors are orthonormal. (Humphreys, Introduction to Lie Algebras and Representation Theory,
1972, § 15.)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Complex, Float

from intertwine.symmetry.lie.algebra import coordinates

_DRAWS = 8
_WELL = 1e3
"""A basis of eigenvectors with a smaller condition number is taken as it is."""
_ROUNDED, _DEFECTIVE = 1e-6, 1e-3
"""Relative to the largest weight, how far weights may be apart that are the same."""


class Weights(NamedTuple):
    """basis B (d, d), its columns a basis of weight vectors; inverse B⁻¹; weight (d,) of each column.
    slack: how far numbers may be apart that are the same weight."""

    basis: np.ndarray
    inverse: np.ndarray
    weight: Complex[np.ndarray, " d"]
    slack: float


def generic_element(generators: Float[np.ndarray, "k n n"], tolerance: float) -> Float[np.ndarray, " k"]:
    """Coordinates of a generic element of a closed algebra, of spectral radius or norm about 1; the same on
    every machine to rounding."""
    k = len(generators)
    if not k:
        return np.zeros(0)
    draw = np.random.default_rng(0).normal
    transposed, rest = coordinates(generators, generators.swapaxes(1, 2))
    if rest.max() <= max(tolerance, 1e-9) * np.abs(generators).max():
        even, odd = _span(np.eye(k) + transposed), _span(np.eye(k) - transposed)
        still = even.T @ draw(size=even.shape[0])
        symmetric = np.tensordot(still, generators, 1)
        found = still
        if len(odd):
            turns = np.tensordot(odd, generators, 1)
            commuting = turns @ symmetric - symmetric @ turns
            fixed = _kernel(commuting.reshape(len(odd), -1).T, max(tolerance, 1e-9))
            found = still + odd.T @ (fixed @ (fixed.T @ draw(size=len(odd))))
        return found / max(np.linalg.norm(np.tensordot(found, generators, 1), 2), 1e-300)
    drawn = draw(size=(_DRAWS, k))
    drawn /= np.linalg.norm(np.tensordot(drawn, generators, 1), 2, axis=(1, 2))[:, None]
    return min(drawn, key=lambda a: _condition(np.tensordot(a, generators, 1)))


def weights_of(matrix: Float[np.ndarray, "d d"], slack: float) -> Weights:
    """Weight vectors of one matrix: an orthonormal basis of eigenvectors of a normal one, eigenvectors
    where they are well apart, else bases of the generalised eigenspaces; where even these are not apart,
    all vectors with weight 0, which restricts nothing."""
    d, size = len(matrix), max(float(np.linalg.norm(matrix, 2)), 1e-300)
    if np.abs(matrix - matrix.T).max() <= 1e-12 * size:
        weight, basis = np.linalg.eigh((matrix + matrix.T) / 2)
        return Weights(basis, basis.T, weight.astype(complex), max(slack, _ROUNDED) * size)
    if np.abs(matrix @ matrix.T - matrix.T @ matrix).max() <= 1e-12 * size**2:
        from scipy.linalg import schur

        triangle, basis = schur(matrix, "complex")[:2]
        return Weights(basis, basis.conj().T, triangle.diagonal().copy(), max(slack, _ROUNDED) * size)
    weight, basis = np.linalg.eig(matrix)
    if np.linalg.cond(basis) < _WELL:
        return Weights(basis, np.linalg.inv(basis), weight.astype(complex), max(slack, _ROUNDED) * size)
    weight, basis = _generalised(matrix, weight, _DEFECTIVE * size)
    if np.linalg.cond(basis) < _WELL:
        return Weights(basis, np.linalg.inv(basis), weight, max(slack, _DEFECTIVE) * size)
    return Weights(np.eye(d), np.eye(d), np.zeros(d, complex), size)


def _generalised(matrix: np.ndarray, weight: np.ndarray, apart: float) -> tuple[np.ndarray, np.ndarray]:
    """(mean weights, bases) of the generalised eigenspaces of clusters of eigenvalues."""
    label = np.arange(len(weight))
    for i in range(len(weight)):
        near = np.isin(label, label[np.abs(weight - weight[i]) <= apart])
        label[near] = label[near].min()
    weights, columns = [], []
    for one in np.unique(label):
        count, mean = int((label == one).sum()), weight[label == one].mean()
        power = np.linalg.matrix_power(matrix - mean * np.eye(len(matrix)), count)
        columns.append(np.linalg.svd(power)[2][len(weight) - count :].conj().T)
        weights += [mean] * count
    return np.array(weights, complex), np.concatenate(columns, axis=1)


def _condition(matrix: np.ndarray) -> float:
    return float(np.linalg.cond(np.linalg.eig(matrix)[1]))


def _span(rows: np.ndarray) -> np.ndarray:
    """An orthonormal basis of the span of rows."""
    _, size, right = np.linalg.svd(rows)
    return right[: int((size > 1e-6).sum())]


def _kernel(matrix: np.ndarray, tolerance: float) -> np.ndarray:
    """An orthonormal basis, as columns, of the null space."""
    _, size, right = np.linalg.svd(matrix)
    rank = int((size > 1e3 * tolerance * size.max(initial=1e-300)).sum())
    return right[rank:].T
