r"""The model's average from tempered chains: parallel tempering, and tempering along the training trajectory.

Persistent chains of block Gibbs sampling follow a model only while they mix. Here each of them is a ladder of
replicas that swap their states (`sampling.replicas`), from one that mixes at once up to the model, and the
replica of the model gives the negative phase. Both are methods in the sense of `methods`.

`PT`: rungs p_β ∝ base^{1−β} model^β from the model's biases alone (Desjardins et al. 2010; Cho, Raiko & Ilin
2010). The betas follow the model, so that all swaps are accepted equally often.

`TrajectoryTempering`: rungs are the model as it was earlier in training, which on structured data swap far
more easily than temperatures do, where these meet a first-order transition (Béreux, Decelle, Furtlehner,
Rosset & Seoane, "Fast training and sampling of restricted Boltzmann machines", ICLR 2025). The model is
stored when its swaps with the one stored last become rarer than `acceptance`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail, positive_int
from intertwine.boltzmann.objectives.methods import Samples
from intertwine.models.machines.layered import LayeredMachine, layered
from intertwine.models.machines.tempered import tempered_path
from intertwine.models.results import as_model
from intertwine.sampling.gibbs.replicas import (
    BetaLadder,
    ModelLadder,
    Replicas,
    SwapCounts,
    fresh_replicas,
)
from intertwine.sampling.gibbs.tempered_gibbs import adapted, checked_ladder, run_ladder

if TYPE_CHECKING:
    from intertwine.models.machines.rbm import RBM

SLIDE = 0.1
"""Weight of a new measurement in the running swap acceptances."""
DRIFT = 0.01
"""The share of the way to the ladder with equal swaps that the betas go at every update."""


class PTState(NamedTuple):
    """replicas: (R, chains, ...). betas: (R,). acceptance: running, of the swaps (r, r+1), (R−1,). parity: of
    the pairs that are tried next."""

    replicas: Replicas
    betas: Float[Array, "R"]
    acceptance: Float[Array, "pairs"]
    parity: Array


@dataclass(frozen=True)
class PT:
    """Parallel tempering: `chains` ladders of `replicas` between independent units and the model.

    steps: sweeps per batch, each with a round of swaps. betas: the ladder at the beginning, ascending from 0
    to 1; None for `replicas` equal steps. adapt: whether the betas move towards equal swap acceptances.

    The history records `swap_acceptance`, the rarest of the swaps, as a running mean.

    >>> PT(chains=50, betas=(0, 0.5, 1)).replicas
    3
    """

    chains: int = 100
    replicas: int = 10
    steps: int = 1
    betas: tuple[float, ...] | None = None
    adapt: bool = True

    def __post_init__(self) -> None:
        positive_int("chains", self.chains, "about as many as the rows of a batch")
        positive_int("steps", self.steps, "1 is usual")
        if self.betas is not None:
            object.__setattr__(self, "betas", checked_ladder(self.betas))
            object.__setattr__(self, "replicas", len(self.betas))
        if positive_int("replicas", self.replicas) < 2:
            raise fail("replicas", "at least 2", self.replicas, "one replica is PCD")

    def init(self, model: RBM, *, key: Array) -> PTState:
        """Every replica drawn from the model's biases alone."""
        machine = layered(model)
        first = jnp.linspace(0, 1, self.replicas) if self.betas is None else jnp.asarray(self.betas)
        betas = first.astype(machine.dtype)
        replicas = fresh_replicas(self._ladder(machine, betas), None, self.chains, key=key)
        ones = jnp.ones(self.replicas - 1, machine.dtype)
        return PTState(replicas, betas, ones, jnp.zeros((), jnp.int32))

    def negative(
        self, model: RBM, state: PTState, v: Array, *, key: Array
    ) -> tuple[Samples, PTState, dict[str, Array]]:
        ladder = self._ladder(layered(model), state.betas)
        replicas, counts = run_ladder(ladder, None, state.replicas, state.parity, key, self.steps)
        acceptance = slid(state.acceptance, counts)
        betas = state.betas
        if self.adapt:
            aim = adapted(betas, SwapCounts(acceptance, jnp.ones_like(acceptance), counts.trips))
            betas = betas + DRIFT * (aim - betas)
        drawn = replicas.layers[0][-1]
        samples = Samples(drawn, model.hidden_given_visible(drawn))
        after = PTState(replicas, betas, acceptance, (state.parity + self.steps) % 2)
        return samples, after, {"swap_acceptance": acceptance.min()}

    def _ladder(self, machine: LayeredMachine, betas: Array) -> BetaLadder:
        return BetaLadder(tempered_path(machine, machine.biases), betas)


class TrajectoryState(NamedTuple):
    """machines: K of them, stacked; rungs 0 (independent units) to used − 2 are stored, rung used − 1 is the
    model. replicas: (K, chains, ...). acceptance: running, of the swaps (r, r+1), (K−1,). parity: of the
    pairs that are tried next."""

    machines: LayeredMachine
    used: Array
    replicas: Replicas
    acceptance: Float[Array, "pairs"]
    parity: Array


@dataclass(frozen=True)
class TrajectoryTempering:
    """Tempering along the training trajectory.

    chains: ladders side by side. replicas: rungs at most; once they are all in use, the stored model whose
    neighbours swap most easily across it is dropped for the next one, as long as that makes the rarest swaps
    more frequent. acceptance: the model is stored when its swaps with the rung below become rarer than this.
    steps: sweeps per batch, each with a round of swaps.

    The history records `swap_acceptance`, the rarest of the swaps in use, and `rungs`, how many are in use.
    `stored_models(state, model)` gives the stored machines, `TrajectoryGibbs` samples with them.

    >>> TrajectoryTempering(chains=50).acceptance
    0.25
    """

    chains: int = 100
    replicas: int = 12
    acceptance: float = 0.25
    steps: int = 1

    def __post_init__(self) -> None:
        positive_int("chains", self.chains, "about as many as the rows of a batch")
        positive_int("steps", self.steps, "1 is usual")
        if positive_int("replicas", self.replicas) < 3:
            raise fail("replicas", "at least 3", self.replicas, "fewer are PCD")
        if not 0 < self.acceptance < 1:
            raise fail("acceptance", "a number between 0 and 1", self.acceptance, "for example 0.25")

    def init(self, model: RBM, *, key: Array) -> TrajectoryState:
        """Two rungs: independent units in the model's biases, and the model."""
        machine = layered(model)
        machines = jax.tree.map(lambda x: jnp.broadcast_to(x, (self.replicas, *x.shape)), machine)
        machines = eqx.tree_at(lambda m: m.weights, machines, tuple(w.at[0].set(0) for w in machines.weights))
        count = jnp.asarray(2, jnp.int32)
        replicas = fresh_replicas(ModelLadder(machines, count), None, self.chains, key=key)
        ones = jnp.ones(self.replicas - 1, machine.dtype)
        return TrajectoryState(machines, count, replicas, ones, jnp.zeros((), jnp.int32))

    def negative(
        self, model: RBM, state: TrajectoryState, v: Array, *, key: Array
    ) -> tuple[Samples, TrajectoryState, dict[str, Array]]:
        top = state.used - 1
        machines = jax.tree.map(lambda all, x: all.at[top].set(x), state.machines, layered(model))
        ladder = ModelLadder(machines, state.used)
        replicas, counts = run_ladder(ladder, None, state.replicas, state.parity, key, self.steps)
        acceptance = slid(state.acceptance, counts)
        drawn = jax.lax.dynamic_index_in_dim(replicas.layers[0], top, keepdims=False)
        samples = Samples(drawn, model.hidden_given_visible(drawn))
        used = jnp.arange(self.replicas - 1) < top
        scalars = {
            "swap_acceptance": jnp.where(used, acceptance, 1).min(),
            "rungs": state.used.astype(acceptance.dtype),
        }
        after = TrajectoryState(machines, state.used, replicas, acceptance, (state.parity + self.steps) % 2)
        easiest = (acceptance[:-1] * acceptance[1:]).max()  # of the swaps across one rung, were it dropped
        room = (state.used < self.replicas) | (easiest > acceptance[top - 1])
        store = room & (acceptance[top - 1] < self.acceptance)
        return samples, jax.lax.cond(store, self._stored, lambda s: s, after), scalars

    def _stored(self, state: TrajectoryState) -> TrajectoryState:
        """The model as a new rung; without room the rung that is least needed makes way."""
        rungs = self.replicas
        full = state.used == rungs
        ease = state.acceptance[:-1] * state.acceptance[1:]  # of swaps across rung 1, 2, … without it
        dropped = jnp.where(full, 1 + jnp.argmax(ease), rungs)
        place = jnp.arange(rungs)
        count = jnp.where(full, rungs - 1, state.used)
        kept = jnp.minimum(place + (place >= dropped), rungs - 1)  # the old rung of every new one
        kept = jnp.where(place < count, kept, kept[count - 1])  # the new rung starts where the last one is
        moved = jax.tree.map(lambda x: x[kept], (state.machines, state.replicas))
        pairs = jnp.arange(rungs - 1)
        later = jnp.roll(state.acceptance, -1)
        acceptance = jnp.where(pairs < dropped, state.acceptance, later)
        acceptance = jnp.where(pairs == dropped - 1, state.acceptance * later, acceptance)
        acceptance = jnp.where(full, acceptance, state.acceptance)
        acceptance = jnp.where(pairs >= count - 1, 1, acceptance)
        return TrajectoryState(moved[0], count + 1, moved[1], acceptance, state.parity)


def stored_models(state: TrajectoryState, model: RBM) -> list[Any]:
    """The machines stored along the training of `model`, first to last, without the independent units.

    >>> from intertwine.models.machines.rbm import RBM
    >>> rbm = RBM(4, hidden=3, key=jax.random.key(0))
    >>> stored_models(TrajectoryTempering(chains=2).init(rbm, key=jax.random.key(1)), rbm)
    []
    """
    model = as_model(model)
    found = []
    for rung in range(1, int(state.used) - 1):
        machine = jax.tree.map(lambda x, r=rung: x[r], state.machines)
        found.append(
            eqx.tree_at(
                lambda m: (m.visible_bias, m.hidden_bias, m.weights, m.visible_layer, m.hidden_layer),
                model,
                (*machine.biases, machine.weights[0], *machine.layers),
            )
        )
    return found


def slid(acceptance: Array, counts: SwapCounts) -> Array:
    """Running mean swap acceptances after new counts."""
    share = counts.accepted / jnp.maximum(counts.tried, 1)
    return jnp.where(counts.tried > 0, acceptance + SLIDE * (share - acceptance), acceptance)
