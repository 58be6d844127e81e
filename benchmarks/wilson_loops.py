"""Regression of Wilson loops of 2D SU(2), trained on 8 × 8, tested to 64 × 64.

    python benchmarks/wilson_loops.py exact            # a network whose weights are constructed
    python benchmarks/wilson_loops.py learned [SEED]   # learned from random weights, stage after stage
    python benchmarks/wilson_loops.py plain [EPOCHS]   # a plain CNN on the same data

Labels: (1/2) Re tr of the loops 1×1, 2×1, 2×2, 4×2 and 4×4 at every site, of links drawn by the heat bath at
β from 0.5 to 6. Each stage of the network carries one field along the links and multiplies (`Conv`,
`GaugeBilinear`), which doubles a loop, and is learned from what the stage before it gives, by damped
Gauss-Newton steps. A trace does not tell a loop from mixtures of it with its
inverse, or with a loop that runs through its halves in the other order, and a mixture cannot be doubled: so
every stage is also told that its field is unitary, tr VV†/2 = 1, as loops are, and where the stage after it
fails, another solution takes its place. What is not a real combination of elements of SU(2) has no trace: a
stage that has come near is taken to those that are (`quaternions`).
"""

import sys
import time

import equinox as eqx
import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
import optax

import intertwine as it
from intertwine.layers import GaugeBilinear, Plaquettes, Traces
from intertwine.layers.gauge import wilson_network
from intertwine.models.gauge.loops import rectangle

jax.config.update("jax_enable_x64", True)
SIDES = ((1, 1), (2, 1), (2, 2), (4, 2), (4, 4))
REACHES = (1, 1, 2, 2)
BETAS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0)
SEEN = (np.array([0, 2, 4, 6]), np.array([0, 4, 2, 6]))
"""The sites of 8 × 8 whose labels are learned from."""
GOOD = 1e-9
"""The mean squared error below which a stage is found."""
SQUARE = it.Links(it.Square(8, 8), "SU(2)")


def drawn(L: int, each: int, seed: int) -> tuple[jax.Array, jax.Array]:
    """Fields (8·each, L, L, 16) and labels (8·each, L, L, 5)."""
    links = it.Links(it.Square(L, L), "SU(2)")
    found = []
    for k, beta in enumerate(BETAS):
        sampler = it.GaugeHeatBath(chains=each, burn_in=60)
        key = jax.random.fold_in(jax.random.key(seed), k)
        found.append(sampler.init(it.Gauge(links, beta), key=key).configurations)
    U = jnp.concatenate(found)
    loops = [lambda U, s=s: links.group.real_trace(rectangle(links, U, 0, 1, *s)) for s in SIDES]
    traces = jax.jit(jax.vmap(lambda U: jnp.stack([loop(U) for loop in loops], -1)))
    return jax.jit(jax.vmap(links.field))(U), traces(U)


def exact() -> None:
    net = wilson_network(SQUARE, 4)
    for L in (8, 16, 32, 64):
        links = it.Links(it.Square(L, L), "SU(2)")
        U = links.hot(key=jax.random.key(L))
        found = np.asarray(eqx.filter_jit(net)(links.field(U)))[::2]
        sides = [(R, T) for R in range(1, 5) for T in range(1, 5)]
        truth = [float(links.group.real_trace(rectangle(links, U, 0, 1, *side)).mean()) for side in sides]
        print(f"{L:3} largest error {np.abs(found - truth).max():.1e}", flush=True)


def quaternions(x: jax.Array) -> jax.Array:
    """The part of an adjoint field that is a real combination of elements of SU(2), (V + σ_2 V* σ_2)/2: no
    frame changes it, as C² is pseudo-real. The other part has no trace to be learned from."""
    links, V = x[..., :-8], x[..., -8:].reshape(*x.shape[:-1], 2, 2, 2)
    a, b = V[..., 0, 0, :], V[..., 0, 1, :]
    c, d = V[..., 1, 0, :], V[..., 1, 1, :]
    star = jnp.array([1.0, -1.0])
    a, b = (a + star * d) / 2, (b - star * c) / 2
    return jnp.concatenate([links, a, b, -star * b, star * a], -1)


class Stage(eqx.Module):
    """One adjoint field to another: two fields carried and mixed, and their products."""

    conv: it.Conv
    product: GaugeBilinear
    trace: Traces
    real: bool = eqx.field(static=True)

    def __init__(self, reach: int, real: bool = False, *, key: jax.Array):
        self.real = real
        one, two = jax.random.split(key)
        self.conv = it.Conv(SQUARE, "links + adjoint", "links + 2 adjoint", reach, gain=0.5, key=one)
        self.product = GaugeBilinear(SQUARE, "links + 2 adjoint", "links + adjoint", scale=0.5, key=two)
        self.trace = Traces(SQUARE, "links + adjoint")

    def in_quaternions(self, reach: int) -> "Stage":
        """The same weights, and the part of V that `quaternions` keeps."""
        blank = Stage(reach, True, key=jax.random.key(0))
        return eqx.tree_at(lambda s: (s.conv, s.product), blank, (self.conv, self.product))

    def field(self, x: jax.Array) -> jax.Array:
        V = self.product(self.conv(x))
        return quaternions(V) if self.real else V

    def __call__(self, x: jax.Array) -> jax.Array:
        """(1/2) Re tr V, then tr VV†/2, at the sites that are learned from."""
        V = self.field(x)
        return jnp.concatenate([self.trace(V)[..., 0][SEEN], (V[..., -8:][SEEN] ** 2).sum(-1) / 2])


class Doubling(eqx.Module):
    """Plaquettes, and the stages one after another; the traces at every site, (L, L, 5)."""

    stages: tuple

    def __call__(self, x: jax.Array) -> jax.Array:
        x = Plaquettes(SQUARE)(x)
        read = [Traces(SQUARE, "links + adjoint")(x)[..., 0]]
        for stage in self.stages:
            x = stage.field(x)
            read.append(stage.trace(x)[..., 0])
        return jnp.stack(read, -1)


def fitted(stage: Stage, x: jax.Array, y: jax.Array, steps: int = 150) -> tuple[Stage, float]:
    """By Levenberg and Marquardt's method, with the damping of Nielsen (1999), from a stage with random
    weights: the stage, and its mean squared error."""
    weights, rest = eqx.partition(stage, eqx.is_inexact_array)
    v, build = jax.flatten_util.ravel_pytree(weights)

    def outputs(v: jax.Array, a: jax.Array) -> jax.Array:
        return eqx.combine(build(v), rest)(a)

    @jax.jit
    def errors(v: jax.Array) -> jax.Array:
        return (jax.lax.map(lambda a: outputs(v, a), x, batch_size=16) - y).ravel()

    @jax.jit
    def linear(v: jax.Array, r: jax.Array) -> tuple[jax.Array, jax.Array]:
        J = jax.lax.map(lambda a: jax.jacrev(outputs)(v, a), x, batch_size=16).reshape(-1, v.size)
        return J.T @ J, J.T @ r

    r, damping, growth = errors(v), 0.1, 2.0
    for step in range(steps):
        if step >= 40 and r @ r > 3e-2 * len(r):
            break
        A, g = linear(v, r)
        while damping < 1e6:
            move = jnp.linalg.solve(A + damping * jnp.eye(v.size), g)
            later = errors(v - move)
            gain = float((r @ r - later @ later) / (2 * g @ move - move @ A @ move))
            if gain > 0:
                break
            damping, growth = damping * growth, 2 * growth
        else:
            break
        v, r, growth = v - move, later, 2.0
        damping *= max(1 / 3, 1 - (2 * gain - 1) ** 3)
        if r @ r < GOOD / 100 * len(r):
            break
    return eqx.combine(build(v), rest), float(r @ r) / len(r)


def found_stages(fields: jax.Array, labels: jax.Array, key: jax.Array) -> list | None:
    """Stages for the loops labels[..., 0], labels[..., 1], … out of the fields before them; None where the
    first two tries or all ten found none: then the fields are those of another solution."""
    if not labels.shape[-1]:
        return []
    depth = len(REACHES) - labels.shape[-1]
    targets = jnp.concatenate([labels[..., 0], jnp.ones(labels.shape[:-1])], -1)
    misses = 0
    for trial in range(10):
        if trial == misses == 2:
            return None
        begin = time.perf_counter()
        stage, error = fitted(Stage(REACHES[depth], key=jax.random.fold_in(key, trial)), fields, targets)
        if error < 1e-2:
            stage, error = fitted(stage.in_quaternions(REACHES[depth]), fields, targets)
        side, took = "{}×{}".format(*SIDES[depth + 1]), time.perf_counter() - begin
        print(f"{'  ' * depth}{side}, try {trial + 1}: error² {error:.1e}, {took:.0f} s", flush=True)
        misses += error >= GOOD
        if error < GOOD:
            after = jax.lax.map(stage.field, fields, batch_size=32)
            rest = found_stages(after, labels[..., 1:], jax.random.fold_in(key, 100 + trial))
            if rest is not None:
                return [stage, *rest]
    return None


class Plain(eqx.Module):
    """A convolutional network of the numbers of the links, periodic, without the gauge group."""

    layers: tuple
    out: eqx.nn.Linear

    def __init__(self, width: int, key: jax.Array):
        keys = jax.random.split(key, 5)
        sizes = [16] + [width] * 4
        self.layers = tuple(
            eqx.nn.Conv2d(a, b, 3, padding="SAME", padding_mode="CIRCULAR", key=k, dtype=float)
            for a, b, k in zip(sizes[:-1], sizes[1:], keys[:4], strict=True)
        )
        self.out = eqx.nn.Linear(width, len(SIDES), key=keys[4], dtype=float)

    def sites(self, x: jax.Array) -> jax.Array:
        y = jnp.moveaxis(x, -1, 0)
        for layer in self.layers:
            y = jax.nn.gelu(layer(y))
        return jnp.moveaxis(y, 0, -1) @ self.out.weight.T + self.out.bias

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.sites(x).ravel()


def tested(network) -> None:
    for L in (8, 16, 32, 64):
        a, b = drawn(L, 4, 100 + L)
        error = np.asarray(jax.lax.map(network, a) - b)
        sites, means = (error**2).mean((0, 1, 2)), (error.mean((1, 2)) ** 2).mean(0)
        each = " ".join(f"{v:.0e}" for v in sites)
        print(f"{L:3}: at sites {sites.mean():.1e} ({each}), of means {means.mean():.1e}", flush=True)


def learned() -> None:
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    x, y = drawn(8, 16, 0)
    begin = time.perf_counter()
    fields = jax.lax.map(Plaquettes(SQUARE), x, batch_size=32)
    stages = found_stages(fields, y[:, *SEEN, 1:], jax.random.key(seed))
    if stages is None:
        sys.exit("not found: try another seed")
    network = Doubling(tuple(stages))
    print(f"{it.count_parameters(network)} parameters, {time.perf_counter() - begin:.0f} s", flush=True)
    tested(network)


def plain() -> None:
    epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    x, y = drawn(8, 16, 0)
    network = Plain(7, jax.random.key(4))
    print("parameters", it.count_parameters(network), flush=True)
    begin, steps = time.perf_counter(), epochs * (len(x) * 9 // 10 // 8)
    fit = it.fit_supervised(
        network, np.asarray(x), np.asarray(y).reshape(len(y), -1), loss="squared-error",
        optimiser=it.OptaxGradient(optax.adam(optax.cosine_decay_schedule(3e-3, steps))),
        epochs=epochs, batch=8, validation=0.1, key=jax.random.key(5),
    )  # fmt: skip
    print(f"{time.perf_counter() - begin:.0f} s, of 8 × 8 (training data in part):", flush=True)
    tested(fit.model.sites)


if __name__ == "__main__":
    {"exact": exact, "learned": learned, "plain": plain}[sys.argv[1]]()
