"""Runs that begin with what another run ended with: `--model RUN`, `--network RUN`, and `start` in a file.

A section with a `name` and a `start` names both by the folder: `model = "runs/first"` is the model of that
run, and what that run was about is taken over where nothing else is given.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any, ClassVar

from pydantic import field_validator

from intertwine._checks import InputError, fail
from intertwine.records.folder import CONFIG
from intertwine.runs.fields import Section, text
from intertwine.runs.run_paths import check_is_run
from intertwine.runs.settings import read_toml, shown

NONE = "none"
"""`start` of a run that begins afresh."""


def start_of(kind: str) -> Any:
    """The field `start` of a section: the folder of a run of this kind, or "none"."""
    return text(
        NONE, f"'none', or the folder of a {kind} run", "begin with the parameters of this run",
        longest=4096, metavar="FOLDER",
    )  # fmt: skip


class Starting(Section):
    """A section with a `start` (`start_of`). begins: (the kind of run, the setting as errors call it). words:
    starts that are no folder."""

    begins: ClassVar[tuple[str, str]]
    words: ClassVar[tuple[str, ...]] = ()

    @field_validator("start", check_fields=False)
    @classmethod
    def _from_the_root_on(cls, start: str) -> str:
        return start if start in cls.words else absolute(start)

    def check_there(self) -> None:
        if getattr(self, "start", NONE) in self.words:
            return
        run_at(getattr(self, "start", NONE), *self.begins)


def absolute(start: str) -> str:
    """`start` from the root of the file system on, so that a run can go on in another folder."""
    return start if start == NONE else os.path.abspath(start)


def run_at(name: str, kind: str, setting: str) -> str:
    """The absolute path of the folder `name`, of a run of this kind, "none" as it is; else `InputError` about
    `setting`."""
    if name == NONE:
        return NONE
    expected, remedy = f"'none', or the folder of a {kind} run", "say 'none'"
    try:
        path = check_is_run(name)
    except InputError:
        raise fail(setting, expected, shown(name), remedy) from None
    found = read_toml(path / CONFIG).get("kind", kind)
    if found != kind:
        raise fail(setting, expected, f"{shown(name)}, a run of {found!r}", remedy)
    return str(path.resolve())


def begun_with(
    tables: Any,
    section: str,
    start: tuple[str, str],
    *,
    own: tuple[str, ...],
    about: tuple[str, ...],
    words: tuple[str, ...] = (),
) -> Any:
    """`tables`, where the name or the `start` of `section` is the folder of a run, with the run's own
    settings of it. start: the kind of run, and the setting. own: names of that section; about: sections that
    are taken from the run where the name is its folder and they are not given."""
    given = tables.get(section) if isinstance(tables, dict) else None
    name = given.get("name") if isinstance(given, dict) else given
    begin = given.get("start", NONE) if isinstance(given, dict) else NONE
    if begin in words:
        if isinstance(name, str) and _is_run(name):
            remedy = "a run that is gone on with starts where it ended"
            raise fail(start[1], f"'none' with the folder {shown(name)}", shown(begin), remedy)
        return tables
    if isinstance(begin, str) and begin != NONE and _is_run(begin):  # the same network, on whatever is given
        name, about = begin, ()
    if not isinstance(name, str) or not _is_run(name):
        return tables
    path = run_at(name, *start)
    before = read_toml(Path(path) / CONFIG)
    others = given if isinstance(given, dict) else {}
    kept = {key: before[section][key] for key in own if key in before.get(section, {})}
    where = {key: before[key] for key in about if key in before}
    return where | tables | {section: others | kept | {"start": path}}


def begins_with(setting: str, folder: str, file: str) -> dict[str, Any]:
    """What names the run that another begins with, for `data.json`: its folder and the sum of `file`."""
    checksum = "sha256:" + hashlib.sha256((Path(folder) / file).read_bytes()).hexdigest()
    return {"what": "beginning", "setting": setting, "source": folder, "checksum": checksum}


def _is_run(name: str) -> bool:
    try:
        return bool(name) and (Path(name) / CONFIG).is_file()
    except (OSError, ValueError):
        return False
