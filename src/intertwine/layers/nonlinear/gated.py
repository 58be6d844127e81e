r"""Gated non-linearity: a scalar channel turns each copy of a block up or down.

    y = (σ(x_permuted), sigmoid(g_1) v_1, …, sigmoid(g_n) v_n)

A number times a vector commutes with every representation (Weiler et al., NeurIPS 2018, 3D steerable
CNNs). The gates g are extra trivial channels in front of the input, one for each copy that is not
permuted; permuted blocks take a point-wise function instead.
"""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.layers.blocks import blocks, check_channels, checked_rep, direct_sum, join
from intertwine.layers.nonlinear.pointwise import Function, checked_function, function_of
from intertwine.symmetry.fibre_maps import AnyRep, trivial_type


class Gated(eqx.Module):
    """Gates on the copies of blocks that are not permuted, a point-wise function on the others.

    rep: the type of the output. rep_in = n·trivial + rep, n the gated copies: what the layer before
    should give. function: for permuted blocks. gate: of the gates, a name or function.

    Raises InputError where every block is permuted: `Pointwise` is the layer then.

    >>> import jax.numpy as jnp
    >>> from intertwine.spaces.grid import Grid
    >>> grid = Grid("p4")
    >>> layer = Gated(grid.scalar + 2 * grid.vector)
    >>> layer.rep_in.dimension, layer(jnp.array([0.0, 50.0, -1.0, 2.0, 4.0, 2.0, 4.0])).tolist()
    (7, [0.0, 1.0, 2.0, 2.0, 4.0])
    """

    rep_in: AnyRep = eqx.field(static=True)
    rep_out: AnyRep = eqx.field(static=True)
    function: Function = eqx.field(static=True)
    gate: Function = eqx.field(static=True)

    def __init__(
        self,
        rep: AnyRep,
        function: str | Callable[[Array], Array] = "relu",
        gate: str | Callable[[Array], Array] = "sigmoid",
    ):
        self.rep_out = checked_rep(rep)
        self.function, self.gate = checked_function(function), checked_function(gate)
        copies = gated_copies(rep)
        if copies == 0:
            raise fail("rep", "a block that is not permuted, to be gated", rep, "take Pointwise")
        self.rep_in = direct_sum([(trivial_type(rep.group), copies), *rep.blocks])

    def __call__(self, x: Float[Array, "... C_in"], *, key: Array | None = None) -> Float[Array, "... C"]:
        """Fields of type rep; `key` is not used."""
        check_channels(x, self.rep_in)
        copies = gated_copies(self.rep_out)
        gates, x = function_of(self.gate)(x[..., :copies]), x[..., copies:]
        parts, start = [], 0
        for block in blocks(self.rep_out):
            part = block.of(x)
            if block.rep.permutation is not None:
                parts.append(function_of(self.function)(part))
                continue
            parts.append(part * gates[..., start : start + block.copies, None])
            start += block.copies
        return join(parts, x.shape[:-1])


def gated_copies(rep: AnyRep) -> int:
    """How many gates a type takes: its copies of blocks that are not permuted."""
    return sum(m for part, m in rep.blocks if part.permutation is None)
