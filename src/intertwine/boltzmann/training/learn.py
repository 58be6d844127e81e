r"""Learning a distribution: `learn` trains a Boltzmann machine on data.

    fit = learn(rbm, images, method=PCD(chains=500), epochs=60, batch=500, key=key)
    fit.model, fit.history, fit.state
    fit = learn("dbm:500-1000", data, key=key)

It carries out the study that the command `learn` carries out with a folder (`families.training`): stages of
the one training loop, gradient descent with a falling learning rate, and an average of the parameters beside
it, which is the result. An average is worth more than any other setting: it takes the noise of the chains out
of the parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax import Array
from jaxtyping import PyTree
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.boltzmann.defaults import AVERAGE, BATCH
from intertwine.boltzmann.known_entries import log_known
from intertwine.boltzmann.likelihood.densities import likelihood_gap
from intertwine.boltzmann.training.families import family_of, named_machine, training
from intertwine.boltzmann.training.rows import batches_of, order_of
from intertwine.boltzmann.training.stages import layer_of
from intertwine.boltzmann.training.teaching import Teaching
from intertwine.data.dataset import Dataset, binarise as drawn_once
from intertwine.data.loading import load
from intertwine.learning.batches import Batches, has_missing, host_array
from intertwine.learning.optimiser import Optimiser
from intertwine.learning.schedules import Schedule
from intertwine.learning.stages import Fit, Training
from intertwine.learning.study import Scalars, carry_out
from intertwine.models.parameters import check_key
from intertwine.models.protocols import DrawsItself
from intertwine.models.results import Scaling, taken

VALIDATION_ROWS = 10_000


def learn(
    model: PyTree,
    data: PyTree,
    *,
    method: object = None,
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
    validation: ArrayLike | None = None,
    begin: str = "auto",
    key: Array,
    seed: int | None = None,
    state: PyTree = None,
    progress: Callable[[Any, dict[str, Any]], object] | None = None,
    **deep: Any,
) -> Fit:
    r"""Train `model` so that p_λ(v) comes near the distribution of `data`.

    model: an RBM, DBM or DBN with real parameters; a normalised density (`it.MaskedDense` and other
        autoregressive networks, `it.Circuit` as a Born machine), whose likelihood is exact; an earlier fit,
        or a learning run that was loaded, goes on from its own (one of standardised columns with rows of its
        data, or with a `Dataset` of the same); or the name of one as the command takes it, "rbm:64",
        "dbm:500-1000", "dbn:500-2000": binary hidden units on the columns and units of the data (of an array,
        as `it.data.load` reads it). A name with `key` is the machine of the first half of
        `jax.random.split(key)`, with weights of standard deviation 0.01, taught with the second half and
        `begin="data"`; key = jax.random.key(seed) gives the numbers of `intertwine learn --seed`.
        Deep machines learn layer by layer first, then as a whole: a DBM jointly, a DBN by up-down
        fine-tuning.
    data: a `Dataset` (its rows to learn from with their weights, grey ones binarised); or (rows, N) values of
        the visible units, booleans, integers or floats, in memory or a memory map, also as a data frame, a
        masked array, a sparse matrix or lists; or (data, weights) with weights (rows,) for the share of each
        row. A row counts as one example. Entries that are nan or masked are missing: they are drawn given the
        rest of their row at every visit (`sampling.missing`), so that the likelihood of what is known is
        learnt.
    method: PCD(), with ModeJumps of Gaussian columns and of data of several modes, unless given; CD, PT,
        TrajectoryTempering, ExactKL (see `methods`).
    epochs, batch: passes over the data in all (10, and enough for 2000 updates, 6000 of data of several
        modes, unless given), of a deep machine as a whole; rows a mini-batch. seed: of the order of the rows;
        the key's own by default.
    learning_rate: a number or a schedule of the update's number; by default along a straight line from 0.1
        (0.05 with discrete data of several modes, 0.01 with Gaussian columns, 0.005 with other continuous
        units; 0.05 for a DBM, 0.01 for up-down fine-tuning) to a thousandth of it at the end. optimiser:
        instead, for example `OptaxGradient(optax.adam(1e-3))` or `NaturalGradient(0.1)`.
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
    progress: called after each epoch with the state and the scalars of the history; where it raises
        `StopIteration`, that epoch is the last one.
    deep: settings of deep machines alone. layer_epochs: passes over the data of each layer (as many as of the
        whole). DBM: sweeps, structured; DBN: layer_rate, layer_optimiser, trained, transpose, means, refresh,
        recognition, generative (see `learn_deep_boltzmann`, `learn_deep_belief`, `learn_up_down`).

    The history's scalars: `step` (updates so far), `epoch`, `reconstruction_error` (mean square a column),
    `free_energy` (nats, of the batch last seen), `learning_rate`, `update_norm`, `seconds`; with `ExactKL`
    also `log_z` and `negative_log_likelihood` in nats; of a normalised density this one, `learning_rate`,
    `update_norm`, `seconds`. Of a deep machine also `layer`, from 1 up, 0 for the
    whole; `step` and `epoch` count anew in each.

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
    key, (model, scaling) = check_key(key), taken(model)
    data, fitted = _inside(data, scaling)
    if isinstance(model, str):
        data = data if isinstance(data, Dataset) else load(data, test_share=0)
        model, key = named_machine(model, data.size, data.units, key=key)
        begin = "data" if begin == "auto" else begin
    batches = batches_of(data, batch, seed=order_of(key) if seed is None else seed, binarise=binarise)
    teaching = Teaching(
        method=method, epochs=epochs, learning_rate=learning_rate, optimiser=optimiser, centred=centred,
        standardised=standardised, weight_decay=weight_decay, l1=l1, sparsity=sparsity, average=average,
        begin=begin,
    )  # fmt: skip
    study = training(model, batches, teaching, key=key, most=None, state=state, **deep)
    if validation is None:
        return taught(study, progress)._replace(offset=fitted.offset, scale=fitted.scale)
    if family_of(model).deep:
        got = f"rows with a {type(model).__name__}"
        raise fail("validation", "None with a deep machine, whose free energies are bounds", got)
    if isinstance(model, DrawsItself):
        rows = host_array(validation, "validation")[:VALIDATION_ROWS]
        return taught(study, progress, lambda density: likelihood_gap(density, batches, rows))
    held_out = _validation(model, fitted.inside(validation))
    fit = taught(study, progress, lambda machine: free_energy_gap(machine, batches, held_out))
    return fit._replace(offset=fitted.offset, scale=fitted.scale)


def _inside(data: PyTree, scaling: Scaling) -> tuple[PyTree, Scaling]:
    """(the data in the columns of the machine, what led there): a `Dataset` and mini-batches have these."""
    if scaling.scale is None or isinstance(data, Batches):
        return data, Scaling()
    if isinstance(data, Dataset):
        for own, other in zip(scaling, (data.offset, data.scale), strict=True):
            if other is None or not np.allclose(np.asarray(own), other, rtol=1e-6, atol=0):
                expected, got = "columns of the means and widths that the run learnt from", "others"
                raise fail("data", expected, got, "give rows as they are: an array")
        return data, Scaling()
    if isinstance(data, tuple) and len(data) == 2:
        return (scaling.inside(data[0]), data[1]), scaling
    return scaling.inside(data), scaling


def taught(
    study: Training,
    progress: Callable[[Any, dict[str, Any]], object] | None = None,
    measured: Callable[[Any], dict[str, float]] | None = None,
) -> Fit:
    """The fit of a training whose lines are epochs, with the history of `learn`. measured: of the machine,
    after each of them."""
    history: list[dict[str, Any]] = []

    def told(state: PyTree, scalars: Scalars) -> None:
        stage = study.stages[len(state.machines)]
        counts = {"step": int(state.current.step), "epoch": int(state.current.step) / stage.per_epoch}
        row = {name: value for name, value in scalars.items() if name != "stage"} | counts
        row |= {"layer": layer_of(stage.name)} if stage.name else {}
        history.append(row | ({} if measured is None else measured(study.model(state))))
        if progress is not None:
            progress(study.left(state), history[-1])

    return carry_out(study, progress=told)._replace(history=history)


def free_energy_gap(model: PyTree, batches: Batches, held_out: np.ndarray) -> dict[str, float]:
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
def _mean_free_energy(model: PyTree, rows: np.ndarray) -> Array:
    return model.free_energy(rows).mean()


def _validation(model: PyTree, validation: PyTree) -> np.ndarray:
    rows = host_array(validation, "validation")[:VALIDATION_ROWS]
    model.visible_layer.check(rows, "validation", missing=True)
    return rows
