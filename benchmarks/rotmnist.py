"""Rotated MNIST (12,000 training and 50,000 test images): test error, parameters and seconds of one
network.

    python benchmarks/rotmnist.py z2cnn p1 --epochs 30 --data-folder DATA     # the plain CNN
    python benchmarks/rotmnist.py p4cnn p4 --epochs 40 --data-folder DATA
    python benchmarks/rotmnist.py cnn:20 p4m --epochs 40 --augment --data-folder DATA

AdamW with a warm-up and a cosine, no augmentation unless asked for (then every image is turned anew, by
any angle, each epoch), batch norms calibrated on the training images at the end. Prints a line an epoch,
then the result.
"""

from __future__ import annotations

import argparse
import time

import jax
import numpy as np
import optax

from intertwine.data.rotated import rotated, rotated_mnist
from intertwine.layers.network_names import network_from_name
from intertwine.layers.parameter_count import parameter_count
from intertwine.learning.batches import Batches
from intertwine.learning.class_scores import accuracy
from intertwine.learning.gradient import OptaxGradient
from intertwine.learning.loop import iterate, start
from intertwine.learning.stream import OverBatches
from intertwine.learning.supervised import Supervised
from intertwine.models.network import Network


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
    parser.add_argument("--augment", action="store_true")
    parser.add_argument("--data-folder", default=None)
    o = parser.parse_args()
    data = rotated_mnist(o.data_folder)
    x, test = (rows.reshape(-1, 28, 28, 1).astype(np.float32) / 255 for rows in (data.train, data.test))
    network = network_from_name(o.network, o.group, dropout=o.dropout, key=jax.random.key(0))
    print(f"{o.network} on {o.group}: {parameter_count(network)} parameters", flush=True)

    steps = o.epochs * (len(x) // o.batch)
    rate = optax.warmup_cosine_decay_schedule(1e-4, o.learning_rate, steps // 20, steps, 1e-6)
    optimiser = OptaxGradient(optax.adamw(rate, weight_decay=1e-4))
    objective, random = Supervised(), np.random.default_rng(0)
    stream = OverBatches(objective, Batches((x, data.train_labels), o.batch, seed=0))
    state = start(Network.of(network), stream, optimiser, key=jax.random.key(1))
    begun = time.perf_counter()
    for epoch in range(o.epochs):
        shown = x
        if o.augment:
            angles = random.uniform(0, 2 * np.pi, len(x))
            shown = rotated(x[..., 0], angles, order=1)[..., None]
        stream = OverBatches(objective, Batches((shown, data.train_labels), o.batch, seed=0))
        rows = []
        for later, scalars in iterate(state, stream, optimiser, steps=stream.batches.per_epoch):
            state = later
            rows.append((scalars["updates"], scalars["loss"], scalars["accuracy"]))
        weights = np.array([row[0] for row in rows])
        loss, share = (np.average([row[k] for row in rows], weights=weights) for k in (1, 2))
        seconds = time.perf_counter() - begun
        print(f"epoch {epoch + 1:3d}  loss {loss:.4f}  accuracy {share:.4f}  {seconds:7.0f} s", flush=True)
    trained = state.model.module.calibrated(x)
    seconds = time.perf_counter() - begun
    error = 100 * (1 - accuracy(trained, test, data.test_labels))
    print(f"test error {error:.2f} % of {len(test)}, {parameter_count(network)} parameters, {seconds:.0f} s")


if __name__ == "__main__":
    main()
