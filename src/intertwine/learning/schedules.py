r"""Learning rates and shifts that change with the step: a float, or any function of the step.

A schedule is called on the host with the step as an int and gives a float; it enters the compiled step as a
traced number, so that no schedule recompiles anything. Each one here is a frozen dataclass, so that it
compares, prints and hashes. Optax's schedules work too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from intertwine._checks import fail

Schedule = float | Callable[[int], float]
"""A constant, or step ↦ value."""


def at(schedule: Schedule, step: int) -> float:
    """The value of `schedule` at `step`.

    >>> at(0.1, 7), at(lambda step: 1.0 / (1 + step), 3)
    (0.1, 0.25)
    """
    return float(schedule(step)) if callable(schedule) else float(schedule)


def check(argument: str, schedule: Schedule) -> Schedule:
    """`schedule` if it is a non-negative number at step 0 or a function, else InputError."""
    if callable(schedule):
        return schedule
    try:
        ok = not isinstance(schedule, bool) and 0 <= float(schedule) < float("inf")
    except (TypeError, ValueError):
        ok = False
    if not ok:
        raise fail(argument, "a finite number ≥ 0 or a function of the step", schedule, "for example 0.01")
    return schedule


@dataclass(frozen=True)
class Linear:
    """From `start` to `stop` along a straight line over `steps`, then `stop` for ever.

    >>> schedule = Linear(1.0, 0.0, steps=100)
    >>> schedule(0), schedule(25), schedule(1000)
    (1.0, 0.75, 0.0)
    """

    start: float
    stop: float
    steps: int

    def __call__(self, step: int) -> float:
        share = min(1.0, step / max(1, self.steps))
        return self.start + (self.stop - self.start) * share


@dataclass(frozen=True)
class Exponential:
    """start · (stop/start)^(step/steps), then `stop` for ever.

    >>> schedule = Exponential(1e-1, 1e-3, steps=100)
    >>> round(schedule(50), 12), schedule(1000)
    (0.01, 0.001)
    """

    start: float
    stop: float
    steps: int

    def __call__(self, step: int) -> float:
        if step >= self.steps:
            return self.stop
        return self.start * (self.stop / self.start) ** (step / self.steps)


@dataclass(frozen=True)
class Cosine:
    """From `start` to `stop` along half a cosine over `steps`, after a linear rise from 0 over `warmup`
    steps.

    >>> schedule = Cosine(1.0, 0.0, steps=100)
    >>> schedule(0), round(schedule(50), 12), schedule(100)
    (1.0, 0.5, 0.0)
    """

    start: float
    stop: float
    steps: int
    warmup: int = 0

    def __call__(self, step: int) -> float:
        from math import cos, pi

        if step < self.warmup:
            return self.start * (step + 1) / (self.warmup + 1)
        share = min(1.0, (step - self.warmup) / max(1, self.steps - self.warmup))
        return self.stop + 0.5 * (self.start - self.stop) * (1 + cos(pi * share))


@dataclass(frozen=True)
class Decay:
    """start / (1 + step/scale): slow algebraic decay, stationary for steps ≪ scale.

    >>> Decay(0.1, scale=100.0)(100)
    0.05
    """

    start: float
    scale: float

    def __call__(self, step: int) -> float:
        return self.start / (1 + step / self.scale)


@dataclass(frozen=True)
class Warmup:
    """A schedule that rises linearly to `schedule` over the first `steps`.

    >>> rate = Warmup(0.1, 4)
    >>> [round(rate(step), 3) for step in (0, 1, 3, 4, 9)]
    [0.02, 0.04, 0.08, 0.1, 0.1]
    """

    schedule: Schedule
    steps: int

    def __call__(self, step: int) -> float:
        return at(self.schedule, step) * min(1.0, (step + 1) / (self.steps + 1))
