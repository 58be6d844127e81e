"""A training as lines of metrics: stages one after another, each an objective walked through the data.

    rbm    one stage
    dbm    a stage a layer (greedy, with copies: `doubling`), then all layers jointly
    dbn    a stage a layer (`stack`), then up-down fine-tuning

A line is an epoch, or an equal part of one that has more than `MOST_UPDATES` updates. The state after a line
is a pytree fit for a checkpoint: the machines of the stages that are done, and the `TrainState` of the one
that is not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax

from intertwine.learning.epochs import epoch_scalars, learned
from intertwine.learning.guard import Guard
from intertwine.learning.loop import TrainState, iterate, start
from intertwine.learning.stream import OverBatches
from intertwine.learning.study import Scalars, Study

MOST_UPDATES = 2000


@dataclass(frozen=True, eq=False)
class Stage:
    """One objective on one machine.

    name: what it is called. machine: the machines of the stages before → where it begins. objective,
    optimiser: see the training loop. batches: (the machines before, the epoch, a key) → `Batches`.
    """

    name: str
    epochs: int
    per_epoch: int
    machine: Callable[[tuple[Any, ...]], Any]
    objective: Any
    optimiser: Any
    batches: Callable[[tuple[Any, ...], int, jax.Array], Any]

    @property
    def parts(self) -> int:
        """Lines an epoch."""
        return math.ceil(self.per_epoch / MOST_UPDATES)

    @property
    def lines(self) -> int:
        return self.epochs * self.parts

    def updates(self, line: int) -> int:
        """Updates before this line of the stage."""
        epoch, part = divmod(line, self.parts)
        return epoch * self.per_epoch + part * self.per_epoch // self.parts


class State(NamedTuple):
    """machines: of the stages that are done. current: of the one that is not."""

    machines: tuple[Any, ...]
    current: TrainState


class Place(NamedTuple):
    """stage: which. line: of that stage. epochs: of the stages before."""

    stage: int
    line: int
    epochs: int


@dataclass(eq=False)
class Training(Study[State, Any]):
    """Stages one after another, as a study. key: of everything random."""

    stages: tuple[Stage, ...]
    key: jax.Array
    lines: int = field(init=False)

    def __post_init__(self) -> None:
        self.lines = sum(stage.lines for stage in self.stages)

    def start(self) -> State:
        """The state before the first line."""
        return self._begin(0, ())

    def template(self, done: int) -> State:
        """A state of the structure of that after `done` lines."""
        place = self.place(max(0, done - 1))
        machines: tuple[Any, ...] = ()
        for stage in self.stages[: place.stage]:
            machines += (stage.machine(machines),)
        return self._begin(place.stage, machines)

    def iterate(self, state: State, done: int) -> Iterator[tuple[State, Scalars]]:
        """(state, scalars) after each further line."""
        epoch_now, stream = -1, None
        for line in range(done, self.lines):
            place = self.place(line)
            stage = self.stages[place.stage]
            if place.line == 0 and place.stage > 0:
                state = self._begin(place.stage, (*state.machines, self.model(state)))
            epoch = place.line // stage.parts
            if stream is None or place.line % stage.parts == 0 or epoch != epoch_now:
                key = jax.random.fold_in(jax.random.fold_in(self._key(place.stage), 1), epoch)
                stream = OverBatches(stage.objective, stage.batches(state.machines, epoch, key))
                epoch_now = epoch
            current, pieces = state.current, []
            updates = stage.updates(place.line + 1) - stage.updates(place.line)
            # only what is not finite stops it: the reconstruction error may rise while the likelihood does
            guard = Guard(patience=1 << 62)
            for later, scalars in iterate(current, stream, stage.optimiser, steps=updates, guard=guard):
                current = later
                pieces.append(scalars)
            state = State(state.machines, current)
            found: dict[str, Any] = epoch_scalars(pieces)
            found |= {"step": line, "epoch": found["epoch"] + place.epochs}
            yield state, found | ({"stage": stage.name} if stage.name else {})

    def finish(self, state: State, history: list[Scalars]) -> Any:
        """The machine of the last stage, parameters averaged."""
        return self.model(state)

    def model(self, state: State) -> Any:
        """The machine of the stage that the state is in, parameters averaged."""
        return learned(state.current, self.stages[len(state.machines)].optimiser)

    def place(self, line: int) -> Place:
        """Where a line lies."""
        epochs = 0
        for index, stage in enumerate(self.stages):
            if line < stage.lines or index == len(self.stages) - 1:
                return Place(index, line, epochs)
            line -= stage.lines
            epochs += stage.epochs
        raise AssertionError("a training has stages")

    def last_epoch(self, line: int) -> int | None:
        """Epochs of the last stage that are complete after this line, or None if it is not after one."""
        place = self.place(line)
        stage = self.stages[place.stage]
        whole = place.stage == len(self.stages) - 1 and (place.line + 1) % stage.parts == 0
        return (place.line + 1) // stage.parts if whole else None

    def is_last_stage(self, line: int) -> bool:
        """Whether a line is of the last stage, whose machine is the result."""
        return self.place(line).stage == len(self.stages) - 1

    def _begin(self, index: int, machines: tuple[Any, ...]) -> State:
        stage = self.stages[index]
        stream: Any = OverBatches(stage.objective, None)  # type: ignore[arg-type]  (init reads no data)
        key = jax.random.fold_in(self._key(index), 0)
        return State(machines, start(stage.machine(machines), stream, stage.optimiser, key=key))

    def _key(self, index: int) -> jax.Array:
        return jax.random.fold_in(self.key, index)
