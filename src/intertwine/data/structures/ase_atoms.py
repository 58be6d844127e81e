"""ASE's objects as structures, and structures as ASE's objects. ASE has eV and Å."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from intertwine._caveats import tell
from intertwine._checks import fail
from intertwine.data.structures.frames import Frame, assembled
from intertwine.data.structures.quantities import QUANTITIES
from intertwine.data.structures.settled import Read, settled
from intertwine.data.structures.structures import Structures

if TYPE_CHECKING:
    from ase import Atoms

_ARRAYS = ("numbers", "positions")
_OF_CRYSTALS = ("spacegroup", "occupancy", "unit_cell")
"""What ASE keeps of a CIF file, which is told nowhere."""
_PER_ATOM = ("forces", "charges", "magmoms", "energies", "stresses", "initial_charges", "initial_magmoms")
_RESULTS = ("energy", "free_energy", "forces", "stress", "dipole", "charges")


def from_ase(atoms: Atoms | Sequence[Atoms]) -> Structures:
    """Structures of ASE's objects, with the results of their calculators (which are not run), their numbers
    and words.

    Raises InputError for none, and for whatever `load_structures` refuses.

    >>> from ase import Atoms
    >>> from_ase(Atoms("CO", [[0, 0, 0], [0, 0, 1.13]]))
    Structures(1 structure of 2 atoms: C, O)
    """
    images: list[Any] = [atoms] if hasattr(atoms, "get_positions") else list(atoms)
    if not images or not all(hasattr(image, "get_positions") and len(image) for image in images):
        raise fail("atoms", "objects ase.Atoms, each with atoms", "others" if images else "none")
    found = settled("atoms", read_of_atoms(images))
    tell(found.warnings)
    return found


def to_ase(structures: Structures) -> list[Atoms]:
    """An ase.Atoms for each structure of atoms: energies, forces, stresses, dipoles and charges as results of
    a calculator, other values in `info` and `arrays`.

    Raises InputError for what are no atoms in space, and where ASE is not installed.

    >>> found = Structures.of([[[0, 0, 0]]], ["He"], values={"energy": [-77.0]})
    >>> to_ase(found)[0].get_potential_energy()
    -77.0
    """
    if structures.kind != "atoms" or structures.dimension != 3:
        raise fail(
            "structures", "atoms in three dimensions", f"{structures.kind}, d = {structures.dimension}"
        )
    try:
        from ase import Atoms
        from ase.calculators.singlepoint import SinglePointCalculator
    except ImportError:
        remedy = "pip install 'intertwine[molecules]'"
        raise fail("structures", "the package ase, whose objects are asked for", "none", remedy) from None
    found = []
    for k, one in enumerate(structures):
        image = Atoms(numbers=one.species, positions=one.positions, cell=one.cell, pbc=one.periodic)
        results = {}
        for name in structures.values:
            value = structures.of_structure(name, k)
            if name in structures.names:
                value = np.array([*structures.names[name], ""])[value]
            if name == "stress":
                value = value[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
            value = value.item() if value.ndim == 0 else value.copy()
            if name in _RESULTS:
                results[name] = value
            elif name in structures.per_point:
                image.set_array(f"atom-{name}" if name in _ARRAYS else name, value)
            else:
                image.info[name] = value
        if results:
            image.calc = SinglePointCalculator(image, **results)
        found.append(image)
    return found


def read_of_atoms(images: Sequence[Atoms], source: str = "", checksum: str = "") -> Read:
    """The frames of ASE's objects, as a reader gives them."""
    found, notes = assembled(source, checksum, [_frame(image) for image in images])
    return Read(found, {}, frozenset(QUANTITIES), notes)


def _array(value: object) -> np.ndarray:
    """A value as an array; of objects where it is neither numbers nor words, which `assembled` tells."""
    try:
        array = np.asarray(value)
    except ValueError:  # rows of different lengths
        array = np.array(None, object)
    return array if array.dtype.kind in "iufbU" else np.array(None, object)


def _frame(image: Atoms) -> Frame:
    results: Mapping[str, Any] = getattr(image.calc, "results", {}) if image.calc is not None else {}
    of_structure: dict[str, Any] = {}
    of_points: dict[str, np.ndarray] = {}
    for name, value in {**image.info, **results}.items():
        known = isinstance(value, int | float | str | np.ndarray | list | tuple | np.generic | dict)
        if not known or not isinstance(name, str) or name in _OF_CRYSTALS:
            continue
        array = _array(value)
        per_atom = array.ndim and len(array) == len(image) and name in _PER_ATOM
        (of_points if per_atom else of_structure)[name] = array
    of_points |= {
        name: array for name, array in image.arrays.items()
        if name not in _ARRAYS and array.dtype.kind in "iufbU"
    }  # fmt: skip
    cell = np.asarray(image.cell.array, np.float64)
    return Frame(
        np.asarray(image.positions, np.float64), np.asarray(image.numbers, np.int64),
        cell if cell.any() else None, np.asarray(image.pbc, bool), of_structure, of_points,
    )  # fmt: skip
