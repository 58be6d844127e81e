r"""What the folder of a renormalization run holds, checked once, for the figures and the page as plain data.

`records.renormalize` has the names in `result.nc`, all optional, with their dimensions.

attributes: families (comma-separated), main_start, image_height and image_width of the filters, sheared
(pictures are of a triangular lattice), row_of; title_, caption_, log_ of a column.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from intertwine.records.renormalize import ARRAYS, SCHEMA, TABLES
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
    read_metrics,
    read_record,
)

_NUMBERS = ("mean", "error", "exact")
_LARGEST, _MOST_PICTURES = 4096, 64


@dataclass(frozen=True, kw_only=True)
class RenormalizeRun(FolderData):
    """The folder as data. metrics: series of float64 against "step"; arrays: what `result.nc` has of the
    names above; pictures: configurations by level.
    """

    arrays: dict[str, np.ndarray]
    pictures: list[np.ndarray]
    attributes: dict[str, Any]

    @property
    def study(self) -> str:
        """flow, exponents or network."""
        return str(self.result.get("study") or self.config.get("study") or "flow")

    @property
    def families(self) -> list[str]:
        """The families of terms of the couplings."""
        return [name for name in str(self.attributes.get("families", "")).split(",") if name]

    def value(self, table: str, name: str) -> dict[str, float | None]:
        """mean, error, exact of an entry of `observables` or `exponents`."""
        return self.result.get(table, {}).get(name) or dict.fromkeys(_NUMBERS)


def read(folder: str | Path) -> RenormalizeRun:
    """The run in `folder`; raises `InputError` if it is not a run folder or one of its files is damaged."""
    folder = check_folder(folder)
    found, missing = read_files(
        folder,
        {
            "config.toml": (read_config, "the configuration"),
            "metrics.jsonl": (read_metrics, "how the numbers came about"),
            "result.json": (_read_result, "exponents and couplings"),
            "result.nc": (_read_arrays, "flows, exponents by level and configurations"),
        },
    )
    arrays, pictures, attributes = found.get("result.nc", ({}, [], {}))
    return RenormalizeRun(
        name=folder.resolve().name, config=found.get("config.toml", {}),
        metrics=found.get("metrics.jsonl", {}), result=found.get("result.json", {}), arrays=arrays,
        pictures=pictures, attributes=attributes, missing=missing,
    )  # fmt: skip


def _read_result(path: Path) -> dict[str, Any]:
    result = read_record(path)
    SCHEMA.check(result, str(path))
    for name in ("system", "observables", "exponents", "facts", "versions"):
        result[name] = mapping(path, result, name)
    for table in ("observables", "exponents"):
        result[table] = {str(name): entries_of(path, result[table], name, _NUMBERS) for name in result[table]}
    for name in ("coupling", "critical_coupling", "field", "next", "states"):
        result["system"][name] = optional(path, f"system.{name}", result["system"].get(name))
    for name in ("levels", "samples", "seconds"):
        result[name] = optional(path, name, result.get(name))
    return result


def _read_arrays(path: Path) -> tuple[dict[str, np.ndarray], list[np.ndarray], dict[str, Any]]:
    dataset = read_dataset(path)
    found = {
        name: numbers_of(path, dataset[name], len(array.dimensions))
        for name, array in ARRAYS.items()
        if name in dataset.variables
    }
    for name in dataset.variables:
        if str(name).startswith(tuple(f"{kind}_" for kind in TABLES)):
            found[str(name)] = numbers_of(path, dataset[name], 1)
    for name in found:
        other = name.removesuffix("_error")
        if other in found and found[other].shape != found[name].shape:
            raise damaged(path, f"{name} in the shape of {other}", str(found[name].shape))
    pictures = []
    while f"picture_{len(pictures)}" in dataset.variables and len(pictures) < _MOST_PICTURES:
        picture = numbers_of(path, dataset[f"picture_{len(pictures)}"], 2)
        if max(picture.shape) > _LARGEST or not np.isfinite(picture).all():
            raise damaged(path, f"pictures of at most {_LARGEST} finite pixels a side", str(picture.shape))
        pictures.append(picture)
    attributes = {
        str(name): value.item() if isinstance(value, np.generic) else value
        for name, value in dataset.attrs.items()
    }
    return found, pictures, attributes
