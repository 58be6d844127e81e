"""Rows of a table of tests, some of them slow."""

from collections.abc import Iterable
from typing import Any

import pytest


def thinned(rows: Iterable[Any], keep: int = 2) -> list[Any]:
    """`rows` for `parametrize`, one in `keep` of them quick, the others slow: rows of one law that differ in
    a number or a type, where one law for all is what is tested.

    >>> [len(row.marks) for row in thinned("abc")]
    [0, 1, 0]
    """
    slow = pytest.mark.slow
    given = (row if isinstance(row, tuple) else (row,) for row in rows)
    return [pytest.param(*row, marks=() if k % keep == 0 else slow) for k, row in enumerate(given)]
