"""The words of the page: title, one sentence, what to beware of, headline numbers, tables."""

from __future__ import annotations

from intertwine.report.evolve.read import Run
from intertwine.report.numbers import ABSENT, duration, plain, with_error
from intertwine.report.plain.summary import notices

__all__ = ["cards", "lead", "notices", "table", "title"]


def title(run: Run) -> str:
    """What was computed, for a heading."""
    hamiltonian = run.config.get("hamiltonian")
    name = hamiltonian.get("name") if isinstance(hamiltonian, dict) else None
    lattice = run.config.get("lattice")
    return f"Evolution: {name} on {lattice}" if name and lattice else f"Evolution: {run.name}"


def lead(run: Run) -> str:
    """The run in one sentence."""
    if not run.finished:
        return f"This run has not finished: {run.steps} times so far."
    bound, until = run.result.get("bound"), run.result.get("trusted_until")
    sentence = f"At the end the state is at most {plain(bound, 2)} from the true one"
    if not run.result.get("judged", True):
        sentence = (
            f"How far the state is from the true one is not bounded ({plain(bound, 2)} is what is counted)"
        )
    exact, deviation = run.result.get("exact"), run.result.get("deviation")
    if isinstance(deviation, dict) and isinstance(deviation.get("X"), int | float):
        sentence += f"; ⟨X⟩ is within {plain(deviation['X'], 2)} of the exact curve ({exact}) throughout"
    if isinstance(until, int | float) and until < (run.last("time") or 0.0):
        sentence += f"; the curves are to be trusted until t = {plain(until, 4)}"
    return sentence + "."


def cards(run: Run) -> list[tuple[str, str, str]]:
    """The headline numbers: (name, value, remark)."""
    if not run.finished:
        at = f"at t = {plain(run.last('time'), 4)}"
        return [("⟨X⟩", plain(run.last("X"), 6), at), ("Bound", plain(run.last("bound"), 2), at)]
    result, rows = run.result, run.result.get("observables")
    shown = [
        (
            "Distance to the true state",
            ("≤ " if result.get("judged", True) else "") + plain(result.get("bound"), 2),
            "at the end" if result.get("judged", True) else "what is counted: no bound",
        ),
        ("Trusted until", plain(result.get("trusted_until"), 4), "the bound is below 0.1"),
    ]
    for name, words in (("X", "⟨X⟩ per site"), ("entropy", "Entropy of half")):
        row = rows.get(name) if isinstance(rows, dict) else None
        if isinstance(row, dict):
            exact = row.get("exact")
            remark = "" if not isinstance(exact, int | float) else f"exact {plain(exact, 7)}"
            shown.append((words, with_error(row.get("mean"), row.get("error") or None), remark))
    return shown


def table(run: Run) -> list[tuple[str, str]]:
    """The result as names and values; empty for an unfinished run."""
    if not run.finished:
        return []
    result, energy = run.result, run.result.get("energy")
    mean, error = (energy.get("mean"), energy.get("error")) if isinstance(energy, dict) else (None, None)
    return [
        ("hamiltonian", str(result.get("hamiltonian") or ABSENT)),
        ("lattice", str(result.get("lattice") or ABSENT)),
        ("sites", plain(result.get("size"))),
        ("model", str(result.get("model") or ABSENT)),
        ("parameters", plain(result.get("parameters"))),
        ("method", f"{result.get('method')}: {result.get('because')}"),
        ("steps", plain(result.get("steps"))),
        ("energy at the end", with_error(mean, error or None)),
        ("infidelity of the start", plain(result.get("infidelity_of_start"), 2)),
        ("exact curves", str(result.get("exact") or ABSENT)),
        ("wall time", duration(result.get("seconds"))),
    ]
