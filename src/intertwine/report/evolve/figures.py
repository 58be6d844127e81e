r"""The figures of an evolution against time: plain arrays in, a plotly figure out; None without numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from intertwine.report.series import Metrics, gaps
from intertwine.report.theme import BLUE, GREY, ORANGE, PURPLE, TEAL

COLOURS = (BLUE, TEAL, PURPLE, GREY)
PARTS = {
    "residual_sum": "residual",
    "integrator_sum": "integrator",
    "fit_sum": "fits",
    "scheme_sum": "product formula",
}
"""Of the bound."""


def curves(metrics: Metrics, names: Sequence[str], until: float | None) -> go.Figure:
    """Observables with error bars and, where known, the exact curve (dashed). until: beyond it the curves are
    not trusted, None where all of them are."""
    figure, t = go.Figure(), metrics["time"]
    for name, colour in zip(names, COLOURS * (len(names) // 4 + 1), strict=False):
        errors = metrics.get(f"{name}_error", np.zeros(len(t)))
        bars = {"type": "data", "array": gaps(errors)} if np.nansum(errors) > 0 else None
        style = {"color": colour, "width": 1.8}
        figure.add_scatter(
            x=gaps(t), y=gaps(metrics[name]), name=name, mode="lines", line=style, error_y=bars
        )
        if f"{name}_exact" in metrics:
            dashed = {"color": ORANGE, "width": 1.4, "dash": "dash"}
            exact, first = gaps(metrics[f"{name}_exact"]), name == names[0]
            figure.add_scatter(x=gaps(t), y=exact, name="exact", mode="lines", line=dashed, showlegend=first)
    _untrusted(figure, t, until)
    figure.update_xaxes(title="time")
    return figure


def bound(metrics: Metrics) -> go.Figure:
    """The bound on the distance to the true state, and its parts."""
    figure, t = make_subplots(rows=1, cols=1), metrics["time"]
    colours = (TEAL, PURPLE, ORANGE, GREY)
    for (name, words), colour in zip(PARTS.items(), colours, strict=True):
        values = metrics.get(name)
        if values is not None and np.nanmax(values, initial=0.0) > 0:
            shown = gaps(np.where(values > 0, values, np.nan))
            figure.add_scatter(
                x=gaps(t), y=shown, name=words, mode="lines", line={"color": colour, "dash": "dot"}
            )
    shown = gaps(np.where(metrics["bound"] > 0, metrics["bound"], np.nan))
    figure.add_scatter(x=gaps(t), y=shown, name="bound", mode="lines", line={"color": BLUE, "width": 2})
    ends = [float(t[0]), float(t[-1])]
    figure.add_scatter(
        x=ends, y=[0.1, 0.1], name="trusted below", mode="lines", line={"color": ORANGE, "dash": "dash"}
    )
    figure.update_xaxes(title="time")
    figure.update_yaxes(type="log", exponentformat="power", title="distance to the true state")
    return figure


def _untrusted(figure: go.Figure, t: np.ndarray, until: float | None) -> None:
    if until is not None and until < t[-1]:
        figure.add_vrect(x0=until, x1=float(t[-1]), fillcolor=GREY, opacity=0.18, line_width=0)
