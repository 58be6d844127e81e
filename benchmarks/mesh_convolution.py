"""A convolution on a mesh of 40,000 vertices (a torus, every vertex with six neighbours) against its byte
floor.

    python benchmarks/mesh_convolution.py

The floor is the time in which this machine copies as many bytes as must be moved once: the field, the
output, the table of neighbours and the tables of the kernel's harmonics, in float32. Both are timed in
turn in one process with one thread, in seconds of CPU (other work may share the machine), the best of
ten."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import intertwine as it
from intertwine.layers.executors import edges

TYPES = ("8 scalar", "32 scalar", "8 scalar + 8 vector", "16 scalar + 16 vector + 16 spin 2")
ROUNDS = 10


def torus(n: int, m: int) -> it.Mesh:
    """n·m vertices of six neighbours."""
    i, j = (part.reshape(-1) for part in np.meshgrid(np.arange(n), np.arange(m), indexing="ij"))
    here, right = i * m + j, (i + 1) % n * m + j
    up, both = i * m + (j + 1) % m, (i + 1) % n * m + (j + 1) % m
    faces = np.concatenate([np.stack([here, right, both], 1), np.stack([here, both, up], 1)])
    u, v = i * 2 * np.pi / n, j * 2 * np.pi / m
    r = 1 + 0.4 * np.cos(v)
    return it.Mesh(np.stack([r * np.cos(u), r * np.sin(u), 0.4 * np.sin(v)], axis=1), faces)


def moved(layer: it.Conv) -> int:
    """Bytes of field, output and tables."""
    plan, size = layer.plan, layer.space.size
    region = layer.space.neighbourhood(1).site[:, 1:].size * 4
    outs = tuple(spin.frequency for spin in edges._spins(plan.rep_out))
    where = edges.disc(plan.support)
    tables = [edges._table(layer.space, where, spin.frequency, outs) for spin in edges._spins(plan.rep_in)]
    numbers = sum(part.size for table in tables for part in table)
    return 4 * (size * (layer.rep_in.dimension + layer.rep_out.dimension) + numbers) + region


def seconds(function: Callable[[], jax.Array]) -> float:
    """Of CPU, once."""
    began = time.process_time()
    function().block_until_ready()
    return time.process_time() - began


def main() -> None:
    began = time.time()
    mesh = torus(250, 160)
    mesh.neighbourhood(1)
    print(f"{mesh.size} vertices: geometry in {time.time() - began:.1f} s")
    run = eqx.filter_jit(lambda layer, x: layer(x))
    copy = jax.jit(lambda x: x + 1)
    for names in TYPES:
        layer = it.Conv(mesh, names, names, 1, key=jax.random.key(0))
        x = jax.random.normal(jax.random.key(1), (mesh.size, layer.rep_in.dimension))
        block = jnp.zeros(moved(layer) // 8, jnp.float32)  # as many bytes read and written together
        began = time.time()
        run(layer, x).block_until_ready()
        compiled = time.time() - began
        copy(block).block_until_ready()
        both = [(seconds(lambda: run(layer, x)), seconds(lambda: copy(block))) for _ in range(ROUNDS)]  # noqa: B023
        ours, floor = (float(np.median(part)) for part in zip(*both, strict=True))
        words = f"{1e3 * ours:.2f} ms, {ours / floor:.1f} times the {1e3 * floor:.2f} ms"
        words += f" of {moved(layer) / 1e6:.1f} MB"
        print(f"{names}: {words} (compiled in {compiled:.1f} s)", flush=True)


if __name__ == "__main__":
    main()
