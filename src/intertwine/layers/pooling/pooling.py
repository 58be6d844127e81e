r"""Pooling over windows of a grid.

    MaxPool        the largest value of each channel             only on permutation representations
    NormPool       of each copy of a block, the longest vector   on any orthogonal representation
    AveragePool    the mean                                      on any representation
    BlurPool       a binomial blur, then every s-th point        on any representation

With a stride s the layers keep equivariance exactly where windows lie symmetrically about the centre of
the array (`windows`); with width=None the width is chosen so that they do, 2 for even and 3 for odd sizes
at stride 2. Sub-sampling without a blur folds high frequencies onto low ones, which costs equivariance
under shifts, and under turns that do not map the grid to itself; `BlurPool`, after a `MaxPool` of stride
1 where a maximum is wanted, mends that (Zhang, ICML 2019).
"""

from __future__ import annotations

from functools import partial, reduce
from math import comb

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail, positive_int
from intertwine.layers.blocks import blocks, checked_rep, square_norm
from intertwine.layers.executors.windows import (
    _each,
    _taps,
    checked_space,
    checked_width,
    reduce_windows,
    widths_of,
)
from intertwine.layers.fields import field_type
from intertwine.layers.mask import inside
from intertwine.spaces.protocols import ArraySpace
from intertwine.symmetry.representation import Rep


class _Pool(eqx.Module):
    """What every pooling layer is told; each says in `__call__` what it does."""

    space: ArraySpace = eqx.field(static=True)
    rep: Rep = eqx.field(static=True)
    width: int | None = eqx.field(static=True, default=None)
    stride: int = eqx.field(static=True, default=2, kw_only=True)

    def __init__(self, space: ArraySpace, rep: Rep | str, width: int | None = None, *, stride: int = 2):
        self.rep = field_type(space, rep if isinstance(rep, str) else checked_rep(rep), "rep")
        self.space = checked_space(space, self.rep)
        self.width, self.stride = checked_width(width), positive_int("stride", stride)

    @property
    def rep_in(self) -> Rep:
        """The type of the fields that it takes."""
        return self.rep

    @property
    def rep_out(self) -> Rep:
        """The type of the fields that it gives."""
        return self.rep

    def _widths(self, x: Array, least: int) -> tuple[int, ...]:
        """The windows' width along each axis of the fields x."""
        return widths_of(self.space, self.rep, x, self.width, self.stride, least)


class MaxPool(_Pool):
    """The largest value of each channel in each window.

    space: a `Grid`. rep: the type of input and output, or its name, permutations only. width: of the windows,
    or None for the one that fits the stride. stride: the step of the windows.

    Raises InputError, with the reason, for a type that is not permuted, and when called with a size whose
    windows the group does not map onto windows.

    >>> from intertwine.symmetry import regular
    >>> from intertwine.spaces.grid import Grid
    >>> grid = Grid("p4")
    >>> MaxPool(grid, regular(grid.group))(jnp.ones((8, 24, 24, 4))).shape
    (8, 12, 12, 4)
    >>> MaxPool(grid, grid.vector)
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: rep: expected a representation that permutes the channels, got vector;
    the largest of single components does not commute with it: take NormPool, AveragePool or BlurPool.
    """

    def __check_init__(self) -> None:
        for part, _, _, _ in blocks(self.rep):
            if not part.is_permutation:
                reason = "the largest of single components does not commute with it: "
                reason += "take NormPool, AveragePool or BlurPool"
                raise fail("rep", "a representation that permutes the channels", part, reason)

    def __call__(self, x: Float[Array, "... C"], *, key: Array | None = None) -> Float[Array, "... C"]:
        """Fields (..., *space, C) on the coarser grid; `key` is not used."""
        widths = self._widths(x, self.stride)
        return inside(reduce_windows(x, self.space, widths, self.stride, jnp.maximum), self.space)


class AveragePool(_Pool):
    """The mean over each window. Arguments and errors as of `MaxPool`, for any type.

    >>> from intertwine.spaces.grid import Grid
    >>> grid = Grid("p4")
    >>> AveragePool(grid, grid.vector)(jnp.ones((5, 5, 2))).shape
    (2, 2, 2)
    """

    def __call__(self, x: Float[Array, "... C"], *, key: Array | None = None) -> Float[Array, "... C"]:
        """Fields (..., *space, C) on the coarser grid; `key` is not used."""
        widths = self._widths(x, self.stride)
        taps = len(self.space.window(widths).taps)
        return inside(reduce_windows(x, self.space, widths, self.stride, jnp.add) / taps, self.space)


class NormPool(_Pool):
    """Of each copy of a block the longest vector in each window. Arguments and errors as of `MaxPool`.

    rep: orthogonal blocks. Vectors of the same length are averaged, so that ties break no symmetry.

    >>> from intertwine.spaces.grid import Grid
    >>> grid = Grid("p4")
    >>> NormPool(grid, grid.vector)(jnp.array([[[0.0, 3.0], [1.0, 1.0]], [[2.0, 0.0], [0.0, 0.0]]])).tolist()
    [[[0.0, 3.0]]]
    """

    def __check_init__(self) -> None:
        if not self.rep.is_orthogonal:
            raise fail("rep", "an orthogonal representation, which has an invariant norm", self.rep)

    def __call__(self, x: Float[Array, "... C"], *, key: Array | None = None) -> Float[Array, "... C"]:
        """Fields (..., *space, C) on the coarser grid; `key` is not used."""
        widths = self._widths(x, self.stride)
        wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))  # squares of half precision overflow
        squares = jnp.concatenate([square_norm(b.of(wide)) for b in blocks(self.rep)], axis=-1)
        copies = np.repeat(np.arange(squares.shape[-1]), _copy_sizes(self.rep))
        longest = reduce_windows(squares, self.space, widths, self.stride, jnp.maximum)
        tolerance = 1 - 64 * jnp.finfo(squares.dtype).eps
        total, count = None, None
        for part, square in _windows((x, squares), self.space, widths, self.stride):
            chosen = (square >= tolerance * longest).astype(x.dtype)
            here = part * chosen[..., copies]
            total = here if total is None else total + here
            count = chosen if count is None else count + chosen
        assert total is not None and count is not None
        return inside((total / count[..., copies]).astype(x.dtype), self.space)


class BlurPool(_Pool):
    r"""A binomial blur and then every s-th point.

    Arguments and errors as of `MaxPool`, for any type; the width that fits is at least s + 1. On a
    triangular lattice the blur is a Gaussian of the binomial's variance (width − 1)/4.

    >>> from intertwine.spaces.grid import Grid
    >>> grid = Grid("p4")
    >>> BlurPool(grid, grid.scalar)(jnp.ones((28, 28, 1))).shape
    (13, 13, 1)
    """

    def __call__(self, x: Float[Array, "... C"], *, key: Array | None = None) -> Float[Array, "... C"]:
        """Fields (..., *space, C) on the coarser grid; `key` is not used."""
        widths = self._widths(x, self.stride + 1)
        d = self.space.dimension
        if not self.space.hexagonal:
            for a, k in enumerate(widths):
                share = [comb(k - 1, t) / 2 ** (k - 1) for t in range(k)]
                taps = [w * _taps(x, a - d - 1, t, k, self.stride) for t, w in enumerate(share)]
                x = reduce(jnp.add, taps)
            return x
        square = ((self.space.window(widths).offsets @ self.space.cell) ** 2).sum(axis=1)
        weights = np.exp(-2 * square / max(widths[0] - 1, 1))
        parts = _windows((x,), self.space, widths, self.stride)
        taps = [w * part for w, (part,) in zip((weights / weights.sum()).tolist(), parts, strict=True)]
        return inside(reduce(jnp.add, taps), self.space)


def _windows(
    x: tuple[Array, ...], space: ArraySpace, widths: tuple[int, ...], stride: int
) -> list[tuple[Array, ...]]:
    """Every tap of the windows, one after another."""
    d = space.dimension
    window = space.window(widths)
    found = []
    for offset in np.rint(window.offsets + (np.array(widths) - 1) / 2).astype(int):
        part = x
        for a in range(d):
            part = _each(
                part, partial(_taps, axis=a - d - 1, tap=int(offset[a]), width=widths[a], stride=stride)
            )
        found.append(part)
    return found


def _copy_sizes(rep: Rep) -> np.ndarray:
    return np.concatenate([np.full(m, part.dimension) for part, m in rep.blocks])
