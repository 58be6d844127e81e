r"""What the structures of every format go through: canonical names, units, cells, and what is doubtful.

A reader gives values as the file names them, the units that the file says, and whether its format defines
them. Here values get their canonical names and are brought to eV and Å; what nobody says is assumed, and that
is told. The stress of a virial W is σ = −W/V, as in ASE. Positions outside of a periodic cell are brought
inside; all others stay bit by bit what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from intertwine._caveats import caveat
from intertwine._checks import fail
from intertwine.data.structures.coincidences import check_coincidences
from intertwine.data.structures.quantities import (
    LOOSE,
    NEGATED,
    OF_ATOMS,
    OF_POINTS,
    QUANTITIES,
    called,
    canonical,
    derived,
    parse_unit,
    size_of_electronic,
)
from intertwine.data.structures.structures import PER_POINT, PER_STRUCTURE, Structures
from intertwine.data.structures.text import counted

_VOIGT = np.array([[0, 5, 4], [5, 1, 3], [4, 3, 2]])
"""Places of xx, yy, zz, yz, xz, xy in a symmetric matrix."""
_AT_ONCE = 1 << 18


class Read(NamedTuple):
    """structures: as in the file. said: name in the file → unit that it says. defined: canonical names whose
    units the format defines as they are here. notes: sentences of what was left out or taken for something.
    """

    structures: Structures
    said: Mapping[str, str] = {}
    defined: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def settled(where: str, read: Read, given: Mapping[str, str] | None = None) -> Structures:
    """Structures under canonical names, in eV and Å, inside of their cells, checked, with their caveats.

    given: name, canonical or of the file, → unit, by the user. Raises InputError, called `where`, for units
    that are none, numbers that are not finite, shapes that do not fit, and points on top of each other.
    """
    found, notes = read.structures, [*read.notes]
    of_points = {name: OF_POINTS.get(name, f"atom-{name}") for name in found.per_point & PER_STRUCTURE}
    found = found.renamed(
        {old: f"atom-{old}" if new in found.values else new for old, new in of_points.items()}
    )
    renamed = canonical(list(found.values), fitting(found))
    notes += beside(found, list(found.values), renamed)
    units = _units(where, found, renamed, read.said, given or {})
    negated = next((name for name in renamed if name.lower() in NEGATED), None)
    found = _shaped(where, found.renamed({k: v for k, v in renamed.items() if k != v}))
    if negated is not None:
        found = replace(found, values={**found.values, "forces": -found.values["forces"]})
        notes.append(f"{negated} are taken for those of the energy: forces are -{negated}")
    found, assumed = _converted(where, found, units, read.defined)
    found = _stressed(found)
    found.check(where)
    _check_values(where, found, notes)
    found, outside = _inside(found)
    if outside:
        told = "a position outside of its periodic cell is wrapped into it"
        if outside > 1:
            told = f"{outside} positions outside of their periodic cells are wrapped into them"
        notes.append(told)
    check_coincidences(where, found)
    if assumed:
        listed = ", ".join(f"{name} as {QUANTITIES[name].unit}" for name in assumed)
        notes.append(f"units that the file does not say are assumed: {listed}{_doubt(found, assumed)}")
    lines = tuple(caveat("data", f"{where}: {note}") for note in notes)
    return replace(found, warnings=(*found.warnings, *lines))


def _units(
    where: str,
    found: Structures,
    renamed: Mapping[str, str],
    said: Mapping[str, str],
    given: Mapping[str, str],
) -> dict[str, str]:
    """canonical or own name → unit, the user's before the file's."""
    known = {"positions", *found.values, *renamed.values()}
    aliases = {alias: name for name, (_, names) in QUANTITIES.items() for alias in names if name in known}
    aliases |= dict(renamed) | {"length": "positions", "lengths": "positions", "distance": "positions"}
    units: dict[str, str] = {}
    for source, mine in ((said, False), (given, True)):
        for name, unit in source.items():
            quantity = name if name in known else aliases.get(name)
            if quantity is None and any(derived({name: "eV"}, other) for other in known):
                quantity = name
            if quantity is None and mine:
                listed = ", ".join(["positions", *(renamed.get(n, n) for n in found.values)][:12])
                raise fail("units", f"values of {where} ({listed})", repr(name), "say the units of these")
            if quantity is not None and (mine or quantity not in given):
                units[renamed.get(quantity, quantity)] = str(unit)
    return units


def fitting(found: Structures) -> Callable[[str, str], bool]:
    """fits(name, quantity): whether the value of this name can be the quantity. Names that mean nothing else
    are taken at their word, so that a wrong shape is refused."""
    count, total, d = len(found), found.total, found.dimension

    def fits(name: str, quantity: str) -> bool:
        if quantity == "positions" or (name.lower() in NEGATED and found.kind != "atoms"):
            return False
        points = name in found.per_point
        if quantity in PER_STRUCTURE or quantity in OF_ATOMS:
            if points != (quantity in OF_ATOMS):
                return False
        elif name.lower() in LOOSE and not points:
            return False
        if name.lower() in LOOSE or (found.kind == "points" and name != quantity):
            value, length = found.values[name], total if points else count
            size = {"forces": d, "dipole": d, "stress": d * d, "virial": d * d, "stresses": value[0].size}
            numbers = name not in found.names and value.dtype.kind in "iuf"
            return (
                numbers
                and points == (quantity in PER_POINT | OF_ATOMS)
                and (value.size == length * size.get(quantity, 1))
            )
        return True

    return fits


def beside(found: Structures, names: Sequence[str], taken: Mapping[str, str]) -> list[str]:
    """Sentences on names of one quantity of which another one is taken, with other numbers."""
    notes = []
    for first, quantity in taken.items():
        others = [
            name for name in called(names, quantity, fitting(found))
            if name not in taken and not _alike(found.values[name], found.values[first])
        ]  # fmt: skip
        if others:
            listed = " and ".join(others)
            notes.append(
                f"of {first} and {listed}, which differ, {first} is taken for {quantity}; {listed} "
                + (
                    "stays as in the file, in its own unit"
                    if len(others) == 1
                    else "stay as in the file, in units of their own"
                )
            )
    return notes


def _alike(first: np.ndarray, second: np.ndarray) -> bool:
    return first.size == second.size and np.array_equal(first.reshape(-1), second.reshape(-1))


def _shaped(where: str, found: Structures) -> Structures:
    """Quantities in their shapes: numbers as (S,), stresses of six or nine numbers as (S, 3, 3)."""
    values, per_point = dict(found.values), set(found.per_point)
    count, total, d = len(found), found.total, found.dimension
    shapes = {
        "energy": (count,), "free_energy": (count,), "forces": (total, d), "stress": (count, d, d),
        "virial": (count, d, d), "dipole": (count, d), "charges": (total,),
    }  # fmt: skip
    shapes |= {"energies": (total,)} if "energies" in per_point else {}
    for name, shape in shapes.items():
        if name not in values:
            continue
        value = values[name]
        if name in found.names or value.dtype.kind not in "iufb":
            raise fail(f"{where}: {name}", "numbers", "words", "name labels otherwise")
        if name in ("stress", "virial") and value.shape == (count, 6) and d == 3:
            value = value[:, _VOIGT]
        elif value.size == int(np.prod(shape)) and value.ndim <= len(shape) + 1 and len(value) == shape[0]:
            value = value.reshape(shape)
        if value.shape != shape:
            raise fail(f"{where}: {name}", f"an array of shape {shape}", f"shape {value.shape}")
        values[name] = value.astype(np.float64)
        points = name in PER_POINT or name in OF_ATOMS
        (per_point.add if points else per_point.discard)(name)
    return replace(found, values=values, per_point=frozenset(per_point))


def _converted(
    where: str, found: Structures, said: dict[str, str], defined: frozenset[str]
) -> tuple[Structures, list[str]]:
    """In eV and Å, and the quantities whose units were assumed."""
    values, units, assumed = dict(found.values), {**found.units}, []
    units |= {name: unit for name, unit in said.items() if name in values and name not in QUANTITIES}
    positions, cells = found.positions, found.cells
    for name, (unit, _) in QUANTITIES.items():
        if name != "positions" and (name not in values or (name in OF_ATOMS and name not in found.per_point)):
            continue
        text = said.get(name) or derived(said, name)
        if text is None:
            if name == "positions" and found.kind == "points":
                continue
            if name not in defined:
                assumed.append(name)
            units[name] = unit
            continue
        factor = parse_unit(f"units of {where}", text, name).factor
        factor = 1.0 if abs(factor - 1) < 1e-12 else factor
        units[name] = unit
        if name == "positions":
            positions = positions if factor == 1 else positions * factor
            cells = cells if factor == 1 or cells is None else cells * factor
        elif factor != 1:
            values[name] = values[name] * factor
    return replace(found, positions=positions, cells=cells, values=values, units=units), assumed


def _stressed(found: Structures) -> Structures:
    """With the stress of a virial, where all structures have a volume."""
    if "virial" not in found.values or "stress" in found.values or found.cells is None:
        return found
    volume = np.abs(np.linalg.det(found.cells))
    if not (found.periodic.all() and (volume > 0).all()):
        return found
    stress = -found.values["virial"] / volume[:, None, None]
    return found.without("virial").with_values({"stress": stress}, units={"stress": "eV/Å^3"})


def _check_values(where: str, found: Structures, notes: list[str]) -> None:
    for name, value in found.values.items():
        if value.dtype.kind != "f" or np.isfinite(value).all():
            continue
        rows = np.flatnonzero(~np.isfinite(value.reshape(len(value), -1)).all(axis=1))
        place = found.place(int(rows[0])) if name in found.per_point else f"structure {int(rows[0])}"
        if name in QUANTITIES or np.isinf(value).any():
            raise fail(f"{where}: {name}", "finite numbers", f"one that is not, of {place}", "leave it out")
        rows_of = counted(len(value), "row")
        notes.append(f"{name} is missing (nan) in {len(rows)} of {rows_of}, first of {place}")


def _inside(found: Structures) -> tuple[Structures, int]:
    """Positions inside of the periodic cells, and how many were not."""
    if found.cells is None or not found.periodic.any():
        return found, 0
    filled = np.where(found.cells.any(axis=2, keepdims=True), found.cells, np.eye(found.dimension))
    owner, inverse = found.structure, np.linalg.inv(filled)
    positions, count = found.positions, 0
    for begin in range(0, len(owner), _AT_ONCE):
        here, of = slice(begin, begin + _AT_ONCE), owner[begin : begin + _AT_ONCE]
        steps = np.floor(np.einsum("pi,pij->pj", found.positions[here], inverse[of]) + 1e-9)
        steps = np.where(found.periodic[of], steps, 0.0)
        outside = steps.any(axis=1)
        if outside.any():
            positions = positions.copy() if positions is found.positions else positions
            shift = np.einsum("pi,pij->pj", steps[outside], filled[of[outside]])
            positions[begin + np.flatnonzero(outside)] -= shift
            count += int(outside.sum())
    return (found, 0) if not count else (replace(found, positions=positions), count)


def _doubt(found: Structures, assumed: list[str]) -> str:
    """What the size of energies says about their unit, and what to do."""
    remedy = '; if they are others say units={"energy": "kcal/mol", "positions": "bohr", ...}'
    if "energy" not in assumed or found.kind != "atoms":
        return remedy
    atoms = np.add.reduceat(-0.5 * found.species.astype(float) ** 2.4, found.offsets[:-1])
    unit = size_of_electronic(float(np.median(found.values["energy"] / atoms)))
    if unit is None or unit == "eV":
        return remedy
    told = f", but energies of all electrons would have this size in {unit}: if so say "
    return told + f'units={{"energy": "{unit}"}}'
