r"""Which permutations of sites, and whether the spin flip, are symmetries of an operator and of its space.

A permutation of sites moves the modes of every species alike. The spin flip exchanges the modes of two
species (electrons), or turns level n of every mode into d − 1 − n (spins). Whether U_g H U_g⁻¹ = H is asked
of rows: with a fixed random function v of patterns,

    Σ_t ⟨s|H|t⟩ v(t)   and   σ(g, s) Σ_t ⟨g s|H|t⟩ σ(g⁻¹, t) v(g⁻¹ t)

agree for every s only if H is symmetric; all s are tried where there are few, else 2,048 drawn uniformly
(and for permutations the terms of the operator are compared besides).
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from intertwine.quantum.exact.hilbert.moves import Moves, moves_of
from intertwine.quantum.exact.hilbert.packing import packing_of, patterns
from intertwine.quantum.exact.hilbert.signed_group import SignedGroup
from intertwine.spaces.hilbert.bounds import Bound
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
from intertwine.spaces.hilbert.place import space_group_of

if TYPE_CHECKING:
    from intertwine.quantum.operators.protocols import QuantumOperator

_ALL, _SOME, _FEW = 4096, 2048, 128
LARGEST_GROUP = 2000


def mode_permutations(space: HilbertSpace, sites: np.ndarray) -> np.ndarray:
    """Permutations of modes, int (g, N), of permutations of sites (g, L).

    >>> import intertwine as it
    >>> mode_permutations(it.Fermions(3, (1, 1)), np.array([[1, 2, 0]])).tolist()
    [[1, 2, 0, 4, 5, 3]]
    """
    out = np.tile(np.arange(space.size), (len(sites), 1))
    for _, modes in space.species:
        if len(modes) == sites.shape[1]:
            out[:, list(modes)] = np.array(modes)[sites]
    return out


def flip_of(space: HilbertSpace) -> tuple[np.ndarray, bool] | None:
    """The spin flip of a space as (permutation of modes (N,), whether levels are turned), or None."""
    names = [name for name, _ in space.species]
    if names == ["up", "down"]:
        out = np.arange(space.size)
        up, down = (list(modes) for _, modes in space.species)
        out[up], out[down] = down, up
        return out, False
    return (np.arange(space.size), True) if space.kind == "spins" else None


def keeps_bounds(space: HilbertSpace, permutation: np.ndarray, flipped: bool) -> bool:
    """Whether a permutation of modes, with or without turned levels, maps the space onto itself."""
    own = {_content(bound) for bound in space.bounds}
    return own == {_content(_moved(bound, permutation, flipped, space.levels)) for bound in space.bounds}


def _content(bound: Bound) -> tuple[Any, ...]:
    order = np.argsort(bound.modes)
    modes, weights = np.array(bound.modes, int)[order], np.array(bound.weights, int)[order]
    return tuple(modes), tuple(weights), bound.low, bound.high, bound.modulus


def _moved(bound: Bound, permutation: np.ndarray, flipped: bool, levels: tuple[int, ...]) -> Bound:
    modes = tuple(int(permutation[i]) for i in bound.modes)
    if not flipped:
        return replace(bound, modes=modes)
    most = sum(w * (levels[i] - 1) for w, i in zip(bound.weights, bound.modes, strict=True))
    low, high = most - bound.high, most - bound.low
    if bound.modulus is not None:
        low, high = low % bound.modulus, high % bound.modulus
        if low > high:
            return replace(bound, modes=modes, modulus=-1)
    return replace(bound, modes=modes, low=low, high=high)


class Symmetries:
    """What leaves an operator and its space unchanged. sites: int (g, L), permutations of sites, the identity
    first (of all those that `place.space_group` has, or none but the identity). flip: whether the spin flip
    does."""

    def __init__(self, operator: QuantumOperator, space: HilbertSpace):
        self.operator, self.space = operator, space
        self.rows = _Rows(operator, space)
        self.place: Any = space.place
        sites = np.arange(space.sites)[None]
        group: Any = space_group_of(self.place)
        fits = any(len(modes) == space.sites for _, modes in space.species)
        self.is_whole_group = False
        if group is not None and fits and group.order <= LARGEST_GROUP:
            generators = mode_permutations(space, group.permutations[list(group.generators)])
            if all(self.has(row) for row in generators):
                sites, self.is_whole_group = group.permutations, True
            else:
                every = mode_permutations(space, group.permutations)
                sites = group.permutations[[self.has(row, few=True) for row in every]]
        identity = np.all(sites == np.arange(sites.shape[1]), axis=1)
        self.sites = np.concatenate([sites[identity], sites[~identity]])
        found = flip_of(space)
        self.flip = found if found is not None and self.has(*found) else None

    def has(self, permutation: np.ndarray, flipped: bool = False, few: bool = False) -> bool:
        """Whether a permutation of modes is a symmetry."""
        if not keeps_bounds(self.space, permutation, flipped):
            return False
        if not self.rows.agree(permutation, flipped, few):
            return False
        return flipped or self.operator.is_invariant(permutation)

    def group(self, sites: np.ndarray, characters: np.ndarray, spin_flip: int | None = None) -> SignedGroup:
        """Permutations of sites with their characters, and the spin flip with ±1, as they act on modes."""
        rows = mode_permutations(self.space, sites)
        flips = np.zeros(len(rows), bool)
        if spin_flip is None or self.flip is None:
            return SignedGroup(rows, flips, characters)
        exchanged, turned = self.flip
        return SignedGroup(
            np.concatenate([rows, exchanged[rows]]),
            np.concatenate([flips, flips ^ turned]),
            np.concatenate([characters, spin_flip * characters]),
        )

    @property
    def translations(self) -> np.ndarray:
        """Those of `sites` that are translations of the lattice, the identity first."""
        group = getattr(self.place, "translations", None)
        if group is None:
            return self.sites[:1]
        known = {row.tobytes() for row in np.asarray(group.permutations, np.int64)}
        kept = [row.astype(np.int64).tobytes() in known for row in self.sites]
        return self.sites[kept]


class _Rows:
    """Rows of an operator at configurations of its space."""

    def __init__(self, operator: QuantumOperator, space: HilbertSpace):
        self.space, self.packing = space, packing_of(space)
        self.moves = moves_of(operator, self.packing, space.levels)
        self.states = some_patterns(space)
        self.own = self.sums(self.states, None)
        self.scale = max(float(np.max(np.abs(self.own), initial=0.0)), 1e-300)

    def agree(self, permutation: np.ndarray, flipped: bool, few: bool) -> bool:
        states, own = (self.states[:_FEW], self.own[:_FEW]) if few else (self.states, self.own)
        pair = SignedGroup(
            np.stack([permutation, np.argsort(permutation)]), np.array([flipped] * 2), np.ones(2)
        )
        arguments = pair.kernel_arguments(self.packing, self.space.levels, self.space.fermionic)
        there, signs = moved(states, 0, arguments)
        return bool(
            np.max(np.abs(signs * self.sums(there, arguments) - own), initial=0.0) < 1e-9 * self.scale
        )

    def sums(self, states: np.ndarray, arguments: tuple[np.ndarray, ...] | None) -> np.ndarray:
        """Σ_t ⟨s|H|t⟩ v(t), or v pulled back by the second element of a pair."""
        total = np.zeros(len(states), complex)
        for moves in self.moves:
            for k in range(moves.count):
                values, targets = targets_of(states, k, moves)
                if arguments is None:
                    total += values * _random_function(targets)
                else:
                    back, signs = moved(targets, 1, arguments)
                    total += values * signs * _random_function(back)
        return total


def moved(states: np.ndarray, g: int, arguments: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
    """(g s, σ(g, s)) of patterns."""
    from intertwine.quantum.exact.hilbert import listing_kernels

    out, signs = np.empty_like(states), np.empty(len(states))
    listing_kernels.images(g, states, *arguments, out, signs)
    return out, signs


def targets_of(states: np.ndarray, k: int, moves: Moves) -> tuple[np.ndarray, np.ndarray]:
    """(elements ⟨s|H|t⟩, patterns t) of move k at patterns s."""
    keys = np.zeros(len(states), np.int64)
    for shift, mask, stride in moves.fields[moves.pointers[k] : moves.pointers[k + 1]]:
        keys += ((states >> shift) & mask) * stride
    parity, begin = moves.masks[k]
    odd = np.bitwise_count(states & parity) & 1
    values = moves.values[begin + keys] * (1.0 - 2.0 * odd)
    return values, states ^ moves.changes[begin + keys]


@lru_cache(maxsize=8)
def some_patterns(space: HilbertSpace) -> np.ndarray:
    """Patterns of a space: all, or some at random."""
    if space.dimension <= _ALL:
        states = patterns(space)
        return np.random.default_rng(0).permutation(states)
    found = space.random(_SOME, key=jax.random.key(0))
    return packing_of(space).packed(np.asarray(space.levels_of(np.asarray(found))))


def _random_function(states: np.ndarray) -> np.ndarray:
    """A fixed random number of [0, 1) for every pattern (splitmix64)."""
    z = states.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (z ^ (z >> np.uint64(31))).astype(np.float64) / 2.0**64
