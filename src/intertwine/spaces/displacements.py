r"""Classes of displacements between sites, and the pairs of sites in them.

Pairs (i, j) that are translates of each other have the same cell displacement n_j − n_i (modulo the extent
along periodic directions, from −(L−1) to L−1 along open ones) and the same two basis sites. The distance of
nearest images is a function of the class, so shells of neighbours are found from the C classes, not from the
N² pairs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from intertwine.spaces.geometry import Geometry, nearest_images


class Displacements(NamedTuple):
    """All classes, numbered row-major in (cell displacement, b_i, b_j); class 0 is the zero vector.

    cells: int (n, d) cell displacements. vectors: float (C, d) a shortest image of each. apart: bool (C,)
    whether the class joins different sites. shell_lengths: the distinct distances, increasing. shells: int
    (C,) the shell from 1 of each class; 0 from a site to itself.
    """

    cells: np.ndarray
    vectors: np.ndarray
    apart: np.ndarray
    shell_lengths: np.ndarray
    shells: np.ndarray


def _spans(geometry: Geometry) -> np.ndarray:
    """The number of different cell displacements along each direction."""
    return np.where(geometry.periodic, geometry.extent, 2 * np.array(geometry.extent) - 1)


def displacement_classes(geometry: Geometry) -> Displacements:
    """The classes of a geometry."""
    offsets, d = geometry.site_offsets, len(geometry.extent)
    spans = _spans(geometry)
    cells = np.indices(tuple(spans)).reshape(d, -1).T
    cells = np.where(~np.array(geometry.periodic) & (cells >= geometry.extent), cells - spans, cells)
    vectors = (cells @ geometry.basis_vectors)[:, None, None] + (offsets[None] - offsets[:, None])
    vectors = nearest_images(vectors.reshape(-1, d), geometry.wrapping)
    apart = np.ones(len(vectors), bool)
    apart[: len(offsets) ** 2 : len(offsets) + 1] = False  # no cell displacement and b_i = b_j

    lengths = np.linalg.norm(vectors, axis=1)
    ordered = np.sort(lengths[apart])
    starts = ordered[np.diff(ordered, prepend=-np.inf) > geometry.tolerance]
    shells = np.searchsorted(starts - geometry.tolerance / 2, lengths, side="right")
    return Displacements(cells, vectors, apart, starts, np.where(apart, shells, 0))


def displacement_numbers(geometry: Geometry) -> np.ndarray:
    """int32 (N, N): the class of each pair (i, j)."""
    spans, nb, cells = _spans(geometry), len(geometry.site_offsets), geometry.cells
    steps = (cells[None] - cells[:, None]) % spans
    number = np.asarray(np.ravel_multi_index(tuple(np.moveaxis(steps, -1, 0)), tuple(spans)))
    b = np.arange(nb)
    pairs = number[:, None, :, None] * nb**2 + (b[:, None, None] * nb + b)
    return pairs.reshape(len(cells) * nb, -1).astype(np.int32)


def shell_pairs(geometry: Geometry, classes: Displacements, shell: int) -> tuple[np.ndarray, np.ndarray]:
    """All ordered pairs (i, j) of a shell, sorted, each once."""
    cells, nb = geometry.cells, len(geometry.site_offsets)
    chosen = np.flatnonzero(classes.shells == shell)
    folded, inside = geometry.wrap(cells[:, None] + classes.cells[chosen // nb**2])
    i = geometry.number(cells)[:, None] * nb + chosen // nb % nb
    j = geometry.number(np.where(inside[..., None], folded, 0)) * nb + chosen % nb
    first, second = np.divmod(np.unique((i * len(cells) * nb + j)[inside]), len(cells) * nb)
    return first, second


def neighbour_table(i: np.ndarray, j: np.ndarray, size: int) -> np.ndarray:
    """(N, z): for each site the second members of the sorted ordered pairs (i, j), padded with N."""
    counts = np.bincount(i, minlength=size)
    table = np.full((size, counts.max(initial=0)), size)
    table[i, np.arange(len(i)) - (np.cumsum(counts) - counts)[i]] = j
    return table


def two_colouring(neighbours: np.ndarray) -> np.ndarray | None:
    """int8 (N,) ±1, opposite on neighbours (N, z; padded with N), +1 on the first site of each connected
    part; None if there is an odd ring."""
    size = len(neighbours)
    colour = np.zeros(size + 1, np.int8)
    for first in range(size):
        if colour[first]:
            continue
        frontier, sign = np.array([first]), 1
        while frontier.size:
            colour[frontier], sign = sign, -sign
            reached = np.unique(neighbours[frontier])
            frontier = reached[(reached < size) & (colour[reached] == 0)]
    return None if (colour[neighbours] == colour[:size, None]).any() else colour[:size]
