r"""What the folder of a ground-state run holds, checked once, for the figures and the page as plain data.

    config.toml     the complete configuration
    metrics.jsonl   one line per step
    result.json     the final numbers                       (absent while the run goes on)
    result.nc       correlations, structure factors, densities     (absent while the run goes on)

A folder may come from anywhere and may be incomplete: a file that is not there is named in `Run.missing` and
the page says so; a file that is there and damaged is one `InputError` with the file, what was expected and
what to do. The last line of `metrics.jsonl` may be cut short, since a killed run leaves it so: left out.

Names in `result.nc` (all optional): `spin_correlation` and `spin_correlation_error` over `displacement`, with
`displacement_vector` (displacement, dimension); `structure_factor` and `structure_factor_error` over
`momentum`, with `momentum_vector` (momentum, dimension).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import PyTree

from intertwine.records.ground_state import SCHEMA
from intertwine.report.folder import (
    FolderData,
    check_folder,
    damaged,
    mapping,
    numbers_of,
    optional,
    read_config,
    read_dataset,
    read_files,
    read_metrics,
    read_record,
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


@dataclass(frozen=True, kw_only=True)
class Run(FolderData):
    """A run folder as data: everything that the report shows. fields: of the sites and momenta, by name, of
    runs in a Hilbert space with numbers, constraints or levels."""

    correlation: Field | None
    structure_factor: Field | None
    fields: dict[str, Field]

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


def read(folder: str | Path) -> Run:
    """The run in `folder`; raises `InputError` if it is not a run folder or one of its files is damaged.

    >>> read("no/such/folder")
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: folder: expected an existing run folder, got no/such/folder; give ...
    """
    folder = check_folder(folder)
    found, missing = read_files(
        folder,
        {
            "config.toml": (read_config, "the configuration"),
            "metrics.jsonl": (lambda path: read_metrics(path, SCHEMA.numbers), "the numbers of every step"),
            "result.json": (_read_result, "the final energy"),
            "result.nc": (_read_fields, "spin correlations and structure factor"),
        },
    )
    correlation, structure_factor, fields = found.get("result.nc", (None, None, {}))
    if "result.nc" in found and not found.get("result.json", {}).get("space"):
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
        fields=fields,
        missing=missing,
    )


def _read_result(path: Path) -> dict[str, Any]:
    result = read_record(path)
    energy = mapping(path, result, "energy")
    for name in ("mean", "error", "variance", "tau", "r_hat", "ess", "samples"):
        energy[name] = optional(path, f"energy.{name}", energy.get(name))
    result["energy"] = energy
    for name in ("v_score", "relative_error", "steps", "size", "parameters", "seconds"):
        result[name] = optional(path, name, result.get(name))
    result["observables"] = _read_observables(path, mapping(path, result, "observables"))
    if result.get("exact") is not None:
        exact = mapping(path, result, "exact")
        exact["energy"] = optional(path, "exact.energy", exact.get("energy"))
        result["exact"] = exact
    result["versions"] = mapping(path, result, "versions")
    return result


def _read_observables(path: Path, rows: dict[str, Any]) -> dict[str, dict[str, float | None]]:
    found = {}
    for name in rows:
        row = mapping(path, rows, name)
        found[name] = {part: optional(path, f"{name}.{part}", row.get(part)) for part in ("mean", "error")}
    return found


IN_SPACE = {
    "density": "site",
    "spin_z": "site",
    "density_structure_factor": "momentum",
    "spin_structure_factor": "momentum",
    "momentum_distribution": "momentum",
    "momentum_distribution_up": "momentum",
    "momentum_distribution_down": "momentum",
}
"""The fields of runs in a Hilbert space, and over what they are."""


def _read_fields(path: Path) -> tuple[Field | None, Field | None, dict[str, Field]]:
    dataset = read_dataset(path)
    every = {name: _field(path, dataset, name, axis) for name, axis in IN_SPACE.items()}
    return (
        _field(path, dataset, "spin_correlation", "displacement"),
        _field(path, dataset, "structure_factor", "momentum"),
        {name: field for name, field in every.items() if field is not None},
    )


def _field(path: Path, dataset: PyTree, name: str, axis: str) -> Field | None:
    """The quantity `name` at the vectors of `axis`, or None where it or its vectors are not written."""
    vector_names = (f"{axis}_vector", f"{axis}_vectors", f"{axis}_position", axis)
    there = [dataset[v] for v in vector_names if v in dataset.variables]
    vectors = next((variable for variable in there if variable.ndim == 2), None)
    if name not in dataset.variables or (vectors is None and axis != "site"):
        return None
    values = numbers_of(path, dataset[name], 1)
    numbered = np.arange(len(values), dtype=float)[:, None]  # sites without positions, by their numbers
    points = numbered if vectors is None else numbers_of(path, vectors, 2)
    errors = None
    if f"{name}_error" in dataset.variables:
        errors = numbers_of(path, dataset[f"{name}_error"], 1)
    if len(points) != len(values) or (errors is not None and errors.shape != values.shape):
        raise damaged(path, f"one vector and one error for each value of {name}", f"{len(points)} vectors")
    return Field(points, values, errors, str(dataset[name].attrs.get("long_name", "")))
