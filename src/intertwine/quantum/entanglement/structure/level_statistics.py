r"""Level statistics of an entanglement spectrum: do its levels −ln λ_k repel one another?

    r_k = min(δ_k, δ_{k+1}) / max(δ_k, δ_{k+1}),      δ_k the distance of neighbouring levels

needs no unfolding. Its mean is 0.3863 for independent levels (2 ln 2 − 1), 0.5307 for real (GOE) and 0.5996
for complex (GUE) random matrices (Oganesyan & Huse, Phys. Rev. B 75, 155111 (2007); Atas, Bogomolny, Giraud &
Roux, PRL 110, 084101 (2013)). States of several sectors have to be taken sector by sector: levels of
different sectors do not repel.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail

POISSON, GOE, GUE = 2 * math.log(2) - 1, 0.5307, 0.5996
_LEAST = 1e-24


class GapRatio(NamedTuple):
    """mean: of r. error: standard error of the mean, ratios taken as independent. count: how many."""

    mean: float
    error: float
    count: int


def gap_ratio(values: ArrayLike, keep: float = 1.0) -> GapRatio:
    """The mean ratio of adjacent gaps of the entanglement levels −ln λ.

    values: eigenvalues λ of ρ, as of `spectrum`; those below 1e-24 of the largest are rounding and left out.
    keep: the share of levels taken, from the middle. Raises InputError for fewer than three levels, and for
    levels that are all equal.

    >>> round(gap_ratio(np.exp([-1.0, -2.0, -4.0, -5.0])).mean, 6)
    0.5
    """
    found = np.sort(np.asarray(values, float))
    found = found[found > _LEAST * found.max(initial=0.0)]
    levels = np.sort(-np.log(found))
    cut = round((1 - keep) / 2 * len(levels))
    gaps = np.diff(levels[cut : len(levels) - cut])
    if len(gaps) < 2:
        raise fail("values", "at least three eigenvalues that are not rounding", f"{len(levels)} of them")
    small, large = np.minimum(gaps[1:], gaps[:-1]), np.maximum(gaps[1:], gaps[:-1])
    there = large > 0
    if not there.any():
        raise fail("values", "levels that differ", "levels that are all equal")
    ratios = small[there] / large[there]
    error = float(ratios.std(ddof=1) / math.sqrt(len(ratios))) if len(ratios) > 1 else math.nan
    return GapRatio(float(ratios.mean()), error, len(ratios))
