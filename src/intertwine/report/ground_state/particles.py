"""The plates of densities, structure factors and momentum distributions of a run in a Hilbert space."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go

from intertwine.report.ground_state import lattice_figures
from intertwine.report.ground_state.read import IN_SPACE, Field
from intertwine.report.numbers import plain, with_error
from intertwine.report.plate import Plate
from intertwine.report.series import gaps
from intertwine.report.theme import BLUE, GREY, SEQUENTIAL

_HEADINGS = {
    "density": "Density",
    "spin_z": "Spin along z",
    "density_structure_factor": "Density structure factor",
    "spin_structure_factor": "Spin structure factor",
    "momentum_distribution": "Momentum distribution",
    "momentum_distribution_up": "Momentum distribution, spin up",
    "momentum_distribution_down": "Momentum distribution, spin down",
}


def plate(name: str, field: Field) -> Plate:
    """The figure of one field, with its table."""
    heading, over = _HEADINGS[name], IN_SPACE[name]
    unit = 1.0 if over == "site" else math.pi
    rows = tuple(
        (_place(point / unit), with_error(float(value), None if field.errors is None else float(error)))
        for point, value, error in zip(
            field.vectors, field.values, field.values if field.errors is None else field.errors, strict=True
        )
    )
    columns = ("site at" if over == "site" else "k / π", f"{heading.lower()} ± standard error")
    label = field.label or heading
    words = f"{heading} at {len(rows)} places; the numbers are in the table below the figure."
    if over == "momentum":
        figure = lattice_figures.structure_factor(field)
        figure.update_yaxes(title_text=heading.lower() if field.vectors.shape[1] != 2 else None)
        caption = f"{label}, at the momenta of the lattice, without unit."
    else:
        figure = _on_sites(field, heading.lower())
        caption = f"{label}, without unit."
    return Plate(name.replace("_", "-"), heading, caption, words, figure, 400, False, columns, rows)


def _on_sites(field: Field, words: str) -> go.Figure:
    """Bars along a chain or by number, coloured sites in the plane."""
    figure = go.Figure()
    if field.vectors.shape[1] == 2:
        figure.add_scatter(
            x=gaps(field.vectors[:, 0]),
            y=gaps(field.vectors[:, 1]),
            mode="markers",
            marker={
                "color": gaps(field.values),
                "size": 22,
                "colorscale": SEQUENTIAL,
                "line": {"color": GREY, "width": 1},
                "showscale": True,
            },
            customdata=gaps(field.values),
            hovertemplate="(%{x:.3f}, %{y:.3f})<br>%{customdata:.5f}<extra></extra>",
            showlegend=False,
        )
        figure.update_xaxes(title_text="x (lattice spacings)", showgrid=False)
        figure.update_yaxes(title_text="y (lattice spacings)", showgrid=False, scaleanchor="x")
        return figure
    x = field.vectors[:, 0] if field.vectors.shape[1] == 1 else np.arange(len(field.values))
    bars = None if field.errors is None else {"type": "data", "array": gaps(field.errors), "thickness": 1.2}
    figure.add_bar(x=gaps(x), y=gaps(field.values), error_y=bars, marker={"color": BLUE}, showlegend=False)
    figure.update_xaxes(title_text="site")
    figure.update_yaxes(title_text=words, rangemode="tozero")
    return figure


def _place(point: np.ndarray) -> str:
    parts = [plain(round(float(x), 9), 4) for x in point]
    return parts[0] if len(parts) == 1 else "(" + ", ".join(parts) + ")"
