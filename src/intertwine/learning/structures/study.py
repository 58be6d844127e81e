r"""Learning structures as a study: a line is an epoch, after which the structures held out are measured.

`fit_structures` carries it out in one call, the commands `fields` and `classify` with a folder beside it. The
weights that are measured, and kept at the best epoch, are an average over the last updates; the best so far,
the time that was spent and whatever the optimiser remembers are part of the state, so that an interruption
changes no number.

With a budget of minutes the learning rate falls with the time that is spent, and the study ends, also within
an epoch, when it is over: how many epochs that are depends on the machine.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import PyTree

from intertwine.learning.averaging import WeightAverage
from intertwine.learning.epochs import epoch_scalars, learned
from intertwine.learning.gradient import OptaxGradient
from intertwine.learning.guard import Guard, Watched
from intertwine.learning.loop import TrainState, iterate, start
from intertwine.learning.stream import OverBatches
from intertwine.learning.structures.objective import StructureObjective
from intertwine.learning.structures.packing import Batch, Rows, Rung, StructureBatches, all_batches
from intertwine.learning.structures.structure_model import StructureModel, precision_of
from intertwine.learning.structures.targets import ENERGY, FORCES, STRESS, Target
from intertwine.learning.study import Scalars, Study
from intertwine.learning.supervised_study import Best
from intertwine.models.network import Network

RISE = 0.01
"""Share of a time budget in which the rate rises."""


class StructureState(NamedTuple):
    """train: of the loop. seen: what the guard remembers, float64 (6,). best: so far. spent: seconds, of a
    budget."""

    train: TrainState
    seen: np.ndarray
    best: Best
    spent: Any


class LearnedStructures(NamedTuple):
    """model: a `StructureModel`. history: a dict an epoch. best: the epoch of the model."""

    model: StructureModel
    history: list[dict[str, float]]
    best: int


@dataclass
class TimedRate:
    """The learning rate as a function of the share of a time budget that is spent: up along a line, then down
    along one to 0, so that a run of any speed ends at a small rate."""

    largest: float
    budget: float
    spent: float = 0.0
    begun: float = field(default_factory=perf_counter)

    @property
    def now(self) -> float:
        """Seconds spent."""
        return self.spent + perf_counter() - self.begun

    def __call__(self, step: int) -> float:
        share = min(1.0, self.now / self.budget)
        return self.largest * (1 - share) * min(1.0, share / RISE + 0.02)


class StructureStudy(Study[StructureState, LearnedStructures]):
    """`epochs` passes over `rows` in padded batches, or fewer: with `patience`, or when `seconds` are over.

    blank: the model before it is learned. held: measured after each epoch, or None. rungs: the padded sizes
    of both. optimiser: whose learning rate is replaced where there is a budget. seed: of the order.
    """

    def __init__(
        self,
        blank: StructureModel,
        objective: StructureObjective,
        rows: Rows,
        held: Rows | None,
        rungs: tuple[Rung, ...],
        optimiser: WeightAverage,
        *,
        epochs: int,
        seed: int,
        key: Array,
        patience: int | None = None,
        seconds: float | None = None,
        largest_rate: float | None = None,
    ):
        self.blank, self.objective, self.rows, self.held = blank, objective, rows, held
        self.rungs, self.optimiser, self.key = rungs, optimiser, key
        self.lines, self.patience, self.seconds = epochs, patience, seconds
        self.largest_rate = largest_rate
        self.stream = OverBatches(objective, StructureBatches(rows, rungs, seed=seed))  # type: ignore[arg-type]
        self.begin = Network.of(blank.network)

    def start(self) -> StructureState:
        train = start(self.begin, self.stream, self.optimiser, key=self.key)
        kept = () if self.held is None else self.begin
        best = Best(np.int64(0), np.float64(np.inf), kept)
        return StructureState(train, np.array(Watched(), np.float64), best, np.float64(0.0))

    def template(self, done: int) -> StructureState:
        return self.start()

    def iterate(self, state: StructureState, done: int) -> Iterator[tuple[StructureState, Scalars]]:
        guard, began, before = Guard.remembering(state.seen), perf_counter(), float(state.spent)
        optimiser = self._timed(before)
        for epoch in range(done + 1, self.lines + 1):
            if self.patience is not None and epoch - 1 - int(state.best.epoch) >= self.patience:
                return
            if self.seconds is not None and before + perf_counter() - began >= self.seconds:
                return
            begun, train, pieces = perf_counter(), state.train, []
            updates = self.stream.batches.per_epoch
            for now, scalars in iterate(train, self.stream, optimiser, steps=updates, guard=guard):
                train = now
                pieces.append(scalars)
                if self.seconds is not None and before + perf_counter() - began >= self.seconds:
                    break
            row: Scalars = {"epoch": epoch} | self.row(epoch_scalars(pieces))
            best, measured = self._judged(train, state.best, epoch)
            spent = np.float64(0.0 if self.seconds is None else before + perf_counter() - began)
            state = StructureState(train, np.array(guard.seen, np.float64), best, spent)
            yield state, row | measured | {"seconds": perf_counter() - begun}

    def finish(self, state: StructureState, history: list[Scalars]) -> LearnedStructures:
        if self.held is None:
            return self._learned(learned(state.train, self.optimiser), history, len(history))
        return self._learned(state.best.model, history, int(state.best.epoch))

    def _learned(self, model: PyTree, history: list[Scalars], best: int) -> LearnedStructures:
        from dataclasses import replace

        return LearnedStructures(replace(self.blank, network=model.module), history, best)

    def _timed(self, spent: float) -> WeightAverage:
        """The optimiser, with a rate that follows the clock where there is a budget."""
        if self.seconds is None or self.largest_rate is None:
            return self.optimiser
        rate = TimedRate(self.largest_rate, self.seconds, spent)
        return WeightAverage(OptaxGradient(self.optimiser.optimiser.transform, rate), self.optimiser.decay)

    def row(self, scalars: dict[str, float], prefix: str = "") -> Scalars:
        """A line's numbers: the loss, errors in units, accuracies."""
        found: Scalars = {f"{prefix}loss": scalars["loss"]}
        for target in self.objective.targets:
            if target.name not in scalars:
                continue
            if target.kind == "classes":
                found[f"{prefix}accuracy"] = scalars[f"accuracy of {target.name}"]
            else:
                found[f"{prefix}{column_of(target)}"] = self._size(target) * math.sqrt(scalars[target.name])
        if "learning_rate" in scalars:
            found["learning_rate"] = scalars["learning_rate"]
        return found

    def _size(self, target: Target) -> float:
        """What one standardised error is, in the target's unit."""
        if target.kind in (ENERGY, FORCES, STRESS):
            return self.blank.scale
        return self.blank.standards[target.name].scale

    def _judged(self, train: TrainState, best: Best, epoch: int) -> tuple[Best, Scalars]:
        """The best so far, and what the structures held out say."""
        if self.held is None:
            return best, {}
        model = learned(train, self.optimiser)
        found = self.measured(model, self.held)
        if found["loss"] < float(best.value):
            best = Best(np.int64(epoch), np.float64(found["loss"]), model)
        return best, self.row(found, "validation_")

    def measured(self, model: PyTree, rows: Rows) -> dict[str, float]:
        """The loss and the means that it is made of, over rows."""
        total: dict[str, list[float]] = {}
        dtype = precision_of(model)
        for _, batch in all_batches(rows, self.rungs):
            found = _sums(model, batch._replace(positions=batch.positions.astype(dtype)), self.objective)
            for name, (value, count) in jax.device_get(found).items():
                sums = total.setdefault(name, [0.0, 0.0])
                sums[0] += float(value)
                sums[1] += float(count)
        means = {name: value / max(count, 1.0) for name, (value, count) in total.items()}
        loss, scalars = self.objective.total(means)
        return {"loss": float(loss)} | scalars


def column_of(target: Target) -> str:
    """What the error of a target is called in a line of metrics.

    >>> column_of(Target("forces", "forces", True, 3))
    'forces_error'
    """
    return f"{target.name}_error"


@eqx.filter_jit
def _sums(model: PyTree, batch: Batch, objective: StructureObjective) -> dict[str, tuple[Array, Array]]:
    batch = jax.tree.map(jnp.asarray, batch)
    return objective.sums(model, batch)
