"""The command `learn`: train a Boltzmann machine on data, estimate its likelihood, draw from it, write the
run folder.

A line of `metrics.jsonl` is an epoch (`training`). The state after a line, with the configuration and
the data, determines everything that follows: a run that was killed goes on from its last checkpoint to the
numbers that it would have had. `data.json` names the data by their checksum, and other data are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import PyTree

from intertwine._checks import fail
from intertwine._shown import with_error
from intertwine.boltzmann.objectives import methods, tempering
from intertwine.boltzmann.objectives.exact import is_enumerable
from intertwine.boltzmann.objectives.transport import Wasserstein
from intertwine.boltzmann.training.descent import Falling
from intertwine.boltzmann.training.families import family_of, named_machine, training
from intertwine.boltzmann.training.rows import batches_of, order_of
from intertwine.boltzmann.training.teaching import Teaching
from intertwine.data.dataset import Dataset
from intertwine.experiments.datasets import data_record, held_bytes, load_data
from intertwine.experiments.learn import measures as learn_measures, results as learn_results
from intertwine.experiments.learn.followed_modes import FollowedModes
from intertwine.experiments.learn.memory import checked_memory
from intertwine.experiments.learn.settings import LearnConfiguration
from intertwine.experiments.learn.trained import learnt_before
from intertwine.experiments.learn.transport import final_distance, line_distance, measures_distance
from intertwine.experiments.learn.words import Words
from intertwine.learning.stages import Training
from intertwine.learning.study import Scalars
from intertwine.records.caveats import of_learning
from intertwine.records.folder import DATASET
from intertwine.runs.begun import NONE, begins_with
from intertwine.runs.experiment import Experiment, Finished
from intertwine.runs.terminal import warn

_MEASURES = 0x6D656173
"""Folded into the run's key for what is measured and drawn."""
ESTIMATES = 10
"""Of the likelihood during the training, where nothing is said."""


class Problem(NamedTuple):
    """Everything that a configuration and its data determine. probe: rows that every line is measured on.
    memory: bytes that the run needs."""

    configuration: LearnConfiguration
    data: Dataset
    training: Training
    probe: learn_measures.Probe
    key: jax.Array
    memory: int


def build(c: LearnConfiguration) -> Problem:
    """The data and the training; `InputError` for what does not go together."""
    data = load_data(c.data)
    memory = checked_memory(c, data.size, len(data.train), held_bytes(data))
    key = jax.random.key(c.seed)
    probe = learn_measures.Probe.of(data, learn_measures.PROBE_ROWS)
    return Problem(c, data, training_of(c, data, key), probe, jax.random.fold_in(key, _MEASURES), memory)


def training_of(c: LearnConfiguration, data: Dataset, key: jax.Array) -> Training:
    """The study of `it.learn(c.model.name, data, key=key)` with the settings of `c`; `InputError` for what
    the data do not allow."""
    if c.model.start != NONE:
        machine = learnt_before(c.model.start, data)
    else:
        machine, key = named_machine(
            c.model.name, data.size, data.units, hidden_units=c.model.hidden_units, scale=c.model.scale,
            key=key,
        )  # fmt: skip
    if c.method.name == "exact" and not is_enumerable(machine, 2**22):
        got = f"{machine.size} visible and {machine.hidden} hidden units"
        raise fail("method.name", "'pcd' unless one layer has at most 22 units", got, "say 'pcd'")
    batches = batches_of(data, c.optimiser.batch, seed=order_of(key), binarise=False)
    own = {"layer_epochs": _given(c.optimiser.layer_epochs)} if family_of(machine).deep else {}
    return training(machine, batches, _teaching(c), key=key, **own)


def _teaching(c: LearnConfiguration) -> Teaching:
    o, m = c.optimiser, c.method
    return Teaching(
        method=_method(c), chains=m.chains, steps=m.steps, epochs=_given(o.epochs),
        learning_rate=Falling(_given(o.learning_rate), _given(o.learning_rate_end), o.schedule),
        centred=o.centred, weight_decay=o.weight_decay,
        sparsity=(o.sparsity, o.sparsity_cost) if o.sparsity else None, average=o.average or None,
        begin="data" if c.model.start == NONE else "auto",
    )  # fmt: skip


def _method(c: LearnConfiguration) -> Any:
    """How the model's average is taken; None where that is chosen for the data."""
    m = c.method
    if m.name in ("pt", "trajectory"):
        kind = tempering.PT if m.name == "pt" else tempering.TrajectoryTempering
        return kind(chains=m.chains, replicas=m.temperatures, steps=m.steps)
    if m.name == "wasserstein":
        metric = None if m.metric == "auto" else m.metric
        return Wasserstein(_given(m.epsilon), metric, kl=m.kl, chains=m.chains, steps=m.steps)
    given = {"cd": methods.CD(m.steps), "exact": methods.ExactKL(), "pcd": methods.PCD(m.chains, m.steps)}
    return given.get(m.name)


def _given(value: object) -> Any:
    """None for "auto"."""
    return None if value == "auto" else value


class Learn(Experiment):
    """A learning run made ready."""

    def __init__(self, configuration: LearnConfiguration):
        self.problem = build(configuration)
        self.source, self.memory = data_record(self.problem.data), self.problem.memory
        if (start := configuration.model.start) != NONE:
            self.source |= {"begins_with": begins_with("model.start", start, DATASET)}
        self.study, self.every = self.problem.training, configuration.checkpoint_every
        known = self.problem.data.known
        self.words = Words(None if known is None else -known.entropy)
        self.emergence = FollowedModes(self.problem.data)

    def announce(self) -> None:
        _announce(self.problem)

    def measured(self, state: PyTree, scalars: Scalars, line: int) -> Scalars:
        """What the training measured, and what is measured of the machine."""
        c, training, probe = self.problem.configuration, self.problem.training, self.problem.probe
        model = training.model(state)
        key = jax.random.fold_in(self.problem.key, line + 1)
        found: Scalars = {}
        if training.is_last_stage(line):
            found = learn_measures.line_measures(model, probe, key)
            if measures_distance(c):
                found |= line_distance(c, training, state, probe, jax.random.fold_in(key, 1))
            every = c.likelihood.every
            if every == "auto":
                every = max(1, training.stages[-1].epochs // ESTIMATES)
            epoch = training.last_epoch(line)
            if every and epoch is not None and epoch % every == 0 and line + 1 < training.lines:
                found |= learn_measures.line_likelihood(c, model, probe, key)
        weights = learn_measures.first_weights(model)
        found |= {"singular_values": learn_measures.singular_values(weights)}
        if training.place(line).stage == 0:  # the layer that sees the data
            found |= self.emergence.line(state.current, scalars)
        return scalars | found

    def describe(self, record: Scalars) -> str:
        return self.words(record)

    def finish(self, state: PyTree, history: list[Scalars], seconds: Callable[[], float]) -> Finished:
        return _finish(self.problem, state, history, seconds, self.emergence)


def _finish(
    problem: Problem,
    state: PyTree,
    history: list[dict[str, Any]],
    seconds: Callable[[], float],
    followed: FollowedModes,
) -> Finished:
    """The last estimates and the files that tell of them."""
    c, data = problem.configuration, problem.data
    model = problem.training.model(state)
    z_key, sample_key, key = jax.random.split(jax.random.fold_in(problem.key, 0), 3)
    print("log Z and samples of the trained machine ...", flush=True)
    settings = c.likelihood
    probe = learn_measures.Probe.of(data, settings.rows)
    log_z = learn_measures.estimate_log_z(
        model, settings.final_temperatures, settings.final_chains, z_key, probe.train
    )
    drawn = learn_measures.draw(c, model, sample_key, probe.train)
    free = {"train": learn_measures.free_energies(model, probe.train, key)}
    if probe.test is not None:
        free["test"] = learn_measures.free_energies(model, probe.test, key)
    free["samples"] = learn_measures.free_energies(model, drawn.rows, key)
    record = learn_results.result_record(
        c,
        data,
        model,
        problem.training.stages[-1].epochs,
        bound=learn_measures.is_bound(model),
        log_z={name: getattr(log_z, name) for name in _LOG_Z},
        log_likelihood={
            name: learn_measures.likelihood(values, log_z, data.log_volume)
            for name, values in free.items()
            if name != "samples"
        },
        independent_columns=learn_measures.independent(model, probe, free, log_z),
        sampling={
            "chains": drawn.observable.shape[0],
            "draws": drawn.observable.shape[1],
            "sweeps_between_draws": drawn.thin,
            **learn_results.chain_record(drawn.observable),
        },
        modes=learn_results.modes_record(drawn.modes),
        observables=learn_results.observables_record(data.known, drawn, data.examples(settings.rows)),
        principal_modes=followed.facts(model, history),
        seconds=seconds(),
        transport=final_distance(c, model.visible_layer, drawn.rows, probe) if measures_distance(c) else {},
    )
    record["warnings"] = [] if drawn.modes is None else list(drawn.modes.caveats("sample longer"))
    record["warnings"] += learn_measures.learned_caveats(model, probe, free, log_z)
    record["warnings"] = of_learning(record)
    weights = learn_measures.first_weights(model)
    return Finished(
        record,
        lambda: learn_results.dataset(model, weights, data, drawn, free, history, record),
        _words(record),
    )


_LOG_Z = ("mean", "error", "ess", "lower", "upper", "trusted", "method", "reason")


def _announce(problem: Problem) -> None:
    c, data = problem.configuration, problem.data
    epochs = problem.training.stages[-1].epochs
    print(data.describe().splitlines()[0])
    for note in data.notes:
        warn(note)
    print(f"{c.model.name}, {c.model.hidden_units} hidden units; {c.method.name}, {epochs} epochs")
    if data.known is not None:
        print(
            f"the best log-likelihood is −{data.known.entropy:.4f} nats (minus the entropy, exact)",
            flush=True,
        )


def _words(record: dict[str, Any]) -> list[str]:
    log_z = record["log_z"]
    name = "test" if "test" in record["log_likelihood"] else "train"
    found = record["log_likelihood"][name]
    rows = "held out" if name == "test" else "rows to learn from"
    what = "bound on the log-likelihood" if record["bound"] else "log-likelihood"
    if record["units"] == "gaussian":
        rows += ", a density of the columns as they came"
    words = f"{what} ({rows}) {found['mean']:.3f} ± {found['error']:.2g} nats"
    if log_z["error"]:
        upper = "" if not np.isfinite(log_z["upper"]) else f" to {found['upper']:.3f}"
        words += f", bracket {found['lower']:.3f}{upper}" if np.isfinite(found["lower"]) else ""
    if alone := record["independent_columns"].get(name):
        words += f"; independent columns {alone['mean']:.3f}"
    said = [words.replace("-", "−").replace("log−l", "log-l")]
    if away := record["transport"]:
        words = f"W1 ({away['metric']}) of {away['rows']} samples from as many rows "
        words += with_error(away["value"], away["error"], ".4g", ".2g")
        words += f"; of half as many {away['at_floor']:.4g}"
        said.append(f"{words}, between rows alone {away['floor']:.4g}")
    for name, values in record["observables"].items():
        exact, got = values["exact"], values["samples"]
        if exact is not None:
            far = "" if values["distance"] is None else f", {values['distance']:.1f} errors apart"
            plain = name.replace("_", " ")
            said.append(f"{plain} {got['mean']:.5f} ± {got['error']:.2g}, exact {exact:.5f}{far}")
    return said
