"""The words of the page: title, one sentence, what to beware of, headline numbers, tables."""

from __future__ import annotations

from typing import Any

from intertwine.report.fields.read import Run
from intertwine.report.numbers import ABSENT, duration, plain
from intertwine.report.plain.summary import notices

__all__ = ["cards", "lead", "notices", "table", "title"]

_TESTED = {"test": "test samples", "validation": "samples held out", "train": "samples learnt from"}


def title(run: Run) -> str:
    """What was learnt, for a heading."""
    model = run.result.get("model") or {}
    names = [", ".join(str(v[0]) for v in model.get(part, [])) for part in ("inputs", "targets")]
    where = run.result.get("space")
    return f"Fields: {names[1]} from {names[0]} on {where}" if all(names) and where else f"Fields: {run.name}"


def lead(run: Run) -> str:
    """The run in one sentence."""
    if not run.finished:
        return f"This run has not finished: {run.steps} epochs so far, and no test yet."
    said = [
        f"{name} has a root mean square error of {_with_unit(found, 'rmse')}, "
        f"where it has a root mean square of {_with_unit(found, 'rms')}{_about(found)}"
        for name, found in _errors(run).items()
    ]
    return f"On the {_tested(run)} {'; '.join(said)}." if said else "This run has finished."


def cards(run: Run) -> list[tuple[str, str, str]]:
    """The headline numbers: (name, value, remark)."""
    if not run.finished:
        return [("Error", plain(run.last("rmse"), 4), "of standardised targets, so far")]
    shown = []
    for name, found in list(_errors(run).items())[:2]:
        shown.append((f"Error of {name}", _with_unit(found, "rmse"), f"rms, {_tested(run)}{_level(found)}"))
        best = [(found[what], words) for what, words in _BASELINES if _number(found.get(what)) is not None]
        if best:
            value, words = min(best)
            shown.append((f"{words.capitalize()}", _with_unit({**found, "rmse": value}, "rmse"), "baseline"))
    rows = run.result.get("equivariance") or []
    errors = [row["error"] for row in rows if row.get("layer") == "whole" and row.get("error") is not None]
    return [*shown[:3], ("Equivariance", plain(max(errors, default=None), 2), "largest relative error")]


def _level(found: dict[str, Any]) -> str:
    """What is left of an error that is mostly in the means of the samples."""
    whole, rest = (_number(found.get(name)) for name in ("rmse", "rmse_without_mean"))
    mostly = whole is not None and rest is not None and 5 * rest < whole
    return f"; {_with_unit(found, 'rmse_without_mean')} with means taken off" if mostly else ""


_BASELINES = (("mean_field", "mean field"), ("linear", "best linear map"))


def table(run: Run) -> list[tuple[str, str]]:
    """The result as names and values; empty for an unfinished run."""
    if not run.finished:
        return []
    result = run.result
    rows = [
        ("data", str((result.get("data") or {}).get("name") or ABSENT)),
        ("network", str(result.get("network") or ABSENT)),
        ("space", str(result.get("space") or ABSENT)),
        ("parameters", plain(_number(result.get("parameters")))),
        ("epoch kept", plain(_number(result.get("best")))),
    ]
    for name, found in _errors(run).items():
        rows += [(f"{name}, rms error", _with_unit(found, "rmse"))]
        rows += [(f"{name}, means over the area taken off", _with_unit(found, "rmse_without_mean"))]
        rows += [(f"{name}, {words}", _with_unit(found, what)) for what, words in _BASELINES]
    return [*rows, ("wall time", duration(_number(result.get("seconds"))))]


def _errors(run: Run) -> dict[str, Any]:
    found = run.result.get("errors")
    return {k: v for k, v in found.items() if isinstance(v, dict)} if isinstance(found, dict) else {}


def _about(found: Any) -> str:
    return " about the mean of each sample" if found.get("kind", "scalar").endswith("scalar") else ""


def _with_unit(found: dict[str, Any], name: str) -> str:
    unit = str(found.get("unit") or "")
    return plain(_number(found.get(name)), 4) + (f" {unit}" if unit not in ("", "1") else "")


def _tested(run: Run) -> str:
    return _TESTED.get(str(run.result.get("tested_on")), "samples")


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
