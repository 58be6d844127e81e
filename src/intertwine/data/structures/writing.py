"""Structures into files, by the ending of the name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from intertwine._checks import fail
from intertwine.data.checks import shown
from intertwine.data.formats.numpy_files import write_npz
from intertwine.data.structures.quantities import QUANTITIES
from intertwine.data.structures.xyz_writing import write_extended_xyz

if TYPE_CHECKING:
    from intertwine.data.structures.structures import Structures

WORDS = "words of "
"""What the names of arrays with the words of labels begin with, in an archive."""
VALUE = "values of "
"""What the names of values begin with that the archive has another use for."""
POSITIONS = QUANTITIES["positions"].names
SPECIES = (
    "species", "numbers", "atomic_numbers", "z", "Z", "nuclear_charges", "symbols", "elements",
    "atomic_number", "symbol", "element",
)  # fmt: skip
SIZES = ("sizes", "n_atoms", "num_atoms", "natoms", "N")
CELLS = ("cells", "cell", "lattice", "box")
PERIODIC = ("periodic", "pbc")
"""What archives call these."""
_OURS = {"offsets", "kind", "species names", "units", "per point", "r_unit", "e_unit", "old_indices"}
_USED = _OURS | {*POSITIONS, *SPECIES, *SIZES, *CELLS, *PERIODIC}


def write_structures(path: str | Path, structures: Structures) -> None:
    """Write extended XYZ (.xyz, .extxyz; atoms) or an npz archive (.npz), from which `load_structures` gives
    the same numbers back, bit by bit. The file is written aside and renamed.

    Raises InputError for another ending, for a folder that is not there, and for XYZ of what are no atoms.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in (".xyz", ".extxyz", ".npz"):
        raise fail("path", "a file .xyz, .extxyz or .npz", shown(path))
    if not path.parent.is_dir():
        raise fail("path", "a folder that is there", shown(path.parent))
    (_write_archive if ending == ".npz" else write_extended_xyz)(path, structures)


def stored_name(name: str) -> str:
    """What a value is called in an archive.

    >>> stored_name("energy"), stored_name("kind")
    ('energy', 'values of kind')
    """
    return VALUE + name if name in _USED or name.startswith((WORDS, VALUE)) else name


def _write_archive(path: Path, structures: Structures) -> None:
    """Write structures with all that is known of them, so that they are read back bit by bit."""
    clash = next((n for n in structures.values if "/" in n), None)
    if clash is not None:
        remedy = f'rename it by structures.renamed({{"{clash}": "other"}})'
        raise fail("values", "names without a slash", repr(clash), remedy)
    arrays = {
        "positions": structures.positions, "species": structures.species, "offsets": structures.offsets,
        "periodic": structures.periodic, "kind": np.array(structures.kind),
        **{stored_name(name): value for name, value in structures.values.items()},
    }  # fmt: skip
    if structures.cells is not None:
        arrays["cells"] = structures.cells
    if structures.species_names is not None:
        arrays["species names"] = np.array(structures.species_names)
    arrays |= {f"{WORDS}{name}": np.array(words, str) for name, words in structures.names.items()}
    if structures.per_point:
        arrays["per point"] = np.array(sorted(structures.per_point))
    units = [f"{name}={unit}" for name, unit in structures.units.items() if unit]
    if units:
        arrays["units"] = np.array(units)
    write_npz(path, arrays)
