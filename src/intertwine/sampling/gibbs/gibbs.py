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
from jax import Array

from intertwine._checks import fail, positive_int
from intertwine.models.machines.layered import LayeredMachine, Layers, State, layered
from intertwine.sampling.gibbs.clamped import Clamp, clamp_of
from intertwine.sampling.gibbs.sweeps import DEFAULT_CHAINS, as_stored, fresh_chains, run
from intertwine.sampling.gibbs.watched import finished, watch_sweeps
from intertwine.sampling.protocols import Samples, Watched


class GibbsState(NamedTuple):
    """Where the chains are: the layers of the even side, each (chains, n), the visible one first."""

    layers: State


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

    def init(self, model: Layers, *, key: Array) -> GibbsState:
        """Fresh chains after `burn_in` sweeps."""
        machine, clamp, chains = self.prepared(model)
        first, second = jax.random.split(key)
        state = self.fresh(machine, clamp, chains, key=first)
        count = self.steps if self.burn_in is None else int(self.burn_in)
        return GibbsState(run(machine, clamp, state, second, count)) if count else GibbsState(state)

    def sample(
        self, model: Layers, state: GibbsState, draws: int, *, key: Array
    ) -> tuple[Samples, GibbsState]:
        """`draws` configurations a chain, `steps` sweeps apart: int8 (chains, draws, N) for discrete units,
        else of the model's type."""
        draws = positive_int("draws", draws, "give the number of configurations a chain")
        machine, clamp, chains = self.prepared(model)
        check_chains(state.layers, machine, chains)
        drawn, last = _draws(machine, clamp, state.layers, key, draws=draws, steps=self.steps)
        return Samples(as_stored(machine.layers[0], drawn), None, jnp.ones(())), GibbsState(last)

    def watch(self, model: Layers, count: int, *, key: Array) -> Watched:
        """At least `count` configurations from fresh chains, looked at in every sweep."""
        machine, clamp, chains = self.prepared(model, count)
        first, rest = jax.random.split(key)
        state = self.fresh(machine, clamp, chains, key=first)
        burn_in = self.steps if self.burn_in is None else self.burn_in
        return finished(
            machine, watch_sweeps(machine, clamp, state, rest, -(-count // chains), burn_in, self.steps)
        )

    def prepared(self, model: Layers, chains: int | None = None) -> tuple[LayeredMachine, Clamp | None, int]:
        """The machine of layers, the clamp and the number of chains, all checked."""
        machine = layered(model)
        count = self.chains or chains or DEFAULT_CHAINS
        return machine, clamp_of(self.clamped, machine.layers[0], count, machine.dtype), count

    def fresh(self, machine: LayeredMachine, clamp: Clamp | None, chains: int, *, key: Array) -> State:
        """The even side of `chains` chains before any sweep."""
        return fresh_chains(machine, clamp, (chains,), self.start, key=key)


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


def check_chains(state: State, machine: LayeredMachine, chains: int) -> None:
    """Raise unless `state` is the even side of that many chains of the machine."""
    wanted = [(chains, layer.size) for layer in machine.side(0)]
    found = [tuple(x.shape) for x in state]
    if found != wanted:
        raise fail("state", f"layers of shapes {wanted}, as the sampler and the model say", found, "init")
