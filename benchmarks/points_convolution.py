"""Tensor-product convolutions on points beside e3nn-jax: the same numbers, in what time and memory.

    pip install e3nn-jax
    python benchmarks/points_convolution.py [--rounds 9] [--check] [--degrees]

1,000 points, 10,000 edges, 64 copies of each degree up to 2 and harmonics up to 2: 11 paths, float32, values
and gradients by the field, the vectors and the weights. Rows:

    nearest    the ten nearest neighbours of each point; weights of every edge, path and copy are given
    cut-off    a liquid-like cloud in a periodic box, about 10,000 edges, padded to the most neighbours
    layer      as `nearest`, the weights by a perceptron 8 → 64 → 704 of the edge's length

e3nn-jax as in its documentation: `tensor_product`, times the weights, `scatter_sum`. Both are timed in turn
in one process; medians of wall seconds and of CPU seconds (other work may share the machine), and the memory
for what is between arguments and results (`memory_analysis().temp_size_in_bytes`). The floor: the time to
copy the bytes that must be moved once forwards and twice backwards (gathered fields, weights, their slopes,
sums), and the multiplications and additions of the non-zero coefficients.

--check: harmonics and Clebsch-Gordan coefficients to degree 11 against e3nn-jax in float64.
--degrees: the whole product against the one in the frame of the edges, to degree 4 (6: that one alone).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np

import intertwine as it
from intertwine.layers.points.perceptron import Perceptron
from intertwine.layers.points.point_conv import _messages
from intertwine.layers.points.products.edge_product import (
    EdgeProduct,
    edge_product,
    edge_product_of,
    irrep_planes,
    irreps_of,
)
from intertwine.layers.points.products.edge_sums import edge_sums, tables_of
from intertwine.layers.points.products.rotated_product import RotatedProduct
from intertwine.layers.points.radial import RadialBasis
from intertwine.spaces import Cloud
from intertwine.spaces.points.harmonics import harmonics
from intertwine.spaces.points.turns_to_axis import turns_to_axis, wigner_matrices
from intertwine.symmetry import clebsch_gordan_so3

N, COPIES, DEGREE = 1000, 64, 2
NAMES = f"{COPIES}x0e + {COPIES}x1o + {COPIES}x2e"
SPACE = it.Points(1.0)
REP = SPACE.named_type(NAMES)
PRODUCT = edge_product_of(REP, irreps_of(REP), DEGREE)


def nearest_cloud() -> Cloud:
    """Uniform points and their ten nearest neighbours."""
    return it.Points(nearest=10).cloud(np.random.default_rng(0).uniform(size=(N, 3)))


def liquid_cloud() -> Cloud:
    """A jittered lattice in a periodic box, of a cut-off with about 10,000 edges."""
    draw = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(*[np.arange(10.0)] * 3), -1).reshape(-1, 3)
    positions = (grid + 0.15 * draw.normal(size=grid.shape)) % 10.0
    low, high = 1.0, 2.0
    for _ in range(20):
        middle = (low + high) / 2
        cloud = it.Points(middle).cloud(positions, cell=10 * np.eye(3))
        low, high = (low, middle) if cloud.near.sum() > 10 * N else (middle, high)
    return cloud


def given(cloud: Cloud) -> tuple[Callable[..., Any], Callable[..., Any], tuple[Any, ...], tuple[Any, ...]]:
    """Our function, theirs, and the arguments of both: field, vectors, weights."""
    draw = np.random.default_rng(1)
    near = np.asarray(cloud.near)
    x = draw.normal(size=(N, REP.dimension)).astype(np.float32)
    vectors = np.asarray(cloud.vectors(), np.float32)
    weights = (draw.normal(size=(*near.shape, PRODUCT.weights)) * near[..., None]).astype(np.float32)
    groups = tuple(
        PRODUCT.shaped(w, number) for number, w in enumerate(PRODUCT.by_groups(jnp.asarray(weights)))
    )
    tables, centre, site = tables_of(cloud), np.nonzero(near)[0], np.asarray(cloud.site)[near]

    def ours(x: Any, vectors: Any, weights: Any) -> Any:
        sums = edge_product(PRODUCT, irrep_planes(x, REP), harmonics(vectors, DEGREE), weights, tables)
        return sum((s * s).sum() for s in sums)

    def theirs(x: Any, vectors: Any, weights: Any) -> Any:
        return (e3nn_sums(x, vectors, weights, centre, site).array ** 2).sum()

    return ours, theirs, (x, vectors, groups), (x, vectors[near], weights[near][:, e3nn_order()])


def layered(cloud: Cloud) -> tuple[Callable[..., Any], Callable[..., Any], tuple[Any, ...], tuple[Any, ...]]:
    """The same with a perceptron of the lengths."""
    x, vectors, _ = given(cloud)[2]
    tables, near = tables_of(cloud), np.asarray(cloud.near)
    centre, site = np.nonzero(near)[0], np.asarray(cloud.site)[near]
    radial = RadialBasis(1.0, 8, dtype=jnp.float32)
    perceptron = Perceptron((8, 64, PRODUCT.weights), dtype=jnp.float32, key=jax.random.key(0))

    def ours(x: Any, vectors: Any, perceptron: Any) -> Any:
        messages = jax.tree_util.Partial(_messages, PRODUCT)
        shared = (radial, perceptron, tuple(PRODUCT.by_groups(perceptron.weights[-1])))
        sums = edge_sums(messages, tables, irrep_planes(x, REP), (vectors, None), shared)
        return sum((s * s).sum() for s in sums)

    def theirs(x: Any, vectors: Any, perceptron: Any) -> Any:
        length = jnp.linalg.norm(vectors, axis=-1)
        basis = radial.plain(length)
        weights = perceptron(basis, radial.envelope(length))[:, e3nn_order()]
        return (e3nn_sums(x, vectors, weights, centre, site).array ** 2).sum()

    return ours, theirs, (x, vectors, perceptron), (x, vectors[near], perceptron)


def e3nn_sums(x: Any, vectors: Any, weights: Any, centre: np.ndarray, site: np.ndarray) -> Any:
    """Messages and their sums as e3nn-jax's documentation makes them."""
    into = e3nn.IrrepsArray(NAMES.replace(" ", ""), x)
    y = e3nn.spherical_harmonics([0, 1, 2], e3nn.IrrepsArray("1o", vectors), True)
    messages = e3nn.tensor_product(into[site], y, filter_ir_out=["0e", "1o", "2e"])
    return e3nn.scatter_sum(messages * weights, dst=jnp.asarray(centre), output_size=N)


def e3nn_order() -> np.ndarray:
    """Our weights in the order of e3nn's: by irreps of the result, then of the field, then degree."""
    paths = [
        (out, into, degree)
        for into in range(3)
        for out in range(3)
        for degree in range(3)
        if abs(into - degree) <= out <= into + degree and (into + degree + out) % 2 == 0
    ]
    order = sorted(range(len(paths)), key=lambda number: paths[number])
    return np.concatenate([np.arange(COPIES) + COPIES * number for number in order])


def compare(name: str, made: Any, rounds: int, edges: int, places: int) -> None:
    """One row."""
    ours, theirs, mine, other = made
    programs = []
    for function, arguments in ((theirs, other), (ours, mine)):
        began = time.process_time()
        compiled = jax.jit(jax.value_and_grad(function, (0, 1, 2))).lower(*arguments).compile()
        programs.append((compiled, arguments, time.process_time() - began))
    values = [float(program(*arguments)[0]) for program, arguments, _ in programs]
    agree = abs(values[0] - values[1]) / values[0]
    seconds: list[list[tuple[float, float]]] = [[], []]
    for _ in range(rounds):
        for number, (program, arguments, _) in enumerate(programs):
            wall, cpu = time.perf_counter(), time.process_time()
            jax.block_until_ready(program(*arguments))
            seconds[number].append((time.perf_counter() - wall, time.process_time() - cpu))
    medians = np.median(np.array(seconds), axis=1)
    ratio = np.median(np.array(seconds[0]) / np.array(seconds[1]), axis=0)
    memory = [program.memory_analysis().temp_size_in_bytes / 2**20 for program, _, _ in programs]
    print(
        f"{name:8} e3nn-jax {medians[0, 0]:.3f} s ({medians[0, 1]:.3f} CPU) {memory[0]:.0f} MiB, "
        f"ours {medians[1, 0]:.3f} s ({medians[1, 1]:.3f} CPU) {memory[1]:.0f} MiB: "
        f"{ratio[0]:.1f} times as fast ({ratio[1]:.1f} in CPU), memory 1/{memory[0] / memory[1]:.0f}; "
        f"compiled in {programs[0][2]:.1f} and {programs[1][2]:.1f} CPU s; values differ by {agree:.0e}; "
        f"{edges} edges in {places} places",
        flush=True,
    )


def floor() -> None:
    """Bytes and operations that cannot be left out, and the time to copy the bytes."""
    edges, field, weights = 10 * N, REP.dimension, PRODUCT.weights
    sums = sum(rep.dimension * copies for rep, copies in zip(PRODUCT.outs, PRODUCT.copies, strict=True))
    forwards = 4 * (edges * (field + weights) + N * sums)
    backwards = 4 * (edges * (2 * field + 2 * weights) + N * sums)
    tables = [
        clebsch_gordan_so3(a, b, c)
        for a in range(3)
        for b in range(3)
        for c in range(3)
        if (a + b + c) % 2 == 0
    ]
    operations = 2 * 4 * sum(int((abs(table) > 1e-12).sum()) for table in tables) * COPIES * edges
    source = np.ones((forwards + backwards) // 8)
    target, best = np.empty_like(source), np.inf
    for _ in range(9):
        began = time.perf_counter()
        np.copyto(target, source)
        best = min(best, time.perf_counter() - began)
    print(
        f"floor    {(forwards + backwards) / 2**20:.0f} MiB moved, {best / 2:.3f} s at the speed of a copy; "
        f"{operations / 1e9:.2f} GFLOP"
    )


def check() -> None:
    """Harmonics and couplings to degree 11."""
    jax.config.update("jax_enable_x64", True)
    vectors = np.random.default_rng(0).normal(size=(200, 3))
    theirs = e3nn.spherical_harmonics(list(range(12)), e3nn.IrrepsArray("1o", vectors), True, "component")
    worst = np.abs(np.asarray(theirs.array) - np.asarray(harmonics(vectors, 11))).max()
    couplings, lengths = 0.0, [0.0, 0.0]
    for a in range(12):
        for b in range(a, 12):
            for c in range(b - a, min(11, a + b) + 1):
                both = (
                    np.asarray(e3nn.clebsch_gordan(a, b, c)) * (2 * c + 1) ** 0.5,
                    clebsch_gordan_so3(a, b, c),
                )
                couplings = max(couplings, np.abs(both[0] - both[1]).max())
                for number, table in enumerate(both):
                    products = np.einsum("abc,abd->cd", table, table) - np.eye(2 * c + 1)
                    lengths[number] = max(lengths[number], np.abs(products).max())
    print(
        f"check    harmonics to degree 11 differ by {worst:.1e}, Clebsch-Gordan by {couplings:.1e}; their "
        f"columns are orthonormal to {lengths[0]:.1e} (e3nn-jax) and {lengths[1]:.1e} (ours)"
    )
    jax.config.update("jax_enable_x64", False)


def degrees(rounds: int) -> None:
    """CPU seconds of value and gradient for 200 points, ten neighbours, 16 copies of degrees up to L."""
    cloud = it.Points(nearest=10, group="SO(3)").cloud(np.random.default_rng(0).uniform(size=(200, 3)))
    tables, vectors = tables_of(cloud), np.asarray(cloud.vectors(), np.float32)
    for top in (1, 2, 3, 4, 6):
        rep = it.Points(1.0, group="SO(3)").named_type(" + ".join(f"16x{k}" for k in range(top + 1)))
        outs = irreps_of(rep)
        full, turned = edge_product_of(rep, outs, 2 * top), RotatedProduct(outs, outs, 16)
        x = np.random.default_rng(1).normal(size=(200, rep.dimension)).astype(np.float32)
        weights = np.random.default_rng(2).normal(size=(200, 10, full.weights)).astype(np.float32)
        found = []
        for product, messages in ((full, _whole), (turned, _turned))[top > 4 :]:
            program = jax.jit(
                jax.value_and_grad(jax.tree_util.Partial(_cost, messages, product, tables), (0, 1, 2))
            )
            jax.block_until_ready(program(x, vectors, weights))
            seconds = []
            for _ in range(rounds):
                began = time.process_time()
                jax.block_until_ready(program(x, vectors, weights))
                seconds.append(time.process_time() - began)
            found.append(float(np.median(seconds)))
        whole = f"all products {found[0]:.3f}, " if top <= 4 else ""
        print(f"degree {top}: {whole}in the frame of the edge {found[-1]:.3f} CPU s", flush=True)


def _cost(messages: Any, product: Any, tables: Any, x: Any, vectors: Any, weights: Any) -> Any:
    made = jax.tree_util.Partial(messages, product)
    return sum((s * s).sum() for s in edge_sums(made, tables, x, (vectors, weights), ()))


def _whole(product: EdgeProduct, x: Any, near: Any, own: Any, shared: Any) -> Any:
    return product.summed(x, harmonics(own[0], product.degree), own[1]), ()


def _turned(product: RotatedProduct, x: Any, near: Any, own: Any, shared: Any) -> Any:
    return product.sums(x, wigner_matrices(turns_to_axis(own[0]), product.degree), own[1]), ()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--degrees", action="store_true")
    asked = parser.parse_args()
    if asked.check:
        check()
    elif asked.degrees:
        degrees(asked.rounds)
    else:
        floor()
        for name, cloud, make in (
            ("nearest", nearest_cloud(), given),
            ("cut-off", liquid_cloud(), given),
            ("layer", nearest_cloud(), layered),
        ):
            compare(name, make(cloud), asked.rounds, int(cloud.near.sum()), cloud.near.size)


if __name__ == "__main__":
    main()
