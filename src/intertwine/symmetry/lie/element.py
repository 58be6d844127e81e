"""Elements of a matrix group by coordinates: products of exponentials and of discrete elements."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, eq=False)
class LieElement:
    """exp(Σ_i a_i X_i) h_j …: known in every representation, also in those of a covering group, such as
    spinors.

    factors: arrays a (k,), coordinates of an exponential, and rows j of discrete elements, in the order of
    the product.

    >>> from intertwine.symmetry import lorentz
    >>> boost = LieElement((np.array([1.0, 0, 0, 0, 0, 0]),))
    >>> lorentz().vector.matrix(boost)[0, :2].round(3).tolist()                 # cosh 1, sinh 1
    [1.543, 1.175]
    """

    factors: tuple[Float[np.ndarray, " k"] | int, ...]

    def on(
        self, generators: Float[np.ndarray, "k d d"], discrete: Float[np.ndarray, "m d d"]
    ) -> Float[np.ndarray, "d d"]:
        """The matrix in the representation that has these."""
        from scipy.linalg import expm

        found = np.eye(generators.shape[1])
        for factor in self.factors:
            if isinstance(factor, np.ndarray):
                found = found @ expm(np.tensordot(factor, generators, 1))
            else:
                found = found @ discrete[factor]
        return found

    def __repr__(self) -> str:
        words = [
            f"h{factor}" if not isinstance(factor, np.ndarray) else f"exp({factor.round(3).tolist()})"
            for factor in self.factors
        ]
        return " ".join(words) or "1"
