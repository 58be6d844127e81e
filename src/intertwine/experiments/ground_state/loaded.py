"""A complete ground-state run as the `GroundStateRun` that the library's own call gives: its model, with the
space in which it was trained, its last estimate, its history, and the state to go on from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax

from intertwine._checks import fail
from intertwine.quantum.vmc.search import GroundStateRun
from intertwine.records.folder import CHECKPOINTS, CONFIG, PARTS, RESULT, format_of
from intertwine.records.writing import from_json
from intertwine.runs import checkpoints
from intertwine.runs.begun import NONE
from intertwine.runs.complete import complete

if TYPE_CHECKING:
    import numpy as np

    from intertwine.experiments.ground_state.settings import GroundStateConfiguration
    from intertwine.learning.loop import TrainState
    from intertwine.quantum.vmc.search import GroundStateSearch


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class LoadedGroundState(GroundStateRun):
    """A `GroundStateRun` with the settings of its command and its result.json. table: where the folder holds
    several runs, the rows of their table; this is then the one of the lowest energy."""

    settings: GroundStateConfiguration
    result: dict[str, Any]
    table: tuple[dict[str, Any], ...] = ()

    @property
    def metrics(self) -> dict[str, np.ndarray]:
        """The history, under the name that it has in every run that is loaded."""
        return self.history


def load_run(path: Path) -> LoadedGroundState:
    """The `GroundStateRun` of the complete run in `path`; `InputError` as of `intertwine.load`."""
    from intertwine.experiments.ground_state.build import build
    from intertwine.sampling.space import placed

    best, table = _best_of(path)
    if best is not None:
        return replace(load_run(best), table=table)
    run = complete(path, "ground-state", ("energy", "v_score", "warnings"))
    energy = run.result["energy"]
    numbers = [energy.get(name) for name in ("mean", "samples")] if isinstance(energy, dict) else [None]
    if not all(isinstance(number, int | float) for number in numbers):
        remedy = f"finish it with: intertwine resume {path}"
        raise fail("folder", "the folder of a complete run", f"{path}: no whole {RESULT}", remedy)
    if not (path / CHECKPOINTS).is_dir():
        got, remedy = f"{path} without {CHECKPOINTS}/, where its model is", "get the folder again"
        raise fail("folder", "the folder of a complete run", got, remedy)
    with jax.enable_x64(run.settings.precision == "float64"):
        search = build(run.settings).search
        state = _last_state(search, path)
    left = state.objective_state, state.optimiser_state
    notes = tuple(line for line in run.result["warnings"] if not line.startswith("chains-disagree"))
    return LoadedGroundState(
        energy=_estimate(energy),
        v_score=run.result["v_score"],
        model=placed(state.model, search.where, left),
        history=run.metrics,
        state=state,
        space=search.where,
        notes=notes,
        settings=run.settings,
        result=run.result,
    )


def _best_of(path: Path) -> tuple[Path | None, tuple[dict[str, Any], ...]]:
    """The folder of the best of several runs in `path` and their table; (None, ()) of a run by itself."""
    try:
        record = from_json((path / RESULT).read_bytes())
    except (OSError, ValueError):
        return None, ()
    if not isinstance(record, dict) or not isinstance(record.get("best"), str) or "several" not in record:
        return None, ()
    return path / PARTS / Path(record["best"]).name, tuple(record["several"])


def begun_from(start: str, configuration: GroundStateConfiguration) -> LoadedGroundState:
    """The complete run in the folder `start`, which another begins with; on a larger lattice with its weights
    carried over, where the network allows that."""
    from intertwine.experiments.ground_state.build import build_hamiltonian, build_model
    from intertwine.experiments.ground_state.operators import lattice_of
    from intertwine.models.carried import carried_over

    run = load_run(Path(start))
    lattice = lattice_of(configuration)
    hamiltonian = build_hamiltonian(configuration, lattice)
    if run.model.size == hamiltonian.size:
        return run
    before = lattice_of(run.settings)
    if hamiltonian.size < run.model.size or before.size != run.model.size or lattice.size != hamiltonian.size:
        got = f"{start}, on {run.model.size}"
        raise fail("model.start", f"a run on {hamiltonian.size} sites, or fewer", got)
    fresh = build_model(configuration, hamiltonian, jax.random.key(configuration.seed))
    return replace(run, model=carried_over(run.model, before, fresh, lattice))


def run_of_size(start: str, size: int) -> LoadedGroundState:
    """The complete run in the folder `start`, on `size` sites."""
    run = load_run(Path(start))
    if run.model.size != size:
        raise fail("model.start", f"a run on {size} sites", f"{start}, on {run.model.size}")
    return run


def beginning_record(start: str) -> dict[str, Any] | None:
    """What names that run, for `data.json`; None for "none"."""
    if start == NONE:
        return None
    checksum = checkpoints.checksum(Path(start) / CHECKPOINTS)
    return {"what": "model", "setting": "model.start", "source": start, "checksum": checksum}


def _last_state(search: GroundStateSearch, path: Path) -> TrainState:
    """The `TrainState` after the last step."""
    template = search.template(search.lines)
    older = (format_of(path) or 1) < 2  # without what the guard remembers
    config = (path / CONFIG).read_text(encoding="utf-8")
    saved = checkpoints.steps(path / CHECKPOINTS)
    last = saved[-1] if saved and search.stopping.asked else search.lines
    found = checkpoints.load(path / CHECKPOINTS, template.train if older else template, last, config=config)
    return found if older else found.train


def _estimate(numbers: dict[str, Any]) -> Any:
    import numpy as np

    from intertwine.sampling.statistics.estimate import Estimate

    names = ("mean", "error", "variance", "tau", "r_hat", "ess")
    values = {name: np.float64(np.nan if numbers.get(name) is None else numbers[name]) for name in names}
    return Estimate(**values, samples=np.int64(numbers["samples"]))
