"""One structure on the host: what it is given by, checked, and its tables of neighbours."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int32
from numpy.typing import ArrayLike

from intertwine._checks import fail

_FLAT = 1e-9
"""Cell vectors of length 1 whose least singular value is below this have no volume."""


class Edges(NamedTuple):
    """The neighbours of one structure of n points, K at most for each, on the host.

    positions: (n, d) float64 as given. cell: (d, d), rows are cell vectors, zero where there is no period.
    site: who, the own number where there is none. steps: cell steps of its image; None where nothing is
    periodic. count: how many neighbours each point has, first in its row. back: the edges i·K + k that end
    at each point, n·K beyond the last; of a cut-off the k-th is the reverse of edge k. outside: whether
    points lay outside the box.
    """

    positions: Float[np.ndarray, "n d"]
    cell: Float[np.ndarray, "d d"]
    site: Int32[np.ndarray, "n K"]
    steps: Int32[np.ndarray, "n K d"] | None
    count: Int32[np.ndarray, " n"]
    back: Int32[np.ndarray, "n B"]
    outside: bool


class Box(NamedTuple):
    """A structure as it was given, checked. cell: rows, zero where periodic is False."""

    positions: Float[np.ndarray, "n d"]
    cell: Float[np.ndarray, "d d"]
    periodic: tuple[bool, ...]


def checked_box(
    positions: ArrayLike, cell: ArrayLike | None, periodic: ArrayLike | None, dimension: int
) -> Box:
    """Positions and cell in float64; InputError, naming the argument, for what they cannot be.

    >>> checked_box([[0.0, 0.0]], [2.0, 3.0], None, 2).cell.tolist()
    [[2.0, 0.0], [0.0, 3.0]]
    """
    d = dimension
    x = _numbers("positions", positions, f"real numbers (n, {d})")
    if x.ndim != 2 or x.shape[1] != d or not len(x):
        remedy = f"a point has {d} coordinates here" if x.ndim == 2 and len(x) else ""
        raise fail("positions", f"an array (n, {d}) of one point or more", f"shape {x.shape}", remedy)
    bad = np.flatnonzero(~np.isfinite(x).all(1))
    if len(bad):
        raise fail("positions", "finite numbers", f"{x[bad[0]].tolist()} at point {bad[0]}")
    if cell is None:
        if periodic is not None and np.any(periodic):
            raise fail("cell", f"the cell vectors, rows of ({d}, {d})", None, "periodic directions have some")
        return Box(x, np.zeros((d, d)), (False,) * d)
    a = _numbers("cell", cell, f"real numbers ({d}, {d})")
    a = np.diag(a) if a.shape == (d,) else a
    if a.shape != (d, d):
        raise fail("cell", f"cell vectors, rows of ({d}, {d}), or {d} lengths", f"shape {a.shape}")
    if not np.isfinite(a).all():
        raise fail("cell", "finite numbers", a.tolist())
    flags = a.any(axis=1) if periodic is None else np.asarray(periodic)
    if flags.shape not in ((), (d,)) or flags.dtype != bool:
        raise fail("periodic", f"True, False, or {d} of them", periodic)
    flags = np.ones(d, bool) & flags
    kept = a[flags]
    if len(kept):
        lengths = np.linalg.norm(kept, axis=1)
        flat = not lengths.min() > 0 or np.linalg.svd(kept / lengths[:, None])[1].min() < _FLAT
        if flat:
            raise fail(
                "cell", "cell vectors that are independent", a.tolist(), "a singular cell has no volume"
            )
    return Box(x, np.where(flags[:, None], a, 0.0), tuple(map(bool, flags)))


def _numbers(argument: str, value: ArrayLike, expected: str) -> np.ndarray:
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "fiu":
            raise TypeError
        return array.astype(np.float64)
    except (TypeError, ValueError):
        raise fail(argument, expected, value if np.isscalar(value) else type(value).__name__) from None
