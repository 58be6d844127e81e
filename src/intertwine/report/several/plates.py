"""The energies of several runs side by side."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from intertwine.report.numbers import plain, with_error
from intertwine.report.plate import Plate
from intertwine.report.series import gaps
from intertwine.report.several.read import SeveralRuns
from intertwine.report.theme import BLUE, ORANGE

_COLUMNS = ("run", "sector", "energy", "V-score", "exact energy", "relative error", "seconds")


def plates(run: SeveralRuns) -> list[Plate]:
    """One figure, and the table of all numbers."""
    rows = [row for row in run.rows if isinstance(row.get("energy"), int | float)]
    if not rows:
        return []
    names = [str(row["run"]) for row in rows]
    errors = [float(row.get("error") or 0.0) for row in rows]
    figure = go.Figure()
    figure.add_scatter(
        x=names,
        y=gaps(np.array([row["energy"] for row in rows], float)),
        error_y={"type": "data", "array": errors, "thickness": 1.2, "width": 3},
        mode="markers",
        marker={"color": BLUE, "size": 8},
        name="energy",
    )
    known = [row for row in rows if isinstance(row.get("exact"), int | float)]
    if known:
        style = {"color": ORANGE, "symbol": "line-ew-open", "size": 18}
        figure.add_scatter(
            x=[str(row["run"]) for row in known], y=[row["exact"] for row in known], mode="markers",
            marker=style, name="exact",
        )  # fmt: skip
    figure.update_yaxes(title_text="energy")
    figure.update_xaxes(type="category")
    caption = "Energy of each run with one standard error; bars: the exact energy of its space or sector."
    words = f"Energies of {len(rows)} runs; the numbers are in the table below the figure."
    return [Plate("energies", "Energies", caption, words, figure, 400, True, _COLUMNS, _rows(run))]


def _rows(run: SeveralRuns) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            str(row["run"]),
            str(row.get("sector") or ""),
            with_error(row.get("energy"), row.get("error")),
            plain(row.get("v_score"), 2),
            plain(row.get("exact"), 10) if row.get("exact") is not None else "",
            plain(row.get("relative_error"), 2) if row.get("relative_error") is not None else "",
            plain(row.get("seconds"), 3),
        )
        for row in run.rows
    )
