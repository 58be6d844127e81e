r"""What a network is told of each point besides where it is: its element, values of the data, or nothing.

species    one channel for each element (or kind of residue), 1 where it is the point's
none       one channel that is 1 everywhere: the shape alone
sequence   the number of a residue along its chain, by which residues:W tells the neighbours of a chain apart:
           the place in the structure, and 1,000 more after each break (`segment`, where known)
a name     values of each point in the data: numbers, standardised, vectors over their root mean square,
           labels as one channel for each
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.data.structures.elements import SYMBOLS
from intertwine.data.structures.structures import Structures
from intertwine.learning.structures.targets import names_of

SPECIES, NOTHING, SEQUENCE = "species", "none", "sequence"
BREAK = 1000.0
"""What a break of a chain counts, in residues."""


class Input(NamedTuple):
    """name, kind: species, none, sequence, scalars, vector or classes. width: channels. shift, scale: of
    numbers, which enter as (x − shift)/scale. known: the elements, or the numbers of the classes. dimension:
    of vectors."""

    name: str
    kind: str
    width: int
    shift: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    known: tuple[int, ...] = ()
    dimension: int = 3

    @property
    def type(self) -> str:
        """Its fields."""
        if self.kind == "vector":
            return f"{self.width // self.dimension} vector"
        return f"{self.width} scalar"


def inputs_of(words: str | Sequence[str], structures: Structures) -> tuple[Input, ...]:
    """The inputs of these names, standardised as `structures` are; InputError for what is not there."""
    return tuple(_input(name, structures) for name in names_of(words, "inputs"))


def _input(name: str, structures: Structures) -> Input:
    if name in (NOTHING, SEQUENCE):
        return Input(name, name, 1)
    if name == SPECIES:
        known = tuple(int(s) for s in structures.elements)
        return Input(name, SPECIES, len(known), known=known)
    if name not in structures.values or name not in structures.per_point:
        there = ", ".join([SPECIES, NOTHING, SEQUENCE, *sorted(structures.per_point)])
        raise fail("inputs", f"one of {there}", repr(name))
    values = structures.values[name]
    if name in structures.names or values.dtype.kind in "iub":
        known = tuple(int(v) for v in np.unique(values))
        return Input(name, "classes", len(known), known=known)
    _check_known(name, values)
    if values.ndim > 3 or (values.ndim == 3 and values.shape[2] != structures.dimension):
        raise fail("inputs", f"{name} as numbers or vectors", f"shape {values.shape[1:]} each")
    if values.ndim > 1 and values.shape[-1] == structures.dimension:
        size = float(np.sqrt((values**2).mean())) or 1.0
        return Input(name, "vector", values[0].size, scale=(size,), dimension=structures.dimension)
    table = values.reshape(len(values), -1)
    spread = table.std(0)
    scale = np.where(spread > 1e-12 * (1 + np.abs(table).max()), spread, 1.0)
    return Input(name, "scalars", table.shape[1], tuple(table.mean(0).tolist()), tuple(scale.tolist()))


def _check_known(name: str, values: np.ndarray, argument: str = "inputs") -> None:
    if not np.isfinite(values).all():
        got = f"{int((~np.isfinite(values)).sum())} missing values"
        raise fail(argument, f"{name} that are known of every point", got, "fill them in")


def features(
    inputs: tuple[Input, ...], structures: Structures, argument: str = "data"
) -> Float[np.ndarray, "total C"]:
    """The channels of every point, float32.

    Raises InputError, called `argument`, for elements or labels that were not learned, and for values that
    are not there.
    """
    return np.concatenate([_channels(one, structures, argument) for one in inputs], axis=1)


def _channels(one: Input, structures: Structures, argument: str) -> np.ndarray:
    if one.kind == NOTHING:
        return np.ones((structures.total, 1), np.float32)
    if one.kind == SEQUENCE:
        return along_chains(structures)[:, None].astype(np.float32)
    if one.kind == SPECIES:
        return _one_hot(structures.species, one, argument, structures)
    if one.name not in structures.per_point:
        raise fail(argument, f"{one.name} of each point, as the run learnt from", "none")
    values = structures.values[one.name]
    if one.kind == "classes":
        return _one_hot(values, one, argument, structures)
    _check_known(one.name, values, argument)
    table = values.reshape(len(values), -1)
    if table.shape[1] != one.width:
        raise fail(argument, f"{one.name} of {one.width} numbers each", f"shape {values.shape[1:]} each")
    shift = np.array(one.shift) if one.shift else 0.0
    return ((table - shift) / np.array(one.scale)).astype(np.float32)


def along_chains(structures: Structures) -> Float[np.ndarray, " total"]:
    """The number of each point along its chain.

    >>> two = Structures.of([np.eye(3), np.eye(3)[:2]], values={"segment": [0, 0, 1, 0, 0]})
    >>> along_chains(two).tolist()
    [0.0, 1.0, 1002.0, 0.0, 1.0]
    """
    number = np.arange(structures.total) - structures.offsets[:-1][structures.structure]
    segment = structures.values.get("segment")
    known = segment is not None and "segment" in structures.per_point
    return number + (BREAK * np.asarray(segment) if known else 0.0)


def _one_hot(values: np.ndarray, one: Input, argument: str, structures: Structures) -> np.ndarray:
    known = np.array(one.known)
    place = np.minimum(np.searchsorted(known, values), len(known) - 1)
    other = known[place] != values
    if other.any():
        row = int(np.flatnonzero(other)[0])
        what = "elements" if one.kind == SPECIES and structures.kind == "atoms" else f"kinds of {one.name}"
        got = str(structures.symbols[row]) if one.kind == SPECIES else str(values[row])
        remedy = "the network knows those that it learnt from alone"
        raise fail(argument, f"{what} among {_listed(one, structures)}", got, remedy)
    return (place[:, None] == np.arange(len(known))).astype(np.float32)


def _listed(one: Input, structures: Structures) -> str:
    if one.kind == SPECIES and structures.kind == "atoms":
        return ", ".join(str(SYMBOLS[number]) for number in one.known)
    return ", ".join(map(str, one.known[:12]))
