r"""Configurations that stand for |ψ|² of every model near one: what all stages of a step are measured on.

    ⟨f⟩ = Σ_s w_s f(s),      w_s ∝ |ψ(s)|² e^{base_s}

For exact sums over orbits base_s = ln |orbit|, and the mean is exact for every ψ. For configurations drawn
from |ψ_0|² it is −2 Re log ψ_0(s), an importance weight relative to the model that they were drawn with
(times the weight that the sampler itself gives, where it draws from another distribution). So the stages of a
Runge-Kutta step share their configurations: the error estimate sees how the velocity changes, not the chance
of new draws, and chains move on once a step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int8, PyTree

from intertwine.quantum.dynamics.blurred import blurred
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.vmc.energy import thermalised
from intertwine.quantum.vmc.local_energy import local_values, log_amplitudes
from intertwine.quantum.vmc.moves import AnyOperator
from intertwine.sampling.orbits import OrbitEnumeration
from intertwine.sampling.sharding import on_host
from intertwine.sampling.statistics.estimate import Estimate, estimate

if TYPE_CHECKING:
    from intertwine.models.protocols import LogAmplitude


_BLURRED = 2**31 - 5


class Ensemble(NamedTuple):
    """configurations: int8 (S, N). base: (S,) what is added to 2 Re log ψ in the exponent of a weight."""

    configurations: Int8[Array, "S N"]
    base: Float[Array, "S"]

    @property
    def count(self) -> int:
        """How many configurations there are."""
        return self.configurations.shape[0]


@jax.jit
def weights_of(log_amplitudes: Array, base: Array) -> Array:
    """w_s of the module, from log ψ(s): (S,), their sum is 1."""
    return jax.nn.softmax(2 * jnp.real(log_amplitudes) + base)


class Source:
    """Where ensembles come from: exact sums (`OrbitEnumeration`) or chains of a sampler.

    samples: configurations of an ensemble, None for sums. blur: the share of them of which a spin is turned
    (`blurred`).
    """

    def __init__(self, sampler: Any, samples: int | None, blur: float = 0.0):
        self.sampler, self.samples, self.blur = sampler, samples, blur
        self.exact = isinstance(sampler, OrbitEnumeration)

    def start(self, model: LogAmplitude, key: Array) -> Any:
        """Chains at equilibrium with `model`: a pytree of arrays."""
        if self.exact:
            return self.sampler.init(model, key=key)
        return thermalised(self.sampler, model, key=key)[0]

    def draws(self, samples: int) -> int:
        """Draws of a chain for `samples` configurations."""
        return -(-samples // int(getattr(self.sampler, "chains", 1)))

    def draw(self, model: LogAmplitude, chains: PyTree, key: Array) -> tuple[Ensemble, Any, float]:
        """An ensemble around `model`, the chains after it, and the share of accepted moves."""
        if self.exact:
            configurations = jnp.asarray(self.sampler.configurations)
            return Ensemble(configurations, jnp.log(jnp.asarray(self.sampler.sizes * 1.0))), chains, 1.0
        assert self.samples is not None
        drawn, chains = self.sampler.sample(model, chains, self.draws(self.samples), key=key)
        flat = drawn.configurations.reshape(-1, drawn.configurations.shape[-1])
        if self.blur:
            flat, base = blurred(model, flat, self.blur, jax.random.fold_in(key, _BLURRED))
            return Ensemble(flat, base), chains, float(drawn.acceptance)
        base = -2 * jnp.real(log_amplitudes(model, flat))
        if drawn.weights is not None:
            base = base + jnp.log(jnp.maximum(drawn.weights.reshape(-1), jnp.finfo(base.dtype).tiny))
        return Ensemble(flat, base), chains, float(drawn.acceptance)

    def measure(
        self, operators: dict[str, AnyOperator], model: LogAmplitude, chains: PyTree, samples: int, key: Array
    ) -> tuple[dict[str, Estimate], dict[str, np.ndarray], Any]:
        """⟨A⟩ of every operator in `model` over the same configurations, the local values (chains, draws) of
        each, and the chains after them. Sums over orbits are taken for operators of their symmetry, over all
        configurations for others."""
        if not self.exact:
            drawn, chains = self.sampler.sample(model, chains, self.draws(samples), key=key)
            return *_measured(operators, model, drawn.configurations, drawn.weights, False), chains
        sums, full = self.sampler, self.sampler.unfolded()
        alike = {name: _is_alike(sums, operator) for name, operator in operators.items()}
        found, local = {}, {}
        for sampler, wanted in ((sums, True), (full, False)):
            chosen = {name: operators[name] for name in operators if alike[name] == wanted}
            if chosen:
                drawn, _ = sampler.sample(model, sampler.init(model, key=key), 1, key=key)
                means, values = _measured(chosen, model, drawn.configurations, drawn.weights, True)
                found |= means
                local |= values
        return {name: found[name] for name in operators}, local, chains


def _measured(
    operators: dict[str, AnyOperator],
    model: LogAmplitude,
    configurations: Array,
    weights: Any,
    exact: bool,
) -> tuple[dict[str, Estimate], dict[str, np.ndarray]]:
    shape, flat = configurations.shape[:2], configurations.reshape(-1, configurations.shape[-1])
    local = {
        name: on_host(local_values(operator, model, flat)).reshape(shape)
        for name, operator in operators.items()
    }
    mean = _weighted if weights is not None and not exact else estimate
    found = {name: mean(values, weights, real=operators[name].is_hermitian) for name, values in local.items()}
    return found, local


def _weighted(values: np.ndarray, weights: Any, real: bool) -> Estimate:
    """The mean of draws with importance weights: its error is that of the linearised quotient, of the values
    mean + n w (x − mean)."""
    w = np.asarray(weights, np.float64)
    mean = np.sum(w * values)
    found = estimate(mean + w.size * w * (values - mean), real=real)
    return found._replace(variance=np.float64(np.sum(w * np.abs(values - mean) ** 2)))


def _is_alike(sums: OrbitEnumeration, operator: AnyOperator) -> bool:
    """Whether `operator` has the symmetry of the orbits, so that its local values are those of the whole
    orbit."""
    if sums.spin_flip and isinstance(operator, Operator) and not operator.commutes_with_spin_flip:
        return False
    return all(operator.is_invariant(row) for row in sums.permutations)
