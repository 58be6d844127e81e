r"""Whether a search for a ground state has converged to an eigenstate: its V-score, and how its energy falls.

An eigenstate has no variance: its V-score N Var H/(E − E_∞)² is 0, and those of good approximations are below
10⁻², of hard systems below 10⁻¹ (Wu et al., Science 386, 296, 2024). A search that is stuck, such as one
whose amplitudes have vanished, can stay far above; one that was stopped early still falls.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from intertwine._caveats import caveat
from intertwine.sampling.statistics.estimate import Estimate

LARGEST_SCORE = 0.1
"""A larger V-score is not that of an approximate eigenstate."""

STILL_FALLS = 1e-3
"""A fall over the last tenth of the steps by more than this share of the energy has not ended."""

FEWEST_STEPS = 20


def not_at_rest(
    score: float, energy: Estimate, history: Iterable[Any], centre: float = 0.0
) -> tuple[str, ...]:
    """The caveats of a search that has not converged. score: its V-score; energy: the last estimate;
    history: the energies of the steps. centre: E_∞, from which energies are counted.

    >>> from intertwine.sampling.statistics.estimate import estimate
    >>> last = estimate(np.full((4, 8), -9.24))
    >>> [line.partition(":")[0] for line in not_at_rest(0.91, last, [-9.24] * 100)]
    ['not-converged']
    >>> not_at_rest(1e-4, last, [-9.24] * 100)
    ()
    """
    remedy = "take another key (--seed), more steps, or another model"
    if score > LARGEST_SCORE:
        words = (
            f"the V-score is {score:.2g}, more than {LARGEST_SCORE}: the state is not close to an eigenstate"
        )
        return (caveat("not-converged", f"{words}; {remedy}"),)
    values = np.array([np.nan if e is None else np.real(e) for e in history], np.float64)
    tenth = len(values) // 10
    if len(values) < FEWEST_STEPS or not np.isfinite(values[-2 * tenth :]).all():
        return ()
    before, last = values[-2 * tenth : -tenth], values[-tenth:]
    noise = np.sqrt((before.var() + last.var()) / tenth)
    fall = float(before.mean() - last.mean())
    if fall <= max(STILL_FALLS * abs(float(np.real(energy.mean)) - centre), 4 * noise):
        return ()
    words = f"the energy still falls, by {fall:.2g} over the last {tenth} steps"
    return (caveat("not-converged", f"{words}; take more steps"),)
