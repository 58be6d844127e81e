"""The words of the page: title, one sentence, what to beware of, headline numbers, tables."""

from __future__ import annotations

from intertwine.report.entangle.read import Run
from intertwine.report.numbers import ABSENT, duration, plain, with_error
from intertwine.report.plain.summary import notices

__all__ = ["cards", "lead", "notices", "table", "title"]


def title(run: Run) -> str:
    """What was measured, for a heading."""
    return f"Entanglement: {run.result.get('state') or run.name}"


def lead(run: Run) -> str:
    """The run in one sentence."""
    if not run.finished:
        return f"This run has not finished: {run.steps} regions so far."
    two, last = run.result.get("renyi2") or {}, run.result.get("sites_of_last")
    sentence = f"The Rényi-2 entropy of {plain(last)} sites is {_said(two)} nats"
    if (one := run.result.get("von_neumann")) is not None:
        sentence += f", von Neumann's {plain(one, 6)}"
    return sentence + "."


def cards(run: Run) -> list[tuple[str, str, str]]:
    """The headline numbers: (name, value, remark)."""
    if not run.finished:
        return [("Rényi-2", with_error(run.last("renyi2"), run.last("error") or None), "so far")]
    result, shown = run.result, []
    sites = f"{plain(result.get('sites_of_last'))} sites"
    shown.append(("Rényi-2 entropy", _said(result.get("renyi2") or {}), sites))
    if result.get("von_neumann") is not None:
        shown.append(("von Neumann entropy", plain(result["von_neumann"], 6), "nats"))
    if result.get("bound") is not None:
        shown.append(("Structure allows", plain(result["bound"], 5), "nats"))
    if isinstance(fit := result.get("central_charge"), dict):
        shown.append(("Central charge", _said(fit), f"off by {plain(fit.get('residual'), 2)} nats at most"))
    return shown


def table(run: Run) -> list[tuple[str, str]]:
    """The result as names and values; empty for an unfinished run."""
    if not run.finished:
        return []
    result, line = run.result, run.result.get("volume") or {}
    samples, off = result.get("samples"), plain(line.get("residual"), 2)
    return [
        ("state", str(result.get("state") or ABSENT)),
        ("sites", plain(result.get("size"))),
        ("configurations", "exact" if samples is None else plain(samples)),
        ("straight line", f"{plain(line.get('mean'), 4)} nats per site, off by {off}"),
        ("wall time", duration(result.get("seconds"))),
    ]


def _said(values: dict) -> str:
    return with_error(values.get("mean"), values.get("error") or None)
