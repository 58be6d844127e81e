"""What the folder of any run holds, by the schema of its command."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from intertwine.records.kinds import KINDS, named
from intertwine.records.schema import Schema
from intertwine.report.folder import (
    FolderData,
    check_folder,
    mapping,
    read_config,
    read_files,
    read_metrics,
    read_record,
)


@dataclass(frozen=True, kw_only=True)
class PlainRun(FolderData):
    """The folder as data, and what its files should hold."""

    schema: Schema


def read(folder: str | Path) -> PlainRun:
    """The run in `folder`; raises `InputError` if it is not a run folder or one of its files is damaged."""
    folder = check_folder(folder)
    config = folder / "config.toml"
    kind = read_config(config).get("kind") if config.is_file() else None
    schema: Schema = named(KINDS[str(kind)].schema)
    found, missing = read_files(
        folder,
        {
            "config.toml": (read_config, "the configuration"),
            "metrics.jsonl": (lambda path: read_metrics(path, schema.numbers), "the numbers of every line"),
            "result.json": (read_record, "the final numbers"),
        },
    )
    result = found.get("result.json", {})
    if result:
        result["versions"] = mapping(folder / "result.json", result, "versions")
    return PlainRun(
        name=folder.resolve().name, config=found.get("config.toml", {}), schema=schema,
        metrics=found.get("metrics.jsonl", {}), result=result, missing=missing,
    )  # fmt: skip
