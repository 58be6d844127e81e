"""Which units the values of an array are, and the array as rows in those units.

{0, 1} binary    {−1, 1} spin    bytes that reach 32, or [0, 1], binary, grey    whole numbers 0 … q−1
potts:q, one of q columns being 1    any real number gaussian, standardised    nan stays nan: missing
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jax.typing import DTypeLike

from intertwine._checks import fail
from intertwine.data.values import Values, blocks

LEAST_GREY = 32
"""Bytes below this are not taken for grey unless that is asked for: they number kinds or levels."""

_UNITS = "'binary', 'spin', 'gaussian', 'potts' or 'potts:q' of q states"


def find_units(name: str, rows: np.ndarray, values: Values, wanted: str | None) -> tuple[str, bool]:
    """(units, grey) of the values, or the error that they do not fit the units that were asked for."""
    byte, unit = rows.dtype == np.uint8, values.low >= 0 and values.high <= 1
    greyish = not values.binary and (byte or unit)
    if wanted is None:
        if values.binary:
            return "binary", False
        if values.spin:
            return "spin", False
        levels = byte and values.high < LEAST_GREY
        return ("binary", True) if greyish and not levels else ("gaussian", False)
    found = f"values from {values.low:g} to {values.high:g}"
    if wanted == "binary" and (values.binary or values.spin or greyish):
        return "binary", greyish
    if wanted == "spin" and (values.binary or values.spin):
        return "spin", False
    if wanted == "gaussian":
        return "gaussian", False
    if wanted in ("binary", "spin"):
        expected = (
            "values 0 and 1, ±1, or grey in [0, 1] or bytes" if wanted == "binary" else "values ±1 or 0, 1"
        )
        raise fail(name, f"{expected} for {wanted} units", found, "take other units, or scale the data")
    if wanted == "potts" and values.integer and values.low >= 0 and values.high <= 255:
        return f"potts:{max(2, int(values.high) + 1)}", False
    kind, _, states = wanted.partition(":")
    states = states or "256"
    if kind != "potts" or not states.isascii() or not states.isdigit() or not 2 <= int(states[:4]) <= 256:
        raise fail("units", _UNITS, repr(wanted), "with q from 2 to 256, for example 'potts:4'")
    if not values.integer or values.low < 0 or values.high >= int(states):
        raise fail(
            name, f"whole numbers from 0 to {int(states) - 1} for {wanted} units", found, "take other units"
        )
    return f"potts:{int(states)}", False


def converter(
    kind: str, grey: bool, values: Values, offset: Any, scale: Any
) -> Callable[[np.ndarray], np.ndarray]:
    """Rows as read → rows as kept. What fits already is not copied: a memory map stays one."""

    def convert(rows: np.ndarray) -> np.ndarray:
        if rows.dtype == bool:
            rows = rows.view(np.uint8)
        if kind == "gaussian":
            return _by_block(rows, np.float32, lambda x: (x - offset) / scale)
        if kind.startswith("potts"):
            return _one_hot(rows, int(kind.partition(":")[2]))
        if rows.dtype.kind == "f" and np.isnan(rows).any():
            up, down = values.spin and not values.binary, values.binary and not values.spin
            if kind == "binary" and up and not grey:
                return _by_block(rows, np.float32, lambda x: (x + 1) / 2)
            return _by_block(rows, np.float32, lambda x: 2 * x - 1 if kind == "spin" and down else x)
        if grey:
            return rows if rows.dtype == np.uint8 else _by_block(rows, np.uint8, lambda x: np.rint(x * 255.0))
        if kind == "binary" and values.spin and not values.binary:
            return _by_block(rows, np.uint8, lambda x: x > 0)
        if kind == "spin" and values.binary and not values.spin:
            return _by_block(rows, np.int8, lambda x: np.where(x > 0, 1, -1))
        if isinstance(rows, np.memmap) or rows.dtype in (np.int8, np.uint8):
            return rows
        return rows.astype(np.uint8 if kind == "binary" else np.int8)

    return convert


def _by_block(rows: np.ndarray, dtype: DTypeLike, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    kept, begin = np.empty(rows.shape, dtype), 0
    for block in blocks(rows):
        kept[begin : begin + len(block)] = change(block)
        begin += len(block)
    return kept


def _one_hot(rows: np.ndarray, states: int) -> np.ndarray:
    """(n, N) levels → (n, N·q) columns, one of each q being 1."""
    kept, begin = np.zeros((*rows.shape, states), np.uint8), 0
    if rows.dtype.kind == "f" and (gone := np.isnan(rows)).any():
        known = _one_hot(np.where(gone, 0, rows), states).reshape(kept.shape)
        return np.where(gone[..., None], np.float32(np.nan), known).reshape(len(rows), -1)
    for block in blocks(rows):
        np.put_along_axis(kept[begin : begin + len(block)], block.astype(np.intp)[..., None], 1, axis=-1)
        begin += len(block)
    return kept.reshape(len(rows), -1)
