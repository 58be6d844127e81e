r"""A model over 0/1 units as a function of spins: s = 2v − 1.

Distributions often live on v ∈ {0, 1}^N, wave functions on s ∈ {−1, +1}^N. `as_spins` is the one place that
converts: the parameters stay those of the model, and every capability is that of the model on v = (1 + s)/2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import equinox as eqx
from jax import Array
from jaxtyping import Int, Num, PyTree, Shaped

from intertwine._checks import fail
from intertwine.models.machines.rbm import RBM
from intertwine.models.protocols import Kind, SpinForm

if TYPE_CHECKING:
    from intertwine.models.protocols import LogAmplitude


class BinaryAsSpins(eqx.Module):
    """An RBM over 0/1 units, called on spins ±1; `model` is the RBM itself."""

    model: RBM

    @property
    def size(self) -> int:
        """The number of sites N."""
        return self.model.size

    @property
    def kind(self) -> Kind:
        return self.model.kind

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """log Ψ of one configuration (N,) of spins ±1."""
        return self.model(_binary(s))

    def start(self, s: Shaped[Array, "N"]) -> Any:
        return self.model.start(_binary(s))

    def log_ratio(self, cache: PyTree, s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> Num[Array, ""]:
        return self.model.log_ratio(cache, _binary(s), sites)

    def flip(self, cache: PyTree, s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> Any:
        return self.model.flip(cache, _binary(s), sites)

    def spin_form(self) -> SpinForm:
        return self.model.spin_form()

    def factors(self, samples: Shaped[Array, "S N"]) -> BinaryAsSpins:
        return BinaryAsSpins(self.model.factors(_binary(samples)))


def as_spins(model: LogAmplitude) -> Any:
    """`model` as a function of spins ±1: itself, or a view of an RBM with units "binary".

    >>> import jax, jax.numpy as jnp
    >>> rbm = RBM(3, hidden=2, units="binary", key=jax.random.key(0))
    >>> bool(as_spins(rbm)(jnp.array([1, -1, 1])) == rbm(jnp.array([1, 0, 1])))
    True

    Raises InputError for a model that is a probability by its Ψ alone (`Ising`): |Ψ|² would be another one.
    """
    if getattr(model, "distribution", "born") != "born":
        raise fail(
            "model",
            "a wave function, whose |Ψ|² is sampled",
            f"{type(model).__name__}, a probability p = Ψ/Z",
            "use intertwine.sample, or square_root(model) for √Ψ",
        )
    return BinaryAsSpins(model) if isinstance(model, RBM) and model.units == "binary" else model


def _binary(s: Shaped[Array, "..."]) -> Shaped[Array, "..."]:
    """v = 1 where s = +1, and 0 where s = −1, of the same type."""
    return (s > 0).astype(s.dtype)
