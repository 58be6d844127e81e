r"""What the folder of a classifying run holds, checked once, for the figures and the page as plain data.

Names in `result.nc` (all optional): filters (filter, element, k0, k1), wrong_images (n, X, X, channels),
wrong_labels, wrong_predictions, wrong_probabilities (n). Of images on a sphere or a mesh: shown_images (k,
*places), shown_labels, shown_predictions (k), and latitude and longitude, or position and face.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from intertwine.records.classify import SCHEMA
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

_ARRAYS = {
    "filters": 4, "wrong_images": 4, "wrong_labels": 1, "wrong_predictions": 1, "wrong_probabilities": 1,
    "shown_labels": 1, "shown_predictions": 1,
}  # fmt: skip
_PLACES = {"latitude": 1, "longitude": 1, "position": 2, "face": 2}
_MOST = 4_000_000
_MOST_CLASSES, _LARGEST = 1000, 256


@dataclass(frozen=True, kw_only=True)
class ClassifyRun(FolderData):
    """The folder as data. metrics: series of float64 against "step"; arrays: what `result.nc` has of the
    names above; confusion: int (classes, classes) or None; equivariance: rows with layer, name, error,
    exact; angles: degrees, accuracy and error, each (n,), or None; rotations: elements, their names, and
    accuracy (n,), or None. shown: images on a sphere or a mesh, (k, *places), or None; places: where they
    lie."""

    arrays: dict[str, np.ndarray]
    shown: np.ndarray | None
    places: dict[str, np.ndarray]

    @property
    def confusion(self) -> np.ndarray | None:
        return self.result.get("confusion")

    @property
    def depth(self) -> dict[str, Any]:
        """Numbers by layer, {} where the run recorded none."""
        return self.result.get("depth") or {}

    @property
    def equivariance(self) -> list[dict[str, Any]]:
        return self.result.get("equivariance", [])

    @property
    def rotations(self) -> dict[str, Any] | None:
        return self.result.get("rotations") or None

    @property
    def angles(self) -> dict[str, np.ndarray] | None:
        return self.result.get("angles") or None


def read(folder: str | Path) -> ClassifyRun:
    """The run in `folder`; raises `InputError` if it is not a run folder or one of its files is damaged."""
    folder = check_folder(folder)
    found, missing = read_files(
        folder,
        {
            "config.toml": (read_config, "the configuration"),
            "metrics.jsonl": (lambda path: read_metrics(path, SCHEMA.numbers), "the numbers of every epoch"),
            "result.json": (_read_result, "the accuracy of the trained network"),
            "result.nc": (_read_arrays, "filters and mistakes"),
        },
    )
    arrays, shown, places = found.get("result.nc", ({}, None, {}))
    return ClassifyRun(
        name=folder.resolve().name,
        config=found.get("config.toml", {}),
        metrics=found.get("metrics.jsonl", {}),
        result=found.get("result.json", {}),
        arrays=arrays,
        shown=shown,
        places=places,
        missing=missing,
    )


def _read_result(path: Path) -> dict[str, Any]:
    result = read_record(path)
    for name in ("test", "validation", "data", "versions"):
        result[name] = mapping(path, result, name)
    for name in ("test", "validation"):
        for entry in ("accuracy", "error", "loss", "count"):
            result[name][entry] = optional(path, f"{name}.{entry}", result[name].get(entry))
    for name in ("rows", "held_out"):
        result["data"][name] = optional(path, f"data.{name}", result["data"].get(name))
    for name in ("parameters", "epochs", "best", "seconds", "learnt_from"):
        result[name] = optional(path, name, result.get(name))
    result["confusion"] = _table(path, result.get("confusion"))
    result["equivariance"] = [_row(path, row) for row in _list(path, result, "equivariance")]
    result["angles"] = _angles(path, mapping(path, result, "angles"))
    result["conserved"] = _conserved(path, mapping(path, result, "conserved"))
    result["rotations"] = _rotations(path, mapping(path, result, "rotations"))
    result["depth"] = _depth(path, mapping(path, result, "depth"))
    names = _list(path, result, "classes")
    result["classes"] = [str(name) for name in names]
    return result


def _list(path: Path, result: dict[str, Any], name: str) -> list[Any]:
    value = result.get(name)
    if value is not None and not isinstance(value, list):
        raise damaged(path, f"{name} to be a list", value)
    return value or []


def _table(path: Path, rows: object) -> np.ndarray | None:
    """Counts (classes, classes), or None where there are none."""
    if rows is None:
        return None
    counts: Any
    try:
        counts = np.array(rows)
    except ValueError:
        counts = np.zeros(0)
    square = counts.ndim == 2 and 0 < len(counts) == counts.shape[1] <= _MOST_CLASSES
    if not square or counts.dtype.kind not in "iu" or (counts < 0).any():
        raise damaged(path, "confusion to be a square table of counts", f"shape {counts.shape}")
    return counts


def _row(path: Path, row: object) -> dict[str, Any]:
    if not isinstance(row, dict) or not isinstance(row.get("exact"), bool):
        raise damaged(path, "equivariance to have rows with layer, name, error and exact", row)
    error = optional(path, "equivariance.error", row.get("error"))
    return {
        "layer": str(row.get("layer")),
        "name": str(row.get("name")),
        "error": error,
        "exact": row["exact"],
    }


def _angles(path: Path, table: dict[str, Any]) -> dict[str, np.ndarray]:
    if not table:
        return {}
    columns = [_list(path, table, name) for name in ("degrees", "accuracy", "error")]
    if len({len(column) for column in columns}) != 1 or not columns[0]:
        raise damaged(path, "angles to have as many degrees as accuracies and errors", "other lengths")
    values = [[optional(path, "angles", v) for v in column] for column in columns]
    arrays = [np.array([np.nan if v is None else v for v in column]) for column in values]
    return dict(zip(("degrees", "accuracy", "error"), arrays, strict=True))


def _rotations(path: Path, table: dict[str, Any]) -> dict[str, Any]:
    if not table:
        return {}
    names, shares = (_list(path, table, name) for name in ("elements", "accuracy"))
    if len(names) != len(shares) or not names:
        raise damaged(path, "rotations to have an accuracy for each element", "other lengths")
    values = [optional(path, "rotations", v) for v in shares]
    accuracy = np.array([np.nan if v is None else v for v in values])
    error = optional(path, "rotations.error", table.get("error"))
    count = optional(path, "rotations.count", table.get("count"))
    return {"elements": [str(name) for name in names], "accuracy": accuracy, "error": error, "count": count}


def _conserved(path: Path, table: dict[str, Any]) -> dict[str, Any]:
    """laws, independent, drift: numbers or None; formulas, warnings: lists of words; {} without them."""
    if not table:
        return {}
    found: dict[str, Any] = {
        name: optional(path, f"conserved.{name}", table.get(name))
        for name in ("laws", "independent", "drift")
    }
    return found | {name: list(map(str, _list(path, table, name))) for name in ("formulas", "warnings")}


def _depth(path: Path, table: dict[str, Any]) -> dict[str, Any]:
    """layers, and of "start", "end" and "given" the columns by name; {} where there are none."""
    names = [str(name) for name in _list(path, table, "layers")]
    if not names:
        return {}
    found: dict[str, Any] = {"layers": names, "critical": table.get("critical")}
    found["ordinary"] = table.get("ordinary") if isinstance(table.get("ordinary"), dict) else None
    for when in ("start", "end", "given"):
        columns = mapping(path, table, when)
        of_when = {}
        for name in ("kernel", "parallel", "perpendicular", "coupling") if columns else ():
            values = [optional(path, f"depth.{when}.{name}", v) for v in _list(path, columns, name)]
            if len(values) != len(names):
                raise damaged(path, f"depth.{when}.{name} to have a number for each layer", "another length")
            of_when[name] = np.array([np.nan if v is None else v for v in values])
        found[when] = of_when or None
    return found


def _on_space(path: Path, dataset: Any) -> tuple[np.ndarray | None, dict[str, np.ndarray]]:
    """(images on a sphere or a mesh, where they lie)."""
    if "shown_images" not in dataset.variables:
        return None, {}
    found = numbers_of(path, dataset["shown_images"], dataset["shown_images"].ndim)
    if found.ndim not in (2, 3) or not np.isfinite(found).all() or found.size > _MOST:
        raise damaged(path, "finite shown_images (k, *places)", f"shape {found.shape}")
    places = {
        name: numbers_of(path, dataset[name], axes)
        for name, axes in _PLACES.items()
        if name in dataset.variables
    }
    return found, places


def _read_arrays(path: Path) -> tuple[dict[str, np.ndarray], np.ndarray | None, dict[str, np.ndarray]]:
    """(arrays by name, images on a space, where they lie)."""
    dataset = read_dataset(path)
    found = {
        name: numbers_of(path, dataset[name], axes)
        for name, axes in _ARRAYS.items()
        if name in dataset.variables and dataset[name].size
    }
    for name, values in found.items():
        if not np.isfinite(values).all() or max(values.shape[1:], default=0) > _LARGEST:
            raise damaged(
                path, f"finite numbers in {name}, in pictures of at most {_LARGEST} points", "others"
            )
    if len({len(found[name]) for name in found if name.startswith("wrong_")}) > 1:
        raise damaged(path, "as many wrong_images as labels, predictions and probabilities", "other lengths")
    return found, *_on_space(path, dataset)
