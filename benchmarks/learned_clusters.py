"""What defaults make of data in clusters: 6 random patterns of 200 bits, 3 % noise, 3,000 rows.

    python benchmarks/learned_clusters.py [--seeds 1] [--doors function estimator command]

By `it.learn`, by the estimator and by the command, each told the number of hidden units and no more.
Printed: the mean log-likelihood of the rows with ln Z by enumeration (of 2^20 hidden patterns), minus the
entropy of the source, independent columns, what the door itself says, and how far the shares of the samples
in the clusters are from those of the rows, in units of both errors together.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import jax
import numpy as np

import intertwine as it
from intertwine._caveats import Caveat
from intertwine.boltzmann.baseline import independent_columns
from intertwine.boltzmann.likelihood.likelihood import log_unnormalised
from intertwine.boltzmann.objectives.exact import exact_log_partition

CLUSTERS, SIZE, ROWS, NOISE, HIDDEN, DRAWN = 6, 200, 3000, 0.03, 20, 2000


def data(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The patterns, and rows near them."""
    rng = np.random.default_rng(seed)
    patterns = rng.integers(0, 2, (CLUSTERS, SIZE))
    rows = patterns[rng.integers(0, CLUSTERS, ROWS)] ^ (rng.random((ROWS, SIZE)) < NOISE)
    return patterns, rows.astype(np.uint8)


def by_function(rows: np.ndarray, seed: int) -> tuple[Any, np.ndarray, str]:
    key = jax.random.key(seed)
    rbm = it.RBM(SIZE, hidden=HIDDEN, units="binary", hidden_units="binary", dtype="float32", key=key)
    model = it.learn(rbm, rows, key=key).model
    log_z = it.log_partition(model, it.AIS(temperatures=1000, known=rows), key=key)
    found = it.log_likelihood(model, rows, log_z)
    drawn = it.sample(model, DRAWN, key=key)
    return model, np.asarray(drawn), f"{found.mean:.2f}, trusted {log_z.trusted}, mixed {drawn.mixed}"


def by_estimator(rows: np.ndarray, seed: int) -> tuple[Any, np.ndarray, str]:
    machine = it.BoltzmannMachine(HIDDEN, random_state=seed).fit(rows)
    return machine.model_, machine.sample(DRAWN, random_state=seed), f"{machine.score(rows):.2f}"


def by_command(rows: np.ndarray, seed: int) -> tuple[Any, np.ndarray, str]:
    import xarray

    from intertwine.cli import main

    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/rows.npy", rows)
        words = ["learn", "--data", f"{folder}/rows.npy", "--model", f"rbm:{HIDDEN}", "--seed", str(seed)]
        words += ["--test-share", "0", "--likelihood-every", "0", "--samples", "10000"]
        with contextlib.redirect_stdout(io.StringIO()):
            assert main([*words, "--out", f"{folder}/run"]) == 0
        record = json.loads(Path(folder, "run", "result.json").read_text())
        with xarray.open_dataset(f"{folder}/run/result.nc") as arrays:
            names = ("visible_bias", "hidden_bias", "weights")
            parameters = [arrays[f"parameter_{name}"].to_numpy() for name in names]
            drawn = arrays["sample"].to_numpy()
    model = it.RBM.from_parameters(*parameters, units="binary", hidden_units="binary")
    modes = record["modes"] and np.round(np.sort(record["modes"]["of_samples"]), 3)
    said = f"{record['log_likelihood']['train']['mean']:.2f}, shares {modes}, {record['warnings']}"
    return model, drawn, said


DOORS = {"function": by_function, "estimator": by_estimator, "command": by_command}


def shares(patterns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return np.bincount((rows[:, None] != patterns).sum(-1).argmin(1), minlength=CLUSTERS) / len(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--doors", nargs="+", default=list(DOORS), choices=list(DOORS))
    options = parser.parse_args()
    warnings.simplefilter("ignore", Caveat)
    noise = NOISE * np.log(NOISE) + (1 - NOISE) * np.log1p(-NOISE)
    for seed in range(options.seeds):
        patterns, rows = data(seed)
        for door in options.doors:
            begun = time.perf_counter()
            model, drawn, said = DOORS[door](rows, seed)
            seconds = time.perf_counter() - begun
            found = log_unnormalised(model, rows).mean() - exact_log_partition(model)
            got, wanted = shares(patterns, drawn), shares(patterns, rows)
            error = np.sqrt(wanted * (1 - wanted) * (1 / len(drawn) + 1 / len(rows)))
            best = SIZE * noise - np.log(CLUSTERS)
            columns = independent_columns(model.visible_layer, rows).mean()
            print(
                f"seed {seed}, {door}: {found:.2f} nats exactly (source {best:.2f}, "
                f"independent columns {columns:.2f}); it says {said}; "
                f"shares {np.round(got, 3)} of {np.round(wanted, 3)}, at most "
                f"{np.abs((got - wanted) / error).max():.1f} errors apart; {seconds:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
