"""What a sampler is: pure `init` and `sample`, the state being data.

    state = sampler.init(model, key=key)
    samples, state = sampler.sample(model, state, draws, key=key)

`sample` continues the chains of `state`; the same model, state, draws and key give the same numbers, whatever
was done before, so that a run resumes exactly. What is drawn is |ψ(s)|² = exp(2 Re log ψ(s)), or Ψ/Z, where
the sampler says `distribution = "boltzmann"`.

That is all that `it.sample`, `it.expect` and `it.ground_state` need; nobody looks at the type of a sampler.
What else a sampler can do it offers as a method or an attribute, and is then asked for it:

    distribution       "born" (|ψ|², the default) or "boltzmann" (Ψ/Z)
    chains             how many run side by side; 1 by default
    burn_in, steps     of a sampler of Ψ/Z: steps of `init` before the first draw, steps between draws
    magnetization      the Σ_i s_i that it keeps; None for all (`sampling.space`)
    independent        `DrawsIndependently`: configurations without chains (Enumeration, Annealed)
    watch              `Watches`: chains looked at in every sweep (block Gibbs and its tempered relatives)
    clamped            of machines of layers: the columns that are held; None for none. Where it is None and
                       the sampler watches or begins in modes, `it.sample` compares with the modes it finds
    from_modes         `BeginsInModes`: takes the modes for its easy end
    caveats            `Qualifies`: what is to be said of it on a model
    unfolded           `Unfolds`: the sampler of all configurations, of one that draws representatives, which
                       `it.sample` refuses
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jax import Array
from jaxtyping import Float, Int8, PyTree, Shaped

if TYPE_CHECKING:
    from intertwine.models.machines.layered import LayeredMachine
    from intertwine.sampling.modes import Modes


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
    """Draws configurations of the models that it takes: `LogAmplitude`s, or those of one kind."""

    def init(self, model: PyTree, *, key: Array) -> Any:
        """Fresh chains: a pytree of arrays, fit for a checkpoint."""
        ...

    def sample(self, model: PyTree, state: PyTree, draws: int, *, key: Array) -> tuple[Samples, Any]:
        """`draws` configurations a chain, and the chains' state after them."""
        ...


@runtime_checkable
class RunsChains(Sampler, Protocol):
    """A sampler that says how many chains run side by side."""

    @property
    def chains(self) -> int: ...


class Independent(NamedTuple):
    """Configurations without chains.

    configurations: (n, N). log_density: ln of the unnormalised probability of each, float64 (n,).
    log_weights: importance weights ln w, float64 (n,), where they are needed; else None.
    """

    configurations: Shaped[np.ndarray, "n N"]
    log_density: Float[np.ndarray, " n"]
    log_weights: Float[np.ndarray, " n"] | None


@runtime_checkable
class DrawsIndependently(Protocol):
    """A sampler whose configurations are independent of one another."""

    def independent(self, model: PyTree, count: int, *, key: Array) -> Independent:
        """`count` configurations of `model`."""
        ...


class Watched(NamedTuple):
    """Chains that were looked at in every sweep.

    configurations: (chains, draws, N). traces: name → (chains, kept), after the burn-in where there is
    more than one draw, else of its last half. stride: sweeps between kept ones. burn_in, steps: sweeps before
    the first draw and between draws. projections: of the configurations, (chains, draws).
    """

    configurations: Shaped[np.ndarray, "chains draws N"]
    traces: dict[str, np.ndarray]
    stride: int
    burn_in: int
    steps: int
    projections: Float[np.ndarray, "chains draws"]


@runtime_checkable
class Watches(Protocol):
    """A sampler that looks at its chains in every sweep."""

    def watch(self, model: PyTree, count: int, *, key: Array) -> Watched:
        """At least `count` configurations from fresh chains; the trace "free_energy" among others."""
        ...


@runtime_checkable
class BeginsInModes(Protocol):
    """A sampler with an easy end that modes can give."""

    def from_modes(self, machine: LayeredMachine, modes: Modes | None) -> Sampler | DrawsIndependently:
        """Itself where it says its easy end, else with one over `modes` (None: there is one only)."""
        ...


@runtime_checkable
class Qualifies(Protocol):
    """A sampler that has something to say of the models it is given."""

    def caveats(self, model: PyTree) -> tuple[str, ...]:
        """Lines `code: sentence`; () where all is well."""
        ...


@runtime_checkable
class Unfolds(Protocol):
    """A sampler of representatives, such as one of each orbit of a group."""

    def unfolded(self) -> Sampler:
        """The sampler of all configurations that they stand for."""
        ...
