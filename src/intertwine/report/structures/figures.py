"""Structures as figures: what is said against what is true, errors by element, a structure that turns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go

from intertwine.report.structures.elements import colour_of, radius_of
from intertwine.report.theme import BLUE, GREY, ORANGE, PURPLE, TEAL

MOST_POINTS = 4000
COLOURS = (BLUE, ORANGE, TEAL, PURPLE, GREY)
_BOND = 1.25
"""Of the sum of two radii: atoms nearer than that are joined by a line."""
_ARROW = 1.2
"""Å, the longest arrow."""


def parity(true: np.ndarray, said: np.ndarray, group: np.ndarray | None, words: dict[int, str]) -> go.Figure:
    """What is said against what is true, of components (rows, components), in colours by element."""
    figure = go.Figure()
    keys = np.zeros(len(true)) if group is None else group
    kinds = np.unique(keys)
    for k, kind in enumerate(kinds[:12]):
        here = keys == kind
        x, y = true[here].reshape(-1), said[here].reshape(-1)
        kept = np.isfinite(x) & np.isfinite(y)
        x, y = x[kept], y[kept]
        every = max(1, -(-len(x) * len(kinds) // MOST_POINTS))
        name = "" if group is None else words.get(int(kind), str(int(kind)))
        figure.add_scatter(
            x=_short(x[::every]), y=_short(y[::every]), mode="markers", name=name,
            showlegend=group is not None,
            marker={"size": 4, "opacity": 0.6, "color": COLOURS[k % len(COLOURS)]},
        )  # fmt: skip
    known = np.concatenate([true[np.isfinite(true)], said[np.isfinite(said)]])
    if known.size:
        ends = [float(known.min()), float(known.max())]
        style = {"color": GREY, "width": 1, "dash": "dot"}
        figure.add_scatter(x=ends, y=ends, mode="lines", line=style, showlegend=False, hoverinfo="skip")
    figure.update_layout(showlegend=group is not None)
    return figure


def by_element(table: Mapping[str, Mapping[str, object]], names: tuple[str, ...], unit: str) -> go.Figure:
    """Bars of the numbers called `names` for each element."""
    figure = go.Figure()
    words = {"mae": "mean absolute error", "rmse": "root mean square error", "accuracy": "accuracy"}
    for name, colour in zip(names, COLOURS, strict=False):
        values = [row.get(name) for row in table.values()]
        figure.add_bar(x=list(table), y=values, name=words.get(name, name), marker={"color": colour})
    figure.update_xaxes(type="category")
    figure.update_yaxes(title=unit)
    figure.update_layout(showlegend=len(names) > 1, barmode="group")
    return figure


def structure(
    position: np.ndarray,
    symbols: list[str],
    arrow: np.ndarray | None,
    labels: list[str] | None,
    wrong: np.ndarray | None,
    chain: bool,
) -> go.Figure:
    """Points in space in the colours of their elements, or of their labels, with bonds (or the chain) between
    them and arrows for vectors; `wrong` marks labels that are not the true ones."""
    figure = go.Figure()
    lines = _chain(position) if chain else _bonds(position, symbols)
    style: dict[str, Any] = {"color": GREY, "width": 5 if chain else 6}
    figure.add_scatter3d(
        **_xyz(lines), mode="lines", line=style, hoverinfo="skip", showlegend=False, connectgaps=False
    )
    kinds = labels if labels is not None else symbols
    for k, kind in enumerate(dict.fromkeys(kinds)):
        here = np.array([other == kind for other in kinds])
        colour = COLOURS[k % len(COLOURS)] if labels is not None else colour_of(kind)
        size = 6 if chain else 9 + 9 * radius_of(kind)
        edge = {"color": "#555b64", "width": 1}
        figure.add_scatter3d(
            **_xyz(position[here]), mode="markers", name=kind or "–",
            marker={"size": size, "color": colour, "line": edge}, text=[kind] * int(here.sum()),
        )  # fmt: skip
    if wrong is not None and wrong.any():
        figure.add_scatter3d(
            **_xyz(position[wrong]), mode="markers", name="another in the data", hoverinfo="skip",
            marker={"size": 11, "color": "rgba(0,0,0,0)", "symbol": "circle-open", "line": {"color": ORANGE}},
        )  # fmt: skip
    if arrow is not None and np.isfinite(arrow).all():
        longest = float(np.sqrt((arrow**2).sum(1)).max())
        if longest > 0:
            ends = position + arrow * (_ARROW / longest)
            gap = np.full_like(position, np.nan)
            path = np.stack([position, ends, gap], axis=1).reshape(-1, 3)
            style = {"color": ORANGE, "width": 5}
            figure.add_scatter3d(**_xyz(path), mode="lines", line=style, name="said", hoverinfo="skip")
    hidden = {"visible": False}
    figure.update_layout(
        scene={"xaxis": hidden, "yaxis": hidden, "zaxis": hidden, "aspectmode": "data"}, showlegend=True
    )
    return figure


def _bonds(position: np.ndarray, symbols: list[str]) -> np.ndarray:
    """Pairs of points that are near, with gaps between them."""
    from scipy.spatial import KDTree

    radii = np.array([radius_of(symbol) for symbol in symbols])
    pairs = KDTree(position).query_pairs(2 * _BOND * float(radii.max()), output_type="ndarray")
    if not len(pairs):
        return np.zeros((0, 3))
    i, j = pairs.T
    distance = np.sqrt(((position[i] - position[j]) ** 2).sum(1))
    kept = distance < _BOND * (radii[i] + radii[j])
    i, j = i[kept], j[kept]
    return np.stack([position[i], position[j], np.full((len(i), 3), np.nan)], axis=1).reshape(-1, 3)


def _chain(position: np.ndarray) -> np.ndarray:
    """Points in their order, with gaps where two are further than neighbours of a chain are."""
    if len(position) < 2:
        return position
    far = np.sqrt((np.diff(position, axis=0) ** 2).sum(1)) > 4.5
    return np.insert(position, np.flatnonzero(far) + 1, np.nan, axis=0)


def _xyz(points: np.ndarray) -> dict[str, Any]:
    return {name: _short(points[:, k]) for k, name in enumerate("xyz")}


def _short(values: np.ndarray) -> list[float | None]:
    """Numbers to five digits, None where there is none."""
    return [float(f"{v:.5g}") if np.isfinite(v) else None for v in np.asarray(values, float)]
