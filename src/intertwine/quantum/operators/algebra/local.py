r"""Operators on a Hilbert space from matrices on a few of its modes: what all others are built of.

    annihilate   the matrix with √1, √2, … above its diagonal, on one mode
    hopping      |10⟩⟨01| on two modes

Fermionic modes anticommute whatever the matrix (`fermion_signs`). On spaces of two-level modes the result is
an `Operator`, a sum of Pauli strings; on others a `LevelOperator`. Both have the same face,
`QuantumOperator`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.quantum.operators import pauli
from intertwine.quantum.operators.algebra.fermion_signs import sorting_signs, string_masks
from intertwine.quantum.operators.levels.building import level_operator
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.operators.pauli import PauliSum
from intertwine.quantum.operators.protocols import QuantumOperator
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

_MOST_STATES = 1024

Part = tuple[np.ndarray, np.ndarray, np.ndarray]
"""A matrix on k modes, the modes of B places (B, k), and a factor for each (B,)."""


def local(space: HilbertSpace, matrix: ArrayLike, modes: Sequence[int]) -> QuantumOperator:
    """A matrix on a few modes: (Π d, Π d) numbers, the first mode the most significant digit, as in np.kron.

    On fermionic modes the states are those that their creation operators make in the order given. Raises
    `InputError` for matrices of another shape, and for modes that are missing or repeated.

    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> hop = local(Fermions(3), [[0, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]], (0, 2))
    >>> sorted((c.real, "".join(letters.values())) for c, letters in hop.strings())    # c†_0 c_2 + c†_2 c_0
    [(0.5, 'XZX'), (0.5, 'YZY')]
    """
    checked_space(space)
    try:
        places = [pauli.checked_site("modes", i, space.size) for i in modes]
    except TypeError:
        raise fail("modes", "a sequence of modes", modes) from None
    if len(set(places)) != len(places) or not places:
        raise fail("modes", "distinct modes, one at least", places)
    states = prod(space.levels[i] for i in places)
    if states > _MOST_STATES:
        raise fail("modes", f"modes with at most {_MOST_STATES} states together", f"{states} states")
    try:
        dense = np.asarray(matrix, np.complex128)
    except (TypeError, ValueError):
        raise fail("matrix", "a matrix of numbers", matrix) from None
    if dense.shape != (states, states):
        raise fail("matrix", f"shape {(states, states)} for these modes", f"shape {dense.shape}")
    if not np.all(np.isfinite(dense)):
        raise fail("matrix", "finite entries", "NaN or infinity")
    return assembled(space, [(dense, np.array([places]), np.ones(1))])


def identity(space: HilbertSpace) -> QuantumOperator:
    """The identity.

    >>> from intertwine.spaces.hilbert.kinds import Spins
    >>> identity(Spins(2)).strings()
    [((1+0j), {})]
    """
    checked_space(space)
    return local(space, np.eye(space.levels[0]), (0,))


def assembled(
    space: HilbertSpace,
    parts: Sequence[Part],
    name: str = "",
    *,
    turned: Sequence[int] = (),
    known: bool = True,
) -> Any:
    """Σ over parts and places of factor · matrix, built at once.

    turned: the sites whose spins are turned in the frame in which the parts are written. known: whether the
    operator says its space; False for the free spins ½ of a lattice.

    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> hop = np.zeros((4, 4))
    >>> hop[1, 2] = hop[2, 1] = 1.0
    >>> assembled(Fermions(3), [(hop, np.array([[0, 1], [1, 2]]), np.array([-1.0, -1.0]))], "two hops")
    Operator(two hops, size=3, strings=4, flips=2, real)
    """
    if not space.binary:
        return level_operator(space, parts, name, turned)
    lattice = space.place if getattr(space.place, "size", None) == space.size else None
    terms = [pauli.empty(space.size)]
    for matrix, modes, factors in parts:
        kept = np.asarray(factors) != 0
        terms += _scattered(space, matrix, np.asarray(modes)[kept], np.asarray(factors)[kept])
    joined = PauliSum(*(np.concatenate(field) for field in zip(*terms, strict=True)))
    hilbert = space if known else None
    terms = pauli.canonical(joined)
    return Operator.from_masks(space.size, terms, lattice=lattice, name=name, turned=turned, hilbert=hilbert)


def _scattered(
    space: HilbertSpace, matrix: np.ndarray, modes: np.ndarray, factors: np.ndarray
) -> list[PauliSum]:
    """The strings of factor · matrix at all places, those of one order of modes at a time."""
    if len(modes) == 0:
        return []
    fermionic = np.array(space.fermionic, bool)
    orders = np.argsort(modes, axis=1, kind="stable")
    kinds = np.concatenate([orders, fermionic[modes]], axis=1)
    found = []
    for kind in np.unique(kinds, axis=0):
        mine = np.flatnonzero((kinds == kind).all(axis=1))
        found.append(_one_order(fermionic, matrix, modes[mine], factors[mine]))
    return found


def _one_order(fermionic: np.ndarray, matrix: np.ndarray, modes: np.ndarray, factors: np.ndarray) -> PauliSum:
    places, k = modes.shape
    size = len(fermionic)
    levels = (np.arange(len(matrix))[:, None] >> np.arange(k - 1, -1, -1)) & 1
    sign = sorting_signs(levels, np.argsort(modes[0], kind="stable").tolist(), fermionic[modes[0]].tolist())
    strings = pauli.decomposed(sign[:, None] * matrix * sign[None, :])
    T = len(strings.h)
    x, z = np.zeros((places, T, size), bool), np.zeros((places, T, size), bool)
    at = np.arange(places)[:, None]
    for a in range(k):
        x[at, np.arange(T), modes[:, a : a + 1]] = strings.x[:, a]
        z[at, np.arange(T), modes[:, a : a + 1]] = strings.z[:, a]
    if fermionic.any():
        tails = string_masks(fermionic, modes)
        for a in range(k):
            z ^= strings.x[None, :, a, None] & tails[:, a][:, None]
    h = np.asarray(factors)[:, None] * strings.h
    return PauliSum(x.reshape(-1, size), z.reshape(-1, size), h.ravel())


def checked_space(space: HilbertSpace) -> HilbertSpace:
    """`space`, or the error that says what it should be."""
    if not isinstance(space, HilbertSpace):
        raise fail("space", "a Hilbert space", space, "for example it.Fermions(lattice, (2, 2))")
    return space
