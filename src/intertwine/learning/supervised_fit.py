r"""Learning from labels in one call: the one loop, held-out data, early stopping, the best parameters kept.

    fit = it.fit_supervised(model, images, labels, epochs=20, validation=0.1, patience=3, key=key)
    fit.model, fit.history, fit.best

The study is `SupervisedStudy`, which the command `classify` runs too; `supervised_study` makes it for both.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial

import jax
import numpy as np
from jax import Array
from jaxtyping import PyTree
from numpy.typing import ArrayLike

from intertwine._checks import fail, one_of, positive_int
from intertwine.layers.depth.start import critical_start
from intertwine.layers.networks.numbers import check_numbers
from intertwine.learning.gradient import as_optimiser
from intertwine.learning.labels.augmentation import augmentation
from intertwine.learning.labels.class_names import named_from, names_of, numbered
from intertwine.learning.labels.class_scores import check_shapes
from intertwine.learning.labels.defaults import BATCH, EPOCHS, default_optimiser
from intertwine.learning.labels.held_out import held_out
from intertwine.learning.labels.labelled import examples, labelled
from intertwine.learning.study import carry_out
from intertwine.learning.supervised import Conditional, Loss, Supervised
from intertwine.learning.supervised_study import SupervisedFit, SupervisedStudy, key_and_seed
from intertwine.models.network import Network

STARTS = ("given", "critical")
"""From where a network is learned: its own parameters, or these at criticality."""
_START = 2**30


def fit_supervised(
    model: PyTree,
    x: ArrayLike,
    y: ArrayLike,
    *,
    loss: Loss = "cross-entropy",
    optimiser: PyTree = None,
    epochs: int = EPOCHS,
    batch: int = BATCH,
    validation: PyTree = None,
    patience: int | None = None,
    watch: str = "loss",
    smoothing: float = 0.0,
    decay: float = 0.0,
    noise: float | None = None,
    binarise: bool = False,
    augment: PyTree = None,
    start: str = "given",
    track: Callable[[PyTree], dict[str, float]] | None = None,
    key: Array,
    progress: Callable[[dict[str, float]], object] | None = None,
) -> SupervisedFit:
    r"""Learn p(y|x), or y(x), from labelled examples.

    model: an equinox module of one example → outputs (scores of the classes, or values), or
        `FunctionNetwork(function, parameters)`; it gets a `key` if it takes one (dropout). An earlier fit, or
        a classifying run that was loaded, goes on from its own.
    x: (rows, ...) numbers, in memory or a memory map. y: labels 0 … C−1 or words (rows,), class probabilities
        (rows, C), a label at each place (rows, *places) for a network that gives scores there, such as a
        U-Net, or values (rows, K). Words are numbered as the network's `classes`, or in their own order.
    loss, smoothing, decay, noise: see `Supervised`; losses are in nats.
    optimiser: AdamW with a rate that rises and falls by default (`learning.labels.defaults`); any optax
        transformation, `OptaxGradient`, `WeightAverage` or `NaturalGradient` as well.
    epochs, batch: passes over the data, rows a mini-batch; every epoch has a new order.
    validation: held-out data (x, y), or the share of the rows that is held out, of each class its share.
        patience: stop after so many epochs on end without a better `watch`, "loss" or "accuracy", of the
        held-out data.
    binarise: x are probabilities, and every visit of an example draws new 0/1 values.
    augment: a function (x, epoch from 0) → what is shown in that epoch, of the same shape; or, for images
        (rows, X, X, channels), "rotations", "rotations+shifts" or "deformations".
    start: "given", the parameters that the network has, or "critical", rescaled first so that its kernel
        neither grows nor dies with depth (`it.layers.critical_start`); the result's `start` tells.
    track: of the network after each epoch, a dict of further entries of its row, such as
        `it.conserved(model).since(model)`.
    progress: called with the history's dict after every epoch; where it raises `StopIteration`, that epoch
        is the last one.

    Raises InputError for data or labels that cannot be learned from, and `Diverged` with the last good state.

    >>> import jax, equinox as eqx
    >>> x = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> key = jax.random.key(0)
    >>> fit = fit_supervised(eqx.nn.Linear(1, 2, key=key), x, [0, 0, 1, 1], epochs=3, batch=2, key=key)
    >>> len(fit.history), fit.best, sorted(fit.history[0])[:3]
    (3, 3, ['accuracy', 'epoch', 'learning_rate'])
    """
    study = supervised_study(
        model, x, y, loss=loss, optimiser=optimiser, epochs=epochs, batch=batch, validation=validation,
        patience=patience, watch=watch, smoothing=smoothing, decay=decay, noise=noise, binarise=binarise,
        augment=augment, start=start, track=track, key=key,
    )  # fmt: skip
    return carry_out(study, progress=None if progress is None else lambda _, row: progress(row))


def supervised_study(
    model: PyTree,
    x: ArrayLike,
    y: ArrayLike,
    *,
    loss: Loss = "cross-entropy",
    optimiser: PyTree = None,
    epochs: int = EPOCHS,
    batch: int = BATCH,
    validation: PyTree = None,
    patience: int | None = None,
    watch: str = "loss",
    smoothing: float = 0.0,
    decay: float = 0.0,
    noise: float | None = None,
    binarise: bool = False,
    augment: PyTree = None,
    start: str = "given",
    track: Callable[[PyTree], dict[str, float]] | None = None,
    key: Array,
) -> SupervisedStudy:
    """What `fit_supervised` carries out, with the same arguments. optimiser: may be a function of the number
    of updates as well, as `default_optimiser` is."""
    objective = Supervised(loss, float(smoothing), float(decay), None if noise is None else float(noise))
    network = Network.of(model)
    epochs = positive_int("epochs", epochs, "give the passes over the data")
    x = examples(x)
    check_numbers(x, network.module)
    outputs, places = check_shapes(network, x, objective, y)
    names = names_of(network)
    if objective.classifies:
        names = names if names is not None else named_from(y, outputs)
        y = numbered(y, names)
    data = labelled(x, y, outputs, classes=objective.classifies, places=places)
    critical = None
    if one_of("start", start, STARTS) == "critical":
        critical = critical_start(network.module, x, key=jax.random.fold_in(key, _START))
        network = Network.of(critical.model)
    key, seed = key_and_seed(key)
    data, held = held_out(data, validation, outputs, objective, seed, places=places, names=names)
    batch = min(positive_int("batch", batch, "give the rows of a mini-batch"), len(data.x))
    if optimiser is None:
        optimiser = default_optimiser
    by_updates = inspect.isfunction(optimiser) or isinstance(optimiser, partial)
    updates = epochs * (len(data.x) // batch)
    optimiser = optimiser(updates) if by_updates else as_optimiser(optimiser)
    if places and not hasattr(optimiser, "update"):
        raise fail("optimiser", "OptaxGradient for labels at every place", type(optimiser).__name__)
    first = network if hasattr(optimiser, "update") else conditional(network, objective, x)
    return SupervisedStudy(
        first, objective, data, held, optimiser, epochs=epochs, batch=batch, seed=seed, key=key,
        patience=patience, watch=watch, binarise=binarise, names=names,
        augment=augmentation(augment, seed=seed, network=network.module), critical=critical,
        track=track,
    )  # fmt: skip


def conditional(network: Network, objective: Supervised, x: np.ndarray) -> Conditional:
    """ln p(y|x) of a network, for an optimiser that takes the metric."""
    return Conditional(network, objective.loss, objective.noise, tuple(x.shape[1:]))
