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
    missing: how many entries are nan, which count for nothing else.
    """

    low: float
    high: float
    integer: bool
    binary: bool
    spin: bool
    constant: int
    mean: np.ndarray
    deviation: np.ndarray
    missing: int = 0


def blocks(rows: np.ndarray) -> Iterator[np.ndarray]:
    """The rows, about 16 MB at a time."""
    step = max(1, BLOCK_BYTES // max(1, rows.itemsize * int(np.prod(rows.shape[1:]))))
    for begin in range(0, len(rows), step):
        yield rows[begin : begin + step]


def examine(argument: str, rows: np.ndarray) -> Values:
    """`Values` of `rows` (n, N), nan being a missing entry; `InputError` at the first infinite value, with
    its place, and for a column without any value.

    >>> examine("data", np.array([[0, 1], [1, 1]], np.uint8))[:6]
    (0.0, 1.0, True, True, False, 1)
    >>> examine("data", np.array([[0.0, 1.0], [np.nan, -1.0]])).missing
    1
    """
    columns = rows.shape[1]
    low, high = np.full(columns, np.inf), np.full(columns, -np.inf)
    total, squares, there = np.zeros(columns), np.zeros(columns), np.zeros(columns)
    integer = binary = spin = True
    seen = 0
    for block in blocks(rows):
        numbers = block.view(np.uint8) if block.dtype == bool else block
        gone: Any = False
        if block.dtype.kind == "f":
            _check_finite(argument, block, seen)
            gone = np.isnan(block)
            integer = integer and bool(((block == np.rint(block)) | gone).all())
            numbers = np.where(gone, 0, block) if gone.any() else block
        if np.any(gone):
            low = np.minimum(low, np.where(gone, np.inf, numbers).min(0))
            high = np.maximum(high, np.where(gone, -np.inf, numbers).max(0))
        else:
            low, high = np.minimum(low, numbers.min(0)), np.maximum(high, numbers.max(0))
        there += len(block) - np.sum(gone, axis=0)
        total += numbers.sum(0, dtype=np.float64)
        squares += np.einsum("ij,ij->j", numbers, numbers, dtype=np.float64, casting="unsafe")
        binary = binary and bool(((numbers == 0) | (numbers == 1) | gone).all())
        spin = spin and integer and bool(((np.abs(numbers.astype(np.int8)) == 1) | gone).all())
        seen += len(block)
    if not there.all():
        place = int(np.flatnonzero(there == 0)[0])
        raise fail(argument, "a value in every column", f"none in column {place}", "leave such columns out")
    mean = total / there
    deviation = np.sqrt(np.maximum(squares / there - mean**2, 0.0))
    constant, missing = int((low == high).sum()), int(seen * columns - there.sum())
    return Values(
        float(low.min()), float(high.max()), integer, binary, spin, constant, mean, deviation, missing
    )


def _check_finite(argument: str, block: np.ndarray, before: int) -> None:
    bad = np.isinf(block)
    if bad.any():
        row, column = (int(i) for i in np.argwhere(bad)[0])
        what = f"{block[row, column]} in row {before + row}, column {column}"
        raise fail(
            argument, "finite numbers, or nan for missing ones", what, "take such rows out, or fill them in"
        )


def check_real(argument: str, array: np.ndarray) -> np.ndarray:
    """`array` if it holds real numbers or truth values; `InputError` for words, objects, complex numbers."""
    dtype = getattr(array, "dtype", None)
    if dtype is None or dtype.kind not in "biuf" or dtype.itemsize > 8:
        remedy = "save plain numbers of one length a row, for example with numpy.save"
        raise fail(argument, "an array of real numbers", f"one of type {dtype}", remedy)
    return array
