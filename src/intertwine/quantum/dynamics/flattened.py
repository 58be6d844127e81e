r"""Chains of a flattened distribution, |ψ|^{2p} with 0 < p < 1, and the weights that make up for it.

    ⟨f⟩ = Σ_s |ψ(s)|^{2(1−p)} f(s) / Σ_s |ψ(s)|^{2(1−p)}          s drawn from |ψ|^{2p}

Where ψ is near zero at configurations that H leads to (all of them but one, near |↑…↑⟩), chains of |ψ|² never
meet them: their local values, large and rare, are what the velocity is made of. The flattened chains do.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Num, PyTree, Shaped

from intertwine._checks import fail
from intertwine.models.protocols import Kind
from intertwine.models.units import as_spins
from intertwine.quantum.vmc.local_energy import log_amplitudes
from intertwine.sampling.metropolis.metropolis import Metropolis
from intertwine.sampling.protocols import Samples


class Power(eqx.Module):
    """ψ^p of a model: p log ψ(s)."""

    model: Any
    power: float = eqx.field(static=True)

    @property
    def size(self) -> int:
        """The number of sites N."""
        return self.model.size

    @property
    def kind(self) -> Kind:
        return self.model.kind

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """p log ψ of one configuration (N,) of spins ±1."""
        return self.power * self.model(s)


class Flattened:
    """`sampler` (Metropolis) drawing from |ψ|^{2 power}; its samples have weights.

    Raises InputError for a power that is not between 0 and 1.

    >>> from intertwine.sampling.metropolis.rules import SingleFlip
    >>> Flattened(Metropolis(SingleFlip(), chains=8), 0.3).chains
    8
    """

    def __init__(self, sampler: Metropolis, power: float):
        if not isinstance(sampler, Metropolis):
            raise fail("sampler", "a Metropolis sampler to flatten", sampler)
        if isinstance(power, bool) or not 0 < power < 1:
            raise fail("flatten", "a number between 0 and 1", power, "for example 0.3; None for |ψ|² itself")
        self.sampler, self.power = sampler, float(power)
        self.chains, self.rule, self.magnetization = sampler.chains, sampler.rule, sampler.magnetization

    def init(self, model: PyTree, *, key: Array) -> Any:
        """Random configurations."""
        return self.sampler.init(Power(as_spins(model), self.power), key=key)

    def sample(self, model: PyTree, state: PyTree, draws: int, *, key: Array) -> tuple[Samples, Any]:
        """(chains, draws, N) and their weights (chains, draws), of sum 1."""
        model = as_spins(model)
        drawn, state = self.sampler.sample(Power(model, self.power), state, draws, key=key)
        flat = drawn.configurations.reshape(-1, drawn.configurations.shape[-1])
        logs = 2 * (1 - self.power) * jnp.real(log_amplitudes(model, flat))
        return drawn._replace(weights=jax.nn.softmax(logs).reshape(drawn.configurations.shape[:2])), state
