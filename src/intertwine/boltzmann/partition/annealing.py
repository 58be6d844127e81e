r"""Annealed importance sampling, forward and in reverse (Neal 2001; Salakhutdinov & Murray 2008).

Chains start with exact draws of independent units p_0 and are carried along p_β ∝ p_0^{1−β} p_1^β to the
machine. With f_β(x) = ln Σ_{other side} e^{−E_β}, the log weight of a chain

    ln w = ln Z_0 + Σ_k [f_{β_k}(x_{k−1}) − f_{β_{k−1}}(x_{k−1})],     x_k ~ T_k(x_{k−1} → ·),     E[w] = Z,

costs two products with W a temperature: the fields at x_{k−1} serve both β's and the draw of the other side.
T_k (block Gibbs, marginally on one side) is reversible, so that the same walk from a draw of p_1 with the β's
in reverse order has E[1/w] = 1/Z (Burda, Grosse & Salakhutdinov 2015). A chain is independent of the others.

    even layers x_{k−1} ──W──► fields ──► Δf at β_{k−1}, β_k ──► ln w
                                 └──────► odd layers at β_k ──W──► even layers x_k at β_k

The machine is bipartite whatever its depth (`models.layered`): even against odd layers.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, PyTree

from intertwine.models.machines.layered import LayeredMachine, State
from intertwine.models.machines.tempered import PathPoint, TemperedPath
from intertwine.models.machines.unit_kinds import unit_kind
from intertwine.models.machines.unit_layer import UnitLayer

_PAD = 16_384
"""β's that a compiled walk has room for, and multiples of it."""


class Annealed(NamedTuple):
    """Where the chains ended, a tuple over the even layers of (chains, n), and Σ Δf of every chain in nats,
    as a float in two pieces (chains,) whose sum is to be taken in float64."""

    state: State
    total: Array
    rest: Array

    def log_weights(self) -> np.ndarray:
        """Σ Δf of every chain, float64 (chains,)."""
        return np.asarray(self.total, np.float64) + np.asarray(self.rest, np.float64)


def anneal(path: TemperedPath, betas: np.ndarray, state: State, *, key: Array) -> Annealed:
    """Carry chains from β = betas[0] to betas[−1], in either direction: betas is (K + 1,).

    state: even layers, a tuple of (chains, n), distributed as p at betas[0]. Σ Δf is taken along the way.
    """
    return anneal_between(path, padded(betas), 0, len(betas) - 1, state, key)


def padded(betas: np.ndarray) -> np.ndarray:
    """The same β's with zeros behind, so that walks of most lengths share one compiled program."""
    return np.pad(np.asarray(betas, np.float64), (0, -len(betas) % _PAD))


@jax.jit
def anneal_between(
    path: TemperedPath, betas: Float[Array, "P"], first: PyTree, last: PyTree, state: State, key: Array
) -> Annealed:
    """The same from betas[first] to betas[last]."""

    def step(k: Array, carry: tuple) -> tuple:
        state, total, rest = carry
        keys = jax.random.split(jax.random.fold_in(key, k))
        now, later = betas[k], betas[k + 1]
        point = path.at(state)
        change = _work(path, point, now, later)
        odd = path.draw(point, later, key=keys[0])
        state = path.draw(path.at(odd, side=1), later, side=1, key=keys[1])
        return state, *_add(total, rest, change)

    zeros = jnp.zeros(state[0].shape[0], path.model.dtype)
    betas = jnp.asarray(betas, path.model.dtype)
    return Annealed(*jax.lax.fori_loop(first, last, step, (state, zeros, zeros)))


@partial(jax.jit, static_argnames="chains")
def begin(path: TemperedPath, chains: int, key: Array) -> State:
    """Exact draws of the even layers at β = 0."""
    return path.start((chains,), key=key)


def _work(path: TemperedPath, point: PathPoint, now: Array, later: Array) -> Array:
    """f at `later` − f at `now`, as a sum of small terms: rounding does not see how large f is."""
    step = later - now
    found = step * (point.own[1] - point.own[0])
    fields = path.fields(point, later)
    ends = zip(path.model.side(1), fields, *point.fields, strict=True)
    return found + sum(_rise(layer, theta, step * (f1 - f0)) for layer, theta, f0, f1 in ends)


def _rise(layer: UnitLayer, theta: Array, delta: Array) -> Array:
    """Σ over units of A(θ) − A(θ − δ).

    For two states −ln[1 + σ(θ)(e^{−δ} − 1)], with the σ that the draw needs as well; it overflows beyond
    |δ| = 80, where annealing means nothing, and that is noticed.
    """
    if layer.log_variance is not None:
        return layer.log_partition(theta) - layer.log_partition(theta - delta)
    total, begin = jnp.zeros(theta.shape[:-1], theta.dtype), 0
    for kind, columns in layer.parts:
        t, d, begin = (
            theta[..., begin : begin + columns],
            delta[..., begin : begin + columns],
            begin + columns,
        )
        if kind == "binary":
            total = total - jnp.log1p(jax.nn.sigmoid(t) * jnp.expm1(-d)).sum(-1)
        elif kind == "spin":
            total = total - (d + jnp.log1p(jax.nn.sigmoid(2 * t) * jnp.expm1(-2 * d))).sum(-1)
        else:
            row = unit_kind(kind)
            total = total + row.log_partition(t) - row.log_partition(t - d)
    return total


def _add(total: Array, rest: Array, change: Array) -> tuple[Array, Array]:
    """total + rest + change as such a pair again, without loss (Knuth's two-sum)."""
    found = total + change
    back = found - total
    return found, rest + (total - (found - back)) + (change - back)


@jax.jit
def sweeps(machine: LayeredMachine, state: State, count: Array, key: Array) -> State:
    """`count` sweeps of block Gibbs at β = 1."""

    def step(k: Array, state: State) -> State:
        keys = jax.random.split(jax.random.fold_in(key, k))
        others = machine.sample_side(machine.fields(state, 1), 1, key=keys[0])
        return machine.sample_side(machine.fields(others, 0), 0, key=keys[1])

    state = tuple(jnp.asarray(x, machine.dtype) for x in state)
    return jax.lax.fori_loop(0, count, step, state)


def log_partition_of_base(path: TemperedPath) -> float:
    """ln Z_0 in float64, less ln K where the base is a mixture of K modes."""
    with jax.enable_x64(True):
        path = jax.tree.map(lambda x: jnp.asarray(np.asarray(x), jnp.float64), path)
        return float(_log_partition_base(path))


@jax.jit
def _log_partition_base(path: TemperedPath) -> Array:
    return path.log_partition_base()


def effective_size(log_weights: np.ndarray) -> float:
    """(Σ w)² / Σ w²: how many equal weights these are worth.

    >>> effective_size(np.zeros(10))
    10.0
    """
    w = np.exp(log_weights - np.max(log_weights))
    return float(w.sum() ** 2 / (w * w).sum())


def resampled(log_weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Indices (C,) of a systematic resampling with probabilities ∝ e^{log weight}."""
    p = np.exp(log_weights - np.max(log_weights))
    places = (np.arange(len(p)) + rng.random()) / len(p)
    return np.minimum(np.searchsorted(np.cumsum(p / p.sum()), places), len(p) - 1)
