r"""Configurations of a Hilbert space as integers: the bits of each mode's level side by side.

A mode of d levels takes ⌈log₂ d⌉ bits, mode 0 the most significant ones, so that patterns ascend in the order
of `HilbertSpace.configurations`. All patterns of a space are listed by walking the graph of its bounds
(`spaces/hilbert/counting`), without trying those that it forbids.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from intertwine._checks import fail
from intertwine.spaces.hilbert.counting import Layer, layers
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

MOST_BITS = 62
_CHUNK = 2_000_000


class Packing(NamedTuple):
    """Where each mode's level is. shifts: int64 (N,), of its least significant bit; widths: int64 (N,);
    bits: of all.

    >>> import intertwine as it
    >>> packing = packing_of(it.Bosons(3, particles=2))
    >>> packing.packed(np.array([[2, 0, 0], [0, 1, 1]])).tolist(), packing.bits
    ([32, 5], 6)
    """

    shifts: np.ndarray
    widths: np.ndarray
    bits: int

    def packed(self, levels: np.ndarray) -> np.ndarray:
        """int64 (...,) of levels (..., N)."""
        return np.sum(np.asarray(levels, np.int64) << self.shifts, axis=-1)

    def unpacked(self, states: np.ndarray) -> np.ndarray:
        """Levels int8 (..., N) of patterns (...,)."""
        masks = (np.int64(1) << self.widths) - 1
        return ((np.asarray(states, np.int64)[..., None] >> self.shifts) & masks).astype(np.int8)


def packing_of(space: HilbertSpace) -> Packing:
    """The packing of a space; InputError where its modes need more than 62 bits."""
    widths = np.array([max(1, (d - 1).bit_length()) for d in space.levels], np.int64)
    bits = int(widths.sum())
    if bits > MOST_BITS:
        expected = f"modes whose levels take at most {MOST_BITS} bits together"
        got = f"{space.size} modes, which take {bits}"
        raise fail("H", expected, got, "use a smaller system, or ground_state of intertwine, which samples")
    return Packing(bits - np.cumsum(widths), widths, bits)


def patterns(space: HilbertSpace) -> np.ndarray:
    """All configurations of `space` as patterns, ascending, int64 (dimension,).

    >>> import intertwine as it
    >>> patterns(it.Fermions(4, 2)).tolist()
    [3, 5, 6, 9, 10, 12]
    """
    out = np.empty(space.dimension, np.int64)
    at = 0
    for chunk in pattern_chunks(space):
        out[at : at + len(chunk)] = chunk
        at += len(chunk)
    return out


def pattern_chunks(space: HilbertSpace, most: int = _CHUNK) -> Iterator[np.ndarray]:
    """The patterns of `patterns`, about `most` at a time, so that filters need not hold them all."""
    from intertwine.quantum.exact.hilbert import listing_kernels

    graph = space._graph or layers(space.levels, ())
    packing = packing_of(space)
    follow, offsets = _flat(graph)
    levels = np.array(space.levels, np.int64)
    for depth, node, pattern in _beginnings(graph, packing, most):
        out = np.empty(graph[depth].paths[node], np.int64)
        found = listing_kernels.list_patterns(
            depth, node, pattern, follow, offsets, levels, packing.shifts, out
        )
        assert found == len(out)
        yield out


def _flat(graph: list[Layer]) -> tuple[np.ndarray, np.ndarray]:
    """The tables of all layers one after another, and where each begins."""
    tables = [layer.following.ravel() for layer in graph[:-1]]
    offsets = np.concatenate([[0], np.cumsum([len(table) for table in tables])]).astype(np.int64)
    return np.concatenate(tables), offsets


def _beginnings(graph: list[Layer], packing: Packing, most: int) -> Iterator[tuple[int, int, int]]:
    """(depth, node, pattern) of beginnings, in order, that each have at most `most` continuations."""
    stack = [(0, 0, 0)] if graph[0].paths[0] else []
    while stack:
        depth, node, pattern = stack.pop()
        if graph[depth].paths[node] <= most or depth == len(graph) - 1:
            yield depth, node, pattern
            continue
        row = graph[depth].following[node].tolist()
        shift = int(packing.shifts[depth])
        stack += [(depth + 1, m, pattern | level << shift) for level, m in enumerate(row) if m >= 0][::-1]
