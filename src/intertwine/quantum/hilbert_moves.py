r"""The moves that sample a Hilbert space, and the symmetries of the sites among its modes.

Modes of which a conserved number counts one as much as the other exchange their quanta (or let them hop,
where there are several levels); modes that no number counts are flipped, or raised; a parity is kept by flips
of two. Pairs are the bonds of the lattice where these connect all modes of a number, else all pairs. Where
every mode has a number of its own (dimer coverings), the moves are the flips of the operator itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Int32

from intertwine._checks import fail
from intertwine.quantum.operators.protocols import QuantumOperator
from intertwine.sampling.metropolis.level_rules import Hops, Raise
from intertwine.sampling.metropolis.rules import Exchange, FlipSets, Mixture, Rule, SingleFlip, connected
from intertwine.spaces.hilbert.bounds import Bound
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
from intertwine.spaces.hilbert.place import space_group_of

_MOST_PAIRS = 20_000
_MOST_SETS = 4096
EXCHANGES, FLIPS, SETS = 0.25, 0.75, 0.5
"""Shares of the moves where there are several kinds, before they are normalised."""


def is_plain(space: HilbertSpace | None) -> bool:
    """Whether a space is that of free spins ½, for which there is nothing to keep.

    >>> from intertwine.spaces.hilbert.kinds import Fermions, Spins
    >>> is_plain(Spins(4)), is_plain(Fermions(4)), is_plain(Spins(4, magnetization=0))
    (True, False, False)
    """
    return space is None or (space.binary and not space.bounds and not space.has_fermions)


def own_space(operator: QuantumOperator) -> HilbertSpace | None:
    """The Hilbert space of an operator; None where it is one of free spins ½."""
    space = getattr(operator, "hilbert", None)
    return None if is_plain(space) else space


def held_space(operator: QuantumOperator) -> HilbertSpace:
    """The Hilbert space of an operator that has one."""
    assert operator.hilbert is not None
    return operator.hilbert


def moves_in(space: HilbertSpace, operator: QuantumOperator | None = None) -> Rule:
    """Moves that join the configurations of `space`. operator: whose flips of several modes are moves too.

    Raises InputError where none are known.

    >>> from intertwine.spaces.hilbert.kinds import Bosons, Fermions, Rydberg
    >>> from intertwine.spaces.lattices import Chain
    >>> moves_in(Fermions(Chain(4), (2, 1))), moves_in(Bosons(Chain(4), 4))
    (Exchange(<8 bonds>), Hops(<4 pairs>))
    >>> moves_in(Rydberg(Chain(4)))
    Mixture([(SingleFlip(), 0.75), (Exchange(<4 bonds>), 0.25)])
    """
    groups = _groups(space)
    free = groups.pop((), [])
    parts: list[tuple[Rule, float]] = []
    if free:
        parts += _steps(space, free)
    pairs = [_pairs(space, modes) for modes in groups.values() if len(modes) > 1]
    if pairs:
        joined = np.concatenate(pairs)
        even = all(bound.modulus == 2 for bound in space.numbers)
        if even and space.binary:
            parts.append((FlipSets(joined.tolist()), FLIPS))
        else:
            parts.append((Exchange(joined) if space.binary else Hops(joined), 1.0))
            parts += [(Raise(2), FLIPS)] if even else []
    elif free and space.binary and space.constraints and space.size > 1:
        parts.append((Exchange(_pairs(space, free)), EXCHANGES))
    if sets := _flips_of(operator):
        parts.append((FlipSets(sets), SETS if parts else 1.0))
    if not parts:
        expected = f"a rule whose moves join the configurations of {space!r}"
        raise fail("sampler", expected, None, "give sampler=Metropolis(rule, chains, hilbert=space)")
    return parts[0][0] if len(parts) == 1 else Mixture(parts)


def _groups(space: HilbertSpace) -> dict[tuple[tuple[int, int], ...], list[int]]:
    """The modes by what the conserved numbers count of them: ((number, weight), …)."""
    weights: list[dict[int, int]] = [{} for _ in range(space.size)]
    for b, bound in enumerate(space.numbers):
        for i, w in zip(bound.modes, bound.weights, strict=True):
            if w:
                weights[i][b] = w
    groups = defaultdict(list)
    for i, own in enumerate(weights):
        groups[tuple(sorted(own.items()))].append(i)
    return dict(groups)


def _steps(space: HilbertSpace, free: list[int]) -> list[tuple[Rule, float]]:
    """Flips or steps of the modes that no number counts."""
    if not space.binary:
        return [(Raise(modes=None if len(free) == space.size else free), FLIPS)]
    return [(SingleFlip() if len(free) == space.size else FlipSets([[i] for i in free]), FLIPS)]


def _pairs(space: HilbertSpace, modes: list[int]) -> Int32[np.ndarray, "B 2"]:
    """Pairs that connect `modes`: bonds of the lattice inside each species and, where modes of two species
    are counted together, those at one site; else all pairs."""
    place = np.full(space.size, -1)
    place[modes] = np.arange(len(modes))
    found = [bonds for bonds in _bonds(space) if len(bonds)]
    rows = np.concatenate(found) if found else np.zeros((0, 2), int)
    rows = rows[(place[rows] >= 0).all(1)]
    if len(rows) and connected(place[rows], len(modes)):
        return rows.astype(np.int32)
    first, second = np.triu_indices(len(modes), 1)
    if len(first) > _MOST_PAIRS:
        remedy = "give sampler=Metropolis(rule, chains, hilbert=space)"
        raise fail("sampler", "a rule, for many modes that no bonds connect", None, remedy)
    return np.array(modes)[np.stack([first, second], 1)].astype(np.int32)


def _bonds(space: HilbertSpace) -> list[np.ndarray]:
    """Bonds of the lattice in each species of its size, and pairs of species at one site."""
    if not hasattr(space.place, "bonds"):
        return []
    bonds = np.asarray(space.place.bonds()).reshape(-1, 2)
    whole = [np.array(m) for _, m in space.species if len(m) == space.sites]
    inside = [modes[bonds] for modes in whole]
    return inside + [np.stack([a, b], 1) for a, b in pairwise(whole)]


def _flips_of(operator: object) -> list[list[int]]:
    """The sets of three modes or more that the operator flips: plaquettes, rings."""
    flips = np.asarray(getattr(operator, "flips", np.zeros((0, 1), int)))
    size = getattr(operator, "size", 0)
    sets = [sorted(int(i) for i in row[row < size]) for row in flips]
    sets = [one for one in sets if len(one) > 2]
    return sets if len(sets) <= _MOST_SETS else []


def mode_permutations(space: HilbertSpace) -> Int32[np.ndarray, "g N"]:
    """The space group of the lattice among the modes, each species by itself: the elements that keep levels
    and bounds; the identity alone where there is none.

    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> from intertwine.spaces.lattices import Chain
    >>> mode_permutations(Fermions(Chain(4), (1, 1))).shape
    (8, 8)
    """
    identity = np.arange(space.size, dtype=np.int32)[None]
    group = space_group_of(space.place)
    if group is None or any(len(modes) != space.sites for _, modes in space.species):
        return identity
    sites = np.asarray(group.permutations)
    rows = np.empty((len(sites), space.size), np.int32)
    for _, modes in space.species:
        own = np.array(modes)
        rows[:, own] = own[sites]
    levels = np.array(space.levels)
    bounds = {_key(bound, bound.modes) for bound in space.bounds}
    kept = [
        (levels[row] == levels).all()
        and {_key(b, [int(row[i]) for i in b.modes]) for b in space.bounds} == bounds
        for row in rows
    ]
    return rows[np.array(kept)]


def _key(bound: Bound, modes: Iterable[int]) -> tuple[Any, ...]:
    pairs = frozenset(zip(modes, bound.weights, strict=True))
    return pairs, bound.low, bound.high, bound.modulus
