r"""Windows of a grid, moved in steps: what pooling layers share.

Windows of width k in steps of s over n points have their centres symmetric about the centre of the array,
so that the group maps windows onto windows, exactly where

    (n − k) divisible by s,

and on a triangular lattice, whose window is a hexagon, where besides (n − k)/s is even. `fitting_width`
is the smallest such width ≥ s; other widths are refused where there is a group to respect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jax import Array

from intertwine._checks import fail, positive_int
from intertwine.layers.blocks import check_channels, checked_rep
from intertwine.spaces.protocols import ArraySpace, takes_arrays
from intertwine.symmetry.representation import Rep


def fitting_width(space: ArraySpace, n: int, stride: int, least: int) -> int:
    """The smallest width ≥ `least` whose windows in steps of `stride` lie symmetrically on n points.

    >>> from intertwine.spaces.grid import Grid
    >>> fitting_width(Grid("p4"), 28, 2, 2), fitting_width(Grid("p4"), 27, 2, 2)
    (2, 3)
    """
    for k in range(least, n + 1):
        if keeps_centre(space, n, k, stride):
            return k
    if n >= least and space.hexagonal and n % 2 == 0:
        raise fail(
            "x", "an odd number of points along each axis of a triangular grid", n, f"for example {n + 1}"
        )
    raise fail("x", f"at least {least} points along each axis of the grid", n, "pool less often")


def keeps_centre(space: ArraySpace, n: int, width: int, stride: int) -> bool:
    """Whether windows lie symmetrically about the centre: what exact equivariance asks for."""
    if space.group.order == 1:
        return n >= width
    rest = (n - width) % stride == 0 and n >= width
    return rest and (not space.hexagonal or (width % 2 == 1 and (n - width) // stride % 2 == 0))


def checked_space(space: object, rep: Rep) -> ArraySpace:
    """`space`, whose fields are arrays of any size, with the representation's group; or the error."""
    if not takes_arrays(space):
        raise fail("space", "a Grid", space, 'for example Grid("p4m"); on G/H use GroupPool or GlobalPool')
    if checked_rep(rep).group != space.group:
        raise fail("rep", f"a representation of {space.group!r}", f"{rep!r} of {rep.group!r}")
    return space


def checked_width(width: int | None) -> int | None:
    """A width, or None for the fitting one."""
    return None if width is None else positive_int("width", width, "None takes the width that fits")


def widths_of(
    space: ArraySpace, rep: Rep, x: Array, width: int | None, stride: int, least: int
) -> tuple[int, ...]:
    """The window's width along each axis of fields x (..., *space, C), or the error."""
    check_channels(x, rep)
    d = space.dimension
    if x.ndim < d + 1:
        raise fail("x", f"{d} axes of the grid and then the channels", f"shape {x.shape}")
    sizes = x.shape[-1 - d : -1]
    if width is None:
        return tuple(fitting_width(space, n, stride, least) for n in sizes)
    for n in sizes:
        if n < width:
            raise fail("x", f"at least {width} points along each axis of the grid", f"shape {x.shape}")
        if not keeps_centre(space, n, width, stride):
            got = f"{n} points, width {width}, stride {stride}"
            rule = "(points − width) a multiple of the stride, so that the group maps windows onto windows"
            if space.hexagonal:
                rule += ", the width odd and the quotient even"
            raise fail("x", rule, got, "width=None takes the width that fits; or use BlurPool")
    return (width,) * d


def reduce_windows(
    x: Array | tuple[Array, ...],
    space: ArraySpace,
    widths: Sequence[int],
    stride: int,
    combine: Callable[[Any, Any], Any],
) -> Any:
    """Windows of arrays (..., *space, C), or of tuples of them, combined tap after tap.

    combine: associative and commutative, of two arrays (tuples).
    """
    d = space.dimension
    if space.hexagonal and len(set(widths)) == 1 and widths[0] > 1:
        offsets = np.rint(space.window(widths[0]).offsets + (widths[0] - 1) / 2).astype(int)
        out = None
        for offset in offsets:
            part = x
            for a in range(d):
                part = _each(part, _taps, a - d - 1, int(offset[a]), widths[a], stride)
            out = part if out is None else combine(out, part)
        return out
    for a in range(d):
        out = _each(x, _taps, a - d - 1, 0, widths[a], stride)
        for t in range(1, widths[a]):
            out = combine(out, _each(x, _taps, a - d - 1, t, widths[a], stride))
        x = out
    return x


def _each(x: Array | tuple[Array, ...], function: Callable[..., Array], *arguments: int) -> Any:
    return tuple(function(one, *arguments) for one in x) if isinstance(x, tuple) else function(x, *arguments)


def _taps(x: Array, axis: int, tap: int, width: int, stride: int) -> Array:
    """Tap number `tap` of every window along `axis` (negative)."""
    n = x.shape[axis]
    count = (n - width) // stride + 1
    before, after = (slice(None),) * (x.ndim + axis), (slice(None),) * (-1 - axis)
    if width == stride and n % stride == 0:  # a view, several times faster than strided slices backwards
        split = x.reshape(*x.shape[: x.ndim + axis], count, stride, *x.shape[x.ndim + axis + 1 :])
        return split[(*before, slice(None), tap, *after)]
    return x[(*before, slice(tap, tap + (count - 1) * stride + 1, stride), *after)]
