"""Data that are words: aligned sequences in lists, arrays and tables, as numbers of their letters."""

from __future__ import annotations

from typing import Any

import numpy as np

from intertwine._checks import InputError
from intertwine.data.columns import Table, is_frame
from intertwine.data.sequences import aligned, find_alphabet, levels, without_insertions

LEAST_LETTERS = 5
"""Words of fewer letters, such as yes and nay, are not taken for sequences unless that is asked for."""


def are_words(data: Any) -> bool:
    """Whether `data` are words: a list or an array of text, of one axis, or of two with single letters.

    >>> are_words(["ACGT"]), are_words(np.array([["A", "C"]])), are_words([[0, 1]])
    (True, True, False)
    """
    if isinstance(data, np.ndarray):
        return data.dtype.kind in "US" or (data.dtype == object and _is_text(data.flat))
    if is_frame(data) or hasattr(data, "toarray"):
        return False
    if hasattr(data, "tolist") and not isinstance(data, list | tuple):
        data = data.tolist()  # a series of words
    return isinstance(data, list | tuple) and len(data) > 0 and all(isinstance(x, str) for x in data)


def as_levels(data: Any, alphabet: str | None, name: str) -> tuple[np.ndarray, str, str]:
    """(numbers of letters (n, L), the alphabet, what is to be told of it)."""
    array = np.asarray(data)
    if array.dtype.kind == "S":
        array = array.astype("U")
    texts = [str(x) for x in array.tolist()] if array.ndim == 1 else ["".join(row) for row in array.tolist()]
    texts, inserted = without_insertions(texts)
    sequences = aligned(texts, name)
    found = find_alphabet(sequences, alphabet, name)
    numbers = levels(sequences, found)
    gaps = f", {np.mean(numbers == found.index('-')):.0%} of them gaps" if "-" in found else ""
    note = f"sequences of {numbers.shape[1]} letters of {found!r}{gaps}"
    return numbers, found, note + (f"; {insertions(inserted)}" if inserted else "")


def insertions(count: int) -> str:
    """What is told of `count` letters that were left out."""
    return f"{count} lower-case letters left out as insertions"


def sequence_column(table: Table, variable: str | None, alphabet: str | None) -> list[str] | None:
    """The sequences of a table, where it holds some: a column of words of one length (two letters or more)
    over an alphabet, or columns of single letters; None otherwise.

    >>> columns = [np.array(["a1", "b2"], object), np.array(["AC", "GT"], object)]
    >>> sequence_column(Table(("name", "seq"), columns), None, "dna")
    ['AC', 'GT']
    """
    names = table.names or ()
    least = LEAST_LETTERS if alphabet is None and variable is None else 2
    wanted = None if variable is None else [name.strip() for name in variable.split(",")]
    columns = [
        column
        for k, column in enumerate(table.columns)
        if (wanted is None or (k < len(names) and names[k] in wanted))
    ]
    worded = [column for column in columns if column.dtype == object]
    single = [column for column in worded if all(len(word) == 1 for word in column)]
    if len(single) > 1 and len(single) == len(columns):
        joined = ["".join(row) for row in zip(*single, strict=True)]
        return joined if len(single) >= least and _has_alphabet(joined, alphabet) else None
    if wanted is None and len(columns) - len(worded) > 1:  # at most one column that numbers the rows
        return None
    long = [
        column for column in worded if len({len(word) for word in column}) == 1 and len(column[0]) >= least
    ]
    fit = [list(map(str, column)) for column in long if _has_alphabet(list(map(str, column)), alphabet)]
    return fit[0] if len(fit) == 1 else None


def _has_alphabet(sequences: list[str], alphabet: str | None) -> bool:
    try:
        return bool(find_alphabet(aligned(sequences), alphabet))
    except InputError:
        return False


def _is_text(values: Any) -> bool:
    return all(isinstance(x, str) for x in values)
