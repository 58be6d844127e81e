r"""Moves on modes with several levels: n_i → n_i ± 1, and hops of one quantum from a mode to another.

    Hops(pairs)    n_i → n_i − 1, n_j → n_j + 1, either way along each pair     keeps Σ n
    Raise()        n_i → n_i ± 1, or by any step

Each move and its inverse are drawn with the same probability, and a move that would leave 0 … d − 1 is null,
so that the proposal is symmetric, as for the moves of spins (`rules`). On modes of two levels a hop is an
exchange. Configurations are arrays of levels (`spaces.hilbert`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int
from intertwine.sampling.metropolis.rules import Exchange, Magnetization, MoveTable, Rule

if TYPE_CHECKING:
    from intertwine.spaces.lattice import Lattice


class Hops(Rule):
    """A quantum hops from one mode of a pair to the other, either way, pairs drawn uniformly.

    pairs: a lattice (its nearest-neighbour bonds), or integers (B, 2), or None for all pairs of modes.

    >>> table = Hops([(0, 1)]).table(2)
    >>> table.sites.tolist(), table.shifts.tolist()
    ([[0, 1], [0, 1]], [[-1, 1], [1, -1]])
    """

    def __init__(self, pairs: ArrayLike | Lattice | None = None):
        self._exchange = Exchange(pairs)

    @property
    def magnetization(self) -> Magnetization:
        return "kept"

    @property
    def takes(self) -> Literal["flips", "levels", "any"]:
        return "levels"

    def components(self, size: int) -> tuple[tuple[MoveTable, float], ...]:
        pairs = np.repeat(self._exchange.moves(size), 2, axis=0)
        shifts = np.tile(np.array([[-1, 1], [1, -1]], np.int32), (len(pairs) // 2, 1))
        return ((_shifted(pairs, shifts), 1.0),)

    def reaches_all(self, size: int) -> bool:
        return self._exchange.reaches_all(size)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hops) and self._exchange == other._exchange

    def __hash__(self) -> int:
        return hash(("Hops", self._exchange))

    def __repr__(self) -> str:
        return repr(self._exchange).replace("Exchange", "Hops").replace("bonds", "pairs")


class Raise(Rule):
    """The level of one mode goes up or down by at most `most` levels, all equally likely.

    modes: the modes that it moves; None for all.

    >>> table = Raise().table(2)
    >>> table.sites.tolist(), table.shifts.tolist()
    ([[0], [1], [0], [1]], [[1], [1], [-1], [-1]])
    """

    def __init__(self, most: int = 1, modes: Sequence[int] | None = None):
        self.most = positive_int("most", most, "give the largest step, 1 for neighbouring levels")
        self.modes = None if modes is None else tuple(int(i) for i in modes)
        if self.modes is not None and not (self.modes and min(self.modes) >= 0):
            raise fail("modes", "numbers of modes, counted from 0, or None for all", modes)

    @property
    def magnetization(self) -> Magnetization:
        return "free"

    @property
    def takes(self) -> Literal["flips", "levels", "any"]:
        return "levels"

    def components(self, size: int) -> tuple[tuple[MoveTable, float], ...]:
        modes = np.arange(positive_int("size", size)) if self.modes is None else np.array(self.modes)
        if modes.max() >= size:
            raise fail("modes", f"modes below {size}, the model's size", int(modes.max()))
        steps = [step * sign for step in range(1, self.most + 1) for sign in (1, -1)]
        sites = np.tile(modes[:, None], (len(steps), 1))
        return ((_shifted(sites, np.repeat(np.array(steps), len(modes))[:, None]), 1.0),)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Raise) and (self.most, self.modes) == (other.most, other.modes)

    def __hash__(self) -> int:
        return hash(("Raise", self.most, self.modes))

    def __repr__(self) -> str:
        words = ([str(self.most)] if self.most > 1 else []) + (
            [f"<{len(self.modes)} modes>"] if self.modes else []
        )
        return f"Raise({', '.join(words)})"


def _shifted(sites: np.ndarray, shifts: np.ndarray) -> MoveTable:
    count = len(sites)
    none = np.zeros(count, bool)
    return MoveTable(sites.astype(np.int32), np.full(count, 1.0 / count), none, shifts.astype(np.int32))


def check_rule(rule: Rule, binary: bool) -> None:
    """Raise unless the moves of `rule` are made for configurations of that kind: ±1, or levels."""
    for part in rule.parts:
        if binary and part.takes == "levels":
            remedy = "for modes of two levels a hop is Exchange(pairs), and a step SingleFlip()"
            raise fail("rule", "moves of modes with two levels", part, remedy)
        if not binary and part.takes == "flips":
            remedy = "take Hops(pairs), Raise() or Exchange(pairs) for modes with several levels"
            raise fail("rule", "moves of modes with several levels", part, remedy)
