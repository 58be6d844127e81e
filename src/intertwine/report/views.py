"""The registry of pages: one row a kind of run, what reads its folder and what shows it."""

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
    "ground-state": ("read:read_run", "summary", "plates:plates"),
    "learn": ("learn_read:read_learn", "learn_summary", "learn_plates:plates"),
    "classify": ("classify_read:read_classify", "classify_summary", "classify_plates:plates"),
    "renormalize": ("renormalize_read:read_renormalize", "renormalize_summary", "renormalize_plates:plates"),
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
    row = _ROWS.get(kind if isinstance(kind, str) else "", _ROWS["ground-state"])
    read, summary, plates = row
    return View(_named(read), _module(summary), _named(plates))


def _named(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(_module(module), name)


def _module(name: str) -> ModuleType:
    return import_module(f"intertwine.report.{name}")
