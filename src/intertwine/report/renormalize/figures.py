r"""The figures of a renormalization run, one function each: plain arrays in, a plotly figure out.

As in `figures`, values that are not finite are gaps, and a figure without numbers is None. Exponents are
those of the linearised transformation, y = ln|λ|/ln b (Swendsen, Phys. Rev. Lett. 42, 859, 1979), by step of
blocking and by how many couplings are kept. A flow is a path in the space of couplings, a point a level; at
criticality it runs into the fixed point, elsewhere to zero or infinite coupling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from intertwine.report.series import Metrics, gaps, stride
from intertwine.report.theme import BLUE, GREY, ORANGE, PURPLE, TEAL

_COLOURS = (GREY, TEAL, PURPLE, BLUE, "#b0485f", "#7a8f2a", "#2f8fb3", "#a9742b")
MOST_BINS = 50


def exponents(arrays: Mapping[str, np.ndarray], exact: Mapping[str, float | None]) -> go.Figure | None:
    """y_T above, y_H below, against the step; a line a number of couplings, exact values dashed."""
    names = [name for name in ("y_T", "y_H") if name in arrays and np.isfinite(arrays[name]).any()]
    if not names:
        return None
    figure = make_subplots(rows=len(names), cols=1, shared_xaxes=True, vertical_spacing=0.07)
    for row, name in enumerate(names, start=1):
        values = arrays[name]
        errors = arrays.get(f"{name}_error", np.full(values.shape, np.nan))
        steps = np.arange(1, len(values) + 1, dtype=float)
        number = values.shape[1]
        for m in range(number):
            shift = 0.08 * (m - (number - 1) / 2) / max(1, number - 1)
            colour = _COLOURS[min(m, len(_COLOURS) - 1)] if m < number - 1 else BLUE
            label = f"{m + 1} coupling" + ("s" if m else "")
            figure.add_scatter(
                x=gaps(steps + shift), y=gaps(values[:, m]), error_y=_bars(errors[:, m], colour),
                mode="lines+markers", name=label, legendgroup=label, showlegend=row == 1,
                line={"color": colour, "width": 2.2 if m == number - 1 else 1.2}, marker={"size": 6},
                hovertemplate=f"step %{{x:.0f}}: %{{y:.4f}}<extra>{name}, {label}</extra>", row=row, col=1,
            )  # fmt: skip
        if exact.get(name) is not None:
            _level(figure, [0.8, len(values) + 0.2], exact[name], "exact", row, legend=row == 1)
        figure.update_yaxes(title_text=f"y<sub>{name[-1]}</sub>", row=row, col=1)
    figure.update_xaxes(dtick=1, range=[0.8, len(arrays[names[0]]) + 0.2])
    figure.update_xaxes(title_text="step of blocking", row=len(names), col=1)
    figure.update_layout(showlegend=True)
    return figure


def flow(
    paths: np.ndarray,
    families: Sequence[str],
    labels: Sequence[str],
    main: int | None = None,
    errors: np.ndarray | None = None,
) -> go.Figure | None:
    """Flows (start, scale, family) in the plane of the first two families, or against the scale where there
    is one family; labels: of the starts; `main`: the start that is drawn thick; errors: of the paths."""
    starts, scales, count = paths.shape
    if not np.isfinite(paths).any():
        return None
    names = [*families, *(f"coupling {k + 1}" for k in range(len(families), count))]
    figure = go.Figure()
    for s in range(starts):
        colour = ORANGE if s == main else _between(s, starts)
        good = np.isfinite(paths[s]).all(-1)
        x = paths[s, good, 0] if count > 1 else np.arange(scales, dtype=float)[good]
        y = paths[s, good, 1] if count > 1 else paths[s, good, 0]
        if not len(x):
            continue
        arrows: dict[str, Any] = {"size": 5}
        bars: dict[str, Any] = {}
        if count > 1:
            seen = _moved(paths[s, good], None if errors is None else errors[s, good])
            symbols = ["arrow" if moved else "circle-open" for moved in seen]
            arrows = {"symbol": symbols, "angleref": "previous", "size": 10}
        if errors is not None:
            axes = {"error_x": 0, "error_y": 1} if count > 1 else {"error_y": 0}
            bars = {axis: _bars(errors[s, good, k], colour) for axis, k in axes.items()}
        figure.add_scatter(**bars,
            x=gaps(x), y=gaps(y), mode="lines+markers",
            marker=arrows | {"color": colour, "line": {"width": 0}},
            line={"color": colour, "width": 2.4 if s == main else 1.3}, name=labels[s], legendgroup=str(s),
            customdata=np.flatnonzero(good).tolist(),
            hovertemplate="scale %{customdata}: %{x:.4f}, %{y:.4f}<extra></extra>",
        )  # fmt: skip
        if count > 1:
            figure.add_scatter(
                x=gaps(x[:1]), y=gaps(y[:1]), mode="markers", marker={"color": colour, "size": 9},
                showlegend=False, legendgroup=str(s), hoverinfo="skip",
            )  # fmt: skip
    figure.update_xaxes(title_text=f"K of {names[0]}" if count > 1 else "scale (steps of blocking)")
    figure.update_yaxes(title_text=f"K of {names[1]}" if count > 1 else names[0], zeroline=True)
    below = {"y": -0.18, "yanchor": "top"}
    figure.update_layout(showlegend=count > 1 and starts <= 8, legend=below)
    return figure


def _moved(path: np.ndarray, errors: np.ndarray | None) -> list[bool]:
    """Which points (scale, family) lie beyond two errors from the one before, in the first two families."""
    if errors is None:
        return [True] * len(path)
    moves = np.abs(np.diff(path[:, :2], axis=0, prepend=path[:1, :2]))
    spread = np.hypot(errors[:, :2], np.concatenate([errors[:1, :2], errors[:-1, :2]]))
    return np.any(moves > 2 * spread, axis=1).tolist()


def couplings(values: np.ndarray, errors: np.ndarray | None, families: Sequence[str]) -> go.Figure:
    """The couplings of the system by scale (scale, family)."""
    figure = go.Figure()
    scales = np.arange(len(values), dtype=float)
    for k in range(values.shape[1]):
        colour = (BLUE, ORANGE, TEAL, PURPLE, *_COLOURS)[k % (len(_COLOURS) + 4)]
        figure.add_scatter(
            x=gaps(scales), y=gaps(values[:, k]), mode="lines+markers", marker={"size": 6},
            error_y=_bars(None if errors is None else errors[:, k], colour),
            name=families[k] if k < len(families) else f"coupling {k + 1}",
            line={"color": colour, "width": 1.8}, hovertemplate="scale %{x}: %{y:.5f}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title_text="scale (steps of blocking)", dtick=1)
    figure.update_yaxes(title_text="coupling K", zeroline=True)
    figure.update_layout(showlegend=True)
    return figure


def transformation(x: np.ndarray, y: np.ndarray, fixed: float | None, paths: np.ndarray) -> go.Figure:
    """K' = R(K) of one coupling with the diagonal, and flows (start, scale) as cobwebs between them."""
    figure = go.Figure()
    reach = float(np.nanmax(x))
    line = {"color": GREY, "width": 1.2, "dash": "dot"}
    figure.add_scatter(
        x=[0.0, reach], y=[0.0, reach], mode="lines", line=line, name="K' = K", hoverinfo="skip"
    )
    inside = np.where(y <= 1.15 * reach, y, np.nan)
    figure.add_scatter(
        x=gaps(x), y=gaps(inside), mode="lines", name="K' = R(K)", line={"color": BLUE, "width": 2.2},
        hovertemplate="R(%{x:.4f}) = %{y:.4f}<extra></extra>",
    )  # fmt: skip
    for path in paths:
        path = path[np.isfinite(path) & (path <= 1.15 * reach)]
        points = np.repeat(path, 2)
        if len(points) < 4:
            continue
        colour = ORANGE if fixed is not None and path[0] > fixed else TEAL
        figure.add_scatter(
            x=gaps(points[:-1]), y=gaps(np.concatenate([[points[0]], points[2:]])), mode="lines",
            line={"color": colour, "width": 1.0}, name=f"from K = {path[0]:.4g}", showlegend=False,
            hoverinfo="skip",
        )  # fmt: skip
    if fixed is not None:
        figure.add_scatter(
            x=[fixed], y=[fixed], mode="markers", name="fixed point K*", marker={"color": PURPLE, "size": 11},
            hovertemplate="K* = %{x:.6f}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title_text="K", range=[0, reach])
    figure.update_yaxes(title_text="K'", range=[0, 1.1 * reach])
    figure.update_layout(showlegend=True)
    return figure


def running(metrics: Metrics, exact: Mapping[str, float | None]) -> go.Figure | None:
    """y_T, y_H and the energy as they came about, against the line of metrics, a panel each."""
    panels = [
        ("y_T", "y<sub>T</sub>", BLUE),
        ("y_H", "y<sub>H</sub>", TEAL),
        ("energy", "energy per site", PURPLE),
    ]
    drawn = [p for p in panels if np.isfinite(metrics.get(p[0], np.zeros(0))).any()]
    if not drawn:
        return None
    figure = make_subplots(rows=len(drawn), cols=1, shared_xaxes=True, vertical_spacing=0.07)
    for row, (name, title, colour) in enumerate(drawn, start=1):
        there = np.isfinite(metrics[name])
        every = stride(int(there.sum()))
        x, y = metrics["step"][there][::every] + 1, metrics[name][there][::every]
        errors = metrics.get(f"{name}_error")
        figure.add_scatter(
            x=gaps(x), y=gaps(y), mode="lines+markers" if len(x) < 200 else "lines", showlegend=False,
            error_y=_bars(None if errors is None else errors[there][::every], colour), name=title,
            line={"color": colour, "width": 1.5}, marker={"size": 4}, row=row, col=1,
        )  # fmt: skip
        if exact.get(name) is not None and len(x):
            _level(figure, [float(x[0]), float(x[-1])], exact[name], "exact", row, legend=row == 1)
        figure.update_yaxes(title_text=title, row=row, col=1)
    figure.update_xaxes(title_text="batch", row=len(drawn), col=1)
    figure.update_layout(showlegend=any(exact.get(name) is not None for name, *_ in drawn))
    return figure


def columns(
    x: np.ndarray,
    y: np.ndarray,
    titles: tuple[str, str],
    *,
    error: np.ndarray | None = None,
    fit: np.ndarray | None = None,
    log: int = 0,
    fitted: str = "fitted line",
    mark: float | None = None,
) -> go.Figure:
    """One column of a study against its rows, with its errors and what was fitted to it; titles: of x and y;
    log: how many axes are logarithmic, y first. fitted: what the line is; mark: a place on the x axis.
    """
    figure = go.Figure()
    values = np.where(y > 0, y, np.nan) if log else y
    if fit is not None:
        style = {"color": ORANGE, "width": 1.5, "dash": "dash"}
        figure.add_scatter(x=gaps(x), y=gaps(fit), mode="lines", line=style, name=fitted)
    figure.add_scatter(
        x=gaps(x), y=gaps(values), error_y=_bars(error, BLUE), line={"color": BLUE, "width": 1.6},
        mode="markers" if fit is not None else "lines+markers", marker={"size": 7, "color": BLUE},
        showlegend=False,
    )  # fmt: skip
    if mark is not None and float(np.nanmin(x)) <= mark <= float(np.nanmax(x)):
        figure.add_vline(x=mark, line={"color": GREY, "width": 1.2, "dash": "dot"})
    figure.update_xaxes(title_text=titles[0])
    figure.update_yaxes(title_text=titles[1])
    if log:
        figure.update_yaxes(type="log", exponentformat="power")
    if log > 1:
        figure.update_xaxes(type="log", tickvals=gaps(x), ticktext=[f"{value:g}" for value in x])
    figure.update_layout(showlegend=fit is not None)
    return figure


def histogram(values: np.ndarray, title: str) -> go.Figure | None:
    """Values of single states as a histogram around their mean."""
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    spread = float(np.ptp(values))
    low, high = float(values.min()), float(values.max())
    edges = np.linspace(low, high, MOST_BINS + 1) if spread > 1e-9 else np.array([low - 0.5, low + 0.5])
    count, _ = np.histogram(values, edges)
    figure = go.Figure()
    middles = (edges[1:] + edges[:-1]) / 2
    figure.add_bar(x=gaps(middles), y=gaps(count / len(values)), marker={"color": BLUE}, showlegend=False)
    figure.update_xaxes(title_text=title)
    figure.update_yaxes(title_text="share of the states", rangemode="tozero")
    figure.update_layout(bargap=0.04)
    return figure


def shells(distance: np.ndarray, coupling: np.ndarray, error: np.ndarray | None) -> go.Figure:
    """Couplings of pairs against their distance."""
    figure = go.Figure()
    figure.add_scatter(
        x=gaps(distance), y=gaps(coupling), error_y=_bars(error, BLUE), mode="lines+markers",
        line={"color": BLUE, "width": 1.6}, marker={"size": 7}, showlegend=False,
        hovertemplate="distance %{x:.3f}: %{y:.5f}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title_text="distance (lattice constants)", rangemode="tozero")
    figure.update_yaxes(title_text="coupling", zeroline=True)
    return figure


def network_flow(arrays: Mapping[str, np.ndarray]) -> go.Figure | None:
    """Energy a site along v → h → v, from T = 0 and from T = ∞."""
    figure = go.Figure()
    for name, label, colour in (("cold", "from T = 0", BLUE), ("hot", "from T = ∞", ORANGE)):
        if name not in arrays:
            return None
        values = arrays[name]
        every = stride(len(values))
        figure.add_scatter(
            x=gaps(np.arange(len(values), dtype=float)[::every]), y=gaps(values[::every]), mode="lines",
            line={"color": colour, "width": 1.5}, name=label,
        )  # fmt: skip
    figure.update_xaxes(title_text="step v → h → v")
    figure.update_yaxes(title_text="energy per site")
    figure.update_layout(showlegend=True)
    return figure


def _bars(errors: np.ndarray | None, colour: str) -> dict | None:
    if errors is None or not np.isfinite(errors).any():
        return None
    return {
        "type": "data",
        "array": gaps(np.nan_to_num(errors)),
        "thickness": 1.2,
        "width": 3,
        "color": colour,
    }


def _level(
    figure: go.Figure, ends: list[float], level: float | None, name: str, row: int, legend: bool
) -> None:
    style = {"color": ORANGE, "width": 1.5, "dash": "dash"}
    figure.add_scatter(
        x=ends, y=[level, level], mode="lines", line=style, name=name, legendgroup=name, showlegend=legend,
        row=row, col=1,
    )  # fmt: skip


def _between(index: int, count: int) -> str:
    """A colour from teal to blue to purple, by the place of a start."""
    share = index / max(1, count - 1)
    ends = ((31, 154, 138), (61, 132, 204), (154, 111, 208))
    low, high = (ends[0], ends[1]) if share < 0.5 else (ends[1], ends[2])
    part = 2 * share if share < 0.5 else 2 * share - 1
    return "rgb({}, {}, {})".format(
        *(round((1 - part) * a + part * b) for a, b in zip(low, high, strict=True))
    )
