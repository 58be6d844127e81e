r"""Stops a run that has diverged, with a clear message and the last good state.

Four kinds of divergence are detected, from the numbers that a step computes anyway:

- a value, an error or an update that is not finite: at once;
- a value beyond what any state can have, for `MOST_REFUSED` steps on end (the loop makes no step from it);
- an explosion: for `patience` steps on end the value lies above the best one so far by more than half of
  all that was gained, by 5 % of it, and by 20 error bars; a value without an error bar, as that of a
  mini-batch, is not judged;
- a collapse of the sampler: an acceptance below 0.1 % for `patience` steps on end (|ψ|² has become a spike),
  unless the objective says that the state is what it should be (`settled`: a product state).

The advice fits the cause: amplitudes that are not numbers are no matter of the learning rate, and what the
objective knows to be wrong with the model (`causes`) stands first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from jaxtyping import PyTree

_ADVICE = "take a smaller learning_rate, a larger shift, or more samples"
_LOST = (
    "the model itself gives them: look at its function and its parameters, take float64 or a smaller scale"
)
_STUCK = "take a larger shift, a smaller learning_rate, or moves that join the configurations better"
LOWEST_ACCEPTANCE = 1e-3
MOST_REFUSED = 10


class Diverged(RuntimeError):  # noqa: N818 (the public name)
    """The run has diverged. `state`: the last good `TrainState`, to go on from; `step`: where it was seen;
    `causes`: caveats that explain it, the first words of the message."""

    def __init__(
        self, step: int, reason: str, state: PyTree, advice: str = _ADVICE, causes: tuple[str, ...] = ()
    ) -> None:
        good = getattr(state, "step", 0)
        seen = f"diverged at step {step}: {reason}; the last good state is that of step {good}"
        super().__init__("; ".join([*causes, seen, advice]) + ".")
        self.step = step
        self.reason = reason
        self.state = state
        self.advice = advice
        self.causes = causes

    def caused_by(self, causes: tuple[str, ...]) -> Diverged:
        """The same with the causes that are known; itself where there are none."""
        return Diverged(self.step, self.reason, self.state, self.advice, causes) if causes else self


class Watched(NamedTuple):
    """What a guard remembers, numbers only: the state of a study holds it, so that an interruption changes no
    verdict. first, best, best_error: values so far. high, stuck, refused: steps on end."""

    first: float = math.nan
    best: float = math.inf
    best_error: float = 0.0
    high: int = 0
    stuck: int = 0
    refused: int = 0


@dataclass
class Guard:
    """Watches one run; `check` is called after every step and raises `Diverged`."""

    patience: int = 20
    seen: Watched = field(default_factory=Watched)
    _good: Any = field(default=None, init=False)

    @classmethod
    def remembering(cls, numbers: Iterable[float]) -> Guard:
        """One that goes on with what another remembered: `numbers` are its `seen`, in order.

        >>> Guard.remembering([-1.0, -2.0, 0.1, 3.0, 0.0, 0.0]).seen.high
        3
        """
        first, best, error, *counts = (float(x) for x in numbers)
        return cls(seen=Watched(first, best, error, *map(int, counts)))

    def check(self, state: PyTree, value: float, scalars: dict[str, float]) -> None:
        """`state`: the one that the step started from; `value`, `scalars`: what the step measured there.

        >>> guard = Guard()
        >>> guard.check("state 0", -1.0, {"error": 0.1})
        >>> guard.check("state 1", float("nan"), {"step": 1, "error": 0.1})
        Traceback (most recent call last):
        ...
        intertwine.learning.guard.Diverged: diverged at step 1: the value is nan; the last good state is
        that of ...
        """
        step = int(scalars.get("step", 0))
        if self._good is None:
            self._good = state
        if scalars.get("fresh_start"):  # what follows begins anew, and so does the judgement of it
            self.seen = self.seen._replace(first=math.nan, best=math.inf, high=0)
            return
        if scalars.get("lost_amplitudes"):
            reason = f"log ψ is not finite at {scalars['lost_amplitudes']:.0f} configurations"
            raise Diverged(step, reason, self._good, _LOST)
        if not math.isfinite(value):
            raise Diverged(step, f"the value is {value}", self._good)
        refused = self.seen.refused + 1 if scalars.get("refused") else 0
        self.seen = self.seen._replace(refused=refused)
        if refused >= MOST_REFUSED:
            reason = f"the value {value:.3g} lies beyond what any state can have"
            raise Diverged(step, f"{reason}, for {refused} steps", self._good)
        if refused:
            return
        norm = scalars.get("update_norm", 0.0)
        if not math.isfinite(norm):
            raise Diverged(step, f"the update is not finite (norm {norm})", state)
        self._explosion(step, state, value, scalars)
        self._collapse(step, state, scalars)
        if self.seen.high == 0 and self.seen.stuck == 0:
            self._good = state

    def _explosion(self, step: int, state: PyTree, value: float, scalars: dict[str, float]) -> None:
        if "error" not in scalars:
            return
        error, seen = scalars["error"] if math.isfinite(scalars["error"]) else 0.0, self.seen
        first = value if math.isnan(seen.first) else seen.first
        best, best_error = (value, error) if value < seen.best else (seen.best, seen.best_error)
        margin = max(0.5 * (first - best), 0.05 * abs(best), 20 * max(error, best_error))
        high = seen.high + 1 if value > best + margin else 0
        self.seen = seen._replace(first=first, best=best, best_error=best_error, high=high)
        if high >= self.patience:
            reason = f"the value {value:.6g} has stayed far above the best so far, {best:.6g}"
            raise Diverged(step, f"{reason}, for {high} steps", self._good)

    def _collapse(self, step: int, state: PyTree, scalars: dict[str, float]) -> None:
        stuck = scalars.get("acceptance", 1.0) < LOWEST_ACCEPTANCE and not scalars.get("settled")
        steps = self.seen.stuck + 1 if stuck else 0
        self.seen = self.seen._replace(stuck=steps)
        if steps >= self.patience:
            reason = f"the sampler accepts {100 * scalars['acceptance']:.2g} % of its proposals"
            raise Diverged(step, f"{reason}, for {steps} steps", self._good, _STUCK)
