"""Lattices and graphs as settings: a name, or the edges of a file, which stand in the settings.

lattice = "square:6x6"
lattice = "graph:edges.csv"      # --graph edges.csv: [graph] has the edges that the file had
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from intertwine._checks import InputError, fail
from intertwine.runs.fields import Section

if TYPE_CHECKING:
    from intertwine.spaces.graph.graph import Graph
    from intertwine.spaces.lattice import Lattice

MAX_SITES = 4096
LATTICES = (
    "chain:20, square:6x6, triangular:4x4, honeycomb:3x3, kagome:2x2, cubic:4x4x4, links:4x4, ladder:8x2, "
    "lieb:2x2, shuriken:2x2, bcc:3, fcc:3, diamond:2, pyrochlore:2, or graph:FILE with an edge a line"
)
_GRAPH: Any = {"expected": "what a file of edges holds", "remedy": "say lattice = 'graph:FILE'"}


class GraphSection(Section):
    """The graph of a file: edges, colours and weights in its order, positions of the sites."""

    edges: list[list[int]] = Field(default=[], json_schema_extra=_GRAPH)
    sites: int = Field(default=0, ge=0, le=MAX_SITES, json_schema_extra=_GRAPH)
    colours: list[int | str] = Field(default=[], json_schema_extra=_GRAPH)
    weights: list[float] = Field(default=[], json_schema_extra=_GRAPH)
    positions: list[list[float]] = Field(default=[], json_schema_extra=_GRAPH)
    shells_by_colour: bool = Field(default=False, json_schema_extra=_GRAPH)


def is_graph(name: str) -> bool:
    """Whether the lattice is a file of edges, graph:FILE."""
    return name.strip().lower().startswith("graph:")


def with_graph(tables: dict[str, Any]) -> dict[str, Any]:
    """`tables` with the edges of the file that the lattice names, where they are not there yet; a lattice
    that is the name of a file is a graph."""
    name = tables.get("lattice")
    if not isinstance(name, str):
        return tables
    if not is_graph(name) and re.search(r"\.(csv|txt|tsv|dat|edges)\b", name.lower()):
        if not Path(name).is_file():
            raise fail("lattice", "a name such as square:6x6, or a file of edges that is there", name)
        name = f"graph:{name}"
    if not is_graph(name) or (isinstance(given := tables.get("graph"), dict) and given.get("edges")):
        return tables | {"lattice": name}
    from intertwine.spaces.lattices import lattice_from_name

    found: Any = lattice_from_name(name)
    if found.size > MAX_SITES:
        raise fail("lattice", f"at most {MAX_SITES} sites", f"{found.size} in {name}", "give a smaller graph")
    table = {
        "edges": found.edges.tolist(),
        "sites": found.size,
        "colours": list(found.colours),
        "weights": [] if found.weights is None else found.weights.tolist(),
        "positions": found.positions.tolist() if found.has_positions else [],
        "shells_by_colour": bool(getattr(found, "_by_colour", False)),
    }
    return tables | {"lattice": name, "graph": table}


def build_lattice(name: str, graph: GraphSection | None = None) -> Lattice | Graph:
    """The lattice called `name`, or the graph whose edges are in `graph`; the error names the field."""
    from intertwine.spaces.lattices import lattice_from_name

    try:
        if graph is not None and graph.edges:
            from intertwine.spaces.graph.graph import Graph

            return Graph(
                graph.edges,
                size=graph.sites or None,
                colours=graph.colours or None,
                weights=graph.weights or None,
                positions=graph.positions or None,
                shells_by_colour=graph.shells_by_colour,
                label=name,
            )
        return lattice_from_name(name)
    except InputError as error:
        if str(error).startswith(("lattice:", "graph:")) or ", line " in str(error).partition(":")[0]:
            raise
        reason = str(error).rstrip(".")
        raise fail("lattice", "a lattice such as chain:20 or square:6x6", f"{name!r} ({reason})") from None


def lattice_stem(name: str) -> str:
    """What names of folders and files call a lattice: square-6x6, graph-edges.

    >>> lattice_stem("square:6x6"), lattice_stem("graph:data/edges.csv+data/sites.csv")
    ('square-6x6', 'graph-edges')
    """
    if is_graph(name):
        return f"graph-{Path(name.partition(':')[2].partition('+')[0]).stem}"
    return name.replace(":", "-")


_FAMILIES = {
    "chain": (1, 1),
    "square": (2, 1),
    "triangular": (2, 1),
    "honeycomb": (2, 2),
    "kagome": (2, 3),
    "cubic": (3, 1),
    "lieb": (2, 3),
    "shuriken": (2, 6),
    "bcc": (3, 1),
    "fcc": (3, 1),
    "diamond": (3, 2),
    "pyrochlore": (3, 4),
}


def check_lattice_name(name: str) -> str:
    """`name` if it is of a size that can be built; nothing is built here (other faults show when it is)."""
    if is_graph(name):
        return name
    family, _, rest = name.strip().lower().partition(":")
    extents = re.findall(r"[0-9]+", rest, re.ASCII)
    dimension, cells = _FAMILIES.get(family, (1, 1))
    for extent in extents * (dimension if len(extents) == 1 else 1):
        cells *= int(extent[:20])
    cells *= len(extents) if family == "links" else 1
    if cells > MAX_SITES:
        remedy = "give a smaller lattice, say 'square:10x10'"
        raise fail("lattice", f"at most {MAX_SITES} sites", repr(name), remedy)
    return name
