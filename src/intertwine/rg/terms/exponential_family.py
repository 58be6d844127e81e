r"""Exponential families on finitely many states: the couplings whose moments are given.

    p_θ(x) ∝ b(x) e^{θ·S(x)},      find θ with ⟨S⟩_θ = m

is the minimum of the convex function F(θ) = ln Σ_x b(x) e^{θ·S(x)} − θ·m, with gradient ⟨S⟩_θ − m and Hessian
Cov_θ(S), by Newton's method with halved steps. States that share S are one state with their weights added:
the density of states. With b = 1 and m the moments of a distribution p, the θ found minimise KL(p‖p_θ).

Nearly ordered systems keep their digits where S is counted from its most probable row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from intertwine._checks import fail

_NEWTON_STEPS = 100
_ROUNDING = 1e-14
_SMALL = 1e-6
"""A Newton step below this that no longer shrinks is rounding."""
_LARGEST = 100.0
"""Couplings beyond this have no finite solution."""


@dataclass(frozen=True, eq=False)
class ExponentialFamily:
    """The table of a family.

    sums: S, float64 (M, n), a row a state. log_base: ln b, float64 (M,); −inf where a state is impossible.

    >>> spin = ExponentialFamily(np.array([[1.0], [-1.0]]), np.zeros(2))
    >>> mean, covariance, log_z = spin.moments(np.array([0.5]))
    >>> bool(np.isclose(mean[0], np.tanh(0.5))), round(log_z, 6)
    (True, 0.813262)
    >>> spin.matched(mean).round(12)
    array([0.5])
    """

    sums: Float[np.ndarray, "M n"]
    log_base: Float[np.ndarray, " M"]

    @staticmethod
    def collected(sums: np.ndarray, log_base: np.ndarray) -> ExponentialFamily:
        """The family with equal rows of `sums` put together.

        >>> pair = ExponentialFamily.collected(np.array([[1], [-1], [-1], [1]]), np.zeros(4))
        >>> pair.sums.ravel(), np.exp(pair.log_base)
        (array([-1.,  1.]), array([2., 2.]))
        """
        rows, place = np.unique(sums, axis=0, return_inverse=True)
        top = np.full(len(rows), -np.inf)
        np.maximum.at(top, place.ravel(), log_base)
        anchored = np.where(np.isfinite(top), top, 0.0)
        share = np.bincount(place.ravel(), np.exp(log_base - anchored[place.ravel()]), len(rows))
        with np.errstate(divide="ignore"):
            return ExponentialFamily(rows.astype(np.float64), anchored + np.log(share))

    def probabilities(self, theta: np.ndarray) -> Float[np.ndarray, " M"]:
        """p_θ of every row."""
        return self._weights(theta)[0]

    def moments(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """(⟨S⟩ (n,), Cov(S) (n, n), ln Σ b e^{θ·S}) at θ (n,)."""
        p, log_z = self._weights(theta)
        mean = p @ self.sums
        apart = self.sums - mean
        return mean, (apart * p[:, None]).T @ apart, log_z

    def matched(self, mean: np.ndarray, start: np.ndarray | None = None) -> Float[np.ndarray, " n"]:
        """θ (n,) with ⟨S⟩_θ = mean (n,), to rounding. start: where the search begins, 0 if not given.

        Raises InputError where no finite θ has these moments (they lie on the boundary), and where the sums
        are linearly dependent.
        """
        theta = np.zeros(self.sums.shape[1]) if start is None else np.array(start, np.float64)
        if np.linalg.matrix_rank(self.sums - self.sums.mean(0)) < len(theta):
            expected, remedy = "couplings whose sums are independent", "leave out shapes that coincide there"
            raise fail("couplings", expected, "sums of which some follow from others on this lattice", remedy)
        value, last = self._objective(theta, mean), np.inf
        for _ in range(_NEWTON_STEPS):
            p, _ = self._weights(theta)
            apart = self.sums - mean
            gradient = p @ apart
            covariance = (apart * p[:, None]).T @ apart - np.outer(gradient, gradient)
            scale = np.sqrt(np.maximum(np.diagonal(covariance), 0))
            if not (scale > 0).all() or np.abs(theta).max() > _LARGEST:
                break
            step = _solved(covariance / np.outer(scale, scale), gradient / scale) / scale
            length = np.abs(step).max() / max(1.0, np.abs(theta).max())
            if length < _ROUNDING or (length < _SMALL and length > last / 2):
                return theta - step
            while (new := self._objective(theta - step, mean)) > value + 1e-13 * abs(value):
                step = step / 2
            theta, value, last = theta - step, new, length
        raise fail(
            "moments",
            "moments inside those that the couplings can give",
            str(np.round(mean, 6)),
            "the system is ordered, or there are too few samples: take weaker couplings or more samples",
        )

    def _weights(self, theta: np.ndarray) -> tuple[np.ndarray, float]:
        exponent = self.log_base + self.sums @ theta
        top = exponent.max()
        weight = np.exp(exponent - top)
        total = weight.sum()
        return weight / total, float(top + np.log(total))

    def _objective(self, theta: np.ndarray, mean: np.ndarray) -> float:
        return self._weights(theta)[1] - float(theta @ mean)


def _solved(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """matrix⁻¹ right, without the directions that rounding hides (nearly ordered systems)."""
    values, vectors = np.linalg.eigh(matrix)
    kept = values > 1e-13 * values[-1]
    return vectors[:, kept] @ (vectors[:, kept].T @ right / values[kept])
