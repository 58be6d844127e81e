"""What a run folder is made of: the names of its files, its mark, and what may stand in it.

    .intertwine      the mark: this folder is a run's, in this format
    .lock            held by the process that writes the folder
    config.toml      the complete configuration, defaults written out
    data.json        what is learnt from, with its checksum (runs on data)
    metrics.jsonl    a line a step
    checkpoints/     step-00000120/: the state after 120 steps, with a manifest of checksums
    network.bin      the trained network (classifying runs, and those of fields)
    mesh.obj         the mesh that a network of fields lives on
    result.json      the final numbers
    result.nc        the arrays (xarray)
    report.html      a self-contained page
    parts/           the runs of one that stands for several (seeds, sectors), a run folder each

`--overwrite` takes away folders that hold these and nothing else, and bear the mark. A folder that an older
version wrote has no mark: its config.toml, in the words of intertwine, stands for it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from intertwine.records.writing import from_json, to_json

CONFIG, METRICS, RESULT, DATASET, REPORT = (
    "config.toml", "metrics.jsonl", "result.json", "result.nc", "report.html",
)  # fmt: skip
CHECKPOINTS, LOCK, DATA, NETWORK, MESH, MARK = (
    "checkpoints", ".lock", "data.json", "network.bin", "mesh.obj", ".intertwine",
)  # fmt: skip
PARTS = "parts"
FILES = (CONFIG, METRICS, RESULT, DATASET, REPORT, DATA, NETWORK, MESH)
FORMAT = 2
"""Of the mark and the checkpoints. 1: the states of runs without the guard against divergence."""
HEAD = "# intertwine "
"""How every config.toml begins that a run has written."""

MANIFEST, STATE = "manifest.json", "state"
_ASIDE = re.compile(
    rf"\.(?:{'|'.join(map(re.escape, (*FILES, MARK)))})\.([0-9]+)(?:\.[0-9a-f]{{8}})?\.tmp", re.ASCII
)
_CHECKPOINT = re.compile(r"step-([0-9]{8,12})", re.ASCII)
_UNFINISHED = re.compile(r"\.step-[0-9]{8,12}\.([0-9]+)(?:\.[0-9a-f]{8})?\.tmp", re.ASCII)
_ORBAX = re.compile(
    r"(?:ocdbt\.process_[0-9]+/)?(?:manifest\.ocdbt|d/[0-9a-f]{32}|commit_success\.txt|_[A-Z_]+|_sharding"
    r"|array_metadatas/process_[0-9]+)",
    re.ASCII,
)


def mark() -> str:
    """The content of the mark."""
    words = "the mark of a run folder of intertwine; --overwrite replaces folders that bear it"
    return to_json({"intertwine": words, "format": FORMAT}) + "\n"


def format_of(folder: Path) -> int | None:
    """The format that the mark of `folder` names; None where there is none, or another file of its name."""
    try:
        path = folder / MARK
        found = from_json(path.read_bytes()[:4096]) if not path.is_symlink() else None
    except (OSError, ValueError):
        return None
    form = found.get("format") if isinstance(found, dict) and "intertwine" in found else None
    return form if isinstance(form, int) and not isinstance(form, bool) else None


def is_marked(folder: Path) -> bool:
    """Whether `folder` is a run's: it bears the mark, or its config.toml is one that a run wrote."""
    if format_of(folder) is not None:
        return True
    try:
        with open(folder / CONFIG, encoding="utf-8") as file:
            return file.readline().startswith(HEAD) and not (folder / CONFIG).is_symlink()
    except (OSError, ValueError):
        return False


def strangers(folder: Path) -> list[str]:
    """What stands in `folder` that no run put there, by name; links are strangers too."""
    return list(_strangers(folder))


def _strangers(folder: Path) -> Iterator[str]:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        name = entry.name
        if name == CHECKPOINTS and entry.is_dir(follow_symlinks=False):
            yield from _in_checkpoints(folder / CHECKPOINTS)
        elif name == PARTS and entry.is_dir(follow_symlinks=False):
            yield from _in_parts(folder / PARTS)
        elif not ((name in (*FILES, MARK, LOCK) or _ASIDE.fullmatch(name)) and _is_file(entry)):
            yield name


def _in_parts(parts: Path) -> Iterator[str]:
    for entry in sorted(os.scandir(parts), key=lambda entry: entry.name):
        if entry.is_dir(follow_symlinks=False) and is_marked(parts / entry.name):
            yield from (f"{PARTS}/{entry.name}/{inner}" for inner in _strangers(parts / entry.name))
        else:
            yield f"{PARTS}/{entry.name}"


def _in_checkpoints(folder: Path) -> Iterator[str]:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        is_folder = entry.is_dir(follow_symlinks=False)
        if is_folder and _UNFINISHED.fullmatch(entry.name):
            continue
        if not (is_folder and _CHECKPOINT.fullmatch(entry.name)):
            yield f"{CHECKPOINTS}/{entry.name}"
            continue
        for path, directories, files in os.walk(entry.path):
            place = Path(path).relative_to(entry.path)
            for name in [*files, *(d for d in directories if (Path(path) / d).is_symlink())]:
                inner = (place / name).as_posix()
                if not _is_of_checkpoint(inner) or (Path(path) / name).is_symlink():
                    yield f"{CHECKPOINTS}/{entry.name}/{inner}"


def _is_of_checkpoint(name: str) -> bool:
    top, _, inner = name.partition("/")
    aside = re.fullmatch(rf"\.{re.escape(MANIFEST)}\.[0-9]+(?:\.[0-9a-f]{{8}})?\.tmp", name, re.ASCII)
    return name == MANIFEST or bool(aside) or (top == STATE and bool(_ORBAX.fullmatch(inner)))


def _is_file(entry: os.DirEntry[str]) -> bool:
    return stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode)


def unfinished(folder: Path) -> list[Path]:
    """Files and checkpoints that were being written aside by processes that are gone."""
    return [*_abandoned(folder, _ASIDE), *_abandoned(folder / CHECKPOINTS, _UNFINISHED)]


def unfinished_checkpoints(checkpoints: Path) -> list[Path]:
    """The same of the folder `checkpoints` alone."""
    return _abandoned(checkpoints, _UNFINISHED)


def _abandoned(folder: Path, pattern: re.Pattern[str]) -> list[Path]:
    if not folder.is_dir():
        return []
    found = ((path, pattern.fullmatch(path.name)) for path in folder.iterdir())
    return [path for path, match in found if match and not is_running(int(match[1]))]


def is_running(process: int) -> bool:
    """Whether a process of that number runs on this machine."""
    if process == os.getpid():
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # there is one, of another user
        return True
    return True


def step_of(name: str) -> int | None:
    """The step of a checkpoint's name, None for other names.

    >>> step_of("step-00000120"), step_of("step-120")
    (120, None)
    """
    match = _CHECKPOINT.fullmatch(name)
    return int(match[1]) if match else None


def settings_hash(config: str) -> str:
    """The SHA-256 of the settings in the text of a config.toml, whatever its comments, its spaces and the
    folders of absolute paths: data.json has the checksums of what they lead to.

    >>> settings_hash("seed = 1  # one") == settings_hash("seed=1"), len(settings_hash(""))
    (True, 64)
    >>> settings_hash("data.name = '/here/a.csv'") == settings_hash("data.name = '/there/a.csv'")
    True
    """
    return _hash(config, _without_paths)


def is_hash_of(recorded: object, config: str) -> bool:
    """Whether `recorded` is the `settings_hash` of the text of a config.toml, also as older versions had it:
    with its paths, or of the very text."""
    plain = hashlib.sha256(config.encode()).hexdigest()
    return recorded in (settings_hash(config), _hash(config, lambda tables: tables), plain)


def _hash(config: str, kept: Callable[[Any], Any]) -> str:
    try:
        plain = json.dumps(kept(tomllib.loads(config)), sort_keys=True, default=str)
    except (ValueError, RecursionError):
        plain = config
    return hashlib.sha256(plain.encode()).hexdigest()


def _without_paths(value: Any) -> Any:
    """`value` with the last part of absolute paths in their place."""
    if isinstance(value, dict):
        return {key: _without_paths(x) for key, x in value.items()}
    return os.path.basename(value) if isinstance(value, str) and os.path.isabs(value) else value
