"""What padding, strides and angles off the grid cost: relative errors of equivariance, as two tables.

    python benchmarks/equivariance_cost.py

The first table: a lifting and a regular layer with a ReLU between them, and one change of resolution, by
the largest |K(h f) − h(K f)| over the disc inside, relative to the largest |K f|: over turns by 90°
(which map the grid to itself) and over turns by 45° (C_8, which do not). Images are sums of Gaussians,
turned exactly. The second: one lifting layer of C_8 at 45° on ever finer grids of the same image and
kernel.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from intertwine.layers.conv import Conv
from intertwine.layers.nonlinear.pointwise import Pointwise
from intertwine.layers.pooling.pooling import AveragePool, BlurPool, MaxPool
from intertwine.spaces.grid import Grid
from intertwine.symmetry import regular


def image(n: int, angle: float, spread: float) -> np.ndarray:
    """Three Gaussians on n² points, their centres turned by `angle` about the centre of the array."""
    x = (np.indices((n, n)) - (n - 1) / 2) / n
    c, s = np.cos(angle), np.sin(angle)
    back = np.array([c * x[0] + s * x[1], -s * x[0] + c * x[1]])
    blobs = [((0.15, 0.05), 1.0, 2.0), ((-0.12, 0.1), -0.7, 1.0), ((0.02, -0.16), 0.8, 0.5)]
    total = np.zeros((n, n))
    for (a, b), height, stretch in blobs:
        total += height * np.exp(-((back[0] - a) ** 2 + stretch * (back[1] - b) ** 2) / (2 * spread**2))
    return total[..., None]


def gap(network, grid: Grid, rep, n: int, element: int, spread: float, inside: float) -> float:
    """The relative error of one element, over the disc of `inside` times half the width of the output."""
    angle = 2 * np.pi * element / grid.group.order
    before, after = image(n, 0.0, spread), image(n, angle, spread)
    out, moved = (np.asarray(f) for f in eqx.filter_jit(network)(jnp.asarray(np.stack([before, after]))))
    expected = grid.act(element, out, rep)
    m = out.shape[0]
    disc = np.hypot(*(np.indices((m, m)) - (m - 1) / 2)) <= inside * m / 2
    return float(np.abs(moved - expected)[disc].max() / np.abs(out).max())


def two_layers(grid: Grid, change: str, key: jax.Array):
    """Lifting, ReLU, regular layer, and one change of resolution."""
    rep = 4 * regular(grid.group)
    width = 5
    padding, _, step = change.partition(", ")
    keys = jax.random.split(key)
    stride = 2 if step == "stride 2" else 1
    kind = {"dtype": jnp.float64, "padding": padding}
    lift = Conv(grid, grid.scalar, rep, width, key=keys[0], **kind)
    second = Conv(grid, rep, rep, width, stride=stride, key=keys[1], **kind)
    pools = {"max pool 2": MaxPool, "average pool 2": AveragePool, "blur pool 2": BlurPool}
    pool = pools[step](grid, rep) if step in pools else (lambda x: x)
    relu = Pointwise(rep, "relu")
    return (lambda x: pool(second(relu(lift(x))))), rep


def main() -> None:
    key = jax.random.key(0)
    changes = ["valid", "same", "periodic", "valid, stride 2", "same, stride 2"]
    changes += ["same, max pool 2", "same, average pool 2", "same, blur pool 2"]
    with jax.enable_x64(True):
        print("| padding and step | size | p4, 90° | c8, 90° | c8, 45° |\n|---|---|---|---|---|")
        for change in changes:
            for n in (32, 33):
                row = []
                for name, element in (("p4", 1), ("c8", 2), ("c8", 1)):
                    grid = Grid(name)
                    network, rep = two_layers(grid, change, key)
                    row.append(f"{gap(network, grid, rep, n, element, 0.08, 0.8):.1e}")
                print(f"| {change} | {n} | " + " | ".join(row) + " |", flush=True)
        print("\n| points across | kernel | c8, 45° |\n|---|---|---|")
        for scale in (1, 2, 4, 8):
            grid = Grid("c8", scale=float(scale), width=0.6 * scale)
            n, k = 20 * scale + 1, 4 * scale + 1
            layer = Conv(
                grid, grid.scalar, regular(grid.group), k, padding="same", dtype=jnp.float64, key=key
            )
            error = gap(layer, grid, layer.rep_out, n, 1, 0.08, 0.6)
            print(f"| {n} | {k}×{k} | {error:.1e} |", flush=True)


if __name__ == "__main__":
    main()
