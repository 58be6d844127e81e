"""The words of a plain page, from the entries of the schema."""

from __future__ import annotations

from intertwine._caveats import sentence_of
from intertwine.records.schema import Entry
from intertwine.report.numbers import ABSENT, duration, plain
from intertwine.report.plain.read import PlainRun

_ASIDE = ("warnings", "seconds")


def title(run: PlainRun) -> str:
    """What was run, for a heading."""
    return f"{run.config.get('kind', 'run')}: {run.name}"


def lead(run: PlainRun) -> str:
    """The run in one sentence."""
    if not run.finished:
        return f"This run has not finished: {run.steps} lines of metrics so far."
    told = [f"{entry.words} {_value(run, entry)}" for entry in _told(run)[:1]]
    return "; ".join(told).capitalize() + "." if told else "This run has finished."


def notices(run: PlainRun) -> list[str]:
    """What the reader must know before trusting a number."""
    said = [f"{name} is not there: {shows} cannot be shown." for name, shows in run.missing.items()]
    return said + [sentence_of(line) for line in run.result.get("warnings", [])]


def cards(run: PlainRun) -> list[tuple[str, str, str]]:
    """The headline numbers: (name, value, remark)."""
    entries = [entry for entry in _told(run) if _number(run.result[entry.name]) is not None]
    units = {entry.name: "" if entry.unit == "1" else entry.unit for entry in entries}
    return [(entry.words.capitalize(), _value(run, entry), units[entry.name]) for entry in entries[:4]]


def table(run: PlainRun) -> list[tuple[str, str]]:
    """The result as names and values; empty for an unfinished run."""
    if not run.finished:
        return []
    rows = [(entry.words, _value(run, entry)) for entry in _told(run)]
    return [*rows, ("wall time", duration(_number(run.result.get("seconds"))))]


def _told(run: PlainRun) -> list[Entry]:
    return [e for e in run.schema.results if e.name in run.result and e.name not in _ASIDE]


def _number(value: object) -> float | None:
    """The number of an entry: itself, or its mean."""
    value = value.get("mean") if isinstance(value, dict) else value
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _value(run: PlainRun, entry: Entry) -> str:
    value = run.result[entry.name]
    number = _number(value)
    if number is None:
        return str(value) if isinstance(value, str) else ABSENT
    error = value.get("error") if isinstance(value, dict) else None
    unit = "" if entry.unit == "1" else f" {entry.unit}"
    return plain(number, 8) + (f" ± {plain(error, 2)}" if error else "") + unit
