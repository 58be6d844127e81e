"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated, Any

import typer


def flag(name: str, help: str, metavar: str, group: str | None = None, *, also: str = "") -> Any:
    """An option that is read as text and checked with the configuration. group: its heading in `--help`.
    also: another name for it."""
    names = [name, also] if also else [name]
    return typer.Option(*names, help=help, metavar=metavar, show_default=False, rich_help_panel=group)


Out = Annotated[
    str | None,
    flag("--out", "the run folder to write; default runs/…, numbered", "FOLDER", "Run"),
]
Processes = Annotated[
    str | None,
    flag("--processes", "share the run between so many processes", "INTEGER", "Run"),
]
ProcessId = Annotated[
    str | None,
    flag("--process-id", "start only this one here (0 writes the folder)", "INTEGER", "Run"),
]
Coordinator = Annotated[
    str | None,
    flag("--coordinator", "where processes started apart meet", "HOST:PORT", "Run"),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="replace the run that is in the folder", rich_help_panel="Run")
]
