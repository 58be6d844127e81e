"""What the folder of several runs holds: the rows of their table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intertwine.report.folder import FolderData, check_folder, damaged, read_config, read_files, read_record


@dataclass(frozen=True, kw_only=True)
class SeveralRuns(FolderData):
    """rows: of the table, a run each."""

    rows: list[dict[str, Any]]


def read(folder: str | Path) -> SeveralRuns:
    """The runs in `folder`; raises `InputError` if it is none or one of its files is damaged."""
    folder = check_folder(folder)
    readers = {
        "config.toml": (read_config, "the configuration"),
        "result.json": (read_record, "the table of the runs"),
    }
    found, missing = read_files(folder, readers)
    result = found.get("result.json", {})
    rows = result.get("several", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "run" in row for row in rows):
        raise damaged(folder / "result.json", "a table of runs", rows)
    return SeveralRuns(
        name=folder.resolve().name, config=found.get("config.toml", {}), metrics={}, result=result,
        missing=missing, rows=rows,
    )  # fmt: skip
