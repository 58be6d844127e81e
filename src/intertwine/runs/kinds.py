"""From the name of a kind to its classes: `records.kinds` has the rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from intertwine._checks import fail
from intertwine.records.kinds import DEFAULT, KINDS, Kind, named
from intertwine.records.schema import Schema

if TYPE_CHECKING:
    from intertwine.runs.experiment import Experiment
    from intertwine.runs.fields import Settings


def settings_class(kind: Kind) -> type[Settings]:
    """The declaration of the settings of `kind`."""
    return named(kind.settings)


def schema_of(kind: Kind) -> Schema:
    """What its files hold."""
    return named(kind.schema)


def experiment_of(settings: Settings) -> Experiment:
    """The run that `settings` describe, made ready."""
    space, data = (getattr(getattr(settings, name, None), "name", "") for name in ("space", "data"))
    return named(KINDS[settings.kind].on_space(space, data).experiment)(settings)


def kind_of(tables: dict[str, Any]) -> Kind:
    """The kind that the tables of a configuration name."""
    from intertwine.runs.settings import shown

    name = tables.get("kind", DEFAULT)
    if not isinstance(name, str) or name not in KINDS:
        raise fail("kind", "one of " + ", ".join(KINDS), shown(name), f"for example {DEFAULT!r}")
    return KINDS[name]


def kind_of_folder(folder: Path) -> Kind:
    """The kind of the run in `folder`; `InputError` if there is no run or its configuration is damaged."""
    from intertwine.runs.run_folder import CONFIG, check_is_run
    from intertwine.runs.settings import read_toml

    tables = read_toml(check_is_run(folder) / CONFIG)
    space, data = (tables.get(name) for name in ("space", "data"))
    names = (table.get("name") if isinstance(table, dict) else table for table in (space, data))
    return kind_of(tables).on_space(*names)


def configuration_of(tables: dict[str, Any]) -> Any:
    """The checked settings that the tables describe."""
    from intertwine.runs.settings import validate

    return validate(settings_class(kind_of(tables)), tables)
