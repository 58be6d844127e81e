r"""The windows of a convolution on a lattice, as tables of positions.

A layer takes positions on a grid of extents n_a to positions on a grid of extents n'_a: each looks at K
positions along each direction, from its own on. With overlap it has a window at every position (around
periodic boundaries, cut off at open ones); without, at every K-th, the last one cut off where K does not
divide n_a.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from jaxtyping import Int32


def windows(
    extent: Sequence[int], periodic: Sequence[bool], kernel: int, overlap: bool
) -> tuple[Int32[np.ndarray, "P W"], tuple[int, ...]]:
    """(table, extents of the output): row u lists the input positions in the window of u, row-major, with the
    number of inputs where the window is cut off.

    >>> windows((4,), (True,), 2, overlap=True)[0].tolist()
    [[0, 1], [1, 2], [2, 3], [3, 0]]
    >>> windows((3,), (True,), 2, overlap=False)[0].tolist()
    [[0, 1], [2, 3]]
    """
    count = int(np.prod(extent))
    after = tuple(n if overlap else -(-n // kernel) for n in extent)
    step = 1 if overlap else kernel
    corners = np.stack(np.unravel_index(np.arange(int(np.prod(after))), after), axis=1) * step
    shifts = np.array(list(product(range(kernel), repeat=len(extent))))
    places = corners[:, None] + shifts
    around = np.array([wraps and overlap for wraps in periodic])
    size = np.array(extent)
    inside = (around | (places < size)).all(axis=2)
    table = np.ravel_multi_index(tuple(np.moveaxis(places % size, 2, 0)), tuple(extent))
    return np.where(inside, table, count).astype(np.int32), after
