r"""The points of an array that stay inside under the whole point group.

A triangular lattice is kept in parallelograms, whose corners a rotation by 60° carries outside. `Mask`
sets the points outside the largest invariant hexagon to zero, so that sums over the array (batch norms,
means) are invariant too. On square and cubic grids every point stays, and the layer does nothing.
"""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.layers.blocks import check_channels, checked_rep
from intertwine.layers.windows import checked_space
from intertwine.spaces.grid import Grid
from intertwine.symmetry.representation import Rep


class Mask(eqx.Module):
    """Zeros outside the invariant part of the array.

    space: a `Grid`. rep: the type of input and output.

    >>> grid = Grid("p6")
    >>> Mask(grid, grid.scalar)(jnp.ones((3, 3, 1)))[..., 0].tolist()
    [[0.0, 1.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 0.0]]
    """

    space: Grid = eqx.field(static=True)
    rep_in: Rep = eqx.field(static=True)
    rep_out: Rep = eqx.field(static=True)

    def __init__(self, space: Grid, rep: Rep):
        self.rep_in = self.rep_out = checked_rep(rep)
        self.space = checked_space(space, rep)

    def __call__(self, x: Float[Array, "... C"], *, key: Array | None = None) -> Float[Array, "... C"]:
        """x inside, 0 outside; `key` is not used."""
        check_channels(x, self.rep_in)
        d = self.space.dimension
        if x.ndim < d + 1:
            raise fail("x", f"{d} axes of the grid and then the channels", f"shape {x.shape}")
        inside = self.space.mask(x.shape[-1 - d : -1])
        return x if inside.all() else jnp.where(inside[..., None], x, 0)
