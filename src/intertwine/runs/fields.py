"""Fields of a configuration: bounds that pydantic checks, and the words that an error about them uses.

Each helper makes a pydantic field whose `json_schema_extra` carries what was expected and what to do, so
that one place (`settings`) can say every error in the same form: field, expected, got, remedy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from intertwine._checks import fail
from intertwine.records.kinds import named


class Section(BaseModel):
    """A table of settings: exact types, finite numbers, no unknown names, immutable."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True)


class Settings(Section):
    """The settings of a command: every one declared once, with its bounds, its words and its flag.

    contradictions: "module:function" that raises the first contradiction between sections as an `InputError`;
    it may look at files and lattices, and is imported when settings are made. resolver: "module:function"
    from settings to the same with what was left open chosen, before a run begins.
    """

    contradictions: ClassVar[str] = ""
    resolver: ClassVar[str] = ""

    @model_validator(mode="after")
    def _no_contradiction(self) -> Self:
        for field, value, extra in _bounded(self):
            if not extra["low"] <= value <= extra["high"] or (extra.get("above") and value == extra["low"]):
                raise fail(field, extra["expected"], _number(value), extra["remedy"])
        if self.contradictions:
            named(self.contradictions)(self)
        return self

    def resolved(self) -> Self:
        """The same with what was left open chosen."""
        return named(self.resolver)(self) if self.resolver else self


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


def integer(default: int, low: int, high: int, remedy: str = "") -> Any:
    """An integer of [low, high]."""
    words: dict[str, Any] = {
        "expected": f"an integer from {low} to {high}",
        "remedy": remedy or f"for example {default}",
    }
    return Field(default=default, ge=low, le=high, json_schema_extra=words)


def auto_integer(low: int, high: int, auto: str, remedy: str = "for example 'auto'") -> Any:
    """'auto', the default, or an integer of [low, high]. auto: what that stands for. The annotation is
    `int | Literal["auto"]`."""
    expected = f"'auto' ({auto}) or an integer from {low} to {high}"
    words: dict[str, Any] = {"expected": expected, "remedy": remedy, "low": low, "high": high}
    return Field(default="auto", json_schema_extra=words)


def number(default: float, low: float, high: float, remedy: str = "", *, above: bool = False) -> Any:
    """A finite number of [low, high], or of (low, high] if `above`."""
    span = f"above {low:g} and at most {high:g}" if above else f"from {low:g} to {high:g}"
    words: dict[str, Any] = {"expected": f"a number {span}", "remedy": remedy or f"for example {default:g}"}
    if above:
        return Field(default=default, gt=low, le=high, json_schema_extra=words)
    return Field(default=default, ge=low, le=high, json_schema_extra=words)


def choice(default: Any, *choices: str, remedy: str = "") -> Any:
    """One of a few words (the annotation is their `Literal`)."""
    words = {"expected": "one of " + ", ".join(choices), "remedy": remedy or f"for example {default!r}"}
    return Field(default=default, json_schema_extra=words)  # type: ignore[arg-type]


def text(default: str, expected: str, remedy: str = "", *, longest: int = 100) -> Any:
    """A short string in a form that `expected` tells and a validator checks."""
    words = {"expected": expected, "remedy": remedy or f"for example {default!r}"}
    return Field(default=default, min_length=1, max_length=longest, json_schema_extra=words)  # type: ignore[arg-type]
