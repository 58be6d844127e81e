"""Trajectories of molecular dynamics through MDAnalysis, where it is installed: [topology, trajectory], such
as ["protein.pdb", "run.xtc"]. Lengths are in Å; what the topology does not say of elements is guessed from
the names of the atoms, and told."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from intertwine._checks import InputError, fail
from intertwine._memory import check_memory
from intertwine.data.checks import damaged, shown
from intertwine.data.structures.elements import VIRTUAL, atomic_numbers
from intertwine.data.structures.frames import source_of
from intertwine.data.structures.settled import Read
from intertwine.data.structures.structures import Structures
from intertwine.data.structures.text import counted

ENDINGS = (".xtc", ".trr", ".dcd", ".ncdf", ".mdcrd", ".crdbox", ".lammpsdump")
"""Files that have positions alone, and want a topology beside them."""


def are_trajectory(paths: Sequence[Path]) -> bool:
    """Whether the files are a topology and its trajectories."""
    return len(paths) > 1 and all(path.suffix.lower() in ENDINGS for path in paths[1:])


def read_trajectory(paths: Sequence[Path]) -> Read:
    """The frames of the trajectories, one after another.

    Raises InputError where MDAnalysis is not installed, for damaged files and for those that do not fit.
    """
    name = ", ".join(path.name for path in paths)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            analysis: Any = import_module("MDAnalysis")
            triclinic_vectors = import_module("MDAnalysis.lib.mdamath").triclinic_vectors
    except ImportError:
        remedy = "pip install MDAnalysis, or save the frames as extended XYZ or npz"
        raise fail(
            "data", "the package MDAnalysis, which reads trajectories", f"none for {name}", remedy
        ) from None
    notes = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            universe = analysis.Universe(str(paths[0]), *([str(p) for p in paths[1:]],))
            names = [str(word) for word in getattr(universe.atoms, "names", [""] * len(universe.atoms))]
            real = np.array([name not in VIRTUAL for name in names], bool)
            n, count = int(real.sum()), len(universe.trajectory)
            check_memory(40.0 * n * count, "take fewer frames", shown(paths[-1]))
            elements = getattr(universe.atoms, "elements", None)
            if elements is None or any(not str(element).strip() for element in elements):
                guessers = import_module("MDAnalysis.guesser.default_guesser")
                elements = guessers.DefaultGuesser(universe).guess_types(universe.atoms.names)
                notes.append("elements are guessed from the names of the atoms")
            positions = np.empty((count, n, 3))
            cells = np.zeros((count, 3, 3))
            for k, step in enumerate(universe.trajectory):
                positions[k] = step.positions[real]
                if step.dimensions is not None:
                    cells[k] = triclinic_vectors(step.dimensions)
    except InputError:
        raise
    except Exception as error:  # MDAnalysis raises many kinds for files that do not fit, also MemoryError
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:150]
        raise damaged(paths[-1], "a trajectory that fits its topology", reason) from None
    if not count or not n:
        raise damaged(paths[-1], "frames with atoms", "none")
    if n < len(real):
        notes.append(f"{counted(len(real) - n, 'site')} without an atom (MW and the like) left out")
    numbers = atomic_numbers(
        name, [str(e).capitalize() for e, is_atom in zip(elements, real, strict=True) if is_atom]
    )
    source, checksum = source_of(paths[-1])
    found = Structures(
        positions.reshape(-1, 3), np.tile(numbers, count), np.arange(count + 1) * n,
        cells if cells.any() else None, np.any(cells, axis=2), source=source, checksum=checksum,
    )  # fmt: skip
    kept = np.array(names)[real]
    found = found.with_values({"atom-name": np.tile(kept, count)}, per_point=("atom-name",))
    return Read(found, {}, frozenset({"positions"}), tuple(notes))
