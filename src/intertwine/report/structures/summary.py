"""The words of the page: title, one sentence, what to beware of, headline numbers, tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from intertwine.report.numbers import ABSENT, duration, plain, with_error
from intertwine.report.plain.summary import notices
from intertwine.report.structures.read import Run

__all__ = ["cards", "lead", "notices", "table", "title"]

_TESTED = {"test": "test structures", "validation": "structures held out", "train": "structures learnt from"}


def title(run: Run) -> str:
    """What was learnt, for a heading."""
    network = run.result.get("network") or (run.config.get("network") or {}).get("name")
    targets = ", ".join(str(t.get("name")) for t in run.model.get("targets", []) if isinstance(t, dict))
    source = str((run.result.get("data") or {}).get("name") or "").rpartition("/")[2]
    of = f" of {source}" if source else ""
    return f"Structures: {targets}{of} by {network}" if targets else f"Structures: {run.name}"


def lead(run: Run) -> str:
    """The run in one sentence."""
    if not run.finished:
        return f"This run has not finished: {run.steps} epochs so far, and no test yet."
    said = [
        f"{name} has a mean absolute error of {_with_unit(found, 'mae')} and a root mean square error of "
        f"{_with_unit(found, 'rmse')}, where it has a root mean square of {_with_unit(found, 'rms')}"
        for name, found in _errors(run).items()
    ]
    if test := _test(run):
        of = run.result.get("of") or "points"
        said.append(f"{_percent(test)} of {plain(_number(test.get('count')))} {of} are right")
    return f"On the {_tested(run)}, {'; '.join(said)}." if said else "This run has finished."


def cards(run: Run) -> list[tuple[str, str, str]]:
    """The headline numbers: (name, value, remark)."""
    if not run.finished:
        return [("Loss", plain(run.last("loss"), 4), "so far")]
    shown = []
    for name, found in list(_errors(run).items())[:2]:
        remark = f"mean absolute, {_tested(run)}"
        if _number(found.get("mae_per_point")) is not None:
            remark += f"; {_with_unit(found, 'mae_per_point')} per point"
        shown.append((f"Error of {name}", _with_unit(found, "mae"), remark))
    if test := _test(run):
        shown.append(
            ("Accuracy", _percent(test), f"{plain(_number(test.get('count')))} {run.result.get('of')}")
        )
        baseline = run.result.get("baseline")
        if isinstance(baseline, dict):
            share = _number(baseline.get("accuracy"))
            value = ABSENT if share is None else f"{100 * share:.2f} %"
            shown.append(("Commonest class", value, "baseline"))
    best = [(value, what) for found in _errors(run).values() for what, value in _baselines(found).items()]
    if best and len(shown) < 3:
        value, what = best[-1]
        shown.append((what.capitalize(), plain(value, 4), "baseline, rms"))
    errors = [row.get("error") for row in run.result.get("equivariance") or [] if isinstance(row, dict)]
    worst = max((e for e in errors if isinstance(e, float)), default=None)
    return [*shown[:3], ("Under turns", plain(worst, 2), "largest relative change")]


def table(run: Run) -> list[tuple[str, str]]:
    """The result as names and values; empty for an unfinished run."""
    if not run.finished:
        return []
    result, count = run.result, run.result.get("structures") or {}
    rows = [
        ("data", str((result.get("data") or {}).get("name") or ABSENT)),
        ("network", str(result.get("network") or ABSENT)),
        ("space", str(result.get("space") or ABSENT)),
        ("parameters", plain(_number(result.get("parameters")))),
        ("learnt from", f"{count.get('learnt_from', ABSENT)} structures"),
        ("tested", f"{count.get('tested', ABSENT)} {_tested(run)}"),
        ("epoch kept", plain(_number(result.get("best")))),
    ]
    for name, found in _errors(run).items():
        rows += [(f"{name}, mean absolute error", _with_unit(found, "mae"))]
        rows += [(f"{name}, rms error", _with_unit(found, "rmse"))]
        rows += [
            (f"{name}, {what}, rms", _with_unit({**found, "x": value}, "x"))
            for what, value in _baselines(found).items()
        ]
    if test := _test(run):
        accuracy, error = (_number(test.get(name)) for name in ("accuracy", "error"))
        rows.append(("accuracy", with_error(accuracy, error)))
        rows.append(("loss, nats", plain(_number(test.get("loss")), 4)))
    return [*rows, ("wall time", duration(_number(result.get("seconds"))))]


def _errors(run: Run) -> dict[str, Any]:
    found = run.result.get("errors")
    return {k: v for k, v in found.items() if isinstance(v, dict)} if isinstance(found, dict) else {}


def _test(run: Run) -> dict[str, Any]:
    found = run.result.get("test")
    return found if isinstance(found, dict) else {}


def _baselines(found: Mapping[str, object]) -> dict[str, float]:
    known = found.get("baselines")
    table = known if isinstance(known, dict) else {}
    return {str(k): float(v) for k, v in table.items() if isinstance(v, int | float)}


def _percent(test: Mapping[str, object]) -> str:
    share, error = (_number(test.get(name)) for name in ("accuracy", "error"))
    return ABSENT if share is None else f"{with_error(100 * share, None if error is None else 100 * error)} %"


def _with_unit(found: Mapping[str, object], name: str) -> str:
    unit = str(found.get("unit") or "")
    return plain(_number(found.get(name)), 4) + (f" {unit}" if unit not in ("", "1") else "")


def _tested(run: Run) -> str:
    return _TESTED.get(str(run.result.get("tested_on")), "structures")


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
