r"""Structures in npz archives: what others keep there, and our own.

    positions, R, coords, coordinates, pos, xyz   (S, n, 3), (n, 3), or (total, 3) with `offsets` or sizes
    species, numbers, atomic_numbers, z, Z,       (n,) alike for all, (S, n) where 0 is padding, or
      nuclear_charges, symbols, elements …        (total,); numbers or symbols
    cell, cells, lattice, box                     (3, 3), (S, 3, 3); lengths (3,), (S, 3); (6,) with angles
    pbc, periodic                                 (), (3,) or (S, 3)
    others                                        (S, ...) per structure; (S, n, ...), (total, ...) per point

MD17's names (R, z, E, F), those of rMD17 (coords, nuclear_charges, energies, forces) and of padded sets are
among these. r_unit and e_unit (sGDML) and an array of words units ("energy=eV") say units; archives of rMD17,
known by old_indices, are in kcal/mol and Å.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from intertwine._checks import InputError, fail
from intertwine.data.checks import shown
from intertwine.data.formats.numpy_files import read_members, read_npz
from intertwine.data.structures.elements import atomic_numbers
from intertwine.data.structures.frames import source_of
from intertwine.data.structures.quantities import canonical
from intertwine.data.structures.settled import Read
from intertwine.data.structures.structures import KINDS, PER_POINT, PER_STRUCTURE, Structures
from intertwine.data.structures.writing import CELLS, PERIODIC, POSITIONS, SIZES, SPECIES, VALUE, WORDS


def read_archive(path: Path) -> Read:
    """The structures of an archive.

    Raises InputError for archives without positions and for lengths that do not fit.
    """
    held = read_members(path)
    arrays = {name: read_npz(path, name, words=True) for name in held}
    named = {name: _plain(array) for name, array in arrays.items()}
    position_name = _first(POSITIONS, named)
    if position_name is None:
        remedy = "name them positions, R or coords"
        raise fail(
            "data", f"positions among the arrays of {path.name}", ", ".join(held[:12]) or "none", remedy
        )
    positions = named.pop(position_name)
    where = f"{shown(path)}: {position_name}"
    if positions.dtype.kind not in "iuf" or positions.ndim not in (2, 3) or positions.shape[-1] not in (2, 3):
        raise fail(where, "numbers (S, n, 3), or (total, 3) with offsets", f"shape {positions.shape}")
    if not positions.size:
        raise fail(where, "one point or more", f"shape {positions.shape}")
    kind = _kind(named)
    names = _words(named, "species names")
    species = _species_array(path, named, kind, positions)
    flat, numbers, offsets, inside = _flat(path, named, positions, species)
    structures = len(offsets) - 1
    kind = kind or ("points" if species is None else "atoms")
    words = None if kind == "atoms" else tuple(map(str, names)) if names is not None else None
    if kind != "atoms" and words is None:
        words = ("point",) if species is None else tuple(f"{k}" for k in range(int(numbers.max()) + 1))
    d = flat.shape[1]
    cells, periodic = _cells(path, named, structures, d)
    said = _said(named)
    found = Structures(
        flat.astype(np.float64), numbers, offsets, cells, periodic, kind=kind, species_names=words,
        source=source_of(path)[0], checksum=source_of(path)[1],
    )  # fmt: skip
    found, notes = _with_values(found, named, inside)
    if "old_indices" in held and "nuclear_charges" in held and not said:
        said = {"energy": "kcal/mol", "positions": "Å"}
        notes += ("taken for an archive of rMD17 (it has old_indices): energies in kcal/mol, lengths in Å",)
    return Read(found, said, frozenset(), notes)


def holds_structures(path: Path) -> bool:
    """Whether an archive has positions and something beside them that structures have."""
    try:
        names = set(read_members(path))
    except InputError:
        return False
    beside = {*SPECIES, "offsets", "forces", "F", "kind"}
    return bool(names & set(POSITIONS) and names & beside)


def _plain(array: np.ndarray) -> np.ndarray:
    return array.astype(str) if array.dtype.kind == "S" else array


def _first(names: tuple[str, ...], held: Mapping[str, np.ndarray]) -> str | None:
    return next((name for name in names if name in held), None)


def _kind(named: dict[str, np.ndarray]) -> str | None:
    """What the points are, where the archive says it by one word; another array of this name is a value."""
    array = named.get("kind")
    if array is None or array.ndim or str(array) not in KINDS:
        return None
    return str(named.pop("kind"))


def _words(named: dict[str, np.ndarray], name: str, within: str = "") -> np.ndarray | None:
    """A list of words with `within` in each, which is taken from the arrays; None where it is another."""
    array = named.get(name)
    if array is None or array.dtype.kind != "U" or not all(within in str(word) for word in array.reshape(-1)):
        return None
    return named.pop(name)


def _species_array(
    path: Path, named: dict[str, np.ndarray], kind: str | None, positions: np.ndarray
) -> np.ndarray | None:
    """Species as whole numbers, of any shape; None where the archive has none."""
    name = _first(SPECIES, named)
    shape = positions.shape[:-1]
    if name is None and (c := named.get("charges")) is not None and c.dtype.kind in "iu" and c.shape == shape:
        name = "charges"  # of the nuclei, in the archives of Cormorant
    if name is None:
        return None
    where, found = f"{shown(path)}: {name}", named.pop(name)
    for other in SPECIES if kind in (None, "atoms") else ():
        if other in named and _same_species(named[other], found):
            named.pop(other)  # symbols beside numbers
    if found.dtype.kind == "U":
        flat = [word if word.strip() else None for word in found.reshape(-1).tolist()]
        known = iter(atomic_numbers(where, [word for word in flat if word is not None]).tolist())
        return np.array([0 if word is None else next(known) for word in flat], np.int64).reshape(found.shape)
    if found.dtype.kind == "f" and (np.isfinite(found).all() and (found == np.rint(found)).all()):
        found = found.astype(np.int64)
    if found.dtype.kind not in "iu":
        raise fail(where, "atomic numbers or symbols", f"numbers of type {found.dtype}")
    return found.astype(np.int64)


def _same_species(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two arrays are the same atoms, in numbers or symbols."""
    if first.shape != second.shape:
        return False
    try:
        rows = [
            np.array(
                [0 if str(k).strip() in ("", "0") else atomic_numbers("species", [k])[0] for k in distinct]
            )[inverse.reshape(-1)]
            for distinct, inverse in (np.unique(array, return_inverse=True) for array in (first, second))
        ]
    except (InputError, ValueError, TypeError):
        return False
    return np.array_equal(rows[0], rows[1])


def _flat(
    path: Path, named: dict[str, np.ndarray], positions: np.ndarray, species: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    """(positions (total, d), species (total,), offsets, mask (S, n) of the places that are points where the
    archive has padded or equal structures)."""
    where = f"{shown(path)}: species"
    if positions.ndim == 3:
        count, n, _ = positions.shape
        if species is None:
            species = np.zeros((count, n), np.int64)
            inside = np.ones((count, n), bool)
        else:
            if species.shape not in ((n,), (count, n)):
                raise fail(
                    where, f"shape ({n},) or ({count}, {n}), as the positions", f"shape {species.shape}"
                )
            padded = species.shape == (count, n)
            species = np.broadcast_to(species, (count, n))
            inside = species != 0 if padded else np.ones((count, n), bool)
        sizes = _sizes(path, named, count)
        if sizes is not None:
            if (sizes > n).any():
                raise fail(f"{shown(path)}: sizes", f"at most the {n} places of each structure", sizes.max())
            inside = inside & (np.arange(n) < sizes[:, None])
        per = inside.sum(axis=1)
        if (per == 0).any():
            raise fail(
                where, "one point or more in every structure", f"none in structure {int(np.argmin(per))}"
            )
        return positions[inside], species[inside], np.concatenate([[0], np.cumsum(per)]), inside
    total = len(positions)
    offsets = named.pop("offsets", None)
    if offsets is None:
        sizes = _sizes(path, named, None)
        offsets = np.array([0, total]) if sizes is None else np.concatenate([[0], np.cumsum(sizes)])
    good = offsets.dtype.kind in "iu" and offsets.ndim == 1 and len(offsets) > 1
    offsets = offsets.astype(np.int64) if good else offsets
    if not good or offsets[0] != 0 or offsets[-1] != total or (np.diff(offsets) < 1).any():
        remedy = "structure k has the points offsets[k] to offsets[k + 1]"
        raise fail(f"{shown(path)}: offsets", f"rising whole numbers from 0 to {total}", offsets, remedy)
    species = np.zeros(total, np.int64) if species is None else species
    if species.shape != (total,):
        raise fail(where, f"shape ({total},), one for every point", f"shape {species.shape}")
    return positions, species, offsets, None


def _sizes(path: Path, named: dict[str, np.ndarray], count: int | None) -> np.ndarray | None:
    name = _first(SIZES, named)
    if name is None or named[name].ndim != 1 or named[name].dtype.kind not in "iu":
        return None
    if count is not None and len(named[name]) != count:
        raise fail(f"{shown(path)}: {name}", f"{count} numbers, one per structure", len(named[name]))
    return named.pop(name).astype(np.int64)


def _cells(
    path: Path, named: dict[str, np.ndarray], count: int, d: int
) -> tuple[np.ndarray | None, np.ndarray]:
    numbers = {name: array for name, array in named.items() if array.dtype.kind != "U"}  # words are labels
    name, periodic_name = _first(CELLS, numbers), _first(PERIODIC, numbers)
    cells = None
    if name is not None:
        found, where = named.pop(name), f"{shown(path)}: {name}"
        if found.dtype.kind not in "iuf" or found.ndim not in (1, 2, 3):
            raise fail(where, f"numbers ({count}, {d}, {d}), rows are vectors", f"shape {found.shape}")
        found = found.astype(np.float64)
        if found.shape[-2:] != (d, d) or (found.ndim == 2 and found.shape == (count, d) and count != d):
            if found.shape not in ((d,), (6,), (count, d), (count, 6)) or (found.shape[-1] == 6 and d != 3):
                raise fail(where, f"shape ({d}, {d}) or ({count}, {d}, {d})", f"shape {found.shape}")
            found = _of_lengths(found)
        if found.shape not in ((d, d), (count, d, d)):
            raise fail(where, f"shape ({d}, {d}) or ({count}, {d}, {d})", f"shape {found.shape}")
        cells = np.array(np.broadcast_to(found, (count, d, d)))
        cells = cells if cells.any() else None
    if periodic_name is None:
        return cells, np.zeros((count, d), bool) if cells is None else np.any(cells, axis=2)
    found = named.pop(periodic_name)
    if found.shape not in ((), (d,), (count, d)) or not np.isin(found, (0, 1)).all():
        raise fail(f"{shown(path)}: {periodic_name}", f"bool of shape ({d},) or ({count}, {d})", found)
    return cells, np.array(np.broadcast_to(found.astype(bool), (count, d)))


def _of_lengths(found: np.ndarray) -> np.ndarray:
    """Cells (..., d, d) of lengths (..., d), or of three lengths and three angles in degrees (..., 6)."""
    if found.shape[-1] != 6:
        return found[..., None] * np.eye(found.shape[-1])
    a, b, c = (found[..., k] for k in range(3))
    cosines = np.cos(np.radians(found[..., 3:]))
    cosines = np.where(np.abs(cosines) < 1e-15, 0.0, cosines)
    alpha, beta, gamma = (cosines[..., k] for k in range(3))
    sine = np.sqrt(1 - gamma**2)
    up = (alpha - beta * gamma) / sine
    height = np.sqrt(np.maximum(1 - beta**2 - up**2, 0.0))
    zero = np.zeros_like(a)
    rows = [[a, zero, zero], [b * gamma, b * sine, zero], [c * beta, c * up, c * height]]
    return np.moveaxis(np.array(rows), (0, 1), (-2, -1))


def _said(named: dict[str, np.ndarray]) -> dict[str, str]:
    """Units that the archive says, which are taken from its arrays."""
    said = {}
    units = _words(named, "units", "=")
    if units is not None:
        said |= dict(str(word).split("=", 1) for word in units.reshape(-1))
    for name, quantity in (("r_unit", "positions"), ("e_unit", "energy")):
        found = named.get(name)
        if found is not None and found.size == 1:
            word = str(named.pop(name).reshape(-1)[0]).strip()
            said |= {quantity: word} if word else {}
    return said


def _with_values(
    found: Structures, named: dict[str, np.ndarray], inside: np.ndarray | None
) -> tuple[Structures, tuple[str, ...]]:
    """The other arrays as values, and what is to be told of those left out."""
    words = {k.removeprefix(WORDS): named.pop(k) for k in list(named) if k.startswith(WORDS)}
    per_point = _words(named, "per point")
    points = set() if per_point is None else set(map(str, per_point.reshape(-1).tolist()))
    quantity, left_out, notes = canonical(list(named)), [], []
    again = [name for name in POSITIONS if name in named]
    if again:
        notes.append(f"{' and '.join(again)} beside other positions: kept as values, in units of the file")
    if "units" in named and named["units"].dtype.kind == "U" and named["units"].size == 1:
        remedy = 'say units={"energy": ..., "positions": ...}'
        notes.append(f"units {str(named['units'].reshape(-1)[0])!r} does not say of what: {remedy}")
    remarks = [name for name, array in named.items() if array.dtype.kind == "U" and array.size < 2]
    for name, array in named.items():
        if name in remarks and not (len(found) == 1 and array.ndim == 1):
            continue  # a name, a theory, a source
        name = name.removeprefix(VALUE)
        called = quantity.get(name, name)
        if (
            called in PER_STRUCTURE
            and inside is not None
            and array.shape == inside.shape
            and inside.shape[1] > 1
        ):
            called = f"atom {called}"  # of each atom, such as energies
        value, point = _placed(found, array, called, name in points, inside)
        if value is None:
            left_out.append(f"{name} {array.shape}")
            continue
        unclear = inside is not None and array.shape[:2] == inside.shape and name not in points
        if unclear and array.shape[1] == found.dimension and called not in PER_POINT | PER_STRUCTURE:
            taken = "one row a point" if point else "one vector a structure"
            notes.append(f"{name} of shape {array.shape} is taken for {taken}")
        texts = {name: tuple(map(str, words[name].tolist()))} if name in words else None
        found = found.with_values({name: value}, names=texts, per_point=(name,) if point else ())
    if left_out:
        notes.append(
            f"arrays that are neither per structure nor per point left out: {', '.join(left_out[:8])}"
        )
    return found, tuple(notes)


def _placed(
    found: Structures, array: np.ndarray, called: str, said: bool, inside: np.ndarray | None
) -> tuple[np.ndarray | None, bool]:
    """(the array per structure or flat per point, whether the latter), or (None, False)."""
    length = len(array) if array.ndim else -1
    padded = inside is not None and array.shape[:2] == inside.shape
    vector = padded and inside is not None and inside.shape[1] == found.dimension and array.ndim == 2
    if length == found.total and (said or called in PER_POINT or length != len(found)) and not padded:
        return array, True
    if (
        padded
        and inside is not None
        and called not in PER_STRUCTURE
        and (said or called in PER_POINT or not vector)
    ):
        return array[inside], True
    if length == len(found):
        return array, False
    if called in PER_STRUCTURE and len(found) == 1 and array.ndim in (0, 1, 2):
        return array[None], False
    if array.ndim == 0 and len(found) == 1:
        return array[None], False
    return None, False
