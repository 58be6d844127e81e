"""The plates of the page: each figure with heading, caption, words for who cannot see it, and numbers."""

from __future__ import annotations

import numpy as np

from intertwine.report.evolve import figures
from intertwine.report.evolve.read import Run
from intertwine.report.numbers import plain, with_error
from intertwine.report.plate import Plate


def plates(run: Run) -> list[Plate]:
    """Every figure that the run has numbers for, in the order of the page."""
    if not run.steps or "time" not in run.metrics:
        return []
    correlators = sorted(n for n in run.metrics if n.startswith("ZZ") and n[2:].isdigit())
    drawn = [
        _curves(run, "magnetization", "Magnetization", ["X"], "⟨X⟩ per site"),
        _curves(run, "correlations", "Correlations", correlators, "⟨Z Z⟩ of the first shells of neighbours"),
        _curves(run, "entropy", "Entropy", ["entropy"], "Entropy of half of the sites, in nats"),
        _bound(run),
        _curves(run, "energy", "Energy", ["energy"], "Energy, in units of the couplings"),
    ]
    return [plate for plate in drawn if plate is not None]


def until_of(run: Run) -> float | None:
    """The last time at which the bound is below 0.1, None where it is so at all times."""
    beyond = np.flatnonzero(~(run.metrics["bound"] <= 0.1))
    if not len(beyond):
        return None
    return float(run.metrics["time"][max(beyond[0] - 1, 0)])


def _curves(run: Run, name: str, heading: str, columns: list[str], what: str) -> Plate | None:
    there = [c for c in columns if np.isfinite(run.metrics.get(c, np.nan)).any()]
    if not there:
        return None
    until = until_of(run)
    caption = f"{what}, against time (1/energy)."
    if any(f"{c}_exact" in run.metrics for c in there):
        caption += " Dashed: the exact curve."
    if until is not None:
        caption += (
            f" Grey: after t = {plain(until, 4)}, where the bound passes 0.1, the curve is not to be trusted."
        )
    at_end = ", ".join(f"{c} {with_error(run.last(c), run.last(f'{c}_error') or None)}" for c in there)
    figure = figures.curves(run.metrics, there, until)
    return Plate(name, heading, caption, f"{what} against time; at the end {at_end}.", figure, 360, wide=True)


def _bound(run: Run) -> Plate:
    caption = (
        "Bound on the distance ‖φ − ψ‖ between the network's state and the true one, logarithmic, with its"
        " parts: it grows with every step. An observable of norm 1 is off by at most twice the bound."
    )
    words = f"Bound against time, {plain(run.last('bound'), 2)} at the end."
    return Plate("bound", "Certificate", caption, words, figures.bound(run.metrics), 360)
