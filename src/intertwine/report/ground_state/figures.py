r"""The figures of a run against its steps, one function each: plain arrays in, a plotly figure out.

Every figure is a pure function of its arguments, has no title (its caption is the page's), no identifier and
no colour of text, so that the page decides about those. Values that are not finite are gaps. A series of many
steps is drawn at every k-th step; `series.stride` says which k. A figure without numbers is None.

The V-score is N Var(H) / ⟨H⟩², Wu et al., Science 386, 296 (2024); R-hat is that of Vehtari et al., Bayesian
Analysis 16, 667 (2021), τ the integrated autocorrelation time of Sokal, Monte Carlo Methods in Statistical
Mechanics (1997).
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from intertwine.report.series import Metrics, gaps, stride
from intertwine.report.theme import BAND, BLUE, GREY, ORANGE, PURPLE, TEAL


def _series(metrics: Metrics, name: str, positive: bool = False) -> list[float | None] | None:
    """The drawn points of one series, or None where nothing of it was recorded."""
    values = metrics.get(name)
    if values is None:
        return None
    values = values[:: stride(len(values))]
    if positive:
        values = np.where(values > 0, values, np.nan)
    return gaps(values) if np.isfinite(values).any() else None


def _line(x: list, y: list, name: str, color: str, dash: str = "solid", legend: bool = True) -> go.Scatter:
    mode = "lines" if len(x) > 1 else "markers"
    style = {"color": color, "width": 1.8, "dash": dash}
    return go.Scatter(x=x, y=y, name=name, mode=mode, line=style, marker={"color": color}, showlegend=legend)


def _log(figure: go.Figure, row: int = 1) -> None:
    figure.update_yaxes(type="log", exponentformat="power", row=row, col=1)


def energy(metrics: Metrics, exact: float | None = None) -> go.Figure | None:
    """Energy against step with a band of one standard error.

    With `exact`, its line, and below it a panel of the relative error and of the relative standard error.
    """
    recorded = _series(metrics, "energy")
    if recorded is None:
        return None
    with_error = bool(exact)
    figure = make_subplots(
        rows=2 if with_error else 1,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.06,
        row_heights=[0.55, 0.45] if with_error else [1.0],
    )
    steps = _series(metrics, "step") or []
    values = np.array(recorded, dtype=float)
    errors = np.array(_series(metrics, "error") or [0.0] * len(values), dtype=float)
    band = np.where(np.isfinite(errors), errors, 0.0)
    hidden = {"hoverinfo": "skip", "showlegend": False, "mode": "lines", "line": {"width": 0}}
    figure.add_scatter(x=steps, y=gaps(values + band), row=1, col=1, **hidden)
    figure.add_scatter(x=steps, y=gaps(values - band), fill="tonexty", fillcolor=BAND, row=1, col=1, **hidden)
    figure.add_trace(_line(steps, gaps(values), "energy", BLUE), row=1, col=1)
    figure.update_yaxes(title_text="energy", row=1, col=1)
    if exact:
        ends = [steps[0], steps[-1]]
        figure.add_trace(_line(ends, [exact] * 2, "exact", ORANGE, dash="dash"), row=1, col=1)
        for size, name, color, dash in (
            (np.abs(values - exact), "relative error", PURPLE, "solid"),
            (band, "standard error", GREY, "dot"),
        ):
            shown = gaps(np.where(size > 0, size, np.nan) / abs(exact))
            figure.add_trace(_line(steps, shown, name, color, dash), row=2, col=1)
        figure.update_yaxes(title_text="relative error", row=2, col=1)
        _log(figure, row=2)
    figure.update_xaxes(title_text="step", row=2 if with_error else 1, col=1)
    figure.update_layout(hovermode="x unified")
    return figure


def v_score(metrics: Metrics) -> go.Figure | None:
    """V-score against step on a logarithmic axis, or None where it was not recorded."""
    values = _series(metrics, "v_score", positive=True)
    if values is None:
        return None
    figure = make_subplots(rows=1, cols=1)
    figure.add_trace(_line(_series(metrics, "step") or [], values, "V-score", TEAL, legend=False))
    figure.update_xaxes(title_text="step")
    figure.update_yaxes(title_text="V-score")
    _log(figure)
    return figure


def chains(metrics: Metrics) -> go.Figure | None:
    """Acceptance, autocorrelation time and R-hat against step, one panel each of those that were recorded."""
    panels = [
        ("acceptance", "acceptance", BLUE),
        ("tau", "τ (draws)", TEAL),
        ("r_hat", "R-hat", PURPLE),
    ]
    drawn = [(title, color, y) for name, title, color in panels if (y := _series(metrics, name)) is not None]
    if not drawn:
        return None
    figure = make_subplots(rows=len(drawn), cols=1, shared_xaxes=True, vertical_spacing=0.07)
    steps = _series(metrics, "step") or []
    for row, (title, color, y) in enumerate(drawn, start=1):
        figure.add_trace(_line(steps, y, title, color, legend=False), row=row, col=1)
        figure.update_yaxes(title_text=title, row=row, col=1)
        if title == "acceptance":
            figure.update_yaxes(range=[0, 1.02], row=row, col=1)
    figure.update_xaxes(title_text="step", row=len(drawn), col=1)
    figure.update_layout(hovermode="x unified")
    return figure


def optimiser(metrics: Metrics) -> go.Figure | None:
    """Learning rate, shift and norm of the update against step, those that were recorded, logarithmic."""
    names = [("update_norm", "norm of the update", BLUE), ("learning_rate", "learning rate", ORANGE)]
    names.append(("shift", "shift", TEAL))
    drawn = [(t, c, y) for n, t, c in names if (y := _series(metrics, n, positive=True)) is not None]
    if not drawn:
        return None
    figure = make_subplots(rows=1, cols=1)
    for title, color, y in drawn:
        figure.add_trace(_line(_series(metrics, "step") or [], y, title, color))
    figure.update_xaxes(title_text="step")
    figure.update_yaxes(title_text="value")
    figure.update_layout(hovermode="x unified", showlegend=True)
    _log(figure)
    return figure
