r"""Expectation values ⟨ψ|A|ψ⟩/⟨ψ|ψ⟩ in a network's state, by sampling |ψ|²; and the sampler that fits."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from jax import Array
from jax.sharding import Mesh

from intertwine._checks import fail, positive_int
from intertwine.models.units import as_spins
from intertwine.quantum.energy import thermalised
from intertwine.quantum.local_energy import check_sizes, local_values
from intertwine.quantum.operator import Operator
from intertwine.sampling.estimate import Estimate, estimate
from intertwine.sampling.sharding import on_host, replicate, shard_samples

MOST_CHAINS = 64
LEAST_DRAWS = 8


def default_sampler(operator: Operator, samples: int) -> Any:
    """Metropolis chains that fit an operator and a number of samples.

    Exchanges on the lattice's bonds within zero magnetization where the operator conserves the
    magnetization, has the spin-flip symmetry and an even number of sites (the ground states of
    antiferromagnets are there; give another sampler for one that is not); single flips elsewhere. Up to 64
    chains on a CPU, a chain for every 8 samples elsewhere.

    >>> default_sampler(Operator.from_strings(4, [(1.0, {i: "X"}) for i in range(4)]), 1024).chains
    64
    """
    from intertwine.sampling.metropolis import Metropolis
    from intertwine.sampling.rules import Exchange, SingleFlip

    chains = max(1, samples // LEAST_DRAWS)
    if jax.default_backend() == "cpu":
        chains = min(MOST_CHAINS, chains)
    moves = len(operator.flips) > 0
    exchanges = moves and operator.conserves_magnetization and operator.commutes_with_spin_flip
    if exchanges and operator.size % 2 == 0:
        return Metropolis(Exchange(_bonds(operator)), chains=chains)
    return Metropolis(SingleFlip(), chains=chains)


def expect(
    operator: Operator,
    model: Any,
    samples: int = 4096,
    *,
    key: Array,
    sampler: Any = None,
    tau: float | None = None,
    mesh: Mesh | None = None,
) -> Estimate:
    """⟨operator⟩ in the state `model`, from fresh chains thermalised for it.

    samples: configurations (rounded up to a multiple of the sampler's chains). sampler: None for
    `default_sampler`. tau: an autocorrelation time known from longer chains; the error bar is never below
    the one it implies. mesh: devices over which the chains are spread, None for one. Real for a Hermitian
    operator, else complex.

    >>> import jax
    >>> from intertwine.models.mean_field import MeanField
    >>> field = Operator.from_strings(6, [(-1.0, {i: "X"}) for i in range(6)])
    >>> even = MeanField(6, scale=0.0, key=jax.random.key(0))
    >>> round(float(expect(field, even, samples=256, key=jax.random.key(1)).mean), 5)
    -6.0
    """
    samples = positive_int("samples", samples, "give the number of configurations, for example 4096")
    check_sizes(operator, model)
    model = replicate(as_spins(model), mesh)
    sampler = default_sampler(operator, samples) if sampler is None else sampler
    start_key, draw_key = jax.random.split(check_key(key))
    state = thermalised(sampler, model, key=start_key, mesh=mesh)
    draws = -(-samples // int(getattr(sampler, "chains", 1)))
    drawn, _ = sampler.sample(model, state, draws, key=draw_key)
    flat = shard_samples(drawn.configurations.reshape(-1, operator.size), mesh)
    local = on_host(local_values(operator, model, flat)).reshape(drawn.configurations.shape[:2])
    return estimate(local, drawn.weights, tau=tau, real=operator.is_hermitian)


def check_key(key: Any) -> Array:
    """`key`, or the error that says how to make one."""
    from intertwine.models.parameters import check_key as check

    return check(key)


def _bonds(operator: Operator) -> Any:
    if operator.lattice is not None:
        return operator.lattice.bonds()
    flips = np.asarray(operator.flips)
    pairs = flips[np.sum(flips < operator.size, axis=1) == 2][:, :2]
    if len(pairs) != len(flips):
        raise fail("sampler", "a sampler for this operator, which flips more than two sites at once", "None")
    return pairs
