r"""Proposals of the Metropolis algorithm: finite lists of moves, each move a set of sites to flip.

A rule proposes s → s' by drawing a move m with probability w_m and flipping the sites of m. Every move is
its own inverse and is drawn with a probability that does not depend on s, so the proposal is symmetric, T(s →
s') = T(s' → s), and accepting with min(1, |ψ(s')|²/|ψ(s)|²) gives detailed balance (Metropolis et al., J.
Chem. Phys. 21, 1087, 1953). An exchange flips two sites only if their spins are opposite, which conserves the
magnetization Σ_i s_i; a proposal with equal spins is null: nothing happens, and the chain stays.

    SingleFlip()                              one site                       N moves
    Exchange(lattice), Exchange(bonds)        two sites of a bond            a move a bond
    FlipSets(sets)                            any sets, all sites of one     a move a set
    GlobalFlip()                              all sites                      one move
    Mixture([(rule, probability), ...])       one of several rules
    Hops(pairs), Raise()                      steps of levels (`level_rules`)

A rule is a hashable host object; `rule.table(size)` is its list of moves as arrays (`MoveTable`), the same
one for the JAX and the host kernels. A new rule is a class with `components` and `magnetization`, and a
row in the tests.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int

if TYPE_CHECKING:
    from intertwine.spaces.lattice import Lattice

Magnetization = Literal["kept", "up to sign", "free"]


class MoveTable(NamedTuple):
    """Moves as arrays.

    sites: int32 (moves, F), the sites that a move flips, padded with N.
    weights: float64 (moves,), the probabilities of the moves; they sum to 1.
    exchange: bool (moves,), whether a move is null when its two sites (the first two) carry equal spins; of
    modes with several levels it exchanges those.
    shifts: int32 (moves, F), what is added to the levels of the sites, 0 where padded; None for flips.
    """

    sites: np.ndarray
    weights: np.ndarray
    exchange: np.ndarray
    shifts: np.ndarray | None = None


class Rule(ABC):
    """What proposes moves. Hashable and immutable."""

    @property
    @abstractmethod
    def magnetization(self) -> Magnetization:
        """What every move does to Σ_i s_i: it is "kept", kept "up to sign", or "free" to change."""

    @property
    def conserves_magnetization(self) -> bool:
        """Whether every move keeps Σ_i s_i."""
        return self.magnetization == "kept"

    @abstractmethod
    def components(self, size: int) -> tuple[tuple[MoveTable, float], ...]:
        """(table, probability) of the parts; the moves of a part are of one length and kind, and equally
        likely."""

    def table(self, size: int) -> MoveTable:
        """All moves on `size` sites, in one table."""
        parts = self.components(size)
        width = max(table.sites.shape[1] for table, _ in parts)
        padded = [
            np.pad(t.sites, ((0, 0), (0, width - t.sites.shape[1])), constant_values=size) for t, _ in parts
        ]
        own = [t.shifts for t, _ in parts if t.shifts is not None]
        shifts = None
        if own and len(own) == len(parts):
            shifts = np.concatenate([np.pad(x, ((0, 0), (0, width - x.shape[1]))) for x in own])
        elif own:
            raise fail("rule", "parts of one kind for a table of all moves: flips, or shifts of levels", self)
        return MoveTable(
            np.concatenate(padded).astype(np.int32),
            np.concatenate([p * t.weights for t, p in parts]),
            np.concatenate([t.exchange for t, _ in parts]),
            shifts,
        )

    @property
    def parts(self) -> tuple[Rule, ...]:
        """The rules of a mixture; any other is its own part."""
        return (self,)

    @property
    def takes(self) -> Literal["flips", "levels", "any"]:
        """The configurations that its moves are made for: ±1, which are flipped; levels; or either."""
        return "flips"

    def moves(self, size: int) -> np.ndarray:
        """The sites of every move: int32 (moves, F), padded with `size`."""
        return self.table(size).sites

    def reaches_all(self, size: int) -> bool:
        """Whether the moves join all configurations that it is to sample: all of one Σ_i s_i (or of it and
        its negative) for moves that keep it, else all.

        Moves that change Σ_i s_i freely (single flips) are taken to; exchanges do where their bonds connect
        all sites.

        >>> Exchange([(0, 1), (2, 3)]).reaches_all(4), Exchange([(0, 1), (1, 2), (2, 3)]).reaches_all(4)
        (False, True)
        """
        if self.magnetization == "free":
            return True
        pairs = [t.sites[:, :2] for t, _ in self.components(size) if t.exchange[0]]
        return size == 1 or (bool(pairs) and connected(np.concatenate(pairs), size))

    def weights(self, size: int) -> np.ndarray:
        """The probability of every move: float64 (moves,), summing to 1."""
        return self.table(size).weights


def connected(bonds: np.ndarray, size: int) -> bool:
    """Whether the bonds (B, 2) join all of `size` sites.

    >>> connected(np.array([[0, 1], [1, 2]]), 3), connected(np.array([[0, 1]]), 3)
    (True, False)
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    graph = coo_matrix((np.ones(len(bonds)), (bonds[:, 0], bonds[:, 1])), shape=(size, size))
    return int(connected_components(graph, directed=False, return_labels=False)) == 1


def _uniform(sites: np.ndarray, exchange: bool) -> MoveTable:
    count = len(sites)
    return MoveTable(sites.astype(np.int32), np.full(count, 1.0 / count), np.full(count, exchange))


class SingleFlip(Rule):
    """Flips one site, drawn uniformly.

    >>> SingleFlip().moves(3).tolist()
    [[0], [1], [2]]
    """

    @property
    def magnetization(self) -> Magnetization:
        return "free"

    def components(self, size: int) -> tuple[tuple[MoveTable, float], ...]:
        size = positive_int("size", size)
        return ((_uniform(np.arange(size)[:, None], False), 1.0),)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self).__name__)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class FlipSets(Rule):
    """Flips all sites of one of `sets`, drawn uniformly: stars of a toric code, say. A part of a `Mixture`,
    unless the sets make every configuration of every other.

    sets: lists of different sites. Raises InputError for others, and at `table` for sites that do not exist.

    >>> FlipSets([[0, 1, 2], [2, 3]]).moves(4).tolist()
    [[0, 1, 2], [2, 3, 4]]
    """

    def __init__(self, sets: Sequence[Sequence[int]]):
        try:
            self._sets = tuple(tuple(sorted(int(i) for i in one)) for one in sets)
        except (TypeError, ValueError):
            self._sets = ()
        if not all(one and one[0] >= 0 and len(set(one)) == len(one) for one in self._sets) or not self._sets:
            raise fail("sets", "lists of different sites, counted from 0", sets, "for example [[0, 1, 2]]")

    @property
    def magnetization(self) -> Magnetization:
        return "free"

    def components(self, size: int) -> tuple[tuple[MoveTable, float], ...]:
        if max(one[-1] for one in self._sets) >= positive_int("size", size):
            raise fail("sets", f"sites below {size}, the model's size", max(one[-1] for one in self._sets))
        width = max(map(len, self._sets))
        rows = [one + (size,) * (width - len(one)) for one in self._sets]
        return ((_uniform(np.array(rows), False), 1.0),)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FlipSets) and self._sets == other._sets

    def __hash__(self) -> int:
        return hash(("FlipSets", self._sets))

    def __repr__(self) -> str:
        return f"FlipSets(<{len(self._sets)} sets>)"


class GlobalFlip(Rule):
    """Flips all sites at once. Not ergodic alone: a part of a `Mixture`.

    >>> GlobalFlip().moves(3).tolist()
    [[0, 1, 2]]
    """

    @property
    def magnetization(self) -> Magnetization:
        return "up to sign"

    def components(self, size: int) -> tuple[tuple[MoveTable, float], ...]:
        size = positive_int("size", size)
        return ((_uniform(np.arange(size)[None, :], False), 1.0),)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self).__name__)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Exchange(Rule):
    """Exchanges the spins of a pair of sites, drawn uniformly from `bonds`; null when they are equal.

    bonds: a lattice (its nearest-neighbour bonds), or integers (B, 2), or None for all pairs of sites.
        The bonds must connect all sites, or the sampler refuses them: each part would keep its own
        magnetization.

    Raises InputError for bonds that are no pairs of different sites, and at `table` for sites that do not
    exist.

    >>> Exchange([(0, 1), (1, 2)]).moves(3).tolist()
    [[0, 1], [1, 2]]
    >>> len(Exchange().moves(4))
    6
    """

    @property
    def magnetization(self) -> Magnetization:
        return "kept"

    @property
    def takes(self) -> Literal["flips", "levels", "any"]:
        return "any"

    def __init__(self, bonds: ArrayLike | Lattice | None = None):
        self._bonds: tuple[tuple[int, int], ...] | None = None
        if bonds is None:
            return
        of_lattice = getattr(bonds, "bonds", None)
        pairs = np.asarray(of_lattice() if callable(of_lattice) else bonds)
        if (
            pairs.ndim != 2
            or pairs.shape[1] != 2
            or len(pairs) == 0
            or not np.issubdtype(pairs.dtype, np.integer)
        ):
            raise fail(
                "bonds",
                "a lattice or integer pairs of shape (B, 2)",
                bonds,
                "for example Exchange(it.Chain(20))",
            )
        if (pairs < 0).any() or (pairs[:, 0] == pairs[:, 1]).any():
            wrong = pairs[(pairs < 0).any(axis=1) | (pairs[:, 0] == pairs[:, 1])][0]
            raise fail("bonds", "pairs of different sites, counted from 0", tuple(wrong.tolist()))
        self._bonds = tuple((int(i), int(j)) for i, j in pairs)

    def components(self, size: int) -> tuple[tuple[MoveTable, float], ...]:
        size = positive_int("size", size)
        if self._bonds is None:
            if size < 2:
                raise fail("size", "at least 2 sites for exchanges", size)
            pairs = np.stack(np.triu_indices(size, 1), axis=1)
        else:
            pairs = np.array(self._bonds)
            if pairs.max() >= size:
                raise fail("bonds", f"sites below {size}, the model's size", int(pairs.max()))
        return ((_uniform(pairs, True), 1.0),)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Exchange) and self._bonds == other._bonds

    def __hash__(self) -> int:
        return hash(("Exchange", self._bonds))

    def __repr__(self) -> str:
        return "Exchange()" if self._bonds is None else f"Exchange(<{len(self._bonds)} bonds>)"


class Mixture(Rule):
    """Draws one of several rules by its probability at every proposal.

    parts: [(rule, probability), ...], positive numbers, normalised to sum to 1.

    >>> rule = Mixture([(SingleFlip(), 0.9), (GlobalFlip(), 0.1)])
    >>> rule.moves(2).tolist(), rule.weights(2).tolist()
    ([[0, 2], [1, 2], [0, 1]], [0.45, 0.45, 0.1])
    """

    def __init__(self, parts: Sequence[tuple[Rule, float]]):
        parts = tuple(parts)
        if not parts or not all(
            isinstance(part, tuple | list) and len(part) == 2 and isinstance(part[0], Rule) for part in parts
        ):
            raise fail("parts", "a list of (rule, probability)", parts, "Mixture([(SingleFlip(), 0.9), ...])")
        try:
            shares = np.array([share for _, share in parts], np.float64)
        except (TypeError, ValueError):
            raise fail("parts", "positive probabilities", parts) from None
        if not np.isfinite(shares).all() or (shares <= 0).any():
            raise fail("parts", "positive probabilities", shares.tolist())
        total = shares.sum()
        self._parts = tuple(
            (rule, float(share / total)) for (rule, _), share in zip(parts, shares, strict=True)
        )

    @property
    def magnetization(self) -> Magnetization:
        kinds = {rule.magnetization for rule, _ in self._parts}
        return "free" if "free" in kinds else "up to sign" if "up to sign" in kinds else "kept"

    @property
    def parts(self) -> tuple[Rule, ...]:
        return tuple(part for rule, _ in self._parts for part in rule.parts)

    def components(self, size: int) -> tuple[tuple[MoveTable, float], ...]:
        return tuple((table, p * q) for rule, p in self._parts for table, q in rule.components(size))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mixture) and self._parts == other._parts

    def __hash__(self) -> int:
        return hash(self._parts)

    def __repr__(self) -> str:
        return f"Mixture({list(self._parts)!r})"
