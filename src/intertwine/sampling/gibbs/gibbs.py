r"""Block Gibbs sampling of Boltzmann machines: p(v) = Ψ(v)/Z, one layer at a time.

Links run only between the two sides of a machine of layers (`models.layered`; the visible and the hidden
layer of an RBM, the even and the odd layers of a deep one), so that a sweep draws each side at once,

    x_odd ~ p(x_odd | x_even),     x_even ~ p(x_even | x_odd)      (Geman & Geman 1984; Hinton 2002).

The kernel P(x → x') = Σ_y p(y|x) p(x'|y) on the even side is reversible with respect to its distribution
p(x), whatever the units. Units of the visible layer may be clamped: then it is reversible with respect to
p(x_free | x_clamped).

What is sampled is Ψ/Z, the Boltzmann machine's reading of Ψ, not the wave function's |Ψ|²/Z that
`Metropolis` samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail, positive_int
from intertwine.models.machines.layered import LayeredMachine, State, layered
from intertwine.models.machines.unit_layer import UnitLayer
from intertwine.sampling.gibbs.clamped import Clamp, clamp_of
from intertwine.sampling.protocols import Samples

DEFAULT_CHAINS = 100


class GibbsState(NamedTuple):
    """Where the chains are: the layers of the even side, each (chains, n), the visible one first."""

    layers: State


class Trace(NamedTuple):
    """What is watched along the chains, (sweeps, chains) each.

    log_weight: ln Σ over the odd side of e^{−E} of the even side: −(free energy), ln Ψ(v) of an RBM.
    projection: of the visible units on the strongest singular direction of their weights, where chains that
    cannot cross from one mode to another differ first.
    """

    log_weight: Float[Array, "sweeps chains"]
    projection: Float[Array, "sweeps chains"]


@dataclass(frozen=True, eq=False)
class Gibbs:
    """Chains of block Gibbs sampling of a machine of layers (RBM, DBM): p(v) = Ψ(v)/Z.

    steps: sweeps between draws.
    chains: how many chains run side by side; None: in `it.sample` one for each configuration that is asked
    for, 100 elsewhere.
    burn_in: sweeps before the first draw of fresh chains; None for `steps`.
    clamped: (mask (N,) or column numbers (k,), values (k,) or (chains, k)) of visible columns to hold; or an
    array (N,) or (chains, N) that is nan where a column is free, other columns in every row (`complete`).
    start: configurations (any number, N) at which chains begin, in turn; None for units drawn without a
    field.

    Raises InputError for numbers that are not positive, clamps and starts that do not fit the model, and for
    models that are no machines of layers.

    >>> from intertwine.models.machines.rbm import RBM
    >>> key = jax.random.key(0)
    >>> rbm = RBM(6, hidden=4, units="binary", key=key)
    >>> sampler = Gibbs(steps=10, chains=16, clamped=([0], [1]))
    >>> samples, state = sampler.sample(rbm, sampler.init(rbm, key=key), 8, key=key)
    >>> samples.configurations.shape, samples.configurations.dtype, bool(samples.configurations[..., 0].all())
    ((16, 8, 6), dtype('int8'), True)
    """

    steps: int = 1000
    chains: int | None = None
    burn_in: int | None = None
    clamped: Any = None
    start: Any = None

    distribution = "boltzmann"

    def __post_init__(self) -> None:
        positive_int("steps", self.steps, "give the number of sweeps between draws")
        if self.chains is not None:
            positive_int("chains", self.chains, "give the number of chains, or None")
        if self.burn_in is not None and (isinstance(self.burn_in, bool) or not 0 <= self.burn_in < 2**31):
            raise fail("burn_in", "a number of sweeps ≥ 0, or None", self.burn_in)

    def init(self, model: Any, *, key: Array) -> GibbsState:
        """Fresh chains after `burn_in` sweeps."""
        machine, clamp, chains = self.prepared(model)
        first, second = jax.random.split(key)
        state = self.fresh(machine, clamp, chains, key=first)
        count = self.steps if self.burn_in is None else int(self.burn_in)
        return GibbsState(run(machine, clamp, state, second, count)) if count else GibbsState(state)

    def sample(self, model: Any, state: GibbsState, draws: int, *, key: Array) -> tuple[Samples, GibbsState]:
        """`draws` configurations a chain, `steps` sweeps apart: int8 (chains, draws, N) for discrete units,
        else of the model's type."""
        draws = positive_int("draws", draws, "give the number of configurations a chain")
        machine, clamp, chains = self.prepared(model)
        check_chains(state.layers, machine, chains)
        drawn, last = _draws(machine, clamp, state.layers, key, draws=draws, steps=self.steps)
        return Samples(as_stored(machine.layers[0], drawn), None, jnp.ones(())), GibbsState(last)

    def prepared(self, model: Any, chains: int | None = None) -> tuple[LayeredMachine, Clamp | None, int]:
        """The machine of layers, the clamp and the number of chains, all checked."""
        machine = layered(model)
        count = self.chains or chains or DEFAULT_CHAINS
        return machine, clamp_of(self.clamped, machine.layers[0], count, machine.dtype), count

    def fresh(self, machine: LayeredMachine, clamp: Clamp | None, chains: int, *, key: Array) -> State:
        """The even side of `chains` chains before any sweep."""
        return fresh_chains(machine, clamp, (chains,), self.start, key=key)


def fresh_chains(
    machine: LayeredMachine, clamp: Clamp | None, shape: tuple[int, ...], start: Any = None, *, key: Array
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
def run(machine: LayeredMachine, clamp: Clamp | None, state: State, key: Array, count: Any) -> State:
    """`count` sweeps; one program for any number of them."""

    def step(i: Any, state: State) -> State:
        return sweep(machine, clamp, state, key=jax.random.fold_in(key, i))[0]

    return jax.lax.fori_loop(0, count, step, state)


@partial(jax.jit, static_argnames=("draws", "steps"))
def _draws(
    machine: LayeredMachine, clamp: Clamp | None, state: State, key: Array, *, draws: int, steps: int
) -> tuple[Array, State]:
    """(visible units (chains, draws, N), the last even side)."""

    def draw(state: State, key: Array) -> tuple[State, Array]:
        state = run(machine, clamp, state, key, steps)
        return state, state[0]

    last, drawn = jax.lax.scan(draw, state, jax.random.split(key, draws))
    return jnp.swapaxes(drawn, 0, 1), last


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

    def power(_: Any, u: Array) -> Array:
        u = w @ (u @ w)
        return u / jnp.maximum(jnp.linalg.norm(u), jnp.finfo(u.dtype).tiny)

    return jax.lax.fori_loop(0, 30, power, jnp.linspace(1.0, 2.0, w.shape[0], dtype=w.dtype))


def as_stored(layer: UnitLayer, values: Array) -> Array:
    """int8 for discrete units, as they are for others."""
    return values.astype(jnp.int8) if layer.is_discrete else values


def check_chains(state: State, machine: LayeredMachine, chains: int) -> None:
    """Raise unless `state` is the even side of that many chains of the machine."""
    wanted = [(chains, layer.size) for layer in machine.side(0)]
    found = [tuple(x.shape) for x in state]
    if found != wanted:
        raise fail("state", f"layers of shapes {wanted}, as the sampler and the model say", found, "init")
