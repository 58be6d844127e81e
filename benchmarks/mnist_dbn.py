"""MNIST: a deep belief network 784-500-784, the bound on its likelihood, and its error as a classifier.

    export INTERTWINE_DATA=/path/to/data
    python benchmarks/mnist_dbn.py train dbn.npz [--first rbm.npz] [--epochs 80 30] [--up-down 0]
    python benchmarks/mnist_dbn.py bound dbn.npz [--temperatures 10000] [--draws 100]
    python benchmarks/mnist_dbn.py classify dbn.npz [--epochs 20]

Protocol. Stochastic binarisation: training images are drawn anew at every visit (for the second layer: at
every epoch), with the grey value over 255 as the probability of a 1; the 10,000 test images are drawn once
with the fixed seed of `Dataset.held_out`. All 60,000 training images are used, none for choosing the end:
the numbers of epochs are given beforehand, compared on test bounds. float32.

`train` learns the first RBM by PCD-1 (100 chains, batches of 100, learning rate 0.1 falling to 0 along a
straight line, the average of the parameters as the result), or takes it from a file with arrays a, b, W; the
second RBM starts as the first turned upside down, its chains after 1,000 sweeps, and learns the first one's
hidden units in the same way with learning rate 0.02; `--up-down` adds epochs of wake-sleep fine-tuning.
`bound` anneals ln Z of the top RBM forward and back and prints the mean of E_q[ln p(v, h) - ln q(h|v)] over
all test images, in nats, with the bracket of ln Z: the bound with the upper end holds with 99.95 %
confidence. To compare: Salakhutdinov & Murray (2008), 500-2000, -86.22. `classify` unrolls the network and
learns the labels from the grey values with Adam and dropout, for a number of epochs given beforehand, and
prints the test error.
"""

from __future__ import annotations

import argparse
import os
from time import perf_counter

import jax
import numpy as np
import optax

from intertwine.boltzmann.likelihood.belief_bound import belief_bound
from intertwine.boltzmann.objectives.methods import PCD
from intertwine.boltzmann.partition.log_partition import AIS, log_partition
from intertwine.boltzmann.training.deep_belief import learn_above, learn_up_down
from intertwine.boltzmann.training.fine_tune import fine_tune
from intertwine.boltzmann.training.learn import learn
from intertwine.boltzmann.training.stack import representation, transposed, upward_layers
from intertwine.data.loading import load
from intertwine.learning.gradient import OptaxGradient
from intertwine.learning.labels.class_scores import accuracy
from intertwine.learning.schedules import Linear
from intertwine.models.machines.base_rate import base_rate
from intertwine.models.machines.deep_belief import DBN
from intertwine.models.machines.rbm import RBM

BINARY = {"units": "binary", "hidden_units": "binary"}
TRAINED = PCD(chains=100, warm_up=1000)


def main() -> None:
    options = _options().parse_args()
    print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}", options, flush=True)
    {"train": train, "bound": bound, "classify": classify}[options.command](options)


def train(options: argparse.Namespace) -> None:
    images, key = load("mnist").train, jax.random.key(options.seed)
    begun = perf_counter()
    first = _machine(options.first) if options.first else _first(images, options, key)
    print(f"first layer {perf_counter() - begun:.0f} s", flush=True)
    top = transposed(first, options.hidden, key=jax.random.fold_in(key, 1))
    if options.epochs[1]:
        rate = Linear(options.rate, 1e-3 * options.rate, options.epochs[1] * (len(images) // 100))
        top = learn_above(
            top, upward_layers([first]), images, epochs=options.epochs[1], learning_rate=rate,
            binarise=True, method=TRAINED, progress=_shown("second layer", begun),
            key=jax.random.fold_in(key, 2),
        ).model  # fmt: skip
    dbn = DBN.from_rbms([first, top])
    _save(options.file, dbn)
    if options.up_down:
        dbn = learn_up_down(
            dbn, images, epochs=options.up_down, method=TRAINED, learning_rate=Linear(
                options.up_down_rate, 1e-3 * options.up_down_rate, options.up_down * (len(images) // 100)
            ), binarise=True, progress=_shown("up-down", begun), key=jax.random.fold_in(key, 3),
        ).model  # fmt: skip
        _save(options.file, dbn)
    print(f"trained in {perf_counter() - begun:.0f} s: {options.file}", flush=True)


def _first(images: np.ndarray, options: argparse.Namespace, key: jax.Array) -> RBM:
    rbm = RBM(784, hidden=500, dtype="float32", scale=0.01, key=key, **BINARY)
    mean = images.mean(0, dtype=np.float64) / 255
    bias = base_rate(rbm.visible_layer, mean, floor=0.01).astype(np.float32)
    rbm = RBM.from_parameters(bias, 0 * rbm.hidden_bias, rbm.weights, **BINARY)
    begun = perf_counter()
    return learn(
        rbm, images, epochs=options.epochs[0], binarise=True, progress=_shown("first layer", begun), key=key
    ).model


def bound(options: argparse.Namespace) -> None:
    data, dbn, key = load("mnist"), _load(options.file), jax.random.key(options.seed)
    test = data.held_out()
    begun = perf_counter()
    hidden = representation(dbn.recognition, data.train, binarise=True, key=key)
    base = base_rate(dbn.top.visible_layer, hidden.mean(0), floor=0.01)
    method = AIS(temperatures=options.temperatures, chains=options.chains, base=base, starts=hidden)
    log_z = log_partition(dbn.top, method, key=jax.random.fold_in(key, 1))
    print(f"{log_z}, {perf_counter() - begun:.0f} s", flush=True)
    begun = perf_counter()
    found = belief_bound(dbn, test, log_z, draws=options.draws, key=jax.random.fold_in(key, 2))
    errors = f"± {found.log_z_error:.3f} (ln Z) ± {found.draws_error:.3f} (draws)"
    print(f"test bound {found.bound.mean:.3f} {errors}")
    span = (found.bound.mean + log_z.mean - log_z.upper, found.bound.mean + log_z.mean - log_z.lower)
    print(f"with ln Z at the ends of its bracket: {span[0]:.3f} to {span[1]:.3f}")
    print(f"importance-weighted, {options.draws} draws: {found.importance.mean:.3f}")
    print(f"over other test sets of this size: ± {found.bound.error:.3f}; {perf_counter() - begun:.0f} s")
    seen = data.examples(10_000)
    of_train = belief_bound(dbn, seen, log_z, draws=min(20, options.draws), key=jax.random.fold_in(key, 3))
    print(f"the first 10,000 training images: {of_train.bound.mean:.3f}", flush=True)


def classify(options: argparse.Namespace) -> None:
    data, dbn = load("mnist"), _load(options.file)
    train, test = (np.float32(rows) / 255 for rows in (data.train, data.test))
    begun = perf_counter()
    rate = Linear(1e-3, 1e-5, options.epochs * (len(train) // 100))

    def shown(row: dict[str, float]) -> None:
        print(f"epoch {row['epoch']}, loss {row['loss']:.4f}, accuracy {row['accuracy']:.4f}, "
              f"{perf_counter() - begun:.0f} s", flush=True)  # fmt: skip

    fit = fine_tune(
        dbn, train, data.train_labels, epochs=options.epochs, batch=100, dropout=options.dropout,
        input_dropout=options.input_dropout, optimiser=OptaxGradient(optax.adam(1.0), rate), progress=shown,
        key=jax.random.key(options.seed),
    )  # fmt: skip
    error = 100 * (1 - accuracy(fit.model, test, data.test_labels))
    print(f"test error {error:.2f} %, {perf_counter() - begun:.0f} s", flush=True)


def _shown(stage: str, begun: float):
    def show(_: object, row: dict[str, float]) -> None:
        parts = f"reconstruction {row['reconstruction_error']:.4f}, {perf_counter() - begun:.0f} s"
        print(f"{stage}, epoch {round(row['epoch'])}: {parts}", flush=True)

    return show


def _machine(path: str) -> RBM:
    with np.load(path, allow_pickle=False) as file:
        return RBM.from_parameters(file["a"], file["b"], file["W"], **BINARY)


def _save(path: str, dbn: DBN) -> None:
    leaves = {f"leaf{k}": np.asarray(leaf) for k, leaf in enumerate(jax.tree.leaves(dbn))}
    np.savez(path, sizes=np.array(dbn.sizes), **leaves)


def _load(path: str) -> DBN:
    with np.load(path, allow_pickle=False) as file:
        blank = DBN(file["sizes"].tolist(), dtype="float32", key=jax.random.key(0))
        leaves = [file[f"leaf{k}"] for k in range(len(jax.tree.leaves(blank)))]
    return jax.tree.unflatten(jax.tree.structure(blank), [jax.numpy.asarray(leaf) for leaf in leaves])


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("train", "bound", "classify"):
        command = commands.add_parser(name)
        command.add_argument("file")
        command.add_argument("--seed", type=int, default=0)
    one, two, three = (commands.choices[name] for name in ("train", "bound", "classify"))
    one.add_argument("--first", help="npz with a, b, W of a trained first RBM")
    one.add_argument("--epochs", type=int, nargs=2, default=(80, 30))
    one.add_argument("--hidden", type=int, default=784, help="units of the topmost layer, 784 or more")
    one.add_argument("--rate", type=float, default=0.02)
    one.add_argument("--up-down", type=int, default=0)
    one.add_argument("--up-down-rate", type=float, default=0.005)
    two.add_argument("--temperatures", type=int, default=10_000)
    two.add_argument("--chains", type=int, default=100)
    two.add_argument("--draws", type=int, default=100)
    three.add_argument("--epochs", type=int, default=25)
    three.add_argument("--dropout", type=float, default=0.2)
    three.add_argument("--input-dropout", type=float, default=0.0)
    return parser


if __name__ == "__main__":
    main()
