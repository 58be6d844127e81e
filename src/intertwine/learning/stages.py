"""A training as a study: stages one after another, each an objective walked through the data.

    rbm    one stage
    dbm    a stage a layer (greedy, with copies: `doubling`), then all layers jointly
    dbn    a stage a layer (`stack`), then up-down fine-tuning

A line is an epoch, or an equal part of one that has more updates than a line may have. The state after a line
is a pytree fit for a checkpoint: the machines of the stages that are done, and the `TrainState` of the one
that is not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import PyTree

from intertwine.learning.epochs import epoch_scalars, learned
from intertwine.learning.guard import Guard
from intertwine.learning.loop import TrainState, iterate, start
from intertwine.learning.stream import OverBatches, can_stream
from intertwine.learning.study import Scalars, Study

MOST_UPDATES = 2000
"""Updates in a line of metrics, at most."""


class Fit(NamedTuple):
    """What was learned.

    model: with the averaged parameters (the last ones without averaging). history: a dict an epoch.
    state: all that is needed to go on (`learn(..., state=fit.state)`): a `TrainState`, whose model has the
    last parameters; of a training that ended before its last stage, a `State`.
    offset, scale: float64 (N,) of a run of standardised columns that went on with rows as they are, which
        the fit takes and gives too; else None.
    """

    model: Any
    history: list[dict[str, Any]]
    state: Any
    offset: np.ndarray | None = None
    scale: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Stage:
    """One objective on one machine.

    name: what it is called. machine: the machines of the stages before → one to begin with. objective,
    optimiser: see the training loop. batches: (the machines before, a number, a key) → `Batches`, made anew
    every `refresh` epochs and numbered from 0; refresh 0: made once. begun: (machine, the first batches) →
    where the stage begins; None: at the machine. key: of everything random in it.
    """

    name: str
    epochs: int
    per_epoch: int
    machine: Callable[[tuple[Any, ...]], Any]
    objective: Any
    optimiser: Any
    batches: Callable[[tuple[Any, ...], int, jax.Array], Any]
    key: jax.Array
    refresh: int = 1
    begun: Callable[[Any, Any], Any] | None = None


class State(NamedTuple):
    """machines: of the stages that are done. current: of the one that is not."""

    machines: tuple[Any, ...]
    current: TrainState


class Place(NamedTuple):
    """stage: which. line: of that stage. epochs: of the stages before."""

    stage: int
    line: int
    epochs: int


class Training(Study[State, Fit]):
    """Stages one after another. most: updates in a line, None for as many as an epoch has. state: one to go
    on from, a `State` or the `TrainState` of the last stage; the lines are then those that are left.
    """

    def __init__(self, stages: tuple[Stage, ...], *, most: int | None = MOST_UPDATES, state: PyTree = None):
        self.stages, self.most = stages, most
        if isinstance(state, TrainState):
            state = State((None,) * (len(stages) - 1), state)
        self.state = state
        self.total = sum(self.lines_of(stage) for stage in stages)
        self.before = 0 if state is None else self._lines_before(state)
        self.lines = max(0, self.total - self.before)
        self._times: dict[int, tuple[int, float]] = {}

    def start(self) -> State:
        return self._begin(0, ()) if self.state is None else self.state

    def template(self, done: int) -> State:
        place = self.place(max(0, done - 1))
        machines: tuple[Any, ...] = ()
        for stage in self.stages[: place.stage]:
            machines += (stage.machine(machines),)
        stage = self.stages[place.stage]
        return State(machines, self._started(place.stage, stage.machine(machines)))

    def iterate(self, state: State, done: int) -> Iterator[tuple[State, Scalars]]:
        made, stream = (-1, -1), None
        for line in range(done, self.lines):
            place = self.place(line)
            stage = self.stages[place.stage]
            if len(state.machines) < place.stage:
                state = self._begin(place.stage, (*state.machines, self.model(state)))
            epoch = place.line // self.parts(stage)
            number = epoch // stage.refresh if stage.refresh else 0
            if stream is None or made != (place.stage, number):
                stream = OverBatches(stage.objective, self._batches(place.stage, state.machines, number))
                made = (place.stage, number)
            current, pieces = state.current, []
            updates = self._updates(stage, place.line + 1) - int(current.step)
            # only what is not finite stops it: the reconstruction error may rise while the likelihood does
            guard = Guard(patience=1 << 62)
            for later, scalars in iterate(current, stream, stage.optimiser, steps=updates, guard=guard):
                current = later
                pieces.append(scalars)
            state = State(state.machines, current)
            found: dict[str, Any] = epoch_scalars(pieces)
            found |= {"step": line, "epoch": place.epochs + int(current.step) / stage.per_epoch}
            if "learning_rate" in found and can_stream(stage.optimiser):  # of a gradient flow
                found["time"] = self._time(place.stage, int(current.step))
            yield state, found | ({"stage": stage.name} if stage.name else {})

    def finish(self, state: State, history: list[Scalars]) -> Fit:
        machines = (*state.machines, self.model(state))
        for stage in self.stages[len(machines) :]:  # of a training that ended early: as they begin
            machines += (stage.machine(machines),)
        return Fit(machines[-1], history, self.left(state))

    def left(self, state: State) -> Any:
        """The state as it is given to a user: a `TrainState` where no later stage needs the machines."""
        later = self.stages[len(state.machines) + 1 :]
        return state if any(stage.epochs for stage in later) else state.current

    def model(self, state: State) -> Any:
        """The machine of the stage that the state is in, parameters averaged."""
        return learned(state.current, self.stages[len(state.machines)].optimiser)

    def parts(self, stage: Stage) -> int:
        """Lines an epoch."""
        return 1 if self.most is None else math.ceil(stage.per_epoch / self.most)

    def lines_of(self, stage: Stage) -> int:
        return stage.epochs * self.parts(stage)

    def place(self, line: int) -> Place:
        """Where a line lies."""
        line, epochs = line + self.before, 0
        last = max(index for index, stage in enumerate(self.stages) if stage.epochs or index == 0)
        for index, stage in enumerate(self.stages):
            if line < self.lines_of(stage) or index == last:
                return Place(index, line, epochs)
            line -= self.lines_of(stage)
            epochs += stage.epochs
        raise AssertionError("a training has stages")

    def last_epoch(self, line: int) -> int | None:
        """Epochs of the last stage that are complete after this line, or None if it is not after one."""
        place = self.place(line)
        parts = self.parts(self.stages[place.stage])
        whole = place.stage == len(self.stages) - 1 and (place.line + 1) % parts == 0
        return (place.line + 1) // parts if whole else None

    def is_last_stage(self, line: int) -> bool:
        """Whether a line is of the last stage, whose machine is the result."""
        return self.place(line).stage == len(self.stages) - 1

    def _begin(self, index: int, machines: tuple[Any, ...]) -> State:
        stage = self.stages[index]
        machine = stage.machine(machines)
        if stage.begun is not None:
            machine = stage.begun(machine, self._batches(index, machines, 0))
        return State(machines, self._started(index, machine))

    def _started(self, index: int, machine: Any) -> TrainState:
        stage = self.stages[index]
        stream: Any = OverBatches(stage.objective, None)  # type: ignore[arg-type]  (init reads no data)
        return start(machine, stream, stage.optimiser, key=stage.key)

    def _batches(self, index: int, machines: tuple[Any, ...], number: int) -> Any:
        stage = self.stages[index]
        return stage.batches(machines, number, jax.random.fold_in(jax.random.fold_in(stage.key, 1), number))

    def _time(self, index: int, updates: int) -> float:
        """Σ of the learning rates of the first updates of a stage, the time of its gradient flow."""
        done, total = self._times.get(index, (0, 0.0))
        if updates < done:
            done, total = 0, 0.0
        total += float(sum(self.stages[index].optimiser.rates(done, updates - done)))
        self._times[index] = updates, total
        return float(f"{total:.9g}")

    def _updates(self, stage: Stage, line: int) -> int:
        """Updates before this line of a stage."""
        epoch, part = divmod(line, self.parts(stage))
        return epoch * stage.per_epoch + part * stage.per_epoch // self.parts(stage)

    def _lines_before(self, state: State) -> int:
        """Lines that led to a state."""
        done = len(state.machines)
        stage, step = self.stages[done], int(state.current.step)
        epochs, rest = divmod(step, stage.per_epoch)
        of_stage = epochs * self.parts(stage) + rest * self.parts(stage) // stage.per_epoch
        return sum(self.lines_of(before) for before in self.stages[:done]) + of_stage
