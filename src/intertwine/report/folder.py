"""A run folder's files as plain data, checked: what every kind of report reads in the same way.

A file that is not there is named, and the page says so; a file that is there and damaged is one `InputError`
with the file, what was expected and what to do. The last line of `metrics.jsonl` may be cut short, since a
killed run leaves it so: left out.
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from intertwine._checks import fail

_REMEDY = "give the folder that a command such as `intertwine run` wrote"

Readers = Mapping[str, tuple[Callable[[Path], Any], str]]
"""File name → (what reads it, what it shows)."""


@dataclass(frozen=True, kw_only=True)
class FolderData:
    """What the folder of any run holds. metrics: "step" and the other series → float64 (steps,), NaN where a
    step lacks the value; result: `result.json`, or empty; missing: what is not there → what it would show."""

    name: str
    config: dict[str, Any]
    metrics: dict[str, np.ndarray]
    result: dict[str, Any]
    missing: dict[str, str]

    @property
    def finished(self) -> bool:
        """Whether the run wrote its result."""
        return bool(self.result)

    @property
    def steps(self) -> int:
        """How many lines of metrics there are."""
        return len(self.metrics.get("step", ()))

    def last(self, name: str) -> float | None:
        """The last finite value of a series, None where there is none."""
        return last_finite(self.metrics.get(name))


def check_folder(folder: str | Path) -> Path:
    """`folder` as a path, if it is one."""
    folder = Path(folder)
    remedy = _REMEDY
    if not folder.is_dir():
        raise fail("folder", "an existing run folder", str(folder), remedy)
    return folder


def read_files(folder: Path, readers: Readers) -> tuple[dict[str, Any], dict[str, str]]:
    """(what was found, what is missing and would have shown); `InputError` if nothing was found."""
    found: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for name, (reader, shows) in readers.items():
        path = folder / name
        if path.is_file():
            found[name] = reader(path)
        else:
            missing[name] = shows
    if not found:
        remedy = _REMEDY
        raise fail("folder", "a run folder with " + ", ".join(readers), f"{folder} with none of them", remedy)
    return found, missing


def damaged(path: Path, expected: str, got: object) -> Exception:
    remedy = f"write it again with `intertwine resume {path.parent.resolve().name}`, or move it away"
    return fail(path.name, expected, got, remedy)


def read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise damaged(path, "UTF-8 text", f"byte {error.start} that is not") from None


def read_config(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_text(path))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise damaged(path, "TOML", str(error) or "too deep a nesting") from None


def read_object(path: Path, text: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError, ValueError) as error:
        raise damaged(path, f"{where} to be JSON", str(error) or "too deep a nesting") from None
    if not isinstance(value, dict):
        raise damaged(path, f"{where} to be an object", type(value).__name__)
    return value


def read_record(path: Path) -> dict[str, Any]:
    """`result.json` as an object, with its caveats as a list of lines under "warnings"."""
    result = read_object(path, read_text(path), "the file")
    lines = result.get("warnings")
    lines = [] if lines is None else lines
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise damaged(path, "a list of sentences for warnings", lines)
    return result | {"warnings": lines}


def to_number(path: Path, name: str, value: object) -> float:
    """`value` as a float; None is NaN (a quantity that the step did not have)."""
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise damaged(path, f"a number for {name}", value)
    try:
        return float(value)
    except OverflowError:
        raise damaged(path, f"a number for {name} that a double can hold", "a larger one") from None


def read_metrics(path: Path, series: Iterable[str] | None = None) -> dict[str, np.ndarray]:
    """The column "step" and those of `series` that a line has (None: all numbers): float64, NaN for gaps."""
    lines = read_text(path).split("\n")
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        cut_short = number == len(lines) and not line.rstrip().endswith("}")
        if cut_short:
            break
        rows.append(read_object(path, line, f"line {number}"))
    there = dict.fromkeys(name for row in rows for name, value in row.items() if not isinstance(value, list))
    names = [
        "step",
        *(name for name in (there if series is None else series) if name in there and name != "step"),
    ]
    for number, row in enumerate(rows, start=1):
        if not isinstance(row.get("step"), int) or isinstance(row["step"], bool):
            raise damaged(path, f"an integer step in record {number}", row.get("step"))

    def column(name: str) -> np.ndarray:
        values = [to_number(path, f"{name} at step {row['step']}", row.get(name)) for row in rows]
        return np.array(values, dtype=float)

    return {name: column(name) for name in names}


def last_finite(values: np.ndarray | None) -> float | None:
    """The last finite value of a series, None where there is none.

    >>> last_finite(np.array([1.0, 2.0, np.nan])), last_finite(None)
    (2.0, None)
    """
    if values is None or not np.isfinite(values).any():
        return None
    return float(values[np.isfinite(values)][-1])


def mapping(path: Path, result: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = result.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise damaged(path, f"an object for {name}", value)
    return dict(value)


def entries_of(path: Path, table: Mapping[str, Any], name: str, names: Iterable[str]) -> dict[str, Any]:
    """The entries `names` of the table `name` in `table`, each a number or None."""
    inner = mapping(path, table, name)
    return {entry: optional(path, f"{name}.{entry}", inner.get(entry)) for entry in names}


def optional(path: Path, name: str, value: object) -> float | None:
    """A finite number, or None where there is none."""
    number = to_number(path, name, value)
    return number if math.isfinite(number) else None


def read_dataset(path: Path) -> Any:
    """The netCDF-4 file as an `xarray.Dataset` in memory."""
    import xarray

    try:
        with xarray.open_dataset(path, engine="h5netcdf", decode_times=False) as dataset:
            return dataset.load()
    except Exception as error:  # the HDF5 readers raise nearly everything for a damaged file
        raise damaged(path, "a netCDF-4 file", f"{type(error).__name__}: {error}".split("\n")[0]) from None


def numbers_of(path: Path, variable: Any, dimensions: int) -> np.ndarray:
    if variable.ndim != dimensions or variable.dtype.kind not in "fiu" or variable.size == 0:
        got = f"{variable.dtype} of shape {variable.shape}"
        raise damaged(path, f"{variable.name} to be {dimensions}-dimensional real numbers", got)
    return np.asarray(variable.values, dtype=float)


def read_lists(path: Path, name: str) -> np.ndarray | None:
    """The lists of numbers called `name`, one row per line, (steps, longest) float64 with NaN for gaps; None
    where there are none.
    """
    rows: list[list[float]] = []
    for line in read_text(path).split("\n"):
        if not line.strip().endswith("}"):
            continue
        value = read_object(path, line, "a line").get(name)
        value = [] if value is None else value
        if not isinstance(value, list):
            raise damaged(path, f"a list for {name}", value)
        rows.append([to_number(path, name, entry) for entry in value])
    longest = max((len(row) for row in rows), default=0)
    if not longest:
        return None
    table = np.full((len(rows), longest), np.nan)
    for values, row in zip(rows, table, strict=True):
        row[: len(values)] = values
    return table
