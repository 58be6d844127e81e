"""Pairs of few points closer than a cut-off, all images in reach written out: no kernel is compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

MOST_WRITTEN_OUT = 1 << 17
"""Pairs of points and images that are looked at so; about a millisecond."""


class Images(NamedTuple):
    """The cell steps of all images that a point inside the cell may see, one the opposite of another from the
    ends inwards."""

    steps: Int[np.ndarray, "m 3"]


def images(heights: np.ndarray, periodic: np.ndarray, cutoff: float) -> Images | None:
    """The images in reach of a cell of these heights between its faces; None where there are too many."""
    reach = np.where(periodic, np.floor(cutoff * (1 + 1e-9) / heights) + 1, 0)
    if np.prod(2 * reach + 1) > MOST_WRITTEN_OUT:
        return None
    rows = [np.arange(-r, r + 1) for r in reach.astype(int)]
    return Images(np.stack(np.meshgrid(*rows, indexing="ij"), -1).reshape(-1, 3))


class Pairs(NamedTuple):
    """Directed pairs: points i and j, the image s of j, and the places that the pair and its reverse take
    among the neighbours of i and of j. closest: a pair and its squared distance."""

    i: np.ndarray
    j: np.ndarray
    steps: np.ndarray
    place: np.ndarray
    reverse: np.ndarray
    count: np.ndarray
    closest: tuple[int, int, float]


def pairs_of_images(
    inside: Float[np.ndarray, "n 3"], basis: np.ndarray, found: Images, cutoff: float
) -> Pairs:
    """All pairs of points inside a cell, rows of `basis`, by their images."""
    n, m = len(inside), len(found.steps)
    moved = found.steps @ basis
    r = inside[None, :, None] - inside[:, None, None] + moved
    square = (r * r).sum(-1)
    own = np.arange(n)
    square[own, own, m // 2] = np.inf
    near = square < cutoff * cutoff
    place = near.reshape(n, -1).cumsum(1).reshape(near.shape) - 1
    i, j, s = np.nonzero(near)
    least = int(square.argmin())
    closest = (least // m // n, least // m % n, float(square.flat[least]))
    count = near.reshape(n, -1).sum(1)
    return Pairs(i, j, found.steps[s], place[i, j, s], place[j, i, m - 1 - s], count, closest)
