"""What a sampler is: pure `init` and `sample`, the state being data.

    state = sampler.init(model, key=key)
    samples, state = sampler.sample(model, state, draws, key=key)

`sample` continues the chains of `state`; the same model, state, draws and key give the same numbers, whatever
was done before, so that a run resumes exactly. The probability sampled is |ψ(s)|² = exp(2 Re log ψ(s)).
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, runtime_checkable

from jax import Array
from jaxtyping import Float, Int8

from intertwine.models.protocols import LogAmplitude


class Samples(NamedTuple):
    """What a sampler drew.

    configurations: int8 spins ±1, (chains, draws, N); chains are independent, draws in succession.
    weights: None (each sample counts 1), or (chains, draws) weights that sum to 1 (enumeration).
    acceptance: the accepted share of proposals, (); 1 for samplers that do not reject.
    """

    configurations: Int8[Array, "chains draws N"]
    weights: Float[Array, "chains draws"] | None
    acceptance: Float[Array, ""]


@runtime_checkable
class Sampler(Protocol):
    """Draws configurations from |ψ|²."""

    def init(self, model: LogAmplitude, *, key: Array) -> Any:
        """Fresh chains: a pytree of arrays, fit for a checkpoint."""
        ...

    def sample(self, model: LogAmplitude, state: Any, draws: int, *, key: Array) -> tuple[Samples, Any]:
        """`draws` configurations a chain, and the chains' state after them."""
        ...
