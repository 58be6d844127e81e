"""Fields as figures: maps of a globe or of an array, a globe that turns, a mesh."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from intertwine.report.theme import DIVERGING, SEQUENTIAL

MOST_ROWS, MOST_COLUMNS = 91, 180
_DIGITS = 4
_MOSTLY = 5.0
"""So many times the rest the mean of a difference hides it."""


def maps(
    true: np.ndarray, said: np.ndarray, latitude: np.ndarray | None, longitude: np.ndarray | None
) -> go.Figure:
    """A field as it is, as it is said, and the difference, one above another; (rows, columns). Where hardly
    more than the mean of the difference is seen, it is taken off, and the titles say so."""
    level = _level(said - true, latitude)
    less = f", less {level:.4g}" if level else ""
    said = said - level
    thin = _thinned(true.shape)
    shown = [values[thin] for values in (true, said, said - true)]
    figure = make_subplots(
        rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.06,
        subplot_titles=("as it is", f"as it is said{less}", f"difference{less}"),
    )  # fmt: skip
    low, high = (float(f(np.stack(shown[:2]))) for f in (np.nanmin, np.nanmax))
    reach = float(np.nanmax(np.abs(shown[2]))) or 1.0
    x = None if longitude is None else _short(longitude[thin[1]])
    y = None if latitude is None else _short(latitude[thin[0][:, 0]])
    for row, values in enumerate(shown, 1):
        span: dict[str, Any] = dict(zmin=low, zmax=high, colorscale=SEQUENTIAL)
        if row == 3:
            span = dict(zmin=-reach, zmax=reach, colorscale=DIVERGING)
        bar = {"len": 0.28, "y": (0.86, 0.5, 0.14)[row - 1], "thickness": 12}
        figure.add_heatmap(z=_short(values), x=x, y=y, colorbar=bar, row=row, col=1, **span)
        figure.update_yaxes(autorange=True if latitude is not None else "reversed", row=row, col=1)
    return figure


def _level(difference: np.ndarray, latitude: np.ndarray | None) -> float:
    """The mean over the area, where it is larger than all else; 0 where it is not."""
    share = np.ones(len(difference)) if latitude is None else np.cos(np.radians(latitude))
    weights = np.where(np.isfinite(difference), share[:, None], 0.0)
    known = np.where(weights > 0, difference, 0.0)
    total = max(float(weights.sum()), 1e-300)
    mean = float((weights * known).sum()) / total
    rest = float((weights * (known - mean) ** 2).sum() / total) ** 0.5
    return mean if abs(mean) > _MOSTLY * rest > 0 else 0.0


def globe(said: np.ndarray, latitude: np.ndarray, longitude: np.ndarray) -> go.Figure:
    """A field on the sphere, closed around, and at poles without a row by the mean of the nearest."""
    thin = _thinned(said.shape)
    values, north, east = said[thin], latitude[thin[0][:, 0]], longitude[thin[1]]
    if abs(north[0] - 90) > 1e-6:
        values, north = np.insert(values, 0, _mean(values[0]), axis=0), np.insert(north, 0, 90.0)
    if abs(north[-1] + 90) > 1e-6:
        values, north = np.append(values, values[-1:], axis=0), np.append(north, -90.0)
        values[-1] = _mean(values[-1])
    values = np.concatenate([values, values[:, :1]], axis=1)
    phi, lam = np.radians(north)[:, None], np.radians(np.append(east, east[0] + 360))
    place = np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi) + 0 * lam
    surface: dict[str, Any] = dict(zip("xyz", map(_short, place), strict=True))
    figure = go.Figure(
        go.Surface(**surface, surfacecolor=_short(values), colorscale=SEQUENTIAL, hoverinfo="skip",
                   colorbar={"thickness": 12}, lighting={"ambient": 0.9, "diffuse": 0.3, "specular": 0.0})
    )  # fmt: skip
    return _in_space(figure)


def _mean(row: np.ndarray) -> float:
    """Of what is known."""
    known = row[np.isfinite(row)]
    return float(known.mean()) if known.size else np.nan


def mesh(position: np.ndarray, face: np.ndarray, values: np.ndarray) -> go.Figure:
    """Values at the vertices of a mesh."""
    sides: dict[str, Any] = dict(zip("ijk", face.astype(int).T.tolist(), strict=True))
    place: dict[str, Any] = dict(zip("xyz", map(_short, position.T), strict=True))
    figure = go.Figure(
        go.Mesh3d(**place, **sides, intensity=_short(values), colorscale=SEQUENTIAL, hoverinfo="skip",
                  colorbar={"thickness": 12})
    )  # fmt: skip
    return _in_space(figure)


def nearest(latitude: np.ndarray, longitude: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of points of the sphere in any order, degrees (n,): the number of the nearest one at every place of a
    grid, (rows, columns), and the latitudes and longitudes of this."""
    from scipy.spatial import KDTree

    rows = int(np.clip(round((len(latitude) * 16 / 3) ** 0.5), 12, MOST_ROWS))
    north = 90 - 180 * (np.arange(rows) + 0.5) / rows
    east = 180 * (np.arange(2 * rows) + 0.5) / rows
    tree = KDTree(_on_the_sphere(latitude, longitude))
    found = tree.query(_on_the_sphere(np.repeat(north, 2 * rows), np.tile(east, rows)))[1]
    return np.asarray(found).reshape(rows, 2 * rows), north, east


def _on_the_sphere(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """(n, 3)."""
    phi, lam = np.radians(latitude), np.radians(longitude)
    return np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=-1)


def _in_space(figure: go.Figure) -> go.Figure:
    hidden = {"visible": False}
    figure.update_layout(scene={"xaxis": hidden, "yaxis": hidden, "zaxis": hidden, "aspectmode": "data"})
    return figure


def _thinned(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns that are drawn, as an index of both."""
    steps = (-(-shape[0] // MOST_ROWS), -(-shape[1] // MOST_COLUMNS))
    rows, columns = (np.arange(0, n, step) for n, step in zip(shape, steps, strict=True))
    return rows[:, None], columns


def _short(values: np.ndarray) -> list[Any]:
    """Numbers to four digits, None where there is none."""
    flat = [
        float(f"{v:.{_DIGITS}g}") if np.isfinite(v) else None for v in np.asarray(values, float).reshape(-1)
    ]
    if np.ndim(values) == 1:
        return flat
    columns = np.shape(values)[1]
    return [flat[k : k + columns] for k in range(0, len(flat), columns)]
