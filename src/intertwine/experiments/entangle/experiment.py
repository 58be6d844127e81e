"""The command `entangle`: the study of `it.entanglement.scan` with a folder."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np

from intertwine._caveats import caveat, once
from intertwine._checks import fail
from intertwine._version import __version__
from intertwine.experiments.entangle.settings import EntangleConfiguration
from intertwine.experiments.ground_state.places import build_lattice
from intertwine.learning.study import Scalars
from intertwine.quantum import exact
from intertwine.quantum.entanglement import spectrum
from intertwine.quantum.entanglement.chord_fit import CentralCharge, central_charge
from intertwine.quantum.entanglement.entropy_scan import (
    EXACT_SITES,
    SAMPLES,
    EntropyCurve,
    EntropyScan,
    volume_law,
)
from intertwine.quantum.entanglement.vectors import size_of
from intertwine.quantum.operators import hamiltonians
from intertwine.records.entangle import SCHEMA
from intertwine.runs.begun import NONE, begins_with
from intertwine.runs.dataset import number_or_nan, versions
from intertwine.runs.experiment import Experiment, Finished

if TYPE_CHECKING:
    import xarray

    from intertwine.spaces.graph.graph import Graph
    from intertwine.spaces.lattice import Lattice

SAME = 1e-9
"""Levels that differ by a smaller share of their size are one."""
SHOWN = 64
"""Eigenvalues of the last region's reduced density matrix that are kept."""


class Subject(NamedTuple):
    """What is measured: state is a model, a run or a vector; lattice where it is known; words: what it is."""

    state: Any
    size: int
    lattice: Lattice | Graph | None
    words: str
    warnings: tuple[str, ...] = ()


def subject_of(c: EntangleConfiguration) -> Subject:
    """The run's state, or the exact ground state of the Hamiltonian."""
    if c.state.run != NONE:
        from intertwine.experiments.load import load

        run = load(c.state.run)
        size = size_of(run)
        name = getattr(run.settings, "lattice", "")
        graph = getattr(run.settings, "graph", None)
        lattice = build_lattice(name, graph) if isinstance(name, str) and name else None
        if lattice is not None and lattice.size != size:
            lattice = None
        told = tuple(f"{line} (of the run)" for line in run.result.get("warnings", []))
        return Subject(run, size, lattice, f"the state of {c.state.run}, {size} sites", told)
    lattice = build_lattice(c.lattice)
    if lattice.size > EXACT_SITES:
        remedy = "give the folder of a run, or a smaller lattice"
        raise fail("lattice", f"at most {EXACT_SITES} sites without a run", f"{lattice.size} sites", remedy)
    settings, make = c.hamiltonian.arguments(), getattr(hamiltonians, c.hamiltonian.name)
    settings |= {"marshall": False} if "marshall" in settings else {}
    H = make(lattice, **settings)
    energy, vector = exact.ground_state(H)
    words = f"the exact ground state of {c.hamiltonian.name} on {c.lattice}, energy {energy:.8f}"
    levels = exact.spectrum(H, 2)
    alike = len(levels) > 1 and levels[1] - levels[0] < SAME * max(1.0, abs(energy))
    told = "the lowest level is degenerate: the entropies are those of one of its states"
    warnings = (caveat("assumption", told),) if alike else ()
    return Subject(np.asarray(vector), lattice.size, lattice, words, warnings)


class Entangle(Experiment):
    """A measurement made ready."""

    study: EntropyScan

    def __init__(self, c: EntangleConfiguration):
        self.c, self.every = c, c.checkpoint_every
        self.subject = subject = subject_of(c)
        half = subject.size // 2
        largest = half if c.regions.largest == "auto" else c.regions.largest
        if largest >= subject.size:
            raise fail("regions.largest", f"fewer than the {subject.size} sites", largest, "say 'auto'")
        asked = c.sampling.samples
        samples = None if subject.size <= EXACT_SITES else SAMPLES
        samples = samples if asked == "auto" else asked
        regions = [range(sites) for sites in range(1, largest + 1)]
        self.study = EntropyScan(subject.state, regions, samples, key=jax.random.key(c.seed))
        self.memory = 64 * (2**subject.size if samples is None else samples * subject.size)
        self.source = None
        if c.state.run != NONE:
            self.source = begins_with("state.run", c.state.run, "result.json")

    def announce(self) -> None:
        how = "exactly" if self.study.samples is None else f"from {self.study.samples} samples"
        print(f"{self.subject.words}; {self.study.lines} regions, {how}", flush=True)

    def describe(self, record: Scalars) -> str:
        return words(record)

    def finish(self, state: np.ndarray, history: list[Scalars], seconds: Callable[[], float]) -> Finished:
        curve, c = self.study.finish(state, history), self.c
        several = len(curve.lengths) > 1
        slope, apart = volume_law(curve.lengths, curve.renyi2) if several else (math.nan, math.nan)
        fit = self._chord(curve)
        exact_values = self.study.samples is None
        record: dict[str, Any] = {
            "kind": c.kind,
            "version": __version__,
            "renyi2": {"mean": float(curve.renyi2[-1]), "error": float(curve.error[-1])},
            "von_neumann": float(curve.von_neumann[-1]) if exact_values else None,
            "bound": None if math.isnan(curve.bound[-1]) else float(curve.bound[-1]),
            "sites_of_last": int(curve.lengths[-1]),
            "central_charge": fit,
            "volume": {"mean": slope, "residual": apart},
            "state": self.subject.words,
            "size": self.subject.size,
            "samples": self.study.samples,
            "precision": c.precision,
            "seed": c.seed,
            "seconds": seconds(),
            "versions": versions(),
            "warnings": once([*curve.warnings, *self.subject.warnings]),
        }
        values = (
            spectrum(self.study.vector(), self.study.regions[-1])[:SHOWN] if exact_values else np.zeros(0)
        )
        return Finished(record, lambda: _dataset(curve, values, history, record), _headline(record))

    def _chord(self, curve: EntropyCurve) -> dict[str, float] | None:
        """The central charge of a chain, from blocks of two sites and more; None where it is no chain, or too
        short. Its error is that of the fit, or twice the change where the two shortest blocks are left out:
        corrections of the lattice fall with the length."""
        lattice = self.subject.lattice
        if lattice is None or lattice.dimension != 1 or lattice.basis_size != 1:
            return None
        one = self._fit(curve, 2, lattice)
        other = None if one is None else self._fit(curve, 4, lattice)
        if one is None or other is None:
            return None
        return {"mean": one.c, "error": max(one.error, 2 * abs(one.c - other.c)), "residual": one.residual}

    def _fit(self, curve: EntropyCurve, shortest: int, lattice: Lattice | Graph) -> CentralCharge | None:
        chosen = curve.lengths >= shortest
        order = 1 if self.study.samples is None else 2
        entropies = curve.von_neumann if order == 1 else curve.renyi2
        chords = np.unique(np.minimum(curve.lengths, lattice.size - curve.lengths)[chosen])
        if len(chords) < 3 or not np.isfinite(entropies[chosen]).all():
            return None
        errors = None if order == 1 or not (curve.error[chosen] > 0).all() else curve.error[chosen]
        return central_charge(
            curve.lengths[chosen], entropies[chosen], lattice.size, order=order, errors=errors,
            periodic=all(lattice.periodic), correction=order == 2 and len(chords) > 3,
        )  # fmt: skip


def words(record: Scalars) -> str:
    """A line of metrics.

    >>> words({"sites": 3.0, "renyi2": 0.4987, "error": 0.0, "von_neumann": 0.6553, "bound": 2.0794})
    '3 sites  S₂ 0.49870  S 0.65530  bound 2.0794'
    """
    said = f"{record['sites']:.0f} sites  S₂ {record['renyi2']:.5f}"
    said += f" ± {record['error']:.1g}" if record["error"] else ""
    one, bound = record.get("von_neumann"), record.get("bound")
    said += f"  S {one:.5f}" if one is not None and math.isfinite(one) else ""
    return said + (f"  bound {bound:.4f}" if bound is not None and math.isfinite(bound) else "")


def _headline(record: dict[str, Any]) -> list[str]:
    last, two = record["sites_of_last"], record["renyi2"]
    error = f" ± {two['error']:.1g}" if two["error"] else ""
    said = [f"{last} sites: Rényi-2 entropy {two['mean']:.6f}{error} nats"]
    if record["von_neumann"] is not None:
        said[0] += f", von Neumann {record['von_neumann']:.6f}"
    if record["bound"] is not None:
        said[0] += f"; the structure allows {record['bound']:.4f}"
    if (fit := record["central_charge"]) is not None:
        line = record["volume"]
        said += [
            f"as a logarithm of the chord: c = {fit['mean']:.4f} ± {fit['error']:.1g}, off by"
            f" {fit['residual']:.1g} nats at most",
            f"as a straight line: {line['mean']:.4f} nats per site, off by {line['residual']:.1g}",
        ]
    return said


def _dataset(
    curve: EntropyCurve, values: np.ndarray, history: list[Scalars], record: dict[str, Any]
) -> xarray.Dataset:
    """`result.nc`: every column over the regions, and the last region's spectrum."""
    import xarray

    variables: dict[str, Any] = {}
    for name in sorted({key for line in history for key in line} - {"step", "sites"}):
        entry = SCHEMA.words_of(name)
        column = np.array([number_or_nan(line.get(name)) for line in history])
        variables[name] = ("sites", column, {"long_name": entry.words, "units": entry.unit})
    if len(values):
        told = {"long_name": "eigenvalues of the reduced density matrix of the last region", "units": "1"}
        variables["spectrum"] = ("level", values, told)
    attributes = {"title": f"entanglement: {record['state']}", "source": f"intertwine {__version__}"}
    return xarray.Dataset(variables, coords={"sites": curve.lengths}, attrs=attributes)


def load_run(path: Path) -> EntangleRun:
    """The `EntangleRun` of the complete run in `path`; `InputError` as of `intertwine.load`."""
    from intertwine.report.folder import read_dataset
    from intertwine.runs.complete import complete

    run = complete(path, "entangle", ("renyi2", "warnings"), ("result.nc",))
    arrays = read_dataset(path / "result.nc")
    found = np.asarray(arrays["spectrum"].values) if "spectrum" in arrays.variables else np.zeros(0)
    return EntangleRun(None, run.settings, run.metrics, run.result, found)


class EntangleRun(NamedTuple):
    """What a measurement of entropies left. model: None, the state is in its own run. metrics: name →
    float64, an entry per region. spectrum: of the last region, (k,), empty where it was sampled."""

    model: None
    settings: EntangleConfiguration
    metrics: dict[str, np.ndarray]
    result: dict[str, Any]
    spectrum: np.ndarray

    @property
    def warnings(self) -> tuple[str, ...]:
        """What qualifies the entropies."""
        return tuple(self.result["warnings"])
