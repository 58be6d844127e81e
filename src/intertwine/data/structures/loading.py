"""Structures from files: by the kind of the file, from a folder, from a list; with labels."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from intertwine._caveats import caveat, tell
from intertwine._checks import fail, one_of
from intertwine.data.checks import check_file, shown
from intertwine.data.structures.archives import read_archive
from intertwine.data.structures.ase_files import ase_format, read_ase
from intertwine.data.structures.coincidences import repeated_frames
from intertwine.data.structures.extended_xyz import read_extended_xyz
from intertwine.data.structures.joined import joined
from intertwine.data.structures.labels import ENDINGS, Part, Table, labelled, read_labels
from intertwine.data.structures.proteins import read_protein
from intertwine.data.structures.settled import settled
from intertwine.data.structures.structures import Structures
from intertwine.data.structures.text import bare
from intertwine.data.structures.trajectories import ENDINGS as TRAJECTORIES, are_trajectory, read_trajectory

FORMATS = (
    ".xyz, .extxyz, .npz, .pdb, .cif or .mmcif, what ASE reads (.traj, .db, POSCAR, vasprun.xml …), or "
    "[topology, trajectory]"
)
_XYZ, _PROTEINS = (".xyz", ".extxyz"), (".pdb", ".ent", ".mmcif", ".cif")


def load_structures(
    source: str | Path | Sequence[str | Path],
    *,
    units: Mapping[str, str] | None = None,
    points: str | None = None,
    labels: str | Path | Mapping[str, Any] | None = None,
    models: str = "first",
) -> Structures:
    """Atoms, residues or points in space from files, in Å and eV.

    source: a file, a list of files, a folder of files, or a folder of folders, whose names are then the
    label "class". Kinds of files: extended and plain XYZ (`extended_xyz`), npz (`archives`: MD17, rMD17 and
    others' names), PDB and mmCIF (`proteins`, needs gemmi), those that ASE reads (`ase_files`), and a list
    [topology, trajectory] (`trajectories`, needs MDAnalysis). `pip install 'intertwine[molecules]'` has ase
    and gemmi. Of several files each structure has the label "file".

    units: name → unit of what the files have, where they do not say it: {"energy": "kcal/mol", "positions":
    "bohr"}; forces and stresses follow energies and positions. points: of PDB and mmCIF files "atoms" or
    "residues"; by default residues of what is mostly protein. models: of several in such a file "first" or
    "all". labels: a table (`labels`), or {file: label}; a folder's own labels.csv, .json or .npz is found.

    What was assumed, left out or changed is told once as a Python warning (`Caveat`), and kept in
    `warnings`. Positions outside of a periodic cell are wrapped into it.

    Raises InputError, one line, for whatever is no structure: damaged and empty files, numbers that are not
    finite, unknown elements, lengths that do not fit, atoms on top of each other, singular cells.

    >>> load_structures("no such file.xyz")
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: data: expected a file or a named data set, got no such file.xyz, ...
    """
    if points is not None:
        one_of("points", points, ("atoms", "residues"))
    one_of("models", models, ("first", "all"))
    if isinstance(source, str | Path):
        folder = _folder(Path(source))
        files = folder.files if folder is not None else [Path(source)]
        root = Path(source) if folder is not None else Path(source).parent
        labels = labels if labels is not None or folder is None else folder.table
        classes = folder is not None and folder.classes
    else:
        files, root, classes = [Path(file) for file in source], None, False
        if not files:
            raise fail("data", "one file or more", "none")
    together = are_trajectory(files)
    called = [_called(file, root) for file in (files[-1:] if together else files)]
    table = Table({}, {}) if labels is None else read_labels(labels, called)
    given = {name: unit for name, unit in (units or {}).items() if name not in table.names}
    if together:
        parts = [settled(called[0], read_trajectory([check_file(file) for file in files]), given)]
    else:
        parts = [_read(file, given, points, models) for file in files]
    found = _together(parts, called, str(source) if isinstance(source, str | Path) else ", ".join(called[:8]))
    hidden = [name for name, mine in (("file", len(parts) > 1), ("class", classes)) if mine]
    hidden = [name for name in hidden if any(name in part.values for part in parts)]
    if classes:
        found = found.with_values({"class": _by_part(parts, [Path(name).parts[0] for name in called])})
    ends = np.cumsum([len(part) for part in parts])
    places = [Part(n, int(e) - len(p), int(e)) for n, e, p in zip(called, ends, parts, strict=True)]
    found, notes = labelled(found, table, places, dict(units or {}))
    if hidden:
        notes += (f"values {' and '.join(hidden)} of the files give way to their names and folders",)
    again = repeated_frames(found)
    if again:
        share = f"{again} of {len(found)} structures "
        share += "is another again" if again == 1 else "are others again"
        share += ", to the last digit"
        notes += (f"{share}: copies held out are no test; split by what they come from",)
    lines = (*_summed(found.warnings, len(files)), *(caveat("data", note) for note in notes))
    tell(lines)
    return replace(found, warnings=lines)


def is_structure_file(path: str | Path) -> bool:
    """Whether a file, by its name (an npz by its arrays), holds structures, or a folder such files.

    >>> is_structure_file("ethanol.xyz"), is_structure_file("images.csv")
    (True, False)
    """
    path = Path(path)
    if path.is_dir():
        return any(is_structure_file(file) for file in _inside(path)) or any(
            is_structure_file(file) for inner in _inside(path) if inner.is_dir() for file in _inside(inner)
        )
    if path.suffix.lower() == ".npz" and path.is_file():
        from intertwine.data.structures.archives import holds_structures

        return holds_structures(path)
    return _kind(path) is not None


class _Folder:
    """files, whether their folders are classes, and a table of labels or None."""

    def __init__(self, files: list[Path], classes: bool, table: Path | None) -> None:
        self.files, self.classes, self.table = files, classes, table


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        reason = error.strerror or str(error)
        raise fail("data", "a folder that can be read", f"{shown(folder)} ({reason})") from None


def _folder(path: Path) -> _Folder | None:
    try:
        if not path.is_dir():
            return None
    except (OSError, ValueError):
        return None
    tables = [p for p in _inside(path) if p.stem.lower() == "labels" and p.suffix.lower() in ENDINGS]
    files = [p for p in _inside(path) if p not in tables and p.is_file() and _kind(p) is not None]
    if files:
        return _Folder(files, False, tables[0] if tables else None)
    inner = [
        file for f in _inside(path) if f.is_dir() for file in _inside(f) if file.is_file() and _kind(file)
    ]
    if not inner:
        raise fail("data", f"a folder with files of structures ({FORMATS})", f"{shown(path)}, with none")
    return _Folder(inner, True, tables[0] if tables else None)


def _called(file: Path, root: Path | None) -> str:
    if root is not None and file.is_relative_to(root):
        return file.relative_to(root).as_posix()
    return file.name


def _kind(path: Path) -> str | None:
    ending = bare(path).suffix.lower()
    if ending in _XYZ:
        return "xyz"
    if ending in _PROTEINS:
        return "protein"
    if path.suffix.lower() == ".npz":
        return "npz"
    return "ase" if ase_format(path) is not None else None


def _read(path: Path, given: Mapping[str, str], points: str | None, models: str) -> Structures:
    file = check_file(path)
    kind = _kind(file)
    if file.suffix.lower() in TRAJECTORIES:
        remedy = "give its topology first: [topology, trajectory]"
        raise fail("data", "a file that says which atoms it has", f"{file.name}, positions alone", remedy)
    if kind == "protein" and bare(file).suffix.lower() == ".cif" and not _is_mmcif(file):
        kind = "ase"
    if kind == "protein":
        read = read_protein(file, points, models)
    elif points == "residues":
        raise fail("points", "atoms, of a file without residues", f"residues of {shown(file)}")
    elif kind is None:
        raise fail("data", f"a file of structures: {FORMATS}", shown(file), "convert it, say with ASE")
    else:
        read = {"xyz": read_extended_xyz, "npz": read_archive, "ase": read_ase}[kind](file)
    return settled(file.name, read, given)


def _is_mmcif(path: Path) -> bool:
    """Whether a CIF file has Cartesian positions, as those of proteins have."""
    if path.suffix.lower() == ".gz":
        return True
    with open(path, "rb") as file:
        before = b""
        while part := file.read(1 << 20):
            if b"_atom_site.Cartn_x" in before + part:
                return True
            before = part[-32:]
    return False


def _together(parts: list[Structures], called: list[str], source: str) -> Structures:
    found = joined(parts, called)
    if len(parts) == 1:
        return found
    every = hashlib.sha256("".join(part.checksum for part in parts).encode()).hexdigest()
    found = replace(found, source=source, checksum=f"sha256-of-checksums:{every}")
    return found.with_values({"file": _by_part(parts, called)})


def _by_part(parts: list[Structures], words: list[str]) -> np.ndarray:
    return np.repeat(np.array(words, str), [len(part) for part in parts])


def _summed(lines: Sequence[str], files: int) -> list[str]:
    """Caveats of many files that differ in numbers alone, as one each."""
    alike: dict[str, list[str]] = {}
    for line in lines:
        _, _, words = line.removeprefix("data: ").partition(": ")
        alike.setdefault(re.sub(r"\d+", "#", words or line), []).append(line)
    found = []
    for same in alike.values():
        more = f" (and likewise in {len(same) - 1} more of {files} files)" if len(same) > 1 else ""
        found.append(same[0] + more)
    return found
