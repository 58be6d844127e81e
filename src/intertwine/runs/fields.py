"""Fields of a configuration: bounds that pydantic checks, and the words that an error about them uses.

Each helper makes a pydantic field whose `json_schema_extra` carries what was expected and what to do, so
that one place (`settings`) can say every error in the same form: field, expected, got, remedy.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Section(BaseModel):
    """A table of settings: exact types, finite numbers, no unknown names, immutable."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True)


class Settings(Section):
    """The settings of a command.

    contradictions: "module:function" that raises the first contradiction between sections as an `InputError`;
    it may look at files and lattices, and is imported when settings are made.
    """

    contradictions: ClassVar[str] = ""

    @model_validator(mode="after")
    def _no_contradiction(self) -> Self:
        if self.contradictions:
            module, _, function = self.contradictions.partition(":")
            getattr(import_module(module), function)(self)
        return self


def integer(default: int, low: int, high: int, remedy: str = "") -> Any:
    """An integer of [low, high]."""
    words: dict[str, Any] = {
        "expected": f"an integer from {low} to {high}",
        "remedy": remedy or f"for example {default}",
    }
    return Field(default=default, ge=low, le=high, json_schema_extra=words)


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
