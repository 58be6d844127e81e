"""The words of the page: title, one sentence, what to beware of, headline numbers, the result."""

from __future__ import annotations

from intertwine.report.group_tables.read import TableRun
from intertwine.report.numbers import ABSENT, duration, plain, with_error
from intertwine.report.plain.summary import notices

__all__ = ["cards", "lead", "notices", "table", "title"]


def title(run: TableRun) -> str:
    """What was learned, for a heading."""
    section = run.config.get("data")
    name = (
        run.emergence.get("group") or (section.get("name") if isinstance(section, dict) else None) or run.name
    )
    return f"Learning a group: {name}"


def lead(run: TableRun) -> str:
    """The run in one sentence."""
    if not run.finished:
        return f"This run has not finished: {run.steps} lines of metrics so far."
    when = run.emergence.get("generalised")
    at = "was not learned" if when is None else f"was learned at update {plain(when)}"
    return f"{_percent(run)} of {plain(run.test.get('count'))} products held out are right; the rule {at}."


def cards(run: TableRun) -> list[tuple[str, str, str]]:
    """The headline numbers: (name, value, remark)."""
    if not run.finished:
        return [("Held out", plain(run.last("validation_accuracy"), 4), "share right, so far")]
    e = run.emergence
    return [
        ("Held out", _percent(run), f"{plain(run.test.get('count'))} products"),
        ("Memorised", _at(e.get("memorised")), "update, 99 % of the pairs learnt from"),
        ("Generalised", _at(e.get("generalised")), "update, 99 % of the pairs held out"),
        (
            "Equivariance",
            plain(e.get("error"), 3),
            f"error under G × G, {plain(e.get('first_error'), 3)} at first",
        ),
    ]


def table(run: TableRun) -> list[tuple[str, str]]:
    """The result as names and values; empty for an unfinished run."""
    if not run.finished:
        return []
    e, result = run.emergence, run.result
    return [
        ("group", str(e.get("group") or ABSENT)),
        ("network", str(result.get("network") or ABSENT)),
        ("pairs learnt from", plain(result.get("learnt_from"))),
        ("pairs held out", plain(run.test.get("count"))),
        ("held out, right", _percent(run)),
        ("equivariance error", plain(e.get("error"), 4)),
        ("error of classes", plain(e.get("class_error"), 4)),
        ("parameters", plain(result.get("parameters"))),
        ("epochs", plain(result.get("epochs"))),
        ("wall time", duration(result.get("seconds"))),
    ]


def _at(update: float | None) -> str:
    return "never" if update is None else plain(update)


def _percent(run: TableRun) -> str:
    share, error = run.test.get("accuracy"), run.test.get("error")
    return ABSENT if share is None else f"{with_error(100 * share, None if error is None else 100 * error)} %"
