"""Named columns as rows to learn from: which are numbers, which number or name the rows, which are labels.

    a column of words, each once            names of the rows, left out
    0, 1, 2, … or 1, 2, 3, … down the rows,
    or whole numbers, each once, called id  numbers of the rows, left out
    a column of words that come again,
    or whole numbers called label or class  labels
    true and false                          1 and 0
    10%, all of a column                    0.1
    everything else that is a number        data; empty, NA, nan, null, ?: missing (nan)

Whatever is left out or taken for something is told in `Read.notes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from intertwine._checks import fail

MISSING = ("", "na", "n/a", "#n/a", "nan", "-nan", "null", "none", "<na>", "nat", "?", "missing")
"""Words, in lower case, that stand for a value that is not there."""

_TRUTH = {"true": 1.0, "false": 0.0}
_UNNAMED = {"", "unnamed: 0"}
"""Names of the column in which an index is written, whatever its numbers."""
_NUMBERING = {
    "id", "ids", "index", "idx", "row", "rowid", "row_id", "row_number", "rownames", "no", "no.", "nr",
    "number", "sample_id",
}  # fmt: skip
_LABELLING = {"label", "labels", "class", "target"}
_LEAST_NUMBERED = 4
"""So many rows must be numbered before a column without a telling name is taken for their numbers."""


class Table(NamedTuple):
    """names: of the columns, or None where the table has none. columns: each float64[n], nan where missing,
    or an array of words (dtype object)."""

    names: tuple[str, ...] | None
    columns: list[np.ndarray]


class Read(NamedTuple):
    """rows: float64 (n, N). names: of the N columns, or None. labels: int64[n] or None, numbers of `classes`
    where those were words. notes: what was left out, and why."""

    rows: np.ndarray
    names: tuple[str, ...] | None
    labels: np.ndarray | None
    classes: tuple[str, ...] | None
    notes: tuple[str, ...]


def parsed(words: Sequence[str] | np.ndarray) -> np.ndarray:
    """A column of words as float64, nan where missing, or as it is (dtype object) where it holds words.

    >>> parsed(["1", "", "2.5"]).tolist(), parsed(["True", "False"]).tolist(), parsed(["a", "1"]).tolist()
    ([1.0, nan, 2.5], [1.0, 0.0], ['a', '1'])
    """
    text = np.array([str(word).strip() for word in words], dtype=str)
    lower = np.char.lower(text)
    missing = np.isin(lower, MISSING)
    there = lower[~missing]
    found = np.full(len(text), np.nan)
    if there.size and np.isin(there, list(_TRUTH)).all():
        found[~missing] = [_TRUTH[word] for word in there]
        return found
    shares = there.size > 0 and all(word.endswith("%") for word in there)
    try:
        found[~missing] = (np.char.rstrip(there, "% ") if shares else there).astype(np.float64)
        found /= 100 if shares else 1
    except ValueError:
        return text.astype(object)
    return found


def interpreted(
    table: Table, argument: str, *, variable: str | None = None, labels: str | None = None
) -> Read:
    """What the columns of `table` are. variable: the names of the columns to learn, separated by commas.
    labels: the name of the column of labels.

    Raises `InputError` for words among numbers, several columns of words, and names that are not there.

    >>> table = Table(("", "a", "b"), [np.arange(4.0), np.array([0.0, 1, 1, 0]), np.array([1.0, 1, 0, 0])])
    >>> interpreted(table, "data").names
    ('a', 'b')
    """
    names = table.names
    kept, notes = list(range(len(table.columns))), []
    label = _place(argument, names, labels, "labels") if labels is not None else None
    if variable is not None:
        kept = [_place(argument, names, name.strip(), "variable") for name in variable.split(",")]
    else:
        kept = [place for place in kept if place != label]
        unnamed = [k for k in kept if _name(names, k) in ("", None) and k > 0]
        empty = [k for k in unnamed if _is_empty(table.columns[k])]  # of a separator at the end of each line
        kept = [k for k in kept if k not in empty]
        numbering = [k for k in kept if len(kept) > 1 and _numbers_rows(table.columns[k], _name(names, k))]
        kept = [k for k in kept if k not in numbering]
        worded = [k for k in kept if table.columns[k].dtype == object]
        naming = [
            k for k in worded if len(kept) > len(worded) and _names_rows(table.columns[k], _name(names, k))
        ]
        kept = [k for k in kept if k not in naming]
        for k in (*numbering, *naming):
            what = "the rows' numbers" if k in numbering else "names of the rows"
            notes.append(f"{_called(names, k)} was taken for {what} and left out")
        if label is None:
            label = _label_among(table, kept)
            if label is not None:
                kept.remove(label)
                notes.append(f"{_called(names, label)} was taken for labels and left out of the rows")
    if not kept:
        raise fail(argument, "columns of numbers", "none", "give at least one column to learn")
    for k in kept:
        if table.columns[k].dtype == object:
            raise _words_among_numbers(argument, table, k)
    found, classes = (None, None) if label is None else _labels(argument, table.columns[label])
    if classes is not None:
        shown = ", ".join(f"{name} = {number}" for number, name in enumerate(classes[:8]))
        notes.append(f"labels: {shown}{', …' if len(classes) > 8 else ''}")
    rows = np.column_stack([table.columns[k] for k in kept])
    chosen = None if names is None else tuple(names[k] for k in kept)
    return Read(rows, chosen, found, classes, tuple(notes))


def table_of(frame: Any) -> Table:
    """A data frame (pandas; or anything with `to_pandas`, such as polars) as a table; its index is no
    column."""
    frame = frame if hasattr(frame, "iloc") else frame.to_pandas()
    names = tuple(str(name) for name in frame.columns)
    return Table(names, [_column(frame.iloc[:, k]) for k in range(frame.shape[1])])


def column_of(table: Table, wanted: str, argument: str) -> np.ndarray:
    """The column of labels that `wanted` names; `InputError` where there is none."""
    return table.columns[_place(argument, table.names, wanted, "labels")]


def is_frame(data: object) -> bool:
    """Whether `data` is a table with named columns, such as a pandas or polars data frame."""
    pandas_like = hasattr(data, "iloc") and hasattr(data, "columns")
    return pandas_like or (hasattr(data, "to_pandas") and hasattr(data, "columns"))


def _column(series: Any) -> np.ndarray:
    kind = getattr(series.dtype, "kind", "O")
    if kind in "biuf":
        # pandas' own types with missing values have the same kinds
        return np.asarray(series.to_numpy(dtype=np.float64, na_value=np.nan))
    values = series.astype(object)
    return parsed(["" if gone else str(value) for value, gone in zip(values, series.isna(), strict=True)])


def _name(names: tuple[str, ...] | None, k: int) -> str | None:
    return None if names is None else names[k].strip().lower()


def _called(names: tuple[str, ...] | None, k: int) -> str:
    return f"column {k + 1}" + (f" ({names[k]!r})" if names is not None and names[k].strip() else "")


def _place(argument: str, names: tuple[str, ...] | None, wanted: str, setting: str) -> int:
    if names is None:
        remedy = "give the table a first line with the names of its columns"
        raise fail(setting, f"nothing for {argument}, whose columns have no names", repr(wanted), remedy)
    if wanted not in names:
        listed = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
        raise fail(setting, f"a column of {argument} ({listed})", repr(wanted), "give one of them")
    return names.index(wanted)


def _is_empty(column: np.ndarray) -> bool:
    return column.dtype != object and bool(np.isnan(column).all())


def _numbers_rows(column: np.ndarray, name: str | None) -> bool:
    if column.dtype == object or np.isnan(column).any() or (column != np.rint(column)).any():
        return False
    if name in _UNNAMED:
        return True
    if name in _NUMBERING:
        return len(np.unique(column)) == len(column)
    counted = np.arange(len(column))
    return len(column) >= _LEAST_NUMBERED and bool((column == counted).all() or (column == counted + 1).all())


def _names_rows(column: np.ndarray, name: str | None) -> bool:
    each_once = len(set(column)) == len(column) and not any(_is_number(word) for word in column)
    return each_once or name == ""


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _label_among(table: Table, kept: list[int]) -> int | None:
    if len(kept) < 2:
        return None
    worded = [k for k in kept if table.columns[k].dtype == object]
    classes = [k for k in worded if not any(_is_number(word) for word in table.columns[k])]
    if worded:
        return worded[0] if len(worded) == len(classes) == 1 else None
    for k in kept:
        column = table.columns[k]
        whole = not np.isnan(column).any() and (column == np.rint(column)).all()
        if _name(table.names, k) in _LABELLING and whole:
            return k
    return None


def _labels(argument: str, column: np.ndarray) -> tuple[np.ndarray, tuple[str, ...] | None]:
    if column.dtype == object:
        classes, numbers = np.unique(column.astype(str), return_inverse=True)
        return numbers.astype(np.int64), tuple(str(name) for name in classes)
    if np.isnan(column).any() or (column != np.rint(column)).any():
        raise fail("labels", "words, or whole numbers, one per row", "fractions or missing ones", argument)
    return column.astype(np.int64), None


def _words_among_numbers(argument: str, table: Table, k: int) -> Exception:
    column = table.columns[k]
    words = [word for word in column if not _is_number(word) and word.lower() not in MISSING]
    worded = sum(other.dtype == object for other in table.columns)
    place = list(column).index(words[0])
    got = f"{words[0]!r} in row {place}, {_called(table.names, k)}"
    got += f" ({worded} columns hold words)" if worded > 1 else ""
    remedy = "name the columns to learn with variable, and the labels with labels, or put numbers there"
    remedy += " (kinds: 0, 1, 2, … and units potts); words that are sequences need alphabet"
    return fail(argument, "numbers, as many in each line", got, remedy)
