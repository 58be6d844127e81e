"""Labelled data as they come in: checked once at the edge, with one clear line for what cannot be learned."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.data.labels import as_words
from intertwine.learning.batches import blocks, host_array

_SUM_TOLERANCE = 1e-3


class Labelled(NamedTuple):
    """x: (rows, ...) as stored. y: labels int32 (rows,) or (rows, *places), probabilities (rows, C), or
    values (rows, K)."""

    x: np.ndarray
    y: np.ndarray

    def take(self, rows: np.ndarray) -> Labelled:
        return Labelled(self.x[rows], self.y[rows])


def examples(x: ArrayLike, argument: str = "x") -> np.ndarray:
    """`x` as an array (rows, ...) of finite numbers; a memory map stays one.

    >>> examples([[0.0, float("nan")]])
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: x: expected finite numbers, got nan at (0, 1).
    """
    array = host_array(x, argument)
    if array.ndim < 2:
        raise fail(argument, "rows of columns", f"shape {array.shape}", "give x[:, None] for one column")
    if array.dtype.kind == "f":
        for begin, rows in blocks(array):
            bad = ~np.isfinite(rows)
            if bad.any():
                where = np.argwhere(bad)[0]
                shown = tuple(int(i) for i in (where[0] + begin, *where[1:]))
                raise fail(argument, "finite numbers", f"{rows[tuple(where)]} at {shown}")
    return array


def labelled(
    x: ArrayLike,
    y: ArrayLike,
    outputs: int,
    *,
    classes: bool,
    argument: tuple[str, str] = ("x", "y"),
    places: tuple[int, ...] = (),
) -> Labelled:
    """Checked data for a network of `outputs` outputs: for classes, or for values. places: where each example
    has a label at every place, the shape of these.

    Raises InputError for no rows, numbers that are not finite, missing labels, labels outside 0 … C−1,
    probabilities that do not add up to 1, and lengths that differ.

    >>> labelled([[0.0], [1.0]], [0, 2], 2, classes=True)
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: y: expected labels from 0 to 1, one for each of the 2 outputs, got 2 at
    row 1.
    """
    x = examples(x, argument[0])
    if y is None:
        raise fail(argument[1], f"labels, one for each of the {len(x)} rows", "None")
    if as_words(y) is not None:
        raise fail(argument[1], "labels as numbers", "words", "networks of known class names take words")
    y = host_array(y, argument[1])
    if len(y) != len(x):
        raise fail(argument[1], f"{len(x)} rows, as {argument[0]} has", len(y))
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        row = int(np.argwhere(~np.isfinite(y))[0][0])
        raise fail(argument[1], "finite numbers", f"{y[row]} at row {row}", "are labels missing?")
    if not classes:
        return Labelled(x, _values(y, outputs, argument[1]))
    if not places:
        return Labelled(x, _classes(y, outputs, argument[1]))
    if y.shape[1:] != places:
        raise fail(argument[1], f"labels (rows, {', '.join(map(str, places))})", f"shape {y.shape}")
    return Labelled(x, _classes(y.reshape(-1), outputs, argument[1]).reshape(y.shape))


def _classes(y: np.ndarray, outputs: int, argument: str) -> np.ndarray:
    if y.ndim == 2 and y.shape[1] == outputs and outputs > 1:
        bad = (y < 0).any(1) | (np.abs(y.sum(1) - 1) > _SUM_TOLERANCE)
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise fail(argument, "class probabilities ≥ 0 that add up to 1", f"{y[row]} at row {row}")
        return y if y.dtype.kind == "f" else y.astype(np.float32)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        raise fail(argument, f"labels (rows,) or class probabilities (rows, {outputs})", f"shape {y.shape}")
    bad = (y != np.floor(y)) | (y < 0) | (y >= outputs) if y.dtype.kind == "f" else (y < 0) | (y >= outputs)
    if y.dtype.kind != "b" and bad.any():
        row = int(np.flatnonzero(bad)[0])
        expected = f"labels from 0 to {outputs - 1}, one for each of the {outputs} outputs"
        raise fail(argument, expected, f"{y[row]} at row {row}")
    return y.astype(np.int32)


def _values(y: np.ndarray, outputs: int, argument: str) -> np.ndarray:
    flat = y.reshape(len(y), -1)
    if flat.shape[1] != outputs:
        raise fail(argument, f"{outputs} values per row, as the network has outputs", f"shape {y.shape}")
    return flat if flat.dtype.kind == "f" else flat.astype(np.float32)
