"""The distances at which the equation is asked for: far beyond the lattice constant, and well within the
lattice.

Corrections of the lattice fall with r, those of a finite torus grow with it, so that a window of fixed shares
of the side L, from L/16 to L/5, loses both as L grows. On the exact correlations of a torus of 64 × 64 (4 to
12), at couplings where L is ten correlation lengths or more, β is within 1 % of its infinite-volume value and
γ at K_c, read off between them, 0.0035 above 1/8; with r from 2 on it is 0.008 above. At K_c itself no window
helps: β and γ are there those of the finite torus (0.002 and 0.140).
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float, Int64
from numpy.typing import ArrayLike

from intertwine._checks import fail

FEWEST = 5
"""Distances of a window, at least."""

FIRST, LAST = 16.0, 5.0
"""The window of samples is from side/16 to side/5."""

SEEN, LEAST_SEEN = 5.0, 2.0
"""Errors by which G differs from 0 in the window: in that of the default, and in one that is given."""

EXACT_FIRST = 8.0
"""Exact correlators are taken from this r on, where enough of them are."""

Pair = tuple[float, float] | None


def exact_window(r: Float[np.ndarray, " R"], window: ArrayLike | None) -> Int64[np.ndarray, " w"]:
    """Which rows of exact correlators are looked at: those of `window`, or from r = 8 on where half of them
    are, else all.

    >>> far, near = np.arange(1.0, 49.0), np.arange(1.0, 7.0)
    >>> exact_window(far, None)[[0, -1]].tolist(), exact_window(near, None).size
    ([7, 47], 6)
    """
    if window is not None:
        return given_window(r, window)
    far = np.flatnonzero(r >= EXACT_FIRST)
    return far if len(far) >= max(FEWEST, len(r) // 2) else np.arange(len(r))


def sampled_window(
    r: Float[np.ndarray, " R"],
    values: Float[np.ndarray, " R"],
    errors: Float[np.ndarray, " R"],
    side: float,
    window: ArrayLike | None,
    K: float,
) -> Int64[np.ndarray, " w"]:
    """Which shells of sampled correlations are looked at: those of `window`, or from side/16 to side/5, with
    `FEWEST` of them at least, and before the first where G is not 5 errors above 0."""
    if window is not None:
        chosen = given_window(r, window)
    else:
        last = max(int(np.searchsorted(r, side / LAST, side="right")), min(FEWEST + 1, len(r)))
        first = min(int(np.searchsorted(r, side / FIRST)), max(last - FEWEST, 0))
        chosen = np.arange(first, last)
    seen = values[chosen] > (SEEN if window is None else LEAST_SEEN) * errors[chosen]
    if window is None and not seen.all():  # fewer, and from smaller r on
        last = int(chosen[0] + np.argmin(seen))
        chosen = np.arange(min(int(chosen[0]), max(last - FEWEST, 0)), last)
        seen = values[chosen] > SEEN * errors[chosen]
    if not seen.all() or len(chosen) < FEWEST:
        until = float(r[chosen][seen].max(initial=0.0))
        raise fail(
            "correlations", f"G(r) clearly above 0 at {FEWEST} distances of the window at K = {K:.6g}",
            f"such values up to r = {until:.3g} alone" if until else "none",
            "draw more samples, or take a coupling nearer to a critical point, or a window of smaller r",
        )  # fmt: skip
    return chosen


def given_window(r: Float[np.ndarray, " R"], window: ArrayLike) -> Int64[np.ndarray, " w"]:
    """The distances from window[0] to window[1]. Raises InputError for others, and fewer than `FEWEST`."""
    ends = np.asarray(window, np.float64)
    if ends.shape != (2,) or not np.isfinite(ends).all() or not 0 < ends[0] < ends[1]:
        raise fail("window", "two growing distances (first, last)", window)
    chosen = np.flatnonzero((r >= ends[0] - 0.5 * (r[0] if len(r) else 1)) & (r <= ends[1] * (1 + 1e-9)))
    chosen = chosen[r[chosen] >= ends[0] * (1 - 1e-9)]
    if len(chosen) < FEWEST:
        got = f"{len(chosen)} of those from {r[0]:.3g} to {r[-1]:.3g}"
        raise fail("window", f"{FEWEST} distances or more", got, "take a wider one")
    return chosen


def moved_windows(r: Float[np.ndarray, " R"], chosen: np.ndarray) -> list[np.ndarray]:
    """The window with its first distance raised, and with its last one lowered, by a quarter of its width in
    ln r; without those of fewer than four distances."""
    first, last = math.log(r[chosen[0]]), math.log(r[chosen[-1]])
    quarter = (last - first) / 4
    found = [chosen[np.log(r[chosen]) >= first + quarter], chosen[np.log(r[chosen]) <= last - quarter]]
    return [part for part in found if len(part) >= 4]
