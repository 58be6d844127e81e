"""The text of a file, also packed by gzip, after its size has been compared with the memory."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from intertwine._checks import InputError
from intertwine._memory import check_memory
from intertwine.data.checks import damaged, shown

_PART = 1 << 24
_SHARE = 12.0
"""Bytes that reading takes for each of the text."""


def text_of(path: Path) -> str:
    """The text (UTF-8, bytes that are none replaced), unpacked where it is packed, whatever its ending.

    Raises InputError for damaged gzip files and for more than there is memory for.
    """
    remedy = "cut it into parts"
    try:
        with open(path, "rb") as packed:
            is_packed = packed.read(2) == b"\x1f\x8b"
        if not is_packed:
            check_memory(_SHARE * path.stat().st_size, remedy, shown(path))
            return path.read_text(encoding="utf-8", errors="replace").removeprefix("\ufeff")
        parts: list[bytes] = []
        with gzip.open(path) as file:
            while part := file.read(_PART):
                parts.append(part)
                check_memory(_SHARE * _PART * len(parts), remedy, shown(path))
        return b"".join(parts).decode("utf-8", errors="replace").removeprefix("\ufeff")
    except InputError:
        raise
    except (OSError, EOFError, zlib.error) as error:
        raise damaged(path, "a whole file", " ".join(str(error).split())[:120]) from None


def counted(count: int, noun: str, more: str = "") -> str:
    """A number of things in words.

    >>> counted(1, "frame"), counted(2, "frame"), counted(3, "box", "boxes")
    ('1 frame', '2 frames', '3 boxes')
    """
    return f"{count} {noun if count == 1 else more or noun + 's'}"


def bare(path: Path) -> Path:
    """The path without .gz.

    >>> bare(Path("1abc.pdb.gz")).name
    '1abc.pdb'
    """
    return path.with_suffix("") if path.suffix.lower() == ".gz" else path
