r"""Blocking rules: Kadanoff's block spins, and any other p(h|v).

    e^{−H'(h)} = Σ_v e^{T(v,h) − H(v)},      T(v, h) = ln p(h|v),      Σ_h e^{T(v,h)} = 1

(Kadanoff 1966; Niemeijer & van Leeuwen 1973). A rule with separate blocks gives each block B of b^d sites a
spin of its own, T = Σ_B ln p(h_B | v_B):

    majority     h_B = sign Σ_{i∈B} v_i; ties by an explicit rule
    decimation   h_B = the first spin of the block
    any other    a table or a function p(h_B = +1 | v_B)

Blocks are those of `blocks`: b × b × … cells. `Rule` is all that Monte Carlo renormalization asks for; the
p(h|v) of a network is one too.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from jax import Array
from jaxtyping import Float, Int8, Int32

from intertwine._checks import fail, one_of, positive_int
from intertwine._keys import key_words
from intertwine.rg.blocks.blocks import block_sites, blocked_lattice, checked_spins, checked_states
from intertwine.spaces.lattice import Lattice


@runtime_checkable
class Rule(Protocol):
    """What blocks configurations: anything with these members.

    block: the linear factor b. `blocked(lattice)`: where the block spins are. `rule(spins, lattice,
    key=key)`: block spins int8 (..., N') of configurations (..., N). `log_weight(blocked, spins, lattice)`:
    T(v, h) = ln p(h|v), float64 (...), −inf where impossible.
    """

    @property
    def block(self) -> float: ...

    def blocked(self, lattice: Lattice) -> Lattice: ...

    def __call__(
        self, spins: Array | np.ndarray, lattice: Lattice, *, key: Array | None = None
    ) -> np.ndarray: ...

    def log_weight(
        self, blocked: Array | np.ndarray, spins: Array | np.ndarray, lattice: Lattice
    ) -> np.ndarray: ...


@dataclasses.dataclass(frozen=True)
class BlockRule:
    """Separate blocks of b^d spins with any p(h = +1 | v_B).

    block: b ≥ 2. table: probabilities in [0, 1], (2^n,) for the n spins of a block, in the order of
    enumerations (first site slowest, +1 before −1); or a function of block spins (..., n) that gives them.

    Raises InputError for other tables, and where the rule meets a lattice that it does not tile.

    >>> from intertwine.spaces.lattices import Chain
    >>> soft = BlockRule(2, lambda v: 1 / (1 + np.exp(-2.0 * v.sum(-1))))
    >>> rows = np.array([[1, 1, -1, -1]], np.int8)
    >>> soft.log_weight(np.array([[1, -1]]), rows, Chain(4)).round(4)
    array([-0.0363])
    """

    block: int
    table: Any

    def __post_init__(self) -> None:
        if positive_int("block", self.block) < 2:
            raise fail("block", "at least 2 sites along each direction", self.block)
        if not callable(self.table):
            table = np.array(self.table, np.float64)
            n = int(table.size).bit_length() - 1
            if table.ndim != 1 or table.size != 2**n or n < 2:
                raise fail("table", "2^n probabilities, for blocks of n spins", f"shape {table.shape}")
            object.__setattr__(self, "table", _probabilities(table))

    @property
    def name(self) -> str:
        """The rule in a word."""
        return f"block:{self.block}"

    def sites(self, lattice: Lattice) -> Int32[np.ndarray, "blocks n"]:
        """The sites of each block."""
        return block_sites(lattice, self.block)

    def blocked(self, lattice: Lattice) -> Lattice:
        """The lattice of the block spins."""
        made = blocked_lattice(lattice, self.block)
        n = self.block**lattice.dimension
        if not callable(self.table) and len(self.table) != 2**n:
            raise fail("table", f"2^{n} probabilities, for blocks of {n} spins", f"{len(self.table)}")
        return made

    def probability_up(self, spins: Int8[np.ndarray, "... n"]) -> Float[np.ndarray, "..."]:
        """p(h = +1 | v_B) of the spins of blocks (..., n)."""
        if callable(self.table):
            return _probabilities(np.asarray(self.table(spins), np.float64))
        number = np.zeros(spins.shape[:-1], np.int64)
        for i in range(spins.shape[-1]):
            number = 2 * number + (spins[..., i] < 0)
        return self.table[number]

    def __call__(
        self, spins: Array | np.ndarray, lattice: Lattice, *, key: Array | None = None
    ) -> Int8[np.ndarray, "... M"]:
        """Block spins int8 (..., N') of spins ±1 (..., N)."""
        spins = checked_spins(spins, lattice)
        self.blocked(lattice)
        up = self.probability_up(spins[..., self.sites(lattice)])
        drawn = up > 0.5
        open_ = (up > 0) & (up < 1)
        if open_.any():
            drawn = np.where(open_, _uniforms(key, up.shape) < up, drawn)
        return np.where(drawn, 1, -1).astype(np.int8)

    def log_weight(
        self, blocked: Array | np.ndarray, spins: Array | np.ndarray, lattice: Lattice
    ) -> Float[np.ndarray, "..."]:
        """T(v, h) = ln p(h|v) of block spins (..., N') and spins (..., N), which broadcast."""
        h, v = checked_spins(blocked, self.blocked(lattice)), checked_spins(spins, lattice)
        up = self.probability_up(v[..., self.sites(lattice)])
        with np.errstate(divide="ignore"):
            return np.log(np.where(h > 0, up, 1 - up)).sum(-1)


Ties = Literal["random", "first"]


@dataclasses.dataclass(frozen=True)
class Majority:
    """The majority of the b^d spins of each block; or the commonest state of Potts spins.

    block: b ≥ 2. ties: "random" chooses among the commonest with equal chances; "first" takes the first site
    of the block that has one of them. states: None for spins ±1, else q for states 0 … q − 1.

    Raises InputError for other values, and where the rule meets a lattice that it does not tile.

    >>> from intertwine.spaces.lattices import Square
    >>> v = np.array([[1, 1, -1, 1, -1, -1, 1, 1, 1, -1, -1, -1, 1, 1, -1, -1]], np.int8)
    >>> Majority(2, ties="first")(v, Square(4, 4))
    array([[ 1,  1,  1, -1]], dtype=int8)
    """

    block: int = 2
    ties: Ties = "random"
    states: int | None = None

    def __post_init__(self) -> None:
        if positive_int("block", self.block) < 2:
            raise fail("block", "at least 2 sites along each direction", self.block)
        one_of("ties", self.ties, ("random", "first"))
        if self.states is not None and not 2 <= positive_int("states", self.states) <= 127:
            raise fail("states", "2 to 127 states of a Potts spin, or None for spins ±1", self.states)

    @property
    def name(self) -> str:
        """The rule in a word."""
        return f"majority:{self.block}"

    def sites(self, lattice: Lattice) -> Int32[np.ndarray, "blocks n"]:
        """The sites of each block."""
        return block_sites(lattice, self.block)

    def blocked(self, lattice: Lattice) -> Lattice:
        """The lattice of the block spins."""
        return blocked_lattice(lattice, self.block)

    def probability_up(self, spins: Int8[np.ndarray, "... n"]) -> Float[np.ndarray, "..."]:
        """p(h = +1 | v_B) of the spins ±1 of blocks (..., n)."""
        total = spins.sum(-1, dtype=np.int64)
        tied = 0.5 if self.ties == "random" else (spins[..., 0] > 0)
        return np.where(total == 0, tied, total > 0).astype(np.float64)

    def __call__(
        self, spins: Array | np.ndarray, lattice: Lattice, *, key: Array | None = None
    ) -> Int8[np.ndarray, "... M"]:
        """Block spins int8 (..., N') of configurations (..., N)."""
        from intertwine.rg.blocks.host_majority import TIED, block_signs, commonest_states

        spins, sites = checked_spins(spins, lattice, self.states), self.sites(lattice)
        rows = spins.reshape(-1, lattice.size)
        if self.states is None:
            found = block_signs(rows, sites, self.ties == "first")
        else:
            found = commonest_states(rows, sites, self.states, self.ties == "first")
        tied = np.flatnonzero(found == TIED)
        if len(tied):
            found.reshape(-1)[tied] = self._chosen(rows, sites, tied, _uniforms(key, (len(tied),)))
        return found.reshape(*spins.shape[:-1], len(sites))

    def log_weight(
        self, blocked: Array | np.ndarray, spins: Array | np.ndarray, lattice: Lattice
    ) -> Float[np.ndarray, "..."]:
        """T(v, h) = ln p(h|v) of block spins (..., N') and configurations (..., N), which broadcast."""
        made = self.blocked(lattice)
        h, v = checked_spins(blocked, made, self.states), checked_spins(spins, lattice, self.states)
        v = v[..., self.sites(lattice)]
        with np.errstate(divide="ignore"):
            if self.states is None:
                up = self.probability_up(v)
                return np.log(np.where(h > 0, up, 1 - up)).sum(-1)
            return np.log(self._probability(h, v)).sum(-1)

    def _probability(self, h: np.ndarray, v: np.ndarray) -> np.ndarray:
        """p(h | v_B) of Potts spins: (..., N') and (..., N', n)."""
        counts = np.stack([(v == a).sum(-1) for a in range(self.states or 2)], -1)
        best = counts == counts.max(-1, keepdims=True)
        if self.ties == "first":
            wins = np.take_along_axis(best, v.astype(np.int64), -1)
            first = np.take_along_axis(v, wins.argmax(-1)[..., None], -1)[..., 0]
            return (h == first).astype(np.float64)
        shape = np.broadcast_shapes(h.shape, v.shape[:-1])
        best = np.broadcast_to(best, (*shape, best.shape[-1]))
        chosen = np.take_along_axis(best, np.broadcast_to(h, shape).astype(np.int64)[..., None], -1)[..., 0]
        return chosen / best.sum(-1)

    def _chosen(self, rows: np.ndarray, sites: np.ndarray, tied: np.ndarray, u: np.ndarray) -> np.ndarray:
        """Random states among the commonest of the tied blocks."""
        if self.states is None:
            return np.where(u < 0.5, 1, -1)
        row, block = np.divmod(tied, len(sites))
        v = rows[row[:, None], sites[block]]
        counts = np.stack([(v == a).sum(-1) for a in range(self.states)], -1)
        best = counts == counts.max(-1, keepdims=True)
        rank = np.minimum((u * best.sum(-1)).astype(np.int64), best.sum(-1) - 1)
        return ((best.cumsum(-1) == rank[:, None] + 1) & best).argmax(-1)


@dataclasses.dataclass(frozen=True)
class Decimation:
    """The first spin of each block stays, the others are summed over. Spins ±1 or Potts states.

    >>> from intertwine.spaces.lattices import Chain
    >>> Decimation(2)(np.array([1, -1, -1, 1], np.int8), Chain(4))
    array([ 1, -1], dtype=int8)
    """

    block: int = 2

    def __post_init__(self) -> None:
        if positive_int("block", self.block) < 2:
            raise fail("block", "at least 2 sites along each direction", self.block)

    @property
    def name(self) -> str:
        """The rule in a word."""
        return f"decimation:{self.block}"

    def sites(self, lattice: Lattice) -> Int32[np.ndarray, "blocks n"]:
        """The sites of each block."""
        return block_sites(lattice, self.block)

    def blocked(self, lattice: Lattice) -> Lattice:
        """The lattice of the block spins."""
        return blocked_lattice(lattice, self.block)

    def probability_up(self, spins: Int8[np.ndarray, "... n"]) -> Float[np.ndarray, "..."]:
        """p(h = +1 | v_B) of the spins ±1 of blocks (..., n)."""
        return (spins[..., 0] > 0).astype(np.float64)

    def __call__(
        self, spins: Array | np.ndarray, lattice: Lattice, *, key: Array | None = None
    ) -> Int8[np.ndarray, "... M"]:
        """Block spins int8 (..., N') of configurations (..., N); no key is needed."""
        spins = checked_states(spins, lattice)
        return np.ascontiguousarray(spins[..., self.sites(lattice)[:, 0]])

    def log_weight(
        self, blocked: Array | np.ndarray, spins: Array | np.ndarray, lattice: Lattice
    ) -> Float[np.ndarray, "..."]:
        """0 where the block spins are the first spins of their blocks, else −inf."""
        h = checked_states(blocked, self.blocked(lattice))
        same = (h == self(spins, lattice)).all(-1)
        return np.where(same, 0.0, -np.inf)


def _probabilities(values: np.ndarray) -> np.ndarray:
    if not np.isfinite(values).all() or (values.size and not (values.min() >= 0 and values.max() <= 1)):
        raise fail("table", "probabilities from 0 to 1", "other numbers")
    return values


def _uniforms(key: Array | None, shape: tuple[int, ...]) -> np.ndarray:
    if key is None:
        raise fail("key", "a JAX key, since block spins are drawn at random", "None", "key=jax.random.key(0)")
    return np.random.default_rng(key_words(key)).random(shape)
