r"""Learning a deep belief network: `learn_deep_belief`, greedy layers and up-down fine-tuning.

    fit = learn_deep_belief(DBN((784, 500, 784), key=key), images, epochs=60, binarise=True, key=key)
    fit.model, fit.history, fit.state

The layers are trained from the lowest up, each as an RBM on the hidden units of the one below (`stack`),
starting as that one turned upside down where its sizes allow. Each then raises, or keeps, the bound

    E_q[ln p(v, h) − ln q(h|v)] ≤ ln p(v)      (`belief_bound`)

on the mean log-likelihood (Hinton, Osindero & Teh 2006). `up_down` epochs of the wake-sleep algorithm
(`up_down`) then move all layers together, and the recognition weights away from the generative ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax import Array

from intertwine._checks import fail, positive_int
from intertwine.boltzmann.defaults import passes as default_passes
from intertwine.boltzmann.objectives.kl import KL
from intertwine.boltzmann.objectives.methods import PCD
from intertwine.boltzmann.objectives.up_down import UpDown
from intertwine.boltzmann.training.epochs import Fit, by_epochs, descent
from intertwine.boltzmann.training.learn import check_rows
from intertwine.boltzmann.training.stack import can_transpose, learn_above, transposed, upward_layers
from intertwine.learning.batches import Batches
from intertwine.learning.loop import TrainState, start
from intertwine.learning.stream import OverBatches
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.machines.rbm import RBM
from intertwine.models.parameters import check_key

UP_DOWN_RATE = 0.01
"""Where the default learning rate of up-down fine-tuning begins."""
WARM_UP = 1000
"""Sweeps of the chains of a machine that has learned before, ahead of its first update."""

Progress = Callable[[Any, dict[str, float]], Any]


def learn_deep_belief(
    model: DBN,
    data: Any,
    *,
    epochs: int | Sequence[int] | None = None,
    trained: Sequence[RBM] = (),
    transpose: bool = True,
    means: bool = False,
    refresh: int = 1,
    up_down: int = 0,
    method: Any = None,
    batch: int = 100,
    binarise: bool = False,
    progress: Progress | None = None,
    key: Array,
    **settings: Any,
) -> Fit:
    r"""Train `model` greedily, then by `up_down` epochs of fine-tuning.

    model: gives the sizes, the kinds of units and the initial parameters; each layer is its recognition
        weights and the two biases beside them, the topmost its RBM.
    data: (rows, N). epochs: of every layer, or a number for each; 10, and enough for
        2000 updates, unless given. trained: machines for the lowest layers
        that are trained already and stay as they are.
    transpose: a layer that can starts as the one below turned upside down, not as in `model`.
    means, refresh: what a layer learns of the one below (`stack.learn_above`).
    method, settings: as for `learn`, for every layer; the top RBM's method in `up_down`. Unless given,
        PCD(), whose chains are warmed up where a layer starts as a trained machine.
    progress: called after each epoch with the state and the scalars, among them `layer` from 1 up, 0 for the
        up-down epochs.

    The history has these scalars of all epochs. The state is that of the last stage.

    Raises InputError for data that the units cannot have and settings out of range.

    >>> import numpy as np
    >>> key = jax.random.key(0)
    >>> rows = np.repeat(np.array([[0, 0, 1], [1, 1, 0]], np.uint8), 50, axis=0)
    >>> fit = learn_deep_belief(DBN((3, 2, 3), key=key), rows, epochs=100, batch=10, key=key)
    >>> bool(fit.model.log_probability([[0, 0, 1], [1, 1, 0]]).mean() > -1.2)      # from −3 ln 2
    True
    """
    batches = Batches(data, batch, binarise=binarise)
    _check(model, batches)
    rbms, key = _machines(model), check_key(key)
    of_layers = _passes(default_passes(batches.per_epoch) if epochs is None else epochs, len(rbms))
    below = _trained(trained, rbms)
    history: list[dict[str, float]] = []
    state = None
    for level in range(len(below), len(rbms)):
        rbm, first, of_layer = rbms[level], jax.random.fold_in(key, level), method
        begin = "auto"
        if transpose and below and can_transpose(below[-1], rbm):
            rbm = transposed(below[-1], rbm.hidden, key=jax.random.fold_in(first, 1))
            of_layer, begin = method or PCD(warm_up=WARM_UP), "model"
        fit = learn_above(
            rbm, upward_layers(below), data, epochs=of_layers[level], refresh=refresh, means=means,
            method=of_layer, batch=batch, binarise=binarise, progress=_tagged(progress, level + 1), key=first,
            **{"begin": begin} | settings,
        )  # fmt: skip
        below, state = [*below, fit.model], fit.state
        history.extend(row | {"layer": level + 1} for row in fit.history)
    found = DBN.from_rbms(below)
    if not up_down:
        return Fit(found, history, state)  # type: ignore[arg-type]
    last = learn_up_down(
        found, data, epochs=up_down, method=method, batch=batch, binarise=binarise,
        progress=_tagged(progress, 0), key=jax.random.fold_in(key, len(rbms)),
    )  # fmt: skip
    return last._replace(history=history + [row | {"layer": 0} for row in last.history])


def learn_up_down(
    model: DBN,
    data: Any,
    *,
    method: Any = None,
    epochs: int = 10,
    batch: int = 100,
    learning_rate: Any = None,
    optimiser: Any = None,
    recognition: float = 1.0,
    generative: float = 1.0,
    centred: bool = True,
    weight_decay: float = 0.0,
    average: float | None = 0.999,
    binarise: bool = False,
    key: Array,
    seed: int = 0,
    state: TrainState | None = None,
    progress: Progress | None = None,
) -> Fit:
    r"""Fine-tune all layers of `model` together by the contrastive wake-sleep algorithm (`up_down`).

    learning_rate: by default along a straight line from 0.01 to a thousandth of it. recognition, generative:
    shares of it for the recognition and the directed generative layers. method, centred, weight_decay: of the
    RBM on top. The rest as for `learn`.

    Raises InputError for data that the units cannot have and settings out of range, and `Diverged` with the
    last good state where a run goes wrong.
    """
    batches = data if isinstance(data, Batches) else Batches(data, batch, seed=seed, binarise=binarise)
    _check(model, batches)
    top = KL(PCD(warm_up=WARM_UP) if method is None else method, centred, weight_decay=weight_decay)
    stream = OverBatches(UpDown(top, recognition, generative), batches)
    updates = positive_int("epochs", epochs, "give the passes over the data") * batches.per_epoch
    mover = descent(model, optimiser, learning_rate, average, updates, UP_DOWN_RATE)
    if state is None:
        state = start(model, stream, mover, key=check_key(key))
    return by_epochs(state, stream, mover, updates, progress=progress)


def _check(model: Any, batches: Batches) -> None:
    if not isinstance(model, DBN):
        raise fail("model", "a DBN", type(model).__name__, "for example it.DBN((784, 500, 500), key=key)")
    if not batches.single:
        raise fail("data", "one array of rows (rows, N)", f"{len(batches.arrays)} arrays")
    check_rows(model, batches)


def _machines(model: DBN) -> list[RBM]:
    """Each layer of the network as an RBM, with its recognition weights."""
    rbms = [
        RBM.from_parameters(
            down.bias,
            up.bias,
            up.weights,
            units=down.layer.spec,
            hidden_units=up.layer.spec,
            log_variance=down.layer.log_variance,
        )
        for down, up in zip(model.generative, model.recognition, strict=True)
    ]
    return [*rbms, model.top]


def _passes(epochs: Any, layers: int) -> list[int]:
    remedy = "give one number, or one for each layer"
    many = list(epochs) if isinstance(epochs, list | tuple) else [epochs] * layers
    if len(many) != layers:
        raise fail("epochs", f"a number, or {layers} of them, one a layer", epochs, remedy)
    return [positive_int("epochs", count, remedy) for count in many]


def _trained(trained: Sequence[RBM], rbms: list[RBM]) -> list[RBM]:
    given: list[RBM] = [trained] if isinstance(trained, RBM) else list(trained)  # type: ignore[list-item]
    fits = len(given) <= len(rbms) and all(
        isinstance(a, RBM) and (a.visible_layer, a.hidden_layer) == (b.visible_layer, b.hidden_layer)
        for a, b in zip(given, rbms, strict=False)
    )
    if not fits:
        raise fail("trained", "RBMs with the sizes and units of the lowest layers of the model", trained)
    return given


def _tagged(progress: Progress | None, layer: int) -> Progress | None:
    if progress is None:
        return None
    return lambda state, row: progress(state, row | {"layer": layer})
