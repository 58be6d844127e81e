r"""The figures of a learning run, one function each: plain arrays in, a plotly figure out (see `figures`).

The likelihood of a Boltzmann machine needs ln Z; by annealed importance sampling forwards and backwards it is
known between two bounds (Grosse, Ghahramani & Adams 2015; Burda, Grosse & Salakhutdinov 2015), drawn as the
bar of each estimate. Free energies F(v) = −ln Ψ(v) need no Z: where the machine has learnt the distribution,
those of its samples, of the rows that it learnt from and of rows held out fall on one another.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from intertwine.report.series import Metrics, gaps, stride
from intertwine.report.theme import BLUE, GREY, ORANGE, PURPLE, TEAL

MOST_BINS = 60
MOST_POINTS = 4000
SHOWN_CHAINS = 6
_FILLS = {
    BLUE: "rgba(61, 132, 204, 0.20)",
    ORANGE: "rgba(210, 105, 30, 0.16)",
    TEAL: "rgba(31, 154, 138, 0.18)",
}


def likelihood(metrics: Metrics, final: dict | None = None, best: float | None = None) -> go.Figure | None:
    """Log-likelihood against epoch with the bracket of ln Z; `final`: mean, lower, upper at the end;
    `best`: minus the entropy, as a line.
    """
    x, y = _finite(metrics, "log_likelihood")
    lower, upper = (_at(metrics, f"log_likelihood_{side}", "log_likelihood") for side in ("lower", "upper"))
    epochs = metrics.get("epoch", np.zeros(0))
    if final and final.get("mean") is not None:
        end = float(epochs[-1]) if len(epochs) else 0.0
        x, y = np.append(x, end), np.append(y, final["mean"])
        bounds = (np.nan if final.get(side) is None else final[side] for side in ("lower", "upper"))
        lower, upper = (np.append(a, b) for a, b in zip((lower, upper), bounds, strict=True))
    if not len(x):
        return None
    figure = go.Figure()
    if best is not None:
        _horizontal(figure, [0.0, float(x.max())], best, "best possible, minus the entropy")
    seen_x, seen_y = _finite(metrics, "log_likelihood_train")
    if len(seen_x):
        style = {"color": GREY, "width": 1.4, "dash": "dot"}
        figure.add_scatter(x=gaps(seen_x), y=gaps(seen_y), name="rows learnt from", mode="lines", line=style)
    bars = {
        "type": "data", "symmetric": False, "thickness": 1.4, "width": 4, "color": BLUE,
        "array": gaps(np.nan_to_num(np.maximum(upper - y, 0))),
        "arrayminus": gaps(np.nan_to_num(np.maximum(y - lower, 0))),
    }  # fmt: skip
    mode = "lines+markers" if len(x) > 1 else "markers"
    figure.add_scatter(
        x=gaps(x), y=gaps(y), error_y=bars, mode=mode, name="rows held out",
        line={"color": BLUE, "width": 1.8}, marker={"color": BLUE, "size": 6},
    )  # fmt: skip
    figure.update_xaxes(title_text="epoch", rangemode="tozero")
    figure.update_yaxes(title_text="log-likelihood (nats per row)")
    figure.update_layout(showlegend=True)
    return figure


def progress(metrics: Metrics) -> go.Figure | None:
    """Pseudo-likelihood, reconstruction error and free-energy gap against epoch, a panel each."""
    panels = [
        ("pseudo_likelihood", "pseudo-<br>likelihood", TEAL),
        ("reconstruction_error", "reconstruc-<br>tion error", BLUE),
        ("free_energy_gap", "free-energy<br>gap", PURPLE),
    ]
    drawn = [(title, color, name) for name, title, color in panels if len(_finite(metrics, name)[0])]
    if not drawn:
        return None
    figure = make_subplots(rows=len(drawn), cols=1, shared_xaxes=True, vertical_spacing=0.07)
    for row, (title, color, name) in enumerate(drawn, start=1):
        x, y = _finite(metrics, name)
        _lines(figure, x, y, color, row)
        figure.update_yaxes(title_text=title, row=row, col=1)
        if name == "free_energy_gap":
            figure.update_yaxes(zeroline=True, row=row, col=1)
    figure.update_xaxes(title_text="epoch", row=len(drawn), col=1)
    return figure


def distance(metrics: Metrics) -> go.Figure | None:
    """W1 between chains and data against epoch, and its floor."""
    x, y = _finite(metrics, "wasserstein")
    if not len(x):
        return None
    figure = make_subplots(rows=1, cols=1)
    _lines(figure, x, y, BLUE, 1, "chains and data")
    floor_x, floor = _finite(metrics, "wasserstein_floor")
    if len(floor_x):
        _horizontal(figure, [0.0, float(x.max())], float(floor.mean()), "data and data")
    figure.update_xaxes(title_text="epoch", rangemode="tozero")
    figure.update_yaxes(title_text="W<sub>1</sub>", rangemode="tozero")
    figure.update_layout(showlegend=True)
    return figure


def optimiser(metrics: Metrics) -> go.Figure | None:
    """Learning rate and norm of the update against epoch, logarithmic."""
    names = [("update_norm", "norm of the update", BLUE), ("learning_rate", "learning rate", ORANGE)]
    figure, drawn = make_subplots(rows=1, cols=1), []
    for name, title, color in names:
        x, y = _finite(metrics, name)
        positive = y > 0
        if positive.any():
            _lines(figure, x[positive], y[positive], color, 1, title)
            drawn.append(y[positive])
    if not drawn:
        return None
    figure.update_xaxes(title_text="epoch")
    figure.update_yaxes(title_text="value")
    _decades(figure, np.concatenate(drawn))
    figure.update_layout(showlegend=True)
    return figure


def modes(epochs: np.ndarray, table: np.ndarray, names: list[str]) -> go.Figure | None:
    """Strengths of modes (steps, k) against the epoch, logarithmic, the first ones in colours; 1 dotted."""
    kept = np.isfinite(epochs) & np.isfinite(table).all(axis=1)
    if not kept.any():
        return None
    every = stride(int(kept.sum()))
    x, rows = epochs[kept][::every], np.where(table[kept] > 0, table[kept], np.nan)[::every]
    figure = go.Figure()
    for k in range(rows.shape[1]):
        color = _COLORS[k] if k < len(_COLORS) else "rgba(128, 128, 128, 0.45)"
        figure.add_scatter(
            x=gaps(x), y=gaps(rows[:, k]), mode="lines" if len(x) > 1 else "markers",
            line={"color": color, "width": 1.6}, marker={"color": color},
            name=names[k] if k < len(names) else f"mode {k + 1}", showlegend=k < len(_COLORS),
        )  # fmt: skip
    style = {"color": GREY, "width": 1.2, "dash": "dot"}
    figure.add_scatter(
        x=[float(x[0]), float(x[-1])], y=[1.0, 1.0], mode="lines", line=style, name="transition"
    )
    figure.update_xaxes(title_text="epoch")
    figure.update_yaxes(title_text="strength", type="log", exponentformat="power")
    figure.update_layout(showlegend=True)
    return figure


def spectrum(epochs: np.ndarray, values: np.ndarray) -> go.Figure | None:
    """The largest singular values of W against epoch, logarithmic: from noise, modes of the data grow one by
    one.
    """
    steps = min(len(epochs), len(values))
    every = stride(steps)
    x, y = epochs[:steps:every], values[:steps:every]
    good = np.isfinite(y).any(0)
    if not steps or not good.any():
        return None
    figure = go.Figure()
    for mode in np.flatnonzero(good)[::-1]:
        share = mode / max(1, y.shape[1] - 1)
        color = _mix((31, 154, 138), (170, 120, 210), share) if mode else ORANGE
        column = np.where(y[:, mode] > 0, y[:, mode], np.nan)
        figure.add_scatter(
            x=gaps(x), y=gaps(column), mode="lines" if len(x) > 1 else "markers", showlegend=False,
            line={"color": color, "width": 2.0 if mode == 0 else 1.2}, marker={"color": color},
            name=f"σ<sub>{mode + 1}</sub>",
            hovertemplate=f"σ<sub>{mode + 1}</sub> = %{{y:.4g}} at epoch %{{x:.4g}}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title_text="epoch")
    figure.update_yaxes(title_text="singular value")
    _decades(figure, y)
    return figure


def free_energies(train: np.ndarray, test: np.ndarray | None, samples: np.ndarray | None) -> go.Figure | None:
    """Histograms of free energies, as densities, from the 0.1st to the 99.9th percentile."""
    sets = [("rows learnt from", train, GREY), ("rows held out", test, BLUE), ("samples", samples, ORANGE)]
    there = [(name, values[np.isfinite(values)], color) for name, values, color in sets if values is not None]
    there = [entry for entry in there if len(entry[1])]
    if not there:
        return None
    everything = np.concatenate([values for _, values, _ in there])
    low, high = np.quantile(everything, [0.001, 0.999])
    high = high if high > low else low + 1.0
    bins = int(np.clip(np.sqrt(min(len(values) for _, values, _ in there)) * 1.5, 8, MOST_BINS))
    edges = np.linspace(low, high, bins + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    figure = go.Figure()
    for name, values, color in there:
        count, _ = np.histogram(values, edges)
        density = count / len(values) / (edges[1] - edges[0])
        style = {"color": color, "width": 1.8, "shape": "hvh"}
        figure.add_scatter(
            x=gaps(middles), y=gaps(density), name=name, mode="lines", line=style, fill="tozeroy",
            fillcolor=_FILLS.get(color, "rgba(133, 139, 148, 0.18)"),
        )  # fmt: skip
    figure.update_xaxes(title_text="free energy F(v) (nats)")
    figure.update_yaxes(title_text="density (per nat)", rangemode="tozero")
    figure.update_layout(showlegend=True)
    return figure


def against(pairs: list[tuple[str, np.ndarray, np.ndarray]]) -> go.Figure:
    """Values of the samples against those of the data, a panel each of `pairs` (name, data, samples), with
    the line on which they are the same."""
    figure = make_subplots(rows=1, cols=len(pairs), horizontal_spacing=0.12)
    for column, (name, x, y) in enumerate(pairs, start=1):
        ends = [float(min(x.min(), y.min())), float(max(x.max(), y.max()))]
        line = {"color": GREY, "width": 1.2, "dash": "dot"}
        figure.add_scatter(x=ends, y=ends, mode="lines", line=line, showlegend=False, row=1, col=column)
        every = slice(None, None, max(1, len(x) // MOST_POINTS))
        figure.add_scatter(
            x=gaps(x[every]), y=gaps(y[every]), mode="markers", showlegend=False, row=1, col=column,
            name=name, marker={"color": BLUE, "size": 4, "opacity": 0.5},
        )  # fmt: skip
        figure.update_xaxes(title_text=f"{name}, data", row=1, col=column)
        figure.update_yaxes(title_text="samples", row=1, col=column)
    return figure


def mixing(observable: np.ndarray, correlation: np.ndarray | None, thin: float) -> go.Figure:
    """Above, the free energy along a few chains; below, its autocorrelation against sweeps."""
    rows = 1 if correlation is None or len(correlation) < 2 else 2
    figure = make_subplots(rows=rows, cols=1, vertical_spacing=0.2)
    sweeps = np.arange(1, observable.shape[1] + 1) * thin
    every = stride(len(sweeps))
    for index, color in zip(range(min(SHOWN_CHAINS, len(observable))), _COLORS, strict=False):
        style = {"color": color, "width": 1.1}
        figure.add_scatter(
            x=gaps(sweeps[::every]), y=gaps(observable[index, ::every]), mode="lines", line=style,
            name=f"chain {index}", showlegend=False, opacity=0.85, row=1, col=1,
        )  # fmt: skip
    figure.update_xaxes(title_text="sweeps", row=1, col=1)
    figure.update_yaxes(title_text="free energy<br>(nats)", row=1, col=1)
    if rows == 2:
        assert correlation is not None
        lags = np.arange(len(correlation)) * thin
        style = {"color": TEAL, "width": 1.8}
        figure.add_scatter(
            x=gaps(lags), y=gaps(correlation), line=style, marker={"size": 4},
            mode="lines+markers" if len(lags) < 40 else "lines", showlegend=False,
            name="autocorrelation", row=2, col=1,
        )  # fmt: skip
        figure.update_xaxes(title_text="lag (sweeps)", row=2, col=1)
        figure.update_yaxes(title_text="auto-<br>correlation", zeroline=True, row=2, col=1)
    return figure


_COLORS = (BLUE, ORANGE, TEAL, PURPLE, GREY, "#b0485f")


def _finite(metrics: Metrics, name: str) -> tuple[np.ndarray, np.ndarray]:
    """(epoch, value) where the value is finite, at every k-th line of a long run."""
    values, epochs = metrics.get(name), metrics.get("epoch")
    if values is None or epochs is None:
        return np.zeros(0), np.zeros(0)
    kept = np.isfinite(values) & np.isfinite(epochs)
    every = stride(int(kept.sum()))
    return epochs[kept][::every], values[kept][::every]


def _at(metrics: Metrics, name: str, where: str) -> np.ndarray:
    """`name` at the lines where `where` is finite."""
    found, epochs = metrics.get(where), metrics.get("epoch")
    if found is None or epochs is None:
        return np.zeros(0)
    kept = np.isfinite(found) & np.isfinite(epochs)
    values = metrics.get(name, np.full(len(found), np.nan))
    return values[kept][:: stride(int(kept.sum()))]


def _lines(
    figure: go.Figure, x: np.ndarray, y: np.ndarray, color: str, row: int, name: str | None = None
) -> None:
    style = {"color": color, "width": 1.6}
    figure.add_scatter(
        x=gaps(x), y=gaps(y), mode="lines" if len(x) > 1 else "markers", line=style, marker={"color": color},
        name=name, showlegend=name is not None, row=row, col=1,
    )  # fmt: skip


def _decades(figure: go.Figure, values: np.ndarray) -> None:
    """A logarithmic axis; labels at powers of ten only, where there are several of them."""
    figure.update_yaxes(type="log", exponentformat="power")
    positive = values[np.isfinite(values) & (values > 0)]
    if len(positive) and np.log10(positive.max() / positive.min()) > 1.7:
        figure.update_yaxes(dtick=1)


def _horizontal(figure: go.Figure, ends: list[float], level: float, name: str) -> None:
    style = {"color": ORANGE, "width": 1.6, "dash": "dash"}
    figure.add_scatter(x=ends, y=[level, level], name=name, mode="lines", line=style)


def _mix(begin: tuple[int, ...], end: tuple[int, ...], share: float) -> str:
    mixed = [round((1 - share) * a + share * b) for a, b in zip(begin, end, strict=True)]
    return f"rgb({mixed[0]}, {mixed[1]}, {mixed[2]})"
