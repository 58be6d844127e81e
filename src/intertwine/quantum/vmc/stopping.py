r"""When a search may end before its last step: a V-score that is low enough, or an energy that falls no more.

    score ≤ v_score             the geometric mean of the last V-scores, which noise does not end
    patience steps on end       the mean energy of the last steps has not fallen by a standard error of a step

Means are running ones, m ← m + (x − m)/min(n, WINDOW). What they are is in the state of the study, so that an
interruption changes no verdict.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from intertwine._checks import fail, positive_int
from intertwine.learning.study import Scalars

WINDOW = 10
"""Steps that a running mean remembers; a search does not end before."""


class Seen(NamedTuple):
    """Numbers only. count: of steps. score, energy: running means, of ln V and of the energy. best: the
    lowest mean energy that counted. waited: steps since. ended: 1 once the search is over."""

    count: float = 0.0
    score: float = math.inf
    energy: float = math.inf
    best: float = math.inf
    waited: float = 0.0
    ended: float = 0.0


@dataclass(frozen=True)
class Stopping:
    """v_score: end where the V-score is this low, or None. patience: end after so many steps without gain, or
    None.

    >>> rule, seen = Stopping(v_score=1e-3), Seen()
    >>> for step in range(40):
    ...     seen = rule.after(seen, {"energy": -1.0, "error": 0.01, "v_score": 0.5**step})
    ...     if seen.ended:
    ...         break
    >>> step                     # the V-score passed 10⁻³ at step 10
    18
    """

    v_score: float | None = None
    patience: int | None = None

    def __post_init__(self) -> None:
        score = self.v_score
        if score is not None:
            fits = isinstance(score, int | float) and not isinstance(score, bool) and math.isfinite(score)
            if not fits or score <= 0:
                raise fail("stop_v_score", "a positive number, or None", score, "for example 1e-5")
        if self.patience is not None:
            positive_int("patience", self.patience, "give a number of steps, for example 50")

    @property
    def asked(self) -> bool:
        """Whether anything ends the search."""
        return self.v_score is not None or self.patience is not None

    def after(self, seen: Seen, scalars: Scalars) -> Seen:
        """What is seen after one more step."""
        energy, error = float(scalars["energy"]), float(scalars.get("error") or 0.0)
        score = math.log(max(float(scalars.get("v_score", math.inf)), 1e-300))
        if scalars.get("fresh_start") or not math.isfinite(energy):
            return Seen()
        count = seen.count + 1
        share = 1.0 / min(count, WINDOW)
        mean = energy if count == 1 else seen.energy + share * (energy - seen.energy)
        known = score if count == 1 else seen.score + share * (score - seen.score)
        fell = mean < seen.best - (error if math.isfinite(error) else 0.0) - 1e-9 * abs(mean)
        best, waited = (mean, 0.0) if fell else (seen.best, seen.waited + 1)
        low = self.v_score is not None and known <= math.log(self.v_score)
        tired = self.patience is not None and waited >= self.patience
        ended = float(count >= WINDOW and (low or tired))
        return Seen(count, known, mean, best, waited, ended)

    def begun(self) -> np.ndarray | None:
        """The numbers of the state before the first step; None where nothing ends the search."""
        return np.array(Seen(), np.float64) if self.asked else None
