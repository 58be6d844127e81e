"""From the configuration of a learning run and its data to the stages of its training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from intertwine._checks import fail
from intertwine.boltzmann.beginning import begun, unseen_means
from intertwine.boltzmann.course import course
from intertwine.boltzmann.defaults import DISCRETE_RATE, LAST_RATE, first_rate, passes
from intertwine.boltzmann.objectives import methods, tempering
from intertwine.boltzmann.objectives.deep_likelihood import DeepLikelihood
from intertwine.boltzmann.objectives.exact import is_enumerable
from intertwine.boltzmann.objectives.kl import KL
from intertwine.boltzmann.objectives.up_down import UpDown
from intertwine.boltzmann.training.deep_belief import UP_DOWN_RATE
from intertwine.boltzmann.training.deep_boltzmann import RATE as JOINT_RATE
from intertwine.boltzmann.training.doubling import CopiedLikelihood, composed
from intertwine.boltzmann.training.epochs import plain_descent
from intertwine.boltzmann.training.learn import batches_of, check_rows
from intertwine.boltzmann.training.stack import can_transpose, representation, transposed, upward_layers
from intertwine.data.dataset import Dataset
from intertwine.experiments.learn.settings import LearnConfiguration
from intertwine.learning import schedules
from intertwine.learning.averaging import WeightAverage
from intertwine.learning.batches import Batches
from intertwine.learning.gradient import OptaxGradient
from intertwine.learning.stages import Stage, Training
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.machines.directed_layer import DirectedLayer
from intertwine.models.machines.rbm import RBM
from intertwine.sampling.missing import SWEEPS


def build_training(c: LearnConfiguration, data: Dataset, key: jax.Array) -> Training:
    """The training that the configuration asks for; `InputError` for what the data do not allow."""
    model_key, run_key = jax.random.split(key)
    stages = {"rbm": _rbm, "dbm": _deep_boltzmann, "dbn": _deep_belief}[c.model.family]
    return Training(stages(c, data, model_key), run_key)


def _rbm(c: LearnConfiguration, data: Dataset, key: jax.Array) -> tuple[Stage, ...]:
    machine = _fresh(data.size, c.model.hidden[0], data.units, c, key)
    if c.method.name == "exact" and not is_enumerable(machine, 2**22):
        got = f"{machine.size} visible and {machine.hidden} hidden units"
        raise fail("method.name", "'pcd' unless one layer has at most 22 units", got, "say 'pcd'")
    batches = _batches(c, data)
    check_rows(machine, batches, missing=True)
    objective = _objective(c, SWEEPS if batches.missing else 0)
    method = None if c.method.name == "auto" else objective.method
    chosen = course(machine, batches, method=method, chains=c.method.chains, steps=c.method.steps)
    unseen = unseen_means(machine.visible_layer, batches)
    objective = replace(objective, method=chosen.method, unseen=unseen)
    machine = chosen.begun(machine, batches, "data")
    epochs = _epochs(c, chosen.epochs)
    mover = build_optimiser(c, epochs * batches.per_epoch, chosen.rate)
    stage = Stage(
        "", epochs, batches.per_epoch, lambda _: machine, objective, mover,
        lambda machines, epoch, key: batches,
    )  # fmt: skip
    return (stage,)


def _epochs(c: LearnConfiguration, auto: int) -> int:
    """Passes over the data; `auto` where nothing is said."""
    asked = c.optimiser.epochs
    return auto if asked == "auto" else int(asked)


def _layer_epochs(c: LearnConfiguration, batches: Batches) -> int:
    """Passes of each layer of a deep machine before the whole."""
    asked = c.optimiser.layer_epochs
    return _epochs(c, passes(batches.per_epoch)) if asked == "auto" else int(asked)


def _deep_belief(c: LearnConfiguration, data: Dataset, key: jax.Array) -> tuple[Stage, ...]:
    batches, sizes = _batches(c, data), (data.size, *c.model.hidden)
    first = first_machine(c, data, key)
    check_rows(first, batches)

    def machine(level: int, below: tuple[Any, ...]) -> RBM:
        if level == 0:
            return first
        own = jax.random.fold_in(key, level)
        above = _fresh(sizes[level], sizes[level + 1], c.model.hidden_units, c, own)
        if can_transpose(below[-1], above):
            return transposed(below[-1], above.hidden, scale=c.model.scale, key=own)
        return above

    stages = []
    for level in range(len(sizes) - 1):
        mover = _layer_optimiser(c, batches, first_rate(first) if level == 0 else DISCRETE_RATE)
        stages.append(
            Stage(
                f"layer {level + 1}", _layer_epochs(c, batches), batches.per_epoch,
                lambda below, level=level: machine(level, below), _objective(c), mover,
                _hidden_batches(c, data, batches, upward_layers),
            )
        )  # fmt: skip
    epochs = _epochs(c, passes(batches.per_epoch))
    mover = build_optimiser(c, epochs * batches.per_epoch, UP_DOWN_RATE)
    top = KL(build_method(c), c.optimiser.centred, weight_decay=c.optimiser.weight_decay)
    last = Stage(
        "up-down", epochs, batches.per_epoch, DBN.from_rbms, UpDown(top), mover,
        lambda machines, epoch, key: batches,
    )  # fmt: skip
    return (*stages, last)


def _deep_boltzmann(c: LearnConfiguration, data: Dataset, key: jax.Array) -> tuple[Stage, ...]:
    o, batches, sizes = c.optimiser, _batches(c, data), (data.size, *c.model.hidden)
    depth = len(sizes) - 1
    copies = [(2 if k < depth - 1 else 1, 2 if k > 0 else 1) for k in range(depth)]
    first = first_machine(c, data, key)
    check_rows(first, batches)

    def machine(level: int) -> RBM:
        own = jax.random.fold_in(key, level)
        return first if level == 0 else _fresh(sizes[level], sizes[level + 1], c.model.hidden_units, c, own)

    def upward(machines: tuple[Any, ...]) -> list[DirectedLayer]:
        pairs = zip(copies, machines, strict=False)
        return [DirectedLayer(of_v * m.weights, m.hidden_bias, m.hidden_layer) for (of_v, _), m in pairs]

    stages = []
    for level in range(depth if o.layer_epochs else 0):
        mover = _layer_optimiser(c, batches, JOINT_RATE)
        objective = CopiedLikelihood(copies[level], c.method.chains)
        stages.append(
            Stage(
                f"layer {level + 1}", _layer_epochs(c, batches), batches.per_epoch,
                lambda below, level=level: machine(level), objective, mover,
                _hidden_batches(c, data, batches, upward),
            )
        )  # fmt: skip

    def whole(machines: tuple[Any, ...]) -> DBM:
        return composed(machines if machines else [machine(level) for level in range(depth)])

    epochs = _epochs(c, passes(batches.per_epoch))
    mover = build_optimiser(c, epochs * batches.per_epoch, JOINT_RATE)
    objective = DeepLikelihood(
        c.method.chains, c.method.steps, centred=o.centred, weight_decay=o.weight_decay, sparsity=_sparsity(c)
    )
    joint = Stage(
        "joint", epochs, batches.per_epoch, whole, objective, mover, lambda machines, epoch, key: batches
    )
    return (*stages, joint)


def first_machine(c: LearnConfiguration, data: Dataset, key: jax.Array) -> RBM:
    """The machine on the data under a deep one. Its visible units, without the hidden ones, have the data's
    means (Hinton 2010).
    """
    machine = _fresh(data.size, c.model.hidden[0], data.units, c, key)
    return begun(machine, _batches(c, data), "data")


def _fresh(size: int, hidden: int, units: str, c: LearnConfiguration, key: jax.Array) -> RBM:
    machine = RBM(size, hidden, units=units, hidden_units=c.model.hidden_units, scale=c.model.scale, key=key)
    return _with_biases(machine, jnp.zeros_like(machine.visible_bias))


def _with_biases(machine: RBM, visible: jax.Array) -> RBM:
    return RBM.from_parameters(
        visible,
        jnp.zeros_like(machine.hidden_bias),
        machine.weights,
        units=machine.units,
        hidden_units=machine.hidden_units,
    )


def _batches(c: LearnConfiguration, data: Dataset) -> Batches:
    return batches_of(data, c.optimiser.batch, seed=c.seed & 0xFFFFFFFF, binarise=False)


def _hidden_batches(c: LearnConfiguration, data: Dataset, batches: Batches, upward: Any) -> Any:
    """Batches of the hidden units that the machines below make of the data, drawn anew every epoch."""

    def of(machines: tuple[Any, ...], epoch: int, key: jax.Array) -> Batches:
        if not machines:
            return batches
        hidden = representation(upward(machines), data.train, binarise=data.grey, key=key)
        return Batches(hidden, batches.batch, seed=batches.seed + len(machines))

    return of


def _objective(c: LearnConfiguration, missing: int = 0) -> KL:
    o = c.optimiser
    return KL(build_method(c), o.centred, weight_decay=o.weight_decay, sparsity=_sparsity(c), missing=missing)


def _sparsity(c: LearnConfiguration) -> tuple[float, float] | None:
    return (c.optimiser.sparsity, c.optimiser.sparsity_cost) if c.optimiser.sparsity else None


def build_method(c: LearnConfiguration) -> Any:
    """How the model's average is taken."""
    m = c.method
    if m.name == "cd":
        return methods.CD(m.steps)
    if m.name == "exact":
        return methods.ExactKL()
    if m.name in ("auto", "pcd"):
        return methods.PCD(m.chains, m.steps)
    kind = tempering.PT if m.name == "pt" else tempering.TrajectoryTempering
    return kind(chains=m.chains, replicas=m.temperatures, steps=m.steps)


def build_optimiser(c: LearnConfiguration, updates: int, auto: float) -> Any:
    """Steepest descent along the configured learning rate (`auto` where it says so), and the average of the
    parameters beside it.
    """
    o = c.optimiser
    first = auto if o.learning_rate == "auto" else o.learning_rate
    last = LAST_RATE * first if o.learning_rate_end == "auto" else o.learning_rate_end
    return _descent(first, last, o.schedule, updates, o.average)


def _layer_optimiser(c: LearnConfiguration, batches: Batches, rate: float) -> Any:
    """That of the layers before the whole: its own rate, along a straight line."""
    updates = _layer_epochs(c, batches) * batches.per_epoch
    return _descent(rate, LAST_RATE * rate, "linear", updates, c.optimiser.average)


def _descent(first: float, last: float, schedule: str, updates: int, average: float) -> Any:
    rate: Any = first
    if schedule != "constant" and last != first:
        kinds: Any = {
            "linear": schedules.Linear, "exponential": schedules.Exponential, "cosine": schedules.Cosine,
        }  # fmt: skip
        rate = kinds[schedule](first, last, updates)
    optimiser = OptaxGradient(plain_descent(), rate)
    return WeightAverage(optimiser, average) if average else optimiser
