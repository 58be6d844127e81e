"""Checks of data files before they are read: present, complete, not larger than memory."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from intertwine._checks import InputError, fail
from intertwine._memory import check_memory

DEFLATE = 1032
"""A byte of a deflate stream expands to at most so many (zlib's technical notes)."""
HASHED_WHOLE = 1 << 30


def check_file(path: str | Path) -> Path:
    """`path` if a file with something in it is there."""
    path, remedy = Path(path), "give a file that can be read, or a named data set"
    name = shown(path)
    try:
        if not path.exists():
            raise fail("data", "a file or a named data set", f"{name}, where nothing is", remedy)
        if not path.is_file():
            raise fail("data", "a file", f"{name}, a folder", remedy)
        if path.stat().st_size == 0:
            raise fail("data", "a file with data in it", f"{name}, which is empty", remedy)
        with open(path, "rb") as file:
            file.read(1)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise fail("data", "a file that can be read", f"{name} ({reason})", remedy) from None
    return path


def damaged(path: Path, expected: str, got: str) -> InputError:
    """The error for a file that is not what its format asks for."""
    return fail(shown(path), expected, got, "get the file again, whole")


def check_announced(path: Path, announced: int, most: int, what: str) -> None:
    """Raise unless `announced` bytes fit the `most` that the file can hold, and this machine's memory."""
    if announced > most:
        raise damaged(path, f"as many bytes as it announces ({announced:,}, {what})", f"at most {most:,}")
    check_memory(announced, "save it as .npy, which is read in place", shown(path))


def checksum(path: Path) -> str:
    """sha256 of a file; above 1 GiB of its size, first and last 64 MiB."""
    size, part = path.stat().st_size, 1 << 26
    found = hashlib.sha256()
    with open(path, "rb") as file:
        if size <= HASHED_WHOLE:
            while data := file.read(1 << 22):
                found.update(data)
            return f"sha256:{found.hexdigest()}"
        found.update(size.to_bytes(8, "big") + file.read(part))
        file.seek(-part, os.SEEK_END)
        found.update(file.read(part))
    return f"sha256-of-ends:{found.hexdigest()}"


def shown(path: Path) -> str:
    """A path in an error: what cannot be printed escaped, the middle of a long one left out."""
    name = str(path) if str(path).isprintable() else ascii(str(path))
    return name if len(name) <= 120 else f"{name[:57]}...{name[-60:]}"
