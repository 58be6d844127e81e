"""Two folders change places, in one act where the system has one.

Linux has renameat2(RENAME_EXCHANGE), macOS renamex_np(RENAME_SWAP): at any moment there is a whole folder at
either name. Where neither works (some network file systems) the old folder is renamed to `.NAME.….old` first,
and `recover` puts it back if the process ends in between.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from intertwine._checks import InputError
from intertwine.records.folder import CONFIG, is_marked, is_running, strangers
from intertwine.records.writing import aside_of, aside_stem, sync_directory
from intertwine.runs.lock import Lock

_AT_FDCWD, _RENAME_EXCHANGE, _RENAME_SWAP = -100, 2, 2


def put_in_place(new: Path, path: Path) -> Path:
    """Put the folder `new` where the folder `path` is; where the old one now is."""
    if _exchange(new, path):
        sync_directory(path.parent)
        return new
    old = aside_of(path, "old")
    os.replace(path, old)
    try:
        os.replace(new, path)
    except BaseException:
        os.replace(old, path)
        raise
    sync_directory(path.parent)
    return old


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two paths in one act; whether it was done."""
    if sys.platform not in ("linux", "darwin"):
        return False
    names = os.fsencode(one), os.fsencode(other)
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "linux":
            done = library.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE)
        else:
            done = library.renamex_np(*names, _RENAME_SWAP)
    except (OSError, AttributeError):  # an old C library
        return False
    return done == 0


def remove(folder: Path) -> None:
    """Take a run's folder away, unless other things than a run's have come into it."""
    with suppress(OSError):
        if not strangers(folder):
            shutil.rmtree(folder, ignore_errors=True)


def recover(path: Path) -> None:
    """Put right what processes that were killed while they replaced `path` have left beside it.

    A run that was renamed and has no successor goes back to its place; others, and folders that were never
    put in place, are removed. What a running process holds stays.
    """
    left = _left_beside(path)
    if not path.exists():
        olds = [folder for folder in left if folder.suffix == ".old" and _is_run(folder)]
        if olds:
            newest = max(olds, key=lambda folder: folder.stat().st_mtime)
            left.remove(newest)
            with suppress(OSError):
                os.rename(newest, path)
    for folder in left:
        remove(folder)


def _left_beside(path: Path) -> list[Path]:
    pattern = re.compile(
        rf"{re.escape(aside_stem(path))}\.([0-9]+)(?:\.[0-9a-f]{{8}})?\.(?:new|old)", re.ASCII
    )
    try:
        names = [(entry.name, pattern.fullmatch(entry.name)) for entry in os.scandir(path.parent)]
    except OSError:
        return []
    found = [path.with_name(name) for name, match in names if match and not is_running(int(match[1]))]
    return [folder for folder in found if folder.is_dir() and not folder.is_symlink() and _is_free(folder)]


def _is_free(folder: Path) -> bool:
    try:
        Lock(folder).check()
    except (InputError, OSError):
        return False
    return True


def _is_run(folder: Path) -> bool:
    return (folder / CONFIG).is_file() and is_marked(folder)
