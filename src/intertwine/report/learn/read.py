r"""What the folder of a learning run holds, checked once, for the figures and the page as plain data.

Names in `result.nc` (all optional): sample and example (·, unit), filter (filter, unit), free_energy_train,
free_energy_test, free_energy_samples (row), mean_data and mean_samples (unit), covariance_data and
covariance_samples (pair), observable (chain, draw), autocorrelation (lag); attributes
units, image_height, image_width (0: no images), sweeps_between_draws.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from intertwine.records.learn import SCHEMA
from intertwine.report.folder import (
    FolderData,
    check_folder,
    damaged,
    entries_of,
    mapping,
    numbers_of,
    optional,
    read_config,
    read_dataset,
    read_files,
    read_lists,
    read_metrics,
    read_record,
)

_ARRAYS = {
    "sample": 2, "example": 2, "filter": 2, "free_energy_train": 1, "free_energy_test": 1,
    "free_energy_samples": 1, "observable": 2, "autocorrelation": 1, "mean_data": 1, "mean_samples": 1,
    "covariance_data": 1, "covariance_samples": 1,
}  # fmt: skip
_SHOWN = 1000
"""Samples that are looked at."""
_LARGEST = 256
"""Pictures of more pixels along an edge are not drawn."""


@dataclass(frozen=True, kw_only=True)
class LearnRun(FolderData):
    """The folder as data. metrics: series of float64 against "step"; arrays: what `result.nc` has of the
    names above; shape: (height, width) where rows are images, else None; spectrum: (steps, modes);
    modes: (steps, k) strengths of the data's principal modes in W.
    """

    spectrum: np.ndarray | None
    modes: np.ndarray | None
    arrays: dict[str, np.ndarray]
    attributes: dict[str, Any]

    @property
    def shape(self) -> tuple[int, int] | None:
        height, width = (self.attributes.get(f"image_{name}") for name in ("height", "width"))
        whole = all(isinstance(n, int | np.integer) and 1 <= n <= _LARGEST for n in (height, width))
        return (int(height), int(width)) if whole else None  # type: ignore[arg-type]

    def pictures(self, name: str) -> np.ndarray | None:
        """The rows of `name` where they are images, else None."""
        rows = self.arrays.get(name)
        shape = self.shape
        return rows if rows is not None and shape and rows.shape[1] == shape[0] * shape[1] else None

    @property
    def best(self) -> float | None:
        """The best mean log-likelihood that any model can have, where it is known."""
        entropy = self.result.get("data", {}).get("entropy")
        return None if entropy is None else -entropy


def read(folder: str | Path) -> LearnRun:
    """The run in `folder`; raises `InputError` if it is not a run folder or one of its files is damaged."""
    folder = check_folder(folder)
    found, missing = read_files(
        folder,
        {
            "config.toml": (read_config, "the configuration"),
            "metrics.jsonl": (_read_metrics, "the numbers of every epoch"),
            "result.json": (_read_result, "the likelihood of the trained machine"),
            "result.nc": (_read_arrays, "samples, filters and free energies"),
        },
    )
    metrics, spectrum, modes = found.get("metrics.jsonl", ({}, None, None))
    arrays, attributes = found.get("result.nc", ({}, {}))
    return LearnRun(
        name=folder.resolve().name, config=found.get("config.toml", {}), metrics=metrics, spectrum=spectrum,
        modes=modes, result=found.get("result.json", {}), arrays=arrays, attributes=attributes,
        missing=missing,
    )  # fmt: skip


def _read_metrics(path: Path) -> tuple[dict[str, np.ndarray], np.ndarray | None, np.ndarray | None]:
    spectrum, modes = (read_lists(path, name) for name in ("singular_values", "mode_strengths"))
    return read_metrics(path, SCHEMA.numbers), spectrum, modes


def _read_result(path: Path) -> dict[str, Any]:
    result = read_record(path)
    for name in ("log_z", "log_likelihood", "sampling", "observables", "data", "versions",
                 "independent_columns", "principal_modes"):  # fmt: skip
        result[name] = mapping(path, result, name)
    for name in ("mean", "error", "ess", "lower", "upper"):
        result["log_z"][name] = optional(path, f"log_z.{name}", result["log_z"].get(name))
    for rows in ("train", "test"):
        if rows in result["log_likelihood"]:
            result["log_likelihood"][rows] = entries_of(
                path, result["log_likelihood"], rows, ("mean", "error", "lower", "upper", "rows")
            )
        if rows in result["independent_columns"]:
            columns = entries_of(path, result["independent_columns"], rows, ("mean",))
            result["independent_columns"][rows] = columns
    for name in ("chains", "draws", "sweeps_between_draws", "tau", "r_hat", "ess"):
        result["sampling"][name] = optional(path, f"sampling.{name}", result["sampling"].get(name))
    for name in ("rows", "held_out", "columns", "entropy"):
        result["data"][name] = optional(path, f"data.{name}", result["data"].get(name))
    for name in ("parameters", "epochs", "seconds"):
        result[name] = optional(path, name, result.get(name))
    far = mapping(path, result, "transport")
    numbers = ("value", "error", "floor", "at_floor", "rows")
    found = entries_of(path, result, "transport", numbers) | {"metric": str(far.get("metric"))}
    result["transport"] = found if far else {}
    result["observables"] = {
        str(name): _observable(path, result["observables"], name) for name in result["observables"]
    }
    return result


def _observable(path: Path, table: dict[str, Any], name: str) -> dict[str, Any]:
    values = entries_of(path, table, name, ("exact", "distance"))
    inner = mapping(path, table, name)
    for of in ("samples", "data"):
        values[of] = entries_of(path, inner, of, ("mean", "error"))
    return values


def _read_arrays(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    dataset = read_dataset(path)
    found = {
        name: numbers_of(path, dataset[name][:_SHOWN] if name == "sample" else dataset[name], axes)
        for name, axes in _ARRAYS.items()
        if name in dataset.variables
    }
    for name in ("sample", "example", "filter", "observable"):
        if name in found and not np.isfinite(found[name]).all():
            raise damaged(path, f"finite numbers in {name}", "others")
    attributes = {
        str(name): value.item() if isinstance(value, np.generic) else value
        for name, value in dataset.attrs.items()
    }
    thin = attributes.get("sweeps_between_draws", 1)
    if isinstance(thin, bool) or not isinstance(thin, int | float) or not math.isfinite(thin) or thin < 1:
        raise damaged(path, "sweeps_between_draws to be a number of at least 1", thin)
    return found, attributes
