"""What is taken where nothing is said, by the functions of this wing and by the settings of the command
`renormalize`, which are read without importing anything else."""

from __future__ import annotations

from typing import Any

from jaxtyping import PyTree

LEVELS, COUPLINGS, STARTS = 4, 4, 4
"""How often spins are blocked, how many even and odd families are kept, other couplings to flow from."""

SAMPLES, BINS = 40_000, 25
"""Configurations of a system that is blocked, and the batches in which they come."""

GIVEN_BINS = 50
"""Runs of configurations that were drawn before."""

CHAINS, THIN, BURN_IN = 10, 1, 200
"""Of the sampler of a spin model: chains, steps between draws, steps before the first."""

SCALING_SAMPLES = 200_000
"""Configurations of every size of finite-size scaling."""

EQUATION_SAMPLES = 20_000
"""Configurations at every coupling of the Callan-Symanzik equation."""

SIZES, SIZES_3D = (8, 12, 16, 24, 32, 48), (6, 8, 12, 16, 24)
"""Its sides, in two dimensions and in three."""

FLOW_STEPS, FLOW_CHAINS = 1000, 200
"""v → h → v of a network: steps, and configurations that flow side by side."""

TENSOR_STEPS = 40
"""Steps of tensor renormalization: the infinite lattice to 1e-12."""

SPREAD, TENSOR_SPREAD, FLOW_SPREAD = 0.1, 0.05, 0.2
"""Other starts lie between (1 − spread) K and (1 + spread) K: of sampled systems, of tensors, and of
transformations of one coupling."""


def sampler_of(model: PyTree) -> Any:
    """The sampler of a spin model where none is named.

    >>> from intertwine.models.spins.ising import Ising
    >>> from intertwine.spaces.lattices import Square
    >>> sampler_of(Ising(Square(4, 4), 0.4))
    SwendsenWang(chains=10, steps=1, burn_in=200)
    """
    from intertwine.sampling.spins.default_sampler import spin_sampler

    return spin_sampler(model, chains=CHAINS, steps=THIN, burn_in=BURN_IN)
