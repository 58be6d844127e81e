r"""What a run folder holds, read and checked once, for the figures and the page to use as plain data.

    config.toml     the complete configuration
    metrics.jsonl   a line a step
    result.json     the final numbers                       (absent while the run goes on)
    result.nc       spin correlations, structure factor     (absent while the run goes on)

A folder may come from anywhere and may be incomplete: a file that is not there is named in `Run.missing` and
the page says so; a file that is there and damaged is one `InputError` with the file, what was expected and
what to do. The last line of `metrics.jsonl` may be cut short, since a killed run leaves it so: left out.

Names in `result.nc` (all optional): `spin_correlation` and `spin_correlation_error` over `displacement`, with
`displacement_vector` (displacement, dimension); `structure_factor` and `structure_factor_error` over
`momentum`, with `momentum_vector` (momentum, dimension).
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from intertwine._checks import fail

SERIES = (
    "energy",
    "error",
    "variance",
    "v_score",
    "acceptance",
    "tau",
    "r_hat",
    "ess",
    "learning_rate",
    "shift",
    "update_norm",
    "seconds",
)


@dataclass(frozen=True)
class Field:
    """Values at vectors of space or of momentum space.

    `vectors` float64[n, d], `values` and `errors` float64[n]; `errors` is None where none were written;
    `label` is the quantity in the words of whoever wrote it.
    """

    vectors: np.ndarray
    values: np.ndarray
    errors: np.ndarray | None
    label: str = ""


@dataclass(frozen=True)
class Run:
    """A run folder as data: everything that the report shows.

    `metrics` maps "step" and each recorded name of `SERIES` to float64[steps] (NaN where a step lacks the
    value); `result` is `result.json` or empty; `missing` maps what is not there to what it would have shown.
    """

    name: str
    config: dict[str, Any]
    metrics: dict[str, np.ndarray]
    result: dict[str, Any]
    correlation: Field | None
    structure_factor: Field | None
    missing: dict[str, str]

    @property
    def finished(self) -> bool:
        """Whether the run wrote its result."""
        return bool(self.result)

    @property
    def steps(self) -> int:
        """How many steps were recorded."""
        return len(self.metrics.get("step", ()))

    def last(self, name: str) -> float | None:
        """The last value of a series, None where there is none."""
        values = self.metrics.get(name)
        if values is None or not len(values) or not math.isfinite(values[-1]):
            return None
        return float(values[-1])

    @property
    def exact(self) -> float | None:
        """The exact ground-state energy where the run knew it."""
        exact = self.result.get("exact")
        return None if exact is None else exact.get("energy")


def read_run(folder: str | Path) -> Run:
    """The run in `folder`; raises `InputError` if it is not a run folder or one of its files is damaged.

    >>> read_run("no/such/folder")
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: folder: expected an existing run folder, got no/such/folder; give ...
    """
    folder = Path(folder)
    remedy = "give the folder that `intertwine ground-state` or `intertwine run` wrote"
    if not folder.is_dir():
        raise fail("folder", "an existing run folder", str(folder), remedy)
    readers: dict[str, tuple[Callable[[Path], Any], str]] = {
        "config.toml": (_read_config, "the configuration"),
        "metrics.jsonl": (_read_metrics, "the numbers of every step"),
        "result.json": (_read_result, "the final energy"),
        "result.nc": (_read_fields, "spin correlations and structure factor"),
    }
    found: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for name, (reader, shows) in readers.items():
        path = folder / name
        if path.is_file():
            found[name] = reader(path)
        else:
            missing[name] = shows
    if not found:
        raise fail("folder", "a run folder with " + ", ".join(readers), f"{folder} with none of them", remedy)
    correlation, structure_factor = found.get("result.nc", (None, None))
    if "result.nc" in found:
        if correlation is None:
            missing["spin_correlation in result.nc"] = "spin correlations"
        if structure_factor is None:
            missing["structure_factor in result.nc"] = "the structure factor"
    return Run(
        name=folder.resolve().name,
        config=found.get("config.toml", {}),
        metrics=found.get("metrics.jsonl", {}),
        result=found.get("result.json", {}),
        correlation=correlation,
        structure_factor=structure_factor,
        missing=missing,
    )


def _damaged(path: Path, expected: str, got: Any) -> Exception:
    remedy = f"write it again with `intertwine resume {path.parent.resolve().name}`, or move it away"
    return fail(path.name, expected, got, remedy)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise _damaged(path, "UTF-8 text", f"byte {error.start} that is not") from None


def _read_config(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(path))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _damaged(path, "TOML", str(error) or "too deep a nesting") from None


def _object(path: Path, text: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError, ValueError) as error:
        raise _damaged(path, f"{where} to be JSON", str(error) or "too deep a nesting") from None
    if not isinstance(value, dict):
        raise _damaged(path, f"{where} to be an object", type(value).__name__)
    return value


def _number(path: Path, name: str, value: Any) -> float:
    """`value` as a float; None is NaN (a quantity that the step did not have)."""
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _damaged(path, f"a number for {name}", value)
    try:
        return float(value)
    except OverflowError:
        raise _damaged(path, f"a number for {name} that a double can hold", "a larger one") from None


def _read_metrics(path: Path) -> dict[str, np.ndarray]:
    lines = _text(path).split("\n")
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        cut_short = number == len(lines) and not line.rstrip().endswith("}")
        if cut_short:
            break
        rows.append(_object(path, line, f"line {number}"))
    names = ["step", *(name for name in SERIES if any(name in row for row in rows))]
    for number, row in enumerate(rows, start=1):
        if not isinstance(row.get("step"), int) or isinstance(row["step"], bool):
            raise _damaged(path, f"an integer step in record {number}", row.get("step"))

    def column(name: str) -> np.ndarray:
        values = [_number(path, f"{name} at step {row['step']}", row.get(name)) for row in rows]
        return np.array(values, dtype=float)

    return {name: column(name) for name in names}


def _read_result(path: Path) -> dict[str, Any]:
    result = _object(path, _text(path), "the file")
    energy = _mapping(path, result, "energy")
    for name in ("mean", "error", "variance", "tau", "r_hat", "ess", "samples"):
        energy[name] = _optional(path, f"energy.{name}", energy.get(name))
    result["energy"] = energy
    for name in ("v_score", "relative_error", "steps", "size", "parameters", "seconds"):
        result[name] = _optional(path, name, result.get(name))
    if result.get("exact") is not None:
        exact = _mapping(path, result, "exact")
        exact["energy"] = _optional(path, "exact.energy", exact.get("energy"))
        result["exact"] = exact
    result["versions"] = _mapping(path, result, "versions")
    return result


def _mapping(path: Path, result: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = result.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _damaged(path, f"an object for {name}", value)
    return dict(value)


def _optional(path: Path, name: str, value: Any) -> float | None:
    """A finite number, or None where there is none."""
    number = _number(path, name, value)
    return number if math.isfinite(number) else None


def _read_fields(path: Path) -> tuple[Field | None, Field | None]:
    import xarray

    try:
        with xarray.open_dataset(path, engine="h5netcdf", decode_times=False) as dataset:
            dataset.load()
    except Exception as error:  # the HDF5 readers raise nearly everything for a damaged file
        raise _damaged(path, "a netCDF-4 file", f"{type(error).__name__}: {error}".split("\n")[0]) from None
    return (
        _field(path, dataset, "spin_correlation", "displacement"),
        _field(path, dataset, "structure_factor", "momentum"),
    )


def _field(path: Path, dataset: Any, name: str, axis: str) -> Field | None:
    """The quantity `name` at the vectors of `axis`, or None where it or its vectors are not written."""
    vector_names = (f"{axis}_vector", f"{axis}_vectors", axis)
    there = [dataset[v] for v in vector_names if v in dataset.variables]
    vectors = next((variable for variable in there if variable.ndim == 2), None)
    if name not in dataset.variables or vectors is None:
        return None
    values = _array(path, dataset[name], 1)
    points = _array(path, vectors, 2)
    errors = None
    if f"{name}_error" in dataset.variables:
        errors = _array(path, dataset[f"{name}_error"], 1)
    if len(points) != len(values) or (errors is not None and errors.shape != values.shape):
        raise _damaged(path, f"one vector and one error for each value of {name}", f"{len(points)} vectors")
    return Field(points, values, errors, str(dataset[name].attrs.get("long_name", "")))


def _array(path: Path, variable: Any, dimensions: int) -> np.ndarray:
    if variable.ndim != dimensions or variable.dtype.kind not in "fiu" or variable.size == 0:
        got = f"{variable.dtype} of shape {variable.shape}"
        raise _damaged(path, f"{variable.name} to be {dimensions}-dimensional real numbers", got)
    return np.asarray(variable.values, dtype=float)
