"""Sweeps of block Gibbs over machines of layers: what every sampler of `gibbs/` is made of.

A state is the even side of a machine, (*shape, n) each layer, the visible one first. Chains that are watched
say, before each sweep, their weight and where they are (`Trace`).
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.models.machines.layered import LayeredMachine, State
from intertwine.models.machines.unit_layer import UnitLayer
from intertwine.sampling.gibbs.clamped import Clamp

DEFAULT_CHAINS = 100
Values = TypeVar("Values", Array, np.ndarray)


class Trace(NamedTuple):
    """What is watched along the chains, (sweeps, chains) each.

    log_weight: ln Σ over the odd side of e^{−E} of the even side: −(free energy), ln Ψ(v) of an RBM.
    projection: of the visible units on the strongest singular direction of their weights, where chains that
    cannot cross from one mode to another differ first.
    """

    log_weight: Float[Array, "sweeps chains"]
    projection: Float[Array, "sweeps chains"]


def fresh_chains(
    machine: LayeredMachine,
    clamp: Clamp | None,
    shape: tuple[int, ...],
    start: ArrayLike | None = None,
    *,
    key: Array,
) -> State:
    """Even layers (*shape, n) of units without a field, or the visible one from the rows of `start`."""
    layers = machine.side(0)
    keys = jax.random.split(key, len(layers))
    state = [
        layer.sample(jnp.zeros((*shape, layer.size), machine.dtype), key=k)
        for k, layer in zip(keys, layers, strict=True)
    ]
    if start is not None:
        rows = np.asarray(start)
        if rows.ndim != 2 or len(rows) == 0:
            raise fail("start", f"configurations (any number, {machine.size})", f"shape {rows.shape}")
        layers[0].check(rows, "start")
        picked = rows[np.arange(int(np.prod(shape))) % len(rows)]
        state[0] = jnp.asarray(picked, machine.dtype).reshape(*shape, machine.size)
    if clamp is not None:
        state[0] = clamp.hold(state[0])
    return tuple(state)


def sweep(machine: LayeredMachine, clamp: Clamp | None, state: State, *, key: Array) -> tuple[State, State]:
    """One sweep of the even side: (the even side after it, the fields on the odd side before it)."""
    up, down = jax.random.split(key)
    fields = machine.fields(state, 1)
    odd = machine.sample_side(fields, 1, key=up)
    even = machine.sample_side(machine.fields(odd, 0), 0, key=down)
    if clamp is not None:
        even = (clamp.hold(even[0]), *even[1:])
    return even, fields


@jax.jit
def run(machine: LayeredMachine, clamp: Clamp | None, state: State, key: Array, count: ArrayLike) -> State:
    """`count` sweeps; one program for any number of them."""

    def step(i: Array, state: State) -> State:
        return sweep(machine, clamp, state, key=jax.random.fold_in(key, i))[0]

    return jax.lax.fori_loop(0, count, step, state)


@partial(jax.jit, static_argnames=("sweeps",))
def traced(
    machine: LayeredMachine, clamp: Clamp | None, state: State, key: Array, *, sweeps: int
) -> tuple[State, Trace]:
    """`sweeps` sweeps with what is watched before each of them."""
    direction = strongest_direction(machine)

    def step(state: State, key: Array) -> tuple[State, Trace]:
        after, fields = sweep(machine, clamp, state, key=key)
        seen = Trace(log_weight(machine, state, fields), state[0] @ direction)
        return after, seen

    return jax.lax.scan(step, state, jax.random.split(key, sweeps))


def log_weight(machine: LayeredMachine, state: State, fields: State) -> Float[Array, "..."]:
    """ln Σ over the odd side of e^{−E}, the fields on it being known."""
    own = zip(machine.side(0), machine.biases[0::2], state, strict=True)
    linear = sum((x * b).sum(-1) - layer.base(x) for layer, b, x in own)
    other = zip(machine.side(1), fields, strict=True)
    return linear + sum(layer.log_partition(f) for layer, f in other)  # type: ignore[return-value]


@jax.jit
def strongest_direction(machine: LayeredMachine) -> Float[Array, "N"]:
    """The leading left singular vector of W_0, by the power method."""
    w = machine.weights[0]

    def power(_: Array, u: Array) -> Array:
        u = w @ (u @ w)
        return u / jnp.maximum(jnp.linalg.norm(u), jnp.finfo(u.dtype).tiny)

    return jax.lax.fori_loop(0, 30, power, jnp.linspace(1.0, 2.0, w.shape[0], dtype=w.dtype))


def as_stored(layer: UnitLayer, values: Values) -> Values:
    """int8 for discrete units, as they are for others."""
    return values.astype(jnp.int8) if layer.is_discrete else values
