r"""The one training loop: every objective, every optimiser.

    state = start(model, objective, optimiser, key=key)
    for state, scalars in iterate(state, objective, optimiser, steps=300):
        ...

A step evaluates the objective at the state's model (with the key fold_in(state.key, state.step)) and lets the
optimiser move the parameters. `TrainState` is all there is: a state saved and restored continues with the
same numbers, bit by bit, whatever happened in between.

Learning from data is the same loop: with `OverBatches(objective, batches)` as the objective many updates run
inside one compiled loop, and `iterate` yields once a chunk of them (`stream`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from time import perf_counter
from typing import Any, NamedTuple

import jax
from jax import Array
from jaxtyping import PyTree

from intertwine._checks import fail
from intertwine._threads import background
from intertwine.learning.guard import Diverged, Guard
from intertwine.learning.objective import Evaluation, Objective
from intertwine.learning.optimiser import Optimiser
from intertwine.learning.stream import OverBatches, advance, can_stream, settled
from intertwine.models.parameters import check_key
from intertwine.sampling.statistics.estimate import Estimate


class TrainState(NamedTuple):
    """Everything needed to go on: a pytree.

    step: updates made so far. key: the run's key; step k uses fold_in(key, k).
    """

    step: int
    model: Any
    objective_state: Any
    optimiser_state: Any
    key: Array


def start(model: PyTree, objective: Objective, optimiser: Optimiser, *, key: Array) -> TrainState:
    """The state before the first step (chains are started and thermalised here).

    Meanwhile the optimiser's step is compiled in the background, on the objective's `placeholder` if it has
    one: XLA's compiler and the thermalisation need a core each.
    """
    init_key, run_key = jax.random.split(check_key(key))
    optimiser_state = optimiser.init(model)
    placeholder = getattr(objective, "placeholder", lambda _: None)(model)
    ahead = None
    if placeholder is not None:
        ahead = background(lambda: optimiser.step(model, placeholder, optimiser_state, step=0))
    objective_state = objective.init(model, key=init_key)
    if ahead is not None:
        wait([ahead])  # its outcome is of no interest: a fault will show in the first step
    return TrainState(0, model, objective_state, optimiser_state, run_key)


def iterate(
    state: TrainState,
    objective: Objective | OverBatches,
    optimiser: Optimiser,
    *,
    steps: int,
    guard: Guard | None = None,
) -> Iterator[tuple[TrainState, dict[str, float]]]:
    """`steps` further steps; yields after each, or after each chunk of updates, the new state and what was
    measured.

    The scalars: `step` (updates made before this one: the parameters that were measured), the objective's
    value under its name (`objective.value_name`, "energy" or "value"), error, variance, tau, r_hat, ess,
    what the objective and the optimiser add (acceptance, v_score, learning_rate, shift, update_norm, ...),
    and `seconds` for the step.

    Raises `Diverged` (see `guard`) with the last good state.
    """
    if not isinstance(steps, int) or isinstance(steps, bool) or steps < 0:
        raise fail("steps", "an integer ≥ 0", steps, "give the number of further steps")
    guard = Guard() if guard is None else guard
    name = getattr(objective, "value_name", "value")
    if isinstance(objective, OverBatches) and can_stream(optimiser):
        walk = advance(state, objective, optimiser, steps)
    else:
        walk = _one_by_one(state, objective, optimiser, steps)
    for later, scalars in walk:
        try:
            guard.check(state, scalars[name], scalars)
        except Diverged as error:
            causes = getattr(objective, "causes", None)
            raise (error if causes is None else error.caused_by(causes(state.model))) from None
        state = later
        yield state, scalars


def _one_by_one(
    state: TrainState, objective: Objective, optimiser: Optimiser, steps: int
) -> Iterator[tuple[TrainState, dict[str, float]]]:
    name, bound = getattr(objective, "value_name", "value"), getattr(objective, "bound", math.inf)
    for _ in range(steps):
        begun = perf_counter()
        step = int(state.step)
        key = jax.random.fold_in(state.key, step)
        evaluation, objective_state = objective.evaluate(state.model, state.objective_state, key=key)
        if _can_be(evaluation.estimate, bound):
            model, optimiser_state, moved = optimiser.step(
                state.model, evaluation, state.optimiser_state, step=step
            )
            model = settled(objective, model, objective_state)
        else:  # no step is made from what cannot be: the chains go on, and the guard counts
            model, optimiser_state, moved = (
                state.model,
                state.optimiser_state,
                {"refused": 1.0, "update_norm": 0.0},
            )
        scalars = {"step": step} | _measured(name, evaluation) | moved | {"seconds": perf_counter() - begun}
        state = TrainState(step + 1, model, objective_state, optimiser_state, state.key)
        yield state, scalars


def _can_be(found: Estimate, bound: float) -> bool:
    """Whether a value is finite and not beyond the largest modulus that any state gives, by more than chance
    does (5 error bars, and at most half as much again)."""
    value, chance = abs(found.mean), min(5 * abs(float(found.error)), 0.5 * bound)
    return math.isfinite(value) and value <= bound * (1 + 1e-4) + chance


def train(
    model: PyTree,
    objective: Objective,
    optimiser: Optimiser,
    *,
    steps: int,
    key: Array,
    progress: Callable[[TrainState, dict[str, float]], object] | None = None,
    state: TrainState | None = None,
) -> tuple[TrainState, list[dict[str, float]]]:
    """`start` (or `state`, to go on from), then `steps` steps: the last state, every step's scalars.

    `progress` is called after each step; where it raises `StopIteration`, that step is the last one.
    """
    begin = start(model, objective, optimiser, key=key) if state is None else state
    state, history = begin, []
    for state, scalars in iterate(begin, objective, optimiser, steps=steps):
        history.append(scalars)
        try:
            if progress is not None:
                progress(state, scalars)
        except StopIteration:
            break
    return state, history


def _measured(name: str, evaluation: Evaluation) -> dict[str, float]:
    e = evaluation.estimate
    value = {name: float(e.mean.real), "error": float(e.error), "variance": float(e.variance)}
    chains = {"tau": float(e.tau), "r_hat": float(e.r_hat), "ess": float(e.ess)}
    return value | chains | {key: float(scalar) for key, scalar in evaluation.scalars.items()}
