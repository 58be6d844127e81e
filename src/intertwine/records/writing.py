"""Files that are whole at any moment, and JSON that is strict both ways.

A file is written aside in the same directory, flushed to the disk and renamed, so that a reader (or a kill
-9) sees the old file or the new one, never a part of one. The name aside says which process writes it
(`.result.json.PID.TOKEN.tmp`): one whose process is gone may be swept.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import secrets
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any


def aside_of(path: Path, suffix: str) -> Path:
    """A hidden name beside `path` that no other process or thread takes, also where the name is long.

    >>> name = aside_of(Path("runs/first"), "tmp").name
    >>> name.startswith(f".first.{os.getpid()}."), name.endswith(".tmp")
    (True, True)
    """
    return path.with_name(f"{aside_stem(path)}.{os.getpid()}.{secrets.token_hex(4)}.{suffix}")


def aside_stem(path: Path) -> str:
    """How the hidden names beside `path` begin."""
    name = os.fsencode(path.name)
    if len(name) > 180:
        return f".{hashlib.sha256(name).hexdigest()[:32]}"
    return f".{path.name}"


def sync_directory(path: Path) -> None:
    """Flush a directory's entries (the renames in it) to the disk, where the system allows it."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_aside(path: Path, content: str | bytes) -> None:
    """Write `content` to `path` so that `path` is, at any moment, whole: the old file or the new one.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "result.json"
    >>> write_aside(path, "{}")
    >>> path.read_text(), [p.name for p in path.parent.iterdir()]
    ('{}', ['result.json'])
    """
    data = content.encode() if isinstance(content, str) else content
    write_aside_with(path, lambda aside: aside.write_bytes(data))


def write_aside_with(path: Path, write: Callable[[Path], Any]) -> None:
    """Like `write_aside`, for a library that writes files itself: `write` is given the name aside."""
    aside = aside_of(path, "tmp")
    try:
        write(aside)
        with open(aside, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
    sync_directory(path.parent)


def check_room(path: Path, size: int) -> None:
    """Raise OSError where the disk of `path` has no room for `size` bytes and a little more: libraries that
    write files themselves end worse."""
    free = shutil.disk_usage(path.absolute().parent).free
    if free < 1.1 * size + 65536:
        raise OSError(
            errno.ENOSPC, f"{os.strerror(errno.ENOSPC)}: {size} bytes wanted, {free} free", str(path)
        )


def to_json(value: object, *, indent: int | None = None) -> str:
    """Strict JSON: a number that is not finite is written as null.

    >>> to_json({"energy": float("nan"), "step": 3})
    '{"energy": null, "step": 3}'
    """

    def clean(item: object) -> Any:
        if isinstance(item, dict):
            return {key: clean(entry) for key, entry in item.items()}
        if isinstance(item, list | tuple):
            return [clean(entry) for entry in item]
        if isinstance(item, float):
            return item if math.isfinite(item) else None
        return item

    return json.dumps(clean(value), indent=indent, ensure_ascii=False, allow_nan=False)


def from_json(text: str | bytes) -> Any:
    """The value of JSON text; `ValueError` for whatever is none, also text that is nested too deeply, and
    for numbers that no double holds (NaN, 1e999, integers of hundreds of digits).

    >>> from_json('{"energy": null}')
    {'energy': None}
    >>> from_json('{"energy": NaN}')
    Traceback (most recent call last):
    ...
    ValueError: NaN is no number of JSON
    """
    try:
        return json.loads(text, parse_constant=_no_number, parse_float=_finite, parse_int=_bounded)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number of JSON")


def _finite(word: str) -> float:
    value = float(word)
    if not math.isfinite(value):
        raise ValueError(f"a number beyond all doubles ({word[:20]})")
    return value


def _bounded(word: str) -> int:
    if len(word) > 300:
        raise ValueError(f"an integer of {len(word)} digits")
    return int(word)
