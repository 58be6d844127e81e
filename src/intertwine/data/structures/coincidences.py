"""Points on top of each other, and frames that come twice."""

from __future__ import annotations

import hashlib

import numpy as np
from scipy.spatial import KDTree

from intertwine._checks import fail
from intertwine.data.structures.structures import Structures

NEAREST = 1e-3
"""Å: atoms and residues nearer than this are the same."""
_FEW = 48
_AT_ONCE = 1 << 22


def check_coincidences(where: str, structures: Structures) -> None:
    """Raise InputError, called `where`, for two points of one structure on top of each other, also by way of
    a periodic cell: nearer than 0.001 Å, or, where the unit of length is unknown, at the same place."""
    nearest = NEAREST if structures.kind != "points" else 0.0
    for pair in _pairs(structures, nearest):
        first, second = structures.place(pair[0]), structures.place(pair[1])
        remedy = "leave one of them out (alternate locations, or periodic images written twice)"
        raise fail(where, "points apart from each other", f"{first} on top of {second}", remedy)


def _pairs(structures: Structures, nearest: float):
    sizes = structures.sizes
    for size in np.unique(sizes[sizes <= _FEW]):
        rows = np.flatnonzero(sizes == size)
        at_once = max(1, _AT_ONCE // int(size) ** 2)
        first, second = np.triu_indices(int(size), 1)
        for begin in range(0, len(rows), at_once) if size > 1 else ():
            part = rows[begin : begin + at_once]
            points = structures.offsets[part][:, None] + np.arange(size)
            x = structures.positions[points]
            between = _shortest(x[:, first] - x[:, second], structures, part)
            found = np.argwhere(np.linalg.norm(between, axis=-1) <= nearest)
            if found.size:
                row, pair = found[0]
                yield int(points[row, first[pair]]), int(points[row, second[pair]])
    for row in np.flatnonzero(sizes > _FEW):
        begin = int(structures.offsets[row])
        one = structures[int(row)]
        x, reach, box = one.positions, max(nearest, 1e-300), None
        if one.cell is not None and one.periodic.any():
            cell = np.where(one.cell.any(axis=1, keepdims=True), one.cell, np.eye(structures.dimension))
            x = x @ np.linalg.inv(cell)
            x = np.where(one.periodic, x - np.floor(x), x)
            x = np.where(one.periodic & (x >= 1), 0.0, x)  # rounding of small negative numbers
            box = np.where(one.periodic, 1.0, 0.0)
            reach = (nearest + 1e-9) / np.linalg.svd(cell, compute_uv=False).min()
        if box is not None:
            reach = min(reach, 0.25)
        for i, j in KDTree(x, boxsize=box).query_pairs(reach, output_type="ndarray"):
            between = one.positions[None, [i]] - one.positions[None, [j]]
            if np.linalg.norm(_shortest(between, structures, np.array([row]))) <= nearest:
                yield begin + int(i), begin + int(j)


def _shortest(between: np.ndarray, structures: Structures, rows: np.ndarray) -> np.ndarray:
    """Differences (S, pairs, d) less whole steps of the cells: exact for those that nearly vanish."""
    if structures.cells is None:
        return between
    cells, periodic = structures.cells[rows], structures.periodic[rows]
    filled = np.where(cells.any(axis=2, keepdims=True), cells, np.eye(structures.dimension))
    inside = between @ np.linalg.inv(filled)
    steps = np.where(periodic[:, None, :], np.rint(inside), 0.0)
    return between - steps @ filled


def repeated_frames(structures: Structures) -> int:
    """How many structures are those of another before them, in species, positions and cell."""
    seen, again = set(), 0
    for k, one in enumerate(structures):
        found = hashlib.blake2b(one.positions.tobytes(), digest_size=16)
        found.update(one.species.tobytes())
        found.update(b"" if structures.cells is None else structures.cells[k].tobytes())
        again += found.digest() in seen
        seen.add(found.digest())
    return again
