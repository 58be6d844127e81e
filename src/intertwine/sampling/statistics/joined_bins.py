"""Bins of successive samples, joined while they are correlated: the errors of averages are
those of bins longer than the autocorrelation time.

Few bins tell little of what their own correlations are. Bins are therefore joined as soon as they look
correlated, while enough of them are left for an error, and what remains is read from the autocorrelation time
τ of the bins as they were (`sampling.estimate`): the joined bins are stretched about their mean until they
scatter as it says. Errors by jackknife, or by the variance of the bins, are then right whatever is made of
the sums.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._caveats import caveat
from intertwine.sampling.draw import Drawn
from intertwine.sampling.statistics.estimate import estimate

_CORRELATED = 1.0
"""Correlations of successive bins beyond so many of their errors, 1/√bins, are correlations."""

_FEWEST = 8
"""Bins that are left at least."""

_TAUS = 8
"""Autocorrelation times (1 + 2Σρ) that samples are to be long; with fewer of them errors are not known."""

_SURE = 2.5
"""Correlations of successive bins beyond so many of their errors say that. Of series of 25 bins that are 5
and 3 autocorrelation times long, 61 and 79 in 100 are told so. A run looks at sixteen series or so: of 100
runs with independent bins, one is told so (12 with 2 errors in place of 2.5)."""


def joined(
    sums: tuple[np.ndarray, ...], watched: Callable[[tuple[np.ndarray, ...]], Float[np.ndarray, "bins k"]]
) -> tuple[tuple[np.ndarray, ...], str]:
    """Sums (bins, …), pairs of bins added up while what is watched of them is correlated from bin to bin, and
    stretched about their mean as its autocorrelation asks; and "" or how they are too few for their
    autocorrelation. Totals stay the same.

    >>> rough, smooth = np.tile([1.0, -1.0], 20)[:, None], np.repeat([1.0, -1.0], 20)[:, None]
    >>> [len(joined((x,), lambda sums: sums[0])[0][0]) for x in (rough, smooth)]
    [40, 10]
    """
    before = np.asarray(watched(sums), np.float64)
    bins, limit = len(before), _CORRELATED / len(before) ** 0.5
    first = _correlation(before)
    if not first > limit:
        return sums, ""
    while len(sums[0]) >= 2 * _FEWEST and _correlation(watched(sums)) > _CORRELATED / len(sums[0]) ** 0.5:
        starts = np.arange(0, len(sums[0]) - 1, 2)
        sums = tuple(np.add.reduceat(part, starts, axis=0) for part in sums)
    found = [estimate(column[None]) for column in before.T]
    own = np.asarray(watched(sums)).std(0, ddof=1) / len(sums[0]) ** 0.5
    wider = max((float(x.error) / e for x, e in zip(found, own, strict=True) if e > 0), default=1.0)
    if wider > 1:
        sums = tuple(part.mean(0) + wider * (part - part.mean(0)) for part in sums)
    tau = max(float(x.tau) for x in found)
    if first > _SURE * limit and tau > bins / _TAUS:
        words = f"the samples are only {bins / tau:.2g} autocorrelation times long, so that errors are"
        return sums, f"{words} too small: draw more samples, or take more steps from draw to draw"
    return sums, ""


def caveats_of(spins: ArrayLike | None, correlated: str = "") -> tuple[str, ...]:
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


def unmixed(spins: ArrayLike) -> str:
    """Why what `it.sample` drew is not to be judged by, or ""."""
    if not isinstance(spins, Drawn) or spins.mixed:
        return ""
    return f"the chains have not mixed (R-hat {spins.r_hat:.3g}, τ {spins.tau:.3g} {spins.unit}s)"


def _correlation(values: np.ndarray) -> float:
    """Of successive bins: the largest of the columns', without the bias −1/bins of finite series."""
    apart = values - values.mean(0)
    whole = (apart**2).sum(0)
    found = (apart[1:] * apart[:-1]).sum(0) / np.where(whole > 0, whole, 1.0)
    return float(found.max()) + 1 / len(values) if (whole > 0).any() else 0.0
