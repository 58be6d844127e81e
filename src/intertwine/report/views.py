"""From the folder of a run to what draws its page: a folder per command, or the plain page of its schema."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from intertwine.records.kinds import DEFAULT, KINDS, named
from intertwine.report.folder import FolderData, check_folder, read_config, read_object, read_text

if TYPE_CHECKING:
    from intertwine.report.plate import Plate


SEVERAL = "intertwine.report.several"


class Summary(Protocol):
    """The words of a page; a module has these functions."""

    def title(self, run: FolderData) -> str: ...
    def lead(self, run: FolderData) -> str: ...
    def notices(self, run: FolderData) -> list[str]: ...
    def cards(self, run: FolderData) -> list[tuple[str, str, str]]: ...
    def table(self, run: FolderData) -> list[tuple[str, str]]: ...


class View(NamedTuple):
    """read: folder → run. summary: the words. plates: run → figures."""

    read: Callable[[Path], FolderData]
    summary: Summary
    plates: Callable[[Any], list[Plate]]


def view_of(folder: str | Path) -> View:
    """The view of the run in `folder`: by the kind in its configuration or result, else the default kind.

    Raises `InputError` for results of a newer schema than this version knows.
    """
    folder = check_folder(folder)
    result = {}
    path = folder / "result.json"
    if path.is_file():
        result = read_object(path, read_text(path), "the file")
    name, space, data = result.get("kind"), result.get("space"), result.get("data")
    if (folder / "config.toml").is_file():
        config = read_config(folder / "config.toml")
        name, space, data = (config.get(section) for section in ("kind", "space", "data"))
    space, data = (table.get("name") if isinstance(table, dict) else table for table in (space, data))
    kind = KINDS[name] if isinstance(name, str) and name in KINDS else KINDS[DEFAULT]
    named(kind.schema).check(result, path.name)
    return _view(SEVERAL if "several" in result else kind.on_space(space, data).page)


def _view(page: str) -> View:
    names = ("read", "summary", "plates")
    read, summary, plates = (cast(Any, import_module(f"{page}.{name}")) for name in names)
    return View(read.read, summary, plates.plates)
