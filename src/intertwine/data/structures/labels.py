r"""Labels of structures from a table: one a file, one a structure, or one a point.

    file,gap,phase          CSV: the first column names files, with or without their ending; or no column
    ethanol.xyz,7.1,gas     does, and there is one line for each structure in order
    {"1abc": "--HHH-"}      JSON: name of a file → label; or {"phase": {…}, "gap": {…}}
    1abc → array            npz: an array for each file; or arrays (S, ...) by name

Text of as many letters as a file has points is a letter for each point; arrays of as many rows are one row
for each point. What is said of a file holds for each structure in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from intertwine._checks import fail
from intertwine.data.checks import check_file, damaged, shown
from intertwine.data.files import read_named_columns
from intertwine.data.formats.numpy_files import read_members, read_npz
from intertwine.data.structures.quantities import NEGATED, QUANTITIES, canonical, parse_unit
from intertwine.data.structures.settled import fitting
from intertwine.data.structures.structures import Structures
from intertwine.data.structures.text import counted, text_of
from intertwine.records.writing import from_json

ENDINGS = (".csv", ".tsv", ".json", ".npz")
_MOST_TOLD = 5
_LETTERS = 20
"""Words shorter than this may be words, and not letters of points."""


class Part(NamedTuple):
    """A file: its name, in its folder, and its structures begin ≤ k < end."""

    name: str
    begin: int
    end: int


class Table(NamedTuple):
    """name of a label → a value for each file, or values (S, ...) in the order of the structures."""

    by_file: dict[str, dict[str, Any]]
    in_order: dict[str, np.ndarray]

    @property
    def names(self) -> list[str]:
        """The names of the labels."""
        return [*self.by_file, *self.in_order]


def read_labels(source: str | Path | Mapping[str, Any], files: Sequence[str]) -> Table:
    """The table in a file, or what a mapping of file → label says. files: names of the files labelled.

    Raises InputError for damaged files and for tables that name none of the files and are in no order.
    """
    if isinstance(source, Mapping):
        return _of_mapping(source, files)
    path = check_file(source)
    ending = path.suffix.lower()
    if ending == ".json":
        try:
            found = from_json(text_of(path))
        except ValueError as error:
            raise damaged(path, "JSON", " ".join(str(error).split())[:120]) from None
        if not isinstance(found, dict):
            raise fail(shown(path), 'a JSON object, {"file": label}', type(found).__name__)
        return _of_mapping(found, files)
    if ending == ".npz":
        return _of_mapping({name: read_npz(path, name, words=True) for name in read_members(path)}, files)
    if ending not in ENDINGS:
        raise fail("labels", f"a table {', '.join(ENDINGS)}, or a mapping of file → label", shown(path))
    table = read_named_columns(path, True)
    names, columns = list(table.names or ()), table.columns
    known = _keys(files)
    keyed = columns and columns[0].dtype == object and any(str(key) in known for key in columns[0])
    if not keyed:
        return Table(
            {}, {n: c.astype(str) if c.dtype == object else c for n, c in zip(names, columns, strict=True)}
        )
    rows = [str(key) for key in columns[0]]
    if len(set(rows)) < len(rows):
        again = next(row for k, row in enumerate(rows) if row in rows[:k])
        raise fail(shown(path), "one line for each file", f"{again!r} twice")
    return Table(
        {n: dict(zip(rows, c.tolist(), strict=True)) for n, c in zip(names[1:], columns[1:], strict=True)}, {}
    )


def _of_mapping(found: Mapping[str, Any], files: Sequence[str]) -> Table:
    known = _keys(files)
    if any(key in known for key in found):
        return Table({"label": dict(found)}, {})
    by_file = {name: dict(value) for name, value in found.items() if isinstance(value, Mapping)}
    in_order = {name: np.asarray(value) for name, value in found.items() if not isinstance(value, Mapping)}
    return Table(by_file, in_order)


def _keys(files: Sequence[str]) -> dict[str, int]:
    """What a file may be called in a table → its number: its name with fewer and fewer endings."""
    found: dict[str, int] = {}
    for number, file in enumerate(files):
        name = Path(file).name
        called = [file, name]
        while "." in name.lstrip("."):
            name = name.rpartition(".")[0]
            called.append(name)
        for word in called:
            found.setdefault(word, number)
    return found


def labelled(
    structures: Structures, table: Table, parts: Sequence[Part], given: Mapping[str, str]
) -> tuple[Structures, tuple[str, ...]]:
    """Structures with the labels of a table, and what is to be told. given: units by the user.

    Raises InputError for files without a label and for lengths that do not fit.
    """
    notes = []
    known_as = {name: canonical([name]).get(name, name) for name in table.names}
    replaced = [n for n, q in known_as.items() if {n, q} & set(structures.values)]
    if replaced:
        notes.append(f"labels that take the place of values in the files: {', '.join(replaced)}")
    for name, values in table.by_file.items():
        known = _keys([part.name for part in parts])
        by_part = {known[key]: value for key, value in values.items() if key in known}
        lacking = [part.name for k, part in enumerate(parts) if k not in by_part]
        if lacking:
            told = ", ".join(lacking[:_MOST_TOLD]) + (", …" if len(lacking) > _MOST_TOLD else "")
            raise fail(f"labels: {name}", "a label for every file", f"none for {told}")
        beside = [key for key in values if key not in known]
        if beside:
            more = ", …" if len(beside) > 1 else ""
            told = f"{counted(len(beside), 'label')} ({name}) of files that are not there"
            notes.append(f"{told}: {beside[0]!r}{more}")
        in_order = [by_part[k] for k in range(len(parts))]
        value, per_point = _of_parts(structures, name, in_order, parts)
        if per_point and structures.kind != "residues" and isinstance(in_order[0], str):
            what = "atom" if structures.kind == "atoms" else "point"
            told = (
                f"words of as many letters as {what}s, such as {in_order[0]!r}, are a letter for each {what}"
            )
            notes += [f"{name}: {told}"] if len(in_order[0]) < _LETTERS else []
        structures = structures.with_values({name: value}, per_point=(name,) if per_point else ())
    for name, value in table.in_order.items():
        if value.ndim == 0 or len(value) not in (len(structures), structures.total):
            expected = (
                f"{len(structures)} rows, one for each structure, or {structures.total}, one for each point"
            )
            raise fail(
                f"labels: {name}", expected, f"shape {value.shape}", "or name the files in its first column"
            )
        structures = structures.with_values({name: value})
    for called, quantity in canonical(table.names, fitting(structures)).items():
        structures, note = _in_units(structures, called, quantity, given)
        notes += note
    return structures, tuple(notes)


def _of_parts(
    structures: Structures, name: str, values: list[Any], parts: Sequence[Part]
) -> tuple[np.ndarray, bool]:
    """(one row for each structure, or for each point, whether the latter)."""
    arrays = [np.asarray(value) for value in values]
    counts = [part.end - part.begin for part in parts]
    totals = [int(structures.offsets[p.end] - structures.offsets[p.begin]) for p in parts]
    firsts = [int(structures.sizes[part.begin]) for part in parts]
    if any(array.dtype.kind == "O" for array in arrays):
        raise fail(f"labels: {name}", "numbers, words, or arrays of one length a row", "others")
    if all(a.ndim == 0 and a.dtype.kind == "U" for a in arrays):
        letters = [len(str(array)) for array in arrays]
        if max(letters) > 1 and all(n in (t, f) for n, t, f in zip(letters, totals, firsts, strict=True)):
            arrays = [np.array(list(str(array))) for array in arrays]
    if all(array.ndim == 0 for array in arrays):
        return np.repeat(np.stack(arrays), counts), False
    rows = []
    for array, part, count, total, first in zip(arrays, parts, counts, totals, firsts, strict=True):
        length = len(array) if array.ndim else 1
        if length == total:
            rows.append(array)
        elif length == first and total == first * count:
            rows.append(np.concatenate([array] * count))
        else:
            expected = f"{total} labels of {part.name}, one for each point"
            raise fail(f"labels: {name}", expected, str(length))
    if len({row.shape[1:] for row in rows}) > 1 or len({row.dtype.kind == "U" for row in rows}) > 1:
        raise fail(f"labels: {name}", "labels of one kind in all files", "others")
    return np.concatenate(rows), True


def _in_units(
    structures: Structures, called: str, quantity: str, given: Mapping[str, str]
) -> tuple[Structures, list[str]]:
    """With a quantity of the table under its canonical name, in its unit."""
    value = structures.values[called]
    if called in structures.names or value.dtype.kind not in "iuf":
        raise fail(f"labels: {called}", "numbers", "words", "name labels otherwise")
    unit, text = QUANTITIES[quantity].unit, given.get(called, given.get(quantity))
    factor = 1.0 if text is None else parse_unit(f"units of {called}", text, quantity).factor
    points = (quantity,) if called in structures.per_point else ()
    value = -value.astype(np.float64) if called.lower() in NEGATED else value.astype(np.float64)
    found = structures.without(called).with_values(
        {quantity: value if abs(factor - 1) < 1e-12 else value * factor},
        units={quantity: unit},
        per_point=points,
    )
    if text is not None:
        return found, []
    return found, [f"the unit of the label {called} is assumed: {unit}"]
