"""Data in memory as one plain array: lists, data frames, masked arrays, sparse matrices.

A masked entry and a missing value of a data frame become nan, which stands for "not known" wherever data are
learnt (`sampling.missing`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from intertwine._checks import fail
from intertwine._memory import check_memory
from intertwine.data.columns import is_frame, table_of


def as_array(data: Any, argument: str = "data") -> np.ndarray:
    """`data` as an array, not copied if it is a plain one already; nan where an entry is masked or missing.

    Raises `InputError` for data frames with columns of words, sparse matrices that do not fit the memory, and
    what is no array of one length a row.

    >>> as_array(np.ma.masked_equal([[0, 1], [9, 1]], 9)).tolist()
    [[0.0, 1.0], [nan, 1.0]]
    """
    if isinstance(data, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(data)
        return np.where(mask, np.nan, data.data) if mask.any() else np.asarray(data.data)
    if isinstance(data, np.ndarray):
        return data
    if is_frame(data):
        table = table_of(data)
        for name, column in zip(table.names or (), table.columns, strict=True):
            if column.dtype == object:
                remedy = "leave it out, or let it.data.Dataset.of(frame) take it for labels"
                raise fail(argument, "columns of numbers", f"words in column {name!r}", remedy)
        return np.column_stack(table.columns) if table.columns else np.zeros((len(data), 0))
    if hasattr(data, "toarray"):
        count = 1.0
        for extent in data.shape:
            count *= extent
        check_memory(count * np.dtype(data.dtype).itemsize, "give fewer rows", argument)
        return np.asarray(data.toarray())
    try:
        return np.asarray(data)
    except (TypeError, ValueError) as error:
        raise fail(argument, "an array of numbers", type(data).__name__, str(error)) from None


def is_missing(values: np.ndarray) -> np.ndarray:
    """Where entries are nan: (…) of booleans; nowhere in whole numbers.

    >>> is_missing(np.array([0.0, np.nan])).tolist()
    [False, True]
    """
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, bool)
