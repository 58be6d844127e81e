"""Extended XYZ written (`extended_xyz` has the format): numbers with as many digits as give them back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from intertwine._checks import fail
from intertwine.data.structures.xyz_comment import MATRICES, PLAIN_KEY, escaped, read_value, written_text
from intertwine.records.writing import write_aside

if TYPE_CHECKING:
    from intertwine.data.structures.structures import Structures


_COLUMNS = ("species", "pos", "positions", "Z", "numbers", "element")
_ENTRIES = ("Properties", "Lattice", "pbc", "units", "shapes")


def write_extended_xyz(path: Path, structures: Structures) -> None:
    """Write structures of atoms in three dimensions.

    Raises InputError for others, and for values that have no place in the format.
    """
    if structures.kind != "atoms" or structures.dimension != 3:
        got = f"{structures.kind} in {structures.dimension} dimensions"
        raise fail("path", "atoms in three dimensions, which XYZ holds", got, "write an .npz archive")
    clash = [n for n in structures.values if n in (_COLUMNS if n in structures.per_point else _ENTRIES)]
    if clash:
        remedy = f'rename it by structures.renamed({{"{clash[0]}": "other"}}), or write an .npz archive'
        raise fail("values", "names that XYZ does not use itself", repr(clash[0]), remedy)
    columns, layout, shapes = _columns(structures)
    units = "; ".join(f"{name}={unit}" for name, unit in structures.units.items() if unit)
    tail = f' shapes="{"; ".join(shapes)}"' if shapes else ""
    tail += f' units="{escaped(units)}"' if units else ""
    lines = []
    for k in range(len(structures)):
        begin, end = structures.offsets[k], structures.offsets[k + 1]
        entries = [f"Properties={layout}"]
        if structures.cells is not None:
            entries.insert(0, f'Lattice="{_row(structures.cells[k].reshape(-1))}"')
        for name in structures.values:
            if name not in structures.per_point:
                entries.append(f"{_key(name)}={_written(structures, name, k)}")
        entries.append('pbc="{}"'.format(" ".join("T" if p else "F" for p in structures.periodic[k])))
        lines += [str(end - begin), " ".join(entries) + tail]
        lines += [" ".join(column[i] for column in columns) for i in range(begin, end)]
    write_aside(path, "\n".join(lines) + "\n")


def _columns(structures: Structures) -> tuple[list[list[str]], str, list[str]]:
    """Columns of text of all points, the Properties, and shapes that columns alone do not tell."""
    columns = [structures.symbols.tolist(), *_texts(structures.positions)]
    layout, shapes = ["species:S:1", "pos:R:3"], []
    for name in structures.values:
        if name not in structures.per_point:
            continue
        if not PLAIN_KEY.fullmatch(name):
            raise fail("values", "names of letters, numbers, - and _", repr(name), "write an .npz archive")
        value = structures.values[name]
        if name in structures.names:
            words = structures.words(name)
            if any(not word or word.split() != [word] for word in set(words.reshape(-1).tolist())):
                remedy = "write an .npz archive"
                raise fail(name, "words without blanks for every atom", "others", remedy)
            columns += [list(map(str, column)) for column in words.reshape(len(words), -1).T]
            kind, count = "S", words.reshape(len(words), -1).shape[1]
        else:
            columns += _texts(value)
            kind = {"f": "R", "b": "L"}.get(value.dtype.kind, "I")
            count = value.reshape(len(value), -1).shape[1]
        layout.append(f"{name}:{kind}:{count}")
        if value.ndim > 2 or value.shape[1:] == (1,):
            shapes.append(f"{name}={'x'.join(map(str, value.shape[1:]))}")
    return columns, ":".join(layout), shapes


def _texts(value: np.ndarray) -> list[list[str]]:
    """Each column of an array (n, ...) as text that gives its numbers back."""
    return [[written_text(x) for x in column.tolist()] for column in value.reshape(len(value), -1).T]


def _row(values: np.ndarray) -> str:
    return " ".join(written_text(x) for x in values.tolist())


def _key(name: str) -> str:
    if PLAIN_KEY.fullmatch(name):
        return name
    if '"' in name or "=" in name or not name.isprintable():
        raise fail("values", 'names without = and "', repr(name), "write an .npz archive")
    return f'"{name}"'


def _written(structures: Structures, name: str, k: int) -> str:
    """A value of one structure as text."""
    if name in structures.names:
        words = structures.words(name)
        if words.ndim > 1 or not all(c.isprintable() for c in str(words[k])):
            raise fail(
                name, "one printable word a structure", f"shape {words.shape}", "write an .npz archive"
            )
        text = str(words[k])
        if read_value(name, text) is not text and not isinstance(read_value(name, text), str):
            raise fail(name, "words that are no numbers", repr(text), "write an .npz archive")
        return f'"{escaped(text)}"'
    value = structures.values[name][k]
    if value.ndim == 0:
        return written_text(value.item())
    if value.shape == (3, 3) and name in MATRICES:
        return f'"{_row(value.T.reshape(-1))}"'
    if value.ndim == 1 and value.size > 1 and not (value.size == 9 and name in MATRICES):
        return f'"{_row(value)}"'
    if value.dtype.kind == "f" and not np.isfinite(value).all():
        raise fail(name, "finite numbers in arrays", "others", "write an .npz archive")
    return f'"_JSON {json.dumps(value.tolist())}"'
