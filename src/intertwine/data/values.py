"""What the values of an array are: one pass over its rows, a block at a time, so that memory maps stay on
disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from intertwine._checks import fail

BLOCK_BYTES = 1 << 24


class Values(NamedTuple):
    """low, high: the extremes. integer: all whole numbers. binary: all 0 or 1. spin: all −1 or 1.
    constant: how many columns have one value only. mean, deviation: of each column, float64.
    """

    low: float
    high: float
    integer: bool
    binary: bool
    spin: bool
    constant: int
    mean: np.ndarray
    deviation: np.ndarray


def blocks(rows: np.ndarray) -> Iterator[np.ndarray]:
    """The rows, about 16 MB at a time."""
    step = max(1, BLOCK_BYTES // max(1, rows.itemsize * int(np.prod(rows.shape[1:]))))
    for begin in range(0, len(rows), step):
        yield rows[begin : begin + step]


def examine(argument: str, rows: np.ndarray) -> Values:
    """`Values` of `rows` (n, N); `InputError` at the first value that is not finite, with its place.

    >>> examine("data", np.array([[0, 1], [1, 1]], np.uint8))[:6]
    (0.0, 1.0, True, True, False, 1)
    """
    columns = rows.shape[1]
    low, high = np.full(columns, np.inf), np.full(columns, -np.inf)
    total, squares = np.zeros(columns), np.zeros(columns)
    integer = binary = spin = True
    seen = 0
    for block in blocks(rows):
        if block.dtype.kind == "f":
            _check_finite(argument, block, seen)
            integer = integer and bool((block == np.rint(block)).all())
        numbers = block.view(np.uint8) if block.dtype == bool else block
        low, high = np.minimum(low, numbers.min(0)), np.maximum(high, numbers.max(0))
        total += numbers.sum(0, dtype=np.float64)
        squares += np.einsum("ij,ij->j", numbers, numbers, dtype=np.float64, casting="unsafe")
        binary = binary and bool(((numbers == 0) | (numbers == 1)).all())
        spin = spin and bool((np.abs(numbers.astype(np.int8) if spin and integer else numbers) == 1).all())
        seen += len(block)
    mean = total / seen
    deviation = np.sqrt(np.maximum(squares / seen - mean**2, 0.0))
    constant = int((low == high).sum())
    return Values(float(low.min()), float(high.max()), integer, binary, spin, constant, mean, deviation)


def _check_finite(argument: str, block: np.ndarray, before: int) -> None:
    bad = ~np.isfinite(block)
    if bad.any():
        row, column = (int(i) for i in np.argwhere(bad)[0])
        what = f"{block[row, column]} in row {before + row}, column {column}"
        raise fail(argument, "finite numbers", what, "take such rows out, or fill them in")


def check_real(argument: str, array: Any) -> np.ndarray:
    """`array` if it holds real numbers or truth values; `InputError` for words, objects, complex numbers."""
    dtype = getattr(array, "dtype", None)
    if dtype is None or dtype.kind not in "biuf" or dtype.itemsize > 8:
        remedy = "save plain numbers of one length a row, for example with numpy.save"
        raise fail(argument, "an array of real numbers", f"one of type {dtype}", remedy)
    return array
