"""The plates of the page: accuracy, equivariance error and energy by irrep along the training."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from intertwine.report.group_tables.read import TableRun
from intertwine.report.numbers import plain
from intertwine.report.plate import Plate
from intertwine.report.series import gaps
from intertwine.report.theme import BLUE, GREY, ORANGE, PURPLE, TEAL

_COLORS = (BLUE, ORANGE, TEAL, PURPLE, GREY, "#b0485f", "#7a9a3d", "#44617b")
MOST_LINES = 8


def plates(run: TableRun) -> list[Plate]:
    """Every figure that the run has numbers for, in the order of the page."""
    drawn = [
        _accuracy(run), _error(run), _energy(run, run.energy, "energy", "scores"),
        _energy(run, run.weights, "weights", "weights of both layers"),
    ]  # fmt: skip
    return [plate for plate in drawn if plate is not None]


def _accuracy(run: TableRun) -> Plate | None:
    x = _updates(run)
    if x is None:
        return None
    figure = go.Figure()
    for name, label, color in (("accuracy", "learnt from", GREY), ("validation_accuracy", "held out", BLUE)):
        if name in run.metrics:
            _line(figure, x, 100 * run.metrics[name], color, label)
    _along(figure, "right products (%)")
    caption = (
        "Share of right products against the updates: of the pairs learnt from, and of those held out. Where"
        " the first rises long before the second, pairs were memorised before the rule was found."
    )
    e = run.emergence
    words = f"Memorised at update {plain(e.get('memorised'))}, generalised at {plain(e.get('generalised'))}."
    return Plate("accuracy", "Memorising and generalising", caption, words, figure, 360)


def _error(run: TableRun) -> Plate | None:
    x = _updates(run)
    if x is None or "symmetry_error" not in run.metrics:
        return None
    figure = go.Figure()
    _line(figure, x, run.metrics["symmetry_error"], BLUE, "under G × G")
    if "class_error" in run.metrics:
        _line(figure, x, run.metrics["class_error"], ORANGE, "from functions of the class")
    _along(figure, "relative error")
    figure.update_yaxes(type="log", exponentformat="power")
    caption = (
        "How far the scores of all pairs are from scores that the group's own multiplication leaves alone:"
        " ‖F − PF‖/‖F‖, P the mean over (a, b), c → (ga, bk⁻¹), gck⁻¹; and from functions of the conjugacy"
        " class of a⁻¹cb⁻¹, sums of characters."
    )
    words = f"Equivariance error {plain(run.last('symmetry_error'), 3)} at the last line."
    return Plate("symmetry", "Equivariance error", caption, words, figure, 360)


def _energy(run: TableRun, table: np.ndarray | None, name: str, of: str) -> Plate | None:
    x = _updates(run)
    if table is None or x is None or len(table) != len(x) or not np.isfinite(table).any():
        return None
    names = run.emergence.get("irreps") or [f"irrep {k}" for k in range(table.shape[1])]
    order = np.argsort(-np.nan_to_num(table[-1]), kind="stable")
    figure = go.Figure()
    for k, color in zip(order[:MOST_LINES], _COLORS, strict=False):
        _line(figure, x, table[:, k], color, names[k] if k < len(names) else str(k))
    if len(order) > MOST_LINES:
        _line(
            figure,
            x,
            table[:, order[MOST_LINES:]].sum(axis=1),
            GREY,
            f"{len(order) - MOST_LINES} others",
            "dot",
        )
    _along(figure, "share of the energy")
    caption = (
        f"The energy of the {of} as functions on the group, divided among the real irreps (Fourier transform"
        " on the group); the largest at the end are drawn."
    )
    top = names[order[0]] if order[0] < len(names) else str(order[0])
    words = f"At the end the largest share is {plain(float(table[-1, order[0]]), 3)}, of {top}."
    return Plate(name, f"Energy by irrep: {of}", caption, words, figure, 380)


def _updates(run: TableRun) -> np.ndarray | None:
    found = run.metrics.get("updates")
    return None if found is None or not len(found) else found


def _line(
    figure: go.Figure, x: np.ndarray, y: np.ndarray, color: str, name: str, dash: str = "solid"
) -> None:
    mode = "lines" if len(x) > 1 else "markers"
    style = {"color": color, "width": 1.8, "dash": dash}
    figure.add_scatter(x=gaps(x), y=gaps(y), mode=mode, line=style, marker={"color": color}, name=name)


def _along(figure: go.Figure, words: str) -> None:
    figure.update_xaxes(title_text="updates")
    figure.update_yaxes(title_text=words)
    figure.update_layout(showlegend=True)
