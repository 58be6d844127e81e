"""Folders of runs of fields to report on: a globe, pixels of the sky, a mesh."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import xarray as xr

import intertwine as it

CONFIG = """\
kind = "fields"
seed = 0

[data]
name = "winds.nc"
targets = "z"
"""


def places(kind: str) -> tuple[dict, np.ndarray]:
    """(what `result.nc` says of the points, z-coordinates of the points on the unit sphere)."""
    if kind == "mesh":
        ball = it.Mesh.icosphere(1)
        return {
            "position": (("vertex", "xyz"), ball.positions),
            "face": (("triangle", "corner"), ball.faces.astype(np.int32)),
        }, ball.positions[:, 2]
    sphere = it.Sphere(6, "healpix" if kind == "pixels" else "gauss")
    theta, phi = np.degrees(np.moveaxis(sphere.points, -1, 0))
    if kind == "pixels":
        there = {"latitude": (("place0",), 90 - theta), "longitude": (("place0",), phi)}
    else:
        there = {"latitude": (("place0",), 90 - theta[:, 0]), "longitude": (("place1",), phi[0])}
    return there, np.cos(np.radians(theta))


def make_fields_run(folder: Path, kind: str) -> Path:
    """A finished run whose target is z of "globe", "pixels" or "mesh", and 10 % too large as it is said."""
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(CONFIG)
    rows = [
        {"step": k, "epoch": k, "loss": 0.5 / k, "rmse": k**-0.5, "learning_rate": 0.01, "seconds": 0.1}
        for k in range(1, 6)
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    layers = [
        {"layer": layer, "element": k, "name": f"turn {k}", "error": 1e-7 * (k + 1), "exact": True}
        for layer in ("conv1", "whole")
        for k in range(4)
    ]
    error = {"rmse": 0.0577, "rmse_without_mean": 0.0577, "rms": 0.577, "unit": "m", "linear": 0.1}
    space = {"mesh": "icosphere:1", "pixels": "healpix:3"}.get(kind, "sphere:6:gauss")
    wind, height = ["u:v", "vector", "m s-1"], ["z", "scalar", "m"]
    record = {
        "kind": "fields", "version": "0.1.0", "errors": {"z": error}, "tested_on": "test", "sampled": False,
        "rotations": {"elements": ["as they are", "a turn"], "rmse": {"z": [0.0577, 0.058]}},
        "equivariance": layers, "space": space,
        "network": "linear", "parameters": 7, "data": {"name": "winds.nc"}, "epochs": 5, "best": 5,
        "model": {"inputs": [wind], "targets": [height], "rotation": False},
        "precision": "float32", "seed": 0, "seconds": 1.0, "warnings": ["no-test-data: made for a test"],
    }  # fmt: skip
    (folder / "result.json").write_text(json.dumps(record))
    there, z = places(kind)
    axes = ("component", "sample", *(["vertex"] if kind == "mesh" else [f"place{k}" for k in range(z.ndim)]))
    values = {"true_z": (axes, z[None, None]), "said_z": (axes, 1.1 * z[None, None])}
    xr.Dataset(values | there).to_netcdf(folder / "result.nc", engine="h5netcdf")
    return folder
