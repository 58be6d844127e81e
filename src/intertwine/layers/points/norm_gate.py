r"""The non-linearity of tensor field networks: scalars by a function, others by a factor of their length.

    y = ln(½ e^{x + b} + ½)  for scalars,     y = γ σ(‖x‖ + b) x  for other copies,   σ(x) = 1/(1 + e⁻ˣ)

with one learned b for each copy (Thomas et al. 2018), γ = 1.8462. There the second function is the first one
as well, whose products with x grow as ‖x‖², from layer to layer ‖x‖⁴, …; σ is bounded. Smooth where x = 0;
`NormNonlinearity` sets the length itself.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from intertwine.layers.blocks import blocks, check_channels, join, square_norm
from intertwine.layers.points.gates import unit_sigmoid
from intertwine.layers.points.hidden_types import checked_compact
from intertwine.symmetry.compact import CompactRep
from intertwine.symmetry.fibre_maps import AnyRep

_SOFT = 1e-3
"""‖x‖ is √(‖x‖² + ε²)."""


def shifted_softplus(x: Array) -> Array:
    """ln(½ eˣ + ½), 0 at 0."""
    return jax.nn.softplus(x) - float(np.log(2.0))


class NormGate(eqx.Module):
    """Each copy by its own length.

    rep: the type of input and output. bias b (copies,): 0 at the start.

    >>> from intertwine.symmetry import CompactGroup
    >>> layer = NormGate(2 * CompactGroup("O(3)").irrep(1, -1))
    >>> layer(jnp.zeros(6)).tolist(), layer.bias.shape
    ([0.0, 0.0, 0.0, 0.0, 0.0, 0.0], (2,))
    """

    bias: Float[Array, " copies"]
    rep_in: CompactRep = eqx.field(static=True)
    rep_out: CompactRep = eqx.field(static=True)

    def __init__(self, rep: AnyRep, *, dtype: DTypeLike = float):
        self.rep_in = self.rep_out = checked_compact(rep, "rep")
        self.bias = jnp.zeros(sum(m for _, m in rep.blocks), dtype)

    def __call__(self, x: Float[Array, "... C"], *, key: Array | None = None) -> Float[Array, "... C"]:
        """Fields of the same type; `key` is not used."""
        check_channels(x, self.rep_in)
        parts, start = [], 0
        for block in blocks(self.rep_in):
            part = block.of(x)
            bias = self.bias[start : start + block.copies].astype(x.dtype)
            start += block.copies
            if block.rep.is_trivial:
                parts.append(shifted_softplus(part + bias[:, None]))
                continue
            length = jnp.sqrt(square_norm(part) + _SOFT**2)
            parts.append(part * unit_sigmoid(length + bias)[..., None])
        return join(parts, x.shape[:-1])
