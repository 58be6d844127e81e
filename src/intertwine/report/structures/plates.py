"""The plates of the page: what is said against what is true, errors by element, curves, a structure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go

from intertwine.report.classify.figures import by_rotation, confusion
from intertwine.report.numbers import plain
from intertwine.report.plate import Plate
from intertwine.report.series import gaps, stride
from intertwine.report.structures import figures
from intertwine.report.structures.read import Pairs, Run
from intertwine.report.theme import BLUE, GREY

MOST_TARGETS = 4


def plates(run: Run) -> list[Plate]:
    """Every figure that the run has numbers for, in the order of the page."""
    drawn = [
        *(_parity(run, name, pairs) for name, pairs in list(run.pairs.items())[:MOST_TARGETS]),
        *_elements(run), _confusion(run), *_curves(run), _structure(run), *_turned(run),
    ]  # fmt: skip
    there = [plate for plate in drawn if plate is not None]
    narrow = [k for k, plate in enumerate(there) if not plate.wide]
    if len(narrow) % 2:  # none stands alone in its row
        there[narrow[-1]] = replace(there[narrow[-1]], wide=True)
    return there


def _parity(run: Run, name: str, pairs: Pairs) -> Plate:
    figure = figures.parity(pairs.true, pairs.said, pairs.element, run.symbols)
    unit = f" ({pairs.unit})" if pairs.unit not in ("", "1") else ""
    figure.update_xaxes(title=f"{name}, true{unit}")
    figure.update_yaxes(title=f"{name}, said{unit}")
    each = "each component" if pairs.true.shape[1] > 1 else "each"
    caption = (
        f"What the network says of {name} against what is true, {each} a point; the line is what is right."
    )
    off = (pairs.said - pairs.true)[np.isfinite(pairs.true)]
    mean = float(np.abs(off).mean()) if off.size else None
    return Plate(f"parity-{name}", name, caption, f"Mean absolute error {plain(mean, 3)}{unit}.", figure, 420)


def _elements(run: Run) -> list[Plate | None]:
    found: list[Plate | None] = []
    errors = run.result.get("errors")
    for name, row in errors.items() if isinstance(errors, dict) else ():
        table = _table(row, "by_element")
        if table:
            unit = str(row.get("unit") or "")
            figure = figures.by_element(table, ("mae", "rmse"), unit)
            caption = f"Errors of {name} by element, of each component."
            words = ", ".join(
                f"{element} {plain(_number(of.get('mae')), 3)}" for element, of in table.items()
            )
            found.append(Plate(f"elements-{name}", f"{name} by element", caption, f"{words}.", figure, 380))
    table = _table(run.result, "by_kind")
    if table:
        figure = figures.by_element(table, ("accuracy",), "share that is right")
        caption = "The share of points of each kind whose class is right."
        found.append(Plate("kinds", "Accuracy by kind", caption, f"{len(table)} kinds.", figure, 380))
    return found


def _confusion(run: Run) -> Plate | None:
    counts, classes = run.result.get("confusion"), run.result.get("classes")
    if not isinstance(counts, list) or not isinstance(classes, list) or len(counts) != len(classes):
        return None
    table = np.array(counts)
    if table.ndim != 2 or table.dtype.kind not in "iu":
        return None
    of = str(run.result.get("of") or "points")
    wrong = int(table.sum() - np.trace(table))
    caption = f"How many {of} of each class (a row) were taken for each class; colours are shares of the row."
    words = f"{wrong} of {int(table.sum())} {of} off the diagonal."
    return Plate("confusion", "Confusion", caption, words, confusion(table, [str(c) for c in classes]), 420)


def _curves(run: Run) -> list[Plate | None]:
    epochs = run.metrics.get("epoch")
    if epochs is None or not len(epochs):
        return []
    names = [n for n in run.metrics if n.endswith("_error") and not n.startswith("validation_")]
    names = [*names[:MOST_TARGETS], *(("accuracy",) if "accuracy" in run.metrics else ()), "loss"]
    found: list[Plate | None] = []
    for name in names:
        figure, every, drawn = go.Figure(), stride(run.steps), False
        for column, words, colour in ((name, "learnt from", GREY), (f"validation_{name}", "held out", BLUE)):
            values = run.metrics.get(column)
            if values is not None and np.isfinite(values).any():
                drawn = True
                mode = "lines" if len(values) > 1 else "markers"
                figure.add_scatter(
                    x=gaps(epochs[::every]),
                    y=gaps(values[::every]),
                    name=words,
                    line={"color": colour},
                    mode=mode,
                )
        if not drawn:
            continue
        what = name.removesuffix("_error")
        figure.update_xaxes(title="epoch")
        figure.update_yaxes(title=what, type="linear" if name == "accuracy" else "log")
        figure.update_layout(showlegend=True)
        caption = {
            "loss": "What is minimised, after each epoch: of the weights as they move, and of their average.",
            "accuracy": "The share of labels that are right, after each epoch.",
        }.get(name, f"Root mean square error of {what} after each epoch{_of_energy(what)}, logarithmic.")
        title = {"loss": "Loss", "accuracy": "Accuracy"}.get(name, f"Error of {what}")
        words = f"{plain(run.last(f'validation_{name}'), 3)} of the structures held out at the last."
        found.append(Plate(f"curve-{name}", title, caption, words, figure, 360))
    return found


def _of_energy(name: str) -> str:
    return ", per point" if name == "energy" else ""


def _structure(run: Run) -> Plate | None:
    position = run.shown.get("position")
    if position is None:
        return None
    words = run.symbols
    symbols = [words.get(int(number), "") for number in run.shown["element"]]
    labels, wrong = None, None
    classes = run.result.get("classes")
    if "shown_guess" in run.shown and isinstance(classes, list):
        guess, truth = (run.shown[name].astype(int) for name in ("shown_guess", "shown_label"))
        if guess.min() >= 0 and guess.max() < len(classes):
            labels = [str(classes[k]) for k in guess]
            wrong = (truth >= 0) & (guess != truth)
    chain = (run.result.get("data") or {}).get("of") == "residues"
    figure = figures.structure(position, symbols, run.shown.get("arrow"), labels, wrong, chain)
    caption = f"The first structure tested, {len(position)} points, which the pointer turns"
    caption += ": arrows are what the network says" if "arrow" in run.shown else ""
    caption += (
        ": colours are what the network says; circles, where the data say another class" if labels else ""
    )
    return Plate("structure", "A structure", f"{caption}.", f"{caption}.", figure, 520, wide=True)


def _turned(run: Run) -> list[Plate | None]:
    table = run.result.get("rotations")
    if not isinstance(table, dict) or not isinstance(table.get("elements"), list):
        return []
    names, figure = [str(name) for name in table["elements"]], go.Figure()
    errors = [row.get("error") for row in run.result.get("equivariance") or [] if isinstance(row, dict)]
    worst = max((e for e in errors if isinstance(e, float)), default=None)
    words = f"The largest change is {plain(worst, 2)} of the largest number said."
    accuracy = table.get("accuracy")
    if isinstance(accuracy, list) and len(accuracy) == len(names):
        figure = by_rotation(names, np.array(accuracy, float), None)
        caption = "Accuracy of a few structures as they are, turned and mirrored at random."
        return [Plate("turned", "Turned structures", caption, words, figure, 360)]
    rmse = table.get("rmse")
    for target, values in rmse.items() if isinstance(rmse, dict) else ():
        if isinstance(values, list) and len(values) == len(names):
            figure.add_bar(x=names, y=values, name=str(target))
    if not figure.data:
        return []
    figure.update_yaxes(title="rms error", type="log")
    figure.update_xaxes(type="category", automargin=True)
    figure.update_layout(showlegend=True)
    caption = (
        "Errors of a few structures as they are, turned and mirrored at random, in the units of the targets:"
        " what the network says turns with its input."
    )
    return [Plate("turned", "Turned structures", caption, words, figure, 380)]


def _table(record: object, name: str) -> dict[str, dict[str, Any]]:
    found = record.get(name) if isinstance(record, dict) else None
    return {str(k): v for k, v in found.items() if isinstance(v, dict)} if isinstance(found, dict) else {}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
