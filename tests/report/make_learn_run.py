"""Folders of learning runs to report on: deterministic, shaped like real ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import xarray as xr

CONFIG = """\
kind = "learn"
seed = 0

[data]
name = "ising:8"

[model]
name = "rbm:32"

[optimiser]
epochs = {epochs}
"""
ENTROPY = 18.073069


def metrics_lines(epochs: int) -> list[str]:
    """A likelihood that rises to a little below minus the entropy, with its bracket every tenth epoch."""
    lines = []
    for step in range(epochs):
        share = 1 - np.exp(-(step + 1) / 15)
        row = {
            "step": step, "epoch": step + 1.0, "updates": 20,
            "reconstruction_error": 0.45 - 0.3 * share, "pseudo_likelihood": -30 + 14 * share,
            "free_energy": -80 - 40 * share, "free_energy_gap": 0.02 * step,
            "learning_rate": 0.1 * 0.97**step, "update_norm": 0.5 * 0.96**step, "seconds": 0.05,
            "log_likelihood": None,
            "singular_values": [float(x) for x in 0.1 + 5 * share ** np.arange(1, 21)],
        }  # fmt: skip
        if step % 10 == 9:
            mean = -40 + (40 - ENTROPY - 0.4) * share
            row |= {
                "log_likelihood": mean, "log_likelihood_error": 0.2, "log_likelihood_lower": mean - 0.5,
                "log_likelihood_upper": mean + 0.3, "log_likelihood_train": mean + 0.2, "log_z": 140.0,
            }  # fmt: skip
        lines.append(json.dumps(row))
    return lines


def result(epochs: int) -> dict:
    """`result.json` as data."""
    return {
        "kind": "learn", "version": "0.1.0", "model": "rbm:32", "units": "spin", "hidden_units": "binary",
        "method": "pcd", "parameters": 2144, "epochs": epochs, "bound": False,
        "data": {
            "name": "ising:8x8:2.26919", "source": "made here", "checksum": "sha256:abc", "rows": 1000,
            "held_out": 1000, "columns": 64, "units": "spin", "grey": False, "shape": [8, 8],
            "entropy": ENTROPY, "notes": ["2 of 64 columns are constant in the rows to learn from"],
        },
        "log_z": {
            "mean": 141.7, "error": 0.05, "ess": 80.0, "lower": 141.2, "upper": 142.1, "trusted": True,
            "method": "AIS, 10000 temperatures × 100 chains", "reason": "",
        },
        "log_likelihood": {
            "train": {"mean": -18.1, "error": 0.2, "lower": -18.6, "upper": -17.7, "rows": 1000},
            "test": {"mean": -18.47, "error": 0.25, "lower": -18.97, "upper": -18.07, "rows": 1000},
        },
        "sampling": {
            "chains": 100, "draws": 100, "sweeps_between_draws": 10, "mean": -120.0, "error": 0.1, "tau": 2.4,
            "r_hat": 1.01, "ess": 5000.0,
        },
        "observables": {
            "energy": {
                "exact": -1.49159, "distance": 1.0, "samples": {"mean": -1.4804, "error": 0.0054},
                "data": {"mean": -1.5019, "error": 0.0095},
            },
        },
        "seconds": 41.2, "versions": {"intertwine": "0.1.0", "jax": "0.10.2"},
    }  # fmt: skip


def dataset(shape: tuple[int, int] | None) -> xr.Dataset:
    """Samples, examples, filters, free energies and chains, of rows that are images or not."""
    rng = np.random.default_rng(4)
    size = 64 if shape is None else shape[0] * shape[1]
    spins = lambda n: (2 * rng.integers(0, 2, (n, size)) - 1).astype(np.int8)  # noqa: E731
    chains = np.cumsum(rng.normal(size=(20, 100)), 1) * 0.3 - 120
    height, width = shape or (0, 0)
    return xr.Dataset(
        {
            "sample": (("sample", "unit"), spins(100)),
            "example": (("example", "unit"), spins(100)),
            "filter": (("filter", "unit"), rng.normal(size=(32, size))),
            "free_energy_train": ("row_train", rng.normal(-120, 8, 1000)),
            "free_energy_test": ("row_test", rng.normal(-119, 8, 1000)),
            "free_energy_samples": ("row_samples", rng.normal(-120, 8, 2000)),
            "observable": (("chain", "draw"), chains),
            "autocorrelation": ("lag", 0.7 ** np.arange(40)),
        },
        attrs={"units": "spin", "image_height": height, "image_width": width, "sweeps_between_draws": 10},
    )


def make_learn_run(folder: Path, shape: tuple[int, int] | None = (8, 8), epochs: int = 60) -> Path:
    """A finished run in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(CONFIG.format(epochs=epochs))
    (folder / "metrics.jsonl").write_text("\n".join(metrics_lines(epochs)) + "\n")
    (folder / "result.json").write_text(json.dumps(result(epochs), indent=2))
    dataset(shape).to_netcdf(folder / "result.nc", engine="h5netcdf")
    return folder
