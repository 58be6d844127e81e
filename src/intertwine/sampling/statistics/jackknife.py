"""The jackknife: errors of functions of means, from the values without each bin in turn (Efron 1982)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def jackknife_error(without: Float[np.ndarray, "bins ..."]) -> Float[np.ndarray, "..."]:
    """√((B − 1)/B Σ_b (x_b − x̄)²): one σ, from the values (B, ...) found without each of B bins in turn; NaN
    for none. Bins are to be longer than the autocorrelation.

    >>> values = np.array([1.0, 2.0, 4.0])
    >>> without = (values.sum() - values) / 2                                    # means: σ = s/√n
    >>> bool(np.isclose(jackknife_error(without), values.std(ddof=1) / 3**0.5))
    True
    """
    without = np.asarray(without)
    if not len(without):
        return np.full(without.shape[1:], np.nan)
    with np.errstate(invalid="ignore"):  # infinities have no spread: NaN
        return np.sqrt((len(without) - 1) * without.var(0))
