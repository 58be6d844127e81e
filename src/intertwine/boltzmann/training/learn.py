r"""Learning a distribution: `learn` trains a restricted Boltzmann machine on data.

    fit = learn(rbm, images, method=PCD(chains=500), epochs=60, batch=500, key=key)
    fit.model, fit.history, fit.state

It is the training loop of the library (`learning.loop`) with the objective `KL` over `Batches`: gradient
descent with a falling learning rate, and an average of the parameters beside it, which is the result. An
average is worth more than any other setting: it takes the noise of the chains out of the parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax import Array

from intertwine._checks import fail, positive_int
from intertwine.boltzmann.beginning import unseen_means
from intertwine.boltzmann.course import course
from intertwine.boltzmann.defaults import AVERAGE, BATCH
from intertwine.boltzmann.known_entries import log_known
from intertwine.boltzmann.objectives.kl import KL
from intertwine.boltzmann.training.epochs import Fit, by_epochs, descent
from intertwine.data.dataset import Dataset, binarise as drawn_once
from intertwine.learning.batches import Batches, blocks, check_known, has_missing, host_array
from intertwine.learning.epochs import learned
from intertwine.learning.loop import TrainState, start
from intertwine.learning.optimiser import Optimiser
from intertwine.learning.schedules import Schedule
from intertwine.learning.stream import OverBatches
from intertwine.sampling.missing import SWEEPS

VALIDATION_ROWS = 10_000


def learn(
    model: Any,
    data: Any,
    *,
    method: Any = None,
    epochs: int | None = None,
    batch: int = BATCH,
    learning_rate: Schedule | None = None,
    optimiser: Optimiser | None = None,
    centred: bool = True,
    standardised: bool = False,
    weight_decay: float = 0.0,
    l1: float = 0.0,
    sparsity: tuple[float, float] | None = None,
    average: float | None = AVERAGE,
    binarise: bool = False,
    validation: Any = None,
    begin: str = "auto",
    key: Array,
    seed: int = 0,
    state: TrainState | None = None,
    progress: Callable[[TrainState, dict[str, float]], Any] | None = None,
) -> Fit:
    r"""Train `model`, an RBM with real parameters, so that p_λ(v) comes near the distribution of `data`.

    data: a `Dataset` (its rows to learn from with their weights, grey ones binarised); or (rows, N) values of
        the visible units, booleans, integers or floats, in memory or a memory map, also as a data frame, a
        masked array, a sparse matrix or lists; or (data, weights) with weights (rows,) for the share of each
        row. A row counts as one example. Entries that are nan or masked are missing: they are drawn given the
        rest of their row at every visit (`sampling.missing`), so that the likelihood of what is known is
        learnt.
    method: PCD(), with ModeJumps of Gaussian columns and of data of several modes, unless given; CD, PT,
        TrajectoryTempering, ExactKL (see `methods`).
    epochs, batch: passes over the data in all (10, and enough for 2000 updates, 6000 of data of several
        modes, unless given); rows a mini-batch. seed: of the order of the rows.
    learning_rate: a number or a schedule of the update's number; by default along a straight line from 0.1
        (0.05 with discrete data of several modes, 0.01 with Gaussian columns, 0.005 with other continuous
        units) to a thousandth of it at the end. optimiser: instead, for example
        `OptaxGradient(optax.adam(1e-3))` or `NaturalGradient(0.1)`.
    centred, standardised, weight_decay, l1, sparsity: see `KL`.
    average: weight of the past in the average of the parameters (see `WeightAverage`), None for none.
    binarise: data are probabilities, floats from 0 to 1 or uint8 in units of 1/255, and each visit of a row
        draws binary values from them.
    validation: rows held out; the history then has their free energy and its gap to the training data's.
    begin: "data": the visible biases begin where the machine has the means of the data, column by column, and
        where no method is given and the data lie in clusters apart, hidden units at these; "model": at the
        parameters of `model`; "auto": "data" unless `model` explains the data better as it is, having learned
        already (see `beginning`, `clusters`).
    key: of everything random; the same key gives the same numbers. state: one that `progress` was given, or
        of a fit, to go on from: with the same arguments the numbers are those of a run without a break.
    progress: called after each epoch with the state and the scalars of the history.

    The history's scalars: `epoch`, `reconstruction_error` (mean square a column), `free_energy` (nats, of the
    batch last seen), `learning_rate`, `update_norm`, `seconds`; with `ExactKL` also `log_z` and
    `negative_log_likelihood` in nats.

    Raises InputError for data that the units cannot have and settings out of range, and `Diverged` with the
    last good state where a run goes wrong.

    >>> import jax, numpy as np
    >>> from intertwine.models.machines.rbm import RBM
    >>> key = jax.random.key(0)
    >>> rows = np.repeat(np.array([[0, 0, 1], [1, 1, 0]], np.uint8), 50, axis=0)
    >>> rbm = RBM(3, hidden=2, units="binary", hidden_units="binary", key=key)
    >>> fit = learn(rbm, rows, key=key)
    >>> bool(fit.model.free_energy(np.array([0, 0, 1])) < fit.model.free_energy(np.array([0, 1, 1])))
    True
    """
    check_machine(model)
    batches = batches_of(data, batch, seed=seed, binarise=binarise)
    check_rows(model, batches, missing=True)
    held_out = None if validation is None else _validation(model, validation)
    chosen = course(model, batches, method=method)
    sweeps = SWEEPS if batches.missing else 0
    unseen = unseen_means(model.visible_layer, batches)
    objective = KL(chosen.method, centred, standardised, weight_decay, l1, sparsity, sweeps, unseen)
    stream = OverBatches(objective, batches)
    passes = chosen.epochs if epochs is None else epochs
    updates = positive_int("epochs", passes, "give the passes over the data") * batches.per_epoch
    mover = descent(model, optimiser, learning_rate, average, updates, chosen.rate)
    if state is None:
        model = chosen.begun(model, batches, begin)
        state = start(model, stream, mover, key=key)

    def gap(now: TrainState) -> dict[str, float]:
        return {} if held_out is None else free_energy_gap(learned(now, mover), batches, held_out)

    return by_epochs(state, stream, mover, updates, progress=progress, extra=gap)


def batches_of(data: Any, batch: int, *, seed: int, binarise: bool) -> Batches:
    """Mini-batches of arrays, of a `Dataset`, or `data` if they are some already."""
    if isinstance(data, Batches):
        return data
    if isinstance(data, Dataset):
        rows = data.train if data.weights is None else (data.train, data.weights)
        return Batches(rows, batch, seed=seed, binarise=data.grey)
    return Batches(data, batch, seed=seed, binarise=binarise)


def check_machine(model: Any) -> None:
    """Raise InputError unless `model` has two layers and real parameters."""
    if not all(hasattr(model, name) for name in ("visible_layer", "hidden_layer", "weights")):
        remedy = "deep machines have learn_deep_belief and learn_deep_boltzmann"
        raise fail("model", "an RBM", type(model).__name__, remedy)
    if model.kind != "real":
        raise fail("model", "an RBM with real parameters", f"kind {model.kind!r}", "RBM(..., dtype=float)")


def check_rows(model: Any, batches: Batches, *, missing: bool = False) -> None:
    """Raise InputError unless every row holds values that the visible units can have, a block at a time; nan
    as well where entries may be `missing`."""
    rows, weights = batches.arrays[0], batches.arrays[1:]
    if len(weights) > 1:
        raise fail("data", "rows, or (rows, weights)", f"{len(batches.arrays)} arrays")
    if rows.ndim != 2:
        raise fail("data", f"an array (rows, {model.size})", f"shape {rows.shape}", "flatten each example")
    if batches.missing and not missing:
        remedy = "fill them in, for example with it.complete of an RBM, which learns from such rows"
        raise fail("data", "rows without missing entries for this machine", "nan among them", remedy)
    check_known(rows)
    if weights and not (np.isfinite(weights[0]).all() and (weights[0] >= 0).all() and weights[0].sum() > 0):
        raise fail("weights", "finite numbers ≥ 0 with a positive sum", weights[0])
    if batches.binarise:
        if not all(kind.partition(":")[0] in ("binary", "potts") for kind, _ in model.visible_layer.parts):
            raise fail("binarise", "binary visible units", model.units)
        if rows.shape[1] != model.size:
            raise fail("data", f"rows of {model.size} columns", f"shape {rows.shape}")
        return
    for begin, block in blocks(rows):
        try:
            model.visible_layer.check(block, "data", missing=missing)
        except ValueError as error:
            byte = block.dtype == np.uint8
            between = block.dtype.kind == "f" and bool(((block >= 0) & (block <= 1) | np.isnan(block)).all())
            grey = model.units == "binary" and block.shape[-1] == model.size and (byte or between)
            hint = "; grey values are drawn as binary ones with binarise=True" if grey else ""
            where = f" (in rows {begin} to {begin + len(block) - 1})" if begin else ""
            raise type(error)(str(error).rstrip(".") + where + hint + ".") from None


def free_energy_gap(model: Any, batches: Batches, held_out: Any) -> dict[str, float]:
    """Mean free energy in nats of held-out rows, and how far it lies above that of as many training rows:
    near 0 without overfitting (Hinton 2010)."""
    seen = host_array(batches.arrays[0][: len(held_out)])
    if batches.missing or has_missing(held_out):
        drawn = drawn_once(seen, 0) if batches.binarise else seen
        theirs, ours = (-float(log_known(model, rows).mean()) for rows in (held_out, drawn))
        return {"validation_free_energy": theirs, "free_energy_gap": theirs - ours}
    if batches.binarise:
        scale = 255.0 if seen.dtype == np.uint8 else 1.0
        seen = np.random.default_rng(0).random(seen.shape, np.float32) * scale < seen
    theirs, ours = float(_mean_free_energy(model, held_out)), float(_mean_free_energy(model, seen))
    return {"validation_free_energy": theirs, "free_energy_gap": theirs - ours}


@jax.jit
def _mean_free_energy(model: Any, rows: Any) -> Array:
    return model.free_energy(rows).mean()


def _validation(model: Any, validation: Any) -> np.ndarray:
    rows = host_array(validation, "validation")[:VALIDATION_ROWS]
    model.visible_layer.check(rows, "validation", missing=True)
    return rows
