"""A complete evolution as an object to go on with: the state at its end, and the curves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from intertwine._caveats import beneath
from intertwine.experiments.evolve.build import blank, hamiltonian, turned
from intertwine.experiments.evolve.settings import EvolveConfiguration
from intertwine.experiments.ground_state.places import build_lattice
from intertwine.models.units import as_spins
from intertwine.quantum.dynamics.dressed import dressed
from intertwine.quantum.dynamics.sources import SAMPLES
from intertwine.quantum.dynamics.trajectory import distance_words
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.space_choice import default_sampler
from intertwine.records.folder import DATASET
from intertwine.runs.complete import complete
from intertwine.runs.dataset import with_parameters
from intertwine.sampling.space import Space, placed

if TYPE_CHECKING:
    from intertwine.spaces.graph.graph import Graph
    from intertwine.spaces.lattice import Lattice


@dataclass(frozen=True, eq=False, repr=False)
class EvolutionRun:
    """What an evolution left.

    model: the wave function at the last time. settings: of the run. metrics: name → float64, an entry per
    time. result: of result.json.
    """

    model: Any
    settings: EvolveConfiguration
    metrics: dict[str, np.ndarray]
    result: dict[str, Any]

    @property
    def times(self) -> np.ndarray:
        """float64 (T,)."""
        return self.metrics["time"]

    def __getitem__(self, name: str) -> np.ndarray:
        """The column of that name, (T,)."""
        return self.metrics[name]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What qualifies the curves."""
        return tuple(self.result["warnings"])

    def __str__(self) -> str:
        s, bound = self.settings, self.result["bound"]
        line = f"{s.hamiltonian.name} on {s.lattice} to t = {s.time.end:g}"
        line += f", distance to the true state {distance_words(bound, self.result['judged'])}"
        return beneath(line, self.warnings)

    def __repr__(self) -> str:
        return f"EvolutionRun({str(self).partition(chr(10))[0]})"


def load_run(path: Path) -> EvolutionRun:
    """The `EvolutionRun` of the complete run in `path`; `InputError` as of `intertwine.load`."""
    from intertwine.report.folder import read_dataset

    run = complete(path, "evolve", ("bound", "observables", "warnings"), (DATASET,))
    told = run.result.get("space") or {}
    frame, kept = tuple(told.get("turned") or ()), told.get("magnetizations")
    lattice = build_lattice(run.settings.lattice)
    empty, first = turned(run.settings, blank(run.settings, lattice)), _first(run.settings, lattice, frame)
    if run.result.get("dressed"):
        empty = dressed(as_spins(empty), first)
    only = kept[0] if isinstance(kept, list) and len(kept) == 1 else None
    where = Space(default_sampler(first, SAMPLES, only), None if kept is None else tuple(kept), frame)
    model = placed(with_parameters(empty, read_dataset(path / DATASET), str(path / DATASET)), where)
    return EvolutionRun(model, run.settings, run.metrics, run.result)


def _first(c: EvolveConfiguration, lattice: Lattice | Graph, turned: tuple[int, ...]) -> Operator:
    """H at time 0, in the frame of the state."""
    made = hamiltonian(c, lattice)
    return (made if isinstance(made, Operator) else made(0.0)).in_frame(turned)
