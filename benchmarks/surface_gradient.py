"""The surface gradient, learned on one mesh and used on others.

    python benchmarks/surface_gradient.py

Functions are waves sin(k·x + φ) of position, |k| up to 3, whose gradient along a sphere or a torus is
known in closed form. Two linear layers, scalar → vectors → vector over discs of radius 0.2, see 24 of
them on an icosphere of 2,562 vertices; the same weights (`it.on_space`) are then used on other meshes, on
other waves. Errors are root mean squares relative to the gradient's."""

from __future__ import annotations

import time

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

import intertwine as it
from intertwine.layers import Conv, Sequential

REGION = (0.2, 1)
STEPS = 300


def torus(n: int, m: int, jitter: float, small: float = 0.5) -> tuple[it.Mesh, np.ndarray]:
    """A torus of radii 1 and `small`, vertices moved along it by up to `jitter` of a cell, and its
    normals."""
    i, j = (part.reshape(-1) for part in np.meshgrid(np.arange(n), np.arange(m), indexing="ij"))
    here, right = i * m + j, (i + 1) % n * m + j
    up, both = i * m + (j + 1) % m, (i + 1) % n * m + (j + 1) % m
    faces = np.concatenate([np.stack([here, right, both], 1), np.stack([here, both, up], 1)])
    move = np.random.default_rng(0).uniform(-jitter, jitter, (2, n * m))
    u, v = (i + move[0]) * 2 * np.pi / n, (j + move[1]) * 2 * np.pi / m
    normal = np.stack([np.cos(v) * np.cos(u), np.cos(v) * np.sin(u), np.sin(v)], axis=1)
    centre = np.stack([np.cos(u), np.sin(u), 0 * u], axis=1)
    return it.Mesh(centre + small * normal, faces), normal


def waves(mesh: it.Mesh, normals: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Functions (count, n, 1) and their gradients (count, n, 2) in the frames of the mesh."""
    random = np.random.default_rng(seed)
    k = random.normal(size=(count, 3))
    k *= (3 * random.uniform(0.3, 1, count) / np.linalg.norm(k, axis=1))[:, None]
    phase = k @ mesh.positions.T + random.uniform(0, 2 * np.pi, (count, 1))
    slope = np.cos(phase)[..., None] * k[:, None]
    slope -= (slope * normals).sum(axis=-1, keepdims=True) * normals
    return np.sin(phase)[..., None], mesh.to_frames(slope)


def network(mesh: it.Mesh, key: jax.Array) -> Sequential:
    """Two linear layers: the second mixes vectors of the first at each vertex and its ring."""
    first, second = jax.random.split(key)
    layers = [
        Conv(mesh, "scalar", "4 vector", REGION, bias=False, key=first),
        Conv(mesh, "4 vector", "vector", 0, bias=False, key=second),
    ]
    return Sequential(layers)


def learned(net: Sequential, x: np.ndarray, y: np.ndarray) -> Sequential:
    """Least squares by Adam."""
    inputs, targets = jnp.asarray(x), jnp.asarray(y)
    optimiser = optax.adam(optax.cosine_decay_schedule(0.05, STEPS))
    parameters, rest = eqx.partition(net, eqx.is_inexact_array)

    def loss(parameters: Sequential) -> jax.Array:
        return jnp.mean((eqx.combine(parameters, rest).outputs(inputs) - targets) ** 2)

    def step(carry: tuple, _: None) -> tuple[tuple, None]:
        parameters, state = carry
        change, state = optimiser.update(jax.grad(loss)(parameters), state)
        return (eqx.apply_updates(parameters, change), state), None

    run = jax.jit(lambda p: jax.lax.scan(step, (p, optimiser.init(p)), None, STEPS)[0][0])
    return eqx.combine(run(parameters), rest)


def error(net: Sequential, mesh: it.Mesh, normals: np.ndarray, seed: int) -> float:
    """Relative, on 16 waves."""
    x, y = waves(mesh, normals, 16, seed)
    found = np.asarray(eqx.filter_jit(lambda net, x: net.outputs(x))(it.on_space(net, mesh), jnp.asarray(x)))
    return float(np.sqrt(np.mean((found - y) ** 2) / np.mean(y**2)))


def main() -> None:
    jax.config.update("jax_enable_x64", True)
    began = time.process_time()
    ball = it.Mesh.icosphere(4)
    net = learned(network(ball, jax.random.key(0)), *waves(ball, ball.positions, 24, 0))
    print(f"learned on an icosphere of {ball.size}: {error(net, ball, ball.positions, 1):.4f} on other waves")
    print(f"{it.layers.parameter_count(net)} parameters, {time.process_time() - began:.0f} s of CPU")
    finer = it.Mesh.icosphere(5)
    scrambled = _turned_ball()
    print(f"icosphere of {finer.size}: {error(net, finer, finer.positions, 2):.4f}")
    print(f"irregular sphere of {scrambled.size}: {error(net, scrambled, scrambled.positions, 2):.4f}")
    for jitter in (0.0, 0.25):
        ring, normals = torus(96, 48, jitter)
        words = f"moved by up to {jitter} of a cell" if jitter else "regular"
        print(f"torus of {ring.size}, {words}: {error(net, ring, normals, 3):.4f}")


def _turned_ball() -> it.Mesh:
    """A sphere of 3,000 random points far from one another, triangulated by its convex hull."""
    from scipy.spatial import ConvexHull

    spiral = np.arange(3000) + 0.5
    z, turn = 1 - 2 * spiral / 3000, np.pi * (1 + 5**0.5) * spiral
    points = np.stack([np.sqrt(1 - z**2) * np.cos(turn), np.sqrt(1 - z**2) * np.sin(turn), z], axis=1)
    points += np.random.default_rng(0).normal(scale=0.008, size=points.shape)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    faces = ConvexHull(points).simplices
    outward = np.linalg.det(points[faces]) > 0
    return it.Mesh(points, np.where(outward[:, None], faces, faces[:, ::-1]))


if __name__ == "__main__":
    main()
