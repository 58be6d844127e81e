"""A complete ground-state run as the `GroundStateRun` that the library's own call gives: its model, with the
space in which it was trained, its last estimate, its history, and the state to go on from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from intertwine._checks import fail
from intertwine.records.folder import CHECKPOINTS, CONFIG, RESULT, format_of
from intertwine.records.ground_state import SCHEMA

if TYPE_CHECKING:
    from intertwine.learning.loop import TrainState
    from intertwine.quantum.vmc.search import GroundStateRun, GroundStateSearch


def load_run(path: Path) -> GroundStateRun:
    """The `GroundStateRun` of the complete run in `path`; `InputError` as of `intertwine.load`."""
    import jax

    from intertwine.experiments.ground_state.build import build
    from intertwine.experiments.ground_state.settings import GroundStateConfiguration
    from intertwine.quantum.vmc.search import GroundStateRun, columns
    from intertwine.runs.run_folder import read_metrics
    from intertwine.runs.settings import read_toml, validate
    from intertwine.sampling.space import placed

    record = _result(path)
    configuration = validate(GroundStateConfiguration, read_toml(path / CONFIG))
    if configuration.precision == "float64" and not jax.config.jax_enable_x64:  # type: ignore[attr-defined]
        remedy = 'call jax.config.update("jax_enable_x64", True) first'
        raise fail("folder", "a run of the precision that JAX is set to", f"{path}, of float64", remedy)
    search = build(configuration).search
    state = _last_state(search, path)
    left = state.objective_state, state.optimiser_state
    model = placed(state.model, search.where, left)
    history = columns(read_metrics(path, SCHEMA))
    notes = tuple(line for line in record["warnings"] if not line.startswith("chains-disagree"))
    return GroundStateRun(
        _estimate(record["energy"]), record["v_score"], model, history, state, search.where, notes
    )


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


def _last_state(search: GroundStateSearch, path: Path) -> TrainState:
    """The `TrainState` after the last step."""
    from intertwine.runs import checkpoints

    template = search.template(search.lines)
    older = (format_of(path) or 1) < 2  # without what the guard remembers
    config = (path / CONFIG).read_text(encoding="utf-8")
    found = checkpoints.load(
        path / CHECKPOINTS, template.train if older else template, search.lines, config=config
    )
    return found if older else found.train


def _estimate(numbers: dict[str, Any]) -> Any:
    import numpy as np

    from intertwine.sampling.statistics.estimate import Estimate

    names = ("mean", "error", "variance", "tau", "r_hat", "ess")
    values = {name: np.float64(np.nan if numbers.get(name) is None else numbers[name]) for name in names}
    return Estimate(**values, samples=np.int64(numbers["samples"]))
