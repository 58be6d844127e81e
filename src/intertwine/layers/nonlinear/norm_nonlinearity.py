r"""Norm non-linearity: each copy keeps its direction, and its length goes through a function.

    y = σ(‖x‖ + b) x/‖x‖

with one learned b for each copy (Worrall et al., CVPR 2017, Harmonic networks; Weiler & Cesa 2019). ‖x‖
is invariant where ρ is orthogonal.
"""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from intertwine._checks import fail, positive_number
from intertwine.layers.blocks import blocks, check_channels, checked_rep, join, square_norm
from intertwine.layers.nonlinear.pointwise import Function, checked_function, function_of
from intertwine.symmetry.fibre_maps import AnyRep


class NormNonlinearity(eqx.Module):
    """σ of the length of each copy.

    rep: the type of input and output, orthogonal blocks. function: σ, a name or function. epsilon: ‖x‖ is
    √(‖x‖² + ε²), so that the layer is smooth where x = 0.

    bias b (copies,), zero at first.

    Raises InputError for blocks that are not orthogonal.

    >>> from intertwine.spaces.grid import Grid
    >>> layer = NormNonlinearity(Grid("p4").vector, "square")
    >>> [round(float(v), 3) for v in layer(jnp.array([3.0, 4.0]))]
    [15.0, 20.0]
    """

    bias: Float[Array, " copies"]
    rep_in: AnyRep = eqx.field(static=True)
    rep_out: AnyRep = eqx.field(static=True)
    function: Function = eqx.field(static=True)
    epsilon: float = eqx.field(static=True)

    def __init__(
        self,
        rep: AnyRep,
        function: str | Callable[[Array], Array] = "relu",
        *,
        epsilon: float = 1e-4,
        dtype: DTypeLike = float,
    ):
        self.rep_in = self.rep_out = checked_rep(rep)
        self.function = checked_function(function)
        self.epsilon = positive_number("epsilon", epsilon, "1e-4 is usual")
        for part, _ in rep.blocks:
            if not part.is_orthogonal:
                raise fail("rep", "orthogonal blocks, which have an invariant norm", part, "or take Gated")
        self.bias = jnp.zeros(sum(m for _, m in rep.blocks), dtype)

    def __call__(self, x: Float[Array, "... C"], *, key: Array | None = None) -> Float[Array, "... C"]:
        """Fields of the same type; `key` is not used."""
        check_channels(x, self.rep_in)
        wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))  # ε² and squares fit no half precision
        parts, start = [], 0
        for block in blocks(self.rep_in):
            part = block.of(wide)
            norm = jnp.sqrt(square_norm(part) + self.epsilon**2)
            scale = function_of(self.function)(norm + self.bias[start : start + block.copies]) / norm
            parts.append(part * scale[..., None])
            start += block.copies
        return join(parts, x.shape[:-1]).astype(x.dtype)
