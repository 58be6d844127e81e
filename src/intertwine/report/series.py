"""Series of numbers as plotly takes them: thinned where they are long, with gaps where there is no number."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

MOST_POINTS = 4000
Metrics = Mapping[str, np.ndarray]


def stride(steps: int) -> int:
    """Every how many steps a series of `steps` is drawn.

    >>> stride(300), stride(100_000)
    (1, 25)
    """
    return max(1, math.ceil(steps / MOST_POINTS))


def gaps(values: np.ndarray) -> list[float | None]:
    """A list for plotly, None where there is no number."""
    return [float(v) if math.isfinite(v) else None for v in np.asarray(values, dtype=float)]
