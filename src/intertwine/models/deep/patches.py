r"""How the sites of a lattice are cut into patches, the tokens of a vision transformer.

A patch is a block of cells with all of their sites: 2×2 cells of the square lattice are four spins, of the
kagome lattice twelve. Patches are numbered row-major, as cells are, and so are the sites in a patch, so that
a translation by whole patches permutes the tokens and nothing else. Anything else with a number of sites (a
graph, the bare sites) has a patch for each site.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int32

from intertwine._checks import fail


@dataclass(frozen=True, eq=False)
class Patches:
    """sites: int32 (n, p), those of each patch. shape: patches along each direction, () where there are none.

    offset: int32 (n, n), a number for each displacement from patch i to patch j, or None where no translation
    by patches is a symmetry of the cut; number 0 is none.
    """

    sites: Int32[np.ndarray, "n p"]
    shape: tuple[int, ...]
    offset: Int32[np.ndarray, "n n"] | None

    @property
    def count(self) -> int:
        """The number of patches n."""
        return self.sites.shape[0]

    @property
    def size(self) -> int:
        """The number of sites N."""
        return self.sites.size

    @property
    def translations(self) -> Int32[np.ndarray, "n N"]:
        """int32 (n, N): for each displacement the permutation p of the sites that moves s to s[p]."""
        assert self.offset is not None
        moved = np.empty((self.count, self.size), np.int32)
        for start, to in enumerate(np.argsort(self.offset, axis=1).T):  # to[i]: the patch there
            moved[start, self.sites] = self.sites[to]
        return moved

    def _content(self) -> tuple[Any, ...]:
        return self.sites.tobytes(), self.sites.shape, self.shape, self.offset is None

    def __hash__(self) -> int:
        return hash(self._content())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Patches) and self._content() == other._content()


def patches_of(lattice: Any, patch: int | Sequence[int] = 1) -> Patches:
    """The patches of `patch` cells (a number for every direction, or one for each) of a lattice.

    lattice: a lattice, or anything with a `size`: a graph, a group of sites. Raises InputError where the
    extent is no multiple of `patch`, and for other patches than 1 without a lattice.

    >>> from intertwine.spaces.lattices import Square
    >>> patches_of(Square(4, 4), 2).sites
    array([[ 0,  1,  4,  5],
           [ 2,  3,  6,  7],
           [ 8,  9, 12, 13],
           [10, 11, 14, 15]], dtype=int32)
    """
    extent = getattr(lattice, "extent", None)
    if extent is None or not hasattr(lattice, "periodic"):
        size = getattr(lattice, "size", None)
        if size is None:
            raise fail("lattice", "a lattice, or a graph with a size", lattice, "for example Square(6, 6)")
        if patch not in (1, (1,), [1]):
            raise fail("patch", "1 where there is no lattice of cells", patch, "a site is a patch there")
        return Patches(np.arange(size, dtype=np.int32)[:, None], (), None)
    return _of_cells(lattice, tuple(extent), _block(patch, tuple(extent)))


def _block(patch: int | Sequence[int], extent: tuple[int, ...]) -> tuple[int, ...]:
    given = (patch,) * len(extent) if isinstance(patch, int) else patch
    remedy = "take another patch, or 1 (each cell by itself)"
    whole = isinstance(given, Sequence) and all(isinstance(b, int) and not isinstance(b, bool) for b in given)
    if not whole or len(given) != len(extent) or any(b < 1 for b in given):
        raise fail("patch", f"a whole number of cells, or one for each of {len(extent)} directions", patch)
    if any(length % b for length, b in zip(extent, given, strict=True)):
        words = "×".join(str(length) for length in extent)
        raise fail("patch", f"cells that divide the {words} of the lattice", patch, remedy)
    return tuple(given)


def _of_cells(lattice: Any, extent: tuple[int, ...], block: tuple[int, ...]) -> Patches:
    d, basis = len(extent), lattice.size // int(np.prod(extent))
    shape = tuple(length // b for length, b in zip(extent, block, strict=True))
    cells = np.arange(lattice.size, dtype=np.int32).reshape(*extent, basis)
    cut = cells.reshape(*(x for pair in zip(shape, block, strict=True) for x in pair), basis)
    cut = cut.transpose(*range(0, 2 * d, 2), *range(1, 2 * d, 2), 2 * d)
    sites = np.ascontiguousarray(cut.reshape(int(np.prod(shape)), -1))
    if not all(p or n == 1 for p, n in zip(lattice.periodic, shape, strict=True)):
        return Patches(sites, shape, None)
    where = np.stack(np.unravel_index(np.arange(len(sites)), shape), -1)
    between = (where[None, :, :] - where[:, None, :]) % np.array(shape)
    offset = np.asarray(np.ravel_multi_index(tuple(np.moveaxis(between, -1, 0)), shape), np.int32)
    return Patches(sites, shape, offset)
