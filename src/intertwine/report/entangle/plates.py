"""The plates of the page: entropy against region, and the spectrum of the last region."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from intertwine.report.entangle.read import Run
from intertwine.report.numbers import plain, with_error
from intertwine.report.plate import Plate
from intertwine.report.series import gaps
from intertwine.report.theme import BLUE, GREY, ORANGE, TEAL


def plates(run: Run) -> list[Plate]:
    """Every figure that the run has numbers for, in the order of the page."""
    drawn = [_entropy(run)] if run.steps and "sites" in run.metrics else []
    return [*drawn, *([_spectrum(run)] if len(run.spectrum) else [])]


def _entropy(run: Run) -> Plate:
    metrics, figure = run.metrics, go.Figure()
    x = gaps(metrics["sites"])
    for name, words, colour in (("von_neumann", "von Neumann", TEAL), ("renyi2", "Rényi, order 2", BLUE)):
        if np.isfinite(metrics.get(name, np.nan)).any():
            errors = metrics.get("error", np.zeros(len(x)))
            bars = {"type": "data", "array": gaps(errors)} if name == "renyi2" and np.nansum(errors) else None
            figure.add_scatter(
                x=x, y=gaps(metrics[name]), name=words, mode="lines+markers", error_y=bars,
                line={"color": colour}, marker={"color": colour},
            )  # fmt: skip
    caption = "Entropy of the first sites, in nats, against their number"
    if np.isfinite(metrics.get("bound", np.nan)).any():
        dashed = {"color": ORANGE, "dash": "dash"}
        figure.add_scatter(x=x, y=gaps(metrics["bound"]), name="bound", mode="lines", line=dashed)
        caption += "; dashed: what the structure of the model allows"
    figure.update_xaxes(title="sites")
    figure.update_yaxes(title="entropy (nats)")
    rows = tuple(
        (plain(sites), with_error(value, error or None))
        for sites, value, error in zip(metrics["sites"], metrics["renyi2"], metrics["error"], strict=True)
    )
    words = f"Entropy at {len(rows)} sizes; Rényi-2 {plain(run.last('renyi2'), 5)} at the last."
    return Plate(
        "entropy", "Entropy", caption + ".", words, figure, 420, wide=True,
        columns=("sites", "Rényi-2 (nats)"), rows=rows,
    )  # fmt: skip


def _spectrum(run: Run) -> Plate:
    levels = -np.log(np.where(run.spectrum > 0, run.spectrum, np.nan))
    figure = go.Figure(go.Scatter(y=gaps(levels), mode="markers", marker={"color": GREY}))
    figure.update_xaxes(title="level")
    figure.update_yaxes(title="−ln λ")
    caption = (
        "Entanglement spectrum of the last region: −ln of the eigenvalues of its reduced density matrix."
    )
    words = f"{len(levels)} levels, the lowest {plain(float(levels[0]), 4)}."
    return Plate("spectrum", "Entanglement spectrum", caption, words, figure, 360)
