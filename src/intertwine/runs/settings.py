"""Reading and writing configurations: TOML in, TOML out, and every problem in one line.

optimiser.steps: expected an integer from 1 to 10000000, got 'many'; for example 300.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

import tomli_w
from pydantic import BaseModel, ValidationError

from intertwine._checks import InputError, fail
from intertwine._version import __version__
from intertwine.records.kinds import KINDS, named
from intertwine.runs.run_folder import check_name

MAX_BYTES = 1_000_000

MOST_PROBLEMS = 20
"""So many problems of one configuration are told, and how many more there are."""


class ConfigurationError(InputError):
    """One or more problems of a configuration; `problems` has a line for each of the first, and one for how
    many more there are."""

    def __init__(self, problems: list[str]):
        more = len(problems) - MOST_PROBLEMS
        tail = [f"configuration: {more:,} more problems like these."] if more > 0 else []
        self.problems = [*problems[:MOST_PROBLEMS], *tail]
        super().__init__("\n".join(self.problems))


def read_toml(path: str | Path) -> dict[str, Any]:
    """The tables of a TOML file; `InputError` if it is not there, not text, not TOML or absurdly large."""
    path = Path(path)
    check_name(path)
    name = shown(str(path)) if not str(path).isprintable() else str(path)
    remedy = "give the path of a TOML file such as a run's config.toml"
    try:
        if path.is_dir():
            raise fail(name, "a TOML file", "a folder", remedy)
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise fail(name, "a TOML file that can be read", reason, remedy) from None
    if len(data) > MAX_BYTES:
        raise fail(name, "a TOML file of at most 1 MB", "a larger one", remedy)
    return parse_toml(data, name)


def parse_toml(data: bytes, name: str) -> dict[str, Any]:
    """The tables of TOML text; errors name `name` and the place."""
    remedy = "correct it, or start from a run's config.toml"
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise fail(name, "UTF-8 text", f"a byte that is not, at {error.start}", remedy) from None
    except RecursionError:
        raise fail(name, "a configuration of two levels", "one nested too deeply", remedy) from None
    except ValueError as error:
        raise fail(name, "TOML", " ".join(str(error).split())[:150], remedy) from None


def validate(model: type[BaseModel], data: dict[str, Any]) -> Any:
    """The configuration that `data` describes; `ConfigurationError` with a line for each problem."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = dict.fromkeys(_line(model, problem) for problem in error.errors(include_url=False))
        raise ConfigurationError(list(lines)) from None
    except RecursionError:
        raise ConfigurationError(["configuration: expected two levels, got one nested too deeply."]) from None


def to_toml(configuration: BaseModel) -> str:
    """The complete configuration, defaults written out, as TOML text."""
    head = f"# intertwine {__version__}: the complete configuration of this run, defaults written out\n"
    return head + tomli_w.dumps(configuration.model_dump())


def _line(model: type[BaseModel], problem: Mapping[str, Any]) -> str:
    location, kind, given = list(problem["loc"]), problem["type"], problem["input"]
    raised = problem.get("ctx", {}).get("error")
    if kind == "value_error" and isinstance(raised, InputError):
        return str(raised)
    path, section, field = _walk(model, location)
    name = ".".join(path) or "configuration"
    if kind == "extra_forbidden":
        known = list(section.model_fields)
        close = difflib.get_close_matches(path[-1], known, n=1)
        remedy = f"did you mean {close[0]}?" if close else "take it out"
        where = ".".join(path[:-1]) or "the configuration"
        if len(path) == 1 and (others := [name for name in KINDS if path[0] in _tables_of(name)]):
            remedy = f"did you mean kind = {others[0]!r}? {path[0]} is of {', '.join(others)}"
        return _message(name, f"one of the settings of {where} ({', '.join(known)})", repr(path[-1]), remedy)
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        tags = ", ".join(repr(m.model_fields["name"].default) for m in get_args(field.annotation))
        got = shown(given.get("name")) if isinstance(given, dict) and "name" in given else "nothing"
        if not isinstance(given, dict):
            return _message(name, "a table of settings or a name", shown(given), "write it as in config.toml")
        return _message(f"{name}.name", f"one of {tags}", got, f"for example {field.default.name!r}")
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return _message(name, "a table of settings", shown(given), "write it as in a run's config.toml")
    words = (field.json_schema_extra if field is not None else None) or {}
    expected = words.get("expected", " ".join(problem["msg"].split()))
    return _message(name, expected, shown(given), words.get("remedy", ""))


def _tables_of(kind: str) -> Iterable[str]:
    return named(KINDS[kind].settings).model_fields


def _walk(model: type[BaseModel], location: list[Any]) -> tuple[list[str], type[BaseModel], Any]:
    """The field's path without pydantic's tags, its section, and the field (None if unknown)."""
    path: list[str] = []
    section: Any = model
    field: Any = None
    for part in location:
        if field is not None and (member := _member(field, part)) is not None:
            section, field = member, None
            continue
        if field is not None and not _is_section(field.annotation):
            break  # a member of a union of plain types
        if field is not None:
            section = field.annotation
        path.append(_word(part))
        field = section.model_fields.get(str(part))
    return path, section, field


def _member(field: Any, tag: object) -> type[BaseModel] | None:
    """The section of a union of sections that a tag (its `name`) chooses."""
    if field.discriminator is None:
        return None
    members = {m.model_fields[field.discriminator].default: m for m in get_args(field.annotation)}
    return members.get(tag)


def _is_section(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _word(part: object) -> str:
    word = str(part)
    return word if word.isprintable() and len(word) <= 60 else shown(word)


def shown(value: object) -> str:
    """`value` on one line, of bounded length."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**30:
        return "an integer of more than 30 digits"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list) and len(value) > 5:
        return f"a list of {len(value)}"
    try:
        words = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    except (ValueError, RecursionError):
        words = f"a {type(value).__name__}"
    words = " ".join(words.split())
    return words if len(words) <= 80 else words[:77] + "..."


def _message(name: str, expected: str, got: str, remedy: str) -> str:
    return str(fail(name, expected, got, remedy))
