r"""Finite-size scaling of the susceptibility along a transition of learning.

At a continuous transition the largest susceptibility of a mode grows as N^{γ/ν'} with the number N of visible
units; learned transitions are of mean field, where it is N^{1/2} (Bachtis et al. 2024; `curie_weiss`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail

MEAN_FIELD = 0.5


class PeakScaling(NamedTuple):
    """exponent, error: of the straight line through (ln N, ln peak). sizes, peaks: (n,). effective: (n−1,)
    slopes between neighbours."""

    exponent: float
    error: float
    sizes: Float[np.ndarray, " n"]
    peaks: Float[np.ndarray, " n"]
    effective: Float[np.ndarray, " n-1"]


def peak_scaling(sizes: ArrayLike, susceptibilities: Any, *, mode: int = 0) -> PeakScaling:
    """The exponent with which the largest susceptibility grows with the size; 1/2 in mean field.

    sizes: (n,) visible units, at least two, increasing. susceptibilities: for each size a curve (T,) along
    the training, or an `Emergence`, whose `mode` is taken.

    >>> from intertwine.boltzmann.cascade.curie_weiss import curie_weiss
    >>> w2, sizes = np.linspace(0.5, 2, 301), [256, 1024, 4096, 16384]
    >>> chi = [[curie_weiss(n, w).susceptibility for w in w2] for n in sizes]
    >>> round(peak_scaling(sizes, chi).exponent, 2)
    0.53
    """
    n = np.asarray(sizes, np.float64)
    curves = [getattr(x, "susceptibility", None) for x in susceptibilities]
    values = [
        np.asarray(x, np.float64) if curve is None else curve[:, mode]
        for x, curve in zip(susceptibilities, curves, strict=True)
    ]
    if n.ndim != 1 or len(n) < 2 or len(values) != len(n) or (np.diff(n) <= 0).any() or n[0] <= 0:
        raise fail(
            "sizes", "at least two increasing sizes, and a curve for each", f"{sizes}, {len(values)} curves"
        )
    if not all(np.isfinite(v).any() for v in values):
        raise fail("susceptibilities", "curves of finite numbers", "one without any", "train with chains")
    peaks = np.array([np.nanmax(v) for v in values])
    if not (peaks > 0).all():
        raise fail("susceptibilities", "positive peaks", peaks)
    x, y = np.log(n), np.log(peaks)
    slope, shift = np.polyfit(x, y, 1)
    rest = y - slope * x - shift
    freedom = len(n) - 2
    error = np.nan
    if freedom:
        error = float(np.sqrt(np.square(rest).sum() / freedom / np.square(x - x.mean()).sum()))
    return PeakScaling(float(slope), error, n, peaks, np.diff(y) / np.diff(x))
