"""The plates of the page: errors against the epoch, fields as they are and as said, turned fields."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go

from intertwine.report.classify.figures import equivariance as by_layer
from intertwine.report.fields import figures
from intertwine.report.fields.read import Run
from intertwine.report.numbers import plain
from intertwine.report.plate import Plate
from intertwine.report.series import gaps, stride
from intertwine.report.theme import BLUE, GREY

MOST_TARGETS = 2


def plates(run: Run) -> list[Plate]:
    """Every figure that the run has numbers for, in the order of the page."""
    drawn = [*_fields(run), _curves(run), _turned(run), _equivariance(run)]
    there = [plate for plate in drawn if plate is not None]
    narrow = [k for k, plate in enumerate(there) if not plate.wide]
    if len(narrow) % 2:  # none stands alone in its row
        there[narrow[0]] = replace(there[narrow[0]], wide=True)
    return there


def _fields(run: Run) -> list[Plate | None]:
    found: list[Plate | None] = []
    titles = {
        str(v[0]).replace(":", "_"): str(v[0]) for v in (run.result.get("model") or {}).get("targets", [])
    }
    for name, (true, said) in list(run.samples.items())[:MOST_TARGETS]:
        first = true[0, 0], said[0, 0]
        what = titles.get(name, name)
        part = f"the first component of {what}" if len(true) > 1 else what
        words = f"{part} of the first sample: as it is, as the network says it, and the difference"
        if "position" in run.places and "face" in run.places:
            figure = figures.mesh(run.places["position"], run.places["face"], first[1])
            caption = (
                f"What the network says of {part} at the vertices of the mesh; turn it with the pointer."
            )
            found.append(
                Plate(f"mesh-{name}", f"{what} on the mesh", caption, caption, figure, 520, wide=True)
            )
            continue
        places = run.places.get("latitude"), run.places.get("longitude")
        if first[0].ndim == 1 and places[0] is not None and places[1] is not None:  # pixels
            pixel, north, east = figures.nearest(places[0], places[1])
            first, places = (first[0][pixel], first[1][pixel]), (north, east)
        if first[0].ndim == 2:
            figure = figures.maps(*first, *places)
            caption = f"{words[0].upper()}{words[1:]}. Two have one scale, the difference its own."
            if places[0] is not None:
                caption += " Latitude against longitude, in degrees."
            found.append(Plate(f"maps-{name}", what, caption, words, figure, 620, wide=True))
            if places[0] is not None and places[1] is not None:
                globe = figures.globe(first[1], places[0], places[1])
                caption = f"What the network says of {part} on the globe, which the pointer turns."
                found.append(Plate(f"globe-{name}", f"{what} on the globe", caption, caption, globe, 460))
    return found


def _curves(run: Run) -> Plate | None:
    epochs = run.metrics.get("epoch")
    if epochs is None or not len(epochs):
        return None
    figure, every = go.Figure(), stride(run.steps)
    for name, words, colour in (("rmse", "learnt from", GREY), ("validation_rmse", "held out", BLUE)):
        values = run.metrics.get(name)
        if values is not None and np.isfinite(values).any():
            figure.add_scatter(
                x=gaps(epochs[::every]), y=gaps(values[::every]), name=words, line={"color": colour},
                mode="lines" if len(values) > 1 else "markers",
            )  # fmt: skip
    figure.update_xaxes(title="epoch")
    figure.update_yaxes(title="rms error", type="log")
    figure.update_layout(showlegend=True)
    caption = "Root mean square error of standardised targets after each epoch, logarithmic."
    return Plate("curves", "Error", caption, f"{plain(run.last('rmse'), 3)} at the last.", figure, 360)


def _turned(run: Run) -> Plate | None:
    table = run.result.get("rotations")
    if not isinstance(table, dict) or not isinstance(table.get("rmse"), dict):
        return None
    names, figure = [str(name) for name in table.get("elements", [])], go.Figure()
    for target, values in table["rmse"].items():
        if isinstance(values, list) and len(values) == len(names):
            figure.add_bar(x=names, y=values, name=str(target))
    figure.update_yaxes(title="rms error")
    figure.update_xaxes(type="category", automargin=True)
    caption = (
        "Errors of a few samples as they are and turned at random, in the units of the targets. What the"
        " network says turns with its input: the errors are alike up to its equivariance."
    )
    return Plate("turned", "Turned fields", caption, f"{len(names)} turns.", figure, 380)


def _equivariance(run: Run) -> Plate | None:
    rows = run.result.get("equivariance")
    rows = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    kind = str(run.result.get("space")).partition(":")[0]
    exactly = {"plane": "elements that map the grid to itself", "sphere": "rotations", "healpix": "rotations"}
    figure = by_layer(rows, run.result.get("precision") != "float64", exactly.get(kind, "frames, isometries"))
    if figure is None:
        return None
    caption = (
        "The largest relative difference between a layer of the moved input and the moved layer of the input,"
        " each layer on its own input, and the whole network at the end."
    )
    errors = [row["error"] for row in rows if row.get("error") is not None]
    words = f"The largest error is {plain(max(errors, default=None), 2)}."
    return Plate("equivariance", "Equivariance of each layer", caption, words, figure, 380)
