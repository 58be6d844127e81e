"""The experiment `ground-state`: train a wave function, estimate its energy, write the run folder.

The state of the run after each step is a `TrainState`; with the configuration it determines everything that
follows, so that a run that was killed goes on from its last checkpoint to the numbers that it would have
had.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import numpy as np

from intertwine._checks import InputError
from intertwine.experiments.ground_state import results
from intertwine.experiments.ground_state.build import Problem, build, resolved
from intertwine.experiments.ground_state.checks import memory_needed
from intertwine.experiments.ground_state.correlations import correlations
from intertwine.experiments.ground_state.observables import observables
from intertwine.experiments.ground_state.settings import GroundStateConfiguration
from intertwine.experiments.memory_needs import refuse_beyond
from intertwine.learning import loop
from intertwine.learning.guard import Diverged, Guard
from intertwine.quantum.defaults import cannot_represent
from intertwine.quantum.vmc.at_rest import not_at_rest
from intertwine.quantum.vmc.energy import qualified
from intertwine.quantum.vmc.full_variance import not_met
from intertwine.runs import running
from intertwine.runs.progress import show as show_progress
from intertwine.runs.running import Finished
from intertwine.sampling.enumeration import Enumeration
from intertwine.sampling.sharding import on_host

Show = Callable[[int, float | None, int], AbstractContextManager[Any]]


class Plan:
    """A ground-state run made ready: see `running.Plan`."""

    source = None

    def __init__(self, configuration: GroundStateConfiguration):
        self.problem: Problem = build(configuration)
        configuration = self.problem.configuration
        needed = memory_needed(configuration, self.problem.lattice.size)
        self.memory = refuse_beyond(needed, "take fewer samples")
        self.exact = _known_energy(self.problem)
        self.lines, self.every = configuration.optimiser.steps, configuration.checkpoint_every

    def announce(self) -> None:
        _announce(self.problem, self.exact)

    @cached_property
    def template(self) -> loop.TrainState:
        p = self.problem
        return loop.start(p.model, p.objective, p.optimiser, key=p.run_key)

    def start(self) -> loop.TrainState:
        return self.template

    def iterate(
        self, state: loop.TrainState, history: list[dict[str, Any]]
    ) -> Iterator[tuple[loop.TrainState, dict[str, Any]]]:
        p, guard = self.problem, _replayed_guard(state, history)
        left = self.lines - state.step
        for later, scalars in loop.iterate(state, p.objective, p.optimiser, steps=left, guard=guard):
            yield later, results.metrics_record(scalars)

    def last_good(self, error: Diverged, first: loop.TrainState) -> tuple[loop.TrainState, int]:
        good = error.state if isinstance(error.state, loop.TrainState) else first
        return good, good.step

    def finish(
        self, state: loop.TrainState, history: list[dict[str, Any]], seconds: Callable[[], float]
    ) -> Finished:
        problem = self.problem
        key = jax.random.fold_in(state.key, state.step)
        evaluation, _ = problem.final.evaluate(state.model, state.objective_state, key=key)
        rows = getattr(problem.objective.sampler, "chains", 1)
        local = on_host(evaluation.local).reshape(rows, -1)
        energy = qualified(evaluation.estimate, local, evaluation.weights)
        drawn = _drawn(problem, evaluation, state.model)
        score = float(evaluation.scalars["v_score"])
        past = [line.get("energy") for line in history]
        notes = (
            *cannot_represent(problem.hamiltonian, state.model),
            *not_at_rest(score, energy, past),
            *not_met(
                problem.final.operator,
                state.model,
                evaluation.samples,
                evaluation.weights,
                energy,
                batch=min(len(evaluation.samples), problem.objective.samples),
            ),
        )
        record = results.result_record(
            problem.configuration,
            energy.noted(notes),
            score,
            self.exact,
            acceptance=float(evaluation.scalars["acceptance"]),
            size=problem.lattice.size,
            parameters=problem.parameters,
            devices=1 if problem.mesh is None else problem.mesh.size,
            processes=jax.process_count(),
            seconds=seconds(),
            observables=observables(problem.lattice, *drawn),
            magnetization=_magnetization(problem),
        )

        def dataset() -> Any:
            fields = correlations(problem.lattice, *drawn)
            return results.dataset(problem.lattice, fields, history, state.model, record)

        return Finished(record, dataset, _words(record))


def _drawn(problem: Problem, evaluation: Any, model: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Configurations (chains, draws, N) of the final state and, for exact sums, their weights."""
    settings = problem.configuration.sampler
    if settings.rule != "sums":
        samples = on_host(evaluation.samples)
        return samples.reshape(settings.chains, -1, problem.lattice.size), None
    every = Enumeration(None if settings.magnetization == "auto" else settings.magnetization)
    key = jax.random.key(0)  # of no effect: all of them are listed
    drawn, _ = every.sample(model, every.init(model, key=key), 1, key=key)
    return on_host(drawn.configurations), on_host(drawn.weights)


def start(
    configuration: GroundStateConfiguration,
    out: str | Path,
    *,
    overwrite: bool = False,
    show: Show = show_progress,
) -> Path:
    """Run `configuration` in the new folder `out`; the path of the folder (`running.start`)."""
    configuration = resolved(configuration)
    return running.start(
        lambda: Plan(configuration), configuration, out, overwrite=overwrite, shown=_shown(show)
    )


def resume(path: str | Path, configuration: GroundStateConfiguration, *, show: Show = show_progress) -> Path:
    """Go on with the run at `path` (`running.resume`)."""
    return running.resume(lambda: Plan(configuration), path, shown=_shown(show))


def _shown(show: Show) -> Callable[[Any, int], AbstractContextManager[Any]]:
    return lambda plan, done: show(plan.lines, plan.exact and plan.exact.value, done)


def _replayed_guard(state: loop.TrainState, history: list[dict[str, Any]]) -> Guard:
    """A guard that has seen the steps so far, as it would have without the interruption."""
    guard = Guard()
    for line in history:
        if line.get("energy") is not None:
            numbers = {key: value for key, value in line.items() if value is not None}
            guard.check(state, float(line["energy"]), numbers)
    return guard


def _known_energy(problem: Problem) -> Any:
    """`KnownEnergy` (value, source, error) or None; not knowing it stops no run."""
    from intertwine.quantum.exact import NotConverged, known_energy

    try:
        return known_energy(problem.hamiltonian)
    except (InputError, NotConverged):
        return None


def _magnetization(problem: Problem) -> list[int] | None:
    """The values of Σ s in the space that was sampled, None for all."""
    from intertwine.sampling.space import magnetizations

    kept = magnetizations(problem.objective.sampler, problem.lattice.size)
    return None if kept is None else list(kept)


def _announce(problem: Problem, exact: Any) -> None:
    c = problem.configuration
    model = f"{c.model.name} ({c.model.dtype}, {problem.parameters} parameters)"
    print(f"{c.hamiltonian.name} on {c.lattice}, {problem.lattice.size} sites; {model}")
    if c.model.sector != "trivial":
        print(f"in the sector {c.model.sector} of the space group")
    if c.sampler.rule == "sums":
        print("exact sums over all configurations in place of samples")
    if exact is not None:
        print(f"exact energy {exact.value:.8f} ({exact.source})", flush=True)


def _words(record: dict[str, Any]) -> list[str]:
    energy, exact = record["energy"], record["exact"]
    said = [f"energy {energy['mean']:.6f} ± {energy['error']:.1g}, V-score {record['v_score']:.2g}"]
    if exact is not None and record["relative_error"] is not None:
        error = record["relative_error"]
        said.append(f"relative error {error:.1e} from the exact {exact['energy']:.6f} ({exact['source']})")
    return said
