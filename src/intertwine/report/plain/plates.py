"""A figure for each column of metrics."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from intertwine.report.numbers import plain
from intertwine.report.plain.read import PlainRun
from intertwine.report.plate import Plate
from intertwine.report.series import gaps, stride
from intertwine.report.theme import BLUE


def plates(run: PlainRun) -> list[Plate]:
    """The columns that have numbers, in the order of the schema, the seconds left out."""
    names = [name for name in run.schema.numbers if name != "seconds"]
    return [_plate(run, name) for name in names if np.isfinite(run.metrics.get(name, np.nan)).any()]


def _plate(run: PlainRun, name: str) -> Plate:
    entry, every = run.schema.words_of(name), stride(run.steps)
    x, y = gaps(run.metrics["step"][::every]), gaps(run.metrics[name][::every])
    unit = "" if entry.unit == "1" else f", in {entry.unit}"
    heading = entry.words[:1].upper() + entry.words[1:]
    figure = go.Figure(go.Scatter(x=x, y=y, mode="lines" if len(x) > 1 else "markers", line={"color": BLUE}))
    figure.update_xaxes(title=run.schema.words_of("step").words)
    figure.update_yaxes(title=entry.words + unit)
    words = (
        f"{heading} against the {run.schema.words_of('step').words}, {plain(run.last(name), 4)} at the end."
    )
    return Plate(name, heading, f"{heading}{unit}, at each line of metrics.", words, figure, 330)
