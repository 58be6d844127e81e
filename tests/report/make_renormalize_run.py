"""Folders of renormalization runs to report on: deterministic, shaped like real ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import xarray as xr

CONFIG = """\
kind = "renormalize"
study = "{study}"
levels = 4

[system]
name = "ising:64"

[rule]
name = "majority:2"
"""
SIZES = [64, 32, 16, 8, 4]
FAMILIES = ("nearest", "next", "plaquette", "third")


def spins(side: int) -> np.ndarray:
    """Domains of a few wavelengths, blocked by what they are at larger steps."""
    x, y = np.meshgrid(np.arange(side), np.arange(side), indexing="ij")
    wave = np.sin(2 * np.pi * (2 * x + y) / side + 0.3) + np.cos(2 * np.pi * (x - 3 * y) / side)
    return np.where(wave > 0.1, 1, -1).astype(np.int8)


def metrics_lines(lines: int) -> list[str]:
    found = []
    for step in range(lines):
        row: dict = {
            "step": step,
            "energy": -1.424 + 0.01 * np.sin(step),
            "energy_error": 0.004,
            "seconds": 0.2,
        }
        if step >= 3:
            row |= {"y_T": 1 + 0.03 * np.cos(step) / (step + 1), "y_T_error": 0.05 / (step + 1) ** 0.5}
            row |= {"y_H": 1.875 + 0.01 * np.sin(step) / (step + 1), "y_H_error": 0.01 / (step + 1) ** 0.5}
        found.append(json.dumps(row))
    return found


def result() -> dict:
    """`result.json` of a sampled flow, as data."""
    return {
        "kind": "renormalize", "version": "0.1.0", "study": "flow", "approximate": False,
        "system": {"name": "ising:square:64x64", "model": "ising", "states": 2, "lattice": "square:64x64",
                   "coupling": 0.44068679, "critical_coupling": 0.44068679, "field": 0.0, "next": 0.0},
        "rule": "majority:2", "rule_family": "majority", "seed": 0, "levels": 4, "samples": 20000,
        "observables": {
            "energy": {"mean": -1.4238, "error": 0.0006, "exact": -1.4239384},
            "abs_magnetization": {"mean": 0.599, "error": 0.002},
            "correlation_length": {"mean": 57.9, "error": 0.4},
        },
        "exponents": {
            "y_T": {"mean": 0.997, "error": 0.01, "exact": 1.0},
            "y_H": {"mean": 1.8745, "error": 0.0011, "exact": 1.875},
            "nu": {"mean": 1.003, "error": 0.01, "exact": 1.0},
            "eta": {"mean": 0.251, "error": 0.0022, "exact": 0.25},
            "beta": {"mean": 0.1259, "error": 0.0016, "exact": 0.125},
        },
        "fixed_point": True, "reason": "two steps agree", "facts": {"sizes": "64x64, 32x32"}, "warnings": [],
        "headline": "y_T = 0.997 ± 0.010 (exact 1) after 4 steps of majority:2.", "seconds": 31.0,
        "versions": {"intertwine": "0.1.0", "jax": "0.10.2"},
    }  # fmt: skip


def dataset() -> xr.Dataset:
    """Exponents by level, a flow, couplings and pictures."""
    rng = np.random.default_rng(3)
    y_T = 1 - 0.1 / (1 + np.arange(4)[:, None]) / (1 + np.arange(4)) + 0.004 * rng.normal(size=(4, 4))
    y_H = 1.875 + 0.01 / (1 + np.arange(4)[:, None]) + 0.001 * rng.normal(size=(4, 4))
    K = np.array([[0.4407, 0, 0, 0], [0.31, 0.083, 0.012, -0.002], [0.30, 0.088, 0.013, -0.003],
                  [0.299, 0.088, 0.014, -0.003], [np.nan] * 4])  # fmt: skip
    shifts = np.array([-0.1, -0.05, 0.05, 0.1])
    flow = np.stack([K * (1 + s * np.arange(1, 6)[:, None] ** 1.5) for s in shifts] + [K])
    pictures = {f"picture_{k}": ((f"row_{k}", f"column_of_{k}"), spins(n)) for k, n in enumerate(SIZES)}
    return xr.Dataset(
        {
            "y_T": (("level", "number"), y_T),
            "y_T_error": (("level", "number"), np.full((4, 4), 0.005)),
            "y_H": (("level", "number"), y_H),
            "y_H_error": (("level", "number"), np.full((4, 4), 0.001)),
            "coupling": (("scale", "family"), K),
            "coupling_error": (("scale", "family"), np.full(K.shape, 0.002)),
            "flow": (("start", "scale", "family"), flow),
        }
        | pictures,
        attrs={"families": ",".join(FAMILIES), "main_start": 4, "sheared": 0, "title": "flow"},
    )


def network_result() -> dict:
    """`result.json` of the study of a network."""
    return result() | {
        "study": "network", "system": {}, "rule": "/runs/rbm-64-ising-8", "exponents": {}, "observables": {},
        "fixed_point": None, "headline": "The machine's distribution looks like T = 2.41 ± 0.02.",
        "cards": [["Temperature", "2.41 ± 0.02", "of the Ising model with its energy"]],
    }  # fmt: skip


def network_dataset() -> xr.Dataset:
    """The trace condition, receptive fields, couplings by shell and the flow of a network."""
    rng = np.random.default_rng(5)
    steps = np.arange(400)
    return xr.Dataset(
        {
            "trace": ("state", rng.normal(60, 0.4, 1000)),
            "filter": (("filter", "unit"), rng.normal(size=(20, 64))),
            "shell_distance": ("shell", np.array([1.0, 2**0.5, 2.0, 5**0.5])),
            "shell_coupling": ("shell", np.array([0.41, 0.01, -0.003, 0.0])),
            "shell_error": ("shell", np.full(4, 0.01)),
            "cold": ("flow_step", -1.4 - 0.6 * np.exp(-steps / 30)),
            "hot": ("flow_step", -1.4 + 1.4 * np.exp(-steps / 20)),
        },
        attrs={"image_height": 8, "image_width": 8},
    )


def make_renormalize_run(folder: Path, study: str = "flow", lines: int = 54) -> Path:
    """A finished run in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(CONFIG.format(study=study))
    (folder / "metrics.jsonl").write_text("\n".join(metrics_lines(lines)) + "\n")
    network = study == "network"
    (folder / "result.json").write_text(json.dumps(network_result() if network else result(), indent=2))
    data = network_dataset() if network else dataset()
    data.to_netcdf(folder / "result.nc", engine="h5netcdf")
    return folder
