r"""Structures: many clouds of points of different sizes, flat, with what is known of each and of each point.

Structure k has the points offsets[k] ≤ i < offsets[k + 1]. Of atoms `species` are atomic numbers, of residues
and of other points they are numbers into `species_names`. A value is one per structure, (S, ...), or one per
point, (total, ...); labels in words are numbered, `names` has the words.

Lengths are in Å, energies in eV, forces in eV/Å and charges in e, where they are known to be any
(`quantities`). Rows of a cell are its vectors; a direction that is not periodic has a row of zeros or one
that only encloses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.data.labels import as_words, distinct, places
from intertwine.data.structures.elements import SYMBOLS, atomic_numbers, check_numbers_of_elements
from intertwine.data.structures.joined import joined
from intertwine.data.structures.text import counted
from intertwine.data.structures.writing import write_structures

KINDS = ("atoms", "residues", "points")
PER_POINT = frozenset({"forces", "charges"})
"""Names that are always one per point."""
PER_STRUCTURE = frozenset({"energy", "free_energy", "stress", "virial", "dipole"})
"""Names that are always one per structure."""


class Structure(NamedTuple):
    """One structure: positions (n, d), species (n,), cell (d, d) or None, periodic (d,) bool."""

    positions: Float[np.ndarray, "n d"]
    species: Int[np.ndarray, " n"]
    cell: Float[np.ndarray, "d d"] | None
    periodic: Bool[np.ndarray, " d"]


@dataclass(frozen=True, eq=False)
class Structures:
    """positions: (total, d) float64, d = 3, or 2 for points in the plane. species: (total,) int64. offsets:
    (S + 1,). cells: (S, d, d), rows are vectors, zeros where a structure has none; None where none has.
    periodic: (S, d) bool.

    values: name → (S, ...) or (total, ...), and per_point has the names of the latter. names: name → words
    that integers of values[name] number, −1 for none. units: name → unit, "" or absent where unknown.

    kind: "atoms", "residues" or "points". species_names: words that species number; None for atoms.
    warnings: lines of caveats. source, checksum: of the file.

    >>> water = Structures.of([[[0, 0, 0.12], [0, 0.76, -0.48], [0, -0.76, -0.48]]], [["O", "H", "H"]])
    >>> water
    Structures(1 structure of 3 atoms: H, O)
    >>> water.symbols.tolist(), water[0].positions.shape
    (['O', 'H', 'H'], (3, 3))
    """

    positions: Float[np.ndarray, "total d"]
    species: Int[np.ndarray, " total"]
    offsets: Int[np.ndarray, " S1"]
    cells: Float[np.ndarray, "S d d"] | None
    periodic: Bool[np.ndarray, "S d"]
    values: Mapping[str, np.ndarray] = field(default_factory=dict)
    per_point: frozenset[str] = frozenset()
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    kind: str = "atoms"
    species_names: tuple[str, ...] | None = None
    warnings: tuple[str, ...] = ()
    source: str = ""
    checksum: str = ""

    @classmethod
    def of(
        cls,
        positions: Sequence[ArrayLike] | np.ndarray,
        species: Sequence[object] | np.ndarray | None = None,
        *,
        cells: ArrayLike | None = None,
        periodic: ArrayLike | None = None,
        values: Mapping[str, ArrayLike] | None = None,
        per_point: Sequence[str] = (),
        units: Mapping[str, str] | None = None,
        kind: str | None = None,
        species_names: Sequence[str] | None = None,
    ) -> Structures:
        """Structures of arrays in memory, checked.

        positions: one array (n, d) for each structure, in Å. species: for each structure its n symbols or
        atomic numbers, or once for all where they are alike; None for points without a kind. cells: (d, d)
        or (S, d, d). periodic: bool, (d,) or (S, d); all directions of a cell by default. values: name → one
        per structure or one per point (of all structures, one after another); per_point: names of the
        latter, where their lengths do not tell. units: name → unit, kept.

        Raises InputError for lengths that do not fit, no points, numbers that are not finite, unknown
        elements and singular cells.

        >>> two = Structures.of(np.zeros((2, 1, 3)), ["He"], values={"energy": [1.0, 2.0]})
        >>> len(two), two.values["energy"].tolist()
        (2, [1.0, 2.0])
        """
        clouds = [np.asarray(cloud, np.float64) for cloud in positions]
        if not clouds:
            raise fail("positions", "one structure or more", "none")
        d = clouds[0].shape[-1] if clouds[0].ndim == 2 else 0
        for number, cloud in enumerate(clouds):
            if cloud.ndim != 2 or cloud.shape[1] != d or d not in (2, 3) or not len(cloud):
                expected = "arrays (n, 3) of one structure each, or (n, 2) in the plane"
                raise fail("positions", expected, f"shape {cloud.shape} of structure {number}")
        sizes = np.array([len(cloud) for cloud in clouds])
        kind = kind or ("points" if species is None else "residues" if species_names else "atoms")
        if kind not in KINDS:
            raise fail("kind", f"one of {', '.join(KINDS)}", kind)
        flat = _flat_species(species, sizes, kind, species_names)
        named = None if kind == "atoms" else tuple(species_names or ("point",))
        cell_array = _cells(cells, len(clouds), d)
        found = cls(
            np.concatenate(clouds), flat, np.concatenate([[0], np.cumsum(sizes)]), cell_array,
            _periodic(periodic, cell_array, len(clouds), d), kind=kind, species_names=named,
        )  # fmt: skip
        found.check("positions")
        return found.with_values(values or {}, units=units or {}, per_point=per_point)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, number: int) -> Structure:
        if not -len(self) <= number < len(self):
            raise IndexError(f"structure {number} of {len(self)}")
        number %= len(self)
        here = slice(int(self.offsets[number]), int(self.offsets[number + 1]))
        cell = None if self.cells is None or not self.cells[number].any() else self.cells[number]
        return Structure(self.positions[here], self.species[here], cell, self.periodic[number])

    def __iter__(self) -> Iterator[Structure]:
        return (self[k] for k in range(len(self)))

    @property
    def total(self) -> int:
        """How many points all structures have together."""
        return len(self.positions)

    @property
    def dimension(self) -> int:
        """d, of the space."""
        return self.positions.shape[1]

    @property
    def sizes(self) -> Int[np.ndarray, " S"]:
        """How many points each structure has."""
        return np.diff(self.offsets)

    @property
    def structure(self) -> Int[np.ndarray, " total"]:
        """The number of the structure of each point."""
        return np.repeat(np.arange(len(self)), self.sizes)

    @property
    def elements(self) -> Int[np.ndarray, " kinds"]:
        """The species that there are, each once, in order."""
        return np.unique(self.species)

    @property
    def symbols(self) -> Shaped[np.ndarray, " total"]:
        """The species of each point as a word."""
        return np.array(SYMBOLS if self.species_names is None else self.species_names)[self.species]

    def words(self, name: str) -> Shaped[np.ndarray, " ..."]:
        """The labels `name` as words, "" where there is none.

        Raises InputError for a name that has no words.
        """
        if name not in self.names:
            raise fail("name", f"labels in words ({', '.join(self.names) or 'none'})", repr(name))
        return np.array([*self.names[name], ""])[self.values[name]]

    def of_structure(self, name: str, number: int) -> np.ndarray:
        """The value `name` of one structure: (...), or (n, ...) where it is one per point."""
        value = self._value(name)
        if name in self.per_point:
            return value[self.offsets[number] : self.offsets[number + 1]]
        return value[number]

    def take(self, rows: ArrayLike | slice) -> Structures:
        """Structures by their numbers, in this order, by a slice, or by a mask (S,).

        Raises InputError for numbers that are none, and for none at all.

        >>> three = Structures.of(np.zeros((3, 1, 3)), ["He"], values={"energy": [1.0, 2.0, 3.0]})
        >>> three.take([2, 0]).values["energy"].tolist(), len(three.take(slice(2)))
        ([3.0, 1.0], 2)
        """
        chosen = np.arange(len(self))[rows] if isinstance(rows, slice) else np.asarray(rows)
        if chosen.dtype == bool and chosen.shape == (len(self),):
            chosen = np.flatnonzero(chosen)
        known = chosen.ndim == 1 and chosen.size and chosen.dtype.kind in "iu"
        if not known or ((chosen < -len(self)) | (chosen >= len(self))).any():
            raise fail("rows", f"numbers of structures, 0 to {len(self) - 1}", rows)
        chosen = chosen % len(self)
        sizes = self.sizes[chosen]
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        points = np.arange(offsets[-1]) + np.repeat(self.offsets[chosen] - offsets[:-1], sizes)
        return replace(
            self, positions=self.positions[points], species=self.species[points], offsets=offsets,
            cells=None if self.cells is None else self.cells[chosen], periodic=self.periodic[chosen],
            values={k: v[points if k in self.per_point else chosen] for k, v in self.values.items()},
        )  # fmt: skip

    def split(
        self, share: float = 0.1, *, by: str | None = None, seed: int = 0
    ) -> tuple[Structures, Structures]:
        """(the rest, a share held out), drawn at random by `seed`, each in the order of the file.

        share: between 0 and 1, or how many structures. by: a value per structure, such as trajectory or
        file, whose groups are kept together: as many as do not exceed the share, or the smallest.

        Raises InputError where one of the two would have none.

        >>> ten = Structures.of(np.zeros((10, 1, 3)), ["He"], values={"run": np.arange(10) // 5})
        >>> rest, held = ten.split(0.5, by="run")
        >>> len(rest), len(np.unique(held.values["run"]))
        (5, 1)
        """
        wanted = share * len(self) if 0 < share < 1 else share
        if by is None:
            groups = np.arange(len(self))
        else:
            groups = self._value(by)
            if by in self.per_point or groups.ndim != 1:
                raise fail("by", "a value with one number or word a structure", repr(by))
        distinct_groups, group = np.unique(groups, return_inverse=True)
        counts, most = np.bincount(group), max(1, round(wanted))
        held: list[int] = []
        for number in np.random.default_rng(seed).permutation(len(distinct_groups)).tolist():
            if counts[held].sum() + counts[number] <= most:
                held.append(number)
        held = held or [int(np.argmin(counts))]
        if not 0 < wanted < len(self) or len(held) >= len(distinct_groups):
            got = f"{share} of {len(self)} structures in {len(distinct_groups)} groups"
            raise fail("share", "a share that leaves structures on either side", got)
        mask = np.isin(group, held)
        return self.take(~mask), self.take(mask)

    def with_values(
        self,
        values: Mapping[str, ArrayLike],
        *,
        units: Mapping[str, str] | None = None,
        names: Mapping[str, tuple[str, ...]] | None = None,
        per_point: Sequence[str] = (),
    ) -> Structures:
        """The same with more values, or others in their place: arrays (S, ...) or (total, ...), numbers or
        words. per_point: names of those per point, where lengths do not tell.

        Raises InputError for lengths that do not fit, and for what is neither real numbers nor words.
        """
        if not isinstance(values, Mapping):
            raise fail("values", "a mapping of name → array", values)
        found, words, points = dict(self.values), dict(self.names), set(self.per_point)
        for name, given in values.items():
            texts, value = _checked(name, given)
            words.pop(name, None)
            if texts is not None:
                words[name] = distinct(texts[texts != ""])
                value = places(texts, words[name]).astype(np.int64)
            if names and name in names:
                words[name] = tuple(names[name])
            points.discard(name)
            if self._is_per_point(name, value, name in per_point):
                points.add(name)
            found[name] = value
        return replace(
            self, values=found, names=words, per_point=frozenset(points),
            units={**self.units, **(units or {})},
        )  # fmt: skip

    def without(self, *names: str) -> Structures:
        """The same without some values."""
        return replace(
            self, values={k: v for k, v in self.values.items() if k not in names},
            names={k: v for k, v in self.names.items() if k not in names},
            units={k: v for k, v in self.units.items() if k not in names},
            per_point=self.per_point - set(names),
        )  # fmt: skip

    def renamed(self, names: Mapping[str, str]) -> Structures:
        """The same with values, their words and units under other names: old → new.

        Raises InputError for a name that there is not, and for one that two values would have.

        >>> one = Structures.of(np.zeros((1, 1, 3)), ["He"], values={"E0": [-2.9]}, units={"E0": "Hartree"})
        >>> one.renamed({"E0": "total"})
        Structures(1 structure of 1 atom: He; total (Hartree))
        """
        for old in names:
            self._value(old)
        new = [names.get(name, name) for name in self.values]
        if len(set(new)) < len(new):
            twice = next(name for name in new if new.count(name) > 1)
            raise fail(
                "names", "a name of its own for each value", f"{twice!r} for two", "leave one out first"
            )
        return replace(
            self, values=dict(zip(new, self.values.values(), strict=True)),
            names={names.get(k, k): v for k, v in self.names.items()},
            units={names.get(k, k): v for k, v in self.units.items()},
            per_point=frozenset(names.get(k, k) for k in self.per_point),
        )  # fmt: skip

    @classmethod
    def joined(cls, parts: Sequence[Structures]) -> Structures:
        """The structures of several, one after another, with the values that all have, and their caveats.

        Raises InputError for what is no list of structures, and for parts of different kinds, dimensions or
        units.

        >>> one = Structures.of(np.zeros((1, 1, 3)), ["He"])
        >>> len(Structures.joined([one, one]))
        2
        """
        return joined(parts)

    def to_file(self, path: str | Path) -> None:
        """Write extended XYZ (.xyz, .extxyz; atoms) or an npz archive (.npz), from which `load_structures`
        gives the same numbers back, bit by bit. The file is written aside and renamed.

        Raises InputError for another ending, and for XYZ of what are no atoms.
        """
        write_structures(path, self)

    def check(self, where: str) -> None:
        """Raise InputError, called `where`, for positions, species and cells that are none."""
        if not np.isfinite(self.positions).all():
            row = int(np.flatnonzero(~np.isfinite(self.positions).all(axis=1))[0])
            raise fail(where, "finite positions", f"a number that is not, {self.place(row)}")
        if self.species_names is None:
            check_numbers_of_elements(where, self.species)
        elif len(self.species) and not 0 <= self.species.min() <= self.species.max() < len(
            self.species_names
        ):
            raise fail(where, f"species from 0 to {len(self.species_names) - 1}", "others")
        if self.cells is None:
            if self.periodic.any():
                raise fail(where, "a cell for periodic structures", "none", "give cells")
            return
        if not np.isfinite(self.cells).all():
            raise fail(where, "finite cells", "numbers that are not")
        open_ = ~self.periodic[:, :, None] & ~self.cells.any(axis=2, keepdims=True)
        filled = np.where(open_, np.eye(self.dimension), self.cells)
        lengths = np.prod(np.linalg.norm(filled, axis=2), axis=1)
        flat = np.abs(np.linalg.det(filled)) < 1e-8 * lengths
        flat = self.periodic.any(axis=1) & (flat | (lengths == 0))
        if flat.any():
            number = int(np.flatnonzero(flat)[0])
            got = f"{self.cells[number].tolist()} of structure {number}"
            raise fail(where, "three independent vectors of a periodic cell", got)

    def place(self, point: int) -> str:
        """Words for a point: its structure and its number there, for errors."""
        number = int(np.searchsorted(self.offsets, point, side="right")) - 1
        what = {"atoms": "atom", "residues": "residue"}.get(self.kind, "point")
        return f"{what} {point - int(self.offsets[number])} of structure {number}"

    def _value(self, name: str) -> np.ndarray:
        if name not in self.values:
            listed = ", ".join(list(self.values)[:12]) or "none"
            raise fail("name", f"values of the structures ({listed})", repr(name), "say another")
        return self.values[name]

    def _is_per_point(self, name: str, value: np.ndarray, said: bool) -> bool:
        length = value.shape[0] if value.ndim else -1
        point = said or name in PER_POINT or (length != len(self) and name not in PER_STRUCTURE)
        if length != (self.total if point else len(self)):
            expected = (
                f"{counted(self.total, 'row')}, one per point"
                if point
                else f"{counted(len(self), 'row')}, one per structure"
            )
            if not said and name not in PER_POINT | PER_STRUCTURE:
                expected = f"{counted(len(self), 'row')}, one per structure, or {self.total}, one per point"
            raise fail(name, expected, f"shape {value.shape}")
        return point

    def __repr__(self) -> str:
        sizes, count = self.sizes, len(self)
        extent = f"{sizes.min()}" if sizes.min() == sizes.max() else f"{sizes.min()} to {sizes.max()}"
        kinds = [SYMBOLS[k] if self.species_names is None else self.species_names[k] for k in self.elements]
        listed = ", ".join(sorted(kinds)[:12]) + (", …" if len(kinds) > 12 else "")
        of = extent + (" " + self.kind if extent != "1" else f" {self.kind.removesuffix('s')}")
        found = [f"{counted(count, 'structure')} of {of}: {listed}"]
        if self.values:
            found.append(", ".join(f"{k} ({u})" if (u := self.units.get(k)) else k for k in self.values))
        if self.periodic.any():
            found.append("periodic")
        return f"Structures({'; '.join(found)})"


def _checked(name: object, given: ArrayLike) -> tuple[np.ndarray | None, np.ndarray]:
    """(a value as words, or None, and as an array)."""
    if not isinstance(name, str) or not name.strip():
        raise fail("values", "names that are words", name)
    try:
        texts = as_words(given)
        value = np.asarray(given) if texts is None else texts
    except ValueError:  # rows of different lengths
        raise fail(name, "rows of one shape", "rows of different lengths", "fill them up with nan") from None
    if texts is None and value.dtype.kind not in "iufb":
        got = f"type {value.dtype}" if value.ndim else given
        raise fail(name, "real numbers or words", got, "missing numbers are nan, missing words are empty")
    return texts, value


def _flat_species(
    species: Sequence[object] | np.ndarray | None,
    sizes: np.ndarray,
    kind: str,
    species_names: Sequence[str] | None,
) -> np.ndarray:
    """Numbers of species of all points, from one list a structure, or from one for all."""
    if species is None:
        return np.zeros(int(sizes.sum()), np.int64)
    rows: list[object] = list(species)
    alike = not rows or isinstance(rows[0], str | int | np.integer | np.str_)
    parts = [rows] * len(sizes) if alike else [list(np.asarray(row)) for row in rows]
    if len(parts) != len(sizes) or any(len(p) != n for p, n in zip(parts, sizes, strict=True)):
        got = f"{len(rows)} for {len(sizes)} structures of {sizes.min()} to {sizes.max()} points"
        raise fail("species", "one symbol or number for every point", got)
    flat = [s for part in parts for s in part]
    if all(isinstance(s, int | np.integer) for s in flat):
        return np.array(flat, np.int64)
    if kind == "atoms":
        return atomic_numbers("species", flat)
    words = {word: number for number, word in enumerate(species_names or ())}
    unknown = next((s for s in flat if str(s) not in words), None)
    if unknown is not None:
        raise fail("species", f"names among species_names ({', '.join(list(words)[:12])})", repr(unknown))
    return np.array([words[str(s)] for s in flat], np.int64)


def _cells(cells: ArrayLike | None, count: int, d: int) -> np.ndarray | None:
    if cells is None:
        return None
    array = np.asarray(cells, np.float64)
    if array.shape not in ((d, d), (count, d, d)):
        raise fail(
            "cells", f"an array ({d}, {d}) or ({count}, {d}, {d}), rows are vectors", f"shape {array.shape}"
        )
    return np.array(np.broadcast_to(array, (count, d, d)))


def _periodic(periodic: ArrayLike | None, cells: np.ndarray | None, count: int, d: int) -> np.ndarray:
    if periodic is None:
        return np.zeros((count, d), bool) if cells is None else np.any(cells, axis=2)
    array = np.asarray(periodic)
    if array.dtype != bool or array.shape not in ((), (d,), (count, d)):
        raise fail("periodic", f"bool of shape ({d},) or ({count}, {d})", periodic)
    return np.array(np.broadcast_to(array, (count, d)))
