r"""Up-sampling about the centre of the array, by nearest points or linear interpolation.

Point j of n' lies at (j − (n' − 1)/2)/s + (n − 1)/2 of the array of n points: both arrays have the same
centre, so that elements that map the grid to itself commute with the layer exactly, for any sizes. Beyond
the outermost points the value is theirs (or wraps around on periodic grids).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail, one_of, positive_int
from intertwine.layers.blocks import check_channels, checked_rep
from intertwine.layers.executors.windows import checked_space
from intertwine.layers.fields import field_type
from intertwine.spaces.protocols import ArraySpace
from intertwine.symmetry import Rep

METHODS = ("linear", "nearest")


class Upsample(eqx.Module):
    """More points along every axis.

    space: a square, cubic or linear `Grid`. rep: the type of input and output. factor: s. method:
    "linear" or "nearest" (odd distances only: where a new point lies between two old ones it is their
    mean). periodic: whether the grid wraps around.

    Raises InputError for triangular grids, whose corners are no part of the field.

    >>> from intertwine.spaces.grid import Grid
    >>> grid = Grid("line:m")
    >>> Upsample(grid, grid.scalar)(jnp.array([[0.0], [4.0]]))[:, 0].tolist()
    [0.0, 1.0, 3.0, 4.0]
    """

    space: ArraySpace = eqx.field(static=True)
    rep_in: Rep = eqx.field(static=True)
    rep_out: Rep = eqx.field(static=True)
    factor: int = eqx.field(static=True)
    method: str = eqx.field(static=True)
    periodic: bool = eqx.field(static=True)

    def __init__(
        self,
        space: ArraySpace,
        rep: Rep | str,
        factor: int = 2,
        *,
        method: str = "linear",
        periodic: bool = False,
    ):
        self.rep_in = self.rep_out = field_type(
            space, rep if isinstance(rep, str) else checked_rep(rep), "rep"
        )
        self.space = checked_space(space, self.rep_in)
        if space.hexagonal:
            raise fail(
                "space", "a grid with unit vectors as cell", space, "a triangular grid is not up-sampled"
            )
        self.factor = positive_int("factor", factor, "new points for each old one, for example 2")
        self.method, self.periodic = one_of("method", method, METHODS), bool(periodic)

    def __call__(
        self,
        x: Float[Array, "... C"],
        shape: Sequence[int] | None = None,
        *,
        key: Array | None = None,
    ) -> Float[Array, "... C"]:
        """Fields on the finer grid, of `shape` about the same centre (factor × the sizes by default)."""
        check_channels(x, self.rep_in)
        d = self.space.dimension
        if x.ndim < d + 1:
            raise fail("x", f"{d} axes of the grid and then the channels", f"shape {x.shape}")
        sizes = x.shape[-1 - d : -1]
        wanted = tuple(n * self.factor for n in sizes) if shape is None else tuple(shape)
        if len(wanted) != d:
            raise fail("shape", f"{d} sizes", shape)
        for a, (n, m) in enumerate(zip(sizes, wanted, strict=True)):
            weights = _weights(n, positive_int("shape", m), self.factor, self.method, self.periodic)
            before, after = x.shape[: x.ndim - 1 - d + a], x.shape[x.ndim - d + a :]
            flat = x.reshape(math.prod(before), n, math.prod(after))  # products: forwards and backwards fast
            flat = jnp.einsum("mn,bnc->bmc", jnp.asarray(weights, x.dtype), flat)
            x = flat.reshape(*before, m, *after)
        return x


@lru_cache(maxsize=256)
def _weights(n: int, m: int, factor: int, method: str, periodic: bool) -> np.ndarray:
    """(m, n): the shares of the n old points in each new one."""
    place = (np.arange(m) - (m - 1) / 2) / factor + (n - 1) / 2
    low = np.floor(place + 1e-9)
    share = place - low
    if method == "nearest":
        share = np.where(np.abs(share - 0.5) < 1e-9, 0.5, np.round(share))
    weights = np.zeros((m, n))
    for point, part in ((low.astype(int), 1 - share), (low.astype(int) + 1, share)):
        old = point % n if periodic else np.clip(point, 0, n - 1)
        np.add.at(weights, (np.arange(m), old), part)
    return weights
