r"""Learning a deep Boltzmann machine: `learn_deep_boltzmann`.

    fit = learn_deep_boltzmann(DBM((784, 500, 1000), key=key), images, epochs=100, binarise=True, key=key)
    fit.model, fit.history, fit.state

Joint training of all layers in the one loop, with the objective `DeepLikelihood`: mean field for the data,
persistent chains for the model (Salakhutdinov & Hinton 2009). Centred machines learn from scratch (Montavon &
Müller 2012); with `pretrain=10` each layer is trained first in 10 passes over the data, from the lowest up,
with the doubling that makes the parts fit (`doubling`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
from jax import Array

from intertwine._checks import fail, positive_int
from intertwine.boltzmann.beginning import begun
from intertwine.boltzmann.defaults import passes
from intertwine.boltzmann.objectives.deep_likelihood import DeepLikelihood
from intertwine.boltzmann.objectives.methods import PCD
from intertwine.boltzmann.training.doubling import pretrained
from intertwine.boltzmann.training.epochs import Fit, by_epochs, descent
from intertwine.boltzmann.training.learn import check_rows
from intertwine.learning.batches import Batches
from intertwine.learning.loop import TrainState, start
from intertwine.learning.optimiser import Optimiser
from intertwine.learning.schedules import Schedule
from intertwine.learning.stream import OverBatches
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.parameters import check_key

RATE = 0.05
"""Where the default learning rate begins for machines of discrete units."""


def learn_deep_boltzmann(
    model: DBM,
    data: Any,
    *,
    method: PCD | None = None,
    sweeps: int = 3,
    structured: bool = True,
    pretrain: int | None = None,
    epochs: int | None = None,
    batch: int = 100,
    learning_rate: Schedule | None = None,
    optimiser: Optimiser | None = None,
    centred: bool = True,
    weight_decay: float = 0.0,
    sparsity: tuple[float, float] | None = None,
    average: float | None = 0.999,
    binarise: bool = False,
    begin: str = "auto",
    key: Array,
    seed: int = 0,
    state: TrainState | None = None,
    progress: Callable[[TrainState, dict[str, float]], Any] | None = None,
) -> Fit:
    r"""Train `model` so that the variational bound on ln p(data) rises.

    method: PCD(chains, steps), the chains of the model's averages. sweeps: of the mean field, at each visit.
    structured: whether the posterior's upper layers follow draws of the lower ones (see `DeepLikelihood`).
    pretrain: passes over the data with which each layer is trained first; the biases and weights of `model`
        are then replaced. 0: the joint training begins at `model`. None: as many as of the joint training,
        and 0 where learning begins at `model` (`begin`), which has learned already.
    epochs: passes of the joint training; 10, and enough for 2000 updates, unless given.
    The others are those of `learn`. The history's scalars: `epoch`, `reconstruction_error` (mean square a
    column), `learning_rate`, `update_norm`, `seconds`. The bound itself needs ln Z: see `variational_bound`.

    Raises InputError for data that the units cannot have and settings out of range, and `Diverged` with the
    last good state where a run goes wrong.

    >>> import numpy as np
    >>> key = jax.random.key(0)
    >>> rows = np.repeat(np.array([[0, 0, 1], [1, 1, 0]], np.uint8), 50, axis=0)
    >>> fit = learn_deep_boltzmann(DBM((3, 2, 2), scale=0.1, key=key), rows, epochs=100, batch=10, key=key)
    >>> bool(fit.model(np.array([0, 0, 1])) > fit.model(np.array([0, 1, 1])))
    True
    """
    if not isinstance(model, DBM):
        raise fail("model", "a DBM", type(model).__name__, "RBMs have learn, DBNs learn_deep_belief")
    method = PCD() if method is None else method
    if not isinstance(method, PCD):
        raise fail("method", "PCD(chains=..., steps=...)", method)
    batches = data if isinstance(data, Batches) else Batches(data, batch, seed=seed, binarise=binarise)
    check_rows(model, batches)
    if not batches.single:
        raise fail("data", "rows alone", "rows and weights", "repeat rows instead")
    objective = DeepLikelihood(
        method.chains, method.steps, sweeps, structured, centred, weight_decay, sparsity
    )
    stream = OverBatches(objective, batches)
    epochs = passes(batches.per_epoch) if epochs is None else epochs
    updates = positive_int("epochs", epochs, "give the passes over the data") * batches.per_epoch
    discrete = all(layer.is_discrete for layer in model.layers)
    mover = descent(model, optimiser, learning_rate, average, updates, RATE if discrete else None)
    if state is None:
        first, rest = jax.random.split(check_key(key))
        there = begun(model, batches, begin)
        if pretrain is None:
            pretrain = 0 if there is model else epochs
        if pretrain:
            there = pretrained(model, batches, epochs=pretrain, chains=method.chains, key=first)
        model = there
        state = start(model, stream, mover, key=rest)
    return by_epochs(state, stream, mover, updates, progress=progress)
