"""Regression of Wilson loops of 2D SU(2), trained on 8 × 8, tested to 64 × 64.

    python benchmarks/wilson_loops.py exact            # a network whose weights are constructed
    python benchmarks/wilson_loops.py learned [EPOCHS]   # learned, a plain CNN of equal size beside it

Labels: (1/2) Re tr of the loops 1×1, 2×1, 2×2, 4×2 and 4×4 at every site, of links drawn by the heat bath at
β from 0.5 to 6. The network doubles loops four times (a convolution and a product each).
"""

import sys
import time

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

import intertwine as it
from intertwine.layers import GaugeBilinear, Plaquettes, Traces
from intertwine.layers.gauge import wilson_network
from intertwine.models.gauge.loops import rectangle

jax.config.update("jax_enable_x64", True)
SIDES = ((1, 1), (2, 1), (2, 2), (4, 2), (4, 4))
BETAS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0)


def drawn(L: int, each: int, seed: int) -> tuple[jax.Array, jax.Array]:
    """Fields (8·each, L, L, 16) and labels (8·each, 5 L²)."""
    links = it.Links(it.Square(L, L), "SU(2)")
    found = []
    for k, beta in enumerate(BETAS):
        sampler = it.GaugeHeatBath(chains=each, burn_in=60)
        key = jax.random.fold_in(jax.random.key(seed), k)
        found.append(sampler.init(it.Gauge(links, beta), key=key).configurations)
    U = jnp.concatenate(found)
    traces = jax.jit(
        jax.vmap(
            lambda U: jnp.stack(
                [links.group.real_trace(rectangle(links, U, 0, 1, *s)) for s in SIDES], -1
            ).ravel()
        )
    )
    return jax.jit(jax.vmap(links.field))(U), traces(U)


def exact() -> None:
    net = wilson_network(it.Links(it.Square(8, 8), "SU(2)"), 4)
    for L in (8, 16, 32, 64):
        links = it.Links(it.Square(L, L), "SU(2)")
        U = links.hot(key=jax.random.key(L))
        found = np.asarray(eqx.filter_jit(net)(links.field(U)))[::2]
        sides = [(R, T) for R in range(1, 5) for T in range(1, 5)]
        truth = [float(links.group.real_trace(rectangle(links, U, 0, 1, *side)).mean()) for side in sides]
        print(f"{L:3} largest error {np.abs(found - truth).max():.1e}", flush=True)


class Doubling(eqx.Module):
    """Plaquettes, four times (carry, multiply); the traces of every stage are read out."""

    stages: tuple
    traces: tuple
    out: eqx.nn.Linear

    def __init__(self, width: int, key: jax.Array):
        links = it.Links(it.Square(8, 8), "SU(2)")
        keys = jax.random.split(key, 9)
        stages, traces, m = [], [_traces(links, 1)], 1
        for step in range(4):
            carried = f"links + {2 * width} adjoint"
            reach = 1 if step < 2 else 2
            conv = it.Conv(links, f"links + {m} adjoint", carried, reach, gain=0.3, key=keys[2 * step])
            out = f"links + {width} adjoint"
            product = GaugeBilinear(links, carried, out, scale=0.3, key=keys[2 * step + 1])
            stages.append(it.Sequential([conv, product]))
            traces.append(_traces(links, width))
            m = width
        self.stages, self.traces = tuple(stages), tuple(traces)
        self.out = eqx.nn.Linear(2 + 8 * width, len(SIDES), key=keys[8], dtype=float)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = Plaquettes(it.Links(it.Square(8, 8), "SU(2)"))(x)
        read = [self.traces[0](x)]
        for stage, traces in zip(self.stages, self.traces[1:], strict=True):
            x = stage(x)
            read.append(traces(x))
        return (jnp.concatenate(read, -1) @ self.out.weight.T + self.out.bias).ravel()


def _traces(links: it.Links, count: int) -> it.Sequential:
    return it.Sequential([Traces(links, f"links + {count} adjoint")])


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

    def __call__(self, x: jax.Array) -> jax.Array:
        y = jnp.moveaxis(x, -1, 0)
        for layer in self.layers:
            y = jax.nn.gelu(layer(y))
        return (jnp.moveaxis(y, 0, -1) @ self.out.weight.T + self.out.bias).ravel()


def trained(model, x, y, epochs: int, rate: float):
    """By `it.fit_supervised`, squared errors; the best epoch of a tenth held out is kept."""
    steps = epochs * (len(x) * 9 // 10 // 8)
    optimiser = it.OptaxGradient(optax.adam(optax.cosine_decay_schedule(rate, steps)))
    last = [0.0]

    def say(line):
        if time.perf_counter() - last[0] > 20:
            last[0] = time.perf_counter()
            print({k: f"{v:.3g}" for k, v in line.items() if "loss" in k or k == "epoch"}, flush=True)

    fit = it.fit_supervised(
        model, x, y, loss="squared-error", optimiser=optimiser, epochs=epochs, batch=8, validation=0.1,
        key=jax.random.key(5), progress=say,
    )  # fmt: skip
    return fit.model


def learned() -> None:
    epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    x, y = drawn(8, 16, 0)
    mine = Doubling(2, jax.random.key(3))
    plain = Plain(7, jax.random.key(4))
    print("parameters", it.count_parameters(mine), it.count_parameters(plain), flush=True)
    for name, model, rate in (("equivariant", mine, 1e-2), ("plain", plain, 3e-3)):
        begin = time.perf_counter()
        model = trained(model, np.asarray(x), np.asarray(y), epochs, rate)
        print(f"{name}: {time.perf_counter() - begin:.0f} s", flush=True)
        for L in (8, 16, 32, 64):
            a, b = drawn(L, 4, 100 + L)
            error = np.asarray(jax.lax.map(model, a) - b).reshape(len(a), L * L, -1)
            print(
                f"  {L:3} at sites {np.mean(error**2):.2e}, of lattices {np.mean(error.mean(1) ** 2):.2e}",
                flush=True,
            )


if __name__ == "__main__":
    {"exact": exact, "learned": learned}[sys.argv[1]]()
