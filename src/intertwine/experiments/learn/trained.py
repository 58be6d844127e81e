"""A trained run as a machine again: to draw from it, and to score rows by it.

result.nc     the parameters (parameter_…), and what leads from the columns of the data to the units
result.json   which machine, which units, ln Z with its bracket
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from intertwine._checks import fail
from intertwine.experiments.learn.settings import LearnConfiguration
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.machines.rbm import RBM
from intertwine.runs.dataset import parameter_variables


class Trained(NamedTuple):
    """model: RBM, DBM or DBN. configuration: of its run. result: of result.json. offset, scale: float64[N] of
    standardised columns, or None. columns: their names, or None. alphabet: of sequences, or None."""

    model: Any
    configuration: LearnConfiguration
    result: dict[str, Any]
    offset: np.ndarray | None
    scale: np.ndarray | None
    columns: tuple[str, ...] | None
    alphabet: str | None

    def as_data(self, rows: np.ndarray) -> np.ndarray:
        """Rows of the units as rows of the data: with offset and scale, or the numbers of Potts states."""
        if self.scale is not None and self.offset is not None:
            return rows * self.scale + self.offset
        if str(self.result["units"]).startswith("potts"):
            states = int(str(self.result["units"]).partition(":")[2])
            return rows.reshape(len(rows), -1, states).argmax(-1)
        return rows


def load_trained(folder: str | Path) -> Trained:
    """The machine that the learning run in `folder` ended with.

    Raises `InputError` where that is no finished learning run.
    """
    from intertwine.report.folder import read_dataset, read_record
    from intertwine.runs.kinds import configuration_of
    from intertwine.runs.run_folder import CONFIG, check_is_run
    from intertwine.runs.settings import read_toml

    path = check_is_run(folder)
    configuration = configuration_of(read_toml(path / CONFIG))
    if not isinstance(configuration, LearnConfiguration):
        got = f"{path}, a run of {configuration.kind}"
        raise fail("folder", "a run of intertwine learn", got, "give another")
    if not (path / "result.json").is_file() or not (path / "result.nc").is_file():
        raise fail("folder", "a finished run", f"{path}, without results", f"intertwine resume {path}")
    result, arrays = read_record(path / "result.json"), read_dataset(path / "result.nc")
    blank = _blank(configuration, result)
    names = list(parameter_variables(blank))
    leaves, structure = jax.tree.flatten(blank)
    found = []
    for name, leaf in zip(names, leaves, strict=True):
        if name not in arrays.variables or arrays[name].shape != leaf.shape:
            where, remedy = str(path / "result.nc"), "get the file again"
            raise fail(where, f"{name} of shape {leaf.shape}", "none of it", remedy)
        found.append(jnp.asarray(arrays[name].values, leaf.dtype))
    columns = arrays.attrs.get("columns")
    offset, scale = (
        np.asarray(arrays[name].values, np.float64) if name in arrays.variables else None
        for name in ("column_offset", "column_scale")
    )
    names_of_columns = tuple(str(columns).split("\n")) if columns else None
    model, alphabet = jax.tree.unflatten(structure, found), result.get("data", {}).get("alphabet")
    return Trained(model, configuration, result, offset, scale, names_of_columns, alphabet)


def _blank(c: LearnConfiguration, result: dict[str, Any]) -> Any:
    """A machine of the run's structure, with whatever parameters."""
    units, key = str(result["units"]), jax.random.key(0)
    size = int(result["data"]["columns"])
    hidden, kind = c.model.hidden, c.model.hidden_units
    if c.model.family == "rbm":
        return RBM(size, hidden[0], units=units, hidden_units=kind, key=key)
    machine = DBM if c.model.family == "dbm" else DBN
    return machine((size, *hidden), units=units, hidden_units=kind, key=key)
