r"""An operator as moves over packed configurations: tables over the levels of a few modes.

A Pauli operator is grouped by its flip sets; strings of one flip set that touch few sites together become one
table, what they have in common elsewhere (the Jordan-Wigner string of a hop) the bits whose parity is the
sign. So a hop costs one look into a table of four entries and one parity.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from intertwine.quantum.exact.hilbert.packing import Packing
from intertwine.quantum.operators.levels.level_operator import LevelOperator
from intertwine.quantum.operators.levels.terms import Terms
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.operators.protocols import QuantumOperator

_MOST_TOUCHED = 8


class Move(NamedTuple):
    """modes: the fields of the key, the first the most significant digit. values: (Π d,), the elements
    ⟨s|H|t⟩ of each key. new: (Π d, modes), their new levels; None where the modes `flipped` are turned,
    whatever the key. parity: the modes whose occupation is the sign."""

    modes: tuple[int, ...]
    values: np.ndarray
    new: np.ndarray | None
    parity: tuple[int, ...] = ()
    flipped: tuple[int, ...] = ()


class Moves(NamedTuple):
    """What `row_kernels` take: fields int64 (F, 3), pointers int64 (K+1,), masks int64 (K, 2), values (V,),
    changes int64 (V,), the bits of s that are turned."""

    fields: np.ndarray
    pointers: np.ndarray
    masks: np.ndarray
    values: np.ndarray
    changes: np.ndarray

    @property
    def count(self) -> int:
        return len(self.masks)


def moves_of(operator: QuantumOperator, packing: Packing, levels: tuple[int, ...]) -> tuple[Moves, Moves]:
    """(the diagonal moves, the others) of an operator."""
    if isinstance(operator, Operator):
        diagonal, others = pauli_moves(operator)
    else:
        assert isinstance(operator, LevelOperator)
        diagonal, others = level_moves(operator)
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


def level_moves(operator: LevelOperator) -> tuple[list[Move], list[Move]]:
    """The moves of an operator on modes with several levels: its tables are moves already."""
    space = operator.hilbert
    signs = Terms(space.levels, space.fermionic)
    diagonal: list[Move] = []
    others: list[Move] = []
    for key, table in operator.tables().items():
        levels = np.indices(table.shape).reshape(len(key.modes), table.size).T
        steps = dict(key.move)
        new = levels + np.array([steps.get(mode, 0) for mode in key.modes], int)
        inside = np.all((new >= 0) & (new < np.array(table.shape, int)), axis=1)
        parity = tuple(sorted(signs.string(key.move) ^ frozenset(key.signs)))
        move = Move(key.modes, np.where(inside, table.ravel(), 0), np.where(inside[:, None], new, 0), parity)
        (others if key.move else diagonal).append(move)
    return diagonal, others


def _tables(flip: np.ndarray, z: np.ndarray, values: np.ndarray) -> list[Move]:
    """The strings of one flip set, as few tables."""
    out = []
    left = np.arange(len(values))
    while len(left):
        common = z[left[0]]
        if not flip.any() and np.count_nonzero(common) <= _MOST_TOUCHED:
            common = np.zeros_like(flip)
        touched = np.zeros_like(flip)
        chosen, later = [], []
        for t in left:
            more = touched | (z[t] ^ common)
            if np.count_nonzero(more) <= _MOST_TOUCHED:
                touched = more
                chosen.append(t)
            else:
                later.append(t)
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
    modes, parity, flipped = (tuple(np.flatnonzero(mask).tolist()) for mask in (touched, common, flip))
    return Move(modes, table, None, parity, flipped)


def compiled_moves(moves: list[Move], packing: Packing, levels: tuple[int, ...]) -> Moves:
    """Moves as the arrays of the kernels. Keys of levels that do not exist have no element."""
    fields, pointers, masks, values, changes = [], [0], [], [], []
    size = 0
    for move in moves:
        modes = list(move.modes)
        shifts, widths = packing.shifts[modes], packing.widths[modes]
        strides = np.int64(1) << (np.cumsum(widths[::-1])[::-1] - widths)
        fields += np.stack([shifts, (np.int64(1) << widths) - 1, strides], axis=1).tolist()
        pointers.append(len(fields))
        digits = np.indices([levels[m] for m in modes]).reshape(len(modes), len(move.values))
        keys = strides @ digits
        table = np.zeros(1 << int(widths.sum()), np.asarray(move.values).dtype)
        turned = np.zeros(len(table), np.int64)
        table[keys] = move.values
        if move.new is None:
            turned[keys] = np.sum(np.int64(1) << packing.shifts[list(move.flipped)])
        else:
            turned[keys] = np.sum((digits.T ^ np.asarray(move.new, np.int64)) << shifts, axis=1)
        masks.append((int(np.sum(np.int64(1) << packing.shifts[list(move.parity)])), size))
        values.append(table)
        changes.append(turned)
        size += len(table)
    return Moves(
        np.array(fields, np.int64).reshape(-1, 3),
        np.array(pointers, np.int64),
        np.array(masks, np.int64).reshape(-1, 2),
        np.concatenate(values) if values else np.zeros(1),
        np.concatenate(changes) if changes else np.zeros(1, np.int64),
    )
