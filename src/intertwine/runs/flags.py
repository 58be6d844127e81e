"""The command line of settings: one option per field, made from its declaration.

`options` lists them; `tables_from_flags` makes the tables of a configuration, as TOML would, from the texts
that were given, so that flags and files are checked in one place and get the same words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from intertwine.runs.fields import Settings


class Option(NamedTuple):
    """One setting on the command line. field: dotted, as in an error. default: as shown. is_text: whether
    it stays text whatever it looks like. is_switch: given without a value. also: another flag for it."""

    flag: str
    field: str
    help: str
    metavar: str
    group: str
    default: str
    is_text: bool
    is_switch: bool
    also: str = ""


def options(settings: type[Settings]) -> list[Option]:
    """Every setting of a command, in the order of its file, those of the run last; members of a union share
    theirs.

    Raises ValueError where two settings have one flag.
    """
    found: dict[str, Option] = {}
    for option in _options(settings, "", "Run"):
        if found.setdefault(option.flag, option).field != option.field:
            raise ValueError(f"{option.flag}: of {option.field} and of {found[option.flag].field}")
    return sorted(found.values(), key=lambda option: option.group == "Run")


def _options(section: type[BaseModel], prefix: str, group: str) -> Iterator[Option]:
    for name, field in section.model_fields.items():
        members = sections(field)
        if members:
            if len(members) > 1:
                yield _choice_of(name, field, members)
            for member in members:
                yield from _options(member, f"{name}.", name.capitalize())
            continue
        words = field.json_schema_extra
        if isinstance(words, dict) and "help" in words:
            yield _option(prefix + name, field, words, group)


def _option(name: str, field: FieldInfo, words: Mapping[str, Any], group: str) -> Option:
    section, _, entry = name.rpartition(".")
    flag = words["flag"] or "--" + (section if entry == "name" else entry).replace("_", "-")
    help = str(words["help"])
    if "choices" in words:
        help += ": " + ", ".join(words["choices"])
    default = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
    if words.get("meaning"):
        default += f" ({words['meaning']})"
    return Option(
        flag, name, help, words["metavar"], words["group"] or group, default,
        is_text=field.annotation is str, is_switch=field.default is False, also=str(words.get("also", "")),
    )  # fmt: skip


def _choice_of(name: str, field: FieldInfo, members: tuple[type[BaseModel], ...]) -> Option:
    """Which member of a union of sections."""
    names = [str(member.model_fields["name"].default) for member in members]
    group, default = name.capitalize(), str(field.default.name)
    return Option(f"--{name}", f"{name}.name", ", ".join(names), "NAME", group, default, True, False)


def sections(field: FieldInfo) -> tuple[type[BaseModel], ...]:
    """The sections that a field may hold: its own, the members of a union, or none."""
    kind = field.annotation
    members = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    return tuple(m for m in members if isinstance(m, type) and issubclass(m, BaseModel))


def tables_from_flags(settings: type[Settings], given: Mapping[str, str | bool | None]) -> dict[str, Any]:
    """The tables of a configuration. given: flag → its text, True for a switch, None where it was not given.

    A table of a union that does not say which member it is, is of the default one.
    """
    tables: dict[str, Any] = {"kind": settings.model_fields["kind"].default}
    for option in options(settings):
        value = given.get(option.flag)
        if value is None or value is False:
            continue
        section, _, entry = option.field.rpartition(".")
        table = tables.setdefault(section, {}) if section else tables
        table[entry] = value if option.is_text or isinstance(value, bool) else scalar(value)
    for name, field in settings.model_fields.items():
        if name in tables and len(sections(field)) > 1:
            tables[name].setdefault("name", field.default.name)
    return tables


def scalar(text: str) -> Any:
    """A flag's text as TOML would read it: an integer, a number, a truth value, or a word.

    >>> [scalar(text) for text in ("10", "1e-3", "true", "auto")]
    [10, 0.001, True, 'auto']
    """
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
