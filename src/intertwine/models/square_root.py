r"""A distribution p = Ψ/Z as the wave function ψ = √Ψ, whose |ψ|² is p.

Samplers of wave functions (`Metropolis`, `ParallelTempering`, `Enumeration`) draw from |ψ|². A Boltzmann
machine or an Ising model means p = Ψ/Z by its Ψ; given to them as it is, Ψ² would be sampled: the model at
half its temperature. This view is the one place where the one reading becomes the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import equinox as eqx
from jax import Array
from jaxtyping import Float, Int, PyTree, Shaped

from intertwine._checks import fail
from intertwine.models.machines.rbm import RBM
from intertwine.models.protocols import Incremental, Kind
from intertwine.models.units import BinaryAsSpins

if TYPE_CHECKING:
    from intertwine.models.protocols import LogAmplitude


class SquareRoot(eqx.Module):
    """ln ψ = ½ ln Ψ on spins ±1; make it with `square_root`. `model` is called on spins."""

    model: Any

    @property
    def size(self) -> int:
        """The number of sites N."""
        return self.model.size

    @property
    def kind(self) -> Kind:
        return "real"

    def __call__(self, s: Shaped[Array, "N"]) -> Float[Array, ""]:
        """½ ln Ψ of one configuration (N,) of spins ±1."""
        return self.model(s) / 2


class IncrementalSquareRoot(SquareRoot):
    """The same for a model with cheap flips, which it keeps."""

    def start(self, s: Shaped[Array, "N"]) -> Any:
        return self.model.start(s)

    def log_ratio(self, cache: PyTree, s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> Float[Array, ""]:
        return self.model.log_ratio(cache, s, sites) / 2

    def flip(self, cache: PyTree, s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> Any:
        return self.model.flip(cache, s, sites)


def square_root(model: LogAmplitude) -> SquareRoot:
    """The wave function √Ψ of a real model on spins ±1 (binary units are taken to spins).

    Raises InputError for complex models, which are no distributions.

    >>> from intertwine.models.mean_field import MeanField
    >>> import jax, jax.numpy as jnp
    >>> model = MeanField(3, scale=1.0, key=jax.random.key(0))
    >>> s = jnp.array([1, -1, 1])
    >>> bool(2 * square_root(model)(s) == model(s))
    True
    """
    if getattr(model, "kind", None) != "real":
        raise fail("model", "a real model, which can be a distribution", getattr(model, "kind", model))
    inner = BinaryAsSpins(model) if isinstance(model, RBM) and model.units == "binary" else model
    if isinstance(model, RBM) and not (model.visible_layer.is_two_state and model.hidden_layer.is_two_state):
        return SquareRoot(inner)
    return IncrementalSquareRoot(inner) if isinstance(inner, Incremental) else SquareRoot(inner)
