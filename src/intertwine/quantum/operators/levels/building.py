r"""`LevelOperator`s from matrices on a few modes: a matrix is the sum of its diagonals, each a move."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from intertwine.quantum.operators.algebra.fermion_signs import sorting_signs, string_masks
from intertwine.quantum.operators.levels.level_operator import LevelOperator
from intertwine.quantum.operators.levels.terms import Key, Tables, Terms
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace


def level_operator(
    space: HilbertSpace,
    parts: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]],
    name: str = "",
    turned: Sequence[int] = (),
) -> LevelOperator:
    """Σ over parts and places of factor · matrix (see `algebra.local.assembled`)."""
    out, fermionic = Terms(space.levels, space.fermionic), np.array(space.fermionic, bool)
    for matrix, modes, factors in parts:
        pattern: dict[tuple[object, ...], Tables] = {}
        for row, factor in zip(np.asarray(modes), np.asarray(factors), strict=True):
            if factor == 0:
                continue
            order = np.argsort(row, kind="stable")
            kind = (*order, *(space.levels[m] for m in row), *(space.fermionic[m] for m in row))
            if kind not in pattern:
                pattern[kind] = _tables(space, matrix, row, order)
            tails = string_masks(fermionic, row[None])[0] if fermionic[row].any() else None
            number = factor.real if not np.imag(factor) else factor
            ranked = row[order]
            for key, table in pattern[kind].items():
                move = tuple((int(ranked[m]), c) for m, c in key.move)
                at = tuple(int(ranked[m]) for m in key.modes)
                parity: frozenset[int] = frozenset()
                if tails is not None:
                    for m, _ in key.move:
                        parity ^= frozenset(np.flatnonzero(tails[order[m]]).tolist())
                own = out.string(move)
                if parity == own - set(row.tolist()) and not own & set(row.tolist()):
                    out.put(Key(move, at), number * table)
                else:
                    out.add(move, at, parity, number * table)
    return LevelOperator.from_tables(space, out.tables(), name=name, turned=turned)


def _tables(space: HilbertSpace, matrix: np.ndarray, row: np.ndarray, order: np.ndarray) -> Tables:
    """The moves of one matrix on modes numbered 0 … k − 1 by rising place, their strings left out."""
    levels = [space.levels[m] for m in row]
    fermionic = [space.fermionic[m] for m in row]
    states = np.indices(levels).reshape(len(levels), -1).T
    sign = sorting_signs(states, order.tolist(), fermionic)
    dense = sign[:, None] * matrix * sign[None, :]
    if not np.any(np.imag(dense)):
        dense = np.real(dense)
    ranked = tuple(levels[k] for k in order)
    out = Terms(ranked, (False,) * len(ranked))
    rows, columns = np.nonzero(dense)
    changes = states[columns] - states[rows]
    kinds, which = np.unique(changes, axis=0, return_inverse=True)
    for d, change in enumerate(kinds):
        flat = np.zeros(prod(levels), dense.dtype)
        mine = which.reshape(-1) == d
        flat[rows[mine]] = dense[rows[mine], columns[mine]]
        table = np.transpose(flat.reshape(levels), order)
        move = tuple((k, int(change[m])) for k, m in enumerate(order) if change[m])
        out.add(move, tuple(range(len(ranked))), frozenset(), table)
    return out.tables()
