"""Bases of equivariant maps for matrix groups, and what perceptrons made of them learn.

    python benchmarks/lie_groups.py bases
    python benchmarks/lie_groups.py inertia          # also o5, scattering

bases: seconds of V^p → V^p from nothing, without the cache on disk, after one that is not counted;
`peers/emlp_bases.py` does the same with EMLP in an environment of its own (emlp 1.0.3, jax 0.4.30, numpy < 2,
Python 3.10).

The others are the tasks of Finzi, Welling & Wilson (ICML 2021, section 7), each with the equivariant
perceptron and a plain one of as many parameters or more, trained alike: five point masses → tensor of inertia
(O(3)), an invariant of two vectors of O(5), the matrix element of electron-muon scattering (O(1,3)). A row a
size of the training set: relative test errors (root mean square over that of the values), and of test
inputs that are turned by a group element (boosts of rapidity up to 2 in scattering).
"""

from __future__ import annotations

import os
import sys
import time

os.environ["INTERTWINE_CACHE"] = ""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import intertwine as it
from intertwine.layers import equivariant_mlp, parameter_count
from intertwine.learning.labels.defaults import default_optimiser
from intertwine.symmetry import lorentz, orthogonal, special_orthogonal, special_unitary

KEY = jax.random.key(0)
TESTS, RATE = 2000, 3e-3


def bases() -> None:
    cases = [
        (special_orthogonal(3), 2), (lorentz(), 2), (special_orthogonal(3), 3), (lorentz(), 3),
        (special_orthogonal(5), 2), (special_unitary(3), 2), (lorentz(reflections=True), 3),
    ]  # fmt: skip
    special_orthogonal(2).tensor(2).intertwiners(special_orthogonal(2).vector)  # imports
    for group, p in cases:
        start, clock = time.process_time(), time.perf_counter()
        found = group.tensor(p).intertwiners(group.tensor(p))
        seconds = time.process_time() - start
        worst = max(np.abs(found @ x - x @ found).max() for x in group.tensor(p).generators)
        print(
            f"{group!r:9} V^{p} → V^{p}: {len(found):3} maps of {found.shape[1]}²  {seconds:.3f} CPU s, "
            f"{time.perf_counter() - clock:.3f} s  residual {worst:.1e}"
        )


def inertia(n: int, rng: np.random.Generator):
    mass = np.log1p(np.exp(rng.normal(size=(n, 5))))
    x = rng.normal(size=(n, 5, 3))
    square = (x**2).sum(-1)
    y = np.einsum("nk,nk,ij->nij", mass, square, np.eye(3)) - np.einsum("nk,nki,nkj->nij", mass, x, x)
    return np.concatenate([mass, x.reshape(n, -1)], 1), y.reshape(n, 9)


def o5(n: int, rng: np.random.Generator):
    x = rng.normal(size=(n, 2, 5))
    a, b = np.linalg.norm(x, axis=-1).T
    dot = (x[:, 0] * x[:, 1]).sum(-1)
    return x.reshape(n, 10), (np.sin(a) - b**3 / 2 + dot / (a * b))[:, None]


def scattering(n: int, rng: np.random.Generator):
    p = rng.normal(size=(n, 4, 4)) / 4
    eta = np.diag([1.0, -1, -1, -1])
    q, pp, qq, p0 = p[:, 0], p[:, 1], p[:, 2], p[:, 3]  # p0 → pp of one particle, q → qq of the other

    def dot(a, b):
        return np.einsum("ni,ij,nj->n", a, eta, b)

    def current(a, b):
        both = np.einsum("ni,nj->nij", a, b)
        return both + both.transpose(0, 2, 1) - (dot(a, b) - dot(a, a))[:, None, None] * eta

    lowered = np.einsum("ia,nab,bj->nij", eta, current(q, qq), eta)
    return p.reshape(n, 16), 4 * (current(p0, pp) * lowered).sum((1, 2))[:, None]


def task(name: str, sizes: tuple[int, ...]) -> None:
    groups = {"inertia": orthogonal(3), "o5": orthogonal(5), "scattering": lorentz(reflections=True)}
    group, draw = groups[name], globals()[name]
    V, one = group.vector, group.trivial
    into, out = {
        "inertia": (5 * one + 5 * V, V**2), "o5": (2 * V, one), "scattering": (4 * V, one)
    }[name]  # fmt: skip
    start = time.process_time()
    highest = 2 if name == "inertia" else 1  # an invariant needs no tensors
    net = equivariant_mlp(group, into, out, (96, 96), highest=highest, key=KEY)
    print(f"{name}: {group!r}, {into!r} → {out!r}, {parameter_count(net)} parameters, "
          f"built in {time.process_time() - start:.1f} CPU s")  # fmt: skip
    width = next(
        w for w in range(16, 1000, 4) if parameter_count(plain(into, out, w)) >= parameter_count(net)
    )
    rows = it.assert_equivariant(net, key=KEY, tol=1e-5)
    print(f"  largest error of equivariance {max(row.error for row in rows):.1e}")
    test_x, test_y = draw(TESTS, np.random.default_rng(1))
    turned = []
    for element, part in zip(
        group.random_elements(8, key=KEY), np.array_split(np.arange(TESTS), 8), strict=True
    ):
        a, b = into.matrix(element), out.matrix(element)
        turned.append((test_x[part] @ a.T, test_y[part] @ b.T))
    turned_x, turned_y = (np.concatenate(c) for c in zip(*turned, strict=True))
    for size in sizes:
        x, y = draw(size, np.random.default_rng(2))
        for label, model in (("equivariant", net), ("plain", plain(into, out, width))):
            start = time.process_time()
            fit = trained(model, x, y)
            found = [error(fit, *pair) for pair in ((test_x, test_y), (turned_x, turned_y))]
            print(
                f"  {size:5} examples, {label:11} {parameter_count(model):6} parameters: "
                f"test error {found[0]:.2e}, turned {found[1]:.2e}, {time.process_time() - start:.0f} CPU s",
                flush=True,
            )


def plain(into, out, width: int) -> eqx.nn.MLP:
    return eqx.nn.MLP(into.dimension, out.dimension, width, 2, jax.nn.silu, key=KEY)


def trained(model, x, y, updates: int = 1000, batch: int = 100):
    """Mean squares of standardised values (a number for all components), Adam with a rate that falls."""
    scale = float(np.sqrt(np.mean(y**2)))
    rows = min(batch, len(x))
    epochs = updates * rows // len(x)
    fit = it.fit_supervised(
        model, x.astype(np.float32), (y / scale).astype(np.float32), loss="squared-error",
        epochs=epochs, batch=rows, key=KEY,
        optimiser=default_optimiser(epochs * len(x) // rows, learning_rate=RATE),
    )  # fmt: skip
    return fit.model, scale


def error(fit, x, y) -> float:
    model, size = fit
    found = np.asarray(eqx.filter_jit(lambda m, v: jax.vmap(m)(v))(model, jnp.asarray(x, jnp.float32))) * size
    return float(np.sqrt(np.mean((found - y) ** 2) / np.mean(y**2)))


if __name__ == "__main__":
    what = sys.argv[1] if len(sys.argv) > 1 else "bases"
    chosen = tuple(int(n) for n in sys.argv[2:]) or (1000,)
    bases() if what == "bases" else task(what, chosen)
