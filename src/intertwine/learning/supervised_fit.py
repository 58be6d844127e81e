r"""Learning from labels in one call: the one loop, held-out data, early stopping, the best parameters kept.

    fit = it.fit_supervised(model, images, labels, epochs=20, validation=0.1, patience=3, key=key)
    fit.model, fit.history, fit.best

An epoch at a time goes through `learning.loop.iterate`; after each the held-out data are measured. Batch
norms take the statistics of the batch in training. Those that a network is measured and given back with are
taken anew from training data, without dropout: running means of the batches belong to the parameters of some
updates ago, and dropout widens what they see (the "variance shift" of Li et al., CVPR 2019).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from time import perf_counter
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jax import Array

from intertwine._checks import fail, one_of, positive_int
from intertwine.layers.norms.calibration import batch_norms, calibrated
from intertwine.learning.batches import Batches
from intertwine.learning.gradient import OptaxGradient, as_optimiser
from intertwine.learning.guard import Guard
from intertwine.learning.labels.class_names import named_from, names_of, numbered
from intertwine.learning.labels.class_scores import check_shapes, mean_loss
from intertwine.learning.labels.labelled import Labelled, examples, labelled, split
from intertwine.learning.loop import TrainState, iterate, start
from intertwine.learning.stream import OverBatches, prepared
from intertwine.learning.supervised import Conditional, Loss, Supervised
from intertwine.models.network import Network
from intertwine.models.parameters import check_key

STATISTICS = 2000
"""Examples, about, that batch-norm statistics are taken from."""


class SupervisedFit(NamedTuple):
    """model: with the best parameters by the held-out data, or the last ones without such data.

    history: a dict an epoch: epoch, loss, accuracy (means over the epoch's mini-batches while the parameters
        moved), validation_loss, validation_accuracy, learning_rate, seconds.
    best: the epoch (from 1) whose parameters `model` has. state: of the loop, to go on from.
    classes: the names of the classes, where labels were words; a network of this library keeps them itself.
    """

    model: Any
    history: list[dict[str, float]]
    best: int
    state: TrainState
    classes: tuple[str, ...] | None = None


def fit_supervised(
    model: Any,
    x: Any,
    y: Any,
    *,
    loss: Loss = "cross-entropy",
    optimiser: Any = None,
    epochs: int = 10,
    batch: int = 100,
    validation: Any = None,
    patience: int | None = None,
    watch: str = "loss",
    smoothing: float = 0.0,
    decay: float = 0.0,
    noise: float | None = None,
    binarise: bool = False,
    key: Array,
    progress: Callable[[dict[str, float]], Any] | None = None,
) -> SupervisedFit:
    r"""Learn p(y|x), or y(x), from labelled examples.

    model: an equinox module of one example → outputs (scores of the classes, or values), or
        `FunctionNetwork(function, parameters)`; it gets a `key` if it takes one (dropout).
    x: (rows, ...) numbers, in memory or a memory map. y: labels 0 … C−1 or words (rows,), class probabilities
        (rows, C), a label at each place (rows, *places) for a network that gives scores there, such as a
        U-Net, or values (rows, K). Words are numbered as the network's `classes`, or in their own order.
    loss, smoothing, decay, noise: see `Supervised`; losses are in nats.
    optimiser: OptaxGradient(optax.adam(1e-3)) by default; `WeightAverage` or `NaturalGradient` as well.
    epochs, batch: passes over the data, rows a mini-batch; every epoch has a new order.
    validation: held-out data (x, y), or the share of the rows that is held out. patience: stop after so many
        epochs on end without a better `watch`, "loss" or "accuracy", of the held-out data.
    binarise: x are probabilities, and every visit of an example draws new 0/1 values.
    progress: called with the history's dict after every epoch.

    Raises InputError for data or labels that cannot be learned from, and `Diverged` with the last good state.

    >>> import equinox as eqx
    >>> x = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> key = jax.random.key(0)
    >>> fit = fit_supervised(eqx.nn.Linear(1, 2, key=key), x, [0, 0, 1, 1], epochs=3, batch=2, key=key)
    >>> len(fit.history), fit.best, sorted(fit.history[0])[:3]
    (3, 3, ['accuracy', 'epoch', 'loss'])
    """
    objective = Supervised(loss, float(smoothing), float(decay), None if noise is None else float(noise))
    network = Network.of(model)
    epochs = positive_int("epochs", epochs, "give the passes over the data")
    x = examples(x)
    outputs, places = check_shapes(network, x, objective, y)
    names = names_of(network)
    if objective.classifies:
        names = names if names is not None else named_from(y, outputs)
        y = numbered(y, names)
    data = labelled(x, y, outputs, classes=objective.classifies, places=places)
    init_key, order_key = jax.random.split(check_key(key))
    seed = int(jax.random.randint(order_key, (), 0, 2**31 - 1))
    data, held = held_out(data, validation, outputs, objective, seed, places=places, names=names)
    stopping = Stopping(watch, patience, held is not None, objective.classifies)
    optimiser = default_optimiser() if optimiser is None else as_optimiser(optimiser)
    if places and not hasattr(optimiser, "update"):
        raise fail("optimiser", "OptaxGradient for labels at every place", type(optimiser).__name__)
    stream = OverBatches(objective, Batches(tuple(data), batch, seed=seed, binarise=binarise))
    first = network if hasattr(optimiser, "update") else _conditional(network, objective, x)
    state = start(first, stream, optimiser, key=init_key)

    def measure(model: Any) -> dict[str, float]:
        return {} if held is None else mean_loss(_network(model).at_rest(), objective, held)

    def settle(model: Any) -> Any:
        return _with_statistics(model, stream, init_key)

    history, state = run_epochs(state, stream, optimiser, epochs, measure, stopping, progress, settle)
    fitted = _network(stopping.kept).module
    if names is not None and hasattr(fitted, "named"):
        fitted = fitted.named(names)
    return SupervisedFit(fitted, history, stopping.best, state, names)


def run_epochs(
    state: TrainState,
    stream: OverBatches,
    optimiser: Any,
    epochs: int,
    measure: Callable[[Any], dict[str, float]],
    stopping: Stopping,
    progress: Callable[[dict[str, float]], Any] | None,
    settle: Callable[[Any], Any] = lambda model: model,
) -> tuple[list[dict[str, float]], TrainState]:
    """Epochs until `stopping` says so, which keeps the best model: (history, state). `measure` gives a
    model's values on the held-out data, {} without such; `settle` makes a model fit to predict."""
    guard, history = Guard(), []
    for epoch in range(1, epochs + 1):
        begun = perf_counter()
        state, row = _epoch(state, stream, optimiser, guard)
        current = state.model
        if hasattr(optimiser, "averaged"):
            current = optimiser.averaged(current, state.optimiser_state)
        if stopping.held_out:
            current = settle(current)
        row |= {f"validation_{name}": value for name, value in measure(current).items()}
        row = {"epoch": epoch} | row | {"seconds": perf_counter() - begun}
        history.append(row)
        enough = stopping.done(epoch, row, current)
        if progress is not None:
            try:
                progress(row)
            except StopIteration:
                break
        if enough:
            break
    if not stopping.held_out:
        stopping.kept = settle(stopping.kept)
    return history, state


@lru_cache(maxsize=1)
def default_optimiser() -> OptaxGradient:
    """Adam with rate 1e-3; one object, so that it is compiled once."""
    import optax

    return OptaxGradient(optax.adam(1e-3))


def _epoch(state: Any, stream: OverBatches, optimiser: Any, guard: Guard) -> tuple[Any, dict[str, float]]:
    """One pass: the state after it, and means of what was measured."""
    totals: dict[str, float] = {}
    row: dict[str, float] = {}
    count = stream.batches.per_epoch
    for later, scalars in iterate(state, stream, optimiser, steps=count, guard=guard):
        state = later
        for name in ("loss", "accuracy"):
            if name in scalars:
                totals[name] = totals.get(name, 0.0) + scalars[name] * scalars.get("updates", 1) / count
        row = {name: scalars[name] for name in ("learning_rate",) if name in scalars}
    return state, totals | row


def _with_statistics(model: Any, stream: OverBatches, key: Array) -> Any:
    """A model whose batch norms have the statistics of (part of) the training data, at rest, at its
    parameters."""
    module = _network(model).module
    if not batch_norms(module):
        return model
    batches = stream.batches
    count = min(batches.per_epoch, -(-STATISTICS // batches.batch))
    rows = [
        prepared(batches.at(i), model, batches.binarise, jax.random.fold_in(key, i))[0] for i in range(count)
    ]
    network = Network.of(calibrated(module, np.concatenate(rows), batch=batches.batch))
    return eqx.tree_at(lambda m: m.network, model, network) if isinstance(model, Conditional) else network


def _network(model: Any) -> Network:
    return model.network if isinstance(model, Conditional) else model


def _conditional(network: Network, objective: Supervised, x: np.ndarray) -> Conditional:
    return Conditional(network, objective.loss, objective.noise, tuple(x.shape[1:]))


def held_out(
    data: Labelled,
    validation: Any,
    outputs: int,
    objective: Supervised,
    seed: int,
    *,
    places: tuple[int, ...] = (),
    names: tuple[str, ...] | None = None,
) -> tuple[Labelled, Labelled | None]:
    """(training, held-out data) for what `validation` says: None, a share, or (x, y)."""
    if validation is None:
        return data, None
    if isinstance(validation, float | int):
        return split(data, float(validation), seed=seed)
    if not isinstance(validation, tuple | list) or len(validation) != 2:
        remedy = "for example validation=0.1"
        raise fail(
            "validation", "held-out data (x, y), or the share of the rows", type(validation).__name__, remedy
        )
    argument = ("validation[0]", "validation[1]")
    held_x, held_y = validation
    if objective.classifies:
        held_y = numbered(held_y, names, argument[1])
    held = labelled(held_x, held_y, outputs, classes=objective.classifies, argument=argument, places=places)
    if held.x.shape[1:] != data.x.shape[1:]:
        raise fail(argument[0], f"examples of shape {data.x.shape[1:]}, as in x", f"shape {held.x.shape[1:]}")
    return data, held


@dataclass
class Stopping:
    """Remembers the best parameters, and says when nothing better has come for `patience` epochs."""

    watch: str
    patience: int | None
    held_out: bool
    classifies: bool
    best: int = field(default=0, init=False)
    kept: Any = field(default=None, init=False)
    lowest: float = field(default=math.inf, init=False)

    def __post_init__(self) -> None:
        one_of("watch", self.watch, ("loss", "accuracy") if self.classifies else ("loss",))
        if self.patience is not None:
            positive_int("patience", self.patience, "give the epochs without a better value, or None")
            if not self.held_out:
                raise fail("patience", "None without held-out data", self.patience, "give validation=0.1")

    def done(self, epoch: int, row: dict[str, float], model: Any) -> bool:
        if not self.held_out:
            self.best, self.kept = epoch, model
            return False
        value = row["validation_loss"] if self.watch == "loss" else -row["validation_accuracy"]
        if value < self.lowest:
            self.lowest, self.best, self.kept = value, epoch, model
        return self.patience is not None and epoch - self.best >= self.patience
