"""Flags of the command line: their help, and how they become the tables of a configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer


def flag(name: str, help_text: str, metavar: str) -> Any:
    """An option that is read as text and checked with the configuration."""
    return typer.Option(name, help=help_text, metavar=metavar, show_default=False)


Out = Annotated[str | None, flag("--out", "the run folder to write; default runs/…, numbered", "FOLDER")]
Processes = Annotated[str | None, flag("--processes", "share the run between so many processes", "INTEGER")]
ProcessId = Annotated[
    str | None, flag("--process-id", "start only this one here (0 writes the folder)", "INTEGER")
]
Coordinator = Annotated[str | None, flag("--coordinator", "where processes started apart meet", "HOST:PORT")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="replace the run that is in the folder")]


def tables_from_flags(
    kind: str, fields: Mapping[str, str], given: Mapping[str, Any], text: Iterable[str] = ()
) -> dict[str, Any]:
    """The configuration's tables from the flags that were given.

    fields: flag → field. given: flag → text or None. text: fields that stay text whatever they look like.

    >>> fields = {"lattice": "lattice", "steps": "optimiser.steps", "h": "hamiltonian.h"}
    >>> tables_from_flags("ground-state", fields, {"lattice": "chain:8", "steps": "10", "h": None})
    {'kind': 'ground-state', 'lattice': 'chain:8', 'optimiser': {'steps': 10}}
    """
    tables: dict[str, Any] = {"kind": kind}
    for name, field in fields.items():
        value = given.get(name)
        if value is None:
            continue
        section, _, entry = field.rpartition(".")
        table = tables.setdefault(section, {}) if section else tables
        table[entry] = value if field in text or isinstance(value, bool) else _scalar(value)
    return tables


def _scalar(text: str) -> Any:
    """A flag's text as TOML would read it: an integer, a number, a truth value, or a word."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
