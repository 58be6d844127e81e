r"""Ground energies, ground states and spectra of operators on any Hilbert space.

Which way is taken, and what it needs, is known before anything large is made (`Way`):

    halves        electrons with given numbers up and down, and other products: vectors and a diagonal
    one sector    the states of one sector, of trivial characters for the ground state of an operator whose
                  elements off the diagonal are at most 0 (Perron and Frobenius; no fermions)
    all states    the configurations of the space, the matrix stored where it fits, else made row by row
    every sector  of the translations and the spin flip, one after another, where all states do not fit
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from intertwine._checks import fail
from intertwine._memory import available_memory
from intertwine.quantum.exact.hilbert.basis import SpaceBasis, space_basis, space_matrix
from intertwine.quantum.exact.hilbert.chosen import (
    Chosen,
    Projected,
    SectorLike,
    chosen,
    projector,
    translation_sectors,
)
from intertwine.quantum.exact.hilbert.halves import halves_of, product_matrix
from intertwine.quantum.exact.hilbert.leaving import require_kept
from intertwine.quantum.exact.hilbert.packing import packing_of
from intertwine.quantum.exact.hilbert.recurrence import lowest_pair
from intertwine.quantum.exact.hilbert.symmetries import Symmetries
from intertwine.quantum.exact.lanczos import Matrix, lowest
from intertwine.quantum.operators.operator import Operator
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

if TYPE_CHECKING:
    from intertwine.quantum.operators.protocols import QuantumOperator

SHARE = 0.7
"""Of the machine's memory, what one diagonalization may take."""
_FEW = 20_000
"""States up to which nothing is gained by symmetries or halves."""
_KRYLOV = 28


class Levels(NamedTuple):
    """energies: (k,) ascending. vectors: columns (n, k) over the states of `basis`, or None where only an
    energy was asked for; basis None: over all configurations."""

    energies: np.ndarray
    vectors: np.ndarray | None
    basis: SpaceBasis | None

    def expanded(self, column: int = 0) -> np.ndarray:
        """An eigenvector over all configurations of the space."""
        assert self.vectors is not None
        vector = np.ascontiguousarray(self.vectors[:, column])
        return vector if self.basis is None else self.basis.expanded(vector)


def ground(H: QuantumOperator, space: HilbertSpace, sector: SectorLike | None, vector: bool) -> Levels:
    """The lowest level of H in `space`, or inside `sector`."""
    require_kept(H, space)
    if sector is not None:
        symmetries = Symmetries(H, space)
        return in_sector(H, symmetries, chosen(symmetries, sector), 1, vector)
    halves = halves_of(space) if space.dimension > _FEW else None
    if halves is not None and isinstance(H, Operator):
        _require(H, space, space.dimension, vectors=5 + vector, whole=False)
        matrix = product_matrix(H, halves)
        if matrix is not None:
            found = lowest_pair(matrix, vector=vector)
            vectors = None if found.vector is None else found.vector[:, None]
            return Levels(np.array([found.energy]), vectors, None)
    if space.dimension > _FEW and not space.has_fermions and H.is_stoquastic:
        symmetries = Symmetries(H, space)
        flip = None if symmetries.flip is None else 1
        group = symmetries.group(symmetries.sites, np.ones(len(symmetries.sites), complex), flip)
        return in_sector(H, symmetries, Chosen(group, None, None, 1, "trivial"), 1, vector)
    if _fits(space, space.dimension, 5 + vector):
        return in_sector(H, None, None, 1, vector, space)
    symmetries = Symmetries(H, space)
    best: Levels | None = None
    for one, _, _ in translation_sectors(symmetries):
        found = in_sector(H, symmetries, one, 1, vector)
        if len(found.energies) and (best is None or found.energies[0] < best.energies[0]):
            best = found
    assert best is not None
    return best


def all_levels(H: QuantumOperator, space: HilbertSpace, k: int) -> Levels:
    """The k lowest levels of H in its space, as a product of halves where that is one and large."""
    require_kept(H, space)
    halves = halves_of(space) if space.dimension > _FEW else None
    if halves is not None and isinstance(H, Operator):
        _require(H, space, space.dimension, 2 * k + _KRYLOV, whole=False)
        matrix = product_matrix(H, halves)
        if matrix is not None:
            pairs = lowest(matrix, k, H.bound)
            return Levels(pairs.energies, pairs.vectors, None)
    return in_sector(H, None, None, k, space=space)


def in_sector(
    H: QuantumOperator,
    symmetries: Symmetries | None,
    sector: Chosen | None,
    k: int,
    vector: bool = True,
    space: HilbertSpace | None = None,
) -> Levels:
    """The k lowest levels of a sector (None: all states of `space`), the multiplets of an irrep once."""
    space = symmetries.space if symmetries is not None else space
    assert space is not None
    group = None if sector is None else sector.group
    expected = space.dimension if group is None else -(-space.dimension // group.order)
    only_one = k == 1 and expected > _FEW
    needed = 5 + vector if only_one else 2 * k + _KRYLOV
    _require(H, space, expected, needed)
    basis = space_basis(space, group)
    _require(H, space, basis.dimension, needed)
    if basis.dimension == 0:
        return Levels(np.zeros(0), np.zeros((0, 0)), basis)
    item = 8 if H.is_real and basis.group.is_real else 16
    left = SHARE * available_memory() - basis.dimension * (24 + item * needed)
    matrix = space_matrix(H, basis, stored=min(4e9, max(0.0, left)))
    scale = H.bound
    if sector is not None and sector.rows is not None:
        assert symmetries is not None
        return _projected(basis, symmetries, sector, matrix, k, scale)
    if only_one:
        found = lowest_pair(matrix, vector=vector)
        return Levels(
            np.array([found.energy]), None if found.vector is None else found.vector[:, None], basis
        )
    pairs = lowest(matrix, k, scale)
    return Levels(pairs.energies, pairs.vectors, basis)


def _projected(
    basis: SpaceBasis, symmetries: Symmetries, sector: Chosen, matrix: Matrix, k: int, scale: float
) -> Levels:
    inside = projector(basis, symmetries, sector)
    count = round(float(np.real(inside.diagonal().sum())))
    if count == 0:
        return Levels(np.zeros(0), np.zeros((basis.dimension, 0)), basis)
    lifted = Projected(matrix, inside, 1.01 * scale + 1.0)
    pairs = lowest(lifted, min(k, count), 2 * scale + 1.0)
    return Levels(pairs.energies, pairs.vectors, basis)


def _bytes(space: HilbertSpace, states: int, vectors: int) -> float:
    return states * (8.0 * vectors + 24)


def _fits(space: HilbertSpace, states: int, vectors: int) -> bool:
    return _bytes(space, states, vectors) <= SHARE * available_memory()


def _require(H: QuantumOperator, space: HilbertSpace, states: int, vectors: int, whole: bool = True) -> None:
    """InputError where so many states would not fit, saying what they need."""
    packing_of(space)
    item = 8 if H.is_real else 16
    needed = float(states) * (item * vectors + (24 if whole else 8))
    limit = SHARE * available_memory()
    if needed > limit:
        raise fail(
            "H",
            f"a space or a sector that fits in {limit / 1e9:.0f} GB",
            f"{states:.3g} states, about {needed / 1e9:.3g} GB",
            "use a smaller system or give a sector, or ground_state, which samples",
        )
