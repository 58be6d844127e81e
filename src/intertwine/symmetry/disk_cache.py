"""Arrays kept on disk by the content that determines them.

A file is named by the SHA-256 of everything that went into it, written aside and renamed, and read
without pickle; a damaged file is made anew. The folder is `$INTERTWINE_CACHE`, or `intertwine` in
`$XDG_CACHE_HOME` or `~/.cache`; an empty `INTERTWINE_CACHE` switches the cache off. Where the folder
cannot be written, nothing is kept.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np


def cache_folder() -> Path | None:
    """Where arrays are kept, or None where the cache is off."""
    given = os.environ.get("INTERTWINE_CACHE")
    if given is not None:
        return Path(given) if given else None
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "intertwine"


def content_hash(*parts: object) -> str:
    """SHA-256 of arrays (with shape and type) and of the text of everything else.

    >>> one, other = content_hash(np.arange(3), "a"), content_hash(np.arange(4), "a")
    >>> one == content_hash(np.arange(3), "a"), one == other
    (True, False)
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype.str}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).tobytes())
        else:
            digest.update(f"|{part}|".encode())
    return digest.hexdigest()


def cached(name: str, make: Callable[[], Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """The arrays of `make()`, from the file `name` where there is a good one."""
    folder = cache_folder()
    if folder is not None:
        try:
            with open(folder / f"{name}.npz", "rb") as file, np.load(file, allow_pickle=False) as stored:
                return {key: stored[key] for key in stored.files}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            pass
    arrays = {key: np.asarray(value) for key, value in make().items()}
    if folder is not None:
        _write(folder, name, arrays)
    return arrays


def _write(folder: Path, name: str, arrays: dict[str, np.ndarray]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, aside = tempfile.mkstemp(dir=folder, suffix=".part")
    except OSError:
        return
    try:
        with os.fdopen(descriptor, "wb") as file:
            np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]
        os.replace(aside, folder / f"{name}.npz")
    except OSError:
        Path(aside).unlink(missing_ok=True)
