r"""Replicas on a ladder of machines that swap their states: the kernel of every tempered Gibbs sampler.

Replica r of a chain samples p_r ∝ e^{w_r(x)} by block Gibbs, r = 0 … R − 1 from easy to hard; neighbours
swap their states with probability

    min(1, exp{w_r(x_{r+1}) + w_{r+1}(x_r) − w_r(x_r) − w_{r+1}(x_{r+1})}),

the pairs (0, 1), (2, 3), … at even sweeps and (1, 2), (3, 4), … at odd ones (Swendsen & Wang 1986; the
alternation carries states along the ladder without a random walk: Syed, Bouchard-Côté, Deligiannidis &
Doucet, J. R. Stat. Soc. B 84, 321, 2022). With the odd side of a machine summed out, w is `log_weight`, and
its fields are those that the following draw of the odd side needs, so that a swap costs no product with W on
a path of temperatures.

A ladder is one of

    BetaLadder     p_r = p_{β_r} on the path from independent units to the model (`models.tempered`)
    ModelLadder    p_r = the r-th of several machines, such as those met along a training trajectory.

A round trip is one from the hard end to the easy end and back. States keep the number of the walker that they
belong to, so that round trips can be counted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike, DTypeLike
from jaxtyping import Float, Int

from intertwine.models.machines.layered import LayeredMachine, State, sample_layers
from intertwine.models.machines.tempered import TemperedPath
from intertwine.models.machines.unit_layer import UnitLayer
from intertwine.sampling.gibbs.clamped import Clamp

Tree = TypeVar("Tree")
Part = TypeVar("Part")


class Replicas(NamedTuple):
    """Where the replicas are, easy to hard along the first axis.

    layers: the even side, each (R, chains, n).
    came_from: 1 if the state was last at the easy end, −1 at the hard end, 0 at neither, (R, chains).
    """

    layers: State
    came_from: Int[Array, "R chains"]


class SwapCounts(NamedTuple):
    """accepted: probability of a swap of replicas (r, r+1), summed over rounds and averaged over chains,
    (R−1,). tried: rounds, (R−1,). trips: round trips that ended, a chain, ()."""

    accepted: Float[Array, "pairs"]
    tried: Float[Array, "pairs"]
    trips: Float[Array, ""]


class BetaLadder(eqx.Module):
    """p_{β_r} on a path; betas ascend, (R,)."""

    path: TemperedPath
    betas: Float[Array, "R"]

    @property
    def rungs(self) -> int:
        return self.betas.shape[0]

    @property
    def machine(self) -> LayeredMachine:
        """The hardest machine, whose layers all have."""
        return self.path.model

    def compare(self, state: State, partner: Int[Array, "R"]) -> tuple[Any, Any, State, State]:
        """(w_r(x_r), w_r(x_partner), and the odd side's fields of both), the rest (R, chains, ...)."""
        betas = self.betas[:, None]
        point = self.path.at(state)
        base, fields = point.fields
        moved = point._replace(
            own=_taken(point.own, partner),
            units=point.units[partner],
            fields=(base if self.path.mixture is None else _taken(base, partner), _taken(fields, partner)),
        )
        return (
            self.path.log_weight(point, betas),
            self.path.log_weight(moved, betas),
            self.path.fields(point, betas),
            self.path.fields(moved, betas),
        )

    def fields_below(self, odd: State) -> State:
        """The fields on the even side."""
        return self.path.fields(self.path.at(odd, side=1), self.betas[:, None])

    def layers(self, side: int) -> tuple[UnitLayer, ...]:
        """The layers of a side."""
        return self.machine.side(side)

    def start(self, chains: int, *, key: Array) -> State:
        """Exact draws of the easy end, in every replica."""
        return self.path.start((self.rungs, chains), key=key)

    def refreshed(self, state: State, clamp: Clamp | None, *, key: Array) -> State:
        """The state with the visible units of the easy end, β = 0, drawn anew from a base of several modes:
        a sweep there draws v given the label and the label given v, and never leaves a mode. Other bases are
        drawn anew by the sweep itself."""
        if self.path.mixture is None:
            return state
        mask, values = (None, None) if clamp is None else clamp
        fresh = self.path.mixture.conditional(state[0].shape[1], mask, values, key=key)
        return (state[0].at[0].set(fresh), *state[1:])


class ModelLadder(eqx.Module):
    """Machines of the same layers stacked along the first axis of every parameter, easy to hard; the first
    `count` of them are used (None: all)."""

    machines: LayeredMachine
    count: Any = None

    @property
    def rungs(self) -> int:
        return self.machines.biases[0].shape[0]

    @property
    def machine(self) -> LayeredMachine:
        return jax.tree.map(lambda x: x[-1], self.machines)

    def compare(self, state: State, partner: Int[Array, "R"]) -> tuple[Any, Any, State, State]:
        moved = _taken(state, partner)
        chains = state[0].shape[1]
        both = tuple(jnp.concatenate([x, y], axis=1) for x, y in zip(state, moved, strict=True))

        def of(machine: LayeredMachine, x: State) -> tuple[Any, State]:
            fields = machine.fields(x, 1)
            own = zip(machine.side(0), machine.biases[0::2], x, strict=True)
            linear = sum((a * b).sum(-1) - layer.base(a) for layer, b, a in own)
            other = zip(machine.side(1), fields, strict=True)
            return linear + sum(layer.log_partition(f) for layer, f in other), fields

        weight, fields = self._each(of, both)
        return (
            weight[:, :chains],
            weight[:, chains:],
            tuple(f[:, :chains] for f in fields),
            tuple(f[:, chains:] for f in fields),
        )

    def fields_below(self, odd: State) -> State:
        return self._each(lambda machine, x: machine.fields(x, 0), odd)

    def layers(self, side: int) -> tuple[UnitLayer, ...]:
        """The layers of a side, with widths for every rung (R, 1, ...)."""
        return jax.tree.map(lambda x: x[:, None], self.machines.layers[side::2])

    def start(self, chains: int, *, key: Array) -> State:
        """Units in their biases alone, in every replica."""
        layers = self.layers(0)
        keys = jax.random.split(key, len(layers))
        biases = self.machines.biases[0::2]
        return tuple(
            layer.sample(jnp.broadcast_to(b[:, None], (b.shape[0], chains, b.shape[1])), key=k)
            for layer, b, k in zip(layers, biases, keys, strict=True)
        )

    def refreshed(self, state: State, clamp: Clamp | None, *, key: Array) -> State:
        """The state as it is: no machine of a trajectory can be drawn exactly."""
        return state

    def _each(self, function: Callable[[LayeredMachine, State], Tree], state: State) -> Tree:
        """`function(machine_r, state_r)` for the rungs in use, one after another: each product is as large
        as it can be, and rungs not in use cost nothing."""
        rows = self.rungs if self.count is None else self.count

        def at(tree: Part, r: ArrayLike) -> Part:
            return jax.tree.map(lambda x: jax.lax.dynamic_index_in_dim(x, r, keepdims=False), tree)

        shapes = jax.eval_shape(lambda: function(at(self.machines, 0), at(state, 0)))
        empty = jax.tree.map(lambda x: jnp.zeros((self.rungs, *x.shape), x.dtype), shapes)

        def one(r: Array, found: Tree) -> Tree:
            new = function(at(self.machines, r), at(state, r))
            return jax.tree.map(lambda all, x: all.at[r].set(x), found, new)

        return jax.lax.fori_loop(0, rows, one, empty)


Ladder = BetaLadder | ModelLadder


def partners(rungs: int, parity: ArrayLike, used: ArrayLike | None = None) -> tuple[Int[Array, "R"], Array]:
    """(the replica that each is compared with, itself if none; whether pair (r, r+1) is tried, (R−1,)).

    used: the first rungs that take part, None for all.

    >>> partners(5, 1)[0].tolist()
    [0, 2, 1, 4, 3]
    """
    place = jnp.arange(rungs)
    count = rungs if used is None else used
    tried = ((place[:-1] - parity) % 2 == 0) & (place[1:] < count)
    none = jnp.zeros(1, bool)
    up, down = jnp.concatenate([tried, none]), jnp.concatenate([none, tried])
    return jnp.where(up, place + 1, jnp.where(down, place - 1, place)), tried


def tempered_sweep(
    ladder: Ladder, clamp: Clamp | None, replicas: Replicas, parity: ArrayLike, *, key: Array
) -> tuple[Replicas, SwapCounts, Array]:
    """Swaps of the pairs of `parity`, then a sweep of block Gibbs in every replica, and an exact draw of an
    easy end that has modes.

    Returns the replicas, what the swaps did, and w_r(x_r) after the swaps, before the sweep, (R, chains).
    """
    swap_key, up, down = jax.random.split(key, 3)
    rungs, used = ladder.rungs, getattr(ladder, "count", None)
    partner, tried = partners(rungs, parity, used)
    own, moved, own_fields, moved_fields = ladder.compare(replicas.layers, partner)
    gain = moved - own
    log_ratio = gain[:-1] + gain[1:]  # of the pair (r, r+1)
    log_u = jnp.log(jax.random.uniform(swap_key, log_ratio.shape, log_ratio.dtype))
    accept = tried[:, None] & (log_u < log_ratio)
    none = jnp.zeros((1, accept.shape[1]), bool)
    changed = jnp.concatenate([accept, none]) | jnp.concatenate([none, accept])

    def keep(new: Array, old: Array) -> Array:
        return jnp.where(changed[..., None], new, old)

    fields = tuple(keep(new, old) for new, old in zip(moved_fields, own_fields, strict=True))
    came_from = jnp.where(changed, replicas.came_from[partner], replicas.came_from)
    odd = sample_layers(ladder.layers(1), fields, key=up)
    even = sample_layers(ladder.layers(0), ladder.fields_below(odd), key=down)
    if clamp is not None:
        even = (clamp.hold(even[0]), *even[1:])
    even = ladder.refreshed(even, clamp, key=jax.random.fold_in(key, 3))
    last = rungs - 1 if used is None else used - 1
    came_from, trips = _visited(came_from, last)
    chance = jnp.where(tried[:, None], jnp.exp(jnp.minimum(log_ratio, 0)), 0).mean(1)
    counts = SwapCounts(chance, tried.astype(chance.dtype), trips)
    return Replicas(even, came_from), counts, jnp.where(changed, moved, own)


def fresh_replicas(ladder: Ladder, clamp: Clamp | None, chains: int, *, key: Array) -> Replicas:
    """Replicas before any sweep."""
    state = ladder.start(chains, key=key)
    if clamp is not None:
        state = (clamp.hold(state[0]), *state[1:])
    return Replicas(state, jnp.zeros(state[0].shape[:2], jnp.int32))


def no_counts(rungs: int, dtype: DTypeLike) -> SwapCounts:
    """Counts before the first sweep."""
    zeros = jnp.zeros(rungs - 1, dtype)
    return SwapCounts(zeros, zeros, jnp.zeros((), dtype))


def _visited(came_from: Array, last: ArrayLike) -> tuple[Array, Array]:
    """The marks after a visit of the ends, and the round trips a chain that ended at the hard one."""
    at_top = came_from[last]
    trips = (at_top == 1).mean().astype(jnp.zeros(()).dtype)
    return came_from.at[last].set(-1).at[0].set(1), trips


def _taken(tree: Tree, partner: Array) -> Tree:
    return jax.tree.map(lambda x: x[partner], tree)
