r"""The figures of a state on its lattice: spin correlations and their structure factor, one function each.

The correlation C(r) = ⟨s(0)·s(r)⟩ averages over the origin; the structure factor is
S(k) = Σ_r exp(ik·r) C(r), whose peak names the order: k = π for the antiferromagnetic chain, (π, π) for Néel
order on the square lattice. As in `figures`, data in, a plotly figure out, and nothing of the page in it.
"""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go

from intertwine.report.ground_state.figures import gaps
from intertwine.report.ground_state.read import Field
from intertwine.report.theme import BLUE, DIVERGING, GREY, ORANGE, SEQUENTIAL

_COLORBAR = {
    "orientation": "h",
    "y": 1.02,
    "yanchor": "bottom",
    "thickness": 12,
    "outlinewidth": 0,
    "ticklabelposition": "outside top",
}


def _bars(errors: np.ndarray | None) -> dict | None:
    return None if errors is None else {"type": "data", "array": gaps(errors), "thickness": 1.2, "width": 3}


def correlation_by_distance(field: Field) -> go.Figure:
    """Spin correlation against the length of the displacement, with error bars; zero is left out."""
    distance = np.linalg.norm(field.vectors, axis=1)
    order = [
        i for i in np.argsort(distance, kind="stable") if distance[i] > 1e-9 and np.isfinite(field.values[i])
    ]
    errors = None if field.errors is None else field.errors[order]
    figure = go.Figure()
    one_line = field.vectors.shape[1] == 1
    x, y = distance[order], field.values[order]
    if one_line:  # both directions of a chain: one point each, joined by a thin line through their mean
        levels = np.unique(np.round(x, 9))
        means = [float(np.mean(y[np.isclose(x, level)])) for level in levels]
        style = {"color": GREY, "width": 1}
        figure.add_scatter(
            x=gaps(levels), y=means, mode="lines", line=style, hoverinfo="skip", showlegend=False
        )
    figure.add_scatter(
        x=gaps(x),
        y=gaps(y),
        error_y=_bars(errors),
        mode="markers",
        marker={"color": BLUE, "size": 7},
        showlegend=False,
        hovertemplate="distance %{x:.3f}<br>correlation %{y:.5f}<extra></extra>",
    )
    figure.update_xaxes(title_text="distance (lattice spacings)", rangemode="tozero")
    figure.update_yaxes(title_text="spin correlation", zeroline=True)
    return figure


def correlation_on_lattice(field: Field) -> go.Figure | None:
    """Spin correlation at each displacement: bars on a chain, coloured sites in the plane, else None.

    Where several classes of pairs share a displacement (a lattice with a basis), their mean is drawn.
    """
    dimension = field.vectors.shape[1]
    if dimension > 2:
        return None
    figure = _on_chain(field) if dimension == 1 else _in_plane(*_means(field))
    figure.update_traces(showlegend=False)
    return figure


def _on_chain(field: Field) -> go.Figure:
    apart = np.abs(field.vectors[:, 0]) > 1e-9
    values = field.values[apart]
    figure = go.Figure()
    figure.add_bar(
        x=gaps(field.vectors[apart, 0]),
        y=gaps(values),
        marker={"color": [BLUE if v > 0 else ORANGE for v in values]},
        error_y=_bars(None if field.errors is None else field.errors[apart]),
        hovertemplate="displacement %{x}<br>correlation %{y:.5f}<extra></extra>",
    )
    figure.update_xaxes(title_text="displacement (lattice spacings)")
    figure.update_yaxes(title_text="spin correlation", zeroline=True)
    return figure


def _in_plane(points: np.ndarray, values: np.ndarray) -> go.Figure:
    apart = np.linalg.norm(points, axis=1) > 1e-9
    reach = float(np.abs(values[apart]).max(initial=0.0, where=np.isfinite(values[apart]))) or 1.0
    figure = go.Figure()
    figure.add_scatter(
        x=gaps(points[apart, 0]),
        y=gaps(points[apart, 1]),
        customdata=gaps(values[apart]),
        mode="markers",
        marker={
            "color": gaps(values[apart]),
            "size": _marker_size(points),
            "colorscale": DIVERGING,
            "cmin": -reach,
            "cmax": reach,
            "line": {"color": GREY, "width": 1},
            "colorbar": _COLORBAR,
        },
        hovertemplate="(%{x:.3f}, %{y:.3f})<br>correlation %{customdata:.5f}<extra></extra>",
    )
    figure.add_scatter(
        x=gaps(points[~apart, 0]),
        y=gaps(points[~apart, 1]),
        mode="markers",
        marker={"symbol": "x-thin", "size": 12, "line": {"color": GREY, "width": 2}},
        hovertemplate="the site itself<extra></extra>",
    )
    _plane(figure, "x (lattice spacings)", "y (lattice spacings)")
    return figure


def _means(field: Field) -> tuple[np.ndarray, np.ndarray]:
    """The different vectors of a field and the mean of its values at each."""
    rounded = np.round(field.vectors, 9) + 0.0
    points, index = np.unique(rounded, axis=0, return_inverse=True)
    index = index.reshape(-1)
    return points, np.bincount(index, weights=field.values) / np.bincount(index)


def _marker_size(points: np.ndarray) -> float:
    """A diameter in pixels with which neighbouring points nearly touch in a plot of about 250 pixels."""
    from scipy.spatial import KDTree

    if len(points) < 2:
        return 24.0
    nearest = float(np.min(KDTree(points).query(points, k=2)[0][:, 1]))
    extent = float(np.ptp(points, axis=0).max())
    return float(np.clip(round(0.85 * 250 * nearest / (extent + nearest)), 4, 32))


def _plane(figure: go.Figure, x_title: str, y_title: str) -> None:
    """Equal scales on both axes, so that lattices keep their angles."""
    figure.update_xaxes(title_text=x_title, showgrid=False, constrain="domain")
    figure.update_yaxes(title_text=y_title, showgrid=False, scaleanchor="x", constrain="domain")


def structure_factor(field: Field) -> go.Figure:
    """Structure factor: a line on a chain, a heat map or points in the plane, S against |k| in space."""
    momenta = field.vectors / math.pi
    dimension = momenta.shape[1]
    figure = go.Figure()
    if dimension == 2:
        grid = _grid(momenta, field.values)
        if grid is not None:
            x, y, z = grid
            figure.add_heatmap(x=x, y=y, z=z, colorscale=SEQUENTIAL, colorbar=_COLORBAR, hoverongaps=False)
        else:
            figure.add_scatter(
                x=gaps(momenta[:, 0]),
                y=gaps(momenta[:, 1]),
                customdata=gaps(field.values),
                mode="markers",
                marker={
                    "color": gaps(field.values),
                    "colorscale": SEQUENTIAL,
                    "size": _marker_size(momenta),
                    "colorbar": _COLORBAR,
                },
                showlegend=False,
            )
        value = "%{customdata:.5f}" if grid is None else "%{z:.5f}"
        hover = "k = (%{x:.3f}, %{y:.3f}) π<br>S = " + value + "<extra></extra>"
        figure.update_traces(hovertemplate=hover)
        _plane(figure, "k<sub>x</sub> / π", "k<sub>y</sub> / π")
        return figure
    x = momenta[:, 0] if dimension == 1 else np.linalg.norm(momenta, axis=1)
    order = np.argsort(x, kind="stable")
    figure.add_scatter(
        x=gaps(x[order]),
        y=gaps(field.values[order]),
        error_y=_bars(None if field.errors is None else field.errors[order]),
        mode="lines+markers" if dimension == 1 else "markers",
        line={"color": BLUE, "width": 1.5},
        marker={"color": BLUE, "size": 6},
        showlegend=False,
        hovertemplate="k = %{x:.3f} π<br>S = %{y:.5f}<extra></extra>",
    )
    figure.update_xaxes(title_text="k / π" if dimension == 1 else "|k| / π")
    figure.update_yaxes(title_text="structure factor S(k)", rangemode="tozero")
    return figure


def _grid(momenta: np.ndarray, values: np.ndarray) -> tuple[list, list, list] | None:
    """The values as rows of a heat map where the momenta fill a rectangular grid, else None."""
    rounded = np.round(momenta, 9)
    xs, ys = np.unique(rounded[:, 0]), np.unique(rounded[:, 1])
    if min(len(xs), len(ys)) < 2 or len(xs) * len(ys) != len(momenta):
        return None
    cells = np.full((len(ys), len(xs)), np.nan)
    cells[np.searchsorted(ys, rounded[:, 1]), np.searchsorted(xs, rounded[:, 0])] = values
    return xs.tolist(), ys.tolist(), [gaps(row) for row in cells]
