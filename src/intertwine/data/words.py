"""Data that are words: aligned sequences in lists, arrays and tables, as numbers of their letters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from intertwine._checks import InputError
from intertwine.data.columns import Table, is_frame
from intertwine.data.formats.sequences import ALPHABETS, aligned, find_alphabet, levels, without_insertions

LEAST_LETTERS = 5
"""Words of fewer letters, such as yes and nay, are not taken for sequences unless that is asked for."""
KIND_ROWS = 4
"""Words of proteins' letters that come so often each, such as small and large, name kinds: they are not
taken for sequences unless that is asked for."""


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


class SequenceColumn(NamedTuple):
    """words: aligned sequences, one per row. notes: what was left out beside them."""

    words: list[str]
    notes: tuple[str, ...]


def sequence_column(
    table: Table, variable: str | None, alphabet: str | None, labels: str | None = None
) -> SequenceColumn | None:
    """The sequences of a table, where it holds some: a column of words of one length (two letters or more)
    over an alphabet, or columns of single letters; None otherwise. The column `labels` is none of them.

    >>> columns = [np.array(["a1", "b2"], object), np.array(["AC", "GT"], object)]
    >>> sequence_column(Table(("name", "seq"), columns), None, "dna")
    SequenceColumn(words=['AC', 'GT'], notes=("columns beside the sequences left out: 'name'",))
    """
    guessed = alphabet is None and variable is None
    least = LEAST_LETTERS if guessed else 2
    wanted = None if variable is None else [name.strip() for name in variable.split(",")]
    named = dict(enumerate(table.names or ()))
    columns = {
        k: column
        for k, column in enumerate(table.columns)
        if (wanted is None or named.get(k) in wanted) and (labels is None or named.get(k) != labels)
    }
    worded = {k: column for k, column in columns.items() if column.dtype == object}
    single = [column for column in worded.values() if all(len(word) == 1 for word in column)]
    if len(single) > 1 and len(single) == len(columns):
        joined = ["".join(row) for row in zip(*single, strict=True)]
        if len(single) < least or not _has_alphabet(joined, alphabet):
            return None
        return SequenceColumn(joined, ())
    if wanted is None and len(columns) - len(worded) > 1:  # at most one column that numbers the rows
        return None
    fit = {}
    for k, column in worded.items():
        words = list(map(str, column))
        if (
            len({len(word) for word in words}) == 1
            and len(words[0]) >= least
            and _has_alphabet(words, alphabet)
            and not (guessed and _name_kinds(words))
        ):
            fit[k] = words
    if len(fit) != 1:
        return None
    ((chosen, words),) = fit.items()
    beside = [repr(named.get(k, str(k + 1))) for k in columns if k != chosen]
    notes = (f"columns beside the sequences left out: {', '.join(beside)}",) if beside else ()
    return SequenceColumn(words, notes)


def _name_kinds(words: list[str]) -> bool:
    """Whether `words` are few that come again and again, of proteins' letters, which English has as well."""
    return KIND_ROWS * len(set(words)) <= len(words) and find_alphabet(aligned(words)) == ALPHABETS["protein"]


def _has_alphabet(sequences: list[str], alphabet: str | None) -> bool:
    try:
        return bool(find_alphabet(aligned(sequences), alphabet))
    except InputError:
        return False


def _is_text(values: Iterable[object]) -> bool:
    return all(isinstance(x, str) for x in values)
