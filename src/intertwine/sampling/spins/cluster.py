r"""Swendsen-Wang cluster sampling of Ising, Potts and clock models on any lattice, compiled for the host.

Bonds that are satisfied are frozen, with probability 1 − e^{−2|K|} (Ising; Potts: 1 − e^{−K}), and the
connected clusters of frozen bonds take new states: an Ising cluster is turned over with probability
1/(1 + e^{2 Σ h s}), 1/2 without fields; a Potts cluster takes any state (Swendsen & Wang, Phys. Rev. Lett.
58, 86, 1987). Each half of the step keeps the joint law of spins and bonds of Edwards & Sokal (1988), so that
p(s) is invariant for pairs of any range, sign and strength, and for any fields; where bonds are frustrated or
a field is strong it is valid but slow. Clock states are reflected, s → k − s, by clusters of Wolff's
embedding (Phys. Rev. Lett. 62, 361, 1989). At T_c of the square lattice the autocorrelation time grows about
as L^0.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Int8

from intertwine._caveats import caveat
from intertwine._checks import fail, positive_int
from intertwine._keys import key_words
from intertwine.models.frustration import served_by_clusters
from intertwine.models.spins.ising import Ising
from intertwine.models.spins.potts import Clock, Potts
from intertwine.models.spins.spin_terms import linked_bonds
from intertwine.sampling.protocols import Samples

SpinModel = Ising | Potts | Clock


class ClusterState(NamedTuple):
    """Where the chains are: int8 spins ±1 or states 0 … q − 1, (chains, N)."""

    configurations: Int8[Array, "chains N"]


@dataclass(frozen=True)
class SwendsenWang:
    """Swendsen-Wang chains for an `Ising`, `Potts` (K ≥ 0) or `Clock` model: p = Ψ/Z.

    chains: how many run side by side. steps: cluster steps between draws. burn_in: steps before the first
    draw.

    The same model, state, draws and key give the same numbers, whatever the number of threads. Raises
    InputError for numbers that are not positive, and for models that clusters do not serve: terms of three
    spins or more, antiferromagnetic Potts models.

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
        check_counts(self.chains, self.steps, self.burn_in)

    def init(self, model: SpinModel, *, key: Array) -> ClusterState:
        """Fresh chains after `burn_in` steps from random spins."""
        check_clusters(model)
        spins, seeds = random_start(model, self.chains, key)
        if self.burn_in:
            spins = _drawn(model, spins, seeds, 1, self.burn_in)[:, -1]
        return ClusterState(jnp.asarray(spins))

    def caveats(self, model: SpinModel) -> tuple[str, ...]:
        """What is to be said of clusters on `model`: frustration."""
        return frustrated(model)

    def sample(
        self, model: SpinModel, state: ClusterState, draws: int, *, key: Array
    ) -> tuple[Samples, ClusterState]:
        """`draws` configurations a chain, int8 (chains, draws, N), and the chains after them."""
        check_clusters(model)
        draws = positive_int("draws", draws, "give the number of configurations a chain")
        spins = checked_chains(model, state.configurations, self.chains)
        seeds = np.random.default_rng(key_words(key)).integers(0, 2**63, self.chains, dtype=np.uint64)
        drawn = _drawn(model, spins, seeds, draws, self.steps)
        return Samples(jnp.asarray(drawn), None, jnp.ones(())), ClusterState(jnp.asarray(drawn[:, -1]))


def frustrated(model: SpinModel) -> tuple[str, ...]:
    """The caveat of clusters where the couplings frustrate; () where all is well."""
    if served_by_clusters(model):
        return ()
    words = "not all couplings and fields can be satisfied at once (frustration): clusters cover the lattice"
    reason = "without respecting its ground states, and chains can be slow without showing it"
    return (caveat("assumption", f"{words} {reason}; the heat bath is the sampler by default"),)


def check_counts(chains: object, steps: object, burn_in: object) -> None:
    """Raise InputError unless the numbers of a cluster sampler are numbers."""
    positive_int("chains", chains, "give the number of chains")
    positive_int("steps", steps, "give the number of cluster steps between draws")
    if isinstance(burn_in, bool) or not isinstance(burn_in, int | np.integer) or burn_in < 0:
        raise fail("burn_in", "a number of steps ≥ 0", burn_in)


def check_clusters(model: object) -> None:
    """Raise InputError for models that clusters do not serve."""
    if not isinstance(model, SpinModel):
        expected = "an Ising, Potts or Clock model"
        raise fail("model", expected, type(model).__name__, "Gibbs samples RBMs, Metropolis others")
    if isinstance(model, Ising) and model.multi_spin:
        remedy = "HeatBath or Metropolis sample any terms"
        raise fail("model", "pairs and fields alone", ", ".join(t.name for t in model.terms), remedy)
    if isinstance(model, Potts) and float(model.coupling) < 0:
        raise fail("model", "a Potts model with K ≥ 0", float(model.coupling), "HeatBath samples any K")


def random_start(model: SpinModel, chains: int, key: Array) -> tuple[np.ndarray, np.ndarray]:
    """Random spins int8 (chains, N), and seeds uint64 (chains,)."""
    rng = np.random.default_rng(key_words(key))
    values = np.array([-1, 1]) if isinstance(model, Ising) else np.arange(model.states)
    spins = rng.choice(values.astype(np.int8), (chains, model.size))
    return spins, rng.integers(0, 2**63, chains, dtype=np.uint64)


def checked_chains(model: SpinModel, configurations: Array, chains: int) -> np.ndarray:
    """A copy of the chains, int8 (chains, N)."""
    spins = np.array(configurations, np.int8)
    if spins.shape != (chains, model.size):
        raise fail("state", f"configurations of shape {(chains, model.size)}", spins.shape, "init")
    return spins


def fields(model: Ising) -> np.ndarray | None:
    """The field on every site, float64 (N,); None where there is none."""
    field = np.asarray(model.field, np.float64)
    return np.array(np.broadcast_to(field, model.size)) if field.any() else None


def bond_weights(model: Potts | Clock) -> np.ndarray:
    """ln Ψ of a bond by the difference of its states, float64 (q,)."""
    steps = np.arange(model.states)
    shape = np.cos(2 * np.pi * steps / model.states) if isinstance(model, Clock) else steps == 0
    return float(model.coupling) * shape.astype(np.float64)


def generators(seeds: np.ndarray) -> np.ndarray:
    """One xoshiro state per chain, uint64 (chains, 16): four words, and room, so that chains on different
    threads never write to one cache line."""
    found = np.zeros((len(seeds), 16), np.uint64)
    for row, seed in zip(found, seeds, strict=True):
        row[:4] = np.random.SeedSequence(int(seed)).generate_state(4, np.uint64)
    return found


def _drawn(model: SpinModel, spins: np.ndarray, seeds: np.ndarray, draws: int, steps: int) -> np.ndarray:
    from intertwine import _threads

    run, states = _kernel(model), generators(seeds)
    drawn = np.empty((len(spins), draws, spins.shape[1]), np.int8)

    def chains(start: int, stop: int) -> None:
        part = slice(start, stop)
        run(spins[part].copy(), states[part], drawn[part], steps)

    _threads.over_ranges(chains, len(spins))
    return drawn


def _kernel(model: SpinModel) -> Callable[..., None]:
    """The compiled steps of the model: (spins, generators, drawn, steps)."""
    from intertwine.sampling.spins import host_cluster

    if isinstance(model, Ising):
        bonds, values = model.pairs()
        bonds = np.ascontiguousarray(bonds, np.int32)
        alike = len(values) == 0 or bool((values == values[0]).all())
        K, each, field = (float(values[0]) if len(values) else 0.0), None if alike else values, fields(model)
        return lambda *rest: host_cluster.ising_steps(bonds, K, each, field, *rest)
    bonds = np.ascontiguousarray(linked_bonds(model.lattice)[0], np.int32)
    if isinstance(model, Potts):
        K, h, q = float(model.coupling), float(model.field), model.states
        return lambda *rest: host_cluster.potts_steps(bonds, K, h, q, *rest)
    weight = bond_weights(model)
    return lambda *rest: host_cluster.reflected_steps(bonds, weight, *rest)
