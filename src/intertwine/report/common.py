"""Words that the pages of all commands share: settings, versions, what to type."""

from __future__ import annotations

import json
import shlex
from typing import Any

from intertwine.report.folder import FolderData


def configuration(table: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """The configuration as dotted names and values, in the order of the file.

    >>> configuration({"seed": 0, "model": {"name": "rbm", "units": [1, 2]}})
    [('seed', '0'), ('model.name', 'rbm'), ('model.units', '[1, 2]')]
    """
    rows: list[tuple[str, str]] = []
    for name, value in table.items():
        if isinstance(value, dict):
            rows += configuration(value, f"{prefix}{name}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
            rows.append((prefix + name, text))
    return rows


def versions(run: FolderData) -> list[tuple[str, str]]:
    """What the run was made with, in alphabetical order."""
    return [(str(name), str(version)) for name, version in sorted(run.result.get("versions", {}).items())]


def commands(run: FolderData) -> list[tuple[str, str]]:
    """What to type, in the directory that holds the run folder: (purpose, command)."""
    folder = shlex.quote(run.name)
    go_on = "to go on after an interruption" if run.finished else "to finish this run"
    return [
        (go_on, f"intertwine resume {folder}"),
        ("to run the same configuration again", f"intertwine run {shlex.quote(run.name + '/config.toml')}"),
        ("to write this page again", f"intertwine report {folder}"),
    ]
