r"""The stages in which each machine learns: the one place where they are made, for function and command.

    RBM    one stage
    DBM    each layer by itself, with copies of its neighbours (`doubling`), then all jointly
    DBN    each layer on the hidden units of those below (`stack`), then all by up-down fine-tuning

What is not given is chosen from the units and the data (`course`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import PyTree

from intertwine._checks import fail, positive_int
from intertwine.boltzmann.beginning import begun, field_of_means, known_means, seen, unseen_means
from intertwine.boltzmann.course import course
from intertwine.boltzmann.defaults import (
    DEEP_RATE,
    MEAN_ROWS,
    UP_DOWN_RATE,
    WARM_UP,
    first_rate,
    is_discrete,
    passes,
)
from intertwine.boltzmann.objectives.deep_likelihood import DeepLikelihood
from intertwine.boltzmann.objectives.kl import KL
from intertwine.boltzmann.objectives.methods import PCD
from intertwine.boltzmann.objectives.transport import Wasserstein
from intertwine.boltzmann.objectives.up_down import UpDown
from intertwine.boltzmann.training.doubling import CopiedLikelihood, composed
from intertwine.boltzmann.training.rows import check_rows, check_rows_alone
from intertwine.boltzmann.training.stack import can_transpose, representation, transposed, upward_layers
from intertwine.boltzmann.training.teaching import Teaching
from intertwine.learning.batches import Batches
from intertwine.learning.stages import Stage
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.machines.directed_layer import DirectedLayer
from intertwine.models.machines.rbm import RBM
from intertwine.models.machines.unit_layer import UnitLayer
from intertwine.models.results import as_model
from intertwine.sampling.missing import SWEEPS

Machines = tuple[Any, ...]
_LAYER = "layer "
_PASSES = "give the passes over the data"


def _suited(method: Any, layer: UnitLayer, batches: Batches, dtype: DTypeLike) -> Any:
    """A method with what it chooses from the data, if anything."""
    return method.suited(layer, batches, dtype) if isinstance(method, Wasserstein) else method


def layer_of(stage: str) -> int:
    """The layer, from 1 up, that a stage of a deep machine teaches; 0 for the whole machine.

    >>> layer_of("layer 2"), layer_of("up-down")
    (2, 0)
    """
    return int(stage.removeprefix(_LAYER)) if stage.startswith(_LAYER) else 0


def rbm_stages(model: PyTree, batches: Batches, teaching: Teaching, *, key: Array) -> tuple[Stage, ...]:
    """Of a machine of two layers: one. Raises InputError for data that its units cannot have, and settings
    out of range."""
    check_two_layers(model)
    check_rows(model, batches, missing=True)
    chosen = course(model, batches, method=teaching.method, chains=teaching.chains, steps=teaching.steps)
    objective = teaching.likelihood(
        _suited(chosen.method, model.visible_layer, batches, model.weights.dtype),
        SWEEPS if batches.missing else 0,
        unseen_means(model.visible_layer, batches),
    )
    epochs = positive_int("epochs", chosen.epochs if teaching.epochs is None else teaching.epochs, _PASSES)
    mover = teaching.descent(epochs * batches.per_epoch, chosen.rate)
    stage = Stage(
        "", epochs, batches.per_epoch, lambda _: model, objective, mover, _always(batches), refresh=0,
        begun=lambda machine, rows: chosen.begun(machine, rows, teaching.begin), key=key,
    )  # fmt: skip
    return (stage,)


def boltzmann_stages(
    model: DBM,
    batches: Batches,
    teaching: Teaching,
    *,
    layer_epochs: int | None = None,
    sweeps: int = 3,
    structured: bool = True,
    key: Array,
) -> tuple[Stage, ...]:
    """Of a DBM: each layer with its copies, from the weights of `model` and the means of what it sees on;
    then all jointly.

    layer_epochs: passes over the data of each layer; 0: none. None: as many as of the whole, and none where
    learning begins at `model`, which has learned already. The passes of the whole may be 0 where these are
    given. sweeps, structured: see `DeepLikelihood`.
    """
    check_rows_alone(model, batches)
    method = PCD(teaching.chains, teaching.steps) if teaching.method is None else teaching.method
    transport = method if isinstance(method, Wasserstein) else None
    if transport is not None:
        if transport.exact:
            raise fail("exact", "False with a deep machine", True, "its chains")
        transport, method = _suited(transport, model.visible_layer, batches, model.dtype), transport.sampler()
    if not isinstance(method, PCD):
        raise fail("method", "PCD(chains=..., steps=...) or Wasserstein(...)", method)
    epochs = passes(batches.per_epoch) if teaching.epochs is None else teaching.epochs
    epochs = 0 if epochs == 0 and layer_epochs else positive_int("epochs", epochs, _PASSES)
    of_layers, rest = jax.random.split(key)
    there = begun(model, batches, teaching.begin)
    if layer_epochs is None:
        layer_epochs = 0 if there is model else epochs
    objective = DeepLikelihood(
        method.chains, method.steps, sweeps, structured, teaching.centred, teaching.weight_decay,
        teaching.sparsity, transport,
    )  # fmt: skip
    joint = Stage(
        "joint", epochs, batches.per_epoch, lambda below: composed(below) if below else there, objective,
        teaching.descent(epochs * batches.per_epoch, DEEP_RATE if is_discrete(model) else first_rate(model)),
        _always(batches), refresh=0, key=rest,
    )  # fmt: skip
    layers = copied_stages(
        model, batches, epochs=layer_epochs, chains=method.chains, average=teaching.average, key=of_layers
    )
    return (*layers, joint)


def copied_stages(
    model: DBM, batches: Batches, *, epochs: int, chains: int, average: float | None, key: Array
) -> list[Stage]:
    """Of the layers of a DBM by themselves, with copies (`doubling`); none for 0 epochs."""
    if epochs == 0:
        return []
    updates = positive_int("layer_epochs", epochs, _PASSES) * batches.per_epoch
    copies = [(2 if k < model.depth - 1 else 1, 2 if k > 0 else 1) for k in range(model.depth)]
    mover = Teaching(average=average).descent(updates, DEEP_RATE)

    def upward(below: Machines) -> list[DirectedLayer]:
        pairs = zip(copies, below, strict=False)
        return [DirectedLayer(of_v * m.weights, m.hidden_bias, m.hidden_layer) for (of_v, _), m in pairs]

    return [
        Stage(
            f"{_LAYER}{level + 1}", epochs, batches.per_epoch, lambda _, level=level: _part(model, level),
            CopiedLikelihood(copies[level], chains), mover,
            _hidden_rows(batches, upward) if level else _always(batches), refresh=1 if level else 0,
            begun=_at_base_rates, key=jax.random.fold_in(key, level),
        )
        for level in range(model.depth)
    ]  # fmt: skip


def belief_stages(
    model: DBN,
    batches: Batches,
    teaching: Teaching,
    *,
    layer_epochs: int | Sequence[int] | None = None,
    layer_rate: Any = None,
    layer_optimiser: Any = None,
    trained: Sequence[RBM] = (),
    transpose: bool = True,
    means: bool = False,
    refresh: int = 1,
    recognition: float = 1.0,
    generative: float = 1.0,
    key: Array,
) -> tuple[Stage, ...]:
    """Of a DBN: each layer, then all by up-down fine-tuning (none for 0 epochs).

    layer_epochs: passes over the data of every layer, or a number for each; None: as many as of the whole. 0:
    none, and fine-tuning begins at `model`. layer_rate, layer_optimiser: theirs. trained: machines for the
    lowest layers that are trained already and stay as they are in the layers' stages.
    transpose: a layer that can starts as the one below turned upside down, not as in `model`.
    means, refresh: what a layer learns of those below: draws, or means; made anew after so many epochs.
    recognition, generative: see `UpDown`.
    """
    check_rows_alone(model, batches)
    whole, rbms = passes(batches.per_epoch), _machines(model)
    whole = whole if teaching.epochs is None else teaching.epochs
    whole = 0 if whole == 0 else positive_int("epochs", whole, _PASSES)
    given = _trained(trained, rbms)
    alone = not isinstance(layer_epochs, list | tuple) and layer_epochs == 0
    if layer_epochs is None:
        layer_epochs = whole or passes(batches.per_epoch)
    of_layers = [0] * len(rbms) if alone else _passes(layer_epochs, len(rbms))
    whole_method, of_layers_method = teaching.method, teaching.method
    if isinstance(whole_method, Wasserstein):  # distances are those of v: layers by themselves have none
        of_layers_method = None
        whole_method = _suited(whole_method, model.visible_layer, batches, model.top.weights.dtype)
    of_layer = replace(teaching, learning_rate=layer_rate, optimiser=layer_optimiser, method=of_layers_method)
    stages = []
    for level in range(len(given), 0 if alone else len(rbms)):
        own = replace(of_layer, epochs=of_layers[level])
        if level == 0:
            (stage,) = rbm_stages(rbms[0], batches, own, key=jax.random.fold_in(key, 0))
        else:
            stage = stage_above(
                rbms[level], lambda below: (*given, *below), batches, own, refresh=refresh, means=means,
                transpose=transpose and can_transpose(rbms[level - 1], rbms[level]),
                key=jax.random.fold_in(key, level),
            )  # fmt: skip
        stages.append(replace(stage, name=f"{_LAYER}{level + 1}"))

    def joined(below: Machines) -> DBN:
        known = (*given, *below)
        return DBN.from_rbms((*known, *rbms[len(known) :])) if known else model

    method = whole_method or PCD(teaching.chains, teaching.steps, warm_up=WARM_UP)
    top = KL(method, teaching.centred, weight_decay=teaching.weight_decay)
    last = Stage(
        "up-down", whole, batches.per_epoch, joined, UpDown(top, recognition, generative),
        teaching.descent(whole * batches.per_epoch, UP_DOWN_RATE), _always(batches), refresh=0,
        key=key if alone else jax.random.fold_in(key, len(rbms)),
    )  # fmt: skip
    return (*stages, last)


def stage_above(
    rbm: RBM,
    below: Callable[[Machines], Sequence[Any]],
    batches: Batches,
    teaching: Teaching,
    *,
    refresh: int = 1,
    means: bool = False,
    transpose: bool = False,
    key: Array,
) -> Stage:
    """Of `rbm` on the hidden units that machines make of the data. below: (machines of the stages before) →
    those, RBMs or directed layers, the lowest first. transpose: it begins as the highest of them turned
    upside down."""
    epochs = positive_int("epochs", teaching.epochs, _PASSES)
    method = teaching.method or PCD(teaching.chains, teaching.steps, warm_up=WARM_UP if transpose else 0)
    machine, start = (lambda _: rbm), partial(begun, begin=teaching.begin)
    if transpose:
        own = jax.random.fold_in(key, 1)
        machine, start = (lambda done: transposed(below(done)[-1], rbm.hidden, key=own)), None

    def upward(done: Machines) -> Sequence[DirectedLayer]:
        return [x if isinstance(x, DirectedLayer) else upward_layers([x])[0] for x in below(done)]

    return Stage(
        "", epochs, batches.per_epoch, machine, teaching.likelihood(method),
        teaching.descent(epochs * batches.per_epoch, first_rate(rbm)),
        _hidden_rows(batches, upward, means=means, grey=means and rbm.units == "binary"),
        refresh=positive_int("refresh", refresh), begun=start, key=key,
    )  # fmt: skip


def check_two_layers(model: PyTree) -> None:
    """Raise InputError unless `model` has two layers and real parameters."""
    if not all(hasattr(model, name) for name in ("visible_layer", "hidden_layer", "weights")):
        raise fail("model", "an RBM, a DBM, a DBN, or the name of one such as 'rbm:64'", type(model).__name__)
    if model.kind != "real":
        raise fail("model", "an RBM with real parameters", f"kind {model.kind!r}", "RBM(..., dtype=float)")


def _always(batches: Batches) -> Callable[[Machines, int, Array], Batches]:
    return lambda *_: batches


def _hidden_rows(
    batches: Batches,
    upward: Callable[[Machines], Sequence[DirectedLayer]],
    *,
    means: bool = False,
    grey: bool = False,
) -> Callable[[Machines, int, Array], Batches]:
    """Batches of the hidden units that the layers of `upward` make of the data."""

    def of(below: Machines, _: int, key: Array) -> Batches:
        rows = representation(
            upward(below), batches.arrays[0], means=means, binarise=batches.binarise, key=key
        )
        return Batches(rows, batches.batch, seed=batches.seed, binarise=grey)

    return of


def _part(model: DBM, level: int) -> RBM:
    """A layer of a DBM and the one above it, with the weights between them; biases 0."""
    below, above = model.layers[level], model.layers[level + 1]
    return RBM.from_parameters(
        jnp.zeros(below.size, model.dtype), jnp.zeros(above.size, model.dtype), model.weights[level],
        units=below.spec, hidden_units=above.spec,
    )  # fmt: skip


def _at_base_rates(machine: RBM, rows: Batches) -> RBM:
    """With visible biases at which its visible units alone have the means of the rows."""
    mean = known_means(np.asarray(seen(rows, MEAN_ROWS)[0]))
    fields = field_of_means(machine.visible_layer, mean, rows.rows)
    return eqx.tree_at(lambda m: m.visible_bias, machine, jnp.asarray(fields, machine.visible_bias.dtype))


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


def _trained(trained: Sequence[RBM], rbms: list[RBM]) -> tuple[RBM, ...]:
    given = (trained,) if isinstance(trained, RBM) else tuple(map(as_model, trained))
    fits = len(given) <= len(rbms) and all(
        isinstance(a, RBM) and (a.visible_layer, a.hidden_layer) == (b.visible_layer, b.hidden_layer)
        for a, b in zip(given, rbms, strict=False)
    )
    if not fits:
        raise fail("trained", "RBMs with the sizes and units of the lowest layers of the model", trained)
    return given
