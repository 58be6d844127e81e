"""What the page is made of: figures and pictures with heading, caption, words and numbers."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go


@dataclass(frozen=True)
class Tiles:
    """Pictures side by side, `columns` in a row: data URIs under a heading, with words for who cannot see
    them.
    """

    heading: str
    alternative: str
    pictures: tuple[str, ...]
    columns: int = 8


@dataclass(frozen=True)
class Plate:
    """A figure on the page, or pictures; `height` in pixels, `wide` spans both columns, `rows`: its table."""

    name: str
    heading: str
    caption: str
    alternative: str
    figure: go.Figure | None
    height: int
    wide: bool = False
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    tiles: tuple[Tiles, ...] = ()

    @property
    def data(self) -> dict:
        """The figure as plain data; its template is left to the page."""
        assert self.figure is not None
        figure = self.figure.to_plotly_json()
        layout = {name: value for name, value in figure["layout"].items() if name != "template"}
        return {"data": list(figure["data"]), "layout": layout}
