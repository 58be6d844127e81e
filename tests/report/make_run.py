"""Run folders to report on: deterministic, shaped like real ones, with the truth of small systems in them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import xarray as xr

CONFIG = """\
kind = "ground-state"
lattice = "{lattice}"
seed = 0

[hamiltonian]
name = "heisenberg"
J = 1.0

[model]
name = "symmetric-rbm:4"
dtype = "real"

[optimiser]
steps = {steps}
samples = 1024
learning_rate = 0.05
shift = 0.001
"""


def metrics_lines(steps: int, exact: float = -35.617546) -> list[str]:
    """A plausible history: an energy that falls to just above `exact` with noise that falls with it."""
    rng = np.random.default_rng(7)
    lines = []
    for step in range(steps):
        gap = abs(exact) * (0.6 * np.exp(-step / 12) + 2e-2 * np.exp(-step / 60) + 2e-5)
        error = 0.1 * gap + 1e-4
        row = {
            "step": step,
            "energy": exact + gap + error * rng.normal(),
            "error": error,
            "variance": error**2 * 900,
            "v_score": 20 * error**2 * 900 / exact**2,
            "acceptance": 0.55 - 0.15 * np.exp(-step / 40) + 0.01 * rng.normal(),
            "tau": 1.2 + 0.5 * np.exp(-step / 50) + 0.05 * rng.random(),
            "r_hat": 1.001 + 0.004 * rng.random(),
            "ess": 850.0,
            "learning_rate": 0.05,
            "shift": 1e-3 + 1e-2 * 0.95**step,
            "update_norm": 2 * np.exp(-step / 30) + 0.01 * (1 + rng.random()),
            "seconds": 0.11 * (step + 1),
        }
        lines.append(
            json.dumps({name: value if name == "step" else float(value) for name, value in row.items()})
        )
    return lines


def result(lattice: str, size: int, steps: int, exact: float | None = -35.617546) -> dict:
    """`result.json` as data."""
    mean = -35.61684
    return {
        "kind": "ground-state",
        "version": "0.1.0",
        "energy": {
            "mean": mean, "error": 0.00021, "variance": 0.0004, "tau": 1.21, "r_hat": 1.0008, "ess": 13500.0,
            "samples": 16384,
        },
        "v_score": 6.3e-6,
        "exact": None if exact is None else {"energy": exact, "source": "Bethe ansatz"},
        "relative_error": None if exact is None else abs((mean - exact) / exact),
        "steps": steps,
        "size": size,
        "lattice": lattice,
        "hamiltonian": "heisenberg",
        "model": "SymmetricRBM",
        "parameters": 85,
        "seconds": 61.3,
        "versions": {"intertwine": "0.1.0", "jax": "0.10.2", "numpy": "2.3.1", "python": "3.11.2"},
    }  # fmt: skip


def dataset(vectors: np.ndarray, momenta: np.ndarray) -> xr.Dataset:
    """Staggered correlations that decay with distance, and their exact Fourier transform at `momenta`."""
    distance = np.linalg.norm(vectors, axis=1)
    sign = np.where(np.round(vectors.sum(1)).astype(int) % 2 == 0, 1.0, -1.0)
    correlation = sign * 3.0 / (1 + distance) ** 1.2
    factor = (np.cos(momenta @ vectors.T) * correlation).sum(1)
    dimension = [f"axis{i}" for i in range(vectors.shape[1])]
    return xr.Dataset(
        {
            "spin_correlation": ("displacement", correlation, {"long_name": "⟨s_0 s_r⟩"}),
            "spin_correlation_error": ("displacement", np.full(len(vectors), 0.02)),
            "structure_factor": ("momentum", factor),
            "structure_factor_error": ("momentum", 0.02 + 0.01 * np.abs(factor)),
        },
        coords={
            "displacement_vector": (("displacement", "dimension"), vectors),
            "momentum_vector": (("momentum", "dimension"), momenta),
            "dimension": dimension,
        },
    )


def square_vectors(length: int) -> np.ndarray:
    """Displacements of the periodic square lattice, the shortest of each class: float64[L², 2]."""
    steps = (np.arange(length) + length // 2 - 1) % length - (length // 2 - 1)
    return np.array([(x, y) for x in steps for y in steps], dtype=float)


def triangular(length: int) -> tuple[np.ndarray, np.ndarray]:
    """Displacements and momenta of a periodic triangular lattice: two float64[L², 2]."""
    basis = np.array([[1.0, 0.0], [0.5, np.sqrt(3) / 2]])
    dual = 2 * np.pi * np.linalg.inv(basis).T
    cells = np.array([(i, j) for i in range(length) for j in range(length)], dtype=float)
    return (cells - length // 2) @ basis, cells / length @ dual


def make_run(
    folder: Path, lattice: str = "chain:20", steps: int = 200, exact: float | None = -35.617546
) -> Path:
    """A finished run on `lattice` ("chain:20", "square:6x6" or "triangular:6x6") in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    kind, _, extent = lattice.partition(":")
    length = int(extent.split("x")[0])
    if kind == "chain":
        vectors = ((np.arange(length) + length // 2 - 1) % length - (length // 2 - 1)).astype(float)[:, None]
        momenta = 2 * np.pi * np.arange(length)[:, None] / length
    elif kind == "square":
        vectors = square_vectors(length)
        momenta = 2 * np.pi * np.array([(x, y) for x in range(length) for y in range(length)]) / length
    else:
        vectors, momenta = triangular(length)
    (folder / "config.toml").write_text(CONFIG.format(lattice=lattice, steps=steps))
    (folder / "metrics.jsonl").write_text("\n".join(metrics_lines(steps)) + "\n")
    summary = result(lattice, len(vectors), steps, exact)
    (folder / "result.json").write_text(json.dumps(summary, indent=2))
    dataset(vectors, momenta).to_netcdf(folder / "result.nc", engine="h5netcdf")
    return folder
