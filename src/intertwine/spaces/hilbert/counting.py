r"""Counting, listing and drawing the configurations that satisfy bounds, without trying them all.

Mode after mode, what matters of the levels chosen so far are the running sums of the bounds that are still
open. So the configurations are the paths through a graph of layers: a node of layer i is a set of running
sums, an arrow a level of mode i, and

    paths(node) = Σ_levels paths(next node)

is found from the last layer back (transfer matrix). paths(start) is the dimension; paths of a node over those
of all arrows is the probability with which a uniform configuration goes on; and only nodes with paths are
visited when configurations are listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from intertwine._checks import fail
from intertwine.spaces.hilbert.bounds import Bound

_MOST_NODES = 300_000


class Layer(NamedTuple):
    """One mode. following: int64 (nodes, levels), the node of the next layer, −1 where a bound would break.
    shares: float64 (nodes, levels), the probability of each level among uniform configurations. paths: the
    number of configurations from each node on, Python integers."""

    following: np.ndarray
    shares: np.ndarray
    paths: list[int]


def layers(levels: Sequence[int], bounds: Sequence[Bound]) -> list[Layer]:
    """The layers of the graph of configurations, and one more with the end.

    Raises InputError where bounds are so entangled that the graph has more than 300,000 nodes in a layer.

    >>> [layer.paths for layer in layers((2, 2), [Bound((0, 1), (1, 1), 1, 1)])]
    [[2], [1, 1], [1]]
    """
    size = len(levels)
    first = {b: min(bound.modes) for b, bound in enumerate(bounds) if bound.modes}
    last = {b: max(bound.modes) for b, bound in enumerate(bounds) if bound.modes}
    weights = np.zeros((len(bounds), size), int)
    for b, bound in enumerate(bounds):
        weights[b, list(bound.modes)] = bound.weights
    reach = [_reach(bound, levels) for bound in bounds]
    nodes: list[tuple[int, ...]] = [()]
    following = []
    for i, d in enumerate(levels):
        before = [b for b in first if first[b] < i <= last[b]]
        inside = [b for b in first if first[b] <= i <= last[b]]
        after = [b for b in inside if last[b] > i]
        known: dict[tuple[int, ...], int] = {}
        table = np.full((len(nodes), d), -1, np.int64)
        for n, node in enumerate(nodes):
            sums = dict(zip(before, node, strict=True))
            for level in range(d):
                moved = {b: _added(bounds[b], sums.get(b, 0), weights[b, i] * level) for b in inside}
                if any(not _open(bounds[b], moved[b], *reach[b][i]) for b in inside):
                    continue
                key = tuple(moved[b] for b in after)
                table[n, level] = known.setdefault(key, len(known))
        following.append(table)
        nodes = list(known)
        if len(nodes) > _MOST_NODES:
            expected = f"bounds that can be counted with at most {_MOST_NODES} partial sums"
            raise fail("bounds", expected, f"more, at mode {i}", "take fewer bounds or a smaller system")
    paths = [[1] * max(1, len(nodes))]
    for table in reversed(following):
        later = paths[0]
        paths.insert(0, [sum(later[m] for m in row if m >= 0) for row in table.tolist()])
    return _with_shares(following, paths)


def _added(bound: Bound, total: int, more: int) -> int:
    total = int(total + more)
    return total if bound.modulus is None else total % bound.modulus


def _reach(bound: Bound, levels: Sequence[int]) -> list[tuple[int, int]]:
    """For each mode the least and the most that the modes after it can add."""
    weights = dict(zip(bound.modes, bound.weights, strict=True))
    out, least, most = [], 0, 0
    for i in reversed(range(len(levels))):
        out.append((least, most))
        step = weights.get(i, 0) * (levels[i] - 1)
        least, most = least + min(0, step), most + max(0, step)
    return out[::-1]


def _open(bound: Bound, total: int, least: int, most: int) -> bool:
    """Whether the bound can still hold."""
    if bound.modulus is not None:
        return least != most or bound.low <= total <= bound.high
    return total + most >= bound.low and total + least <= bound.high


def _with_shares(following: list[np.ndarray], paths: list[list[int]]) -> list[Layer]:
    out = []
    for i, table in enumerate(following):
        later, own = paths[i + 1], paths[i]
        shares = np.zeros(table.shape)
        for n, row in enumerate(table.tolist()):
            for level, m in enumerate(row):
                if m >= 0 and own[n]:
                    shares[n, level] = later[m] / own[n]  # exact integers: no overflow
        dead = np.array([p == 0 for p in later] or [True])
        kept = np.where((table >= 0) & ~dead[table], table, -1)
        out.append(Layer(kept, shares, own))
    out.append(Layer(np.zeros((len(paths[-1]), 0), np.int64), np.zeros((len(paths[-1]), 0)), paths[-1]))
    return out


def listed(graph: Sequence[Layer]) -> np.ndarray:
    """All configurations as levels, int8 (n, N), the first mode the slowest."""
    nodes, rows = np.zeros(1, np.int64), np.zeros((1, 0), np.int8)
    if graph[0].paths[0] == 0:
        return np.zeros((0, len(graph) - 1), np.int8)
    for layer in graph[:-1]:
        table = layer.following[nodes]
        which, level = np.nonzero(table >= 0)
        rows = np.concatenate([rows[which], level[:, None].astype(np.int8)], axis=1)
        nodes = table[which, level]
    return rows


def numbered(graph: Sequence[Layer], levels: np.ndarray) -> np.ndarray:
    """The place of each row of levels (n, N) in the list of `listed`, int64 (n,); −1 for rows not in it."""
    nodes, found = np.zeros(len(levels), np.int64), np.zeros(len(levels), np.int64)
    inside = np.full(len(levels), graph[0].paths[0] > 0)
    for i, layer in enumerate(graph[:-1]):
        later = np.array([*graph[i + 1].paths, 0], np.int64)  # −1: none go on
        before = np.cumsum(later[layer.following], axis=1) - later[layer.following]
        level = np.clip(levels[:, i], 0, layer.following.shape[1] - 1)
        inside &= level == levels[:, i]
        found += before[nodes, level]
        nodes = layer.following[nodes, level]
        inside &= nodes >= 0
    return np.where(inside, found, -1)


def drawn(graph: Sequence[Layer], count: int, generator: np.random.Generator) -> np.ndarray:
    """`count` independent uniform configurations as levels, int8 (count, N)."""
    nodes, rows = np.zeros(count, np.int64), []
    for layer in graph[:-1]:
        cumulative = np.cumsum(layer.shares[nodes], axis=1)
        cumulative[:, -1] = 1.0
        level = np.sum(generator.random(count)[:, None] >= cumulative, axis=1)
        possible = layer.following[nodes]
        level = np.where(possible[np.arange(count), level] >= 0, level, np.argmax(possible >= 0, axis=1))
        rows.append(level.astype(np.int8))
        nodes = possible[np.arange(count), level]
    return np.stack(rows, axis=1) if rows else np.zeros((count, 0), np.int8)
