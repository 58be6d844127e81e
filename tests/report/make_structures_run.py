"""Folders of runs on structures to report on: energies of molecules, classes of residues."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import xarray as xr

CONFIG = """\
kind = "{kind}"
seed = 0

[data]
name = "ethanol.xyz"

[space]
name = "points:5.0"
"""
WATER = np.array([[0.0, 0.0, 0.12], [0.0, 0.76, -0.47], [0.0, -0.76, -0.47]])


def make_structures_run(folder: Path, kind: str) -> Path:
    """A finished run of "energies", of three structures of water, forces said 10 % too large, or of
    "residues", of a chain of eight, the last of which is taken for another class."""
    folder.mkdir(parents=True)
    command = "fields" if kind == "energies" else "classify"
    (folder / "config.toml").write_text(CONFIG.format(kind=command))
    measured = {"energy_error": 0.01, "forces_error": 0.3} if kind == "energies" else {"accuracy": 0.8}
    rows = []
    for k in range(1, 6):
        row = {"step": k, "epoch": k, "loss": 0.5 / k, "validation_loss": 0.6 / k, "seconds": 0.1}
        row |= measured | {f"validation_{name}": value * 1.1 for name, value in measured.items()}
        rows.append(row)
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    turns = [{"layer": "whole", "element": 1, "name": "turned 1", "error": 1e-6, "exact": True}]
    record = {
        "kind": command, "version": "0.1.0", "tested_on": "test",
        "structures": {"learnt_from": 9, "tested": 3},
        "equivariance": turns, "space": "points:5.0", "network": "painn:4", "parameters": 7, "epochs": 5,
        "best": 5, "precision": "float32", "seed": 0, "seconds": 1.0, "warnings": ["data: made for a test"],
    }  # fmt: skip
    values = energies(record) if kind == "energies" else residues(record)
    (folder / "result.json").write_text(json.dumps(record))
    xr.Dataset(values).to_netcdf(folder / "result.nc", engine="h5netcdf")
    return folder


def energies(record: dict) -> dict:
    forces = np.concatenate([WATER * (k + 1) for k in range(3)])
    row = {"rmse": 0.1, "mae": 0.08, "rms": 1.0, "unit": "eV/Å", "kind": "forces", "count": 9}
    row |= {"baselines": {"zero forces": 1.0}, "by_element": {}}
    row["by_element"] = {
        "H": {"rmse": 0.1, "mae": 0.08, "count": 6},
        "O": {"rmse": 0.1, "mae": 0.07, "count": 3},
    }
    energy = {"rmse": 0.1, "mae": 0.08, "rms": 1.0, "unit": "eV", "kind": "energy", "count": 3}
    energy |= {"baselines": {"reference energies": 0.9}, "mae_per_point": 0.03}
    record |= {
        "errors": {"energy": energy, "forces": row}, "data": {"name": "ethanol.xyz", "of": "atoms"},
        "rotations": {"elements": ["as they are", "turned 1"], "rmse": {"forces": [0.1, 0.1]}},
        "model": {
            "targets": [{"name": "energy"}, {"name": "forces"}], "elements": [1, 8], "symbols": ["H", "O"],
        },
    }  # fmt: skip
    kinds = np.array([8, 1, 1], np.int32)
    return {
        "true_energy": (("row_of_energy", "one"), np.arange(3.0)[:, None], {"units": "eV"}),
        "said_energy": (("row_of_energy", "one"), np.arange(3.0)[:, None] + 0.1),
        "true_forces": (("row", "xyz"), forces, {"units": "eV/Å"}),
        "said_forces": (("row", "xyz"), 1.1 * forces),
        "element_forces": (("row",), np.tile(kinds, 3)),
        "position": (("point", "xyz"), WATER),
        "element": (("point",), kinds),
        "arrow": (("point", "xyz"), WATER),
    }


def residues(record: dict) -> dict:
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1], np.int32)
    record |= {
        "test": {"accuracy": 0.875, "error": 0.1, "loss": 0.3, "count": 8}, "classes": ["-", "H"],
        "of": "points",
        "baseline": {"class": 0, "accuracy": 0.5, "lead_error": 0.1}, "confusion": [[4, 0], [1, 3]],
        "by_kind": {"A": {"accuracy": 1.0, "count": 4}, "G": {"accuracy": 0.75, "count": 4}},
        "rotations": {"elements": ["as they are", "turned 1"], "accuracy": [0.9, 0.9], "count": 1},
        "data": {"name": "chains.npz", "of": "residues"},
        "model": {"targets": [{"name": "helix"}], "elements": [0, 1], "symbols": ["A", "G"]},
    }  # fmt: skip
    turn = np.arange(8) * 1.7
    helix = np.stack([2.3 * np.cos(turn), 2.3 * np.sin(turn), 1.5 * np.arange(8)], axis=-1)
    return {
        "position": (("point", "xyz"), helix),
        "element": (("point",), np.tile([0, 1], 4).astype(np.int32)),
        "shown_label": (("point",), labels),
        "shown_guess": (("point",), np.where(np.arange(8) == 7, 0, labels).astype(np.int32)),
    }
