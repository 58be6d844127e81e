"""Files of atoms through ASE, where it is installed: trajectories (.traj), databases (.db), POSCAR, CIF,
outputs of codes. Only formats that hold data: none that runs what is in the file, no pickle. ASE gives eV and
Å."""

from __future__ import annotations

import sqlite3
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from intertwine._checks import InputError, fail
from intertwine.data.checks import damaged, shown
from intertwine.data.structures.ase_atoms import read_of_atoms
from intertwine.data.structures.frames import source_of
from intertwine.data.structures.settled import Read

if TYPE_CHECKING:
    from ase import Atoms

FORMATS = {
    ".traj": "traj", ".db": "db", ".vasp": "vasp", ".poscar": "vasp", ".cif": "cif", ".gen": "gen",
    ".xsf": "xsf", ".cube": "cube", ".res": "res", ".sdf": "sdf", ".mol": "mol", ".pwo": "espresso-out",
}  # fmt: skip
"""Endings of files, and what ASE calls their formats."""
NAMES = {
    "poscar": "vasp", "contcar": "vasp", "outcar": "vasp-out", "xdatcar": "vasp-xdatcar",
    "vasprun.xml": "vasp-xml", "geometry.in": "aims",
}  # fmt: skip
"""Names of files, in any case, likewise."""
_SINGLE = ("cif", "cube", "sdf", "mol", "vasp", "gen", "res", "aims")
_MAGIC = {"traj": b"- of Ulm", "db": b"SQLite format 3\0"}


def ase_format(path: Path) -> str | None:
    """What ASE calls the format of a file, by its name; None where it is none of those that are read.

    >>> ase_format(Path("run/POSCAR")), ase_format(Path("water.traj")), ase_format(Path("script.py"))
    ('vasp', 'traj', None)
    """
    return NAMES.get(path.name.lower()) or FORMATS.get(path.suffix.lower())


def read_ase(path: Path) -> Read:
    """The frames of a file, with energies, forces, stresses, dipoles, charges and other numbers.

    Raises InputError where ASE is not installed, and for damaged files.
    """
    try:
        import ase.io
    except ImportError:
        remedy = "pip install 'intertwine[molecules]', or save it as extended XYZ or npz"
        raise fail(
            "data", "the package ase, which reads this file", f"none for {shown(path)}", remedy
        ) from None
    format_ = ase_format(path)
    magic = _MAGIC.get(format_ or "")
    with open(path, "rb") as file:
        begin = file.read(16)
    if magic is not None and not begin.startswith(magic):
        raise damaged(path, f"a file of ASE that begins with {magic!r}", repr(begin[: len(magic)]))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if format_ == "db":
                images = _database(path)
            else:
                index = slice(None) if format_ not in _SINGLE else slice(-1, None)
                images = ase.io.read(path, index=index, format=format_, parallel=False)
    except InputError:
        raise
    except Exception as error:  # ASE raises many kinds for a damaged file, also MemoryError
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:150]
        raise damaged(path, f"a whole file of the format {format_}", reason) from None
    if not isinstance(images, list):
        images = [images]
    if not images or not all(len(image) for image in images):
        raise damaged(path, "structures with atoms", "none, or an empty one")
    return read_of_atoms(images, *source_of(path))


def _database(path: Path) -> list[Atoms]:
    with sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True) as connection:
        tables = connection.execute("SELECT COUNT(*) FROM sqlite_master WHERE name='systems'")
        there = tables.fetchone()[0]
    connection.close()
    if not there:
        raise damaged(path, "a database of ASE (a table of systems)", "another one")
    import ase.db

    images = []
    for row in ase.db.connect(str(path), type="db", use_lock_file=False).select():
        image = row.toatoms()
        image.info.update({k: v for k, v in row.key_value_pairs.items()})
        images.append(image)
    return images
