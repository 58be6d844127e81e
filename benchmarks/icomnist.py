"""Digits on the icosphere (Cohen, Weiler, Kicanaoglu & Welling 2019): accuracy of one gauge-equivariant
network.

    python benchmarks/icomnist.py --train N --level 4 --epochs 1 --data-folder DATA

Images are projected stereographically on a hemisphere of an icosphere (10·4^level + 2 vertices),
bilinearly, the other half is 0. N: all upright. R: every image turned by a random rotation of space. I:
by one of the 60 rotations of the icosahedron. Trained on N or R, tested on all three. The network: at
each level a gauge-equivariant convolution over one ring, batch norm, gates, and pooling to the level
below; then invariants, their mean, scores."""

from __future__ import annotations

import argparse
import time

import jax
import numpy as np

import intertwine as it
from intertwine.data.sets.mnist import mnist
from intertwine.layers import (
    BatchNorm,
    Conv,
    Gated,
    GlobalPool,
    Invariants,
    Linear,
    MeshPool,
    Sequential,
    field_type,
)
from intertwine.symmetry.groups.rotations import random_rotations

WIDTHS = {4: (6, 4, 2), 3: (12, 10, 6), 2: (24, 16, 8), 1: (32, 24, 12)}
"""Scalars, vectors and spins 2 at each level."""


def projected(images: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Images (N, X, X) at points (n, 3) or (N, n, 3) of the sphere: float32 (N, n, 1)."""
    size = images.shape[1]
    height = np.maximum(1 + points[..., 2], 1e-6)
    plane = (np.stack([-points[..., 1], points[..., 0]], axis=-1) / height[..., None] + 1) * (size - 1) / 2
    outside = (points[..., 2] < 0) | (plane < 0).any(axis=-1) | (plane > size - 1).any(axis=-1)
    plane = np.clip(plane, 0, size - 1 - 1e-6)
    low = plane.astype(int)
    rest = plane - low
    rows = np.arange(len(images))[:, None]
    total = 0.0
    for i in (0, 1):
        for j in (0, 1):
            weight = (rest[..., 0] if i else 1 - rest[..., 0]) * (rest[..., 1] if j else 1 - rest[..., 1])
            total = total + np.where(outside, 0, weight) * images[rows, low[..., 0] + i, low[..., 1] + j]
    return np.asarray(total, np.float32)[..., None]


def shown(images: np.ndarray, ball: it.Mesh, kind: str, seed: int) -> np.ndarray:
    """The images as signals, turned as `kind` says."""
    points = ball.positions
    if kind == "N":
        return np.concatenate([projected(part, points) for part in np.array_split(images, 20)])
    if kind == "I":
        upright = shown(images, ball, "N", seed)
        back = np.argsort(ball.symmetry.images, axis=1)
        turn = np.random.default_rng(seed).integers(60, size=len(images))
        return np.take_along_axis(upright, back[turn][..., None], axis=1)
    turns = random_rotations(len(images), key=jax.random.key(seed))
    parts = zip(np.array_split(images, 100), np.array_split(turns, 100), strict=True)
    return np.concatenate([projected(some, points @ turn) for some, turn in parts])


def network(level: int, key: jax.Array) -> Sequential:
    """From `level` to level 1."""
    layers, into = [], "scalar"
    for number in range(level, 0, -1):
        ball = it.Mesh.icosphere(number)
        counts = zip(WIDTHS[number], ("scalar", "vector", "spin 2"), strict=True)
        gated = Gated(field_type(ball, " + ".join(f"{n} {name}" for n, name in counts)), "silu")
        key, here = jax.random.split(key)
        layers += [
            (f"conv{number}", Conv(ball, into, gated.rep_in, 1, bias=False, key=here)),
            (f"norm{number}", BatchNorm(gated.rep_in)),
            (f"gates{number}", gated),
        ]
        if number > 1:
            layers.append((f"pool{number}", MeshPool(ball, it.Mesh.icosphere(number - 1), gated.rep_out)))
        into = gated.rep_out
    invariants = Invariants(into)
    key, here = jax.random.split(key)
    scalars = field_type(it.Mesh.icosphere(1), "10 scalar")
    layers += [
        ("invariants", invariants),
        ("mean", GlobalPool(it.Mesh.icosphere(1), invariants.rep_out, how="mean")),
        ("scores", Linear(invariants.rep_out, scalars, key=here)),
    ]
    return Sequential(layers)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--train", choices=("N", "R"), default="N")
    parser.add_argument("--level", type=int, choices=(2, 3, 4), default=4)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--test-rows", type=int, default=10_000)
    parser.add_argument("--data-folder")
    options = parser.parse_args()
    data = mnist(options.data_folder)
    ball = it.Mesh.icosphere(options.level)
    net = network(options.level, jax.random.key(0))
    print(f"{it.layers.parameter_count(net)} parameters", flush=True)
    x = shown(_images(data.train, options.rows), ball, options.train, 1)
    began, cpu = time.time(), time.process_time()
    fit = it.fit_supervised(
        net, x, np.asarray(data.train_labels)[: options.rows], epochs=options.epochs, batch=options.batch,
        key=jax.random.key(1), progress=lambda row: print(row, flush=True),
    )  # fmt: skip
    print(f"{time.time() - began:.0f} s, {time.process_time() - cpu:.0f} s of CPU", flush=True)
    labels = np.asarray(data.test_labels)[: options.test_rows]
    for kind in "NIR":
        signals = shown(_images(data.test, options.test_rows), ball, kind, 2)
        print(f"{options.train}/{kind}: {it.accuracy(fit.model, signals, labels):.4f}", flush=True)


def _images(bytes_: np.ndarray, rows: int) -> np.ndarray:
    return np.asarray(bytes_[:rows], np.float32).reshape(-1, 28, 28) / 255


if __name__ == "__main__":
    main()
