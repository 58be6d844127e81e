r"""Pooling over the points of each structure: one fibre vector for a structure, which turns with it.

    Σ_i f(i),   mean,   or of scalars the maximum over the points i of a structure

All points are turned alike, so that sums of vectors and tensors make sense. Points that only pad a batch do
not count. `GlobalPool` is the same on spaces whose points are always there.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail, one_of
from intertwine.layers.blocks import check_channels
from intertwine.layers.fields import field_type
from intertwine.spaces.points.cloud import Cloud
from intertwine.spaces.points.points import Points
from intertwine.symmetry.fibre_maps import AnyRep

HOW = ("sum", "mean", "max")


class PointPool(eqx.Module):
    """Sum, mean or maximum over the points of each structure.

    points: a `Points`. rep: the type of the fields. how: "sum", "mean" or, of scalars, "max".

    Raises InputError for a maximum of components that turn.

    >>> from intertwine.spaces.points.points import Points
    >>> points = Points(2.0)
    >>> cloud = points.cloud([[0.0, 0, 0], [1.0, 0, 0]])
    >>> x = jnp.arange(len(cloud.positions), dtype=float)[:, None]
    >>> PointPool(points, "scalar")(x, at=cloud).tolist()
    [[1.0]]
    """

    space: Points = eqx.field(static=True)
    rep_in: AnyRep = eqx.field(static=True)
    rep_out: AnyRep = eqx.field(static=True)
    how: str = eqx.field(static=True)

    def __init__(self, points: Points, rep: AnyRep | str, *, how: str = "sum"):
        self.space, self.how = points, one_of("how", how, HOW)
        space: Any = points
        self.rep_in = self.rep_out = field_type(space, rep, "rep")
        if how == "max" and not self.rep_in.is_trivial:
            remedy = "the largest of components that turn means nothing: take Invariants first, or 'mean'"
            raise fail("rep", "scalars, for a maximum", rep, remedy)

    def __call__(self, x: Float[Array, "n C"], *, at: Cloud, key: Array | None = None) -> Float[Array, "S C"]:
        """One row for each structure; `key` is not used."""
        check_channels(x, self.rep_in)
        if self.how == "sum":
            return at.sums(x)
        if self.how == "mean":
            return at.means(x)
        lowest = jnp.where(at.real[:, None], x, -jnp.inf)
        return jax.ops.segment_max(lowest, at.structure, at.structures)
