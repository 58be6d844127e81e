"""Tables of numbers as text: a row a line, its numbers separated by commas, semicolons, tabs or blanks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from intertwine._checks import fail
from intertwine.data.files import damaged

MOST_BYTES = 1 << 28


def read_table(path: Path) -> np.ndarray:
    """The numbers, float64 (n, N), of a file up to 256 MB; `InputError` for words and ragged lines."""
    if path.stat().st_size > MOST_BYTES:
        raise fail(
            str(path), "a table of at most 256 MB", "a larger one", "save it as .npy, which is read in place"
        )
    try:
        with open(path, encoding="utf-8") as file:
            first = file.readline()
            separator = next((mark for mark in (",", ";", "\t") if mark in first), None)
            header = not _numbers(first, separator)
            file.seek(0)
            return np.loadtxt(file, delimiter=separator, skiprows=int(header), ndmin=2)
    except (ValueError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())[:150]
        raise damaged(path, "numbers, as many in each line", reason) from None


def _numbers(line: str, separator: str | None) -> bool:
    try:
        return bool([float(word) for word in line.split(separator)])
    except ValueError:
        return False
