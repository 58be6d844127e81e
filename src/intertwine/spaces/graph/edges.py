"""Edges as users write them, brought to one form: pairs i < j in the order given, each once, with what
belongs to each.

The same pair twice (in either direction) is one edge where both say the same of it, as a bond that wraps
twice around a small torus is one; it is an error where they do not. So is an edge from a site to itself.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail

Colour = int | str


@runtime_checkable
class NetworkxGraph(Protocol):
    """What is asked of a networkx graph; no import of networkx is needed to take one."""

    nodes: Any
    edges: Any

    def is_multigraph(self) -> bool: ...


class Edges(NamedTuple):
    """pairs: int32 (E, 2). colours: of each, or (). weights: float64 (E,), or None."""

    pairs: np.ndarray
    colours: tuple[Colour, ...]
    weights: np.ndarray | None


class Drawing(NamedTuple):
    """A networkx graph in our terms, where it says anything of it: edges, size, colours, weights,
    positions, names of the sites."""

    edges: np.ndarray
    size: int
    colours: list[Any] | None
    weights: list[Any] | None
    positions: np.ndarray | None
    names: tuple[str, ...]


def clean_edges(edges: ArrayLike, colours: Sequence[Colour] | None, weights: ArrayLike | None) -> Edges:
    """The edges in the form of this module; `InputError` for what is no list of edges."""
    pairs = np.asarray(_array("edges", edges, "pairs of sites"))
    if pairs.size == 0:
        pairs = np.zeros((0, 2), np.int64)
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise fail("edges", "shape (E, 2), a pair of sites for each edge", f"shape {pairs.shape}")
    if not np.issubdtype(pairs.dtype, np.integer):
        if not np.issubdtype(pairs.dtype, np.floating) or (pairs != np.rint(pairs)).any():
            raise fail("edges", "pairs of sites, integers from 0", edges)
        pairs = pairs.astype(np.int64)
    if (pairs < 0).any():
        raise fail("edges", "sites from 0", pairs[(pairs < 0).any(axis=1)][0].tolist())
    if (loops := np.flatnonzero(pairs[:, 0] == pairs[:, 1])).size:
        site = int(pairs[loops[0], 0])
        remedy = "leave it out; a term on one site is a field of the Hamiltonian"
        raise fail("edges", "two different sites at the ends of an edge", f"site {site} twice", remedy)
    shades = _colours(colours, len(pairs))
    numbers = None if weights is None else _weights(weights, len(pairs))
    ends = np.sort(pairs, axis=1)
    order = np.lexsort((ends[:, 1], ends[:, 0]))
    pairs = ends[order]
    same = (np.diff(pairs, axis=0) == 0).all(axis=1)
    said: list[tuple[str, Sequence[Colour] | np.ndarray]] = [("colour", shades)] if shades else []
    said += [] if numbers is None else [("weight", numbers)]
    for word, values in said:
        for k in np.flatnonzero(same):
            one, other = values[order[k]], values[order[k + 1]]
            if one != other:
                got = f"{one} and {other} for {pairs[k].tolist()}"
                raise fail("edges", f"one {word} for each pair of sites", got, "give each pair once")
    kept = np.sort(order[np.concatenate([[True], ~same])[: len(order)]])
    return Edges(
        ends[kept].astype(np.int32),
        tuple(shades[k] for k in kept) if shades else (),
        None if numbers is None else numbers[kept],
    )


def read_networkx(graph: NetworkxGraph) -> Drawing:
    """Sites in the order of the nodes; in that of their numbers where the nodes are 0, 1, …, N − 1. Colours
    from the attribute `colour` (or `color`) of the edges, weights from `weight`, positions from `pos` of the
    nodes, each where all have it."""
    nodes: list[Hashable] = list(graph.nodes)
    if set(nodes) == set(range(len(nodes))):
        nodes = list(range(len(nodes)))
    number = {node: i for i, node in enumerate(nodes)}
    rows = list(graph.edges(data=True))
    tables: list[Mapping[str, Any]] = [row[2] for row in rows]
    colours = _of_all(tables, "colour") or _of_all(tables, "color")
    positions = _of_all([graph.nodes[node] for node in nodes], "pos")
    pairs = np.array([(number[a], number[b]) for a, b, _ in rows], np.int64).reshape(-1, 2)
    places = None if positions is None else np.array(positions, float)
    return Drawing(
        pairs, len(nodes), colours, _of_all(tables, "weight"), places, tuple(str(node) for node in nodes)
    )


def _of_all(tables: Sequence[Mapping[str, object]], key: str) -> list[Any] | None:
    return [table[key] for table in tables] if tables and all(key in table for table in tables) else None


def _array(argument: str, value: ArrayLike, expected: str) -> np.ndarray:
    try:
        array = np.asarray(value if isinstance(value, np.ndarray) else list(value))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise fail(argument, expected, value) from None
    if array.dtype.kind not in "iuf":
        raise fail(argument, expected, value)
    return array


def _colours(colours: Sequence[Colour] | None, count: int) -> tuple[Colour, ...]:
    if colours is None:
        return ()
    found = tuple(c.item() if isinstance(c, np.generic) else c for c in colours)
    if len(found) != count:
        raise fail("colours", f"{count}, one for each edge", f"{len(found)}")
    wrong = [c for c in found if isinstance(c, bool) or not isinstance(c, int | str)]
    if wrong or len({type(c) for c in found}) > 1:
        raise fail("colours", "integers, or words, for all edges alike", list(wrong or found)[:4])
    return found


def _weights(weights: ArrayLike, count: int) -> np.ndarray:
    numbers = _array("weights", weights, "real numbers").astype(np.float64) + 0.0
    if numbers.shape != (count,):
        raise fail("weights", f"{count}, one for each edge", f"shape {numbers.shape}")
    if not np.isfinite(numbers).all():
        raise fail("weights", "finite numbers", numbers[~np.isfinite(numbers)][0])
    return numbers
