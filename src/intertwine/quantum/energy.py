r"""The energy as an objective: E = ⟨H⟩ over |ψ|², with its error bar and V-score.

    E = ⟨E_loc⟩,      Var = ⟨|E_loc − E|²⟩ = ⟨H²⟩ − ⟨H⟩²,      V-score = N Var / (E − E_∞)²

E_∞ is the mean energy of all states, Tr H / 2^N, the coefficient of the identity among the Pauli strings (0
for all standard Hamiltonians; also where the sampling keeps to one magnetization). Wu et al., Science 386,
296 (2024).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import Mesh

from intertwine._checks import fail, positive_int
from intertwine.learning.objective import Evaluation
from intertwine.quantum.local_energy import check_sizes, compile_ahead, local_dtype, local_values
from intertwine.quantum.operator import Operator
from intertwine.sampling.estimate import Estimate, estimate
from intertwine.sampling.sharding import on_host, shard_chains, shard_samples


class EnergyState(NamedTuple):
    """chains: the sampler's state."""

    chains: Any


@dataclass(frozen=True, eq=False)
class EnergyObjective:
    """⟨H⟩ of a wave function of spins, from `samples` configurations a step.

    operator: Hermitian. sampler: any `Sampler` of the same spins (its `chains` divide the samples: each
    chain gives ⌈samples / chains⌉ draws, so that the number is rounded up). mesh: the devices over which the
    chains are spread (`sampling.sharding.chain_mesh`), None for one.

    Raises InputError for an operator that is not Hermitian and numbers that are not positive integers.
    """

    operator: Operator
    sampler: Any
    samples: int = 1024
    mesh: Mesh | None = None
    value_name: str = field(default="energy", init=False)

    def __post_init__(self) -> None:
        if not isinstance(self.operator, Operator):
            raise fail("operator", "an Operator", self.operator, "for example intertwine.tfim(lattice)")
        positive_int("samples", self.samples, "give the configurations a step, for example 1024")
        if not self.operator.is_hermitian:
            raise fail("operator", "a Hermitian operator", repr(self.operator), "add its Hermitian conjugate")

    @property
    def draws(self) -> int:
        """Draws a chain and step."""
        return -(-self.samples // int(getattr(self.sampler, "chains", 1)))

    def placeholder(self, model: Any) -> Evaluation | None:
        """An evaluation of the shapes and types that `evaluate` gives, to compile with ahead of the first
        step; None on several devices."""
        if self.mesh is not None or not hasattr(self.sampler, "chains"):
            return None
        samples = jnp.ones((self.sampler.chains * self.draws, self.operator.size), jnp.int8)
        dtype = local_dtype(self.operator, model)
        local = jnp.zeros(samples.shape[0], dtype)
        return Evaluation(samples, local, None, estimate(np.zeros((1, 2))), {})

    def init(self, model: Any, *, key: Array) -> EnergyState:
        """Chains thermalised for `model`: as long as their energies still drift, as measured."""
        check_sizes(self.operator, model)
        if self.mesh is None:
            compile_ahead(self.operator, model)
        return EnergyState(thermalised(self.sampler, model, key=key, mesh=self.mesh))

    def evaluate(self, model: Any, state: EnergyState, *, key: Array) -> tuple[Evaluation, EnergyState]:
        """Draws, local energies, and the energy with its error bar (autocorrelation included)."""
        drawn, chains = self.sampler.sample(model, state.chains, self.draws, key=key)
        flat = shard_samples(drawn.configurations.reshape(-1, self.operator.size), self.mesh)
        local = local_values(self.operator, model, flat)
        weights = None if drawn.weights is None else drawn.weights.reshape(-1)
        shape = drawn.configurations.shape[:2]
        energy = estimate(on_host(local).reshape(shape), drawn.weights, real=True)
        scalars = {
            "acceptance": float(drawn.acceptance),
            "v_score": v_score(self.operator, energy),
        }
        return Evaluation(flat, local, weights, energy, scalars), EnergyState(chains)


def thermalised(sampler: Any, model: Any, *, key: Array, mesh: Mesh | None = None) -> Any:
    """A fresh state of `sampler` at equilibrium with `model`, spread over `mesh`; as it is for a sampler
    without chains."""
    import jax

    from intertwine.sampling.thermalise import thermalise

    if getattr(sampler, "distribution", "born") != "born":
        raise fail(
            "sampler",
            "one of |Ψ|², for a wave function",
            f"{type(sampler).__name__}, which samples p = Ψ/Z",
            "for example Metropolis(SingleFlip(), chains=64)",
        )
    init_key, run_key = jax.random.split(key)
    state = sampler.init(model, key=init_key)
    if not hasattr(sampler, "chains"):
        return state
    state = shard_chains(state, mesh, sampler.chains)
    state, _ = thermalise(sampler, model, state, key=run_key)
    return state


def infinite_temperature_energy(operator: Operator) -> float:
    """E_∞ = Tr H / 2^N: the coefficient of the identity.

    >>> infinite_temperature_energy(Operator.from_strings(2, [(0.25, {}), (1.0, {0: "Z"})]))
    0.25
    """
    identity = np.all(np.asarray(operator.diagonal_signs) == operator.size, axis=-1)
    return float(np.sum(np.real(operator.diagonal_coefficients), where=identity))


def v_score(operator: Operator, energy: Estimate) -> float:
    """N Var / (E − E_∞)²: 0 for an eigenstate; below about 10⁻³ for a good ground state."""
    distance = float(energy.mean.real) - infinite_temperature_energy(operator)
    return operator.size * (float(energy.variance) / distance / distance) if distance != 0 else float("inf")
