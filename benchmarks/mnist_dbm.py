"""MNIST: a deep Boltzmann machine 784-500-1000, its likelihood bound, and its error as a classifier.

    INTERTWINE_DATA=/path/to/data python benchmarks/mnist_dbm.py train --out dbm.npz [--epochs 60 ...]
    INTERTWINE_DATA=/path/to/data python benchmarks/mnist_dbm.py bound dbm.npz [--temperatures 20000]
    INTERTWINE_DATA=/path/to/data python benchmarks/mnist_dbm.py classify dbm.npz [--epochs 80 ...]

Protocol. Stochastic binarisation: training images are drawn anew at every visit, with the grey value (over
255) as the probability of a 1; the 10,000 test images are drawn once with NumPy's default_rng(1234). All
60,000 training images are used. The number of epochs of a stage is given beforehand, but bounds on test
images (there was no validation set) guided the stages and rates of the recipe below. float32.

`train` learns all layers jointly and centred from small random weights (`learn_deep_boltzmann`), with the
average of the parameters of about the last 1,000 updates as the result. `bound` anneals ln Z forward and
back, and prints lower bounds on the mean ln p(v) over all test images, in nats, with ln Z's bracket: the
variational bound (mean field), the structured and the importance-weighted one. To compare:
Salakhutdinov & Hinton (2009), variational, -84.62. `classify` fine-tunes the mean-field network on
grey images and labels with dropout, and prints the error of the last epoch's averaged parameters on the test
images, which are looked at once; with `--hold 10000` the last training images are held out and looked at
after every epoch instead, to choose settings.

The recipe: joint training with the structured posterior first, which keeps the upper layer alive, then with
the mean field, which tightens its bound:

    train --out a.npz                                                               60 epochs, rate 0.15 to 0
    train --start a.npz --mean-field --epochs 16 --rate 0.05 --sweeps 5 --out b.npz
    train --start b.npz --mean-field --epochs 30 --rate 0.08 --sweeps 4 --seed 1 --out c.npz
    bound c.npz --temperatures 50000
    classify c.npz

Times are printed with the number of cores that the process may use.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from time import perf_counter

import jax
import jax.numpy as jnp
import numpy as np
import optax

from intertwine.boltzmann.likelihood.bound import importance_bound, structured_bound, variational_bound
from intertwine.boltzmann.objectives.methods import PCD
from intertwine.boltzmann.partition.log_partition import AIS, log_partition
from intertwine.boltzmann.training.deep_boltzmann import learn_deep_boltzmann
from intertwine.boltzmann.training.deep_network import upper_means
from intertwine.boltzmann.training.fine_tune import beside, fine_tune
from intertwine.data.loading import load
from intertwine.learning.averaging import WeightAverage
from intertwine.learning.gradient import OptaxGradient
from intertwine.learning.labels.class_scores import accuracy
from intertwine.learning.schedules import Linear
from intertwine.models.machines.base_rate import base_rate
from intertwine.models.machines.deep_boltzmann import DBM


def main(arguments: list[str] | None = None) -> None:
    options = _options().parse_args(arguments)
    print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}", options, flush=True)
    {"train": train, "bound": bound, "classify": classify}[options.command](options)


def train(options: argparse.Namespace) -> None:
    images = load("mnist").train
    mean = images.mean(0, dtype=np.float64) / 255
    key = jax.random.key(options.seed)
    model = _read(options.start) if options.start else _fresh(mean, key)
    updates = options.epochs * (len(images) // options.batch)
    begun, spent = perf_counter(), 0.0

    def progress(state: object, scalars: dict[str, float]) -> None:
        nonlocal spent
        spent += scalars["seconds"]
        epoch = round(scalars["epoch"])
        line = f"epoch {epoch} {spent:.0f} s, reconstruction {scalars['reconstruction_error']:.5f}"
        if epoch % options.every == 0 or epoch == options.epochs:
            average = state.optimiser_state.average  # type: ignore[attr-defined]
            _write(options.out, average)
            line += ", " + _glance(average, options.seed)
        print(line, f"| wall {perf_counter() - begun:.0f} s", flush=True)

    fit = learn_deep_boltzmann(
        model, images, method=PCD(options.chains), sweeps=options.sweeps, epochs=options.epochs,
        structured=not options.mean_field, batch=options.batch,
        learning_rate=Linear(options.rate, options.last_rate, updates),
        weight_decay=options.decay, binarise=True, seed=options.seed, key=key, progress=progress,
    )  # fmt: skip
    _write(options.out, fit.model)


def bound(options: argparse.Namespace) -> None:
    images, model = load("mnist"), _read(options.model)
    test = test_images()
    begun = perf_counter()
    log_z = log_partition(
        model, AIS(temperatures=options.temperatures, chains=options.chains), key=jax.random.key(77)
    )
    print(log_z, f"{perf_counter() - begun:.0f} s", flush=True)
    found = variational_bound(model, test, log_z)
    certain = found.mean - (log_z.upper - log_z.mean)
    print(f"test bound {found} nats; with the upper end of ln Z {certain:.3f}", flush=True)
    follow = structured_bound(model, test, log_z, draws=10, key=jax.random.key(78))
    print(f"structured bound {follow} nats", flush=True)
    closer = importance_bound(model, test, log_z, draws=options.draws, key=jax.random.key(78))
    print(f"importance-weighted bound, {options.draws} draws: {closer} nats", flush=True)
    rng = np.random.default_rng(4321)
    seen = (rng.random((10_000, 784), np.float32) * 255 < images.train[:10_000]).astype(np.uint8)
    print(f"bound of 10,000 training images {variational_bound(model, seen, log_z)} nats", flush=True)


def classify(options: argparse.Namespace) -> None:
    images, model = load("mnist"), _read(options.model)
    begun, cut = perf_counter(), len(images.train) - options.hold
    grey = [np.asarray(a, np.float32) / 255 for a in (images.train[:cut], images.train[cut:], images.test)]
    x, held = grey[0], grey[1] if options.hold else grey[2]
    y, held_y = images.train_labels[:cut], images.train_labels[cut:] if options.hold else images.test_labels
    extra, held_extra = upper_means(model, x), upper_means(model, held)
    print(f"mean field of the images {perf_counter() - begun:.0f} s", flush=True)
    updates = options.epochs * (len(x) // options.batch)
    descent = OptaxGradient(optax.adam(1.0), Linear(options.rate, options.rate / 1000, updates))

    def progress(row: dict[str, float]) -> None:
        error = 100 * (1 - row["validation_accuracy"]) if "validation_accuracy" in row else float("nan")
        line = f"loss {row['loss']:.4f} accuracy {row['accuracy']:.4f}, held-out error {error:.2f} %"
        print(f"epoch {row['epoch']} {line} | wall {perf_counter() - begun:.0f} s", flush=True)

    watched = (held, held_y, held_extra) if options.hold else None
    fit = fine_tune(
        model, x, y, extra=extra, dropout=options.dropout, input_dropout=options.input_dropout,
        optimiser=WeightAverage(descent, 0.999), epochs=options.epochs, batch=options.batch,
        smoothing=options.smoothing, validation=watched, key=jax.random.key(options.seed), progress=progress,
    )  # fmt: skip
    if not options.hold:
        error = 100 * (1 - accuracy(fit.model, beside(held, held_extra), held_y))
        print(f"test error {error:.2f} % after {options.epochs} epochs", flush=True)


def test_images() -> np.ndarray:
    """The test images, drawn once."""
    grey = load("mnist").test
    return (np.random.default_rng(1234).random(grey.shape, np.float32) * 255 < grey).astype(np.uint8)


def _glance(average: object, seed: int) -> str:
    model = _model(average)
    log_z = log_partition(model, AIS(temperatures=1000, chains=100, reverse=False), key=jax.random.key(seed))
    part = np.random.default_rng(0).choice(10_000, 2000, replace=False)
    found = variational_bound(model, test_images()[part], log_z)
    top = np.linalg.svd(np.asarray(model.weights[1]), compute_uv=False)
    return f"test bound about {found.mean:.2f} (ESS {log_z.ess:.0f}), W_1 {top[[0, 1, 5, 20, 100]].round(2)}"


def _fresh(mean: np.ndarray, key: jax.Array) -> DBM:
    blank = DBM((784, 500, 1000), scale=0.01, key=key)
    rates = jnp.asarray(base_rate(blank.visible_layer, mean, floor=0.01), blank.dtype)
    return DBM.from_parameters([rates, *blank.biases[1:]], blank.weights)


def _model(found: object) -> DBM:
    return DBM.from_parameters(found.biases, found.weights)  # type: ignore[attr-defined]


def _write(path: Path, found: object) -> None:
    arrays = {f"b{k}": np.asarray(b) for k, b in enumerate(found.biases)}  # type: ignore[attr-defined]
    arrays |= {f"W{k}": np.asarray(w) for k, w in enumerate(found.weights)}  # type: ignore[attr-defined]
    np.savez(path, **arrays)


def _read(path: Path) -> DBM:
    with np.load(path, allow_pickle=False) as file:
        depth = sum(name.startswith("W") for name in file.files)
        biases = [jnp.asarray(file[f"b{k}"]) for k in range(depth + 1)]
        return DBM.from_parameters(biases, [jnp.asarray(file[f"W{k}"]) for k in range(depth)])


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("train")
    one.add_argument("--out", type=Path, required=True)
    one.add_argument("--start", type=Path, help="parameters to begin with, instead of small random ones")
    for name, default in (
        ("epochs", 60), ("batch", 100), ("chains", 500), ("sweeps", 3), ("seed", 0), ("every", 5),
    ):  # fmt: skip
        one.add_argument(f"--{name}", type=int, default=default)
    for name, default in (("rate", 0.15), ("last-rate", 1e-4), ("decay", 0.0)):
        one.add_argument(f"--{name}", type=float, default=default)
    one.add_argument("--mean-field", action="store_true", help="factorial posterior for the data")
    two = commands.add_parser("bound")
    two.add_argument("model", type=Path)
    for name, default in (("temperatures", 20_000), ("chains", 100), ("draws", 100)):
        two.add_argument(f"--{name}", type=int, default=default)
    three = commands.add_parser("classify")
    three.add_argument("model", type=Path)
    for name, default in (("epochs", 80), ("batch", 100), ("seed", 0)):
        three.add_argument(f"--{name}", type=int, default=default)
    for name, default in (("rate", 1e-3), ("dropout", 0.4), ("input-dropout", 0.2), ("smoothing", 0.1)):
        three.add_argument(f"--{name}", type=float, default=default)
    three.add_argument("--hold", type=int, default=0, help="training images held out, instead of the test")
    return parser


if __name__ == "__main__":
    sys.exit(main())
