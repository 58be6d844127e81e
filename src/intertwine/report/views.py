"""The registry of pages: one row a kind of run; its folder has `read`, `summary` and `plates`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from intertwine.report.folder import check_folder, read_config, read_object, read_text


class View(NamedTuple):
    """read: folder → run. summary: a module with title, lead, notices, cards, table. plates: run → plates."""

    read: Callable[[Path], Any]
    summary: ModuleType
    plates: Callable[[Any], list[Any]]


_ROWS = {
    "ground-state": "read_run",
    "learn": "read_learn",
    "classify": "read_classify",
    "renormalize": "read_renormalize",
}


def view_of(folder: str | Path) -> View:
    """The view of the run in `folder`: by the kind in its configuration or result, else a ground state."""
    folder = check_folder(folder)
    kind = None
    if (folder / "config.toml").is_file():
        kind = read_config(folder / "config.toml").get("kind")
    elif (folder / "result.json").is_file():
        path = folder / "result.json"
        kind = read_object(path, read_text(path), "the file").get("kind")
    if not (isinstance(kind, str) and kind in _ROWS):
        kind = "ground-state"
    read, summary, plates = (_module(kind, name) for name in ("read", "summary", "plates"))
    return View(getattr(read, _ROWS[kind]), summary, plates.plates)


def _module(kind: str, name: str) -> ModuleType:
    return import_module(f"intertwine.report.{kind.replace('-', '_')}.{name}")
