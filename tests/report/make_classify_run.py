"""Folders of classifying runs to report on: deterministic, shaped like real ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import xarray as xr

CONFIG = """\
kind = "classify"
seed = 0

[data]
name = "digits"

[network]
group = "c8"
name = "cnn:4"
"""


def result() -> dict:
    """`result.json` as data."""
    confusion = (20 * np.eye(10, dtype=int)).tolist()
    confusion[3][5] = 4
    rows = []
    for layer, size in (("conv1", 1e-7), ("relu1", 2e-7), ("whole", 4e-7)):
        for element in range(8):
            exact = element % 2 == 0
            error = size * (1 + element) if exact else 3e-2
            rows.append({"layer": layer, "element": element, "name": "turn", "error": error, "exact": exact})
    degrees = list(range(0, 360, 15))
    return {
        "kind": "classify", "version": "0.1.0", "network": "cnn:4", "group": "c8", "parameters": 8734,
        "epochs": 12, "precision": "float32", "seed": 0, "learnt_from": 1455, "tested_on": "test",
        "data": {"name": "digits", "checksum": "sha256:abc", "rows": 1617, "held_out": 180},
        "test": {"accuracy": 0.9804, "error": 0.0097, "loss": 0.0712, "count": 204},
        "validation": {"accuracy": 0.975, "error": 0.012, "loss": 0.09, "count": 162},
        "classes": [str(k) for k in range(10)], "confusion": confusion, "equivariance": rows,
        "angles": {
            "degrees": degrees, "accuracy": [0.98 - 0.01 * (d % 45 != 0) for d in degrees],
            "error": [0.01] * len(degrees),
        },
        "seconds": 41.2, "versions": {"intertwine": "0.1.0", "jax": "0.10.2"},
    }  # fmt: skip


def metrics_lines(epochs: int) -> list[str]:
    """A loss that falls, and a validation accuracy that rises."""
    lines = []
    for step in range(epochs):
        share = float(np.exp(-(step + 1) / 4))
        row = {
            "step": step, "epoch": step + 1.0, "loss": 2.3 * share, "accuracy": 1 - share,
            "validation_loss": 2.4 * share, "validation_accuracy": 1 - 1.1 * share,
            "learning_rate": 2e-3, "seconds": 1.5,
        }  # fmt: skip
        lines.append(json.dumps(row))
    return lines


def arrays() -> xr.Dataset:
    """`result.nc` as data."""
    random = np.random.default_rng(0)
    return xr.Dataset(
        {
            "filters": (("filter", "element", "k0", "k1"), random.normal(size=(4, 8, 3, 3))),
            "wrong_images": (("wrong", "row", "column", "channel"), random.uniform(size=(4, 8, 8, 1))),
            "wrong_labels": ("wrong", np.full(4, 3)),
            "wrong_predictions": ("wrong", np.full(4, 5)),
            "wrong_probabilities": ("wrong", np.full(4, 0.9)),
        }
    )


def make_classify_run(folder: Path, epochs: int = 12, finished: bool = True) -> Path:
    """A run folder of `epochs` lines, with its results where it is finished."""
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(CONFIG, encoding="utf-8")
    (folder / "metrics.jsonl").write_text("\n".join(metrics_lines(epochs)) + "\n", encoding="utf-8")
    if finished:
        (folder / "result.json").write_text(json.dumps(result()), encoding="utf-8")
        arrays().to_netcdf(folder / "result.nc", engine="h5netcdf")
    return folder
