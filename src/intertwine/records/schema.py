"""What the files of a run hold, by name: one schema a command, read by producer, report and tests.

    metrics.jsonl    the agreed columns, then whatever else a line measured
    result.json      the agreed entries; "schema" is the version of the schema that they were written by

A version rises when the meaning of an entry changes or one goes; a folder of a newer version than this
library knows is refused in one line, and older ones are read by what they have.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from intertwine._checks import fail

NUMBER, WORD, NUMBERS = "number", "word", "numbers"


class Entry(NamedTuple):
    """A column of metrics, or an entry of results. words: what it is, for axes and tables; unit: "1" for pure
    numbers; form: NUMBER, WORD or NUMBERS (a list)."""

    name: str
    words: str
    unit: str = "1"
    form: str = NUMBER


class Schema(NamedTuple):
    """version: from 1. columns: of metrics.jsonl, "step" first and "seconds" among them. results: of
    result.json, the headline first.

    >>> schema = Schema(1, (Entry("step", "step"), Entry("x", "position", "m")), (Entry("x", "the last"),))
    >>> schema.line({"x": float("inf"), "y": 2.0})
    {'step': None, 'x': None, 'y': 2.0}
    """

    version: int
    columns: tuple[Entry, ...]
    results: tuple[Entry, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The agreed columns."""
        return tuple(entry.name for entry in self.columns)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The agreed columns of numbers but for the step."""
        return tuple(e.name for e in self.columns if e.form == NUMBER and e.name != "step")

    def line(self, scalars: dict[str, Any]) -> dict[str, Any]:
        """A line of metrics.jsonl: None where there is no number, or one that is not finite."""
        record = {name: scalars.get(name) for name in self.names} | scalars
        return {name: plain(value) for name, value in record.items()}

    def words_of(self, name: str) -> Entry:
        """The entry of a column; one in its own words for a column that was not agreed."""
        known = {entry.name: entry for entry in self.columns}
        return known.get(name) or Entry(name, name.replace("_", " "))

    def holds(self, name: str, value: object) -> bool:
        """Whether a run may have written `value` in the column `name` of metrics.jsonl.

        >>> schema = Schema(1, (Entry("x", "position"), Entry("stage", "what is learnt", form=WORD)), ())
        >>> schema.holds("x", -1.5), schema.holds("x", "low"), schema.holds("stage", "layer 1")
        (True, False, True)
        """
        form = self.words_of(name).form
        if form == NUMBERS:
            return value is None or (
                isinstance(value, list) and all(isinstance(x, int | float) for x in value)
            )
        return value is None or isinstance(value, int | float) or (form == WORD and isinstance(value, str))

    def check(self, record: dict[str, Any], where: str) -> None:
        """Raise `InputError` where a result was written by a newer version of the schema."""
        found = record.get("schema", 1)
        if isinstance(found, int) and found > self.version:
            remedy = "use the version of intertwine that wrote it, or a later one"
            raise fail(where, f"results of schema {self.version} or before", f"schema {found}", remedy)

    def lacking(self, record: dict[str, Any]) -> list[str]:
        """The agreed entries that a result does not have."""
        return [entry.name for entry in self.results if entry.name not in record]


def plain(value: Any) -> Any:
    """`value` as JSON has it: Python's own numbers, None for one that is not finite."""
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
