"""Numbers in settings: one, a few with commas, in units of π, or a file of them.

    0.5    2π/3    -pi/2    1,0.5,2    h.npy    h.txt    h.csv

What a file holds is read when the settings are, and stands in the run's config.toml: a run is a function of
its settings, whatever becomes of the file.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from pathlib import Path

import numpy as np

from intertwine._checks import fail

SUFFIXES = (".npy", ".txt", ".csv", ".dat", ".tsv")
LARGEST = 100_000
"""Numbers in a file at most."""

Numbers = float | list[float] | list[list[float]]

_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_OF_PI = re.compile(r"([+-]?)(\d*\.?\d*)\*?(?:π|pi)(?:/(\d+))?", re.ASCII | re.IGNORECASE)


def number_in_words(text: str) -> float | None:
    """A number as people write it, also in units of π; None for other texts.

    >>> [number_in_words(t) for t in ("0.5", "π", "-2pi/3", "nothing")]
    [0.5, 3.141592653589793, -2.0943951023931953, None]
    """
    text = text.strip().replace("−", "-").replace(" ", "")
    if _PLAIN.fullmatch(text):
        return float(text)
    found = _OF_PI.fullmatch(text)
    if found is None or found[2] == "." or found[3] == "0":
        return None
    share = Fraction(found[2] or "1") / int(found[3] or 1)
    return float(share) * math.pi * (-1.0 if found[1] == "-" else 1.0)


def numbers_in_words(text: str, setting: str, expected: str) -> Numbers:
    """The number, the numbers with commas, or those of the file that `text` names; `InputError` about
    `setting` for any other.

    >>> numbers_in_words("1, π/2", "twist", "angles")
    [1.0, 1.5707963267948966]
    """
    parts = [number_in_words(part) for part in text.strip().strip("()[]").split(",")]
    known = [part for part in parts if part is not None]
    if len(known) == len(parts):
        return known[0] if len(known) == 1 else known
    if Path(text).suffix.lower() not in SUFFIXES:
        raise fail(setting, expected, repr(text), "for example 0.5, or a file h.npy or h.txt")
    return read_numbers(text, setting)


def read_numbers(path: str, setting: str) -> Numbers:
    """The numbers of a file, one of `SUFFIXES`: nested lists of rows where it is a table of several columns.

    `InputError` names the line of a text file that does not fit.
    """
    file = Path(path)
    if not file.is_file():
        raise fail(setting, "a file of numbers that is there", path, "check its path")
    rows = _from_npy(file, setting) if file.suffix.lower() == ".npy" else _from_text(file, setting)
    if not rows.size or rows.size > LARGEST:
        raise fail(setting, f"from 1 to {LARGEST:,} numbers in {path}", f"{rows.size:,}")
    if not np.all(np.isfinite(rows)):
        place = np.argwhere(~np.isfinite(rows))[0].tolist()
        raise fail(setting, f"finite numbers in {path}", f"one at {place} that is not")
    rows = rows[:, 0] if rows.ndim == 2 and rows.shape[1] == 1 else rows
    rows = rows[0] if rows.ndim == 2 and rows.shape[0] == 1 else rows
    return rows.tolist()


def _from_npy(file: Path, setting: str) -> np.ndarray:
    try:
        found = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise fail(setting, "a NumPy file of numbers (.npy)", f"{file} ({error})".split("\n")[0]) from None
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "iuf" or not 1 <= found.ndim <= 2:
        shape = f"an array of shape {found.shape} and type {found.dtype}"
        raise fail(setting, f"real numbers of one or two axes in {file}", shape)
    return found.astype(np.float64)


def _from_text(file: Path, setting: str) -> np.ndarray:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise fail(setting, f"a file of numbers that can be read, {file}", str(error)) from None
    rows: list[list[float]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.partition("#")[0].strip()
        if not line:
            continue
        values = [number_in_words(word) for word in re.split(r"[,;\s]+", line) if word]
        numbers = [value for value in values if value is not None]
        if len(numbers) < len(values):
            if not rows and number == 1:
                continue  # the names of the columns
            raise fail(f"{file}, line {number}", "numbers", repr(line), f"it is read for {setting}")
        if rows and len(numbers) != len(rows[0]):
            expected = f"{len(rows[0])} numbers, as in the lines before"
            raise fail(f"{file}, line {number}", expected, f"{len(numbers)}", f"it is read for {setting}")
        rows.append(numbers)
    return np.array(rows, float)
