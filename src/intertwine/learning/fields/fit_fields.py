r"""Learning fields from fields in one call: variables of a file on any space, by a network of that space.

    fit = it.fit_fields("cnn:8", "winds.nc", inputs="u,v", targets="z", space="sphere:32", key=key)
    fit.model.predict(it.data.load_fields("other.nc"))

The study is that of `fit_supervised` with squared errors, each point counted by its share of the area; the
command `fields` runs it too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from jax import Array
from jaxtyping import PyTree

from intertwine._caveats import tell
from intertwine._checks import fail, finite_number, one_of, positive_int, positive_number
from intertwine.data.field_files import load_fields
from intertwine.data.fields import Fields
from intertwine.layers.networks.field_network import LINEAR_IN_WEIGHTS, check_field_network, field_network
from intertwine.learning.fields.field_model import (
    FieldModel,
    Scale,
    Variable,
    Weighed,
    raw_inputs,
    scale_of,
    weights_of,
)
from intertwine.learning.fields.least_squares import is_small, solved
from intertwine.learning.fields.placing import on_space, placed, space_of
from intertwine.learning.fields.variables import lone_components, variables_of
from intertwine.learning.gradient import OptaxGradient
from intertwine.learning.labels.defaults import WARMUP, WEIGHT_DECAY, default_optimiser
from intertwine.learning.labels.held_out import split_rows
from intertwine.learning.study import carry_out
from intertwine.learning.supervised_fit import supervised_study
from intertwine.learning.supervised_study import SupervisedFit, SupervisedStudy
from intertwine.models.parameters import check_key
from intertwine.spaces.names import NamedSpace
from intertwine.spaces.protocols import Space

EPOCHS, BATCH, LEARNING_RATE = 100, 4, 1e-2
METHODS = ("auto", "adamw", "least-squares")
FEW = 4
"""Fewer samples than this are all learnt from, and none held out."""


class FieldFit(NamedTuple):
    """model: the map of fields with the best parameters by the held-out samples, or the last ones without.
    history: a dict an epoch: epoch, loss, validation_loss, rmse and validation_rmse (of standardised
    targets), learning_rate, seconds. best: the epoch of `model`. warnings: what qualifies the map."""

    model: FieldModel
    history: list[dict[str, float]]
    best: int
    warnings: tuple[str, ...] = ()


class FieldTask(NamedTuple):
    """What a study of fields learns from. blank: the map before it is learned. x, y: for `supervised_study`,
    the square roots of the points' shares as the last channel of x, and times them y."""

    blank: FieldModel
    x: np.ndarray
    y: np.ndarray


def fit_fields(
    network: str,
    data: Fields | str | Path,
    *,
    inputs: str | Sequence[str],
    targets: str | Sequence[str],
    space: str | Space = "auto",
    rotation: bool = False,
    nonlinearity: str = "auto",
    blocks: int = 2,
    global_kernels: bool = True,
    dropout: float = 0.0,
    method: str = "auto",
    epochs: int = EPOCHS,
    batch: int = BATCH,
    learning_rate: float = LEARNING_RATE,
    warmup: float = WARMUP,
    weight_decay: float = WEIGHT_DECAY,
    validation: float = 0.1,
    patience: int | None = None,
    key: Array,
    progress: Callable[[dict[str, float]], object] | None = None,
) -> FieldFit:
    """Learn variables of fields from others.

    network: "linear", "product:W", "fluxes:K", "cnn:W" or "unet:W" (see `field_network`), with
    `nonlinearity`, `blocks` (of "cnn"), `dropout`. data: fields, or a file of them. inputs, targets: names
    of variables, separated by commas; u, v, and what standard names say so, are one vector, as is "a:b".
    space: a name such as "sphere:32" or "mesh:FILE", or a `Space`; "auto" is the grid of the file. rotation:
    whether the network is told the rotation of the globe, f = 2Ω sin φ. global_kernels: of every width, on
    spaces that have such (a sphere: a number for each degree), in place of local ones. method: "adamw", or
    "least-squares" for networks that are linear in their weights, "fluxes:K" and "linear", which are found
    at once, in one epoch, whatever the arguments of AdamW; "auto" takes it for these where the equations are
    not too large. epochs, batch: passes, samples an update. learning_rate, warmup, weight_decay: of AdamW,
    the largest rate, the share of the updates before it. validation: the share of the samples held out, none
    of fewer than 4. patience: epochs on end without a better one.

    Raises InputError for what cannot be learned from, and `Diverged`.

    >>> rng = np.random.default_rng(0)
    >>> field = Fields({"a": (a := rng.normal(size=(6, 5, 5))), "b": 2 * a}, {}, {}, (), None)
    >>> fit = fit_fields("linear", field, inputs="a", targets="b", epochs=5, key=jax.random.key(0))
    >>> fit.model, fit.model.predict(field).values["b"].shape
    (FieldModel(a → b on plane:5x5), (6, 5, 5))
    """
    study = field_study(
        network, data, inputs=inputs, targets=targets, space=space, rotation=rotation,
        nonlinearity=nonlinearity, blocks=blocks, global_kernels=global_kernels, dropout=dropout,
        method=method, epochs=epochs, batch=batch, learning_rate=learning_rate, warmup=warmup,
        weight_decay=weight_decay, validation=validation, patience=patience, key=key,
    )  # fmt: skip
    told = None if progress is None else lambda _, row: progress(with_errors(row))
    fit: SupervisedFit = carry_out(study.study, progress=told)
    found = fitted(study, fit)
    tell(found.warnings)
    return found


class FieldStudy(NamedTuple):
    """study: what is carried out. task: what it learns from, of the samples `kept`. held: those that are held
    out to watch, or None. at_once: whether least squares have found the weights."""

    study: SupervisedStudy
    task: FieldTask
    kept: Fields
    held: Fields | None
    at_once: bool


def field_study(
    network: str,
    data: Fields | str | Path,
    *,
    inputs: str | Sequence[str],
    targets: str | Sequence[str],
    space: str | Space = "auto",
    rotation: bool = False,
    nonlinearity: str = "auto",
    blocks: int = 2,
    global_kernels: bool = True,
    dropout: float = 0.0,
    method: str = "auto",
    epochs: int = EPOCHS,
    batch: int = BATCH,
    learning_rate: float = LEARNING_RATE,
    warmup: float = WARMUP,
    weight_decay: float = WEIGHT_DECAY,
    validation: float = 0.1,
    patience: int | None = None,
    key: Array,
) -> FieldStudy:
    """What `fit_fields` carries out, with the same arguments."""
    family, _ = check_field_network(network)
    if one_of("method", method, METHODS) == "least-squares" and family not in LINEAR_IN_WEIGHTS:
        expected = f"adamw, or one of the networks {', '.join(LINEAR_IN_WEIGHTS)}, linear in their weights"
        raise fail("method", expected, f"least-squares for {network}")
    epochs, batch = positive_int("epochs", epochs), positive_int("batch", batch)
    learning_rate = positive_number("learning_rate", learning_rate)
    if not 0 <= finite_number("warmup", warmup) <= 1:
        raise fail("warmup", "a share of the updates, from 0 to 1", warmup)
    if finite_number("weight_decay", weight_decay) < 0:
        raise fail("weight_decay", "0 or more", weight_decay)
    check_key(key)
    fields = data if isinstance(data, Fields) else load_fields(data)
    network_key, key = jax.random.split(key)
    name, named = space_of(fields, space)
    fields = placed(fields, named, "data")
    into, out = variables_of(inputs, fields, "inputs"), variables_of(targets, fields, "targets")
    known = tuple(Variable.of(n, fields) for n in into), tuple(Variable.of(n, fields) for n in out)
    kinds = [v.kind for v in known[0]] + (["scalar"] if rotation else [])
    built = field_network(
        network, name if isinstance(space, str) else named,
        inputs=" + ".join(kinds), outputs=" + ".join(v.kind for v in known[1]),
        global_kernels=global_kernels and named.everywhere, nonlinearity=nonlinearity, blocks=blocks,
        dropout=dropout, key=network_key,
    )  # fmt: skip
    kept, held = fields, None
    if validation and fields.samples >= FEW:
        seed = int(jax.random.randint(jax.random.fold_in(key, 0), (), 0, 2**31 - 1))
        rest, chosen = split_rows(fields.samples, validation, seed=seed)
        kept, held = fields.take(rest), fields.take(chosen)
    blank = blank_model(built, kept, named, name, known[0], known[1], rotation)
    task = field_task(blank, kept)
    watched = None if held is None else field_task(blank, held)[1:]
    optimiser: PyTree = partial(
        default_optimiser, learning_rate=learning_rate, warmup=warmup, weight_decay=weight_decay
    )
    unasked = method == "auto" and family in LINEAR_IN_WEIGHTS and is_small(built, task.y)
    at_once = method == "least-squares" or unasked
    if at_once:
        built, optimiser, epochs, batch = solved(built, task.x, task.y), _staying(), 1, len(task.x)
    study = supervised_study(
        Weighed(built), task.x, task.y, loss="squared-error", epochs=epochs, batch=batch,
        optimiser=optimiser, validation=watched, patience=patience if held is not None else None, key=key,
    )  # fmt: skip
    return FieldStudy(study, task, kept, held, at_once)


@cache
def _staying() -> OptaxGradient:
    """What leaves parameters as they are."""
    import optax

    return OptaxGradient(optax.set_to_zero())


def blank_model(
    network: PyTree,
    fields: Fields,
    named: NamedSpace,
    name: str,
    inputs: tuple[Variable, ...],
    targets: tuple[Variable, ...],
    rotation: bool,
) -> FieldModel:
    """The map before it is learned, with the standardisation of the fields of a file."""
    x, y, weights = _on_space(fields, named, inputs, targets, False)
    scale = scale_of(x, tuple(v.kind for v in inputs), weights_of(named, None, len(x)))
    if rotation:  # sin φ has no mean and the mean square 1/3
        scale = Scale(np.append(scale.shift, 0.0), np.append(scale.scale, 3**-0.5))
    target_scale = scale_of(y, tuple(v.kind for v in targets), weights)
    return FieldModel(network, named, name, inputs, targets, rotation, scale, target_scale)


def field_task(blank: FieldModel, fields: Fields) -> FieldTask:
    """The standardised examples of the fields of a file.

    Raises InputError for other grids than the space's, and for missing inputs.
    """
    x, y, weights = _on_space(fields, blank.space, blank.inputs, blank.targets, blank.rotation)
    root = np.sqrt(weights)[..., None]
    dtype = np.dtype(jax.dtypes.canonicalize_dtype(float))
    wide = np.concatenate([blank.input_scale.of(x), root], axis=-1).astype(dtype)
    told = np.where(root > 0, blank.target_scale.of(y), 0.0) * root
    return FieldTask(blank, wide, told.reshape(len(y), -1).astype(dtype))


def _on_space(
    fields: Fields,
    named: NamedSpace,
    inputs: tuple[Variable, ...],
    targets: tuple[Variable, ...],
    rotation: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(inputs, targets, shares of the points, 0 where a target is missing)."""
    fields = placed(fields, named, "data")
    x = raw_inputs(fields, tuple(v.name for v in inputs), named, rotation)
    y = on_space(fields, tuple(v.name for v in targets), named)
    if np.isnan(x).any():
        got = f"{int(np.isnan(x).sum())} missing values"
        raise fail("inputs", "fields that are known everywhere", got, "fill them in; targets may be missing")
    unknown = np.asarray(np.isnan(y).any(-1))
    if unknown.all():
        raise fail("targets", "values that are known somewhere", "none", "choose other samples")
    return x, y, weights_of(named, ~unknown if unknown.any() else None, len(y))


def fitted(made: FieldStudy, fit: SupervisedFit) -> FieldFit:
    """The map with the network that was learned."""
    model = replace(made.task.blank, network=fit.model.network)
    lone = lone_components([v.name for v in (*model.inputs, *model.targets)], made.kept)
    return FieldFit(model, [with_errors(row) for row in fit.history], fit.best, lone)


def with_errors(row: dict[str, float]) -> dict[str, float]:
    """A line with root mean square errors of standardised targets beside the losses.

    >>> with_errors({"loss": 0.5})
    {'loss': 0.5, 'rmse': 1.0}
    """
    found = dict(row)
    for prefix in ("", "validation_"):
        if (loss := row.get(f"{prefix}loss")) is not None:
            found[f"{prefix}rmse"] = float((2 * loss) ** 0.5)
    return found
