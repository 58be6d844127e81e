r"""The points of an array that stay inside under the whole point group.

A triangular lattice is kept in parallelograms, whose corners a rotation by 60° carries outside. The points
outside the largest invariant hexagon are no part of a field: convolutions and pooling layers take and give
zeros there (`inside`), so that padding by zeros and sums over the array (batch norms, means) are invariant
too. `Mask` does the same where one wants it in a network of one's own. On square and cubic grids every point
stays, and it does nothing.
"""

from __future__ import annotations

from functools import lru_cache

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.layers.blocks import check_channels, checked_rep
from intertwine.layers.executors.windows import checked_space
from intertwine.layers.fields import field_type
from intertwine.spaces.protocols import ArraySpace, Space, takes_arrays
from intertwine.symmetry.representation import Rep


class Mask(eqx.Module):
    """Zeros outside the invariant part of the array.

    space: a `Grid`. rep: the type of input and output.

    >>> from intertwine.spaces.grid import Grid
    >>> grid = Grid("p6")
    >>> Mask(grid, grid.scalar)(jnp.ones((3, 3, 1)))[..., 0].tolist()
    [[0.0, 1.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 0.0]]
    """

    space: ArraySpace = eqx.field(static=True)
    rep_in: Rep = eqx.field(static=True)
    rep_out: Rep = eqx.field(static=True)

    def __init__(self, space: ArraySpace, rep: Rep | str):
        self.rep_in = self.rep_out = field_type(
            space, rep if isinstance(rep, str) else checked_rep(rep), "rep"
        )
        self.space = checked_space(space, self.rep_in)

    def __call__(self, x: Float[Array, "... C"], *, key: Array | None = None) -> Float[Array, "... C"]:
        """x inside, 0 outside; `key` is not used."""
        check_channels(x, self.rep_in)
        d = self.space.dimension
        if x.ndim < d + 1:
            raise fail("x", f"{d} axes of the grid and then the channels", f"shape {x.shape}")
        return _masked(x, self.space)


def inside(x: Float[Array, "... C"], space: Space) -> Float[Array, "... C"]:
    """A field (..., *space, C) on a triangular grid with zeros outside its hexagon; on other spaces itself.

    Raises InputError on arrays that have no point at the centre, which the rotations turn about.
    """
    return _masked(x, space) if takes_arrays(space) and space.hexagonal else x


def _masked(x: Array, space: ArraySpace) -> Array:
    kept = _points(space, tuple(x.shape[-1 - space.dimension : -1]))
    return x if kept.all() else jnp.where(kept[..., None], x, 0)


@lru_cache(maxsize=256)
def _points(space: ArraySpace, shape: tuple[int, ...]) -> np.ndarray:
    return space.mask(shape)
