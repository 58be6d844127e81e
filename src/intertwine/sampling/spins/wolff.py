r"""Wolff's single-cluster sampling of Ising, Potts and clock models, compiled for the host.

From a random site a cluster is grown along satisfied bonds, each joined with the probability at which
Swendsen and Wang freeze it, and is turned over as a whole (Wolff, Phys. Rev. Lett. 62, 361, 1989): large
clusters are found in proportion to their size, so that at a critical point less time goes into small ones.
Potts and clock states are reflected, s → k − s (mod q) with a random k. In a field a cluster is turned with
probability 1/(1 + e^{2 Σ h s}).

A step is as many clusters as turn about N sites: N over the mean size of clusters, measured once, in the
burn-in, and fixed from then on. To stop when N sites have been turned would stop preferably after large
clusters, and bias what is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Int8, Int32

from intertwine._checks import fail, positive_int
from intertwine._keys import key_words
from intertwine.models.spins.ising import Ising
from intertwine.models.spins.potts import Potts
from intertwine.models.spins.term_tables import pair_table
from intertwine.sampling.protocols import Samples
from intertwine.sampling.spins.cluster import (
    SpinModel,
    bond_weights,
    check_clusters,
    check_counts,
    checked_chains,
    fields,
    frustrated,
    generators,
    random_start,
)


class WolffState(NamedTuple):
    """configurations: int8 spins ±1 or states, (chains, N). clusters: how many make a step."""

    configurations: Int8[Array, "chains N"]
    clusters: Int32[Array, ""]


@dataclass(frozen=True)
class Wolff:
    """Wolff chains for an `Ising`, `Potts` (K ≥ 0, no field) or `Clock` model: p = Ψ/Z.

    chains: how many run side by side. steps: steps between draws, each of about N turned sites. burn_in:
    steps before the first draw. clusters: how many make a step; None: measured in the burn-in.

    The same model, state, draws and key give the same numbers, whatever the number of threads. Raises
    InputError for numbers that are not positive, and for models that clusters do not serve.

    >>> import jax
    >>> from intertwine.spaces.lattices import Square
    >>> ising, sampler = Ising(Square(4, 4), K=0.4), Wolff(chains=4)
    >>> state = sampler.init(ising, key=jax.random.key(0))
    >>> samples, state = sampler.sample(ising, state, 3, key=jax.random.key(1))
    >>> samples.configurations.shape, int(state.clusters) >= 1
    ((4, 3, 16), True)
    """

    chains: int = 32
    steps: int = 1
    burn_in: int = 200
    clusters: int | None = None

    distribution = "boltzmann"

    def __post_init__(self) -> None:
        check_counts(self.chains, self.steps, self.burn_in)
        if self.clusters is not None:
            positive_int("clusters", self.clusters, "give how many clusters make a step")
        elif self.burn_in == 0:
            raise fail(
                "burn_in", "at least one step, in which the clusters are measured", 0, "or give clusters"
            )

    def init(self, model: SpinModel, *, key: Array) -> WolffState:
        """Fresh chains after `burn_in` steps from random spins."""
        _check(model)
        spins, seeds = random_start(model, self.chains, key)
        states, run = generators(seeds), _kernel(model)
        clusters = 1 if self.clusters is None else self.clusters
        done = 0
        while done < self.burn_in:  # in stages twice as long, the clusters of each from the one before
            length = min(max(done, 1), self.burn_in - done)
            spins, size = _advanced(run, spins, states, 1, length * clusters)
            spins, done = spins[:, -1], done + length
            if self.clusters is None:
                clusters = max(1, round(model.size / size))
        return WolffState(jnp.asarray(spins), jnp.asarray(clusters, jnp.int32))

    def caveats(self, model: SpinModel) -> tuple[str, ...]:
        """What is to be said of clusters on `model`: frustration."""
        return frustrated(model)

    def sample(
        self, model: SpinModel, state: WolffState, draws: int, *, key: Array
    ) -> tuple[Samples, WolffState]:
        """`draws` configurations a chain, int8 (chains, draws, N), and the chains after them."""
        _check(model)
        draws = positive_int("draws", draws, "give the number of configurations a chain")
        spins = checked_chains(model, state.configurations, self.chains)
        seeds = np.random.default_rng(key_words(key)).integers(0, 2**63, self.chains, dtype=np.uint64)
        count = self.steps * int(state.clusters)
        drawn, _ = _advanced(_kernel(model), spins, generators(seeds), draws, count)
        last = WolffState(jnp.asarray(drawn[:, -1]), state.clusters)
        return Samples(jnp.asarray(drawn), None, jnp.ones(())), last


def _check(model: SpinModel) -> None:
    check_clusters(model)
    if isinstance(model, Potts) and float(model.field):
        raise fail("model", "a Potts model without a field", float(model.field), "SwendsenWang samples it")


def _advanced(
    run: Callable[..., None], spins: np.ndarray, states: np.ndarray, draws: int, clusters: int
) -> tuple[np.ndarray, float]:
    """Configurations `clusters` clusters apart (chains, draws, N), and the mean size of a cluster."""
    from intertwine import _threads

    drawn = np.empty((len(spins), draws, spins.shape[1]), np.int8)
    turned = np.empty(len(spins))

    def chains(start: int, stop: int) -> None:
        part = slice(start, stop)
        run(spins[part].copy(), states[part], drawn[part], clusters, turned[part])

    _threads.over_ranges(chains, len(spins))
    return drawn, float(turned.sum()) / (len(spins) * draws * clusters)


def _kernel(model: SpinModel) -> Callable[..., None]:
    """The compiled clusters of the model: (spins, generators, drawn, clusters, turned)."""
    from intertwine.sampling.spins import host_cluster

    if not isinstance(model, Ising):
        near, weight = pair_table(model.lattice)[0], bond_weights(model)
        return lambda *rest: host_cluster.reflected_clusters(near, weight, *rest)
    values = model.pairs()[1]
    near, numbers = pair_table(model.lattice, model.pair_families)
    alike = len(values) == 0 or bool((values == values[0]).all())
    each = None if alike else np.append(values, 0.0)[numbers]
    K, field = (float(values[0]) if len(values) else 0.0), fields(model)
    return lambda *rest: host_cluster.ising_clusters(near, K, each, field, *rest)
