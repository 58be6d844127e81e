r"""Operators between the projectors onto a Hilbert space: P A P, and whether A leads out of it.

A flip set F of an allowed configuration s leads to s^{(F)}. Whether that is allowed is, for every bound, a
function of few spins, hence a polynomial that multiplies the elements of F:

    conserved number Σ w_i n_i     [Σ_{i∈F} w_i s_i = 0], of the spins of F alone
    constraint, as n_i + n_j ≤ 1   [it holds before] [it holds after], of the spins of the constraint

so that a blockade gives X_i the factors (1 + Z_j)/2 of its neighbours, and no element leads out.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

import numpy as np

from intertwine._checks import fail
from intertwine.quantum.operators import pauli
from intertwine.quantum.operators.algebra.local import checked_space
from intertwine.quantum.operators.levels.confining import projected_levels
from intertwine.quantum.operators.levels.level_operator import LevelOperator
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.operators.pauli import PauliSum
from intertwine.spaces.hilbert.bounds import Bound
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

_MOST_MODES = 12
Kind = TypeVar("Kind", Operator, LevelOperator)


def projected(operator: Kind, space: HilbertSpace | None = None) -> Kind:
    """P A P on `space` (None: the operator's own).

    Raises `InputError` for spaces of other modes, and where a flip set or a constraint that it touches has
    more than 12 modes.

    >>> from intertwine.spaces.hilbert.kinds import Rydberg
    >>> from intertwine.spaces.lattices import Chain
    >>> flip = Operator.from_strings(3, [(1.0, {0: "X"})])
    >>> projected(flip, Rydberg(Chain(3, pbc=False))).strings()
    [((0.5+0j), {0: 'X', 1: 'Z'}), ((0.5+0j), {0: 'X'})]
    """
    space = _own(operator, space)
    if space is None or not space.bounds:
        return operator
    if isinstance(operator, LevelOperator):
        return projected_levels(operator, space)
    x, z, h = operator.masks()
    flip_masks, which = pauli.grouped(x)
    touching = np.zeros((len(space.bounds), operator.size), bool)
    for b, bound in enumerate(space.bounds):
        touching[b, list(bound.modes)] = True
    kept = [pauli.empty(operator.size)]
    for k, flip in enumerate(flip_masks):
        terms = PauliSum(*(field[which == k] for field in (x, z, h)))
        for b in np.flatnonzero((touching & flip).any(axis=1)):
            if len(terms.h) and not _keeps(terms, space.bounds[b], flip):
                terms = _times(terms, *_indicator(space.bounds[b], flip))
        kept.append(terms)
    joined = PauliSum(*(np.concatenate(field) for field in zip(*kept, strict=True)))
    return Operator.from_masks(
        operator.size,
        pauli.canonical(joined),
        lattice=operator.lattice,
        name=operator.name,
        turned=operator.turned,
        hilbert=space,
    )


def leaves(operator: Kind, space: HilbertSpace | None = None) -> bool:
    """Whether some element leads from a configuration of `space` (None: the operator's own) out of it, as
    the bounds tell that it touches.

    >>> from intertwine.quantum.operators.algebra.modes import annihilate, create
    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> three = Fermions(4, 3)
    >>> leaves(create(three, 0)), leaves(create(three, 0) @ annihilate(three, 1))
    (True, False)
    """
    space = _own(operator, space)
    return space is not None and not projected(operator, space).is_close(operator)


def _own(operator: Operator | LevelOperator, space: HilbertSpace | None) -> HilbertSpace | None:
    if not isinstance(operator, Operator | LevelOperator):
        raise fail("operator", "an operator", operator)
    if space is None:
        return operator.hilbert
    levels = (2,) * operator.size if operator.hilbert is None else operator.hilbert.levels
    if checked_space(space).levels != levels:
        kind = "two-level modes" if set(levels) == {2} else "modes"
        raise fail("space", f"one of the operator's {operator.size} {kind}", space)
    return space


def _keeps(terms: PauliSum, bound: Bound, flip: np.ndarray) -> bool:
    """Whether a constraint of more modes than a polynomial takes is left as it is, because the terms do not
    change its sum."""
    flipped = [i for i in bound.modes if flip[i]]
    if bound.is_number or len(bound.modes) <= _MOST_MODES or len(flipped) > _MOST_MODES:
        return False
    modes, coefficients = _indicator(replace(bound, high=bound.low), flip)
    kept, before = _times(terms, modes, coefficients), pauli.canonical(terms)
    return len(pauli.add(kept, before, -1.0).h) == 0


def _indicator(bound: Bound, flip: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(modes, coefficients (2^k,) of the products of their spins) of the polynomial that multiplies flips
    of `flip`."""
    flipped = [bool(flip[i]) for i in bound.modes]
    inside = [i for i, f in zip(bound.modes, flipped, strict=True) if f]
    modes = inside if bound.is_number else list(bound.modes)
    if len(modes) > _MOST_MODES:
        what = "strings that flip" if bound.is_number else "constraints of"
        raise fail("operator", f"{what} at most {_MOST_MODES} modes of a bound", f"{len(modes)}")
    found = _polynomial(bound.weights, tuple(flipped), bound.low, bound.high, bound.modulus)
    return np.array(modes), found


@lru_cache(maxsize=1024)
def _polynomial(
    weights: tuple[int, ...], flipped: tuple[bool, ...], low: int, high: int, modulus: int | None
) -> np.ndarray:
    w, f = np.array(weights), np.array(flipped)
    if low == high:
        w = w[f]
        change = (1 - 2 * _levels(len(w))) @ w
        holds = (change if modulus is None else change % modulus) == 0
    else:
        levels = _levels(len(w))
        bound = Bound(tuple(range(len(w))), weights, low, high, modulus)
        holds = bound.holds(levels) & bound.holds(np.where(f, 1 - levels, levels))
    return pauli.walsh_hadamard(holds.astype(float)) / len(holds)


def _levels(count: int) -> np.ndarray:
    return (np.arange(2**count)[:, None] >> np.arange(count)) & 1


def _times(terms: PauliSum, modes: np.ndarray, coefficients: np.ndarray) -> PauliSum:
    """Terms of one flip set times a polynomial in the spins of `modes`."""
    chosen = np.flatnonzero(coefficients)
    masks = np.zeros((len(chosen), terms.x.shape[1]), bool)
    masks[:, modes] = (chosen[:, None] >> np.arange(len(modes))) & 1
    z = (terms.z[:, None] ^ masks[None]).reshape(-1, terms.x.shape[1])
    x = np.repeat(terms.x, len(chosen), axis=0)
    return pauli.canonical(PauliSum(x, z, np.outer(terms.h, coefficients[chosen]).ravel()))
