"""A complete ground-state run as the `GroundStateRun` that the library's own call gives: its model, with the
space in which it was trained, its last estimate, its history, and the state to go on from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from intertwine._checks import fail
from intertwine.records.folder import CHECKPOINTS, CONFIG, RESULT


def load_run(path: Path) -> Any:
    """The `GroundStateRun` of the complete run in `path`; `InputError` as of `intertwine.load`."""
    import jax

    from intertwine.experiments.ground_state.build import build
    from intertwine.experiments.ground_state.settings import GroundStateConfiguration
    from intertwine.quantum.vmc.ground_state import GroundStateRun, columns
    from intertwine.runs.run_folder import read_metrics
    from intertwine.runs.settings import read_toml, validate
    from intertwine.sampling.space import placed, space

    record = _result(path)
    configuration = validate(GroundStateConfiguration, read_toml(path / CONFIG))
    if configuration.precision == "float64" and not jax.config.jax_enable_x64:  # type: ignore[attr-defined]
        remedy = 'call jax.config.update("jax_enable_x64", True) first'
        raise fail("folder", "a run of the precision that JAX is set to", f"{path}, of float64", remedy)
    problem = build(configuration)
    state = _last_state(problem, path, problem.configuration.optimiser.steps)
    history = columns(read_metrics(path))
    where = space(problem.objective.sampler, problem.lattice.size, problem.hamiltonian.turned)
    model = placed(state.model, where, (state.objective_state, state.optimiser_state))
    notes = tuple(line for line in record["warnings"] if not line.startswith("chains-disagree"))
    return GroundStateRun(_estimate(record["energy"]), record["v_score"], model, history, state, where, notes)


def _result(path: Path) -> dict[str, Any]:
    from intertwine.records.writing import from_json

    try:
        record = from_json((path / RESULT).read_bytes())
        if all(isinstance(record["energy"].get(name), int | float) for name in ("mean", "samples")):
            return record
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    remedy = f"finish it with: intertwine resume {path}"
    raise fail("folder", "the folder of a complete run", f"{path}: no whole {RESULT}", remedy)


def _last_state(problem: Any, path: Path, steps: int) -> Any:
    """The `TrainState` after the last step; chains need not be thermalised for its structure."""
    import jax

    from intertwine.learning.loop import TrainState
    from intertwine.quantum.vmc.energy import EnergyState
    from intertwine.runs import checkpoints

    chains = problem.objective.sampler.init(problem.model, key=problem.run_key)
    moved = problem.optimiser.init(problem.model)
    key = jax.random.split(problem.run_key)[1]
    template = TrainState(0, problem.model, EnergyState(chains), moved, key)
    config = (path / CONFIG).read_text(encoding="utf-8")
    return checkpoints.load(path / CHECKPOINTS, template, steps, config=config)


def _estimate(numbers: dict[str, Any]) -> Any:
    import numpy as np

    from intertwine.sampling.statistics.estimate import Estimate

    names = ("mean", "error", "variance", "tau", "r_hat", "ess")
    values = {name: np.float64(np.nan if numbers.get(name) is None else numbers[name]) for name in names}
    return Estimate(**values, samples=np.int64(numbers["samples"]))
