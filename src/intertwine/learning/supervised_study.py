r"""Learning from labels as a study: a line is an epoch, after which the held-out data are measured.

`fit_supervised` carries it out in one call, the command `classify` with a folder beside it, and
`learn_classifier` for a Boltzmann machine with a label; the same data, settings and key give the same numbers
in each. The best parameters so far are part of the state, so that early stopping outlives an interruption.

Batch norms take the statistics of the batch in training. Those that a network is measured and given back with
are taken anew from training data, without dropout: running means of the batches belong to the parameters of
some updates ago, and dropout widens what they see (the "variance shift" of Li et al., CVPR 2019).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jax import Array
from jaxtyping import PyTree

from intertwine._checks import fail, one_of, positive_int
from intertwine.layers.norms.calibration import batch_norms, calibrated
from intertwine.learning.batches import Batches
from intertwine.learning.epochs import epoch_scalars, learned
from intertwine.learning.guard import Guard, Watched
from intertwine.learning.labels.augmentation import Shown
from intertwine.learning.labels.class_scores import mean_loss
from intertwine.learning.labels.labelled import Labelled
from intertwine.learning.loop import TrainState, iterate, start
from intertwine.learning.stream import OverBatches, prepared
from intertwine.learning.study import Scalars, Study
from intertwine.learning.supervised import Conditional, Supervised
from intertwine.models.network import Network
from intertwine.models.parameters import check_key

if TYPE_CHECKING:
    from intertwine.layers.depth.start import CriticalStart
    from intertwine.learning.optimiser import Optimiser

STATISTICS = 2000
"""Examples, about, that batch-norm statistics are taken from."""

WATCHED = ("loss", "accuracy")
_OF_TRAINING = ("loss", "accuracy", "learning_rate")


class SupervisedFit(NamedTuple):
    """model: with the best parameters by the held-out data, or the last ones without such data.

    history: a dict an epoch: epoch, loss, accuracy (means over the epoch's mini-batches while the parameters
        moved), validation_loss, validation_accuracy, learning_rate, seconds.
    best: the epoch (from 1) whose parameters `model` has. state: of the loop, to go on from.
    classes: the names of the classes, where labels were words; a network of this library keeps them itself.
    start: what a start at criticality found and changed, None without one.
    """

    model: Any
    history: list[dict[str, float]]
    best: int
    state: TrainState
    classes: tuple[str, ...] | None = None
    start: CriticalStart | None = None


class Best(NamedTuple):
    """epoch: from 1, 0 before any was judged. value: the lowest of what is watched (minus the accuracy).
    model: with the parameters of then, () without held-out data."""

    epoch: Any
    value: Any
    model: Any


class SupervisedState(NamedTuple):
    """train: of the loop. seen: what the guard against divergence remembers, float64 (6,). best: so far."""

    train: TrainState
    seen: np.ndarray
    best: Best


class SupervisedStudy(Study[SupervisedState, SupervisedFit]):
    """`epochs` passes over `data` in mini-batches, or fewer with `patience`.

    model: what the loop moves. objective: `Supervised`, or one that has it as `supervised`. held: measured
    after each epoch, or None. seed: of the order of the batches. patience, watch: see `fit_supervised`.
    augment: shows the data of an epoch, or None. names: of the classes, or None. critical: where the model
    was brought to criticality, how. track: what is measured of the network after each epoch besides.
    """

    def __init__(
        self,
        model: PyTree,
        objective: PyTree,
        data: Labelled,
        held: Labelled | None,
        optimiser: Optimiser,
        *,
        epochs: int,
        batch: int,
        seed: int,
        key: Array,
        patience: int | None = None,
        watch: str = "loss",
        binarise: bool = False,
        augment: Shown | None = None,
        names: tuple[str, ...] | None = None,
        critical: CriticalStart | None = None,
        track: Callable[[PyTree], Scalars] | None = None,
    ):
        self.objective, self.judge = objective, _judge(objective)
        check_stopping(watch, patience, held is not None, self.judge.classifies)
        self.data, self.held, self.optimiser, self.key = data, held, optimiser, key
        self.lines, self.patience, self.watch = epochs, patience, watch
        self.augment, self.names, self.critical, self.track = augment, names, critical, track
        self.stream = OverBatches(objective, Batches(tuple(data), batch, seed=seed, binarise=binarise))
        self.begin = model

    def start(self) -> SupervisedState:
        train = start(self.begin, self.stream, self.optimiser, key=self.key)
        kept = () if self.held is None else self.begin
        return SupervisedState(train, np.array(Watched(), np.float64), Best(np.int64(0), np.inf, kept))

    def template(self, done: int) -> SupervisedState:
        return self.start()

    def iterate(self, state: SupervisedState, done: int) -> Iterator[tuple[SupervisedState, Scalars]]:
        guard = Guard.remembering(state.seen)
        for epoch in range(done + 1, self.lines + 1):
            if self.patience is not None and epoch - 1 - int(state.best.epoch) >= self.patience:
                return
            begun, train, pieces = perf_counter(), state.train, []
            stream, updates = self._shown(epoch), self.stream.batches.per_epoch
            for now, scalars in iterate(train, stream, self.optimiser, steps=updates, guard=guard):
                train = now
                pieces.append(scalars)
            of_epoch = epoch_scalars(pieces)
            row: Scalars = {"epoch": epoch} | {k: of_epoch[k] for k in _OF_TRAINING if k in of_epoch}
            best, measured = self._judged(train, state.best, epoch)
            if self.track is not None:
                measured = measured | self.track(self.network(learned(train, self.optimiser)).module)
            state = SupervisedState(train, np.array(guard.seen, np.float64), best)
            yield state, row | measured | {"seconds": perf_counter() - begun}

    def finish(self, state: SupervisedState, history: list[Scalars]) -> SupervisedFit:
        train, best = state.train, state.best
        if self.held is None:
            epochs = int(train.objective_state.position) // self.stream.batches.per_epoch
            return self._fit(self._settled(learned(train, self.optimiser)), history, epochs, train)
        return self._fit(best.model, history, int(best.epoch), train)

    def network(self, model: PyTree) -> Network:
        """What is measured of a model."""
        return model.network if isinstance(model, Conditional) else model

    def result(self, model: PyTree) -> Any:
        """A model as it is given back, with the names of its classes where it keeps them."""
        module = self.network(model).module
        return module.named(self.names) if self.names is not None and hasattr(module, "named") else module

    def _fit(self, model: PyTree, history: list[Scalars], best: int, train: TrainState) -> SupervisedFit:
        return SupervisedFit(self.result(model), history, best, train, self.names, self.critical)

    def _shown(self, epoch: int) -> OverBatches:
        """The data of an epoch (from 1)."""
        if self.augment is None:
            return self.stream
        own = self.stream.batches
        shown = self.augment(self.data.x, epoch - 1), self.data.y
        return OverBatches(self.objective, Batches(shown, own.batch, seed=own.seed, binarise=own.binarise))

    def _judged(self, train: TrainState, best: Best, epoch: int) -> tuple[Best, Scalars]:
        """The best so far, and what the held-out data say."""
        if self.held is None:
            return best, {}
        model = self._settled(learned(train, self.optimiser))
        found = mean_loss(self.network(model).at_rest(), self.judge, self.held)
        value = found["loss"] if self.watch == "loss" else -found["accuracy"]
        if value < float(best.value):
            best = Best(np.int64(epoch), np.float64(value), model)
        return best, {f"validation_{name}": number for name, number in found.items()}

    def _settled(self, model: PyTree) -> Any:
        """A model whose batch norms have the statistics of (part of) the training data, at rest, at its
        parameters."""
        module = self.network(model).module
        if not batch_norms(module):
            return model
        batches = self.stream.batches
        count = min(batches.per_epoch, math.ceil(STATISTICS / batches.batch))
        keys = (jax.random.fold_in(self.key, i) for i in range(count))
        rows = [prepared(batches.at(i), model, batches.binarise, key)[0] for i, key in enumerate(keys)]
        network = Network.of(calibrated(module, np.concatenate(rows), batch=batches.batch))
        return eqx.tree_at(lambda m: m.network, model, network) if isinstance(model, Conditional) else network


def key_and_seed(key: Array) -> tuple[Array, int]:
    """(the key of a study, the seed of everything that NumPy draws: orders, held-out rows, copies)."""
    own, order_key = jax.random.split(check_key(key))
    return own, int(jax.random.randint(order_key, (), 0, 2**31 - 1))


def check_stopping(watch: str, patience: int | None, held_out: bool, classifies: bool) -> None:
    """Raise `InputError` for a rule to stop by that cannot be."""
    one_of("watch", watch, WATCHED if classifies else WATCHED[:1])
    if patience is not None:
        positive_int("patience", patience, "give the epochs without a better value, or None")
        if not held_out:
            raise fail("patience", "None without held-out data", patience, "give validation=0.1")


def _judge(objective: PyTree) -> Supervised:
    return objective if isinstance(objective, Supervised) else objective.supervised
