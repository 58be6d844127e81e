r"""The product state: log ψ(s) = Σ_i a_i s_i (mean field).

With real a it is the Gutzwiller product of spins each at its own angle; the best one is mean-field theory.
"""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Int, Num, Shaped

from intertwine import _checks
from intertwine.models.machines.hidden_units import check_configuration, flip_changes, weighted_rows
from intertwine.models.numerics import real_dot, real_dtype
from intertwine.models.parameters import check_key, check_scale, normal, parameter_dtype, parameters
from intertwine.models.protocols import Direct, Kind, SpinForm


class MeanField(eqx.Module):
    """A product state of N spins ±1.

    size: N. dtype: float, complex or an exact floating type. scale: standard deviation of the initial field.

    >>> import jax
    >>> psi = MeanField(3, scale=0.0, key=jax.random.key(0))
    >>> float(psi(jnp.array([1, -1, 1])))
    0.0
    """

    field: Num[Array, "N"]

    def __init__(self, size: int, *, dtype: DTypeLike = float, scale: float = 0.05, key: Array):
        size = _checks.positive_int("size", size, "give the number of sites, for example lattice.size")
        self.field = normal(check_key(key), (size,), parameter_dtype(dtype), check_scale(scale))

    @property
    def size(self) -> int:
        """The number of sites N."""
        return self.field.shape[0]

    @property
    def kind(self) -> Kind:
        return "holomorphic" if jnp.iscomplexobj(self.field) else "real"

    def __call__(self, s: Shaped[Array, "N"]) -> Num[Array, ""]:
        """log ψ of one configuration (N,) of spins ±1."""
        check_configuration(s, self.size)
        return real_dot(s.astype(real_dtype(self.field.dtype)), self.field[:, None])[0]

    def start(self, s: Shaped[Array, "N"]) -> tuple[()]:
        """Nothing needs to be kept."""
        check_configuration(s, self.size)
        return ()

    def log_ratio(self, cache: tuple[()], s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> Num[Array, ""]:
        """log ψ(s') − log ψ(s) = −2 Σ_f a_f s_f."""
        return weighted_rows(flip_changes(s, sites, real_dtype(self.field.dtype)), self.field, sites)

    def flip(self, cache: tuple[()], s: Shaped[Array, "N"], sites: Int[Array, "F"]) -> tuple[()]:
        """Nothing changes."""
        return ()

    def spin_form(self) -> SpinForm:
        """The field alone: no pair term, no hidden units."""
        dtype, size = self.field.dtype, self.size
        none = jnp.zeros(0, dtype)
        return SpinForm(jnp.zeros((), dtype), self.field, None, none, jnp.zeros((size, 0), dtype))

    def factors(self, samples: Shaped[Array, "S N"]) -> MeanField:
        """∂ log ψ/∂a_i = s_i."""
        derivative = Direct(samples.astype(real_dtype(self.field.dtype)))
        return eqx.tree_at(lambda m: m.field, parameters(self), derivative)
