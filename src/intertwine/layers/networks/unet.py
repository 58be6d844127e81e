r"""U-Nets: fields of one type to fields of another on the same grid (Ronneberger, Fischer & Brox, MICCAI
2015).

                x ── block ───────────────────────── + ── block ── head ── y
                       └ pool ── block ──────── + ── block ── up ┘
                                   └ pool ── block ── up ┘

A block is twice a 3×3 convolution, a batch norm and a non-linearity; `up` interpolates to the size of the
skip, whose channels are put beside it. Types are free: gradients, stresses or spins go in and come out
(`fields.field_type`). The group commutes with the network exactly for every size, odd or even, since
windows and interpolation are symmetric about the centre.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, PyTree

from intertwine._checks import fail, one_of, positive_int
from intertwine.layers.conv import Conv
from intertwine.layers.fields import field_type
from intertwine.layers.networks.sequential import Sequential
from intertwine.layers.nonlinear.gated import Gated
from intertwine.layers.nonlinear.pointwise import Pointwise
from intertwine.layers.norms.calibration import calibrated
from intertwine.layers.norms.normalisation import BatchNorm
from intertwine.layers.pooling.pooling import AveragePool
from intertwine.layers.pooling.resample import Upsample
from intertwine.spaces.grid import Grid
from intertwine.symmetry import Rep
from intertwine.symmetry.fibre_maps import AnyRep

_SMALLEST = 4
_MOST_LEVELS = 3


class UNet(eqx.Module):
    """A U-Net; build it with `unet`, or on spheres and meshes with `field_network`.

    down: one block per level, from fine to coarse. pools, ups: between levels; an `Upsample` is told the
    size of the skip. up: one block per level but the coarsest. head: the convolution to the type of the
    output.
    """

    down: tuple[Sequential, ...]
    pools: tuple[Any, ...]
    ups: tuple[Any, ...]
    up: tuple[Sequential, ...]
    head: Any
    recipe: Any = eqx.field(static=True)

    @property
    def layers(self) -> list[tuple[str, Any]]:
        """Pairs (name, layer), in the order in which they act."""
        found: list[tuple[str, Any]] = []
        for level, block in enumerate(self.down):
            found += [(f"down{level}.{name}", layer) for name, layer in block.layers]
            if level < len(self.pools):
                found.append((f"pool{level}", self.pools[level]))
        for level in reversed(range(len(self.up))):
            found.append((f"up{level}", self.ups[level]))
            found += [(f"up{level}.{name}", layer) for name, layer in self.up[level].layers]
        return [*found, ("head", self.head)]

    @property
    def space(self) -> Any:
        """Of the input."""
        return self.down[0].space

    @property
    def rep_in(self) -> AnyRep:
        """The type of the input."""
        return self.down[0].rep_in

    @property
    def rep_out(self) -> AnyRep:
        """The type of the output."""
        return self.head.rep_out

    def __call__(self, x: Float[Array, "... C_in"], *, key: Array | None = None) -> Float[Array, "... C"]:
        """One field (*space, C_in) → (*space, C_out); `key` goes to layers that draw (dropout)."""
        return self.outputs(x[None], key=key)[0]

    def outputs(self, x: Float[Array, "B ... C_in"], *, key: Array | None = None) -> Float[Array, "B ... C"]:
        """A batch of fields."""
        blocks = len(self.down) + len(self.up)
        keys = iter([None] * blocks if key is None else jax.random.split(key, blocks))
        skips = []
        for level, block in enumerate(self.down):
            x = block.outputs(x, key=next(keys))
            if level < len(self.pools):
                skips.append(x)
                x = self.pools[level](x)
        for level in reversed(range(len(self.up))):
            skip, up = skips[level], self.ups[level]
            larger = up(x, skip.shape[1:-1]) if isinstance(up, Upsample) else up(x)
            x = self.up[level].outputs(jnp.concatenate([skip, larger], axis=-1), key=next(keys))
        return self.head(x)

    def calibrated(self, x: Array, *, batch: int = 100) -> UNet:
        """The network with the batch-norm statistics of the fields x (N, *space, C_in)."""
        return calibrated(self, x, batch=batch)


def unet(
    space: Grid,
    width: int,
    *,
    channels: int | str | Rep = 1,
    out: PyTree = 1,
    hidden: str = "regular",
    image_size: int = 32,
    levels: int | None = None,
    padding: str = "same",
    function: str = "relu",
    dtype: DTypeLike = float,
    recipe: object = None,
    key: Array,
) -> UNet:
    """A U-Net from fields of type `channels` to fields of type `out`.

    space: a square, cubic or linear `Grid`. width: copies of `hidden` at full size, twice as many a level
    below. channels, out, hidden: types by name; `hidden` of permuted fields gets `function`, any other
    `Gated`. image_size: points along each axis for which levels are chosen; other sizes work too. levels:
    of sizes, at most 3 by default. padding: "same" (zeros) or "periodic", which needs sizes divisible by
    2^(levels − 1).

    Raises InputError for unknown types and for triangular grids.

    >>> types = dict(channels="vector", out="scalar + vector")
    >>> net = unet(Grid("p4"), 2, **types, image_size=8, key=jax.random.key(0))
    >>> net.rep_in, net.rep_out, len(net.down)
    (vector, scalar + vector, 2)
    """
    positive_int("width", width, "features at full size, for example 8")
    n = positive_int("image_size", image_size, "points along each axis, for example 32")
    one_of("padding", padding, ("same", "periodic"))
    most = 1
    while most < _MOST_LEVELS and n // 2**most >= _SMALLEST:
        most += 1
    levels = most if levels is None else positive_int("levels", levels)
    if padding == "periodic" and n % 2 ** (levels - 1):
        raise fail(
            "image_size", f"a multiple of {2 ** (levels - 1)} on a periodic grid", n, "or fewer levels"
        )
    keys = iter(jax.random.split(key, 4 * levels))
    types = [width * 2**level * field_type(space, hidden) for level in range(levels)]
    options: dict[str, Any] = dict(padding=padding, dtype=dtype)

    def block(rep_in: Rep, rep_out: Rep) -> Sequential:
        made: list[tuple[str, Any]] = []
        for number in (1, 2):
            act = Pointwise(rep_out, function) if rep_out.is_permutation else Gated(rep_out, function)
            conv = Conv(space, rep_in, act.rep_in, 3, bias=False, key=next(keys), **options)
            name = "gated" if isinstance(act, Gated) else function
            made += [(f"conv{number}", conv), (f"norm{number}", BatchNorm(act.rep_in, dtype=dtype))]
            made.append((f"{name}{number}", act))
            rep_in = rep_out
        return Sequential(made)

    rep_in = field_type(space, channels)
    down = tuple(block(types[i - 1] if i else rep_in, types[i]) for i in range(levels))
    up = tuple(block(types[i] + types[i + 1], types[i]) for i in range(levels - 1))
    pools = tuple(AveragePool(space, types[i]) for i in range(levels - 1))
    ups = tuple(Upsample(space, types[i + 1], periodic=padding == "periodic") for i in range(levels - 1))
    head = Conv(space, types[0], field_type(space, out), 3, gain=1.0, key=next(keys), **options)
    return UNet(down, pools, ups, up, head, recipe)
