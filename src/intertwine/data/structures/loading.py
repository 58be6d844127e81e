"""Structures from files: by the kind of the file, from a folder, from a list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from intertwine._caveats import tell
from intertwine._checks import fail
from intertwine.data.checks import check_file, shown
from intertwine.data.structures.archives import read_archive
from intertwine.data.structures.extended_xyz import read_extended_xyz
from intertwine.data.structures.settled import Read, settled
from intertwine.data.structures.structures import Structures

_READERS: dict[str, Callable[[Path], Read]] = {
    ".xyz": read_extended_xyz, ".extxyz": read_extended_xyz, ".npz": read_archive,
}  # fmt: skip


def load_structures(
    source: str | Path | Sequence[str | Path], *, units: Mapping[str, str] | None = None
) -> Structures:
    """Structures from a file.

    >>> load_structures("no such file.xyz")
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: data: expected a file or a named data set, got no such file.xyz, ...
    """
    found = _file(Path(source), units)  # type: ignore[arg-type]
    tell(found.warnings)
    return found


def _file(path: Path, units: Mapping[str, str] | None) -> Structures:
    file = check_file(path)
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise fail("data", "a file .xyz or .npz", shown(file))
    return settled(file.name, reader(file), units)
