r"""Sums of moves with tables: the algebra behind `LevelOperator`, on the host.

A move δ changes the levels of a few modes, n → n + δ. Everything that an operator does is

    ⟨n|A|n + δ⟩ = σ_δ(n) Σ_S G_{δ,S}(n_S),

tables G over the levels of small sets S of modes (those that δ moves among them), with σ_δ the sign that
fermions have: the parity of the occupied fermionic modes, not moved themselves, that have an odd number of
moved ones behind them. A dependence on an unmoved mode is split off so that a table which depends on it
vanishes at its level 0; the tables are then unique, and operators are equal where their tables are.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import NamedTuple

import numpy as np

from intertwine._checks import fail
from intertwine.quantum.operators.pauli import ROUNDING

Move = tuple[tuple[int, int], ...]
"""(mode, change of its level), by rising mode."""
MOST_ENTRIES = 1 << 20
"""Entries of a table at most."""
_MOST_FOLDED = 6
_ROUNDING = 8 * ROUNDING
"""Entries have roots in them (√n of bosons), whose products round; sums below this share are 0."""


class Key(NamedTuple):
    """Of a table: its move, its modes (rising), and fermionic modes whose parity is a sign besides σ."""

    move: Move
    modes: tuple[int, ...]
    signs: tuple[int, ...] = ()


Tables = dict[Key, np.ndarray]


class Terms:
    """Tables of an operator as they are gathered; `tables` sums them.

    levels: d of each mode. fermionic: whether it anticommutes.
    """

    def __init__(self, levels: tuple[int, ...], fermionic: tuple[bool, ...]):
        self.levels, self.fermionic = levels, fermionic
        self.places = [i for i, f in enumerate(fermionic) if f]
        self._found: dict[Key, tuple[np.ndarray, float]] = {}
        self._strings: dict[Move, frozenset[int]] = {}

    def add(self, move: Move, modes: tuple[int, ...], parity: frozenset[int], table: np.ndarray) -> None:
        """⟨n|A|n + move⟩ += Π_{q∈parity} (−1)^{n_q} table[n_modes]. modes: rising, those of the move among
        them."""
        moved = [mode for mode, _ in move]
        odd = parity ^ self.string(move)
        outside = sorted(odd - set(modes))
        if outside and len(outside) <= _MOST_FOLDED:
            modes, table = self.widened(modes, table, outside)
            outside = []
        for axis, mode in enumerate(modes):
            if mode in odd:
                signs = 1.0 - 2.0 * (np.arange(self.levels[mode]) % 2)
                table = table * signs.reshape([-1 if a == axis else 1 for a in range(len(modes))])
        scale = float(np.max(np.abs(table), initial=0.0))
        axes = [a for a, m in enumerate(modes) if m not in moved]
        self._split(move, modes, tuple(outside), table, axes, scale)

    def put(self, key: Key, table: np.ndarray, scale: float = 0.0) -> None:
        """Add a table that has its unique form already. scale: of the numbers that it is a difference of."""
        scale = max(scale, float(np.max(np.abs(table), initial=0.0)))
        if key in self._found:
            before, other = self._found[key]
            table, scale = before + table, scale + other
        self._found[key] = table, scale

    def tables(self) -> Tables:
        """The sums; what cancels up to rounding is left out."""
        found = {}
        for key, (table, scale) in self._found.items():
            left = np.where(np.abs(table) <= _ROUNDING * scale, 0, table)
            if np.any(left):
                found[key] = left
        return found

    def string(self, move: Move) -> frozenset[int]:
        """The modes of σ_move."""
        if move not in self._strings:
            moved = {mode for mode, _ in move if self.fermionic[mode]}
            odd, found = False, []
            for mode in reversed(self.places) if moved else ():
                if mode in moved:
                    odd = not odd
                elif odd:
                    found.append(mode)
            self._strings[move] = frozenset(found)
        return self._strings[move]

    def widened(
        self, modes: tuple[int, ...], table: np.ndarray, more: Iterable[int]
    ) -> tuple[tuple[int, ...], np.ndarray]:
        """A table over more modes, on which it does not depend."""
        every = tuple(sorted({*modes, *more}))
        shape = [self.levels[m] for m in every]
        if prod(shape) > MOST_ENTRIES:
            expected = f"products whose elements depend on at most {MOST_ENTRIES} states of few modes"
            raise fail("operand", expected, f"{prod(shape)} states of {len(every)} modes")
        own = [self.levels[m] if m in modes else 1 for m in every]
        return every, np.broadcast_to(table.reshape(own), shape)

    def _split(
        self,
        move: Move,
        modes: tuple[int, ...],
        signs: tuple[int, ...],
        table: np.ndarray,
        axes: list[int],
        scale: float,
    ) -> None:
        """Put the parts of a table, one for each set of unmoved modes that it depends on."""
        if not np.any(table):
            return
        if not axes:
            self.put(Key(move, modes, signs), table, scale)
            return
        axis = axes[-1]
        base = np.take(table, 0, axis=axis)
        shorter = modes[:axis] + modes[axis + 1 :]
        self._split(move, shorter, signs, base, axes[:-1], scale)
        rest = table - np.expand_dims(base, axis)
        self._split(move, modes, signs, rest, axes[:-1], scale)


def shifted(table: np.ndarray, modes: tuple[int, ...], move: Move, sign: int = 1) -> np.ndarray:
    """table[n + sign · move], 0 where that is outside."""
    changes = dict(move)
    for axis, mode in enumerate(modes):
        step = sign * changes.get(mode, 0)
        if step:
            d = table.shape[axis]
            index = np.arange(d) + step
            inside = (index >= 0) & (index < d)
            table = np.take(table, np.clip(index, 0, d - 1), axis=axis)
            table = table * inside.reshape([-1 if a == axis else 1 for a in range(table.ndim)])
    return table


def product(like: Terms, a: Tables, b: Tables) -> Tables:
    """A B: ⟨n|A|n + δ⟩ ⟨n + δ|B|n + δ + δ'⟩."""
    out = Terms(like.levels, like.fermionic)
    for first, left in a.items():
        steps = dict(first.move)
        first_parity = out.string(first.move) ^ frozenset(first.signs)
        for second, right in b.items():
            second_parity = out.string(second.move) ^ frozenset(second.signs)
            sign = 1.0 - 2.0 * (sum(steps.get(q, 0) for q in second_parity) % 2)
            modes, x = out.widened(first.modes, left, second.modes)
            _, y = out.widened(second.modes, shifted(right, second.modes, first.move), first.modes)
            changes = steps | {m: c + steps.get(m, 0) for m, c in second.move}
            move = tuple(sorted((m, c) for m, c in changes.items() if c))
            out.add(move, modes, first_parity ^ second_parity, sign * x * y)
    return out.tables()


def adjoint(like: Terms, a: Tables) -> Tables:
    """⟨n|A†|n − δ⟩ = ⟨n − δ|A|n⟩*."""
    out = Terms(like.levels, like.fermionic)
    for key, table in a.items():
        back = tuple((m, -c) for m, c in key.move)
        out.put(Key(back, key.modes, key.signs), np.conj(shifted(table, key.modes, key.move, -1)))
    return out.tables()


def summed(like: Terms, parts: Iterable[tuple[Tables, complex]]) -> Tables:
    """Σ factor · tables."""
    out = Terms(like.levels, like.fermionic)
    for tables, factor in parts:
        for key, table in tables.items():
            out.put(key, factor * table)
    return out.tables()


def permuted(like: Terms, a: Tables, places: np.ndarray) -> Tables:
    """Mode i becomes places[i]; creation operators of fermions come out of order, which has a sign."""
    out = Terms(like.levels, like.fermionic)
    for key, table in a.items():
        moved = {mode for mode, _ in key.move if like.fermionic[mode]}
        move = tuple(sorted((int(places[m]), c) for m, c in key.move))
        order = np.argsort([places[m] for m in key.modes])
        modes = tuple(int(places[key.modes[k]]) for k in order)
        turned = [int(places[m]) for m in sorted(moved)]
        swaps = sum(x > y for i, x in enumerate(turned) for y in turned[i + 1 :])
        local = out.string(key.move) ^ frozenset(key.signs) ^ _whole(like, key.move)
        parity = frozenset(int(places[m]) for m in local) ^ _whole(like, move)
        out.add(move, modes, parity, (-1.0) ** swaps * np.transpose(table, order))
    return out.tables()


def _whole(like: Terms, move: Move) -> frozenset[int]:
    """The fermionic modes, moved or not, with an odd number of moved ones behind them: the sign of moved
    modes as a product of operators in rising order."""
    moved = sorted(mode for mode, _ in move if like.fermionic[mode])
    return frozenset(q for q in like.places if sum(m > q for m in moved) % 2)
