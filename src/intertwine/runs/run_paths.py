"""Where a run may be written and where one is: paths looked at before anything is done, each fault a line."""

from __future__ import annotations

import os
from pathlib import Path

from intertwine._checks import InputError, fail
from intertwine.records.folder import CONFIG, FORMAT, LOCK, MARK, format_of, is_marked, strangers
from intertwine.runs.exchange import recover
from intertwine.runs.lock import Lock, TakenError

MOST_BYTES = 3900
"""Of a whole path: the files of a checkpoint need some of the 4096 that Linux allows."""


def check_name(path: Path) -> None:
    """Raise `InputError` for a path that no file system takes, or that is not text."""
    try:
        path_bytes = str(path).encode()
    except UnicodeEncodeError:
        shown = ascii(str(path)[:60])
        raise fail("path", "a path whose names are UTF-8", shown, "give another path") from None
    long = any(len(os.fsencode(part)) > 255 for part in path.parts) or len(path_bytes) > MOST_BYTES
    if b"\x00" in path_bytes or long:
        expected = f"a path of names of at most 255 bytes, {MOST_BYTES} in all, without zero bytes"
        raise fail("path", expected, ascii(str(path)[:60]), "give another path")


def path_error(path: Path, error: Exception) -> InputError:
    """The line for what the system says of a path."""
    reason = getattr(error, "strerror", None) or str(error)
    return fail("path", "a usable path", f"{str(path)[:100]!r} ({reason})", "give another path")


def check_is_run(path: str | Path) -> Path:
    """`path` if a run folder is there, or an `InputError` that says what is.

    A run that a process was replacing when it was killed is put back first.
    """
    path = Path(path)
    check_name(path)
    remedy = "give the folder that a run wrote, the one with config.toml in it"
    try:
        recover(path)
        if not _exists(path):
            raise fail(str(path), "a run folder", "a path where nothing is", remedy)
        if not path.is_dir():
            raise fail(str(path), "a run folder", "a file", remedy)
        if not (path / CONFIG).is_file():
            raise fail(str(path), "a run folder", "a folder without config.toml", remedy)
        form = format_of(path)
        if form is not None and form > FORMAT:
            newer = "use the version of intertwine that wrote it, or a later one"
            raise fail(str(path), f"a run folder of format {FORMAT}", f"one of format {form}", newer)
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise path_error(path, error) from None
    return path


def check_can_create(path: Path, *, overwrite: bool) -> None:
    """Raise `InputError` unless a new run may be written at `path`; touches nothing."""
    check_name(path)
    try:
        there = _exists(path)
        if there:
            check_existing(path, overwrite)
        ancestor = path if there else path.parent
        while not _exists(ancestor):
            ancestor = ancestor.parent
        if not ancestor.is_dir():
            raise fail(
                "out", "a path whose parents are folders", f"{ancestor}, a file", "give another folder"
            )
        if not os.access(ancestor, os.W_OK | os.X_OK):
            raise fail(
                "out", "a folder that can be written", str(path), "give another, or change the permissions"
            )
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise path_error(path, error) from None


def holds_nothing(path: Path) -> bool:
    """Whether the folder at `path` is empty, but for what a claim that was killed leaves."""
    return {entry.name for entry in path.iterdir()} <= {LOCK, MARK}


def check_existing(path: Path, overwrite: bool, *, locked: bool = False) -> None:
    """Raise `InputError` unless what is at `path` is empty, or a run that may be replaced.

    locked: whether this process holds its lock.
    """
    if not path.is_dir():
        raise fail("out", "a new or empty folder", f"the file {path}", "give another path")
    if holds_nothing(path):
        return
    present = {entry.name for entry in path.iterdir()}
    others = strangers(path)
    is_run = CONFIG in present and not others and is_marked(path)
    if is_run and not locked:
        Lock(path).check()
    if is_run and not overwrite:
        remedy = f"give another folder, go on with `intertwine resume {path}`, or replace it with --overwrite"
        raise TakenError(str(fail("out", "a new or empty folder", f"{path}, which holds a run", remedy)))
    if not is_run:
        missing = f"{CONFIG} missing" if CONFIG not in present else f"without {MARK}, the mark of a run"
        shown = ", ".join(others[:3]) or missing
        raise fail(
            "out",
            "a new or empty folder",
            f"{path}, which holds other things than a run ({shown[:120]})",
            "give another folder; --overwrite replaces run folders only",
        )


def _exists(path: Path) -> bool:
    """Whether something is at `path`; `OSError` for links that lead in circles, and other faults."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True
