"""What the folder of an evolution holds: the plain run of its schema, with every observable's columns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from intertwine.records.folder import METRICS
from intertwine.report.folder import read_metrics
from intertwine.report.plain.read import PlainRun as Run, read as read_plain

__all__ = ["Run", "read"]


def read(folder: str | Path) -> Run:
    """The run in `folder`; raises `InputError` if it is not a run folder or one of its files is damaged."""
    found, path = read_plain(folder), Path(folder) / METRICS
    return replace(found, metrics=read_metrics(path)) if path.is_file() else found
