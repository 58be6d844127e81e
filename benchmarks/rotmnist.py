"""Rotated MNIST (12,000 training and 50,000 test images): test error, parameters and seconds of one
network.

    python benchmarks/rotmnist.py z2cnn p1 --dropout 0.1 --data-folder DATA     # the plain CNN
    python benchmarks/rotmnist.py p4cnn p4 --dropout 0.1 --data-folder DATA
    python benchmarks/rotmnist.py cnn:20 p4 --dropout 0.1 --augment turn --turns 8 --save A --data-folder DATA
    python benchmarks/rotmnist.py cnn:20 p4 --epochs 24 --dropout 0.1 --augment deform --turns 8 --start A …

AdamW with a warm-up and a cosine, no augmentation unless asked for (then every image is turned anew each
epoch, by any angle, and with `deform` before that stretched and slanted a little), batch norms calibrated
on the training images at the end. Prints a line an epoch, then the result. With `--turns n` also that of
ln p averaged over each test image turned by k/n of a quarter turn, k < n: on p4 a projection onto what is
invariant under 4n turns, up to interpolation.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import optax

from intertwine.data.sets.rotated import deformed, random_deformations, rotated, rotated_mnist
from intertwine.layers.networks.network_names import network_from_name
from intertwine.layers.networks.parameter_count import parameter_count
from intertwine.layers.networks.saved_network import load_network, save_network
from intertwine.learning.batches import Batches
from intertwine.learning.gradient import OptaxGradient
from intertwine.learning.labels.class_scores import accuracy, class_scores
from intertwine.learning.loop import iterate, start
from intertwine.learning.stream import OverBatches
from intertwine.learning.supervised import Supervised
from intertwine.models.network import Network

CALIBRATION = 12_000
"""Images that the statistics of batch norms are taken from, at most."""


def trained(
    network: Any,
    x: np.ndarray,
    y: np.ndarray,
    updates: int,
    batch: int,
    rate: float,
    decay: float,
    shown: Callable[[int], np.ndarray] | None = None,
    report: Callable[[int, float, float], None] | None = None,
) -> Any:
    """The network after `updates` updates of AdamW (a warm-up, then a cosine), batch norms calibrated.

    shown: the images of an epoch, x by default. report: called with epoch, loss and accuracy after each.
    """
    schedule = optax.warmup_cosine_decay_schedule(1e-4, rate, updates // 20, updates, 1e-6)
    optimiser = OptaxGradient(optax.adamw(schedule, weight_decay=decay))
    objective, batch = Supervised(), min(batch, len(x))
    state = start(Network.of(network), OverBatches(objective, Batches((x, y), batch, seed=0)), optimiser,
                  key=jax.random.key(1))  # fmt: skip
    epoch, left = 0, updates
    while left > 0:
        images = x if shown is None else shown(epoch)
        stream = OverBatches(objective, Batches((images, y), batch, seed=0))
        steps, rows = min(left, stream.batches.per_epoch), []
        for later, scalars in iterate(state, stream, optimiser, steps=steps):
            state = later
            rows.append([scalars["updates"], scalars["loss"], scalars["accuracy"]])
        counts, losses, shares = np.array(rows).T
        epoch, left = epoch + 1, left - steps
        if report is not None:
            report(epoch, np.average(losses, weights=counts), np.average(shares, weights=counts))
    return state.model.module.calibrated(x[:CALIBRATION])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("network")
    parser.add_argument("group")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--dropout", type=float, default=0.3)
    parser.add_argument("--augment", choices=("turn", "deform"), default=None)
    parser.add_argument("--turns", type=int, default=1, help="turns that ln p is averaged over")
    parser.add_argument("--save", default=None, help="a file for the trained network")
    parser.add_argument("--start", default=None, help="such a file, to go on from its weights")
    parser.add_argument("--data-folder", default=None)
    o = parser.parse_args()
    data = rotated_mnist(o.data_folder)
    assert data.test is not None and data.train_labels is not None
    x, test = (rows.reshape(-1, 28, 28, 1).astype(np.float32) / 255 for rows in (data.train, data.test))
    if o.start:
        network = load_network(Path(o.start))
    else:
        network = network_from_name(o.network, o.group, dropout=o.dropout, key=jax.random.key(0))
    print(f"{o.network} on {o.group}: {parameter_count(network)} parameters", flush=True)
    random, begun = np.random.default_rng(0), time.perf_counter()

    def turned(_: int) -> np.ndarray:
        if o.augment == "turn":
            return np.clip(rotated(x, random.uniform(0, 2 * np.pi, len(x))), 0, 1)
        return np.clip(deformed(x, random_deformations(random, len(x))), 0, 1)

    def report(epoch: int, loss: float, share: float) -> None:
        seconds = time.perf_counter() - begun
        print(f"epoch {epoch:3d}  loss {loss:.4f}  accuracy {share:.4f}  {seconds:7.0f} s", flush=True)

    updates = o.epochs * (len(x) // o.batch)
    shown = turned if o.augment else None
    found = trained(network, x, data.train_labels, updates, o.batch, o.learning_rate, 1e-4, shown, report)
    seconds = time.perf_counter() - begun
    if o.save:
        save_network(Path(o.save), found)
    error = 100 * (1 - accuracy(found, test, data.test_labels))
    size = f"{len(test)}, {parameter_count(network)} parameters, {seconds:.0f} s"
    print(f"test error {error:.2f} % of {size}", flush=True)
    if o.turns > 1:
        error = 100 * (1 - (mean_scores(found, test, o.turns).argmax(axis=1) == data.test_labels).mean())
        print(f"test error {error:.2f} %, mean of {o.turns} turns within a quarter")


def mean_scores(network: Any, images: np.ndarray, turns: int) -> np.ndarray:
    """ln p(c|x), averaged over x turned by k/turns of a quarter turn."""
    total = np.zeros(())
    for k in range(turns):
        turned = rotated(images, np.full(len(images), k * np.pi / 2 / turns))
        total = total + jax.nn.log_softmax(class_scores(network, np.clip(turned, 0, 1)))
    return np.asarray(total) / turns


if __name__ == "__main__":
    main()
