r"""Heat bath of spin models: spins drawn anew from their conditional distributions, colour after colour.

    p(s_i | rest) = Ψ(s_i, rest) / Σ_{s'} Ψ(s', rest),      for an Ising spin 1/(1 + e^{−2 f_i s_i}),

f_i being the local field (Glauber 1963; Creutz 1980 for the name). Every update leaves p invariant, and so
does a sweep, whatever the order; at T_c the autocorrelation time grows as L^2.17.

Three paths with one law:

    packed, host   Ising with couplings of one size |K_ij| (±J too) and at most 7 neighbours a site, on any
                   lattice with any colouring, and few different fields: 64 systems in a word, with
                   independent random bits for each (`packed_plan`, `host_packed`)
    packed, JAX    the same, 32 systems in a word (`jax_packed`), for accelerators
    single         Ising with other couplings, farther pairs and larger terms, Potts and clock models: a site
                   after another on the host (`host_local_spins`)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int8, Int64

from intertwine._checks import fail, one_of, positive_int
from intertwine._keys import key_words
from intertwine.models.spins.ising import Ising
from intertwine.models.spins.potts import Clock, Potts
from intertwine.sampling.protocols import Samples
from intertwine.sampling.spins.packed_plan import PackedPlan, packed_plan
from intertwine.sampling.spins.packed_systems import packed_draws, packed_sums

Spins = Ising | Potts | Clock


class HeatBathState(NamedTuple):
    """Where the chains are: int8 spins ±1, or states 0 … q − 1, (chains, N)."""

    configurations: Int8[Array, "chains N"]


class SpinSums(NamedTuple):
    """What was summed over the lattice at every draw.

    log_weight: ln Ψ, float64 (chains, draws); without a field the energy is −ln Ψ/K. magnetization: Σ_i s_i,
    int64 (chains, draws).
    """

    log_weight: Float[np.ndarray, "chains draws"]
    magnetization: Int64[np.ndarray, "chains draws"]


@dataclass(frozen=True)
class HeatBath:
    """Heat-bath chains of an `Ising`, `Potts` or `Clock` model: p = Ψ/Z.

    chains: how many systems; whole words of 64 (32 in JAX) are worth their time. steps: sweeps of all sites
    between draws. burn_in: sweeps before the first draw. backend: "host", "jax", or "auto": JAX on an
    accelerator where the model can be packed, else the host.

    The same model, state, draws and key give the same numbers, whatever the number of threads. Acceptance
    probabilities are exact to 2^−53 on the host and 2^−33 in JAX. Raises InputError for numbers that are not
    positive, other models, and backend "jax" with a model that cannot be packed.

    >>> from intertwine.spaces.lattices import Triangular
    >>> ising, sampler = Ising(Triangular(6, 6), K=0.25), HeatBath(chains=64, steps=5)
    >>> state = sampler.init(ising, key=jax.random.key(0))
    >>> samples, state = sampler.sample(ising, state, 3, key=jax.random.key(1))
    >>> samples.configurations.shape
    (64, 3, 36)
    """

    chains: int = 64
    steps: int = 1
    burn_in: int = 1000
    backend: str = "auto"

    distribution = "boltzmann"

    def __post_init__(self) -> None:
        positive_int("chains", self.chains, "give the number of chains")
        positive_int("steps", self.steps, "give the number of sweeps between draws")
        if isinstance(self.burn_in, bool) or not isinstance(self.burn_in, int) or self.burn_in < 0:
            raise fail("burn_in", "a number of sweeps ≥ 0", self.burn_in)
        one_of("backend", self.backend, ("auto", "host", "jax"))

    def init(self, model: Spins, *, key: Array) -> HeatBathState:
        """Fresh chains after `burn_in` sweeps from random configurations."""
        check_spins(model)
        start, run = jax.random.split(key)
        rng = np.random.default_rng(key_words(start))
        if isinstance(model, Ising):
            spins = rng.choice(np.array([-1, 1], np.int8), (self.chains, model.size))
        else:
            spins = rng.integers(0, model.states, (self.chains, model.size), dtype=np.int8)
        state = HeatBathState(jnp.asarray(spins))
        if not self.burn_in:
            return state
        return self._continued(model, state, 1, self.burn_in, run)[1]

    def sample(
        self, model: Spins, state: HeatBathState, draws: int, *, key: Array
    ) -> tuple[Samples, HeatBathState]:
        """`draws` configurations a chain, int8 (chains, draws, N), and the chains after them."""
        drawn, state = self._continued(model, state, draws, self.steps, key)
        return Samples(drawn, None, jnp.ones(())), state

    def sums(
        self, model: Ising, state: HeatBathState, draws: int, *, key: Array
    ) -> tuple[SpinSums, HeatBathState]:
        """ln Ψ and Σ_i s_i of `draws` configurations a chain, which are not kept; always on the host.

        Raises InputError for models that cannot be packed.

        >>> from intertwine.spaces.lattices import Square
        >>> ising, sampler = Ising(Square(8, 8), K=0.4), HeatBath(burn_in=100)
        >>> state = sampler.init(ising, key=jax.random.key(0))
        >>> sums, state = sampler.sums(ising, state, 100, key=jax.random.key(1))
        >>> sums.log_weight.shape, bool(abs(sums.magnetization).max() <= 64)
        ((64, 100), True)
        """
        check_spins(model)
        found = packed_plan(model)
        if found is None:
            raise fail("model", PACKED, type(model).__name__, "sample, and sum over the configurations")
        draws = positive_int("draws", draws, "give the number of configurations a chain")
        spins = self._checked(model, state)
        rng = np.random.default_rng(key_words(key))
        log_weight, magnetization, spins = packed_sums(*found, spins, draws, self.steps, rng)
        return SpinSums(log_weight, magnetization), HeatBathState(jnp.asarray(spins))

    def _continued(
        self, model: Spins, state: HeatBathState, draws: int, steps: int, key: Array
    ) -> tuple[Array, HeatBathState]:
        check_spins(model)
        draws = positive_int("draws", draws, "give the number of configurations a chain")
        spins = self._checked(model, state)
        found = packed_plan(model)
        if self.backend == "jax" and found is None:
            raise fail("model", PACKED, type(model).__name__, 'use backend="host"')
        if found is None:
            from intertwine.sampling.spins.local_spins import local_draws

            drawn = local_draws(model, spins, draws, steps, key)
        elif self.backend == "jax" or (self.backend == "auto" and _suits_jax(found[0])):
            from intertwine.sampling.spins.jax_packed import packed_draws_jax

            drawn = packed_draws_jax(*found, model.lattice, spins, draws, steps, key)
        else:
            drawn = packed_draws(*found, spins, draws, steps, np.random.default_rng(key_words(key)))
        drawn = jnp.asarray(drawn)
        return drawn, HeatBathState(drawn[:, -1])

    def _checked(self, model: Spins, state: HeatBathState) -> np.ndarray:
        spins = np.asarray(state.configurations, np.int8)
        if spins.shape != (self.chains, model.size):
            raise fail("state", f"configurations of shape {(self.chains, model.size)}", spins.shape, "init")
        return spins


PACKED = "an Ising model with couplings of one size |K|, at most 7 neighbours a site and few different fields"


def _suits_jax(plan: PackedPlan) -> bool:
    """Whether an accelerator is there, and the classes are few: each is compiled."""
    return jax.default_backend() != "cpu" and len(plan.starts) <= 16


def check_spins(model: object) -> None:
    """Raise unless `model` is a model of spins on a lattice."""
    if not isinstance(model, Spins):
        remedy = "Gibbs samples RBMs, Metropolis others"
        raise fail("model", "an Ising, Potts or Clock model", type(model).__name__, remedy)
