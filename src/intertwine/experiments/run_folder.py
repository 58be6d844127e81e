"""The run folder: configuration, metrics, checkpoints, result, report; one writer at a time.

    FOLDER/config.toml     the complete configuration, defaults written out
           metrics.jsonl   a line a step
           checkpoints/    see `checkpoints`
           data.json       what is learnt from, with its checksum (learning runs)
           result.json     the final numbers
           result.nc       correlations, structure factor, history, parameters (xarray)
           report.html     a self-contained page

Every file is written aside in the same directory, flushed to the disk and renamed, so that a reader (or a
kill -9) sees the old file or the new one, never a part of one. `metrics.jsonl` alone grows in place: a line
is one `write`, and a line that was cut is dropped when the run is resumed. A lock (held by the operating
system, released whatever way the process ends) keeps a second writer out.
"""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from intertwine._checks import InputError, fail

CONFIG, METRICS, RESULT, DATASET, REPORT = (
    "config.toml", "metrics.jsonl", "result.json", "result.nc", "report.html",
)  # fmt: skip
CHECKPOINTS, LOCK, DATA = "checkpoints", ".lock", "data.json"
KNOWN = {CONFIG, METRICS, RESULT, DATASET, REPORT, CHECKPOINTS, LOCK, DATA}


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
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    data = content.encode() if isinstance(content, str) else content
    try:
        with open(aside, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
    sync_directory(path.parent)


def to_json(value: Any, *, indent: int | None = None) -> str:
    """Strict JSON: a number that is not finite is written as null.

    >>> to_json({"energy": float("nan"), "step": 3})
    '{"energy": null, "step": 3}'
    """

    def clean(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: clean(entry) for key, entry in item.items()}
        if isinstance(item, list | tuple):
            return [clean(entry) for entry in item]
        if isinstance(item, float):
            return item if math.isfinite(item) else None
        return item

    return json.dumps(clean(value), indent=indent, ensure_ascii=False, allow_nan=False)


def write_aside_with(path: Path, write: Callable[[Path], None]) -> None:
    """Like `write_aside`, for a library that writes files itself: `write` is given the name aside."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(aside)
        with open(aside, "rb") as file:
            os.fsync(file.fileno())
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
    sync_directory(path.parent)


class Lock:
    """One writer of a folder; held by the operating system until released or until the process ends."""

    def __init__(self, folder: Path):
        self.path = folder / LOCK
        self._file: Any = None

    def check(self) -> None:
        """Raise `InputError` if another process holds the lock; changes nothing."""
        if self.path.is_file():
            with open(self.path, "r+") as file:
                self._lock_or_fail(file)

    def acquire(self) -> Lock:
        """Take the lock; `InputError` if another process holds it."""
        file = open(self.path, "a+")  # noqa: SIM115  (held open for the life of the lock)
        try:
            self._lock_or_fail(file)
        except InputError:
            file.close()
            raise
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()}")
        file.flush()
        self._file = file
        return self

    def _lock_or_fail(self, file: Any) -> None:
        try:
            _lock_file(file)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            expected = "a run folder that no other process is writing"
            got, remedy = (
                f"one that is being written by {holder}",
                "wait for it to end, or give another folder",
            )
            raise fail(str(self.path.parent), expected, got, remedy) from None

    def release(self) -> None:
        """Let go; the lock file stays, so that every process locks the same file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _lock_file(file: Any) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        return
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class RunFolder:
    """A run's folder, opened for writing: `RunFolder.create(...)` or `RunFolder.open(...)`; `close()` it
    after use.
    """

    def __init__(self, path: Path, lock: Lock):
        self.path = path
        self._lock = lock
        self._metrics: Any = None

    @classmethod
    def create(cls, path: str | Path, config: str, *, overwrite: bool = False) -> RunFolder:
        """A new run at `path` with `config` as its `config.toml`.

        An existing folder that is not empty is refused, unless it holds a run and `overwrite` is true: then
        the new folder is complete before the old one is taken away. Raises `InputError`.
        """
        path = Path(path)
        check_can_create(path, overwrite=overwrite)
        path = path.resolve() if path.is_symlink() or path.name in ("", "..") else path
        _make_directory(path.parent)
        old = Lock(path).acquire() if path.is_dir() and any(path.iterdir()) else None
        new = path.with_name(f".{path.name}.{os.getpid()}.new")
        lock = Lock(new)
        try:
            shutil.rmtree(new, ignore_errors=True)
            _make_directory(new)
            write_aside(new / CONFIG, config)
            lock.acquire()
            _replace_folder(new, path)
        except BaseException:
            lock.release()
            shutil.rmtree(new, ignore_errors=True)
            raise
        finally:
            if old is not None:
                old.release()
        lock.path = path / LOCK
        return cls(path, lock)

    @classmethod
    def open(cls, path: str | Path) -> RunFolder:
        """The run at `path`, to go on with it; `InputError` if there is none or another process writes it."""
        path = check_is_run(path)
        if not os.access(path, os.W_OK | os.X_OK):
            raise fail(str(path), "a folder that can be written", "one that cannot", "change its permissions")
        return cls(path, Lock(path).acquire())

    def close(self) -> None:
        """Flush the metrics and release the lock."""
        self.sync_metrics()
        if self._metrics is not None:
            self._metrics.close()
            self._metrics = None
        self._lock.release()

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

    def append_metrics(self, record: dict[str, Any]) -> None:
        """Add one line to `metrics.jsonl`; it survives a kill of this process as soon as this returns."""
        if self._metrics is None:
            self._metrics = open(self.path / METRICS, "ab")  # noqa: SIM115  (kept open from step to step)
        self._metrics.write((to_json(record) + "\n").encode())
        self._metrics.flush()

    def sync_metrics(self) -> None:
        """Flush `metrics.jsonl` to the disk: done before every checkpoint, so that its steps are there."""
        if self._metrics is not None:
            self._metrics.flush()
            os.fsync(self._metrics.fileno())

    def read_metrics(self) -> list[dict[str, Any]]:
        """The whole lines of `metrics.jsonl`, up to the first that is cut or not the next step."""
        return read_metrics(self.path)

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


def read_metrics(folder: str | Path) -> list[dict[str, Any]]:
    """The history of the run in `folder`: one dict a step, steps 0, 1, 2, ... without a gap."""
    path = Path(folder) / METRICS
    if not path.exists():
        return []
    return list(_good_lines(path.read_bytes().splitlines(keepends=True)))


def _good_lines(lines: Iterable[bytes]) -> Iterable[dict[str, Any]]:
    for index, line in enumerate(lines):
        if not line.endswith(b"\n"):
            return
        try:
            record = json.loads(line)
        except ValueError:
            return
        if not isinstance(record, dict) or record.get("step") != index:
            return
        yield record


def check_name(path: Path) -> None:
    """Raise `InputError` for a path that no file system takes."""
    if "\x00" in str(path) or any(len(os.fsencode(part)) > 255 for part in path.parts):
        shown = ascii(str(path)[:60])
        remedy = "give another path"
        raise fail("path", "a path of names of at most 255 bytes, without zero bytes", shown, remedy)


def check_is_run(path: str | Path) -> Path:
    """`path` if a run folder is there, or an `InputError` that says what is."""
    path = Path(path)
    check_name(path)
    remedy = "give the folder that a run wrote, the one with config.toml in it"
    try:
        if not path.exists():
            raise fail(str(path), "a run folder", "a path where nothing is", remedy)
        if not path.is_dir():
            raise fail(str(path), "a run folder", "a file", remedy)
        if not (path / CONFIG).is_file():
            raise fail(str(path), "a run folder", "a folder without config.toml", remedy)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise _path_error(path, error) from None
    return path


def check_can_create(path: Path, *, overwrite: bool) -> None:
    """Raise `InputError` unless a new run may be written at `path`; touches nothing."""
    check_name(path)
    try:
        if path.exists():
            _check_existing(path, overwrite)
        ancestor = path if path.exists() else path.parent
        while not ancestor.exists():
            ancestor = ancestor.parent
        if not ancestor.is_dir():
            raise fail(
                "out", "a path whose parents are folders", f"{ancestor}, a file", "give another folder"
            )
        if not os.access(ancestor, os.W_OK | os.X_OK):
            raise fail(
                "out", "a folder that can be written", str(path), "give another, or change the permissions"
            )
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise _path_error(path, error) from None


def _check_existing(path: Path, overwrite: bool) -> None:
    if not path.is_dir():
        raise fail("out", "a new or empty folder", f"the file {path}", "give another path")
    present = {entry.name for entry in path.iterdir()}
    if present <= {LOCK}:
        return
    is_run = CONFIG in present and all(name in KNOWN or name.endswith(".tmp") for name in present)
    if is_run:
        Lock(path).check()
    if is_run and not overwrite:
        raise fail(
            "out",
            "a new or empty folder",
            f"{path}, which holds a run",
            f"give another folder, go on with `intertwine resume {path}`, or replace it with --overwrite",
        )
    if not is_run:
        others = sorted(present - KNOWN)[:3]
        shown = "config.toml missing" if not others else ", ".join(others)
        raise fail(
            "out",
            "a new or empty folder",
            f"{path}, which holds other things than a run ({shown})",
            "give another folder; --overwrite replaces run folders only",
        )


def _path_error(path: Path, error: Exception) -> InputError:
    reason = getattr(error, "strerror", None) or str(error)
    return fail("path", "a usable path", f"{str(path)[:100]!r} ({reason})", "give another path")


def _make_directory(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise _path_error(path, error) from None


def _replace_folder(new: Path, path: Path) -> None:
    """Put `new` at `path`; what was there is renamed first and removed last."""
    old = path.with_name(f".{path.name}.{os.getpid()}.old")
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        os.replace(path, old)
    try:
        os.replace(new, path)
    except BaseException:
        if old.exists():
            os.replace(old, path)
        raise
    sync_directory(path.parent)
    shutil.rmtree(old, ignore_errors=True)
