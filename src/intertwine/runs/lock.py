"""One writer of a folder: a lock that the operating system holds until the process lets go or ends."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import IO, Any

from intertwine._checks import InputError, fail
from intertwine.records.folder import LOCK

_HELD = (errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK)


class TakenError(InputError):
    """There is a run at that path already, or another process makes one."""


class Lock:
    """One writer of a folder; held by the operating system until released or until the process ends."""

    def __init__(self, folder: Path):
        self.path = folder / LOCK
        self._file: Any = None

    def check(self) -> None:
        """Raise `InputError` if another process holds the lock; changes nothing."""
        try:
            with open(self.path, "r+") as file:
                self._lock_or_fail(file)
        except FileNotFoundError:
            return

    def acquire(self) -> Lock:
        """Take the lock; `InputError` if another process holds it, or has put another folder here."""
        file = open(self.path, "a+")  # noqa: SIM115  (held open for the life of the lock)
        try:
            self._lock_or_fail(file)
            if not self._is_at_path(file):
                raise self._held("another process")
        except BaseException:
            file.close()
            raise
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()}")
        file.flush()
        self._file = file
        return self

    def release(self) -> None:
        """Let go; the lock file stays, so that every process locks the same file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _is_at_path(self, file: IO) -> bool:
        """Whether the file that is locked is the one that others will find: folders are renamed whole."""
        try:
            return os.path.samestat(os.fstat(file.fileno()), os.stat(self.path))
        except OSError:
            return False

    def _lock_or_fail(self, file: IO) -> None:
        try:
            _lock_file(file)
        except OSError as error:
            if error.errno not in _HELD:  # a file system without locks: better unlocked than not at all
                words = f"warning: {self.path.parent}: this file system has no locks ({error.strerror})"
                print(f"{words}; see to it that one process writes the folder", file=sys.stderr)
                return
            file.seek(0)
            raise self._held(file.read(100).strip() or "another process") from None

    def _held(self, holder: str) -> InputError:
        expected = "a run folder that no other process is writing"
        got, remedy = f"one that is being written by {holder}", "wait for it to end, or give another folder"
        return TakenError(str(fail(str(self.path.parent), expected, got, remedy)))


def _lock_file(file: IO) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        return
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
