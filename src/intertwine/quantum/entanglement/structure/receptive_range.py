r"""The range of hidden units on a lattice, and the bound that it alone gives.

A unit has range R where the sites that it sees lie in a window of w = 2R + 1 cells along each direction. Only
units whose window has cells on both sides join a region to the rest, and each gives the rank a factor 2. On a
chain a boundary point lies in w − 1 = 2R windows, so that for all orders (Deng, Li & Das Sarma, Phys. Rev. X
7, 021021 (2017))

    S_α ≤ 2R ln 2 × units that begin at a cell × boundary points.

In two and more dimensions the windows across the boundary are counted one by one: 2R of them for each site
along a flat boundary. Couplings between sites count as units that see both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from intertwine.models.structure import Structure

if TYPE_CHECKING:
    from intertwine.spaces.lattice import Lattice


class Range(NamedTuple):
    """width: w, cells along each direction. units: the most units that begin at one cell. straddling: how
    many windows with a unit's place in each count: the largest number of two-state variables across."""

    width: tuple[int, ...]
    units: int
    straddling: int

    @property
    def radius(self) -> float:
        """R = (w − 1)/2, of the widest direction."""
        return (max(self.width) - 1) / 2


def receptive_range(graph: Structure, lattice: Lattice | None, region: tuple[int, ...]) -> Range | None:
    """The range of a model of one hidden layer of two-state units; None where there is none: more layers,
    larger factors, units that see the whole extent of the lattice.

    lattice: None for a ring.

    >>> links = np.array([[i, 6 + j] for j in range(6) for i in (j, (j + 1) % 6)])
    >>> ring = Structure(6, np.full(12, 2.0), links)
    >>> receptive_range(ring, None, (0, 1, 2))
    Range(width=(2,), units=1, straddling=2)
    """
    seen = _seen(graph)
    if seen is None:
        return None
    extent = (graph.size,) if lattice is None else lattice.extent
    periodic = (True,) if lattice is None else lattice.periodic
    basis = 1 if lattice is None else lattice.basis_size
    begins: Any = []
    each: Any = []
    for sites in seen:
        cells = np.unravel_index(np.array(sites) // basis, extent)
        windows = [_window(c, n, p) for c, n, p in zip(cells, extent, periodic, strict=True)]
        begins.append([begin for begin, _ in windows])
        each.append([width for _, width in windows])
    begins, each = np.array(begins).reshape(-1, len(extent)), np.array(each).reshape(-1, len(extent))
    widths = each.max(axis=0, initial=1)
    cut_off = ~np.array(periodic) & (begins == 0)  # at an open end, the whole window begins outside
    begins = np.where(cut_off, each - widths, begins)
    if any(w >= n and n > 1 for w, n in zip(widths, extent, strict=True)):
        return None
    width = tuple(int(w) for w in widths)
    units = int(np.unique(begins, axis=0, return_counts=True)[1].max(initial=0))
    inside = np.zeros(graph.size, int)
    inside[list(region)] = 1
    if len(extent) == 1 and basis == 1:
        ends = int(np.sum(inside != np.roll(inside, -1))) - int(not periodic[0] and inside[0] != inside[-1])
        return Range(width, units, units * (width[0] - 1) * ends)
    return Range(width, units, units * _across(inside.reshape(*extent, basis), width, periodic))


def _seen(graph: Structure) -> list[list[int]] | None:
    """The sites that each unit sees, units of one site or none left out; a coupling is a unit of two."""
    if graph.factors or not (graph.states == 2).all():
        return None
    links = np.asarray(graph.links).reshape(-1, 2)
    inner = links >= graph.size
    if inner.all(axis=1).any():
        return None
    seen: dict[int, set[int]] = {}
    for row in links[inner.any(axis=1)]:
        site, unit = int(row.min()), int(row.max())
        seen.setdefault(unit, set()).add(site)
    pairs = [sorted(int(i) for i in row) for row in links[~inner.any(axis=1)]]
    return [sorted(sites) for sites in seen.values() if len(sites) > 1] + pairs


def _window(cells: np.ndarray, extent: int, periodic: bool) -> tuple[int, int]:
    """(first cell, width) of the smallest window along one direction."""
    there = np.unique(cells)
    if not periodic:
        return int(there[0]), int(there[-1] - there[0] + 1)
    gaps = np.diff(np.append(there, there[0] + extent))
    largest = int(gaps.argmax())
    return int(there[(largest + 1) % len(there)]), int(extent - gaps[largest] + 1)


def _across(inside: np.ndarray, width: tuple[int, ...], periodic: tuple[bool, ...]) -> int:
    """Windows with sites of both kinds, also those that begin or end outside open ends."""
    low, high = inside.min(axis=-1), inside.max(axis=-1)
    for axis, (w, wraps) in enumerate(zip(width, periodic, strict=True)):
        low, high = _folded(low, axis, w, wraps, 1).min(-1), _folded(high, axis, w, wraps, 0).max(-1)
    return int(np.sum(low < high))


def _folded(values: np.ndarray, axis: int, width: int, wraps: bool, outside: int) -> np.ndarray:
    """`width` values along an axis, beginning at each: a last axis more."""
    pads = [(0, 0)] * values.ndim
    pads[axis] = (0 if wraps else width - 1, width - 1)
    filled = np.pad(values, pads, "wrap") if wraps else np.pad(values, pads, constant_values=outside)
    return np.lib.stride_tricks.sliding_window_view(filled, width, axis)
