"""The sites of a graph: how many, and where."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int

_MOST_SITES = 2**22


def checked_positions(positions: ArrayLike) -> np.ndarray:
    """Read-only float64 (N, d)."""
    try:
        points = np.array(positions, np.float64) + 0.0
    except (TypeError, ValueError):
        raise fail("positions", "an array of real numbers, (N, d)", positions) from None
    points = points[:, None] if points.ndim == 1 else points
    if points.ndim != 2 or not np.isfinite(points).all():
        raise fail("positions", "finite numbers of shape (N, d)", points)
    points.setflags(write=False)
    return points


def checked_size(size: int | None, pairs: np.ndarray) -> int:
    """The number of sites of edges (E, 2), as given or as they tell."""
    least = int(pairs.max(initial=-1)) + 1
    if size is not None:
        size = positive_int("size", size, "give the number of sites")
        if size < least:
            raise fail("size", f"at least {least}, as the edges go to site {least - 1}", size)
    else:
        if not least:
            raise fail("edges", "at least one edge, or the number of sites", "none", "give size=")
        alone = np.setdiff1d(np.arange(least), pairs)
        if alone.size:
            got = f"site {alone[0]} without an edge"
            remedy = "number the sites from 0, or say size= where sites stand alone"
            raise fail("edges", "every site at the end of an edge", got, remedy)
        size = least
    if size > _MOST_SITES:
        raise fail("size", f"at most {_MOST_SITES} sites", size)
    return size
