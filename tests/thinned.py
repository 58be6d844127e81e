"""Rows of a table of tests, some of them slow."""

from collections.abc import Iterable
from typing import Any

import pytest


def thinned(rows: Iterable[Any], keep: int = 2) -> list[Any]:
    """`rows` for `parametrize`, one in `keep` of them quick, the others slow: rows of one law that differ in
    a number or a type, where one law for all is what is tested. A row with marks of its own stays as it is.

    >>> [len(row.marks) for row in thinned("abc")]
    [0, 1, 0]
    """
    quick_or_slow = ((), pytest.mark.slow)

    def marked(row: Any, k: int) -> Any:
        if hasattr(row, "marks"):
            return row
        return pytest.param(*(row if isinstance(row, tuple) else (row,)), marks=quick_or_slow[k % keep != 0])

    return [marked(row, k) for k, row in enumerate(rows)]
