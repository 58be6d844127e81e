"""Recognising permutations by their images of a base: the look-ups behind `PermutationGroup`.

A base is a list of sites whose images tell all rows apart. In a group each base site that separates anything
at least doubles the number of classes told apart (orbit-stabiliser), so log2(g) sites suffice; more means:
not a group.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail


def frozen(array: np.ndarray) -> np.ndarray:
    """`array`, made read-only."""
    array.setflags(write=False)
    return array


class ImageIndex(NamedTuple):
    """A trie over images of the base: `tables[k][c, image]` is the class after base site k, c that before."""

    rows: np.ndarray
    base: np.ndarray
    tables: tuple[np.ndarray, ...]
    row_of_class: np.ndarray
    identity: int

    @classmethod
    def build(cls, rows: np.ndarray) -> ImageIndex | None:
        """The index of distinct permutations `rows`, or None where they cannot be a group."""
        g, n = rows.shape
        classes, count = np.zeros(g, np.int64), 1
        base: list[int] = []
        tables: list[np.ndarray] = []
        while count < g:
            order = np.argsort(classes, kind="stable")
            twin = int(np.flatnonzero(classes[order][1:] == classes[order][:-1])[0])
            site = int(np.argmax(rows[order[twin]] != rows[order[twin + 1]]))
            keys, finer = np.unique(classes * n + rows[:, site], return_inverse=True)
            if len(keys) < 2 * count:
                return None
            table = np.full((count + 1, n), len(keys), np.int32)  # the last class: not among the rows
            table.reshape(-1)[keys] = np.arange(len(keys))
            base.append(site)
            tables.append(table)
            classes, count = finer, len(keys)
        row_of_class = np.full(g + 1, -1, np.int32)
        row_of_class[classes] = np.arange(g)
        sites = np.array(base, dtype=np.int64)
        index = cls(rows, sites, tuple(tables), row_of_class, 0)
        identity = int(index.find(sites))
        if identity < 0 or not np.array_equal(rows[identity], np.arange(n)):
            return None
        return index._replace(identity=identity)

    def find(self, images: np.ndarray) -> np.ndarray:
        """Rows with the given images (..., len(base)) of the base, int32 (...); −1 where there is none."""
        classes = np.zeros(images.shape[:-1], np.int32)
        for k, table in enumerate(self.tables):
            classes = table[classes, images[..., k]]
        return self.row_of_class[classes]

    def multiply(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Rows of the products p_left ∘ p_right."""
        classes = np.zeros(np.broadcast_shapes(left.shape, right.shape), np.int32)
        for site, table in zip(self.base, self.tables, strict=True):
            classes = table[classes, self.rows[left, self.rows[right, site]]]
        return self.row_of_class[classes]

    def prove_group(self) -> tuple[tuple[int, ...], tuple[np.ndarray, ...]] | None:
        """Generators S and, for each, the rows of all products x s; None where the rows are no group.

        If X contains e and X s ⊆ X for s in S, then ⟨S⟩ ⊆ X; S grows until ⟨S⟩ = X.
        """
        known = np.zeros(len(self.rows), bool)
        known[self.identity] = True
        generators: list[int] = []
        right: list[np.ndarray] = []
        while not known.all():
            s = int(np.argmin(known))
            moved = self.find(self.rows[:, self.rows[s, self.base]])
            if (moved < 0).any() or not np.array_equal(self.rows[moved], self.rows[:, self.rows[s]]):
                return None
            generators.append(s)
            right.append(moved)
            frontier = np.flatnonzero(known)
            while frontier.size:
                reached = np.unique(np.concatenate([step[frontier] for step in right]))
                frontier = reached[~known[reached]]
                known[frontier] = True
        return tuple(generators), tuple(right)


def components(size: int, maps: list[np.ndarray]) -> np.ndarray:
    """Labels (size,) of the components that bijections `maps` join: the smallest member of each."""
    labels = np.arange(size)
    while True:
        new = labels
        for step in maps:
            joined = np.minimum(new, new[step])
            new = joined.copy()
            np.minimum.at(new, step, joined)
        new = new[new]
        if np.array_equal(new, labels):
            return labels
        labels = new


def generate_rows(generators: np.ndarray, max_order: int) -> np.ndarray | None:
    """All products of the rows of `generators`, identity first; None beyond `max_order`."""
    identity = np.arange(generators.shape[1], dtype=np.int32)
    seen = {identity.tobytes()}
    elements = [identity]
    for element in elements:  # grows while walked
        for generator in generators:
            product = np.ascontiguousarray(element[generator])
            if product.tobytes() not in seen:
                if len(elements) >= max_order:
                    return None
                seen.add(product.tobytes())
                elements.append(product)
    return np.array(elements, dtype=np.int32)


def checked_rows(rows: ArrayLike, argument: str = "permutations", distinct: bool = True) -> np.ndarray:
    """`rows` as read-only int32 (g, N) whose rows are (distinct) permutations, or `InputError`."""
    try:
        array = np.asarray(rows)
    except ValueError:
        array = np.empty(0, object)
    if array.ndim != 2 or array.size == 0 or not np.issubdtype(array.dtype, np.integer):
        got = f"shape {array.shape} of {array.dtype}"
        raise fail(argument, "an integer array of shape (g, N), one row per element", got)
    n = int(np.shape(array)[-1])
    seen = np.zeros(array.shape, bool)
    seen[np.arange(len(array))[:, None], np.clip(array, 0, n - 1)] = True
    valid = seen.all(axis=1) & (array.min(axis=1) >= 0) & (array.max(axis=1) < n)
    if not valid.all():
        row = int(np.argmin(valid))
        got = f"row {row} = {array[row].tolist()}"
        raise fail(argument, f"rows that are permutations of 0..{n - 1}", got)
    array = np.array(array, dtype=np.int32, order="C")
    if distinct:
        number = len({row.tobytes() for row in array})
        if number < len(array):
            raise fail(argument, "distinct rows", f"{len(array) - number} duplicate rows", "drop them")
    return frozen(array)
