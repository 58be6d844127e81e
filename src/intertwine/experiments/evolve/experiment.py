"""The command `evolve`: the study of `it.evolve` with a folder, and the exact curves beside it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from intertwine._caveats import caveat, once
from intertwine._version import __version__
from intertwine.experiments.evolve.build import build, exact_curves
from intertwine.experiments.evolve.settings import EvolveConfiguration
from intertwine.experiments.ground_state.loaded import beginning_record
from intertwine.experiments.memory_needs import refuse_beyond
from intertwine.learning.study import Scalars
from intertwine.models.parameters import count_parameters
from intertwine.quantum.dynamics.dressed import Dressed
from intertwine.quantum.dynamics.evolution import Evolution, EvolutionState
from intertwine.quantum.dynamics.trajectory import Trajectory, distance_words
from intertwine.records.evolve import SCHEMA
from intertwine.runs.begun import NONE
from intertwine.runs.dataset import number_or_nan, parameter_variables, versions
from intertwine.runs.experiment import Experiment, Finished

if TYPE_CHECKING:
    import xarray

    from intertwine.sampling.space import Space

FAR = 5.0
"""Standard errors beyond twice the bound that an observable is not to be from its exact value."""


class Evolve(Experiment):
    """An evolution made ready."""

    study: Evolution

    def __init__(self, c: EvolveConfiguration):
        self.c, self.problem = c, build(c)
        self.study, self.every = self.problem.study, c.checkpoint_every
        self.memory = refuse_beyond(_memory(self.study), "take fewer samples, or a smaller model")
        self.exact, self.known = exact_curves(c, self.problem)
        self.source = beginning_record(c.model.start)

    def announce(self) -> None:
        c, study = self.c, self.study
        network = f"{c.model.name} (complex, {count_parameters(study.begin)} parameters)"
        print(f"{c.hamiltonian.name} on {c.lattice}, {self.problem.lattice.size} sites; {network}")
        begin = (
            f"the state of {c.model.start}" if c.model.start != NONE else f"the product state {c.model.state}"
        )
        begin += f", turned by {c.model.turn}" if c.model.turns else ""
        off = f" (infidelity {self.problem.infidelity:.1g})" if self.problem.infidelity else ""
        how = "exact sums" if study.source.exact else f"{study.source.samples} samples per step"
        print(f"from {begin}{off} to t = {c.time.end:g} in {c.time.direction} time; {study.label}, {how}")
        if self.known:
            print(f"exact curves: {self.known}", flush=True)

    def measured(self, state: EvolutionState, scalars: Scalars, line: int) -> Scalars:
        """What the study measured, with the exact values."""
        own = {"step_size" if name == "step" else name: value for name, value in scalars.items()}
        return own | {f"{name}_exact": float(values[line]) for name, values in self.exact.items()}

    def describe(self, record: Scalars) -> str:
        return words(record)

    def finish(self, state: EvolutionState, history: list[Scalars], seconds: Callable[[], float]) -> Finished:
        found, c = self.study.finish(state, history), self.c
        deviation = self._deviation(found)
        record: dict[str, Any] = {
            "kind": c.kind,
            "version": __version__,
            "bound": float(found.bound[-1]),
            "judged": found.judged,
            "trusted_until": found.trusted_until,
            "energy": {"mean": float(found.energy[-1]), "error": float(found.energy_error[-1])},
            "observables": {
                name: {
                    "mean": float(values[-1]),
                    "error": float(found.errors[name][-1]),
                    "exact": float(self.exact[name][-1]) if name in self.exact else None,
                }
                for name, values in found.observables.items()
            },
            "deviation": deviation,
            "exact": self.known or "not known",
            "infidelity_of_start": self.problem.infidelity,
            "space": space_record(self.study.where),
            "dressed": isinstance(found.model, Dressed),
            "method": found.method,
            "because": found.because,
            "steps": int(found.history["steps"][-1]),
            "lattice": c.lattice,
            "hamiltonian": c.hamiltonian.name,
            "model": c.model.name,
            "size": self.problem.lattice.size,
            "parameters": count_parameters(self.study.begin),
            "precision": c.precision,
            "seed": c.seed,
            "seconds": seconds(),
            "versions": versions(),
            "warnings": once([*found.warnings, *self._beyond(found)]),
        }
        return Finished(record, lambda: _dataset(found, history, record), _headline(record))

    def _deviation(self, found: Trajectory) -> dict[str, float]:
        """The largest distance from the exact curve of each observable that has one."""
        ours = found.observables | {"energy": found.energy}
        return {name: float(np.max(np.abs(ours[name] - curve))) for name, curve in self.exact.items()}

    def _beyond(self, found: Trajectory) -> list[str]:
        """Observables of norm 1 that are farther off than the certificate allows, which it should not be."""
        told = []
        for name, curve in self.exact.items():
            if name in ("energy", "entropy"):
                continue
            allowed = 2 * found.bound + FAR * found.errors[name] + 1e-9
            beyond = np.flatnonzero(np.abs(found[name] - curve) > allowed)
            if len(beyond):
                t = found.times[beyond[0]]
                told.append(
                    caveat("far-from-exact", f"{name} is beyond its bound from the exact curve at t = {t:g}")
                )
        return told


def _memory(study: Evolution) -> int:
    """Bytes: log-derivatives of a step with what is made of them, and configurations of a measurement."""
    source, size = study.source, study.begin.size
    rows = len(source.sampler.sizes) if source.samples is None else source.samples
    states = 2**size if source.exact else study.observe
    return 16 * (4 * rows * count_parameters(study.begin) + states * size)


def space_record(where: Space | None) -> dict[str, list[int] | None]:
    """The magnetizations and the frame of a state, for `result.json`."""
    kept, turned = (None, ()) if where is None else (where.magnetizations, where.turned or ())
    return {"magnetizations": None if kept is None else list(kept), "turned": list(turned)}


def words(record: Scalars) -> str:
    """A line of metrics.

    >>> words({"time": 0.5, "energy": -5.0, "X": 0.34463, "X_exact": 0.34464, "bound": 0.0012})
    't 0.5  E −5.0000  ⟨X⟩ 0.34463 (exact 0.34464)  bound 1.2e-03'
    """
    said = f"t {record['time']:g}  E {record['energy']:.4f}  ⟨X⟩ {record['X']:.5f}"
    if "X_exact" in record:
        said += f" (exact {record['X_exact']:.5f})"
    return f"{said}  bound {record['bound']:.1e}".replace(" -", " −")


def _headline(record: dict[str, Any]) -> list[str]:
    how = f"{record['steps']} steps by {record['method']}"
    said = [f"distance to the true state {distance_words(record['bound'], record['judged'])}, {how}"]
    rows = [(name, values) for name, values in record["observables"].items()]
    for name, values in rows:
        error = f" ± {values['error']:.1g}" if values["error"] else ""
        exact = "" if values["exact"] is None else f", exact {values['exact']:.6f}"
        said.append(f"{name} {values['mean']:.6f}{error}{exact}".replace("-", "−"))
    if record["deviation"]:
        worst = max(
            (v for n, v in record["deviation"].items() if n not in ("energy", "entropy")), default=math.nan
        )
        said.append(f"largest distance from the exact curves ({record['exact']}): {worst:.1e}")
    return said


def _dataset(found: Trajectory, history: list[Scalars], record: dict[str, Any]) -> xarray.Dataset:
    """`result.nc`: every column over time, and the parameters at the end."""
    import xarray

    variables: dict[str, Any] = {}
    for name in sorted({key for line in history for key in line} - {"step", "time"}):
        entry = SCHEMA.words_of(name)
        column = np.array([number_or_nan(line.get(name)) for line in history])
        variables[name] = ("time", column, {"long_name": entry.words, "units": entry.unit})
    variables |= parameter_variables(found.model)
    title = f"evolution: {record['hamiltonian']} on {record['lattice']}, {record['model']}"
    attributes = {
        "title": title,
        "convention": "Pauli matrices, spins ±1",
        "source": f"intertwine {__version__}",
    }
    return xarray.Dataset(variables, coords={"time": found.times}, attrs=attributes)
