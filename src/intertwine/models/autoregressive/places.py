r"""In which order an autoregressive network visits the modes, what it may still choose, and who is near.

The levels that can still be completed to a configuration of the space are found mode after mode: the partial
sums of the bounds are the states of an automaton (`spaces.hilbert.counting`), and

    following[t, node, level] = the next node, or −1 where no configuration goes on that way.

A conditional that is −∞ there keeps the state normalised inside the space, whatever its numbers and
constraints are (Hibat-Allah et al., PRR 2, 023358 (2020), for the magnetization).
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from jaxtyping import Int32

from intertwine._checks import fail, positive_int
from intertwine.spaces.hilbert.counting import layers
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
from intertwine.spaces.hilbert.kinds import Spins
from intertwine.spaces.hilbert.place import Place

_LARGEST_TABLE = 2**26


def space_at(where: Place | HilbertSpace | int) -> HilbertSpace:
    """The Hilbert space that a model is built on: a space as it is, else free spins ½.

    >>> space_at(4)
    HilbertSpace(spins, 4 sites, dimension 16)
    """
    if isinstance(where, HilbertSpace):
        return where
    if isinstance(where, Place):
        return Spins(where)
    size = getattr(where, "size", where)  # the bare sites, as a group of permutations gives them
    return Spins(positive_int("where", size, "give a lattice, a Hilbert space or a number of sites"))


def order_of(space: HilbertSpace, snake: bool = False) -> tuple[int, ...]:
    """The modes in the order of the visit: site after site (the species of a site together), sites as they
    are numbered, or with `snake` every second row of a lattice backwards.

    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> from intertwine.spaces.lattices import Square
    >>> order_of(Fermions(3, (1, 1)))
    (0, 3, 1, 4, 2, 5)
    >>> order_of(space_at(Square(2, 3)), snake=True)
    (0, 1, 2, 5, 4, 3)
    """
    rows = _rows(space)
    sites = [site for x, row in enumerate(rows) for site in (row[::-1] if snake and x % 2 else row)]
    groups = [modes for _, modes in space.species]
    if {len(modes) for modes in groups} == {len(sites)}:
        return tuple(modes[site] for site in sites for modes in groups)
    return tuple(mode for modes in groups for mode in modes)


def _rows(space: HilbertSpace) -> list[list[int]]:
    """The sites of each row: those of one first coordinate on a lattice of two dimensions or more."""
    extent = getattr(space.place, "extent", None)
    rows = int(extent[0]) if extent is not None and len(extent) > 1 else 1
    return np.arange(space.sites).reshape(rows, -1).tolist()


@lru_cache(maxsize=32)
def following(space: HilbertSpace, order: tuple[int, ...]) -> Int32[np.ndarray, "N nodes d"] | None:
    """The automaton of `space` along `order` (see the module); None where every level is always possible.

    Raises InputError where the partial sums are too many to keep.

    >>> from intertwine.spaces.hilbert.kinds import Spins
    >>> following(Spins(2, magnetization=0), (0, 1)).tolist()
    [[[0, 1], [-1, -1]], [[-1, 0], [0, -1]]]
    """
    d = max(space.levels)
    levels = [space.levels[mode] for mode in order]
    place = {mode: t for t, mode in enumerate(order)}
    bounds = []
    for bound in space.bounds:
        pairs = sorted((place[mode], w) for mode, w in zip(bound.modes, bound.weights, strict=True))
        bounds.append(replace(bound, modes=tuple(t for t, _ in pairs), weights=tuple(w for _, w in pairs)))
    if not bounds and len(set(levels)) == 1:
        return None
    graph = layers(levels, bounds)[:-1]
    nodes = max(len(layer.following) for layer in graph)
    if len(order) * nodes * d > _LARGEST_TABLE:
        got = f"{nodes} partial sums at a mode"
        raise fail("space", "bounds with fewer partial sums along the order of the modes", got)
    table = np.full((len(order), nodes, d), -1, np.int32)
    for t, layer in enumerate(graph):
        rows, columns = layer.following.shape
        table[t, :rows, :columns] = layer.following
    return table


def stencil(space: HilbertSpace, order: tuple[int, ...], reach: int) -> Int32[np.ndarray, "N K"]:
    """For each step the steps of the modes around it that were visited before, a column for each
    displacement; N where there is none. reach: in nearest-neighbour distances, at most.

    On a periodic lattice also those across the boundary. Places without displacements (graphs) take the
    `reach` modes before.

    >>> stencil(space_at(4), (0, 1, 2, 3), 2).tolist()
    [[4, 4], [0, 4], [1, 0], [2, 1]]
    """
    size = len(order)
    classes = _classes(space, reach)
    step = np.empty(size, int)
    step[list(order)] = np.arange(size)
    if classes is None:
        back = np.arange(size)[:, None] - np.arange(1, reach + 1)
        return np.where(back >= 0, back, size).astype(np.int32)
    used = np.unique(classes[classes >= 0])
    table = np.full((size, len(used)), size, np.int32)
    for k, which in enumerate(used):
        i, j = np.nonzero(classes == which)
        earlier = step[j] < step[i]
        table[step[i[earlier]], k] = step[j[earlier]]
    return table[:, (table < size).any(0)]


def _classes(space: HilbertSpace, reach: int) -> np.ndarray | None:
    """(N, N): the class of the displacement from one mode to another within reach, −1 elsewhere."""
    place = space.place
    groups = [modes for _, modes in space.species]
    if not hasattr(place, "displacement_index") or {len(m) for m in groups} != {place.size}:
        return None
    index, lengths = place.displacement_index, np.linalg.norm(place.displacements, axis=1)
    near = lengths <= reach * (place.shell_distance(1) if place.shells else 1.0) * (1 + 1e-9)
    found = np.full((space.size, space.size), -1)
    for a, first in enumerate(groups):
        for b, second in enumerate(groups):
            block = np.where(near[index], index + len(lengths) * (a * len(groups) + b), -1)
            found[np.ix_(first, second)] = block
    np.fill_diagonal(found, -1)
    return found


def parents(space: HilbertSpace, order: tuple[int, ...]) -> Int32[np.ndarray, "N P"]:
    """For each step of a snake the steps whose memory it takes: the one before, and on a lattice of two
    dimensions or more also the same place of the row before; N where there is none.

    >>> from intertwine.spaces.lattices import Square
    >>> where = space_at(Square(2, 2))
    >>> parents(where, order_of(where, snake=True)).tolist()
    [[4, 4], [0, 4], [1, 1], [2, 0]]
    """
    size = len(order)
    before = np.where(np.arange(size) > 0, np.arange(size) - 1, size)
    rows = _rows(space)
    groups = [modes for _, modes in space.species]
    if len(rows) == 1 or {len(modes) for modes in groups} != {space.sites}:
        return before[:, None].astype(np.int32)
    step = np.empty(size, int)
    step[list(order)] = np.arange(size)
    above = np.full(size, size)
    width = len(rows[0])
    for modes in groups:
        for site in range(width, len(modes)):
            above[step[modes[site]]] = step[modes[site - width]]
    return np.stack([before, above], axis=1).astype(np.int32)
