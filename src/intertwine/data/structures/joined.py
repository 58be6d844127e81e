"""Structures of several files as one: those values that all of them have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from intertwine._caveats import caveat, once
from intertwine._checks import fail

if TYPE_CHECKING:
    from intertwine.data.structures.structures import Structures


def joined(parts: Sequence[Structures], called: Sequence[str] = ()) -> Structures:
    """The parts one after another. called: a name for each part, for errors and caveats.

    Raises InputError for no parts, for what are no structures, and for parts of different kinds, dimensions
    or units.
    """
    if hasattr(parts, "offsets") or not isinstance(parts, Sequence):
        got = "one of them" if hasattr(parts, "offsets") else parts
        raise fail("parts", "a list of structures", got, "say Structures.joined([first, second])")
    strange = next((part for part in parts if not hasattr(part, "offsets")), None)
    if strange is not None:
        raise fail("parts", "structures alone", strange, "load others first, by load_structures")
    if not parts:
        raise fail("parts", "one part or more", "none")
    first, called = parts[0], list(called) or [f"part {k}" for k in range(len(parts))]
    for part, name in zip(parts, called, strict=True):
        if (part.kind, part.dimension) != (first.kind, first.dimension):
            got = (
                f"{part.kind} in {part.dimension} dimensions in {name}, {first.kind} in {first.dimension} in "
            )
            got += called[0]
            raise fail("data", "files of one kind", got, "say points=, or load them one by one")
    if len(parts) == 1:
        return first
    species, species_names = _species(parts)
    lines = [line for part in parts for line in part.warnings]
    values, names, units = {}, {}, {}
    every = list(dict.fromkeys(name for part in parts for name in part.values))
    lacking = {n: [c for p, c in zip(parts, called, strict=True) if n not in p.values] for n in every}
    left_out = {name: where for name, where in lacking.items() if where}
    for name in (name for name in every if name not in left_out):
        shapes = {part.values[name].shape[1:] for part in parts}
        per_point = {name in part.per_point for part in parts}
        if len(shapes) > 1 or len(per_point) > 1:
            got = f"shapes {', '.join(str(part.values[name].shape) for part in parts[:6])}"
            raise fail(name, "values of one shape in all files", got)
        known = {part.units.get(name, "") for part in parts}
        if len(known) > 1:
            got = ", ".join(unit or "none" for unit in sorted(known))
            raise fail(name, "one unit in all files", got, "say units= when they are read, or with_values")
        units[name] = known.pop()
        values[name], words = _numbered(parts, name)
        if words:
            names[name] = words
    if left_out:
        told = "; ".join(f"{name} (missing in {', '.join(where[:3])})" for name, where in left_out.items())
        lines.append(caveat("data", f"values that not all files have are left out: {told}"))
    cells = None
    if any(part.cells is not None for part in parts):
        d = first.dimension
        cells = np.concatenate([np.zeros((len(p), d, d)) if p.cells is None else p.cells for p in parts])
    kept = {k: u for k, u in first.units.items() if k not in first.values}
    return replace(
        first,
        positions=np.concatenate([part.positions for part in parts]),
        species=species,
        offsets=np.concatenate([[0], np.cumsum(np.concatenate([part.sizes for part in parts]))]),
        cells=cells,
        periodic=np.concatenate([part.periodic for part in parts]),
        values=values,
        per_point=frozenset(name for name in values if name in first.per_point),
        names=names,
        units=kept | {name: unit for name, unit in units.items() if unit},
        species_names=species_names,
        warnings=tuple(once(lines)),
    )


def _species(parts: Sequence[Structures]) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """Numbers of species in one list of names."""
    named = [part.species_names for part in parts]
    if any(words != named[0] for words in named):
        every = tuple(dict.fromkeys(word for words in named for word in words or ()))
        place = {word: k for k, word in enumerate(every)}
        rows = [np.array([place[w] for w in part.species_names or ()])[part.species] for part in parts]
        return np.concatenate(rows), every
    return np.concatenate([part.species for part in parts]), named[0]


def _numbered(parts: Sequence[Structures], name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """A value of all parts, labels in words with numbers into one list."""
    words = [part.names.get(name) for part in parts]
    if not any(words):
        return np.concatenate([part.values[name] for part in parts]), ()
    if not all(words):
        raise fail(name, "words in all files, or numbers in all", "words in some of them")
    if len(set(words)) == 1:
        return np.concatenate([part.values[name] for part in parts]), words[0] or ()
    every = tuple(sorted({word for some in words for word in some or ()}))
    place = {word: k for k, word in enumerate(every)}
    tables = [np.array([*(place[w] for w in some or ()), -1], np.int64) for some in words]
    return np.concatenate([t[p.values[name]] for t, p in zip(tables, parts, strict=True)]), every
