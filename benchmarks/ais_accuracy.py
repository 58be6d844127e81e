"""AIS against exact log Z: an RBM with 20 hidden units trained on MNIST, 20 seeds.

    export INTERTWINE_DATA=/path/to/data
    python benchmarks/ais_accuracy.py [--seeds 20] [--temperatures 100 1000 10000]

INTERTWINE_DATA is a folder that contains mnist/train-images-idx3-ubyte.gz. The machine is trained by PCD on
values drawn anew from the grey values at each visit. Exact log Z is a sum over the 2^20 hidden
configurations in float64. A line for each number of temperatures: the largest |mean − exact|, how often
lower ≤ exact ≤ upper, the mean width of the bracket, ESS, how many estimates were trusted, seconds each.
"""

from __future__ import annotations

import argparse
import gzip
import os
import time
import warnings
from pathlib import Path

import jax
import numpy as np

import intertwine as it
from intertwine.boltzmann.objectives.methods import PCD
from intertwine.boltzmann.partition.log_partition import AIS, Exact, log_partition
from intertwine.boltzmann.training.learn import learn


def images() -> np.ndarray:
    """The training images of MNIST, uint8 (60000, 784)."""
    path = Path(os.environ["INTERTWINE_DATA"]) / "mnist" / "train-images-idx3-ubyte.gz"
    return np.frombuffer(gzip.open(path).read(), np.uint8, offset=16).reshape(-1, 784)


def trained(hidden: int, epochs: int) -> it.RBM:
    """The machine that is measured."""
    key = jax.random.key(0)
    rbm = it.RBM(784, hidden, units="binary", hidden_units="binary", scale=0.01, key=key)
    method = PCD(chains=100)
    return learn(rbm, images(), method=method, epochs=epochs, batch=100, binarise=True, key=key).model


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--temperatures", type=int, nargs="+", default=[100, 1000, 10_000])
    parser.add_argument("--chains", type=int, default=100)
    parser.add_argument("--hidden", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=10)
    options = parser.parse_args()
    begun = time.perf_counter()
    rbm = trained(options.hidden, options.epochs)
    print(f"trained {options.epochs} epochs in {time.perf_counter() - begun:.0f} s", flush=True)
    begun = time.perf_counter()
    exact = log_partition(rbm, Exact()).mean
    print(f"exact log Z {exact:.6f} in {time.perf_counter() - begun:.0f} s", flush=True)
    for temperatures in options.temperatures:
        begun, found = time.perf_counter(), []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for seed in range(options.seeds):
                method = AIS(temperatures=temperatures, chains=options.chains)
                found.append(log_partition(rbm, method, key=jax.random.key(1000 + seed)))
        inside = sum(f.lower <= exact <= f.upper for f in found)
        wrong = np.array([f.mean - exact for f in found])
        width = np.mean([f.upper - f.lower for f in found])
        print(
            f"{temperatures:>6} temperatures: max |mean − exact| {np.abs(wrong).max():.3f}"
            f"  rms {np.sqrt(np.mean(wrong**2)):.3f}"
            f"  stated error {np.mean([f.error for f in found]):.3f}  inside {inside}/{len(found)}"
            f"  width {width:.3f}  ESS {np.mean([f.ess for f in found]):.0f}"
            f"  trusted {sum(f.trusted for f in found)}/{len(found)}"
            f"  {(time.perf_counter() - begun) / len(found):.1f} s each",
            flush=True,
        )


if __name__ == "__main__":
    main()
