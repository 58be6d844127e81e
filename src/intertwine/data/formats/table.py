"""Tables as text: CSV as spreadsheets, pandas and R write it, and numbers separated by blanks.

The separator is the one of tab, ;, comma, | and blanks that cuts the first lines into equally many fields.
Decimal commas are read where the separator is none, quotes, byte-order marks and gzipped files are
understood, and lines that begin with # are comments. The first line holds the names of the columns where a
word stands over numbers; where it holds numbers, as pandas writes the columns of an array (0,1,2,…), it is
told from the rows by `is_header`.
"""

from __future__ import annotations

import csv
import gzip
import re
from pathlib import Path

import numpy as np

from intertwine._checks import InputError, fail
from intertwine.data.checks import damaged
from intertwine.data.columns import MISSING, Table, parsed
from intertwine.data.formats.sequences import find_alphabet

MOST_BYTES = 1 << 28
_LOOKED_AT = 50
_DECIMAL_COMMA = re.compile(r"[+-]?(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]*),[0-9]+(?:[eE][+-]?[0-9]+)?")
_SURE_FROM = 6
"""A first line 0, 1, … of so many columns is not taken for a row, even where every value occurs below."""


def read_table(path: Path, header: bool | None = None) -> Table:
    """The columns of a file up to 256 MB. header: whether the first line holds names; None: it is found out.

    Raises `InputError` for ragged lines, and where a first line of numbers may be either.
    """
    lines = _lines(path)
    if not lines:
        raise fail(str(path), "a file with data in it", "none", "give a table of numbers")
    separator = _separator(lines[:_LOOKED_AT])
    simple = not any('"' in line for line in lines) and separator in (None, ",")
    if simple and (rows := _numbers(lines, separator)) is not None:
        named = _named(path, rows, lines, separator) if header is None else header
        names = tuple(_fields(lines[:1], separator)[0]) if named else None
        rows = rows[1:] if named else rows
        return Table(names, [np.ascontiguousarray(column) for column in rows.T])
    return _read_words(path, lines, separator, header)


def is_header(first: np.ndarray, rest: np.ndarray, written_otherwise: bool = False) -> bool | None:
    """Whether `first` (N,), a line of numbers over the numbers `rest` (n, N), holds names; None: undecidable.

    Names count 0, 1, … or 1, 2, …, or rise and lie outside what stands below them (years, wavelengths).
    written_otherwise: whether `first` is written in whole numbers and everything below it is not.

    >>> bits = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0], [0, 0, 0]])
    >>> is_header(np.array([0, 1, 2]), bits), is_header(np.array([0, 0, 1]), bits)
    (True, False)
    >>> is_header(np.array([0, 1]), bits[:, :2])
    """
    size = len(first)
    counting = any((first == np.arange(size) + begin).all() for begin in ((0, 1) if size > 2 else (0,)))
    if len(rest) == 0 or (size > 1 and not (np.diff(first) > 0).all()):
        return False
    if counting and written_otherwise:
        return True
    gone = np.isnan(rest)
    low, high = np.where(gone, np.inf, rest).min(0), np.where(gone, -np.inf, rest).max(0)
    outside = (first < low) | (first > high)
    risen = size > 1 and bool((np.diff(rest, axis=1) > 0).all())
    whole = bool((rest == np.rint(rest))[~gone].all())
    if not counting:
        return bool(size >= 3 and len(rest) >= 4 and outside.all() and not risen)
    if risen:
        return None if size >= 3 and whole and len(rest) > 1 else False
    new = ~(rest == first).any(0)
    if size <= 2 and not whole:
        return False
    sure = size >= _SURE_FROM or (size > 1 and bool(new.any()))
    return True if sure else None


def _lines(path: Path) -> list[str]:
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path, "rb") if packed else open(path, "rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, EOFError) as error:
        raise damaged(path, "a whole gzipped file", str(error)) from None
    if len(content) > MOST_BYTES:
        raise fail(
            str(path), "a table of at most 256 MB", "a larger one", "save it as .npy, which is read in place"
        )
    lines = [line for line in _decoded(path, content).splitlines() if line.strip()]
    lines = [line for line in lines if not line.lstrip().startswith("#")]
    return lines[1:] if lines and re.fullmatch(r"sep=.", lines[0].strip()) else lines


def _decoded(path: Path, content: bytes) -> str:
    marks = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    name = next((name for mark, name in marks.items() if content.startswith(mark)), "utf-8")
    try:
        return content.decode(name)
    except UnicodeDecodeError as error:
        if name != "utf-8":
            raise damaged(path, "numbers, as many in each line", str(error)[:150]) from None
    if b"\0" in content:
        raise damaged(path, "numbers, as many in each line", "bytes that are no text")
    return content.decode("cp1252", errors="replace")  # as spreadsheets on Windows write names


def _separator(lines: list[str]) -> str | None:
    """The mark that cuts all `lines` into equally many fields, more than one; None for blanks."""
    for mark in ("\t", ";", ",", "|"):
        counts = {len(fields) for fields in _fields(lines, mark)}
        if max(counts) > 1 and (len(counts) == 1 or _row_names(lines, mark)):
            return mark
    return next((mark for mark in ("\t", ";", ",", "|") if any(mark in line for line in lines)), None)


def _row_names(lines: list[str], mark: str) -> bool:
    """Whether the first line has one field less than every other one, as R writes names of rows."""
    first, *rest = (len(fields) for fields in _fields(lines, mark))
    return len(set(rest)) == 1 and rest[0] == first + 1


def _fields(lines: list[str], separator: str | None) -> list[list[str]]:
    if separator is None:
        return [[word.strip('"') for word in line.split()] for line in lines]
    return [[field.strip() for field in row] for row in csv.reader(lines, delimiter=separator)]


def _numbers(lines: list[str], separator: str | None) -> np.ndarray | None:
    """All lines as numbers, quickly; None where something else stands there."""
    try:
        return np.loadtxt(lines, delimiter=separator, ndmin=2)
    except ValueError:
        return None


def _named(path: Path, rows: np.ndarray, lines: list[str], separator: str | None) -> bool:
    first, *below = _fields(lines[:_LOOKED_AT], separator)
    otherwise = all(field.lstrip("+-").isdigit() for field in first) and all(
        not field.lstrip("+-").isdigit() for row in below for field in row
    )
    found = is_header(rows[0], rows[1:], otherwise)
    if found is None:
        shown = (separator or " ").join(first[:8])
        remedy = "say header=True if it holds names, header=False if it is a row (--header yes, no)"
        raise fail(str(path), "a first line that is clearly names or clearly a row", shown, remedy)
    return found


def _read_words(path: Path, lines: list[str], separator: str | None, header: bool | None) -> Table:
    cells = _fields(lines, separator)
    width = len(cells[1]) if len(cells) > 1 else len(cells[0])
    row_names = len(cells[0]) == width - 1
    first = [*([""] if row_names else []), *cells[0]]
    for number, row in enumerate(cells[1:], start=2):
        if len(row) != width or len(first) != width:
            got = f"{len(row)} fields in line {number}, {len(cells[0])} in the first"
            raise damaged(path, "numbers, as many in each line", got)
    if separator not in (None, ","):
        cells = _decimal_points(cells)
    body = [parsed(column) for column in zip(*cells[1:], strict=True)] if len(cells) > 1 else []
    if header is None:
        header = row_names or _words_over_numbers(path, first, cells, body)
    if header:
        if not body:
            raise fail(str(path), "a line of names and rows below it", "one line", "give some data")
        return Table(tuple(first), body)
    return Table(None, [parsed(column) for column in zip(*cells, strict=True)])


def _words_over_numbers(path: Path, first: list[str], cells: list[list[str]], body: list) -> bool:
    if not body:
        return False
    words = [cell.lower() not in MISSING and parsed([cell]).dtype == object for cell in first]
    numeric = [column.dtype != object for column in body]
    if any(numeric):
        if any(word for word, number in zip(words, numeric, strict=True) if number):
            return True
        over = [k for k, number in enumerate(numeric) if number and first[k].lower() not in MISSING]
        if len(over) < sum(numeric):  # an empty name, as pandas writes over an index, or a missing number
            over = over if _counts([first[k] for k in over]) else []
        if not over:
            return False
        complete = body[0].dtype == object or not np.isnan(body[0]).any()
        if first[0] == "" and complete and len(over) == len(first) - 1:
            return True  # nothing over an index
        try:
            found = is_header(
                np.array([float(first[k]) for k in over]), np.column_stack([body[k] for k in over])
            )
        except ValueError:
            return False
        if found is None:
            remedy = "say header=True if it holds names, header=False if it is a row (--header yes, no)"
            got = ",".join(first[:8])
            raise fail(str(path), "a first line that is clearly names or clearly a row", got, remedy)
        return found
    return not all(cell in column or _alike(cell, column) for cell, column in zip(first, body, strict=True))


def _alike(cell: str, column: np.ndarray) -> bool:
    """Whether `cell` is a sequence of letters like those of `column`: as long, and of the same alphabet."""
    below = [str(word) for word in column]
    case = {word.isupper() for word in below if word.isalpha()}
    if {len(word) for word in below} != {len(cell)} or (cell.isalpha() and cell.isupper() not in case):
        return False
    try:
        alphabet = find_alphabet([word.upper() for word in below])
        return find_alphabet([word.upper() for word in (*below, cell)]) == alphabet
    except InputError:
        return False


def _counts(cells: list[str]) -> bool:
    return bool(cells) and cells == [str(k) for k in range(len(cells))]


def _decimal_points(cells: list[list[str]]) -> list[list[str]]:
    """Numbers with a decimal comma, 1.234,5, as ones with a point, where there are such numbers."""
    if not any(_DECIMAL_COMMA.fullmatch(cell) for row in cells for cell in row):
        return cells
    thousands = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{3})+")
    return [
        [
            cell.replace(".", "").replace(",", ".")
            if _DECIMAL_COMMA.fullmatch(cell) or thousands.fullmatch(cell)
            else cell
            for cell in row
        ]
        for row in cells
    ]


def columns_as_rows(table: Table, path: Path) -> np.ndarray:
    """All columns of a table of numbers as rows, float64 (n, N)."""
    for column in table.columns:
        if column.dtype == object:
            raise damaged(path, "numbers, as many in each line", f"the word {column[0]!r}")
    return np.column_stack(table.columns)
