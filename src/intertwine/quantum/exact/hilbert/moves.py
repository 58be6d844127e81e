r"""An operator as moves over packed configurations: tables over the levels of a few modes.

A Pauli operator is grouped by its flip sets; strings of one flip set that touch few sites together become one
table, what they have in common elsewhere (the Jordan-Wigner string of a hop) the bits whose parity is the
sign. So a hop costs one look into a table of four entries and one parity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from intertwine.quantum.exact.hilbert.packing import Packing

if TYPE_CHECKING:
    from intertwine.quantum.operators.operator import Operator

_MOST_TOUCHED = 8


class Move(NamedTuple):
    """modes: the fields of the key, the first the most significant digit. values, new: (Π d,), the elements
    ⟨s|H|t⟩ and the new levels (Π d, modes) of each key. parity: the modes whose occupation is the sign."""

    modes: tuple[int, ...]
    values: np.ndarray
    new: np.ndarray
    parity: tuple[int, ...] = ()


class Moves(NamedTuple):
    """What `row_kernels` take: fields int64 (F, 3), pointers int64 (K+1,), masks int64 (K, 3), values (V,),
    new int64 (V,)."""

    fields: np.ndarray
    pointers: np.ndarray
    masks: np.ndarray
    values: np.ndarray
    new: np.ndarray

    @property
    def count(self) -> int:
        return len(self.masks)


def moves_of(operator: Operator, packing: Packing, levels: tuple[int, ...]) -> tuple[Moves, Moves]:
    """(the diagonal moves, the others) of an operator."""
    diagonal, others = pauli_moves(operator)
    return compiled_moves(diagonal, packing, levels), compiled_moves(others, packing, levels)


def pauli_moves(operator: Operator) -> tuple[list[Move], list[Move]]:
    """The moves of a sum of Pauli strings: those that flip nothing, and the others."""
    x, z, h = operator.masks()
    values = np.real(h) if operator.is_real else h
    diagonal: list[Move] = []
    others: list[Move] = []
    if len(h) == 0:
        return diagonal, others
    flips, which = np.unique(x, axis=0, return_inverse=True)
    order = np.argsort(which.reshape(-1), kind="stable")
    edges = np.searchsorted(which.reshape(-1)[order], np.arange(len(flips) + 1))
    for k, flip in enumerate(flips):
        mine = order[edges[k] : edges[k + 1]]
        target = others if flip.any() else diagonal
        target += _tables(flip, z[mine], values[mine])
    return diagonal, others


def _tables(flip: np.ndarray, z: np.ndarray, values: np.ndarray) -> list[Move]:
    """The strings of one flip set, as few tables."""
    out = []
    left = np.arange(len(values))
    while len(left):
        common = z[left[0]] & ~flip if flip.any() else np.zeros_like(flip)
        touched, chosen, later = flip.copy(), [], []
        for t in left:
            more = touched | ((z[t] ^ common) & ~flip)
            if np.count_nonzero(more) <= max(_MOST_TOUCHED, np.count_nonzero(flip)) or not chosen:
                touched = more
                chosen.append(t)
            else:
                later.append(t)
        if np.count_nonzero(touched) > 16:  # one long string
            common, touched = z[chosen[0]] & ~flip, flip.copy()
            chosen, later = chosen[:1], chosen[1:] + later
        out.append(_table(flip, touched, common, z[chosen], values[chosen]))
        left = np.array(later, int)
    return out


def _table(
    flip: np.ndarray, touched: np.ndarray, common: np.ndarray, z: np.ndarray, values: np.ndarray
) -> Move:
    sites = np.flatnonzero(touched)
    k = len(sites)
    bits = (np.arange(2**k)[:, None] >> np.arange(k - 1, -1, -1)) & 1
    inside = (z ^ common)[:, sites]
    table = (1.0 - 2.0 * ((bits @ inside.T) % 2)) @ values
    return Move(tuple(sites.tolist()), table, bits ^ flip[sites], tuple(np.flatnonzero(common).tolist()))


def compiled_moves(moves: list[Move], packing: Packing, levels: tuple[int, ...]) -> Moves:
    """Moves as the arrays of the kernels. Keys of levels that do not exist have no element."""
    fields, pointers, masks, values, new = [], [0], [], [], []
    size = 0
    for move in moves:
        modes = list(move.modes)
        widths = packing.widths[modes]
        strides = np.int64(1) << (np.cumsum(widths[::-1])[::-1] - widths)
        key_masks = (np.int64(1) << widths) - 1
        fields += np.stack([packing.shifts[modes], key_masks, strides], axis=1).tolist()
        pointers.append(len(fields))
        digits = np.array(np.unravel_index(np.arange(len(move.values)), [levels[m] for m in modes] or [1]))
        keys = strides @ digits[: len(modes)] if modes else np.zeros(len(move.values), np.int64)
        table = np.zeros(1 << int(widths.sum()), np.asarray(move.values).dtype)
        targets = np.zeros(len(table), np.int64)
        table[keys] = move.values
        targets[keys] = np.sum(np.asarray(move.new, np.int64) << packing.shifts[modes], axis=1)
        cleared = int(np.sum(key_masks << packing.shifts[modes]))
        parity = int(np.sum(np.int64(1) << packing.shifts[list(move.parity)]))
        masks.append((cleared, parity, size))
        values.append(table)
        new.append(targets)
        size += len(table)
    return Moves(
        np.array(fields, np.int64).reshape(-1, 3),
        np.array(pointers, np.int64),
        np.array(masks, np.int64).reshape(-1, 3),
        np.concatenate(values) if values else np.zeros(1),
        np.concatenate(new) if new else np.zeros(1, np.int64),
    )
