r"""Swendsen-Wang cluster sampling of Ising models on any lattice, compiled for the host.

Bonds that are satisfied (K s_i s_j > 0) are frozen with probability 1 − e^{−2|K|}; the connected clusters of
frozen bonds are then turned over with probability 1/(1 + e^{2hM}), M being the sum of their spins: 1/2
without a field (Swendsen & Wang, Phys. Rev. Lett. 58, 86, 1987). Each half of the step keeps the joint law of
spins and bonds of Edwards & Sokal (1988), so that p(s) is invariant for either sign of K and for any field;
where bonds are frustrated or the field is strong it is valid but slow. At T_c of the square lattice the
autocorrelation time grows about as L^0.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Int8

from intertwine._checks import fail, positive_int
from intertwine.models.ising import Ising
from intertwine.sampling.keys import key_words
from intertwine.sampling.protocols import Samples


class ClusterState(NamedTuple):
    """Where the chains are: int8 spins ±1, (chains, N)."""

    configurations: Int8[Array, "chains N"]


@dataclass(frozen=True)
class SwendsenWang:
    """Swendsen-Wang chains for an `Ising` model: p = Ψ/Z.

    chains: how many run side by side. steps: cluster steps between draws. burn_in: steps before the first
    draw.

    The same model, state, draws and key give the same numbers, whatever the number of threads. Raises
    InputError for numbers that are not positive, and for models that are not `Ising`.

    >>> import jax
    >>> from intertwine.spaces.lattices import Square
    >>> ising, sampler = Ising(Square(4, 4), K=0.4), SwendsenWang(chains=4)
    >>> state = sampler.init(ising, key=jax.random.key(0))
    >>> samples, state = sampler.sample(ising, state, 3, key=jax.random.key(1))
    >>> samples.configurations.shape
    (4, 3, 16)
    """

    chains: int = 32
    steps: int = 1
    burn_in: int = 200

    distribution = "boltzmann"

    def __post_init__(self) -> None:
        positive_int("chains", self.chains, "give the number of chains")
        positive_int("steps", self.steps, "give the number of cluster steps between draws")
        if isinstance(self.burn_in, bool) or not self.burn_in >= 0:
            raise fail("burn_in", "a number of steps ≥ 0", self.burn_in)

    def init(self, model: Ising, *, key: Array) -> ClusterState:
        """Fresh chains after `burn_in` steps from random spins."""
        _check(model)
        rng = np.random.default_rng(key_words(key))
        spins = rng.choice(np.array([-1, 1], np.int8), (self.chains, model.size))
        seeds = rng.integers(0, 2**63, self.chains, dtype=np.uint64)
        if self.burn_in:
            spins = _drawn(model, spins, seeds, 1, self.burn_in)[:, -1]
        return ClusterState(jnp.asarray(spins))

    def sample(
        self, model: Ising, state: ClusterState, draws: int, *, key: Array
    ) -> tuple[Samples, ClusterState]:
        """`draws` configurations a chain, int8 (chains, draws, N), and the chains after them."""
        _check(model)
        draws = positive_int("draws", draws, "give the number of configurations a chain")
        spins = np.array(state.configurations, np.int8)
        if spins.shape != (self.chains, model.size):
            raise fail("state", f"configurations of shape {(self.chains, model.size)}", spins.shape, "init")
        seeds = np.random.default_rng(key_words(key)).integers(0, 2**63, self.chains, dtype=np.uint64)
        drawn = _drawn(model, spins, seeds, draws, self.steps)
        return Samples(jnp.asarray(drawn), None, jnp.ones(())), ClusterState(jnp.asarray(drawn[:, -1]))


def _check(model: Any) -> None:
    if not isinstance(model, Ising):
        raise fail("model", "an Ising model", type(model).__name__, "Gibbs samples RBMs, Metropolis others")


def _drawn(model: Ising, spins: np.ndarray, seeds: np.ndarray, draws: int, steps: int) -> np.ndarray:
    from intertwine import _threads
    from intertwine.sampling.host_cluster import run

    bonds = np.ascontiguousarray(model.lattice.bonds(), np.int32)
    coupling, field = float(model.coupling), float(model.field)
    drawn = np.empty((len(spins), draws, spins.shape[1]), np.int8)
    states = _generators(seeds)

    def chains(start: int, stop: int) -> None:
        part = slice(start, stop)
        run(bonds, coupling, field, spins[part].copy(), states[part], drawn[part], steps)

    _threads.over_ranges(chains, len(spins))
    return drawn


def _generators(seeds: np.ndarray) -> np.ndarray:
    """One xoshiro state a chain, uint64 (chains, 4)."""
    return np.stack([np.random.SeedSequence(int(s)).generate_state(4, np.uint64) for s in seeds])
