"""The experiment `ground-state`: train a wave function, estimate its energy, write the run folder.

The state of the run after each step is a `TrainState`; with the configuration it determines everything that
follows, so that a run that was killed goes on from its last checkpoint to the numbers that it would have
had.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax

from intertwine._checks import InputError
from intertwine.experiments import checkpoints, results
from intertwine.experiments.build import Problem, build
from intertwine.experiments.configuration import GroundStateConfiguration
from intertwine.experiments.correlations import correlations
from intertwine.experiments.processes import Follower, any_process, is_leader
from intertwine.experiments.progress import show as show_progress
from intertwine.experiments.run_folder import CONFIG, RunFolder, to_json, write_aside
from intertwine.experiments.running import Ledger, conclude, follow, report, warn
from intertwine.experiments.settings import to_toml
from intertwine.learning import loop
from intertwine.learning.guard import Diverged, Guard
from intertwine.sampling.sharding import on_host

Show = Callable[[int, float | None, int], Any]


class Run(NamedTuple):
    """A run in progress: what it is, where it is, and where it has come to."""

    problem: Problem
    folder: RunFolder
    config: str
    exact: Any
    state: loop.TrainState
    history: list[dict[str, Any]]


def start(
    configuration: GroundStateConfiguration,
    out: str | Path,
    *,
    overwrite: bool = False,
    show: Show = show_progress,
) -> Path:
    """Run `configuration` in the new folder `out`; the path of the folder.

    Nothing at `out` is touched before the problem is built and its chains have reached equilibrium. Raises
    `InputError`, `Diverged` (the last good state is then the last checkpoint) or `Interrupted` (resume it).
    """
    begun = time.perf_counter()
    problem = build(configuration)
    exact = _known_energy(problem)
    _announce(problem, exact)
    state = loop.start(problem.model, problem.objective, problem.optimiser, key=problem.run_key)
    config = to_toml(configuration)
    with RunFolder.create(out, config, overwrite=overwrite) if is_leader() else Follower(out) as folder:
        return _go_on(Run(problem, folder, config, exact, state, []), begun, show)


def resume(path: str | Path, configuration: GroundStateConfiguration, *, show: Show = show_progress) -> Path:
    """Go on with the run at `path` from its newest good checkpoint (from the beginning where there is
    none).
    """
    begun = time.perf_counter()
    with RunFolder.open(path) if is_leader() else Follower(path) as folder:
        if folder.result.exists() and folder.dataset.exists():
            print(f"{path}: this run is complete; its report is written again.")
            report(folder.path)
            return folder.path
        problem = build(configuration)
        exact = _known_energy(problem)
        _announce(problem, exact)
        config = (folder.path / CONFIG).read_text(encoding="utf-8")
        state = loop.start(problem.model, problem.objective, problem.optimiser, key=problem.run_key)
        history = folder.read_metrics()
        loaded = checkpoints.load_latest(folder.checkpoints, state, config=config, last_step=len(history))
        if loaded is not None:
            state = loaded.state
            for line in loaded.refused:
                warn(f"refused: {line}")
        print(f"resumed from step {state.step} of {configuration.optimiser.steps}", flush=True)
        any_process(True)  # all have read the folder; from here on the leader changes it
        folder.cut_metrics(state.step)
        folder.remove_results()
        return _go_on(Run(problem, folder, config, exact, state, history[: state.step]), begun, show)


def _go_on(run: Run, begun: float, show: Show) -> Path:
    before = sum(float(line.get("seconds") or 0.0) for line in run.history)
    state = _train(run, show)
    record = _finish(run, state, begun, before)
    conclude(_words(record), record["warnings"])
    report(run.folder.path)
    return run.folder.path


def _train(run: Run, show: Show) -> loop.TrainState:
    """The remaining steps: a line of metrics each, a checkpoint every `checkpoint_every`."""
    problem, done = run.problem, run.state.step
    steps = problem.configuration.optimiser.steps
    left = loop.iterate(
        run.state, problem.objective, problem.optimiser, steps=steps - done, guard=_replayed_guard(run)
    )
    return follow(
        Ledger(run.folder, run.config, run.history),
        run.state,
        ((state, results.metrics_record(scalars)) for state, scalars in left),
        total=steps,
        every=problem.configuration.checkpoint_every,
        shown=show(steps, run.exact and run.exact.value, done),
        last_good=lambda error: _last_good(run, error),
    )


def _last_good(run: Run, error: Diverged) -> tuple[loop.TrainState, int]:
    good = error.state if isinstance(error.state, loop.TrainState) else run.state
    return good, good.step


def _replayed_guard(run: Run) -> Guard:
    """A guard that has seen the steps so far, as it would have without the interruption."""
    guard = Guard()
    for line in run.history:
        if line.get("energy") is not None:
            numbers = {key: value for key, value in line.items() if value is not None}
            guard.check(run.state, float(line["energy"]), numbers)
    return guard


def _finish(run: Run, state: loop.TrainState, begun: float, before: float) -> dict[str, Any]:
    """The final estimate and the files that tell of it."""
    problem = run.problem
    key = jax.random.fold_in(state.key, state.step)
    evaluation, _ = problem.final.evaluate(state.model, state.objective_state, key=key)
    record = results.result_record(
        problem.configuration,
        evaluation.estimate,
        float(evaluation.scalars["v_score"]),
        run.exact,
        acceptance=float(evaluation.scalars["acceptance"]),
        size=problem.lattice.size,
        parameters=problem.parameters,
        devices=1 if problem.mesh is None else problem.mesh.size,
        processes=jax.process_count(),
        seconds=round(time.perf_counter() - begun + before, 3),
    )
    chains = problem.configuration.sampler.chains
    configurations = on_host(evaluation.samples).reshape(chains, -1, problem.lattice.size)
    if not is_leader():
        return record
    fields = correlations(problem.lattice, configurations)
    data = results.dataset(problem.lattice, fields, run.history, state.model, record)
    results.write_dataset(run.folder.dataset, data)
    write_aside(run.folder.result, to_json(record, indent=2) + "\n")
    return record


def _known_energy(problem: Problem) -> Any:
    """`KnownEnergy` (value, source, error) or None; not knowing it stops no run."""
    from intertwine.quantum.exact import known_energy

    try:
        return known_energy(problem.hamiltonian)
    except InputError:
        return None


def _announce(problem: Problem, exact: Any) -> None:
    c = problem.configuration
    model = f"{c.model.name} ({c.model.dtype}, {problem.parameters} parameters)"
    print(f"{c.hamiltonian.name} on {c.lattice}, {problem.lattice.size} sites; {model}")
    if exact is not None:
        print(f"exact energy {exact.value:.8f} ({exact.source})", flush=True)


def _words(record: dict[str, Any]) -> list[str]:
    energy, exact = record["energy"], record["exact"]
    said = [f"energy {energy['mean']:.6f} ± {energy['error']:.1g}, V-score {record['v_score']:.2g}"]
    if exact is not None and record["relative_error"] is not None:
        error = record["relative_error"]
        said.append(f"relative error {error:.1e} from the exact {exact['energy']:.6f} ({exact['source']})")
    return said
