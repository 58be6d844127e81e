r"""The energy as an objective: E = ⟨H⟩ over |ψ|², with its error bar and V-score.

    E = ⟨E_loc⟩,      Var = ⟨|E_loc − E|²⟩ = ⟨H²⟩ − ⟨H⟩²,      V-score = N Var / (E − E_∞)²

E_∞ is the mean energy of all states (`centre`): of spins ½ Tr H / 2^N, the coefficient of the identity among
the Pauli strings (0 for all standard Hamiltonians; also where the sampling keeps to one magnetization). Wu et
al., Science 386, 296 (2024).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import Mesh

from intertwine._caveats import caveat
from intertwine._checks import fail, positive_int
from intertwine.learning.guard import LOWEST_ACCEPTANCE
from intertwine.learning.objective import Evaluation
from intertwine.quantum.confined import check_keeps_numbers, check_modes, confined
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.operators.traceless import traceless
from intertwine.quantum.vmc.centre import infinite_temperature_energy
from intertwine.quantum.vmc.local_energy import (
    check_sizes,
    compile_ahead,
    local_dtype,
    local_values,
    of_orbit_rows,
    of_orbits,
)
from intertwine.quantum.vmc.moves import AnyOperator, check_operator
from intertwine.sampling.orbits import OrbitEnumeration
from intertwine.sampling.protocols import DrawsIndependently
from intertwine.sampling.sharding import on_host, shard_chains, shard_samples
from intertwine.sampling.space import magnetizations
from intertwine.sampling.statistics.estimate import Estimate, estimate

if TYPE_CHECKING:
    from intertwine.models.protocols import LogAmplitude
    from intertwine.sampling.protocols import Sampler

HEAVY_TAILS = 50.0
"""Kurtosis above which tails are called heavy; 3 for a normal distribution."""
UNCERTAIN_ERROR = 0.5
"""Relative error of the variance above which that is told."""
ROUNDING = 1e-7
"""Of energies, over the sum of the couplings' moduli, the identity's left out."""


_MOST_SEEN = 4


class EnergyState(NamedTuple):
    """chains: the sampler's state."""

    chains: Any


@dataclass(frozen=True, eq=False)
class EnergyObjective:
    """⟨H⟩ of a wave function of spins, from `samples` configurations a step.

    operator: Hermitian; where the sampler keeps to one magnetization, P H P with the projector P onto it.
    sampler: any `Sampler` of the same spins (its `chains` divide the samples: each
    chain gives ⌈samples / chains⌉ draws, so that the number is rounded up). mesh: the devices over which the
    chains are spread (`sampling.sharding.chain_mesh`), None for one. chunk: the most
    configurations that the model is evaluated on at once in local energies, None for as many as it likes.

    Raises InputError for an operator that is not Hermitian and numbers that are not positive integers.
    """

    operator: AnyOperator
    sampler: Any
    samples: int = 1024
    mesh: Mesh | None = None
    chunk: int | None = None
    value_name: str = field(default="energy", init=False)
    varying: AnyOperator = field(init=False)
    constant: Any = field(init=False)

    def __post_init__(self) -> None:
        check_operator(self.operator)
        positive_int("samples", self.samples, "give the configurations a step, for example 1024")
        if not self.operator.is_hermitian:
            raise fail("operator", "a Hermitian operator", repr(self.operator), "add its Hermitian conjugate")
        hilbert = getattr(self.sampler, "hilbert", None)
        if hilbert is not None:
            check_modes(self.operator, hilbert)
            check_keeps_numbers(self.operator, hilbert)
        inside = confined(self.operator, magnetizations(self.sampler, self.operator.size), hilbert)
        object.__setattr__(self, "operator", inside)
        varying, constant = traceless(inside)
        object.__setattr__(self, "varying", varying)
        object.__setattr__(self, "constant", constant)

    @property
    def draws(self) -> int:
        """Draws a chain and step."""
        return -(-self.samples // int(getattr(self.sampler, "chains", 1)))

    @cached_property
    def _connected(self) -> Array | None:
        """The orbits that the operator leads to, where the sampler goes through all of them; else None."""
        if not isinstance(self.sampler, OrbitEnumeration) or self.mesh is not None:
            return None
        if self.sampler.hilbert is not None:
            return None
        assert isinstance(self.varying, Operator)
        return jnp.asarray(self.sampler.connected(np.asarray(self.varying.flips)))

    @cached_property
    def _orbit_rows(self) -> tuple[Array, Array, Array] | None:
        """The same in a Hilbert space: (diagonal (n,), elements (n, K), orbits (n, K))."""
        if self.mesh is not None or getattr(self.sampler, "hilbert", None) is None:
            return None
        if not isinstance(self.sampler, OrbitEnumeration):
            return None
        rows = self.varying.host_rows(self.sampler.configurations)
        diagonal = next(rows)[0]
        elements, orbits = [np.zeros_like(diagonal)], [np.zeros(len(diagonal), np.int32)]
        for values, others in rows:
            assert others is not None
            found = self.sampler.orbits_of(others)
            elements.append(np.where(found >= 0, values, 0))
            orbits.append(np.maximum(found, 0))
        return jnp.asarray(diagonal), jnp.asarray(np.stack(elements, 1)), jnp.asarray(np.stack(orbits, 1))

    def placeholder(self, model: LogAmplitude) -> Evaluation | None:
        """An evaluation of the shapes and types that `evaluate` gives, to compile with ahead of the first
        step; None on several devices."""
        if self.mesh is not None or not hasattr(self.sampler, "chains"):
            return None
        samples = jnp.ones((self.sampler.chains * self.draws, self.operator.size), jnp.int8)
        dtype = local_dtype(self.varying, model)
        local = jnp.zeros(samples.shape[0], dtype)
        return Evaluation(samples, local, None, estimate(np.zeros((1, 2))), {})

    @property
    def bound(self) -> float:
        """Σ |c| over the Pauli strings, or what bounds another operator: no state has an energy of larger
        modulus."""
        return self.operator.bound

    def causes(self, model: LogAmplitude) -> tuple[str, ...]:
        """Caveats that explain why a search with `model` fails: it excludes the ground state."""
        from intertwine.quantum.defaults import cannot_represent

        return cannot_represent(self.operator, model)

    def init(self, model: LogAmplitude, *, key: Array) -> EnergyState:
        """Chains thermalised for `model`: as long as their energies still drift, as measured."""
        check_sizes(self.operator, model)
        if self.mesh is None:
            compile_ahead(self.varying, model)
        chains, _ = thermalised(self.sampler, model, key=key, mesh=self.mesh)
        return EnergyState(chains)

    def evaluate(
        self, model: LogAmplitude, state: EnergyState, *, key: Array
    ) -> tuple[Evaluation, EnergyState]:
        """Draws, local energies, and the energy with its error bar (autocorrelation included)."""
        drawn, chains = self.sampler.sample(model, state.chains, self.draws, key=key)
        flat = shard_samples(drawn.configurations.reshape(-1, self.operator.size), self.mesh)
        positive = model.kind == "real"  # ψ > 0, so |ψ| has all its symmetry
        if positive and self._orbit_rows is not None:
            local = of_orbit_rows(model, flat, *self._orbit_rows)
        elif positive and self._connected is not None:
            local = of_orbits(self.varying, model, flat, self._connected)
        else:
            local = local_values(self.varying, model, flat, most=self.chunk)
        weights = None if drawn.weights is None else drawn.weights.reshape(-1)
        shape = drawn.configurations.shape[:2]
        alone = isinstance(self.sampler, DrawsIndependently)
        values = on_host(local).reshape(shape)
        energy = estimate(values, drawn.weights, real=True, independent=alone) + self.constant
        scalars = {
            "acceptance": float(drawn.acceptance),
            "v_score": v_score(self.operator, energy),
        }
        if not np.isfinite(energy.mean):
            scalars["lost_amplitudes"] = lost_amplitudes(model, flat)
        elif scalars["acceptance"] < LOWEST_ACCEPTANCE:
            scalars["settled"] = float(is_settled(self.operator, model, flat, float(energy.mean)))
        return Evaluation(flat, local, weights, energy, scalars), EnergyState(chains)


def thermalised(
    sampler: Sampler, model: LogAmplitude, *, key: Array, mesh: Mesh | None = None
) -> tuple[Any, tuple[str, ...]]:
    """A fresh state of `sampler` at equilibrium with `model`, spread over `mesh` (as it is for a sampler
    without chains), and the caveat of chains that did not get there.
    """
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
    chains = getattr(sampler, "chains", None)
    if chains is None:
        return state, ()
    state = shard_chains(state, mesh, chains)
    state, report = thermalise(sampler, model, state, key=run_key, warn=False)
    if report.converged:
        return state, ()
    words = f"the chains began {report}; take longer sweeps, or ParallelTempering"
    return state, (caveat("not-converged", words),)


def qualified(found: Estimate, local: np.ndarray, weights: Array | None = None) -> Estimate:
    """An estimate from local values (chains, draws) with what its numbers do not show: chains that cannot be
    compared, and tails so heavy that the error bar is itself uncertain, which is widened.

    The variance of n values of kurtosis κ has the relative error √(κ/n), skewed so that most samples show too
    little of it: where κ is large, it is taken to be higher by twice that.
    """
    values = np.real(np.asarray(local))
    if weights is not None or not np.isfinite(values).all():
        return found
    notes = []
    if values.shape[0] == 1:
        words = "one chain has no R-hat: it may have stayed in a part of the configurations"
        notes.append(caveat("unjudged", f"{words}; take several chains"))
    elif values.shape[1] < 4 and np.isnan(found.r_hat):
        words = f"chains of {values.shape[1]} draws have no R-hat: whether they agree is not known"
        notes.append(caveat("unjudged", f"{words}; take more samples"))
    deviations = values - values.mean()
    variance = float(np.mean(deviations**2))
    if not variance > 0:
        return found.noted(notes)
    kurtosis = float(np.mean(deviations**4)) / variance**2
    spread = float(np.sqrt(kurtosis / values.size))
    if kurtosis > HEAVY_TAILS:
        wider = float(np.sqrt(1 + 2 * spread))
        found = found._replace(error=found.error * wider).noted(found.notes)
        if spread > UNCERTAIN_ERROR:
            words = f"the local values have heavy tails (kurtosis {kurtosis:.3g} over {values.size} samples)"
            reason = f"the error bar, widened by {wider:.2g}, is itself uncertain"
            notes.append(caveat("untrusted", f"{words}: {reason}; take more samples"))
    return found.noted(notes)


def lost_amplitudes(model: LogAmplitude, configurations: Array) -> float:
    """How many of the configurations (S, N) have a log ψ that is not a finite number."""
    values = on_host(_log_psi(model, configurations))
    return float(np.count_nonzero(~np.isfinite(values)))


@jax.jit
def _log_psi(model: LogAmplitude, configurations: Array) -> Any:
    """log ψ of the configurations (S, N)."""
    return jax.vmap(model)(configurations)


def is_settled(operator: AnyOperator, model: LogAmplitude, configurations: Array, energy: float) -> bool:
    r"""Whether a state whose chains hardly move is nearly an eigenstate, such as a product state, not a spike
    in the wrong place.

    For the configurations s that were met, the residual Σ_{s'} |((H − E) ψ)(s')|² / |ψ(s)|² over all s' that
    H joins to s, also those that no chain has met, must be small against (E − E_∞)²/N: a V-score of 0.1.
    """
    seen, counts = np.unique(on_host(configurations), axis=0, return_counts=True)
    operator, constant = traceless(operator)
    energy -= float(np.real(constant))
    scale = energy**2 / operator.size
    for s in seen[np.argsort(-counts, kind="stable")[:_MOST_SEEN]]:
        joined, elements = operator.connected(jnp.asarray(s))
        if not np.any(np.asarray(elements)[1:]):  # a basis state that H does not leave
            continue
        ratios = jnp.exp(jax.vmap(model)(joined) - model(jnp.asarray(s)))
        residuals = jnp.abs(local_values(operator, model, joined) - energy) * jnp.abs(ratios)
        if not float(jnp.sum(residuals**2)) <= 0.1 * scale:  # also where it is not a number
            return False
    return True


def v_score(operator: AnyOperator, energy: Estimate) -> float:
    """N Var / (E − E_∞)²: 0 for an eigenstate; below about 10⁻³ for a good ground state. At E = E_∞ it is
    inf, unless Var is 0 to rounding, as it is for a constant."""
    centre = infinite_temperature_energy(operator)
    distance = float(energy.mean.real) - centre
    couplings = max(operator.bound - abs(centre), 0.0)
    rounding = ROUNDING * couplings + 4 * float(np.spacing(abs(centre)))
    if abs(distance) <= rounding and float(energy.variance) <= rounding**2:
        return 0.0
    return operator.size * (float(energy.variance) / distance / distance) if distance != 0 else float("inf")
