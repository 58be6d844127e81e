"""A trained run as a machine again: to draw from it, and to score rows by it.

result.nc     the parameters (parameter_…), and what leads from the columns of the data to the units
result.json   which machine, which units, ln Z with its bracket
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from intertwine._checks import fail
from intertwine.boltzmann.partition.log_partition import LogPartition
from intertwine.boltzmann.training.families import named_machine
from intertwine.data.dataset import Dataset
from intertwine.experiments.datasets import data_record
from intertwine.experiments.learn.settings import LearnConfiguration
from intertwine.models.results import Scaling
from intertwine.records.folder import DATASET
from intertwine.records.learn import SCHEMA
from intertwine.runs.complete import complete
from intertwine.runs.dataset import with_parameters
from intertwine.runs.run_folder import read_metrics


class Trained(NamedTuple):
    """What a learning run left; `it.sample`, `it.log_likelihood` and whatever else takes a machine take it.
    Of standardised columns, these give and take rows in the units of the data, and densities of them.

    model: RBM, DBM or DBN, of the units of the run: of standardised columns, (column − offset)/scale.
    settings: of its run. metrics: name → float64, an entry a line. result: of result.json. offset, scale:
    float64[N] of standardised columns, or None. columns: their names, or None. alphabet: of sequences, or
    None. course: the lines of metrics, for `it.boltzmann.emergence(run)`.
    """

    model: Any
    settings: LearnConfiguration
    metrics: dict[str, np.ndarray]
    result: dict[str, Any]
    offset: np.ndarray | None = None
    scale: np.ndarray | None = None
    columns: tuple[str, ...] | None = None
    alphabet: str | None = None
    course: tuple[dict[str, Any], ...] = ()

    @property
    def log_z(self) -> LogPartition:
        """ln Z of the machine as the run estimated it."""
        found = self.result["log_z"]
        none = {"lower": -math.inf, "upper": math.inf}
        names = ("mean", "error", "ess", "lower", "upper")
        numbers = (none.get(name, math.nan) if found.get(name) is None else found[name] for name in names)
        mean, error, ess, lower, upper = map(float, numbers)
        return LogPartition(mean, error, ess, lower, upper, bool(found["trusted"]), str(found["method"]))

    def as_data(self, rows: np.ndarray) -> np.ndarray:
        """Rows of the units as rows of the data: with offset and scale, or the numbers of Potts states."""
        if self.scale is not None:
            return Scaling(self.offset, self.scale).outside(rows)
        if str(self.result["units"]).startswith("potts"):
            states = int(str(self.result["units"]).partition(":")[2])
            return rows.reshape(len(rows), -1, states).argmax(-1)
        return rows

    @property
    def warnings(self) -> tuple[str, ...]:
        """What qualifies the run's numbers."""
        return tuple(self.result["warnings"])

    def __repr__(self) -> str:
        columns = f"{self.result['data']['columns']} {self.result['units']} columns"
        found = self.result.get("log_likelihood", {})
        name = "test" if "test" in found else "train"
        kind = "held-out rows" if name == "test" else "rows learnt from"
        share = f", {found[name]['mean']:.4g} nats a row of the {kind}" if name in found else ""
        return f"Trained({type(self.model).__name__} of {columns}, ln Z {self.log_z.mean:.6g}{share})"


def load_trained(folder: str | Path) -> Trained:
    """The machine that the learning run in `folder` ended with.

    Raises `InputError` where that is no finished learning run.
    """
    from intertwine.report.folder import read_dataset

    run = complete(folder, "learn", ("log_z", "units", "data", "warnings"), (DATASET,))
    settings, result, arrays = run.settings, run.result, read_dataset(run.path / DATASET)
    model = with_parameters(_blank(settings, result), arrays, str(run.path / DATASET))
    columns = arrays.attrs.get("columns")
    offset, scale = (
        np.asarray(arrays[name].values, np.float64) if name in arrays.variables else None
        for name in ("column_offset", "column_scale")
    )
    names_of_columns = tuple(str(columns).split("\n")) if columns else None
    alphabet = result.get("data", {}).get("alphabet")
    course = tuple(read_metrics(run.path, SCHEMA))
    return Trained(model, settings, run.metrics, result, offset, scale, names_of_columns, alphabet, course)


def learnt_before(folder: str, data: Dataset) -> Any:
    """The machine of the learning run in `folder`, to go on with on `data`; `InputError` for data of other
    columns or units, or that were standardised otherwise."""
    trained = load_trained(folder)
    before, now = trained.result["data"], data_record(data)
    for name, given in (("columns", now["columns"]), ("units", now["units"])):
        if before[name] != given:
            remedy = "give the same data, or others of the same " + name
            raise fail("model.start", f"a run on {given} {name}", f"{folder}, on {before[name]}", remedy)
    for own, other in ((trained.offset, data.offset), (trained.scale, data.scale)):
        if not np.array_equal(() if own is None else own, () if other is None else other):
            expected, got = "a run on columns of the same means and widths", f"{folder}, on others"
            raise fail("model.start", expected, got, "give the same data")
    return jax.tree.map(lambda x: x.astype(jnp.result_type(float)), trained.model)


def _blank(c: LearnConfiguration, result: dict[str, Any]) -> Any:
    """A machine of the run's structure, with whatever parameters."""
    size, units = int(result["data"]["columns"]), str(result["units"])
    kind, key = c.model.hidden_units, jax.random.key(0)
    return named_machine(c.model.name, size, units, hidden_units=kind, key=key)[0]
