r"""Extended XYZ, and plain XYZ: frames one after another, each

    3
    Lattice="10 0 0 0 10 0 0 0 10" Properties=species:S:1:pos:R:3:forces:R:3 energy=-1.5 pbc="T T T"
    O  0.0  0.00  0.12   0.0  0.0  0.1
    …

The lattice has its vectors one after another; stresses and virials are written column by column (both as ASE
does). Numbers of the comment line are values of the structure, columns beside species and
positions values of the atoms. A plain file has symbols and positions; a comment that is one number is the
value "comment". Positions are in Å by the format, other units may be said by
units="energy=eV; forces=eV/Å". Written numbers have as many digits as give them back exactly.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from intertwine._checks import fail
from intertwine.data.checks import damaged, shown
from intertwine.data.structures.elements import NUMBERS, atomic_numbers
from intertwine.data.structures.frames import Frame, assembled, source_of
from intertwine.data.structures.settled import Read
from intertwine.data.structures.text import counted, text_of
from intertwine.data.structures.xyz_comment import (
    INTEGER,
    NUMBER,
    TRUTH,
    read_comment,
    read_units,
    real_number,
)


class _Column(NamedTuple):
    name: str
    kind: str
    count: int


def read_extended_xyz(path: Path) -> Read:
    """The frames of a file.

    Raises InputError, with the line, for whatever is not as the format says.
    """
    lines = text_of(path).splitlines()
    frames, said, place, plain = [], {}, 0, 0
    symbols: set[str] = set()
    layouts: dict[str, list[_Column]] = {}
    while place < len(lines):
        if not lines[place].strip():
            place += 1
            continue
        count = _count(path, lines, place)
        info = read_comment(path, lines[place + 1], place + 2)
        words = info.pop("units", None)
        if isinstance(words, str):
            said |= read_units(words)
        layout = info.pop("Properties", None)
        rows = [line.split() for line in lines[place + 2 : place + 2 + count]]
        if layout is None:
            plain += _beyond(rows[0], 4)
            layout = "species:S:1:pos:R:3"
            rows = [row[:4] if len(row) > 4 else row for row in rows]
        if layout not in layouts:
            layouts[layout] = _layout(path, str(layout), place + 2)
        frames.append(_frame(path, rows, info, layouts[layout], place + 3, symbols))
        place += count + 2
    if not frames:
        raise fail("data", "a file with frames of atoms", f"{shown(path)}, which has none")
    found, notes = assembled(*source_of(path), frames)
    cases = sorted(word for word in symbols if not word.isdigit() and word not in NUMBERS)
    if cases:
        taken = ", ".join(f"{word} as {word.capitalize()}" for word in cases[:6])
        notes += (f"symbols in other letters are taken for elements: {taken}",)
    if plain:
        where = counted(plain, "frame")
        notes += (f"columns beyond symbol and position left out in {where}: name them in Properties=",)
    return Read(found, said, frozenset({"positions"}), notes)


def _count(path: Path, lines: list[str], place: int) -> int:
    word = lines[place].strip()
    if not (word.isascii() and word.isdigit() and 0 < int(word[:12]) < 10**9):
        raise damaged(path, f"a number of atoms in line {place + 1}", repr(word[:40]))
    count = int(word)
    if place + 2 + count > len(lines):
        there = max(0, len(lines) - place - 2)
        wanted = f"{counted(count, 'line')} of atoms after line {place + 2}"
        raise damaged(path, wanted, f"{there}, where the file ends")
    return count


def _beyond(row: list[str], columns: int) -> int:
    return int(len(row) > columns)


def _layout(path: Path, text: str, line: int) -> list[_Column]:
    parts = text.split(":")
    columns = [
        _Column(name, kind, int(count))
        for name, kind, count in zip(parts[::3], parts[1::3], parts[2::3], strict=False)
        if kind in "SRIL" and kind and count.isascii() and count.isdigit() and 0 < int(count[:6]) < 100_000
    ]
    names = [column.name for column in columns]
    if 3 * len(columns) != len(parts) or len(set(names)) < len(names):
        raise damaged(path, f"Properties=name:S|R|I|L:columns:… in line {line}", repr(text[:60]))
    if not {"pos", "positions"} & set(names) or not {"species", "Z", "numbers", "element"} & set(names):
        raise damaged(path, f"species and pos among the Properties in line {line}", repr(text[:60]))
    return columns


def _frame(
    path: Path,
    rows: list[list[str]],
    info: dict[str, Any],
    layout: list[_Column],
    line: int,
    symbols: set[str],
) -> Frame:
    """A frame whose atoms begin in `line`; `symbols` gathers what its species are called."""
    width = sum(column.count for column in layout)
    wrong = next((k for k, row in enumerate(rows) if len(row) != width), None)
    if wrong is not None:
        raise damaged(path, f"{width} columns in line {line + wrong}", str(len(rows[wrong])))
    cells, begin, columns = np.array(rows), 0, {}
    for name, kind, count in layout:
        part = cells[:, begin : begin + count]
        columns[name] = _numbers(path, part, kind, name, line)
        begin += count
    position_name = "pos" if "pos" in columns else "positions"
    positions = columns.pop(position_name)
    where = f"{shown(path)}, line {line - 2}"
    if positions.ndim != 2 or positions.shape[1] != 3 or positions.dtype.kind not in "if":
        raise damaged(
            path, f"three real columns of positions in line {line}", f"{position_name} {positions.shape}"
        )
    species = next(columns[name] for name in ("species", "element", "Z", "numbers") if name in columns)
    for name in ("species", "element", "Z", "numbers"):
        columns.pop(name, None)
    if species.ndim != 1:
        raise damaged(path, f"one column of species in line {line}", str(species.shape[1]))
    symbols |= {str(word) for word in set(species.tolist())}
    cell, periodic = _cell(path, info, line - 1)
    for name, words in read_units(str(info.pop("shapes", ""))).items():
        extents = tuple(int(word) for word in words.split("x") if word.isdigit())
        if name in columns and int(np.prod(extents)) * len(rows) == columns[name].size:
            columns[name] = columns[name].reshape(-1, *extents)
    return Frame(positions, atomic_numbers(where, species), cell, periodic, info, columns)


def _numbers(path: Path, part: np.ndarray, kind: str, name: str, line: int) -> np.ndarray:
    flat = part[:, 0] if part.shape[1] == 1 else part
    if kind == "S":
        return flat
    if kind == "L":
        wrong = ~np.isin(flat, list(TRUTH))
        found = np.isin(flat, [word for word, true in TRUTH.items() if true])
    else:
        try:
            return flat.astype(np.float64 if kind == "R" else np.int64)
        except (ValueError, OverflowError):
            wrong = ~np.vectorize(lambda word: bool((NUMBER if kind == "R" else INTEGER).fullmatch(word)))(
                flat
            )
            if not wrong.any():
                return np.vectorize(real_number, otypes=[np.float64])(flat)
            found = flat
    if wrong.any():
        row = int(np.argwhere(wrong)[0][0])
        expected = {"R": "numbers", "I": "whole numbers", "L": "T or F"}[kind]
        got = " ".join(part[row])
        raise damaged(path, f"{expected} of {name} in line {line + row}", repr(got[:40]))
    return found


def _cell(path: Path, info: dict[str, Any], line: int) -> tuple[np.ndarray | None, np.ndarray]:
    lattice, pbc = info.pop("Lattice", None), info.pop("pbc", None)
    cell = None
    if lattice is not None:
        matrix = np.asarray(lattice)
        if matrix.dtype.kind not in "iuf" or matrix.shape not in ((3, 3), (3,)):
            raise damaged(path, f"nine numbers of Lattice in line {line}", repr(str(lattice))[:60])
        cell = np.diag(matrix).astype(float) if matrix.shape == (3,) else _lattice_rows(matrix)
    periodic = np.full(3, cell is not None) if pbc is None else np.asarray(pbc)
    if periodic.shape not in ((), (3,)):
        raise damaged(path, f'pbc="T T T" in line {line}', repr(str(pbc))[:40])
    periodic = np.broadcast_to(periodic, 3)
    if periodic.dtype.kind == "i" and np.isin(periodic, (0, 1)).all():
        periodic = periodic.astype(bool)
    if periodic.dtype != bool:
        raise damaged(path, f'pbc="T T T" in line {line}', repr(str(pbc))[:40])
    if cell is not None and not cell.any():
        cell, periodic = None, np.zeros(3, bool) if pbc is None else periodic
    return cell, periodic


def _lattice_rows(matrix: np.ndarray) -> np.ndarray:
    """Vectors as rows: nine numbers were read column by column."""
    return matrix.T.astype(np.float64)
