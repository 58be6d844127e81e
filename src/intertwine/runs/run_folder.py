"""The run folder: configuration, metrics, checkpoints, result, report; one writer at a time.

`records.folder` names the files. Every file is written aside and renamed (`records.writing`);
`metrics.jsonl` alone grows in place: a line is one `write`, and a line that was cut is dropped when the run
is resumed. A lock (held by the operating system, released whatever way the process ends) keeps a second
writer out.

A folder is claimed before anything is computed: in a new or empty one the lock is taken and the mark made,
both of which only one process can do; of a run that is to be replaced the lock is taken, and it changes
places with its successor when that is ready to begin (`RunFolder.claim`, `begin`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from intertwine._checks import InputError, fail
from intertwine.records import folder as names
from intertwine.records.folder import (
    CHECKPOINTS,
    CONFIG,
    DATA,
    DATASET,
    LOCK,
    MARK,
    MESH,
    METRICS,
    NETWORK,
    REPORT,
    RESULT,
)
from intertwine.records.schema import Schema
from intertwine.records.writing import (
    aside_of,
    from_json,
    sync_directory,
    to_json,
    write_aside,
    write_aside_with,
)
from intertwine.runs.exchange import put_in_place, recover, remove
from intertwine.runs.lock import Lock
from intertwine.runs.run_paths import (
    check_can_create,
    check_existing,
    check_is_run,
    check_name,
    holds_nothing,
    path_error,
)

__all__ = [
    "CHECKPOINTS", "CONFIG", "DATA", "DATASET", "LOCK", "MARK", "MESH", "METRICS", "NETWORK", "REPORT",
    "RESULT", "Lock", "RunFolder", "check_can_create", "check_is_run", "check_name", "from_json",
    "read_metrics", "sync_directory", "to_json", "write_aside", "write_aside_with",
]  # fmt: skip


class RunFolder:
    """A run's folder, opened for writing: `RunFolder.claim(...)`, `create(...)` or `open(...)`; `close()` it
    after use. `path` is where its files are now; `begun`: whether it is a run by now.
    """

    def __init__(self, path: Path, lock: Lock, *, made: tuple[Path, ...] = (), begun: bool = True):
        self.path = path
        self._lock = lock
        self._metrics: Any = None
        self.begun = begun
        self._made = made  # directories that the claim made
        self._target: tuple[Path, Lock] | None = None  # the run that this one is to replace
        self._identity = _identity(path)

    @classmethod
    def claim(cls, path: str | Path, config: str, *, overwrite: bool = False) -> RunFolder:
        """A new run at `path` with `config` as its `config.toml`, that has yet to `begin()`.

        Of several processes that claim one path at the same time exactly one succeeds. An existing folder
        that is not empty is refused, unless it holds a run and `overwrite` is true: that stays as it is until
        `begin()`. Left without having begun, everything is as it was. Raises `InputError`.
        """
        path = Path(path)
        check_can_create(path, overwrite=overwrite)
        path = path.resolve() if path.is_symlink() or path.name in ("", "..") else path
        recover(path)
        made = _make_directories(path)
        try:
            lock = Lock(path).acquire()
        except InputError:
            _remove_empty(made)
            raise
        except OSError as error:
            _remove_empty(made)
            raise path_error(path, error) from None
        try:
            check_existing(path, overwrite, locked=True)
            if holds_nothing(path):
                return cls._in_place(path, lock, config, made)
            return cls._aside(path, lock, config)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def _in_place(cls, path: Path, lock: Lock, config: str, made: tuple[Path, ...]) -> RunFolder:
        folder = cls(path, lock, made=made, begun=False)
        try:
            (path / MARK).unlink(missing_ok=True)  # of a claim that was killed: the lock was free
            with open(path / MARK, "x", encoding="utf-8") as file:
                file.write(names.mark())
            write_aside(path / CONFIG, config)
        except BaseException:
            folder.close()
            raise
        return folder

    @classmethod
    def _aside(cls, path: Path, lock: Lock, config: str) -> RunFolder:
        new = aside_of(path, "new")
        new.mkdir()
        try:
            folder = cls(new, Lock(new).acquire(), begun=False)
            folder._target = (path, lock)
            write_aside(new / MARK, names.mark())
            write_aside(new / CONFIG, config)
        except BaseException:
            remove(new)
            raise
        return folder

    def begin(self) -> RunFolder:
        """From here on this is a run: where it replaces another, the two change places in one act."""
        if self._target is not None:
            path, lock = self._target
            old = put_in_place(self.path, path)
            self.path, self._lock.path, self._target = path, path / LOCK, None
            lock.release()
            remove(old)
        self.begun = True
        return self

    @classmethod
    def create(cls, path: str | Path, config: str, *, overwrite: bool = False) -> RunFolder:
        """`claim`, begun at once."""
        folder = cls.claim(path, config, overwrite=overwrite)
        try:
            return folder.begin()
        except BaseException:
            folder.close()
            raise

    @classmethod
    def open(cls, path: str | Path) -> RunFolder:
        """The run at `path`, to go on with it; `InputError` if there is none or another process writes it."""
        path = check_is_run(path)
        if not os.access(path, os.W_OK | os.X_OK):
            raise fail(str(path), "a folder that can be written", "one that cannot", "change its permissions")
        folder = cls(path, Lock(path).acquire())
        try:
            for left in names.unfinished(path):
                shutil.rmtree(left) if left.is_dir() else left.unlink()
            if names.format_of(path) is None and names.is_marked(path):
                write_aside(path / MARK, names.mark())
        except BaseException:
            folder.close()
            raise
        return folder

    def close(self) -> None:
        """Flush the metrics and release the lock; a run that has not begun leaves nothing behind."""
        metrics, self._metrics = self._metrics, None
        try:
            if metrics is not None:
                with metrics:
                    metrics.flush()
                    os.fsync(metrics.fileno())
        finally:
            if not self.begun:
                self._undo()
            self._lock.release()

    def _undo(self) -> None:
        if self._target is not None:
            self._target[1].release()
            remove(self.path)
            return
        with suppress(OSError):
            if not names.strangers(self.path):
                for name in (CONFIG, DATA, MARK, LOCK):
                    (self.path / name).unlink(missing_ok=True)
        _remove_empty(self._made)

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def checkpoints(self) -> Path:
        return self.path / CHECKPOINTS

    @property
    def result(self) -> Path:
        return self.path / RESULT

    @property
    def dataset(self) -> Path:
        return self.path / DATASET

    def check_there(self) -> None:
        """Raise `InputError` where the folder is no longer the one that was opened."""
        whole = _identity(self.path) == self._identity
        if whole and self._metrics is not None:
            whole = _identity(self.path / METRICS) == _identity(self._metrics.fileno())
        if not whole:
            what = f"{self.path}, which was removed, renamed or replaced while the run went on"
            remedy = "put it back and resume it, or start the run again"
            raise fail("run folder", "the folder of this run in its place", what, remedy)

    def check_config(self, config: str) -> None:
        """Raise `InputError` unless config.toml holds the settings that the run goes by."""
        self.check_there()
        path = self.path / CONFIG
        try:
            now = path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            now = ""
        if names.settings_hash(now) != names.settings_hash(config):
            got = "others: it was edited or removed while the run went on"
            remedy = f"undo that, then: intertwine resume {self.path}"
            raise fail(str(path), "the settings that this run was started with", got, remedy)

    def append_metrics(self, record: dict[str, Any]) -> None:
        """Add one line to `metrics.jsonl`; it survives a kill of this process as soon as this returns."""
        self.check_there()
        if self._metrics is None:
            self._metrics = open(self.path / METRICS, "ab")  # noqa: SIM115  (kept open from step to step)
        self._metrics.write((to_json(record) + "\n").encode())
        self._metrics.flush()

    def sync_metrics(self) -> None:
        """Flush `metrics.jsonl` to the disk: done before every checkpoint, so that its steps are there."""
        if self._metrics is not None:
            self._metrics.flush()
            os.fsync(self._metrics.fileno())

    def read_metrics(self, schema: Schema | None = None) -> list[dict[str, Any]]:
        """The whole lines of `metrics.jsonl`, up to the first that is cut or not the next step."""
        return read_metrics(self.path, schema)

    def cut_metrics(self, steps: int) -> None:
        """Keep the first `steps` lines: those of the checkpoint from which the run goes on."""
        if self._metrics is not None:
            self._metrics.close()
            self._metrics = None
        path = self.path / METRICS
        if not path.exists() and steps == 0:
            return
        lines = path.read_bytes().splitlines(keepends=True)[:steps]
        write_aside(path, b"".join(lines))

    def remove_results(self) -> None:
        """Take away the result and the report of the state before a resumed run."""
        for name in (RESULT, DATASET, REPORT):
            (self.path / name).unlink(missing_ok=True)


def read_metrics(folder: str | Path, schema: Schema | None = None) -> list[dict[str, Any]]:
    """The history of the run in `folder`: one dict per step, steps 0, 1, 2, ... without a gap, up to the
    first line that is cut or holds what no run writes (by the `schema`, where one is given).
    """
    path = Path(folder) / METRICS
    if not path.exists():
        return []
    return list(_good_lines(path.read_bytes().splitlines(keepends=True), schema))


def _good_lines(lines: Iterable[bytes], schema: Schema | None) -> Iterator[dict[str, Any]]:
    for index, line in enumerate(lines):
        if not line.endswith(b"\n"):
            return
        try:
            record = from_json(line)
        except ValueError:
            return
        if not isinstance(record, dict) or record.get("step") != index:
            return
        if schema is not None and not all(schema.holds(name, value) for name, value in record.items()):
            return
        yield record


def _identity(file: Path | int) -> tuple[int, int] | None:
    """What a file or folder is, whatever its name; None where nothing is."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return (found.st_dev, found.st_ino)


def _make_directories(path: Path) -> tuple[Path, ...]:
    """`path` as a directory, with its parents; those that were not there before, innermost first."""
    missing = []
    place = path
    try:
        while not place.exists():
            missing.append(place)
            place = place.parent
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise path_error(path, error) from None
    return tuple(missing)


def _remove_empty(folders: tuple[Path, ...]) -> None:
    """Remove the folders, as far as they are empty."""
    with suppress(OSError):
        for folder in folders:
            folder.rmdir()
