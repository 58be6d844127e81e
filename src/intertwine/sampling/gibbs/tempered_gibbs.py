r"""Parallel tempering with block Gibbs: replicas between independent units and the model.

    p_r(x) ∝ base(x)^{1−β_r} model(x)^{β_r},      0 = β_0 < … < β_{R−1} = 1      (`models.tempered`)

Replica 0 is drawn afresh at every sweep, and swaps carry its states up (`replicas`): chains cross between
modes that block Gibbs alone never joins (Desjardins, Courville, Bengio, Vincent & Delalleau, AISTATS 2010;
Cho, Raiko & Ilin, IJCNN 2010). The ladder is adapted until all swaps are rejected equally often, which makes
round trips most frequent: with the rejections r_b of neighbours, Λ(β_b) = Σ_{b' < b} r_{b'} is interpolated
and β is read off at equal steps of Λ (Syed et al., J. R. Stat. Soc. B 84, 321, 2022). Λ(1) is the barrier of
the path: R well above Λ is needed.

As with `Gibbs`, what is sampled is p = Ψ/Z, not |Ψ|².
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike, DTypeLike
from jaxtyping import Float

from intertwine._checks import fail, positive_int
from intertwine.models.machines.layered import LayeredMachine, Layers, layered
from intertwine.models.machines.tempered import tempered_path
from intertwine.sampling.gibbs.clamped import Clamp, clamp_of
from intertwine.sampling.gibbs.replicas import (
    BetaLadder,
    Ladder,
    Replicas,
    SwapCounts,
    fresh_replicas,
    no_counts,
    tempered_sweep,
)
from intertwine.sampling.gibbs.sweeps import DEFAULT_CHAINS, as_stored
from intertwine.sampling.gibbs.watched import finished, watch_rungs
from intertwine.sampling.modes import Modes, easy_end, easy_end_over
from intertwine.sampling.protocols import Samples, Watched

ADAPT_SWEEPS = 50
"""Sweeps of the first round of adaptation; every round has twice as many as the one before."""


class TemperedState(NamedTuple):
    """Replicas (R, chains, ...), their betas (R,), and what the swaps of the last call of `sample` did.

    swap_acceptance: mean probability of the swaps of replicas (r, r+1), (R−1,); nan before the first call.
    round_trips: round trips of a chain a sweep, (); nan before. parity: the pairs that come next, int32 ().
    base: the easy end, biases or a mixture; None where the sampler says it.
    """

    replicas: Replicas
    betas: Float[Array, "R"]
    swap_acceptance: Float[Array, "pairs"]
    round_trips: Float[Array, ""]
    parity: Array
    base: Any = None


class OnRungs:
    """What samplers on a ladder share, whose last rung is the model. A subclass is a dataclass with these
    fields, and says its rungs."""

    steps: int
    chains: int | None
    burn_in: int | None

    def init(self, model: Layers, *, key: Array) -> TemperedState:
        """Fresh replicas."""
        raise NotImplementedError

    def prepared(self, model: Layers, chains: int | None = None) -> tuple[LayeredMachine, Clamp | None, int]:
        """The machine of layers, the clamp and the number of chains, all checked."""
        raise NotImplementedError

    def ladder(self, machine: LayeredMachine, state: TemperedState) -> Ladder:
        """The rungs of a state."""
        raise NotImplementedError

    def sample(
        self, model: Layers, state: TemperedState, draws: int, *, key: Array
    ) -> tuple[Samples, TemperedState]:
        """`draws` configurations of the model (β = 1) a chain, `steps` sweeps apart; acceptance is the mean
        swap acceptance."""
        draws = positive_int("draws", draws, "give the number of configurations a chain")
        machine, clamp, chains = self.prepared(model)
        check_replicas(state, machine, chains)
        return continued(self.ladder(machine, state), clamp, machine, state, draws, self.steps, key=key)

    def watch(self, model: Layers, count: int, *, key: Array) -> Watched:
        """At least `count` configurations from fresh chains, looked at in every sweep after `init`
        (`sampling.protocols`)."""
        machine, clamp, chains = self.prepared(model, count)
        sampler: Any = self if self.chains is not None else replace(self, chains=chains)  # type: ignore[type-var]
        first, rest = jax.random.split(key)
        start = sampler.init(model, key=first)
        ladder, draws = sampler.ladder(machine, start), -(-count // chains)
        found = watch_rungs(ladder, clamp, start.replicas, start.parity, rest, draws, self.steps)
        before = self.steps if self.burn_in is None else self.burn_in  # of `init`
        return finished(machine, found._replace(burn_in=before + found.burn_in))


@dataclass(frozen=True, eq=False)
class TemperedGibbs(OnRungs):
    """Parallel tempering for machines of layers (RBM, DBM): p(v) = Ψ(v)/Z.

    replicas: how many rungs R ≥ 2 the ladder has, from β = 0 to β = 1.
    steps: sweeps between draws, each after a round of swaps.
    chains: ladders side by side; None: in `it.sample` as many as configurations, but at most 100.
    burn_in: sweeps before the first draw of fresh chains, after the adaptation; None for `steps`.
    adapt: rounds of adaptation of the betas, 50 sweeps and then twice as many each; 0 for none.
    betas: the first ladder, ascending from 0 to 1; None for equal steps.
    base: visible biases (N,) of the easy end, such as `base_rate(layer, data.mean(0))`, or a bias vector for
    every layer, or a `ProductMixture`; None for a mixture over the modes that are found (`modes`), and the
    model's own biases where there is one mode only.
    clamped: as for `Gibbs`.

    Raises InputError for ladders that do not ascend from 0 to 1, and as `Gibbs` does.

    >>> from intertwine.models.machines.rbm import RBM
    >>> key = jax.random.key(0)
    >>> rbm = RBM(6, hidden=4, units="binary", key=key)
    >>> sampler = TemperedGibbs(replicas=4, steps=5, chains=8)
    >>> samples, state = sampler.sample(rbm, sampler.init(rbm, key=key), 3, key=key)
    >>> samples.configurations.shape, state.swap_acceptance.shape
    ((8, 3, 6), (3,))
    """

    replicas: int = 10
    steps: int = 100
    chains: int | None = None
    burn_in: int | None = None
    adapt: int = 4
    betas: Any = None
    base: Any = None
    clamped: Any = None

    distribution = "boltzmann"

    def __post_init__(self) -> None:
        positive_int("replicas", self.replicas, "give the number of replicas")
        if self.replicas < 2:
            raise fail("replicas", "at least 2", self.replicas, "one replica is `Gibbs`")
        positive_int("steps", self.steps, "give the number of sweeps between draws")
        if self.chains is not None:
            positive_int("chains", self.chains, "give the number of ladders, or None")
        for name in ("adapt", "burn_in"):
            value = getattr(self, name)
            if value is None and name == "burn_in":
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise fail(name, "a number ≥ 0", value)
        if self.betas is not None:
            object.__setattr__(self, "betas", checked_ladder(self.betas))
            object.__setattr__(self, "replicas", len(self.betas))

    def init(self, model: Layers, *, key: Array) -> TemperedState:
        """Fresh replicas on an adapted ladder, after `burn_in` sweeps."""
        machine, clamp, chains = self.prepared(model)
        first, search, *keys = jax.random.split(key, self.adapt + 3)
        base = easy_end(machine, search) if self.base is None else self.base
        ladder = BetaLadder(tempered_path(machine, base), self._first_betas(machine.dtype))
        replicas = fresh_replicas(ladder, clamp, chains, key=first)
        parity = jnp.zeros((), jnp.int32)
        for level in range(self.adapt):
            sweeps = ADAPT_SWEEPS * 2**level
            replicas, counts = run_ladder(ladder, clamp, replicas, parity, keys[level], sweeps)
            ladder = BetaLadder(ladder.path, adapted(ladder.betas, counts))
        count = self.steps if self.burn_in is None else self.burn_in
        replicas, _ = run_ladder(ladder, clamp, replicas, parity, keys[-1], count)
        blank = jnp.full(ladder.rungs - 1, jnp.nan, machine.dtype)
        return TemperedState(replicas, ladder.betas, blank, blank[0], parity, base)

    def from_modes(self, machine: LayeredMachine, modes: Modes | None) -> TemperedGibbs:
        """Itself, or, where it does not say its easy end, with one over the `modes` that were found."""
        return self if self.base is not None else replace(self, base=easy_end_over(machine, modes))

    def prepared(self, model: Layers, chains: int | None = None) -> tuple[LayeredMachine, Clamp | None, int]:
        """The machine of layers, the clamp and the number of chains, all checked."""
        machine = layered(model)
        count = self.chains or min(chains or DEFAULT_CHAINS, DEFAULT_CHAINS)
        return machine, clamp_of(self.clamped, machine.layers[0], count, machine.dtype), count

    def ladder(self, machine: LayeredMachine, state: TemperedState) -> BetaLadder:
        """The rungs of a state."""
        base = machine.biases if state.base is None else state.base
        return BetaLadder(tempered_path(machine, base), state.betas)

    def _first_betas(self, dtype: DTypeLike) -> Array:
        given = np.linspace(0, 1, self.replicas) if self.betas is None else self.betas
        return jnp.asarray(given, dtype)


def continued(
    ladder: Ladder,
    clamp: Clamp | None,
    machine: LayeredMachine,
    state: TemperedState,
    draws: int,
    steps: int,
    *,
    key: Array,
) -> tuple[Samples, TemperedState]:
    """`draws` configurations a chain of the last rung, `steps` sweeps apart, and the swaps' record."""
    drawn, replicas, counts = draw_ladder(
        ladder, clamp, state.replicas, state.parity, key, draws=draws, steps=steps
    )
    share = counts.accepted / jnp.maximum(counts.tried, 1)
    trips = counts.trips / (draws * steps)
    parity = (state.parity + draws * steps) % 2
    samples = Samples(as_stored(machine.layers[0], drawn), None, share.mean())
    return samples, TemperedState(replicas, state.betas, share, trips, parity, state.base)


def checked_ladder(betas: Iterable[float]) -> tuple[float, ...]:
    """Ascending numbers from 0 to 1, or the error that says so."""
    try:
        values = np.asarray(tuple(betas), np.float64)
        good = values.ndim == 1 and len(values) >= 2 and values[0] == 0 and values[-1] == 1
        good = good and bool((np.diff(values) > 0).all())
    except (TypeError, ValueError):
        good = False
    if not good:
        raise fail("betas", "ascending numbers from 0 to 1", betas, "for example (0.0, 0.5, 1.0)")
    return tuple(values.tolist())


@jax.jit
def run_ladder(
    ladder: Ladder, clamp: Clamp | None, replicas: Replicas, parity: ArrayLike, key: Array, count: ArrayLike
) -> tuple[Replicas, SwapCounts]:
    """`count` sweeps with swaps; one program for any number of them. `parity` is that of the first."""

    def step(i: Array, carry: tuple) -> tuple:
        replicas, counts = carry
        replicas, new, _ = tempered_sweep(
            ladder, clamp, replicas, (parity + i) % 2, key=jax.random.fold_in(key, i)
        )
        return replicas, jax.tree.map(lambda sum, x: sum + x.astype(sum.dtype), counts, new)

    start = (replicas, no_counts(ladder.rungs, ladder.machine.dtype))
    return jax.lax.fori_loop(0, count, step, start)


@partial(jax.jit, static_argnames=("draws", "steps"))
def draw_ladder(
    ladder: Ladder,
    clamp: Clamp | None,
    replicas: Replicas,
    parity: ArrayLike,
    key: Array,
    *,
    draws: int,
    steps: int,
) -> tuple[Array, Replicas, SwapCounts]:
    """(visible units of the hardest replica (chains, draws, N), the replicas, the counts)."""

    def draw(carry: tuple, inputs: tuple) -> tuple:
        replicas, counts = carry
        index, draw_key = inputs
        replicas, new = run_ladder(ladder, clamp, replicas, parity + index * steps, draw_key, steps)
        return (replicas, jax.tree.map(jnp.add, counts, new)), replicas.layers[0][-1]

    start = (replicas, no_counts(ladder.rungs, ladder.machine.dtype))
    inputs = (jnp.arange(draws), jax.random.split(key, draws))
    (replicas, counts), drawn = jax.lax.scan(draw, start, inputs)
    return jnp.swapaxes(drawn, 0, 1), replicas, counts


def adapted(betas: Float[Array, "R"], counts: SwapCounts) -> Float[Array, "R"]:
    """The ladder with equal rejections: β at equal steps of the barrier Λ measured by `counts`.

    Rejections are taken to be at least 0.1 % so that Λ ascends.

    >>> counts = SwapCounts(jnp.array([90.0, 10.0]), jnp.array([100.0, 100.0]), jnp.zeros(()))
    >>> adapted(jnp.array([0.0, 0.5, 1.0]), counts).round(3).tolist()         # closer where swaps fail
    [0.0, 0.722..., 1.0]
    """
    rejected = 1 - counts.accepted / jnp.maximum(counts.tried, 1)
    barrier = jnp.concatenate([jnp.zeros(1, betas.dtype), jnp.cumsum(jnp.maximum(rejected, 1e-3))])
    wanted = jnp.linspace(0, 1, betas.shape[0], dtype=betas.dtype) * barrier[-1]
    return jnp.interp(wanted, barrier, betas).at[0].set(0).at[-1].set(1)


def check_replicas(state: TemperedState, machine: LayeredMachine, chains: int) -> None:
    """Raise unless `state` has the replicas of that many chains of the machine."""
    rungs = state.betas.shape[0]
    wanted = [(rungs, chains, layer.size) for layer in machine.side(0)]
    found = [tuple(x.shape) for x in state.replicas.layers]
    if found != wanted:
        raise fail("state", f"layers of shapes {wanted}, as the sampler and the model say", found, "init")
