r"""Passes over data through the one training loop: what every learning function of a distribution shares.

Gradient descent whose rate falls along a straight line, an average of the parameters beside it, and a row of
the history for each epoch.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from intertwine._checks import fail
from intertwine.boltzmann.defaults import LAST_RATE, first_rate
from intertwine.learning.averaging import WeightAverage
from intertwine.learning.epochs import epoch_scalars, learned
from intertwine.learning.gradient import OptaxGradient, as_optimiser
from intertwine.learning.loop import TrainState, iterate
from intertwine.learning.schedules import Linear
from intertwine.learning.stream import OverBatches


class Fit(NamedTuple):
    """What was learned.

    model: with the averaged parameters (the last ones without averaging). history: a dict an epoch.
    state: all that is needed to go on (`learn(..., state=fit.state)`); state.model has the last parameters.
    """

    model: Any
    history: list[dict[str, float]]
    state: TrainState


def by_epochs(
    state: TrainState,
    stream: OverBatches,
    mover: Any,
    updates: int,
    *,
    progress: Callable[[TrainState, dict[str, float]], Any] | None = None,
    extra: Callable[[TrainState], dict[str, float]] | None = None,
) -> Fit:
    """Go on from `state` until `updates` updates have been made in all; `extra` measures after each epoch,
    then `progress` is called; where it raises `StopIteration`, that epoch is the last one.

    Raises `Diverged` for values and updates that are not finite.
    """
    history: list[dict[str, float]] = []
    pieces: list[dict[str, float]] = []
    left = max(0, updates - int(state.step))
    for now, scalars in iterate(state, stream, mover, steps=left):
        state = now
        pieces.append(scalars)
        if int(now.objective_state.position) % stream.batches.per_epoch == 0:
            found = epoch_scalars(pieces) | ({} if extra is None else extra(now))
            history.append(found)
            pieces = []
            try:
                if progress is not None:
                    progress(now, found)
            except StopIteration:
                break
    return Fit(learned(state, mover), history, state)


def descent(
    model: Any, optimiser: Any, rate: Any, average: float | None, updates: int, first: float | None = None
) -> Any:
    """The optimiser of a run of `updates` updates: `optimiser`, or plain descent with `rate`, which by
    default falls from `first` (or from what the model's units allow); with an average of the parameters."""
    if optimiser is not None and rate is not None:
        raise fail("learning_rate", "None where an optimiser is given", rate, "give the optimiser its own")
    if optimiser is None:
        optimiser = OptaxGradient(plain_descent(), falling(model, updates, first) if rate is None else rate)
    optimiser = as_optimiser(optimiser)
    return optimiser if average is None else WeightAverage(optimiser, average)


def falling(model: Any, updates: int, first: float | None = None) -> Linear:
    """The default learning rate."""
    first = first_rate(model) if first is None else first
    return Linear(first, LAST_RATE * first, updates)


@cache
def plain_descent() -> Any:
    """One object, so that all runs share compiled programs."""
    import optax

    return optax.sgd(1.0)
