"""The words of a classifying run's page: title, one sentence, what to beware of, headline numbers,
result."""

from __future__ import annotations

from typing import Any

from intertwine._caveats import sentence_of
from intertwine.records.caveats import of_classifying
from intertwine.report.classify.read import ClassifyRun
from intertwine.report.numbers import ABSENT, duration, plain, with_error


def title(run: ClassifyRun) -> str:
    """What was computed, for a heading."""
    network = str(run.result.get("network") or _configured(run, "network") or run.name)
    data = str(run.result.get("data", {}).get("name") or _configured(run, "data") or "")
    where = run.result.get("space") or run.result.get("group")
    group = f" on {where}" if where else ""
    return f"Classifying: {network}{group}" + (f", {data.rpartition('/')[2]}" if data else "")


def lead(run: ClassifyRun) -> str:
    """The run in one sentence."""
    if not run.finished:
        plural = "" if run.steps == 1 else "s"
        return f"This run has not finished: {run.steps} epoch{plural} so far, and no test yet."
    found = run.result["test"]
    if found["accuracy"] is None:
        return "This run has finished; it recorded no accuracy."
    right = _percent(found)
    return f"{right} of {plain(found['count'])} {_tested(run)} images are right."


def notices(run: ClassifyRun) -> list[str]:
    """What the reader must know before trusting a number."""
    said = [f"{name} is not there: {shows} cannot be shown." for name, shows in run.missing.items()]
    if not run.finished:
        return said
    return said + [sentence_of(line) for line in of_classifying(run.result)]


def cards(run: ClassifyRun) -> list[tuple[str, str, str]]:
    """The headline numbers: (name, value, remark)."""
    if not run.finished:
        epoch = run.last("epoch")
        at = "no epoch yet" if epoch is None else f"at epoch {plain(epoch, 4)}"
        return [
            ("Loss", plain(run.last("loss"), 4), at),
            ("Watched", _share(run.last("validation_accuracy")), at),
        ]
    found, validation = run.result["test"], run.result["validation"]
    errors = [row["error"] for row in run.equivariance if row["exact"] and row["layer"] == "whole"]
    worst = max((e for e in errors if e is not None), default=None)
    return [
        ("Accuracy", _percent(found), f"{plain(found['count'])} {_tested(run)} images"),
        ("Validation", _percent(validation), "images held out from training"),
        (
            "Equivariance",
            plain(worst, 2),
            "largest relative error, " + ("rotations" if run.result.get("space") else "exact elements"),
        ),
        (
            "Parameters",
            plain(run.result["parameters"]),
            str(run.result.get("space") or run.result.get("group") or ""),
        ),
    ]


def table(run: ClassifyRun) -> list[tuple[str, str]]:
    """The result as names and values; empty for an unfinished run."""
    if not run.finished:
        return []
    result, data = run.result, run.result["data"]
    found = [
        ("data", _word(data.get("name"))),
        ("checksum", _word(data.get("checksum"))),
        ("images learnt from", plain(result["learnt_from"])),
        ("network", _word(result.get("network"))),
        ("space", _word(result["space"]))
        if result.get("space")
        else ("point group", _word(result.get("group"))),
        ("parameters", plain(result["parameters"])),
        ("epochs", plain(result["epochs"])),
        ("epoch kept", plain(result["best"])),
        (f"accuracy, {_tested(run)}", _percent(result["test"])),
        (f"loss, {_tested(run)}", f"{plain(result['test']['loss'], 4)} nats"),
        ("validation accuracy", _percent(result["validation"])),
    ]
    resampled = [row["error"] for row in run.equivariance if not row["exact"] and row["layer"] == "whole"]
    if resampled:
        worst = plain(max((e for e in resampled if e is not None), default=None), 2)
        found.append(("equivariance, resampled elements", worst))
    return [*found, ("wall time", duration(result["seconds"]))]


def _percent(found: dict[str, Any]) -> str:
    if not found or found.get("accuracy") is None:
        return ABSENT
    error = found.get("error")
    return f"{with_error(100 * found['accuracy'], None if error is None else 100 * error)} %"


def _share(value: float | None) -> str:
    return ABSENT if value is None else f"{plain(100 * value, 4)} %"


def _tested(run: ClassifyRun) -> str:
    words = {"test": "test", "validation": "held-out", "train": "training"}
    return words.get(str(run.result.get("tested_on")), "test")


def _configured(run: ClassifyRun, section: str) -> Any:
    table = run.config.get(section)
    return table.get("name") if isinstance(table, dict) else table


def _word(value: object) -> str:
    return ABSENT if value is None else str(value)
