"""Reading a product table: whether it is a Latin square with an identity, and what generates it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.symmetry._images import frozen

MOST_ELEMENTS = 20_000


def checked_table(table: ArrayLike) -> np.ndarray:
    """`table` as read-only int32 (g, g), a Latin square of 0..g−1, or `InputError`."""
    array = np.asarray(table)
    square = array.ndim == 2 and array.shape[0] == array.shape[1] and array.size > 0
    if not square or not np.issubdtype(array.dtype, np.integer):
        raise fail("product_table", "integers of shape (g, g)", f"shape {array.shape} of {array.dtype}")
    if len(array) > MOST_ELEMENTS:
        raise fail("product_table", f"at most {MOST_ELEMENTS} elements", len(array))
    for rows, word in ((array, "row"), (array.T, "column")):
        wrong = np.flatnonzero((np.sort(rows, axis=1) != np.arange(len(rows))).any(axis=1))
        if wrong.size:
            got = f"{word} {wrong[0]} = {rows[wrong[0]].tolist()}"
            raise fail(
                "product_table",
                "every element once in each row and column",
                got,
                "a group's table is a Latin square",
            )
    return frozen(np.array(array, dtype=np.int32, order="C"))


def identity_of(table: np.ndarray) -> int:
    """The row e with e x = x e = x, or `InputError`."""
    everything = np.arange(len(table))
    left = np.flatnonzero((table == everything).all(axis=1) & (everything == table.T).all(axis=1))
    if len(left) != 1:
        raise fail("product_table", "an identity e with e x = x e = x", "none")
    return int(left[0])


def closure(table: np.ndarray, identity: int, rows: np.ndarray) -> np.ndarray:
    """Which elements (g,) products of `rows` reach."""
    known = np.zeros(len(table), bool)
    known[identity] = True
    frontier = np.array([identity])
    while frontier.size and rows.size:
        reached = np.unique(table[frontier[:, None], rows])
        frontier = reached[~known[reached]]
        known[frontier] = True
    return known


def generating(table: np.ndarray, identity: int) -> tuple[int, ...]:
    """A small set of elements whose products are all."""
    generators: list[int] = []
    known = closure(table, identity, np.array(generators, dtype=np.int64))
    while not known.all():
        generators.append(int(np.argmin(known)))
        known = closure(table, identity, np.array(generators))
    return tuple(generators)
