"""The figures of a classifying run, one function each: plain arrays in, a plotly figure out (see
`figures`)."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from intertwine.report.series import Metrics, gaps, stride
from intertwine.report.theme import BAND, BLUE, GREY, ORANGE, SEQUENTIAL

_LARGEST_MAP = 180
SINGLE = 1.2e-7
"""The spacing of single-precision numbers at 1: what rounding alone costs."""


def curves(metrics: Metrics) -> go.Figure | None:
    """Loss above and error below, both logarithmic, against the epoch: training and validation."""
    epochs = metrics.get("epoch")
    if epochs is None or not len(epochs):
        return None
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.07)
    for prefix, label, color in (("", "training", GREY), ("validation_", "validation", BLUE)):
        for row, (name, shown) in enumerate(
            (("loss", lambda v: v), ("accuracy", lambda v: 100 * (1 - v))), 1
        ):
            values = metrics.get(prefix + name)
            if values is None or not np.isfinite(values).any():
                continue
            kept = np.isfinite(values) & np.isfinite(epochs)
            every = stride(int(kept.sum()))
            x, y = epochs[kept][::every], np.asarray(shown(values[kept]))[::every]
            figure.add_scatter(
                x=gaps(x), y=gaps(np.where(y > 0, y, np.nan)), mode="lines" if len(x) > 1 else "markers",
                line={"color": color, "width": 1.8}, marker={"color": color}, name=label,
                showlegend=row == 1, legendgroup=label, row=row, col=1,
            )  # fmt: skip
    figure.update_yaxes(title_text="loss (nats)", type="log", row=1, col=1)
    figure.update_yaxes(title_text="error (%)", type="log", row=2, col=1)
    figure.update_xaxes(title_text="epoch", row=2, col=1)
    figure.update_layout(showlegend=True)
    return figure


def conserved(metrics: Metrics) -> go.Figure | None:
    """The largest relative change of what gradient flow conserves, logarithmic, against the epoch."""
    epochs, drift = metrics.get("epoch"), metrics.get("conserved_drift")
    if epochs is None or drift is None or not np.isfinite(drift).any():
        return None
    figure = go.Figure()
    figure.add_scatter(
        x=gaps(epochs), y=gaps(np.where(drift > 0, drift, np.nan)), mode="lines+markers",
        line={"color": BLUE, "width": 1.8}, showlegend=False, name="change",
    )  # fmt: skip
    figure.update_xaxes(title_text="epoch")
    figure.update_yaxes(title_text="largest relative change", type="log", exponentformat="power")
    return figure


def confusion(counts: np.ndarray, classes: list[str]) -> go.Figure:
    """Shares of each true class (a row); numbers in the cells where there is room."""
    n = len(counts)
    names = classes if len(classes) == n else [str(k) for k in range(n)]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    options: dict[str, Any] = (
        {"text": counts.astype(str).tolist(), "texttemplate": "%{text}"} if n <= 12 else {}
    )
    figure = go.Figure(
        go.Heatmap(
            z=shares.tolist(), x=names, y=names, colorscale=SEQUENTIAL, zmin=0.0, zmax=1.0,
            customdata=counts.tolist(), colorbar={"title": "share"},
            hovertemplate="%{y} taken for %{x}: %{customdata}<extra></extra>", **options,
        )
    )  # fmt: skip
    figure.update_xaxes(title_text="taken for", type="category")
    figure.update_yaxes(title_text="class", type="category", autorange="reversed")
    return figure


def equivariance(
    rows: list[dict[str, Any]], single: bool = True, exactly: str = "elements that map the grid to itself"
) -> go.Figure | None:
    """The largest error of each layer over the elements, logarithmic: exact and resampled ones apart.
    exactly: what the exact ones are."""
    layers = list(dict.fromkeys(row["layer"] for row in rows))
    figure, drawn = go.Figure(), False
    for exact, label, color in (
        (True, exactly, BLUE),
        (False, "others", ORANGE),
    ):
        worst = []
        for layer in layers:
            errors = [r["error"] for r in rows if r["layer"] == layer and r["exact"] is exact and r["error"]]
            worst.append(max(errors, default=np.nan))
        if np.isfinite(worst).any():
            drawn = True
            figure.add_scatter(
                x=layers, y=gaps(np.array(worst)), name=label, mode="markers",
                marker={"color": color, "size": 9, "symbol": "circle" if exact else "diamond"},
            )  # fmt: skip
    if not drawn:
        return None
    if single:
        style = {"color": GREY, "width": 1.2, "dash": "dot"}
        figure.add_scatter(
            x=layers, y=[SINGLE] * len(layers), name="single precision", mode="lines", line=style
        )
    figure.update_yaxes(title_text="relative error", type="log", exponentformat="power")
    figure.update_xaxes(type="category", tickangle=-45)
    figure.update_layout(showlegend=True)
    return figure


def by_depth(table: dict[str, Any]) -> go.Figure:
    """Kernel, susceptibilities and coupling of each layer: at the start, at the end, and as it was given."""
    titles = ("kernel K", "χ_⊥ to the next layer", "χ_∥ to the next layer", "⟨z⁴⟩/3⟨z²⟩² − 1")
    figure = make_subplots(rows=2, cols=2, subplot_titles=titles, vertical_spacing=0.2)
    drawn = (("given", "ordinary start", GREY), ("start", "start", BLUE), ("end", "trained", ORANGE))
    columns = ("kernel", "perpendicular", "parallel", "coupling")
    for when, label, color in drawn:
        for k, column in enumerate(columns if table.get(when) else ()):
            figure.add_scatter(
                x=table["layers"], y=gaps(table[when][column]), name=label, mode="lines+markers",
                line={"color": color, "width": 1.6}, legendgroup=when, showlegend=k == 0,
                row=1 + k // 2, col=1 + k % 2,
            )  # fmt: skip
    figure.update_yaxes(type="log", exponentformat="power", row=1, col=1)
    figure.update_yaxes(type="log", exponentformat="power", row=1, col=2)
    figure.update_xaxes(type="category", tickangle=-45)
    figure.update_layout(showlegend=True)
    return figure


def by_angle(degrees: np.ndarray, accuracy: np.ndarray, error: np.ndarray) -> go.Figure:
    """Accuracy on images turned by each angle, with one standard error as a band."""
    x = np.append(degrees, 360.0) if degrees[0] == 0 else degrees
    y, spread = (np.append(v, v[0]) if len(x) > len(v) else v for v in (100 * accuracy, 100 * error))
    figure = go.Figure()
    edge = {"mode": "lines", "line": {"width": 0}, "showlegend": False, "hoverinfo": "skip"}
    figure.add_scatter(x=gaps(x), y=gaps(y + spread), **edge)
    figure.add_scatter(x=gaps(x), y=gaps(y - spread), fill="tonexty", fillcolor=BAND, **edge)
    line = {"color": BLUE, "width": 1.8}
    figure.add_scatter(
        x=gaps(x), y=gaps(y), mode="lines+markers", line=line, showlegend=False, name="accuracy"
    )
    figure.update_xaxes(title_text="turned by (degrees)", dtick=45)
    figure.update_yaxes(title_text="accuracy (%)")
    return figure


def by_rotation(names: list[str], accuracy: np.ndarray, error: float | None) -> go.Figure:
    """Accuracy as images are, and under each rotation."""
    spread = {"type": "constant", "value": 100 * error} if error is not None else None
    figure = go.Figure(
        go.Scatter(
            x=names, y=gaps(100 * accuracy), error_y=spread, mode="markers",
            marker={"color": BLUE, "size": 9}, showlegend=False,
        )
    )  # fmt: skip
    figure.update_xaxes(type="category", automargin=True)
    figure.update_yaxes(title_text="accuracy (%)")
    return figure


def maps(images: np.ndarray, words: list[str], latitude: np.ndarray, longitude: np.ndarray) -> go.Figure:
    """Images (k, rows, columns) of the sphere, one above another."""
    figure = make_subplots(
        rows=len(images), cols=1, shared_xaxes=True, vertical_spacing=0.08, subplot_titles=words
    )
    for row, values in enumerate(images, 1):
        step = 1 + max(values.shape) // _LARGEST_MAP
        shown = np.round(values[::step, ::step].astype(float), 4)
        figure.add_heatmap(
            z=shown.tolist(), x=longitude[::step].round(3).tolist(), y=latitude[::step].round(3).tolist(),
            colorscale=SEQUENTIAL, showscale=False, row=row, col=1,
        )  # fmt: skip
    figure.update_yaxes(dtick=90)
    return figure
