"""The words of the page of several runs."""

from __future__ import annotations

from typing import Any

from intertwine._caveats import sentence_of
from intertwine.report.numbers import ABSENT, duration, plain, with_error
from intertwine.report.several.read import SeveralRuns


def title(run: SeveralRuns) -> str:
    """What was run, for a heading."""
    hamiltonian = run.config.get("hamiltonian")
    name = hamiltonian.get("name", "") if isinstance(hamiltonian, dict) else ""
    return f"{len(run.rows)} runs: {name or run.config.get('kind', 'run')} on {run.config.get('lattice', '')}"


def lead(run: SeveralRuns) -> str:
    """The runs in one sentence."""
    best = _best(run)
    if best is None:
        return "These runs have not finished."
    energy = with_error(best.get("energy"), best.get("error"))
    return f"The lowest energy is {energy}, of {best['run']}."


def notices(run: SeveralRuns) -> list[str]:
    """What the reader must know before trusting a number."""
    said = [f"{name} is not there: {shows} cannot be shown." for name, shows in run.missing.items()]
    said += [f"{name} has diverged, or has no states." for name in run.result.get("failed", [])]
    return said + [sentence_of(line) for line in run.result.get("warnings", [])]


def cards(run: SeveralRuns) -> list[tuple[str, str, str]]:
    """The headline numbers: (name, value, remark)."""
    best = _best(run)
    if best is None:
        return []
    return [
        ("Lowest energy", with_error(best.get("energy"), best.get("error")), str(best["run"])),
        ("Exact energy", "not known" if best.get("exact") is None else plain(best["exact"], 10), ""),
        ("V-score", plain(best.get("v_score"), 2), str(best["run"])),
        ("Runs", plain(len(run.rows)), ""),
    ]


def table(run: SeveralRuns) -> list[tuple[str, str]]:
    """A row for each run."""
    return [(str(row["run"]), _told(row)) for row in run.rows]


def _told(row: dict[str, Any]) -> str:
    words = [with_error(row.get("energy"), row.get("error")) if row.get("energy") is not None else ABSENT]
    if row.get("sector") not in (None, "trivial"):
        words.insert(0, str(row["sector"]))
    words.append(f"V-score {plain(row.get('v_score'), 2)}")
    words.append(duration(row.get("seconds")))
    return "; ".join(words)


def _best(run: SeveralRuns) -> dict[str, Any] | None:
    return next((row for row in run.rows if row["run"] == run.result.get("best")), None)
