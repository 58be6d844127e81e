r"""Structures of any sizes as one flat cloud of few sizes: what is compiled for one serves them all.

Sizes are rounded up to a ladder, m·2^k with m = 4 … 7 (1, 2, … 8, 10, 12, 14, 16, 20, …): an eighth too much
on average, a quarter at most, and 4 sizes from a number to its double. Points of the padding come last."""

from __future__ import annotations

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike

from intertwine._checks import fail, positive_int
from intertwine.spaces.points.cloud import Cloud
from intertwine.spaces.points.edges import Edges


def rung(size: int) -> int:
    """The least number of the ladder that is not below `size`.

    >>> [rung(n) for n in (0, 1, 9, 17, 288)]
    [1, 1, 10, 20, 320]
    """
    n = max(1, int(size))
    step = 1 << max(0, (n - 1).bit_length() - 3)
    return -(-n // step) * step


def joined(
    parts: Sequence[Edges],
    reach: float,
    *,
    points: int,
    neighbours: int,
    structures: int,
    arriving: int | None,
    dtype: DTypeLike,
) -> Cloud:
    """One flat cloud of the structures, padded to these sizes (`arriving`: the width of `back`, None where it
    is that of the edges). InputError for structures that are larger."""
    d = parts[0].positions.shape[1]
    total = sum(len(part.positions) for part in parts)
    widest = max(part.site.shape[1] for part in parts)
    deepest = max(part.back.shape[1] for part in parts)
    depth = neighbours if arriving is None else arriving
    for argument, need, room in (
        ("points", total, points),
        ("neighbours", widest, neighbours),
        ("neighbours", deepest, depth),
        ("structures", len(parts), structures),
    ):
        if need > room:
            raise fail(argument, f"room for the {need} of these structures", room, f"take {rung(need)}")
    periodic = any(part.steps is not None for part in parts)
    positions = np.zeros((points, d))
    site = np.arange(points, dtype=np.int32)[:, None].repeat(neighbours, 1)
    shift = np.zeros((points, neighbours, d), np.int32) if periodic else None
    count = np.zeros(points, np.int32)
    none = points * neighbours
    back = np.full((points, depth), none, np.int32)
    structure = np.full(points, structures - 1, np.int32)
    cells = np.zeros((structures, d, d))
    start = 0
    for number, part in enumerate(parts):
        n, width = part.site.shape
        rows = slice(start, start + n)
        positions[rows], count[rows], structure[rows] = part.positions, part.count, number
        cells[number] = part.cell
        # places of neighbours that are there; the others keep their own number
        site[rows, :width] = part.site + start
        if shift is not None and part.steps is not None:
            shift[rows, :width] = part.steps
        here = part.back
        moved = (
            (here // width + start) * neighbours + here % width
            if width != neighbours
            else here + start * width
        )
        back[rows, : here.shape[1]] = np.where(here < n * width, moved, none)
        start += n
    near = np.arange(neighbours) < count[:, None]
    return Cloud(
        positions=jnp.asarray(positions, dtype),
        site=jnp.asarray(site),
        shift=None if shift is None else jnp.asarray(shift),
        near=jnp.asarray(near),
        back=jnp.asarray(back),
        structure=jnp.asarray(structure),
        real=jnp.asarray(np.arange(points) < total),
        cells=jnp.asarray(cells, dtype),
        structures=structures,
        reach=reach,
    )


def checked_size(argument: str, given: int | None, default: int) -> int:
    """A size as asked for, or the default."""
    return default if given is None else positive_int(argument, given)
