"""Colours of the figures and their two templates, one for light and one for dark pages.

Marks (lines, points, bars) keep one colour in both: each has a contrast of at least 3:1 with both backgrounds
(WCAG 1.4.11), and no pair differs by hue alone in red and green. Text, axes and grids come from the template,
which the page swaps when the reader's colour scheme changes.
"""

from __future__ import annotations

from typing import Any

BLUE = "#3d84cc"
ORANGE = "#d2691e"
PURPLE = "#9a6fd0"
TEAL = "#1f9a8a"
GREY = "#858b94"
BAND = "rgba(61, 132, 204, 0.25)"

DIVERGING = [[0.0, "#b5521b"], [0.25, "#e39a63"], [0.5, "#e9e7e3"], [0.75, "#78a9dc"], [1.0, "#2563a8"]]
SEQUENTIAL = "Viridis"

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif'


def template(scheme: str) -> dict[str, Any]:
    """The plotly template of the colour scheme "light" or "dark", as plain data.

    >>> template("dark")["layout"]["paper_bgcolor"]
    'rgba(0,0,0,0)'
    """
    text, line, grid, card = {
        "light": ("#1f2630", "#aab2bd", "#e6e9ee", "#ffffff"),
        "dark": ("#dfe4ea", "#566070", "#2b333e", "#1b212a"),
    }[scheme]
    axis = {
        "gridcolor": grid,
        "linecolor": line,
        "zerolinecolor": line,
        "zeroline": False,
        "showline": True,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": line,
        "automargin": True,
        "title": {"standoff": 8},
    }
    return {
        "layout": {
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": FONT, "size": 13, "color": text},
            "colorway": [BLUE, ORANGE, TEAL, PURPLE, GREY],
            "xaxis": axis,
            "yaxis": axis,
            "hoverlabel": {"bgcolor": card, "bordercolor": line, "font": {"color": text, "family": FONT}},
            "hovermode": "closest",
            "legend": {
                "orientation": "h",
                "x": 0,
                "y": 1.02,
                "xanchor": "left",
                "yanchor": "bottom",
                "traceorder": "normal",
            },
            "margin": {"l": 8, "r": 12, "t": 30, "b": 8},
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": line, "activecolor": text},
        }
    }
