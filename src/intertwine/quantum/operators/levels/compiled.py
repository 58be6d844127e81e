r"""Tables of a `LevelOperator` as flat arrays: what kernels and JAX read.

    ⟨n|A|n + δ_k⟩ = Σ_{t of k} Π_{b∈ends_t} c_b · values[offset_t + Σ_i stride_{ti} n_{mode_{ti}}],

c_b the running product Π_{i<b} (−1)^{n_i} over fermionic modes. Tables of one move are joined where the
result is small, so that most moves have one; equal tables stand in `values` once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod
from typing import NamedTuple

import numpy as np

from intertwine.quantum.operators import sign_strings
from intertwine.quantum.operators.levels.terms import Key, Move, Tables, Terms
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

_JOINED = 4096
"""Entries up to which tables of one move are joined; of the diagonal, the larger of two that nest."""


class TableRows(NamedTuple):
    """T terms. owners: int32 (T,), the move of each. modes: int32 (T, D), padded with N. strides: int32
    (T, D), 0 where padded. offsets: int32 (T,). ends: int32 (T, R), see `sign_strings.ends`."""

    owners: np.ndarray
    modes: np.ndarray
    strides: np.ndarray
    offsets: np.ndarray
    ends: np.ndarray


class Compiled(NamedTuple):
    """moves, shifts: int32 (K, F), the modes that each move changes (padded with N) and by how much.
    terms: rows of the moves; diagonal: those that move nothing. values: (V,), float64 or complex128."""

    moves: np.ndarray
    shifts: np.ndarray
    terms: TableRows
    diagonal: TableRows
    values: np.ndarray


def compiled(like: Terms, tables: Tables) -> Compiled:
    """The arrays of an operator's tables."""
    groups: dict[tuple[Move, tuple[int, ...]], list[tuple[tuple[int, ...], np.ndarray]]] = {}
    for key, table in tables.items():
        groups.setdefault((key.move, key.signs), []).append((key.modes, table))
    moves = sorted({move for move, _ in groups if move})
    number = {move: k for k, move in enumerate(moves)}
    rows: list[tuple[int, Key, np.ndarray]] = []
    for (move, signs), members in groups.items():
        for modes, table in _joined(like, members, bool(move)):
            rows.append((number.get(move, -1), Key(move, modes, signs), table))
    rows.sort(key=lambda row: (row[0], row[1].modes))
    values, places = _stored([table for _, _, table in rows])
    size = len(like.levels)
    width = max([1, *(len(move) for move in moves)])
    changed, steps = np.full((len(moves), width), size, np.int32), np.zeros((len(moves), width), np.int32)
    for k, move in enumerate(moves):
        for f, (mode, step) in enumerate(move):
            changed[k, f], steps[k, f] = mode, step
    off = [r for r, row in enumerate(rows) if row[0] >= 0]
    on = [r for r, row in enumerate(rows) if row[0] < 0]
    terms, diagonal = (_rows(like, [rows[r] for r in part], places[part]) for part in (off, on))
    return Compiled(changed, steps, terms, diagonal, values)


def gathered(like: Terms, arrays: Compiled) -> Tables:
    """The inverse of `compiled`: the tables in their unique form."""
    out, size = Terms(like.levels, like.fermionic), len(like.levels)
    fermionic = np.array(like.fermionic, bool)
    for rows, diagonal in ((arrays.terms, False), (arrays.diagonal, True)):
        masks = sign_strings.between(rows.ends, size) & fermionic
        for t, owner in enumerate(rows.owners):
            modes = tuple(int(m) for m in rows.modes[t] if m < size)
            shape = [like.levels[m] for m in modes]
            start = rows.offsets[t]
            table = arrays.values[start : start + prod(shape)].reshape(shape)
            move: Move = ()
            if not diagonal:
                pairs = zip(arrays.moves[owner], arrays.shifts[owner], strict=True)
                move = tuple((int(m), int(c)) for m, c in pairs if m < size)
            out.add(move, modes, frozenset(np.flatnonzero(masks[t]).tolist()), table)
    return out.tables()


def rows_of_moves(
    arrays: Compiled, hilbert: HilbertSpace, s: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """See `LevelOperator.host_rows`."""
    levels = hilbert.levels_of(np.asarray(s))
    levels = np.concatenate([levels, np.zeros((len(levels), 1), levels.dtype)], axis=1)
    odd = levels[:, :-1] * np.array(hilbert.fermionic, int)
    running = np.concatenate([np.ones((len(levels), 1), int), np.cumprod(1 - 2 * odd, axis=1)], axis=1)

    def looked_up(rows: TableRows, chosen: Iterable[int]) -> np.ndarray:
        total = np.zeros(len(levels), arrays.values.dtype)
        for t in chosen:
            found = arrays.values[rows.offsets[t] + levels[:, rows.modes[t]] @ rows.strides[t]]
            total += found * np.prod(running[:, rows.ends[t]], axis=1)
        return total

    yield looked_up(arrays.diagonal, range(len(arrays.diagonal.owners))), None
    for k in range(len(arrays.moves)):
        elements = looked_up(arrays.terms, np.flatnonzero(arrays.terms.owners == k))
        others = levels.copy()
        others[:, arrays.moves[k]] += arrays.shifts[k]
        yield elements, hilbert.written(others[:, :-1])


def _joined(
    like: Terms, members: list[tuple[tuple[int, ...], np.ndarray]], moves: bool
) -> list[tuple[tuple[int, ...], np.ndarray]]:
    """Tables of one move added up where they nest, or where the sum is small."""
    members = sorted(members, key=lambda m: (-len(m[0]), m[0]))
    out: list[tuple[tuple[int, ...], np.ndarray]] = []
    for modes, table in members:
        for g, (others, sums) in enumerate(out):
            union = set(modes) | set(others)
            nests = len(union) == len(others)
            if nests or (moves and prod(like.levels[m] for m in union) <= _JOINED):
                wide, left = like.widened(others, sums, union)
                _, right = like.widened(modes, table, union)
                out[g] = wide, left + right
                break
        else:
            out.append((modes, np.asarray(table)))
    return out


def _stored(tables: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """All values one after another, equal tables once, and where each begins."""
    known: dict[bytes, int] = {}
    parts: list[np.ndarray] = [np.zeros(1)]
    places, total = [], 1
    real = not any(np.iscomplexobj(t) and np.any(np.imag(t)) for t in tables)
    for table in tables:
        flat = np.ascontiguousarray(np.real(table) if real else table.astype(np.complex128)).ravel()
        flat = flat + 0.0  # −0 is 0
        name = flat.tobytes()
        if name not in known:
            known[name], total = total, total + len(flat)
            parts.append(flat)
        places.append(known[name])
    return np.concatenate(parts), np.array(places, np.int32).reshape(-1)


def _rows(like: Terms, rows: list[tuple[int, Key, np.ndarray]], places: np.ndarray) -> TableRows:
    size = len(like.levels)
    width = max([1, *(len(key.modes) for _, key, _ in rows)])
    modes, strides = np.full((len(rows), width), size, np.int32), np.zeros((len(rows), width), np.int32)
    masks = np.zeros((len(rows), size), bool)
    for t, (_, key, table) in enumerate(rows):
        step = 1
        for axis in reversed(range(len(key.modes))):
            modes[t, axis], strides[t, axis] = key.modes[axis], step
            step *= table.shape[axis]
        masks[t, list(like.string(key.move) ^ frozenset(key.signs))] = True
    owners = np.array([owner for owner, _, _ in rows], np.int32).reshape(-1)
    return TableRows(owners, modes, strides, places, sign_strings.ends(_filled(masks, like)))


def _filled(masks: np.ndarray, like: Terms) -> np.ndarray:
    """The same signs in fewer intervals: modes that are no fermions go with the one before."""
    masks = masks.copy()
    for i in range(1, masks.shape[1]):
        if not like.fermionic[i]:
            masks[:, i] = masks[:, i - 1]
    return masks
