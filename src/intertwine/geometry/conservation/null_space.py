r"""The null space of sampled linear conditions, with the gap that it is judged by.

Functions f_1 … f_K are sampled: their values D (m, K) where they vary, and linear conditions A (n, K) that
a combination Σ c_k f_k has to meet, A c = 0 (its derivative along a flow, its change along a path). Scales
are taken out first: the centred D = U S Vᵀ gives combinations W = V/S whose spread is 1, each row of A W is
brought to length 1, and the singular values of that, over the largest, say by how much a combination of
spread 1 fails.

    s_1 = 1 ≥ s_2 ≥ …            directions with S ≈ 0 are identities between the functions, and left out

The dimension is the number of s below a threshold, and it is judged where the first s above lies `LEAST_GAP`
times higher. What the threshold is has to be known: rounding where the conditions are exact, the error of the
data where they are not. Nothing here guesses it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from intertwine._shown import Shown

LEAST_GAP = 10.0
"""So many times above the threshold's last value the next one has to lie for a verdict."""

SAME = 1e-10
"""Below this, over the largest, a spread is that of an identity between the functions."""

_ROUNDING = 300.0


@dataclass(frozen=True, eq=False, repr=False)
class NullSpace(Shown):
    """dimension: of the null space. singular_values: float64 (r,), over the largest, of the r combinations
    that are independent as functions. threshold: those below it count as 0. gap: the smallest value that is
    not 0 over the largest that is (or over the threshold, where there is none). judged: whether the gap is
    wide enough. combinations: float64 (dimension, K), rows of spread 1.
    """

    dimension: int
    singular_values: Float[np.ndarray, " r"]
    threshold: float
    gap: float
    judged: bool
    combinations: Float[np.ndarray, "k K"]

    @property
    def failing(self) -> Float[np.ndarray, " k"]:
        """By how much each of the combinations fails, largest first."""
        return self.singular_values[len(self.singular_values) - self.dimension :]

    def __str__(self) -> str:
        verdict = "" if self.judged else ", unjudged"
        return (
            f"dimension {self.dimension} of {len(self.singular_values)}: gap {self.gap:.2g} at the threshold "
            f"{self.threshold:.1e}{verdict}"
        )


def null_space(
    conditions: Float[np.ndarray, "n K"],
    values: Float[np.ndarray, "m K"],
    *,
    tolerance: float | None = None,
    eps: float = 2.2e-16,
    centred: bool = True,
    rows_alike: bool = True,
) -> NullSpace:
    """The combinations c with A c = 0.

    conditions: A. values: D. tolerance: the threshold; None for that of rounding at numbers of spacing `eps`.
    centred: the constant function is left out. rows_alike: rows of A are brought to one length first.

    >>> x = np.linspace(-1, 1, 40)[:, None]
    >>> found = null_space(np.hstack([x**2, x**2, x]), np.hstack([x**2 + x, x**2 - x, x**3]))
    >>> found.dimension, (found.combinations[0] / found.combinations[0, 0]).round(6).tolist()
    (1, [1.0, -1.0, 0.0])
    """
    weights, condition_number = whitening(values, centred=centred)
    white = conditions @ weights
    if rows_alike:
        lengths = np.linalg.norm(white, axis=1, keepdims=True)
        white = white / np.maximum(lengths, 1e-9 * lengths.max(initial=1e-300))
    _, found, right = np.linalg.svd(white, full_matrices=True)
    singular = np.zeros(weights.shape[1])
    singular[: len(found)] = found
    singular = singular / singular[0] if singular.size and singular[0] > 0 else singular
    threshold = _ROUNDING * eps * condition_number if tolerance is None else tolerance
    dimension = int((singular <= threshold).sum())
    gap = gap_at(singular, dimension, threshold)
    chosen = right[len(singular) - dimension :]
    return NullSpace(dimension, singular, float(threshold), gap, gap >= LEAST_GAP, chosen @ weights.T)


def whitening(
    values: Float[np.ndarray, "m K"], *, centred: bool = True
) -> tuple[Float[np.ndarray, "K r"], float]:
    """(W, columns of combinations whose values have spread 1 and no correlation, the condition number)."""
    centre = values - values.mean(axis=0) if centred else values
    scale = np.sqrt(np.mean(centre**2, axis=0))
    size = np.sqrt(np.mean(values**2, axis=0))
    scale = np.where(scale > 1e-13 * size, scale, np.inf)
    _, s, right = np.linalg.svd(centre / scale, full_matrices=False)
    kept = s > SAME * s.max(initial=0.0)
    weights = (right[kept].T / s[kept]) * np.sqrt(len(values)) / scale[:, None]
    return weights, float(s[kept].max(initial=1.0) / s[kept].min(initial=s.max(initial=1.0)))


def gap_at(singular: Float[np.ndarray, " r"], dimension: int, threshold: float) -> float:
    """The smallest value that is not 0 over the threshold; inf where there is none."""
    above = len(singular) - dimension - 1
    if above < 0:
        return float("inf")
    floor = max(threshold, float(singular[above + 1]) if dimension else 0.0)
    return float(singular[above] / max(floor, 1e-300))


def widest_gap(singular: Float[np.ndarray, " r"], most: float) -> tuple[int, float]:
    """(dimension, gap) at the largest ratio of neighbours whose lower one is at most `most`; (0, 1.0) where
    there is none.

    >>> widest_gap(np.array([1.0, 0.5, 0.3, 2e-3, 1e-3]), 0.1)
    (2, 150.0)
    """
    best = (0, 1.0)
    for k in range(1, len(singular)):
        if singular[k] <= most:
            ratio = float(singular[k - 1] / max(singular[k], 1e-300))
            best = (len(singular) - k, round(ratio, 6)) if ratio > best[1] else best
    return best
