"""Bins of successive samples, joined while they know something of one another: the errors of averages are
those of bins longer than the autocorrelation time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

from intertwine._caveats import caveat
from intertwine.sampling.draw import Drawn

_CORRELATED, _FEWEST = 2.0, 20
"""Correlations of successive bins beyond so many of their errors, 1/√bins, join pairs of bins while there are
so many; then those beyond twice that leave the errors unknown."""

_UNKNOWN = 0.6
"""So do correlations beyond this: of 16 bins and fewer, twice that is more than any correlation."""


def joined(
    sums: tuple[np.ndarray, ...], watched: Callable[[tuple[np.ndarray, ...]], Float[np.ndarray, "bins k"]]
) -> tuple[tuple[np.ndarray, ...], str]:
    """Sums (bins, …), pairs of bins added up until what is watched of them has no correlation from bin to
    bin, and "" or how it still has.

    >>> rough, smooth = np.tile([1.0, -1.0], 20)[:, None], np.repeat([1.0, -1.0], 20)[:, None]
    >>> [len(joined((x,), lambda sums: sums[0])[0][0]) for x in (rough, smooth)]
    [40, 10]
    """
    bins = len(sums[0])
    while (known := _correlation(watched(sums))) > _CORRELATED / bins**0.5 and bins >= _FEWEST:
        starts = np.arange(0, bins - 1, 2)
        sums = tuple(np.add.reduceat(part, starts, axis=0) for part in sums)
        bins = len(sums[0])
    if known > min(2 * _CORRELATED / bins**0.5, _UNKNOWN):
        words = f"the {bins} longest runs of samples are correlated by {known:.0%}, so that errors are"
        return sums, f"{words} too small: draw more samples, or take more steps from draw to draw"
    return sums, ""


def caveats_of(spins: Any, correlated: str = "") -> tuple[str, ...]:
    """What qualifies numbers made of `spins`: the caveats of what `it.sample` drew, chains that have not
    mixed, and bins that are `correlated`."""
    found = []
    if isinstance(spins, Drawn):
        found += spins.warnings
        if not found and spins.mixed is None:
            found.append(caveat("unjudged", "whether the chains have mixed cannot be judged"))
        elif not found and (words := unmixed(spins)):
            found.append(caveat("untrusted", f"{words}: errors are too small"))
    if correlated:
        found.append(caveat("untrusted", correlated))
    return tuple(found)


def unmixed(spins: Any) -> str:
    """Why what `it.sample` drew is not to be judged by, or ""."""
    if not isinstance(spins, Drawn) or spins.mixed:
        return ""
    return f"the chains have not mixed (R-hat {spins.r_hat:.3g}, τ {spins.tau:.3g} {spins.unit}s)"


def _correlation(values: np.ndarray) -> float:
    """Of successive bins: the largest of the columns'."""
    apart = values - values.mean(0)
    whole = (apart**2).sum(0)
    return float(((apart[1:] * apart[:-1]).sum(0) / np.where(whole > 0, whole, 1.0)).max())
