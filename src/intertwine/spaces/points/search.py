r"""Neighbours on the host: who is near whom in one structure, in float64, in boxes of any shape.

    r_ij = x_j + s·A − x_i,   |r_ij| < cut-off,   s whole numbers, 0 in directions that are not periodic

Rows of A are cell vectors. Every pair (j, s) but (i, 0) counts, also images of i itself. Directions without a
period are spanned by what is orthogonal to the periodic ones, as far as the points go. Points outside the box
are taken into it for the search alone; the steps s belong to the positions as they were given. (The same set
as ASE's `neighbor_list`.)

With `nearest` = k a point sees the k nearest of those; of points at the same distance those that the search
meets first."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from intertwine._checks import fail
from intertwine._memory import available_memory
from intertwine.spaces.points.edges import Box, Edges
from intertwine.spaces.points.images import MOST_WRITTEN_OUT, Images, images, pairs_of_images

_TOUCHING = 1e-6
"""Points nearer than this share of the cut-off, or of the usual distance of the nearest, lie on top of each
other."""
_PAIR = 64
"""Bytes that a pair takes while neighbours are looked for and entered."""


def search(box: Box, cutoff: float | None, nearest: int | None) -> Edges:
    """The neighbours of every point of a checked box."""
    if nearest is None:
        assert cutoff is not None
        return _within(box, cutoff)
    if not any(box.periodic):
        return _of_tree(box, cutoff, nearest)
    if cutoff is not None:
        return _nearest(_within(box, cutoff), nearest)
    basis, d = _spanned(box)[0], box.positions.shape[1]
    radius = float(((nearest + 1) * abs(np.linalg.det(basis)) / len(box.positions)) ** (1 / d))
    while (found := _within(box, radius)).count.min() < nearest:  # a period has images without end
        radius *= 1.5
    return _nearest(found, nearest)


@lru_cache(maxsize=1)
def _most_pairs() -> int:
    """Pairs that a quarter of the memory holds."""
    return max(1 << 16, available_memory() // (4 * _PAIR))


def _spanned(box: Box) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(basis (3, 3), origin (3,), positions (n, 3)): cell vectors, and for directions without a period
    orthogonal ones along which all points lie in [0, 1]."""
    n, d = box.positions.shape
    periodic = np.array(box.periodic)
    rows = box.cell[periodic]
    # the last right singular vectors are orthogonal to the rows
    others = np.linalg.svd(rows)[2][len(rows) :] if len(rows) else np.eye(d)
    along = box.positions @ others.T
    extent = np.ptp(along, axis=0)
    extent = np.where(extent > 0, extent * (1 + 1e-12), 1.0)
    basis, x, origin = np.eye(3), np.zeros((n, 3)), np.zeros(3)
    basis[:d, :d][periodic] = rows
    basis[:d, :d][~periodic] = others * extent[:, None]
    x[:, :d], origin[:d] = box.positions, along.min(0) @ others
    return basis, origin, x


class _Cell(NamedTuple):
    """A box in three dimensions. basis, heights: of cell vectors, those of directions without a period as far
    as the points go. scaled: in units of them, in [0, 1]. inside: the positions there. turns: what they were
    moved by."""

    basis: np.ndarray
    heights: np.ndarray
    periodic: np.ndarray
    scaled: np.ndarray
    inside: np.ndarray
    turns: np.ndarray


def _cell_of(box: Box) -> _Cell:
    d = box.positions.shape[1]
    basis, origin, x = _spanned(box)
    inverse = np.linalg.inv(basis)
    periodic = np.array([*box.periodic, *[False] * (3 - d)])
    scaled = (x - origin) @ inverse
    turns = np.where(periodic, np.floor(scaled), 0.0)
    inside = x - turns @ basis if turns.any() else x
    heights = 1 / np.linalg.norm(inverse, axis=0)
    return _Cell(basis, heights, periodic, np.clip(scaled - turns, 0.0, 1.0), inside, turns.astype(np.int64))


def _within(box: Box, cutoff: float) -> Edges:
    cell, n = _cell_of(box), len(box.positions)
    few = images(cell.heights, cell.periodic, cutoff) if n * n <= MOST_WRITTEN_OUT else None
    if few is not None and n * n * len(few.steps) <= MOST_WRITTEN_OUT:
        return _by_images(box, cell, few, cutoff)
    return _by_boxes(box, cell, cutoff)


def _by_images(box: Box, cell: _Cell, few: Images, cutoff: float) -> Edges:
    pairs = pairs_of_images(cell.inside, cell.basis, few, cutoff)
    _refuse_touching(*pairs.closest, cutoff)
    site, moves, back = _empty(box, pairs.count)
    at, width = (pairs.i, pairs.place), site.shape[1]
    site[at], back[at] = pairs.j, pairs.j * width + pairs.reverse
    moves[at] = (pairs.steps + cell.turns[pairs.i] - cell.turns[pairs.j])[:, : moves.shape[2]]
    return _edges(box, cell, site, moves, pairs.count, back)


def _by_boxes(box: Box, cell: _Cell, cutoff: float) -> Edges:
    from intertwine.spaces.points.cell_lists import entered, pairs_within, sorted_in_boxes

    n = len(box.positions)
    most = _most_pairs()
    if _expected(cell, n, cutoff) > most:
        raise _too_many(most, n)
    boxes, reach = _boxes(cell.heights, cell.periodic, cutoff, n)
    order, start = sorted_in_boxes(cell.scaled, boxes)
    pairs, slots, steps, count, closest = pairs_within(
        cell.inside, order, start, cell.basis, cell.periodic, boxes, reach, cutoff, most
    )
    if count[0] < 0:
        raise _too_many(most, n)
    _refuse_touching(int(closest[0]), int(closest[1]), float(closest[2]), cutoff)
    if cell.turns.any():
        steps = (steps + cell.turns[pairs[:, 0]] - cell.turns[pairs[:, 1]]).astype(np.int32)
    site, moves, back = _empty(box, count)
    entered(pairs, slots, steps, site, moves, back)
    return _edges(box, cell, site, moves, count, back)


def _expected(cell: _Cell, n: int, cutoff: float) -> float:
    """About how many pairs there are of points that fill the cell evenly."""
    share = 2 * cutoff / cell.heights
    share = np.where(cell.periodic, share, np.minimum(share, 1.0))
    return float(np.pi / 12 * n * n * share.prod())


def _too_many(most: int, n: int) -> Exception:
    got = f"more than {most} pairs of {n} points"
    return fail("cutoff", "neighbours that fit into memory", got, "is it in the unit of the positions?")


def _empty(box: Box, count: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tables site, moves, back of no neighbours."""
    n, d = box.positions.shape
    width = max(1, int(count.max()))
    site = np.arange(n, dtype=np.int32)[:, None].repeat(width, 1)
    return site, np.zeros((n, width, d), np.int32), np.full((n, width), n * width, np.int32)


def _edges(
    box: Box, cell: _Cell, site: np.ndarray, moves: np.ndarray, count: np.ndarray, back: np.ndarray
) -> Edges:
    steps = moves if any(box.periodic) else None
    return Edges(box.positions, box.cell, site, steps, count.astype(np.int32), back, bool(cell.turns.any()))


def _boxes(heights: np.ndarray, periodic: np.ndarray, cutoff: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    """How many boxes along each vector, and how many of them the cut-off reaches over."""
    boxes = np.maximum(1, np.minimum(heights / (cutoff * (1 + 1e-9)), 1e6).astype(np.int64))
    while boxes.prod() > max(64, 4 * n):  # thinly filled: wider boxes
        boxes[np.argmax(boxes)] = (boxes.max() + 1) // 2
    reach = np.ceil(cutoff * (1 + 1e-9) * boxes / heights)
    reach = np.where(periodic, reach, np.minimum(reach, boxes - 1)).astype(np.int64)
    return boxes, reach


def _nearest(found: Edges, k: int) -> Edges:
    """The first k of every row by distance, and the table of where they end."""
    n, width = found.site.shape
    r = found.positions[found.site] - found.positions[:, None]
    if found.steps is not None:
        r = r + found.steps @ found.cell
    near = np.arange(width) < found.count[:, None]
    square = np.where(near, (r**2).sum(-1), np.inf)
    order = np.argsort(square, axis=1, kind="stable")[:, :k]
    count = np.minimum(found.count, k)
    near = np.arange(order.shape[1]) < count[:, None]
    own = np.arange(n, dtype=np.int32)[:, None]
    site = np.where(near, np.take_along_axis(found.site, order, 1), own)
    steps = found.steps
    if steps is not None:
        steps = np.where(near[..., None], np.take_along_axis(steps, order[..., None], 1), 0)
    return found._replace(site=site, steps=steps, count=count, back=_arriving(site, near))


def _of_tree(box: Box, cutoff: float | None, k: int) -> Edges:
    """The k nearest where nothing is periodic: by a tree, which takes clouds of any density."""
    from scipy.spatial import KDTree

    x = box.positions
    n = len(x)
    limit = np.inf if cutoff is None else cutoff
    if n == 1:
        return _directed(box, np.zeros((1, 1), np.int32), np.zeros((1, 1), bool))
    found = KDTree(x).query(x, min(k, n - 1) + 1, distance_upper_bound=limit)
    distance, site = np.asarray(found[0]), np.asarray(found[1])
    closest = int(np.argmin(distance[:, 1]))
    size = float(np.median(distance[:, 1]))
    other = int(site[closest, 1]) if int(site[closest, 0]) == closest else int(site[closest, 0])
    _refuse_touching(closest, other, float(distance[closest, 1]) ** 2, size)
    near = np.isfinite(distance[:, 1:]) & (distance[:, 1:] < limit)
    return _directed(box, site[:, 1:], near)


def _directed(box: Box, site: np.ndarray, near: np.ndarray) -> Edges:
    """The tables of neighbours that need not see each other."""
    site = np.where(near, site, np.arange(len(site))[:, None]).astype(np.int32)
    count = near.sum(1).astype(np.int32)
    return Edges(box.positions, box.cell, site, None, count, _arriving(site, near), False)


def _arriving(site: np.ndarray, near: np.ndarray) -> np.ndarray:
    """back (n, B): the edges i·K + k that end at each point, n·K beyond the last."""
    n, ends = len(site), site[near]
    edges = np.flatnonzero(near)[np.argsort(ends, kind="stable")]
    count = np.bincount(ends, minlength=n)
    back = np.full((n, max(1, int(count.max()))), site.size, np.int32)
    row = np.repeat(np.arange(n), count)
    back[row, np.arange(len(edges)) - np.repeat(np.cumsum(count) - count, count)] = edges
    return back


def _refuse_touching(i: int, j: int, square: float, scale: float) -> None:
    if square <= (_TOUCHING * scale) ** 2:
        whose = f"points {min(i, j)} and {max(i, j)} at a distance of {square**0.5:.3g}"
        raise fail("positions", "points apart from each other", whose, "is a structure given twice?")
