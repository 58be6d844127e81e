r"""Regions for the topological entropy, chosen on a two-dimensional lattice: discs in three sectors, rings.

Kitaev & Preskill, PRL 96, 110404 (2006): a disc in three sectors A, B, C that meet in its centre. Levin &
Wen, PRL 96, 110405 (2006): a ring; the same without its left side, without its right side, and without both.
Distances are those of nearest images. A disc keeps away from its own image around a torus, so that it can be
contracted, and from open ends. Of all centres (sites, corners and middles of cells; those without a site
first) and radii, the largest disc of up to half of the sites is taken, and the ring whose inside, outside and
sides are furthest apart, further than a cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from intertwine._checks import fail

if TYPE_CHECKING:
    from intertwine.spaces.lattice import Lattice

_TURNS = 24
_APART = 1e-6


def sectors(lattice: Lattice) -> tuple[tuple[int, ...], ...]:
    """Three sectors of a disc, for Kitaev and Preskill's combination.

    >>> from intertwine.spaces.lattices import Square
    >>> sorted(len(part) for part in sectors(Square(4, 4)))
    [2, 2, 2]
    """
    best, score = None, (-1.0,)
    for places, inside, radius in _discs(lattice):
        angle = np.arctan2(places[inside, 1], places[inside, 0])
        for k in range(_TURNS):
            third = np.floor(angle / (2 * np.pi) * 3 + (k + 0.37) / _TURNS).astype(int) % 3
            parts = [inside[third == i] for i in range(3)]
            lengths = [len(part) for part in parts]
            centred = np.linalg.norm(places[inside], axis=1).min() > _APART  # no site where they meet
            found = (float(centred), len(inside), min(lengths) - max(lengths), -radius)
            if min(lengths) and found > score:
                best, score = parts, found
    if best is None:
        raise _too_small(lattice, "a disc of three sectors")
    return tuple(tuple(int(i) for i in part) for part in best)


def rings(lattice: Lattice) -> tuple[tuple[int, ...], ...]:
    """The ring, without its left side, without its right side, and without both, for Levin and Wen's
    combination.

    >>> from intertwine.spaces.lattices import Square
    >>> [len(part) for part in rings(Square(6, 6))]
    [8, 7, 7, 6]
    """
    best, score, cell = None, (_cell(lattice),), _cell(lattice)
    for places, disc, radius in _discs(lattice):
        outside = np.setdiff1d(np.arange(lattice.size), disc)
        r = np.linalg.norm(places[disc], axis=1)
        for inner in np.unique(r.round(6)):
            hole, ring = disc[r < inner - _APART], disc[r > inner - _APART]
            x, y = places[ring].T
            left, right = -x > np.abs(y) + _APART, x > np.abs(y) + _APART
            above, below = ~(left | right) & (y > 0), ~(left | right) & (y <= 0)
            parts = [(hole, outside), *((ring[a], ring[b]) for a, b in ((left, right), (above, below)))]
            apart = min(_distance(places, *pair) for pair in parts)
            found = (apart, -len(ring), -radius)
            if cell + _APART < apart < np.inf and found > score:
                best, score = [ring, ring[~left], ring[~right], ring[~(left | right)]], found
    if best is None:
        raise _too_small(lattice, "a ring wider than a cell around a hole")
    return tuple(tuple(int(i) for i in part) for part in best)


def _discs(lattice: Lattice) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
    """(places of all sites about a centre, the sites of a disc, its radius) for all centres and radii."""
    basis = np.asarray(lattice.basis_vectors, float)
    if len(basis) != 2:
        raise fail("lattice", "a two-dimensional lattice", lattice.name, "for example it.Square(4, 4)")
    positions = np.asarray(lattice.positions, float)
    own = positions[: max(1, lattice.size // int(np.prod(lattice.extent)))]
    corners = np.array(list(product((0.0, 0.5), repeat=2))) @ basis
    shifts = [(-1, 0, 1) if periodic else (0,) for periodic in lattice.periodic]
    images = np.array(list(product(*shifts))) * np.array(lattice.extent) @ basis
    open_ends = np.where(lattice.periodic, np.inf, 0.0)
    low, high = positions.min(axis=0) - open_ends, positions.max(axis=0) + open_ends
    middle = np.zeros(2) if all(lattice.periodic) else positions.mean(axis=0)
    for centre in np.unique(np.concatenate([own, own + corners[3], corners]).round(9), axis=0) + middle:
        moved = positions - centre + images[:, None]
        lengths = np.linalg.norm(moved, axis=2)
        nearest = lengths.argmin(axis=0)
        places = moved[nearest, np.arange(lattice.size)]
        r = lengths.min(axis=0)
        far = np.linalg.norm(images[np.abs(images).sum(axis=1) > 0], axis=1).min(initial=np.inf)
        for radius in np.unique(r.round(6)):
            inside = np.flatnonzero(r < radius + _APART)
            if (centre - radius < low - _APART).any() or (centre + radius > high + _APART).any():
                continue
            if 2 * len(inside) <= lattice.size and 2 * radius + _cell(lattice) < far - _APART:
                yield places, inside, float(radius)


def _cell(lattice: Lattice) -> float:
    """The longest edge of the cell."""
    return float(np.linalg.norm(np.asarray(lattice.basis_vectors, float), axis=1).max())


def _distance(places: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """The least distance between two sets of sites; 0 where one is empty."""
    if not (len(a) and len(b)):
        return 0.0
    return float(np.linalg.norm(places[a][:, None] - places[b], axis=2).min())


def _too_small(lattice: Lattice, what: str) -> Exception:
    return fail("lattice", f"one with room for {what}", lattice.name, "take a larger lattice")
