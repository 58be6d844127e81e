r"""The comment line of extended XYZ: entries key=value, read and written.

A value is a number, a truth (T, F), words, or an array of numbers "1 2 3" or [1, 2, 3], in quotes or braces
where it has blanks; nine numbers of a stress or virial are a matrix written column by column. Arrays of more
dimensions are JSON, "_JSON [[1, 2]]", as ASE writes them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from intertwine.data.checks import damaged
from intertwine.data.structures.quantities import QUANTITIES
from intertwine.records.writing import from_json

_ENTRY = re.compile(
    r"""\s*(?: "(?P<quoted_key>[^"=]+)" | (?P<key>[^\s="]+) )
        (?:\s*=\s*(?: "(?P<double>(?:[^"\\]|\\.)*)" | '(?P<single>(?:[^'\\]|\\.)*)' | \{(?P<braces>[^{}]*)\}
                    | (?P<brackets>\[[^"']*?\])(?=\s|$) | (?P<word>[^\s"'{\[]\S*) ))?(?=\s|$)""",
    re.VERBOSE,
)
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?|[+-]?nan|[+-]?inf(?:inity)?", re.IGNORECASE)
INTEGER = re.compile(r"[+-]?\d{1,19}")
TRUTH = {
    "T": True,
    "F": False,
    "True": True,
    "False": False,
    "true": True,
    "false": False,
    "TRUE": True,
    "FALSE": False,
}
MATRICES = frozenset({"Lattice", *QUANTITIES["stress"].names, *QUANTITIES["virial"].names})
"""Names whose nine numbers are a matrix."""
PLAIN_KEY = re.compile(r"[A-Za-z_][\w.-]*")


def read_comment(path: Path, text: str, line: int) -> dict[str, Any]:
    """The entries of a comment line; of free text none, of one number "comment"."""
    if NUMBER.fullmatch(text.strip()):
        return {"comment": read_value("comment", text.strip())}
    if "=" not in text:
        return {}
    found, place = {}, 0
    while text[place:].strip():
        match = _ENTRY.match(text, place)
        if match is None:
            raise damaged(path, f"entries key=value in line {line}", repr(text[place : place + 60].strip()))
        key = match["quoted_key"] or match["key"]
        quoted = match["double"] if match["double"] is not None else match["single"]
        if quoted is not None:
            found[key] = read_value(key, re.sub(r"\\(.)", r"\1", quoted))
        elif (bare := match["braces"] or match["brackets"] or match["word"]) is not None:
            found[key] = read_value(key, bare)
        else:
            found[key] = True
        place = match.end()
    return found


def read_value(key: str, text: str) -> Any:
    """A number, a truth, an array of them, the text itself, or what is none of these as an object."""
    if key in ("Properties", "units"):
        return text
    if text.startswith("_JSON "):
        return _of_json(text)
    if text.startswith("["):
        try:
            value = np.asarray(
                from_json(
                    re.sub(r"\b[TF](rue|alse)?\b", lambda m: "true" if m[0][0] == "T" else "false", text)
                )
            )
        except ValueError:
            return text
        return value if value.dtype.kind in "iufb" else text
    words = text.replace(",", " ").split()
    for one, kind in ((INTEGER, int), (NUMBER, real_number)):
        if words and all(one.fullmatch(word) for word in words):
            array = np.array([kind(word) for word in words])
            return _shaped(key, array if array.dtype.kind in "if" else array.astype(np.float64))
    if words and all(word in TRUTH for word in words):
        return TRUTH[words[0]] if len(words) == 1 else np.array([TRUTH[word] for word in words])
    return text


def _shaped(key: str, array: np.ndarray) -> Any:
    if len(array) == 1:
        return array[0]
    return array.reshape(3, 3).T if len(array) == 9 and key in MATRICES else array


def _of_json(text: str) -> Any:
    """Numbers, truths or a word of JSON; whatever else it is, lists of words and the like, an object."""
    try:
        value = from_json(text.removeprefix("_JSON "))
    except ValueError:
        return text
    if isinstance(value, str):
        return value
    try:
        array = np.asarray(value)
    except ValueError:  # rows of different lengths
        return _Object(value)
    return array if array.dtype.kind in "iufb" and array.size else _Object(value)


class _Object:
    """A value that has no place among numbers and words."""

    def __init__(self, value: object) -> None:
        self.value = value


def real_number(word: str) -> float:
    return float(word.replace("D", "e").replace("d", "e"))


def read_units(words: str) -> dict[str, str]:
    pairs = (part.split("=", 1) for part in words.split(";") if "=" in part)
    return {name.strip(): unit.strip() for name, unit in pairs}


def written_text(x: float | bool) -> str:
    """A number as text that gives it back."""
    return ("T" if x else "F") if isinstance(x, bool) else repr(x)


def escaped(text: str) -> str:
    """Text between double quotes."""
    return text.replace("\\", "\\\\").replace('"', '\\"')
