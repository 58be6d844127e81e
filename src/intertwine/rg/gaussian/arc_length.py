"""The length ∫ √I dt of a way between two times, by adaptive Gauss-Kronrod rules between breakpoints."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from scipy.integrate import quad


def arc_length(
    speed: Callable[[float], float], begin: float, end: float, breaks: np.ndarray, least: float
) -> float:
    """∫ speed dt from `begin` to `end`, to 1e-11 of each piece between the breaks, or to `least`.

    >>> round(arc_length(lambda t: float(np.exp(-t)), 0.0, 1e4, 2.0 ** np.arange(-3, 7), 1e-14), 10)
    1.0
    """
    inside = breaks[(breaks > begin) & (breaks < end)]
    ends = np.concatenate([[begin], inside, [end]])
    pieces = [
        quad(speed, a, b, epsabs=least, epsrel=1e-11, limit=200, full_output=1)[0] for a, b in pairwise(ends)
    ]
    return float(sum(pieces))
