r"""Where the kernels of a convolution on translations reach: windows of cells around a site.

The translations t of a lattice act freely on its sites: with a site o_b of each orbit, site (t, b) is t·o_b.
A kernel has a weight for each translation in the window and each pair of features; everything else of
(K f)(g) = Σ_h K(g⁻¹h) f(h) is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int32

from intertwine._checks import fail, positive_int
from intertwine.models.symmetric.group_convolution import GroupConvolution, group_convolution
from intertwine.symmetry.groups.permutation_group import PermutationGroup


@dataclass(frozen=True, eq=False)
class Windows:
    """convolution: on the n translations. sites: int32 (n, b), the site t·o_b of the rows of its `elements`.
    taps: int32 (k,), the rows of the group that a kernel reaches."""

    convolution: GroupConvolution
    sites: Int32[np.ndarray, "n b"]
    taps: Int32[np.ndarray, "k"]

    @property
    def group(self) -> PermutationGroup:
        """The translations."""
        return self.convolution.group

    def __hash__(self) -> int:
        return hash((self.convolution, self.sites.tobytes(), self.taps.tobytes()))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Windows) or self.convolution != other.convolution:
            return False
        return np.array_equal(self.sites, other.sites) and np.array_equal(self.taps, other.taps)


def windows_of(lattice: Any, window: int, features: int) -> Windows:
    """The windows of `window` cells along each direction; of a group without a lattice, all its elements.

    Raises InputError for what has no translations, or a group that fixes a site.

    >>> from intertwine.spaces.lattices import Square
    >>> windows_of(Square(4, 4), 3, 8).taps.shape, windows_of(Square(4, 2), 3, 8).taps.shape
    ((9,), (6,))
    """
    positive_int("window", window, "3 cells are usual")
    group = lattice if isinstance(lattice, PermutationGroup) else getattr(lattice, "translations", None)
    remedy = "take a lattice such as Square(6, 6), or a PermutationGroup of translations"
    if group is None:
        raise fail("lattice", "one with translations", lattice, remedy)
    moves = group.permutations
    fixed = (moves == np.arange(group.size)).any(1).sum()
    if fixed > 1 or not np.array_equal(_products(moves), _products(moves).T):
        raise fail("lattice", "translations: they commute, and fix no site", "others", remedy)
    plan = group_convolution(group, group, features=features)
    rows = plan.elements.reshape(-1)
    origins = np.unique(moves.min(axis=0))
    sites = moves[rows][:, origins].astype(np.int32)
    return Windows(plan, sites, _taps(lattice, group, window))


def _products(moves: np.ndarray) -> np.ndarray:
    """For each pair of permutations the image of site 0: where they act freely, that is the whole product."""
    return moves[:, moves[:, 0]]


def _taps(lattice: Any, group: PermutationGroup, window: int) -> np.ndarray:
    extent = getattr(lattice, "extent", None)
    if extent is None:
        return np.arange(group.order, dtype=np.int32)
    first = np.stack(np.unravel_index(np.arange(int(np.prod(extent))), extent), -1)
    basis = group.size // len(first)
    moved = first[group.permutations[:, 0] // basis]  # the cell that cell 0 goes to
    low = (window - 1) // 2
    inside = np.ones(group.order, bool)
    for axis, length in enumerate(extent):
        steps = np.unique(np.arange(-low, window - low) % length)
        inside &= np.isin(moved[:, axis], steps)
    return np.flatnonzero(inside).astype(np.int32)
