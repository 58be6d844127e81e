"""Fields of settings: each declared once, with its default, its bounds, its words and its flag.

Each helper makes a pydantic field whose `json_schema_extra` carries what an error says (`expected`, `remedy`)
and what `--help` shows (`help`, `flag`, `group`, `metavar`). So one place (`settings`) can say every error in
the same form, and one place (`flags`) makes the command line.

help: a few words, without the default and the choices, which are added. flag: the option; "" for `--` and the
field's name (of a field `name`, its section's). group: under which heading of `--help`; "" for the section's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from intertwine._checks import fail
from intertwine.records.kinds import named


class Section(BaseModel):
    """A table of settings: exact types, finite numbers, no unknown names, immutable."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True)

    def check_there(self) -> None:
        """Raise `InputError` where a file or folder that the section names is not there. The engine asks when
        a run begins or goes on, not when settings are read: a complete run needs what it was made of no
        more."""
        for name in type(self).model_fields:
            if isinstance(section := getattr(self, name), Section):
                section.check_there()


class NumberSection(Section):
    """A section some of whose numbers may be files of them (`number_or_file`). prefix: how errors call it."""

    prefix: ClassVar[str] = ""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, table: Any) -> Any:
        if not isinstance(table, dict):
            return table
        found = dict(table)
        for name, field in cls.model_fields.items():
            words = field.json_schema_extra
            if name in table and isinstance(words, dict) and "file" in words:
                found[name] = _numbers(table[name], cls.prefix + name, words)
        return found


def _numbers(value: Any, setting: str, words: Mapping[str, Any]) -> Any:
    """The numbers of a field of `number_or_file`: those of a text or a file, else `value`."""
    if isinstance(value, str):
        from intertwine.runs.number_files import numbers_in_words

        value = numbers_in_words(value, setting, words["expected"])
    if value == []:
        raise fail(setting, words["expected"], "none", words["remedy"])
    for number in _flat(value) if isinstance(value, list) else ():
        fits = isinstance(number, int | float) and not isinstance(number, bool)
        if not fits or not words["low"] <= number <= words["high"]:
            raise fail(setting, words["expected"], f"{number!r} among them", words["remedy"])
    return value


def _flat(values: list[object]) -> Iterator[Any]:
    for entry in values:
        yield from _flat(entry) if isinstance(entry, list) else (entry,)


class Told(NamedTuple):
    """Several runs in one table. rows: name → number or word, a row each, "run" first. best: the name of one.
    lines: for the terminal; warnings: what qualifies the numbers."""

    rows: list[dict[str, Any]]
    best: str | None
    lines: list[str]
    warnings: list[str]


class Settings(Section):
    """The settings of a command.

    contradictions: "module:function" that raises the first contradiction between sections as an `InputError`;
    it may look at files and lattices, and is imported when settings are made. resolver: "module:function"
    from settings to the same with what was left open chosen, before a run begins. argument: (METAVAR, help)
    of a word that may stand on the command line without a flag. switches: flag → help, of options that stand
    for several settings; `from_words` reads both.
    """

    contradictions: ClassVar[str] = ""
    resolver: ClassVar[str] = ""
    argument: ClassVar[tuple[str, str] | None] = None
    switches: ClassVar[dict[str, str]] = {}

    kind: str

    @property
    def stem(self) -> str:
        """What a folder of runs calls this one."""
        return self.kind

    @classmethod
    def from_words(cls, tables: dict[str, Any], argument: str | None, switches: set[str]) -> dict[str, Any]:
        """The tables of flags with what `argument` and the switches that were given say."""
        return tables

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, tables: Mapping[str, Any]) -> Any:
        """`model = "rbm:1"` for `model.name = "rbm:1"`, for every section that has a name."""
        if not isinstance(tables, dict):
            return tables
        named = {name for name, field in cls.model_fields.items() if hasattr(field.default, "name")}
        return {k: {"name": v} if k in named and isinstance(v, str) else v for k, v in tables.items()}

    @model_validator(mode="after")
    def _no_contradiction(self) -> Self:
        for field, value, words in _bounded(self):
            if not words["low"] <= value <= words["high"] or (words["above"] and value == words["low"]):
                raise fail(field, words["expected"], _number(value), words["remedy"])
        if self.contradictions:
            named(self.contradictions)(self)
        return self

    def resolved(self) -> Self:
        """The same with what was left open chosen."""
        return named(self.resolver)(self) if self.resolver else self

    def parts(self) -> dict[str, Self]:
        """The runs that these settings stand for, by name, where they are several (`runs.several`)."""
        return {}

    def table(self, records: dict[str, dict[str, Any]]) -> Told:
        """What result.json and the terminal tell of several runs. records: the result.json of each part."""
        raise NotImplementedError


def _bounded(section: BaseModel, prefix: str = "") -> Iterator[tuple[str, float, dict[str, Any]]]:
    """(name, value, words) of the numbers whose field may also be a word, with the bounds among the words."""
    for name, field in type(section).model_fields.items():
        value, words = getattr(section, name), field.json_schema_extra
        if isinstance(value, BaseModel):
            yield from _bounded(value, f"{prefix}{name}.")
        elif isinstance(words, dict) and "low" in words and isinstance(value, int | float):
            yield prefix + name, value, words


def _number(value: float) -> str:
    return f"{value:g}" if abs(value) < 10**30 else "an integer of more than 30 digits"


def integer(
    default: int, low: int, high: int, help: str, *, flag: str = "", group: str = "", remedy: str = ""
) -> Any:
    """An integer of [low, high]."""
    words = _words(f"an integer from {low} to {high}", remedy or f"for example {default}", help, flag, group)
    return Field(default=default, ge=low, le=high, json_schema_extra=words | {"metavar": "INTEGER"})


def number(
    default: float,
    low: float,
    high: float,
    help: str,
    *,
    above: bool = False,
    flag: str = "",
    group: str = "",
) -> Any:
    """A finite number of [low, high], or of (low, high] if `above`."""
    span = f"above {low:g} and at most {high:g}" if above else f"from {low:g} to {high:g}"
    words = _words(f"a number {span}", f"for example {default:g}", help, flag, group) | {"metavar": "NUMBER"}
    if above:
        return Field(default=default, gt=low, le=high, json_schema_extra=words)
    return Field(default=default, ge=low, le=high, json_schema_extra=words)


def number_or_word(
    word: str,
    low: float,
    high: float,
    meaning: str,
    help: str,
    *,
    above: bool = False,
    flag: str = "",
    group: str = "",
    metavar: str = "INTEGER",
) -> Any:
    """`word`, the default, which stands for `meaning`, or a number of [low, high] ((low, high] if `above`).
    The annotation is `int | Literal[word]`, or of float."""
    what = "an integer" if metavar == "INTEGER" else "a number"
    span = f"above {low:g} and at most {high:g}" if above else f"from {low:g} to {high:g}"
    if metavar == "INTEGER":
        span = f"from {low} to {high}"
    expected = f"{word!r} ({meaning}) or {what} {span}" if meaning else f"{word!r} or {what} {span}"
    words = _words(expected, f"for example {word!r}", help, flag, group)
    words |= {"low": low, "high": high, "above": above, "metavar": metavar, "meaning": meaning}
    return Field(default=word, json_schema_extra=words)


def number_or_file(default: float, low: float, high: float, help: str, *, group: str = "") -> Any:
    """A number of [low, high], several with commas, or a file of them, which is read when the settings are
    (the annotation is `number_files.Numbers`, and the section a `NumberSection`)."""
    expected = f"a number from {low:g} to {high:g}, or a file of such numbers (.npy, .txt, .csv)"
    words = _words(expected, f"for example {default:g}", help, "", group)
    words |= {"low": low, "high": high, "above": False, "metavar": "NUMBER|FILE", "file": True}
    return Field(default=default, json_schema_extra=words)


def choice(default: object, *choices: str, help: str, flag: str = "", group: str = "") -> Any:
    """One of a few words (the annotation is their `Literal`)."""
    words = _words("one of " + ", ".join(choices), f"for example {default!r}", help, flag, group)
    return Field(default=default, json_schema_extra=words | {"choices": list(choices), "metavar": "WORD"})


def text(
    default: str,
    expected: str,
    help: str,
    *,
    remedy: str = "",
    longest: int = 100,
    flag: str = "",
    group: str = "",
    metavar: str = "NAME",
    also: str = "",
) -> Any:
    """A short string in a form that `expected` tells and a validator checks. also: another flag for it."""
    words = _words(expected, remedy or f"for example {default!r}", help, flag, group)
    words |= {"metavar": metavar} | ({"also": also} if also else {})
    return Field(default=default, min_length=1, max_length=longest, json_schema_extra=words)


def truth(
    default: bool | str, help: str, *, expected: str = "true or false", flag: str = "", group: str = ""
) -> Any:
    """true or false, or a word that `expected` tells."""
    example = str(default).lower() if isinstance(default, bool) else repr(default)
    words = _words(expected, f"for example {example}", help, flag, group)
    return Field(default=default, json_schema_extra=words | {"metavar": "WORD"})


def kind_of(name: str) -> Any:
    """The name of the command, which no flag changes (the annotation is its `Literal`)."""
    words: dict[str, Any] = {"expected": f"one of {name}", "remedy": f"for example {name!r}"}
    return Field(default=name, json_schema_extra=words)


def seed() -> Any:
    """The seed of everything random."""
    return integer(0, 0, 2**63 - 1, "same seed, same numbers", group="Run")


MOST_SEEDS = 1000


def several_seeds() -> Any:
    """Seeds of several runs: how many from `seed` on, or which, or "none" (the annotation is `int |
    list[int] | Literal["none"]`; texts such as "1,2,3" are read by `seeds_in_words`)."""
    expected = f"'none', a number of seeds from 1 to {MOST_SEEDS}, or the seeds with commas, as 1,2,3"
    words = _words(expected, "for example 4", "several runs, one table: how many seeds, or 1,2,3", "", "Run")
    return Field(default="none", json_schema_extra=words | {"metavar": "INTEGERS"})


def seeds_in_words(given: object) -> Any:
    """The seeds of a text, a number or a list of them, checked; other values as they are.

    >>> seeds_in_words("1,2,5"), seeds_in_words("4")
    ([1, 2, 5], 4)
    """
    if isinstance(given, str) and given != "none":
        parts = given.strip().strip("()[]").split(",")
        if all(part.strip().isdecimal() for part in parts):
            numbers = [int(part) for part in parts]
            given = numbers[0] if len(numbers) == 1 and "," not in given else numbers
    if isinstance(given, bool) or not isinstance(given, int | list):
        return given
    many = given if isinstance(given, list) else range(max(0, min(given, MOST_SEEDS + 1)))
    fits = all(isinstance(s, int) and not isinstance(s, bool) and 0 <= s < 2**63 for s in many)
    if not fits or not 1 <= len(many) <= MOST_SEEDS or len(set(many)) < len(many):
        expected = f"a number of seeds from 1 to {MOST_SEEDS}, or different ones with commas, as 1,2,3"
        raise fail("seeds", expected, given, "for example 4")
    return given


def checkpoint_every(default: int, of: str) -> Any:
    """Lines between checkpoints."""
    remedy = f"{of}: for example {default}"
    return integer(default, 1, 10_000_000, f"{of} between two checkpoints", group="Run", remedy=remedy)


def precision(default: str) -> Any:
    """float64 or float32 (the annotation is their `Literal`)."""
    return choice(default, "float64", "float32", help="of the numbers", group="Run")


def _words(expected: str, remedy: str, help: str, flag: str, group: str) -> dict[str, Any]:
    return {"expected": expected, "remedy": remedy, "help": help, "flag": flag, "group": group}
