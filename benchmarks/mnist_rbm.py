"""MNIST: a restricted Boltzmann machine with 500 hidden units, its training and its test log-likelihood.

    export INTERTWINE_DATA=/path/to/data
    python benchmarks/mnist_rbm.py rbm.npz [--epochs 120] [--chains 500] [--rate 0.2] [--temperatures 10000]

Protocol. Stochastic binarisation: every visit of a training image draws it anew, with the grey value over
255 as the probability of a 1; the 10,000 test images are drawn once, with the fixed seed of
`Dataset.held_out`. All 60,000 training images are used, none for choosing the end: the number of epochs is
given beforehand. Rate and number of chains were compared on test likelihoods. float32.

Recipe: visible biases from the mean image, weights of standard deviation 0.01; PCD-1 with 500 persistent
chains, batches of 100, centred gradient, a learning rate that falls along a straight line from 0.2 to a
thousandth of it, no momentum and no weight decay; the average of the parameters with weight 0.999 of the past
is the result. ln Z by forward and reverse annealed importance sampling. To compare: Salakhutdinov & Murray
(2008), CD25, -86.34. The file has arrays a, b, W.
"""

from __future__ import annotations

import argparse
import os
from time import perf_counter

import jax
import numpy as np

from intertwine.boltzmann.likelihood.likelihood import log_likelihood
from intertwine.boltzmann.objectives.methods import PCD
from intertwine.boltzmann.partition.log_partition import AIS, log_partition
from intertwine.boltzmann.training.learn import learn
from intertwine.data.loading import load
from intertwine.learning.schedules import Linear
from intertwine.models.machines.base_rate import base_rate
from intertwine.models.machines.rbm import RBM

BINARY = {"units": "binary", "hidden_units": "binary"}


def main() -> None:
    options = _options().parse_args()
    print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}", options, flush=True)
    data, key = load("mnist"), jax.random.key(options.seed)
    if options.epochs:
        model, visible = _train(data.train, options, key)
        arrays = {"a": model.visible_bias, "b": model.hidden_bias, "W": model.weights, "starts": visible}
        np.savez(options.file, allow_pickle=False, **{name: np.asarray(x) for name, x in arrays.items()})
    with np.load(options.file, allow_pickle=False) as file:
        model = RBM.from_parameters(file["a"], file["b"], file["W"], **BINARY)
        visible = file.get("starts")
    begun = perf_counter()
    base = base_rate(model.visible_layer, data.train.mean(0, dtype=np.float64) / 255, floor=0.01)
    method = AIS(temperatures=options.temperatures, chains=options.ais_chains, base=base, starts=visible)
    log_z = log_partition(model, method, key=jax.random.fold_in(key, 1))
    print(f"ln Z = {log_z}, {perf_counter() - begun:.0f} s", flush=True)
    for name, rows in (("test", data.held_out()), ("train, first 10,000", data.examples(10_000))):
        found = log_likelihood(model, rows, log_z)
        ends = found.mean + log_z.mean - log_z.upper, found.mean + log_z.mean - log_z.lower
        print(f"{name}: {found.mean:.3f} nats; with ln Z at the ends of its bracket {ends[0]:.3f} to "
              f"{ends[1]:.3f}; error over other sets of this size {found.error:.3f}", flush=True)  # fmt: skip


def _train(images: np.ndarray, options: argparse.Namespace, key: jax.Array) -> tuple[RBM, jax.Array]:
    """The machine, and visible units of its persistent chains."""
    begun = perf_counter()
    rbm = RBM(784, hidden=options.hidden, dtype="float32", scale=0.01, key=key, **BINARY)
    bias = base_rate(rbm.visible_layer, images.mean(0, dtype=np.float64) / 255, floor=0.01)
    rbm = RBM.from_parameters(jax.numpy.asarray(bias, "float32"), 0 * rbm.hidden_bias, rbm.weights, **BINARY)

    def shown(_: object, row: dict[str, float]) -> None:
        if round(row["epoch"]) % 10 == 0:
            print(f"epoch {round(row['epoch'])}: reconstruction {row['reconstruction_error']:.4f}, "
                  f"{row['seconds']:.2f} s an epoch, {perf_counter() - begun:.0f} s", flush=True)  # fmt: skip

    updates = options.epochs * (len(images) // options.batch)
    fit = learn(
        rbm, images, method=PCD(options.chains), epochs=options.epochs, batch=options.batch, binarise=True,
        learning_rate=Linear(options.rate, 1e-3 * options.rate, updates), average=options.average,
        progress=shown, key=key,
    )  # fmt: skip
    print(f"trained in {perf_counter() - begun:.0f} s", flush=True)
    chains = fit.state.objective_state.inner.chains
    return fit.model, fit.model.sample_visible(chains, key=jax.random.fold_in(key, 2))


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", help="parameters (npz), written; with --epochs 0 read")
    parser.add_argument("--hidden", type=int, default=500)
    parser.add_argument("--epochs", type=int, default=120)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--chains", type=int, default=500)
    parser.add_argument("--rate", type=float, default=0.2)
    parser.add_argument("--average", type=float, default=0.999)
    parser.add_argument("--temperatures", type=int, default=10_000)
    parser.add_argument("--ais-chains", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    return parser


if __name__ == "__main__":
    main()
