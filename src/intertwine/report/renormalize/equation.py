r"""The plates of the study `callan-symanzik`: β and γ against K, and what the equation leaves by distance.

[r ∂/∂r − β(K) ∂/∂K + 2γ(K)] G(r, K) = 0,      β = dK/dl towards large scales
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from intertwine.report.numbers import plain, with_error
from intertwine.report.plate import Plate
from intertwine.report.renormalize.read import RenormalizeRun
from intertwine.report.series import gaps
from intertwine.report.theme import BLUE, GREY, ORANGE, PURPLE, TEAL

_COLOURS = (TEAL, PURPLE, GREY, BLUE, ORANGE, "#b0485f", "#7a8f2a", "#2f8fb3")


def plates(run: RenormalizeRun) -> list[Plate]:
    """β and γ by coupling, and the residual by distance; none of other studies."""
    found = [_couplings(run), _residuals(run)]
    return [plate for plate in found if plate is not None]


def _couplings(run: RenormalizeRun) -> Plate | None:
    K, beta, gamma = (run.arrays.get(f"equation_{name}") for name in ("coupling", "beta", "gamma"))
    if K is None or beta is None or gamma is None or not len(K) == len(beta) == len(gamma):
        return None
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.07)
    curve = run.arrays.get("curve_coupling"), run.arrays.get("curve_beta")
    if curve[0] is not None and curve[1] is not None and len(curve[0]) == len(curve[1]):
        style = {"color": ORANGE, "width": 1.5, "dash": "dash"}
        figure.add_scatter(
            x=gaps(curve[0]), y=gaps(curve[1]), mode="lines", line=style, name="exact, infinite lattice",
            row=1, col=1,
        )  # fmt: skip
    figure.add_scatter(
        x=[float(K.min()), float(K.max())], y=[0.0, 0.0], mode="lines", line={"color": GREY, "width": 1},
        showlegend=False, hoverinfo="skip", row=1, col=1,
    )  # fmt: skip
    for row, (name, title, values) in enumerate((("beta", "β", beta), ("gamma", "γ", gamma)), start=1):
        error = run.arrays.get(f"equation_{name}_error")
        bars = None if error is None else {"type": "data", "array": gaps(np.nan_to_num(error)), "color": BLUE}
        figure.add_scatter(
            x=gaps(K), y=gaps(values), error_y=bars, mode="markers", marker={"size": 7, "color": BLUE},
            name="from the correlations", showlegend=row == 1, row=row, col=1,
            hovertemplate=f"K = %{{x:.5f}}: {title} = %{{y:.5f}}<extra></extra>",
        )  # fmt: skip
        figure.update_yaxes(title_text=f"{title}(K)", row=row, col=1)
    figure.update_xaxes(title_text="K", row=2, col=1)
    figure.update_layout(showlegend=True)
    errors = [run.arrays.get(f"equation_{name}_error", np.full(len(K), np.nan)) for name in ("beta", "gamma")]
    rows = tuple(
        (
            plain(float(K[k]), 6),
            with_error(float(beta[k]), float(errors[0][k])),
            with_error(float(gamma[k]), float(errors[1][k])),
        )
        for k in range(len(K))
    )
    caption = (
        "The Callan-Symanzik equation at each coupling: β = dK/dl, towards large scales, and γ, from the"
        " correlations of one simulation each; bars: one standard error. Where β vanishes the system is"
        " critical, its slope there is y_T, and 2γ = d − 2 + η."
    )
    words = f"β and γ at {len(K)} couplings; the numbers are in the table below the figure."
    return Plate("equation", "β and γ", caption, words, figure, 520, True, ("K", "β", "γ"), rows)


def _residuals(run: RenormalizeRun) -> Plate | None:
    K, r = run.arrays.get("equation_coupling"), run.arrays.get("equation_distance")
    left = run.arrays.get("equation_residual")
    if K is None or r is None or left is None or left.shape != (len(K), len(r)):
        return None
    figure = go.Figure()
    for k, coupling in enumerate(K[: len(_COLOURS)]):
        figure.add_scatter(
            x=gaps(r), y=gaps(left[k]), mode="lines+markers", marker={"size": 5}, name=f"K = {coupling:.4g}",
            line={"color": _COLOURS[k], "width": 1.4},
        )  # fmt: skip
    inside = r[np.isfinite(left).any(0)]
    if len(inside):
        figure.update_xaxes(range=[0, 1.1 * float(inside.max())])
    figure.update_xaxes(title_text="r")
    figure.update_yaxes(title_text="[r∂<sub>r</sub> − β∂<sub>K</sub> + 2γ]G / G", zeroline=True)
    figure.update_layout(showlegend=True)
    caption = (
        "What β and γ leave of the equation at each distance of the window, in units of G: no pattern where"
        " one running coupling explains all distances. Neighbouring distances are correlated."
    )
    words = f"Residuals at {len(K)} couplings."
    return Plate("residuals", "What the equation leaves", caption, words, figure, 380)
