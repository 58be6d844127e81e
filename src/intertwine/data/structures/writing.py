"""Structures into files, by the ending of the name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from intertwine._checks import fail
from intertwine.data.checks import shown
from intertwine.data.formats.numpy_files import write_npz
from intertwine.data.structures.xyz_writing import write_extended_xyz

if TYPE_CHECKING:
    from intertwine.data.structures.structures import Structures

WORDS = "words of "
"""What the names of arrays with the words of labels begin with, in an archive."""


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


def _write_archive(path: Path, structures: Structures) -> None:
    """Write structures with all that is known of them, so that they are read back bit by bit."""
    taken = {
        "positions",
        "species",
        "offsets",
        "cells",
        "periodic",
        "kind",
        "species names",
        "units",
        "per point",
    }
    clash = next((n for n in structures.values if n in taken or n.startswith(WORDS) or "/" in n), None)
    if clash is not None:
        raise fail("values", "names that the archive does not use itself", repr(clash), "call it otherwise")
    arrays = {
        "positions": structures.positions, "species": structures.species, "offsets": structures.offsets,
        "periodic": structures.periodic, "kind": np.array(structures.kind), **structures.values,
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
