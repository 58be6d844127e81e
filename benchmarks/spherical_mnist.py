"""Digits on the sphere (Cohen, Geiger, Köhler & Welling, ICLR 2018): accuracy of a network by name.

    python benchmarks/spherical_mnist.py --data-folder DATA --train NR --epochs 5    two figures
    python benchmarks/spherical_mnist.py --data-folder DATA --run FOLDER             of a run of `classify`
    python benchmarks/spherical_mnist.py --data-folder DATA --network cnn:16 --space plane:60     planar
    python benchmarks/spherical_mnist.py --speed                                     seconds alone

NR: digits on the northern hemisphere as they are. R: each turned by a rotation of its own. A network that
learnt from one of them is tested on both, 10,000 digits each. Speed: of a step of training, its compilation
apart, in seconds of the clock and of the processor."""

from __future__ import annotations

import argparse
import time
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import intertwine as it
from intertwine.learning.labels.defaults import default_optimiser


def network_of(options: argparse.Namespace) -> Any:
    """The network by name: on a sphere, or on images of latitude and longitude as if they were plane."""
    key, space = jax.random.key(0), options.space
    if space.startswith("plane:"):
        size = int(space.partition(":")[2])
        net = it.network_from_name(options.network, "p1", image_size=size, classes=10, dropout=0.0, key=key)
    else:
        net = it.field_network(options.network, space, classes=10, key=key)
    return net.reading_bytes(True)


def speed(net: Any, batch: int, repeats: int = 5) -> str:
    """What compiling and a step of training take."""
    shape = net.recipe.places(net.space) or net.space.shape
    x = jnp.asarray(np.random.default_rng(0).integers(0, 256, (batch, *shape, 1), dtype=np.uint8))
    y = jnp.arange(batch) % 10

    @eqx.filter_jit
    def gradient(net: Any) -> Any:
        def loss(net: Any) -> Any:
            scores, _ = it.layers.train_outputs(net, x)
            return -jax.nn.log_softmax(scores)[jnp.arange(batch), y].mean()

        return eqx.filter_grad(loss)(net)

    def timed(count: int) -> tuple[float, float]:
        clock, processor = time.time(), time.process_time()
        for _ in range(count):
            jax.block_until_ready(jax.tree.leaves(eqx.filter(gradient(net), eqx.is_inexact_array)))
        return time.time() - clock, time.process_time() - processor

    first, each = timed(1), [timed(1) for _ in range(repeats)]
    clock, processor = (1e3 * min(row[k] for row in each) / batch for k in (0, 1))
    compiling = f"compiled in {first[0]:.1f} s ({first[1]:.1f} s of CPU)"
    return (
        f"{compiling}; a step takes {clock:.2f} ms an image ({processor:.2f} ms of CPU), batches of {batch}"
    )


def trained(options: argparse.Namespace, net: Any) -> Any:
    """The network after learning."""
    data = it.data.load(f"spherical-mnist:{options.train}-R", folder=options.data_folder)
    began, processor = time.time(), time.process_time()
    fit = it.fit_supervised(
        net, data.as_images(data.train)[: options.rows], np.asarray(data.train_labels)[: options.rows],
        epochs=options.epochs, batch=options.batch, validation=0.02,
        optimiser=partial(default_optimiser, learning_rate=options.learning_rate), key=jax.random.key(1),
        progress=lambda row: print(row, flush=True),
    )  # fmt: skip
    print(f"{time.time() - began:.0f} s, {time.process_time() - processor:.0f} s of CPU", flush=True)
    return fit.model


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--train", choices=("NR", "R"), default="NR")
    parser.add_argument("--network", default="so3:10")
    parser.add_argument("--space", default="sphere:24:driscoll-healy:60x60")
    parser.add_argument("--run")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=5e-3)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--test-rows", type=int, default=10_000)
    parser.add_argument("--data-folder")
    options = parser.parse_args()
    if options.run:
        run: Any = it.load(options.run)
        model, learnt = run, f"{run!r}"
    else:
        net = network_of(options)
        print(f"{options.network}, {it.layers.parameter_count(net)} parameters", flush=True)
        if options.speed:
            print(speed(net, options.batch))
            return
        model, learnt = trained(options, net), options.train
    for words in ("NR", "R"):
        data = it.data.load(f"spherical-mnist:NR-{words}", folder=options.data_folder)
        images = data.as_images(data.test)[: options.test_rows]
        labels = np.asarray(data.test_labels)[: options.test_rows]
        print(f"{learnt} / {words}: {it.accuracy(model, images, labels, chunk=250):.4f}", flush=True)


if __name__ == "__main__":
    main()
