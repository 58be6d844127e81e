"""Graphs from text files: an edge a line, a site a line. Read strictly, a line that does not fit is named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from intertwine._checks import InputError, fail

_SPLIT = re.compile(r"\s*[,;\t]\s*|\s+")
_COLOUR, _WEIGHT, _SHELL = ("colour", "color", "type", "kind"), ("weight", "value"), ("shell",)
_MOST_BYTES = 2**30


class EdgeRows(NamedTuple):
    """What a file of edges says. colours: integers where all are, else words, or None."""

    edges: np.ndarray
    colours: list[int] | list[str] | None
    weights: np.ndarray | None
    shells_by_colour: bool


class _Row(NamedTuple):
    number: int
    cells: list[str]


def read_edges(path: Path) -> EdgeRows:
    """The edges of a file; see `Graph.from_file`."""
    rows = _rows(path)
    header = _header(rows)
    columns = {0: "source", 1: "target", 2: "colour"}
    if header is not None:
        columns, rows = _edge_columns(path, header), rows[1:]
    elif rows and len(rows[0].cells) == 2:
        del columns[2]
    places = {name: k for k, name in columns.items()}
    pairs, words, weights = [], [], []
    for row in rows:
        if len(row.cells) != len(columns):
            raise _bad(path, row, f"{len(columns)} columns, {', '.join(columns.values())}")
        ends = [row.cells[places[end]] for end in ("source", "target")]
        if not all(re.fullmatch(r"[0-9]+", end, re.ASCII) for end in ends):
            raise _bad(path, row, "two sites, numbers from 0")
        pairs.append([int(end) for end in ends])
        if pairs[-1][0] == pairs[-1][1]:
            raise _bad(path, row, "two different sites")
        words.append(row.cells[places["colour"]] if "colour" in places else "")
        if "weight" in places:
            weights.append(_number(path, row, row.cells[places["weight"]]))
    if not pairs:
        raise fail("graph", "a file with an edge a line", f"{path} without any")
    colours: list[int] | list[str] | None = None
    by_shell = header is not None and any(cell.lower() in _SHELL for cell in header.cells)
    if "colour" in places:
        whole = all(re.fullmatch(r"-?[0-9]+", word, re.ASCII) for word in words)
        colours = [int(word) for word in words] if whole else words
    return EdgeRows(
        np.array(pairs, np.int64), colours, np.array(weights) if "weight" in places else None, by_shell
    )


def read_positions(path: Path) -> np.ndarray:
    """The positions (N, d) of a file; see `Graph.from_file`."""
    rows = _rows(path)
    header = _header(rows)
    site = None
    if header is not None:
        rows = rows[1:]
        names = [cell.lower() for cell in header.cells]
        site = names.index("site") if "site" in names else None
    if not rows:
        raise fail("positions", "a file with a site a line", f"{path} without any")
    width = len(rows[0].cells)
    table = np.empty((len(rows), width))
    for k, row in enumerate(rows):
        if len(row.cells) != width:
            raise _bad(path, row, f"{width} columns")
        table[k] = [_number(path, row, cell) for cell in row.cells]
    if site is None:
        return table
    numbers = table[:, site]
    if not np.array_equal(np.sort(numbers), np.arange(len(rows))):
        raise fail("positions", f"the sites 0 to {len(rows) - 1}, each once", f"{path}, which has others")
    return np.delete(table, site, axis=1)[np.argsort(numbers)]


def _edge_columns(path: Path, header: _Row) -> dict[int, str]:
    """What each column is: the first two are the ends."""
    columns = {0: "source", 1: "target"}
    if len(header.cells) < 2:
        raise _bad(path, header, "two columns at least, source and target")
    for k, cell in enumerate(header.cells[2:], start=2):
        word = cell.lower()
        name = "weight" if word in _WEIGHT else "colour" if word in (*_COLOUR, *_SHELL) else ""
        if not name or name in columns.values():
            raise _bad(path, header, "columns source, target, colour (or shell), weight, each once")
        columns[k] = name
    return columns


def _header(rows: Sequence[_Row]) -> _Row | None:
    """The first row, where its first cell is no number."""
    if not rows or re.fullmatch(r"[-+]?[0-9.]+([eE][-+]?[0-9]+)?", rows[0].cells[0], re.ASCII):
        return None
    return rows[0]


def _rows(path: Path) -> list[_Row]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise fail("graph", "a file of at most 1 GiB", path)
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        if isinstance(error, InputError):
            raise
        raise fail("graph", "a text file that can be read", f"{path} ({_reason(error)})") from None
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.partition("#")[0].strip()
        if line:
            found.append(_Row(number, _SPLIT.split(line)))
    return found


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or "it is no text in UTF-8"


def _number(path: Path, row: _Row, cell: str) -> float:
    try:
        number = float(cell)
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise _bad(path, row, "finite numbers")
    return number


def _bad(path: Path, row: _Row, expected: str) -> InputError:
    return fail(f"{path}, line {row.number}", expected, " ".join(row.cells))
