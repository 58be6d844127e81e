r"""Low-lying states, sector by sector: the lowest energy of each irrep of the space group.

The lowest state of a sector is the ground state of H inside it, and a wave function that carries the sector's
symmetry cannot leave it (Choo, Carleo, Regnault & Neupert, PRL 121, 167204 (2018)). So excited states are
ground-state searches with other characters (`lowest_in_sector`). The exact counterpart for small systems is
the diagonalization of H between the ranges of the projectors (`exact_levels`).

Sectors are those of the operator as it is written: the Marshall rotation of `heisenberg` and `j1j2` moves
momenta by (π, π) where an odd number of spins is down.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax import Array

from intertwine._checks import fail, positive_int
from intertwine.models.levels.level_spins import encoding
from intertwine.models.levels.spins_on_levels import on_levels
from intertwine.models.symmetric.gcnn import GCNN
from intertwine.models.symmetric.sectors import SpaceGroupSector
from intertwine.quantum.hilbert_moves import own_space
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.space_choice import default_sampler
from intertwine.quantum.vmc.ground_state import ground_state
from intertwine.quantum.vmc.moves import AnyOperator, check_operator
from intertwine.quantum.vmc.search import GroundStateRun
from intertwine.sampling.enumeration import Enumeration, configuration_numbers
from intertwine.sampling.orbits import OrbitEnumeration
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
from intertwine.symmetry.groups.permutation_group import PermutationGroup

_LARGEST_EXACT = 20
FEW = 4096
"""Configurations that are summed over rather than sampled."""


def lowest_in_sector(
    operator: AnyOperator,
    sector: SpaceGroupSector,
    model: Callable[[Any, Array], Any] | None = None,
    *,
    steps: int = 200,
    samples: int = 1024,
    spin_flip: int | None = None,
    exact_sums: bool | None = None,
    key: Array,
    **options: Any,
) -> GroundStateRun:
    """The lowest state of `operator` in `sector`, by variational Monte Carlo.

    model: builds the wave function from a character and a key; None: a complex `GCNN` of 3 layers of 4
    features with the lattice's space group and `spin_flip`, in the first row of the irrep. steps, samples and
    `options` as for `ground_state`. exact_sums: train on and end with sums over all configurations (of the
    magnetization of the ground state where that is conserved; with model=None one of each orbit that its
    symmetry leaves alike) instead of samples; None: where there are few of them, unless a sampler is given.

    Raises InputError where the operator does not have the lattice's symmetry, or not that of the flip.

    >>> import intertwine as it
    >>> from intertwine.models.symmetric.sectors import sector
    >>> ring = it.Chain(6)
    >>> low = lowest_in_sector(it.heisenberg(ring), sector(ring, np.pi), steps=30, exact_sums=True,
    ...                        key=jax.random.key(0))
    >>> round(float(low.energy.mean.real), 2)
    -8.47
    """
    _check_symmetric(operator, sector, spin_flip)
    build_key, run_key = jax.random.split(key)
    space = own_space(operator)
    if model is None:
        psi = _network(sector, spin_flip, space, build_key)
    else:
        psi = model(sector.character, build_key)
    sampler = options.pop("sampler", None)
    if sampler is None:
        sampler = default_sampler(operator, samples)
        if space is not None:
            few = space.dimension <= FEW
        else:
            few = operator.size <= 22 and Enumeration(sampler.magnetization).count(operator.size) <= FEW
        if exact_sums or (exact_sums is None and few):
            kept = sampler.magnetization, space
            sampler = _sums(operator, sector, *kept, spin_flip, symmetric=model is None)
    options = {"compare": False} | options
    return ground_state(operator, psi, steps, samples, key=run_key, sampler=sampler, **options)


def _network(sector: SpaceGroupSector, spin_flip: int | None, space: HilbertSpace | None, key: Array) -> Any:
    """Group convolutions in the first row of the irrep, of spins or of modes with several levels."""
    made = {"character": sector.row(), "spin_flip": spin_flip, "dtype": complex, "key": key}
    if space is None or space.binary:
        if space is not None and space.has_fermions:
            remedy = "give model=, such as a projected determinant"
            raise fail("model", "a wave function of fermions", None, remedy)
        return GCNN(sector.lattice, 3, 4, **made)
    code = encoding(space)
    group = PermutationGroup(code.permuted(np.asarray(sector.lattice.space_group.permutations)))
    return on_levels(GCNN(group, 3, 4, **made), code)


def _sums(
    operator: AnyOperator,
    sector: SpaceGroupSector,
    magnetization: int | None,
    space: HilbertSpace | None,
    flip: int | None,
    *,
    symmetric: bool,
) -> Any:
    """All configurations, or for the model of the sector one of each orbit that its symmetry leaves alike."""
    if not symmetric:
        return Enumeration(magnetization, space)
    alike = np.isclose(np.abs(sector.row()), 1)  # D_00(g) of modulus 1: ψ(g s) is ψ(s) up to a phase
    moves = sector.lattice.space_group.permutations[alike]
    flipped = flip is not None and magnetization in (None, 0)
    flipped = flipped and space is None
    return OrbitEnumeration(moves, magnetization=magnetization, spin_flip=flipped, hilbert=space)


def exact_levels(
    operator: Operator,
    sector: SpaceGroupSector,
    k: int = 1,
    *,
    magnetization: int | None = None,
    spin_flip: int | None = None,
) -> np.ndarray:
    """The k lowest eigenvalues of `operator` in `sector`, each multiplet of the irrep once; float64 (≤ k,).

    magnetization: Σ s_i, or None for all. spin_flip: 1 or −1 keeps the states that Π X_i leaves or turns.

    P = (d/|G|) Σ_g X(g)* U_g is block diagonal over the orbits of configurations; an orthonormal basis of its
    range is made orbit by orbit, and H between these is diagonalized. At most 20 sites, else InputError.

    >>> import intertwine as it
    >>> from intertwine.models.symmetric.sectors import sectors
    >>> ring = it.Chain(4)
    >>> [exact_levels(it.heisenberg(ring), s, 1, magnetization=0).round(6).tolist() for s in sectors(ring)]
    [[-8.0], [], [0.0], [-4.0], [0.0]]
    """
    _check_symmetric(operator, sector, spin_flip)
    k = positive_int("k", k, "give the number of levels")
    if operator.size > _LARGEST_EXACT:
        raise fail("operator", f"at most {_LARGEST_EXACT} sites", operator.size, "use lowest_in_sector")
    numbers = configuration_numbers(operator.size, magnetization)
    basis = _sector_basis(numbers, sector, spin_flip)
    if basis.shape[1] == 0:
        return np.zeros(0)
    matrix = operator.to_sparse()[numbers][:, numbers]
    inside = (basis.conj().T @ (matrix @ basis)).toarray()
    levels = np.linalg.eigvalsh((inside + inside.conj().T) / 2)
    copies = sector.dimension
    return levels[::copies][:k]


def _sector_basis(numbers: np.ndarray, sector: SpaceGroupSector, spin_flip: int | None) -> Any:
    """Orthonormal columns that span the range of the projector, sparse (states, dimension)."""
    from scipy.sparse import csc_matrix

    group = sector.lattice.space_group
    size, weights = group.size, sector.character * (sector.dimension / group.order)
    masks = np.int64(1) << (size - 1 - np.arange(size))
    moves = [(row, False) for row in group.permutations]
    if spin_flip is not None:
        moves += [(row, True) for row in group.permutations]
        weights = np.concatenate([weights, spin_flip * weights]) / 2
    full = np.int64(2**size - 1)
    bits = (numbers[:, None] >> (size - 1 - np.arange(size))) & 1
    images = np.empty((len(moves), len(numbers)), np.int64)  # the place of g s for every g and s
    for i, (row, flipped) in enumerate(moves):
        moved = bits @ masks[row]
        images[i] = np.searchsorted(numbers, full ^ moved if flipped else moved)
    rows, columns, values, count = [], [], [], 0
    for first in np.flatnonzero(images.min(axis=0) == np.arange(len(numbers))):
        orbit = np.unique(images[:, first])
        block = np.zeros((len(orbit), len(orbit)), weights.dtype)
        for j, s in enumerate(orbit):
            np.add.at(block[:, j], np.searchsorted(orbit, images[:, s]), weights)
        share, vectors = np.linalg.eigh(block)
        kept = vectors[:, share > 0.5]
        i, j = np.nonzero(np.abs(kept) > 1e-12)
        rows.append(orbit[i])
        columns.append(count + j)
        values.append(kept[i, j])
        count += kept.shape[1]
    data: Any = np.concatenate(values)
    if np.abs(data.imag).max(initial=0) < 1e-12:
        data = data.real
    return csc_matrix((data, (np.concatenate(rows), np.concatenate(columns))), shape=(len(numbers), count))


def _check_symmetric(operator: AnyOperator, sector: object, spin_flip: object) -> None:
    check_operator(operator)
    if not isinstance(sector, SpaceGroupSector):
        raise fail("sector", "a SpaceGroupSector", sector, "for example sector(lattice, momentum)")
    group = sector.lattice.space_group
    if group.size != operator.size:
        raise fail("sector", f"one of {operator.size} sites", f"one of {group.size} sites")
    if not all(operator.is_invariant(group.permutations[g]) for g in group.generators):
        raise fail("operator", "one with the symmetry of the sector's lattice", operator)
    if spin_flip not in (None, 1, -1):
        raise fail("spin_flip", "None, 1 or -1", spin_flip)
    flips = isinstance(operator, Operator) and operator.commutes_with_spin_flip
    if spin_flip is not None and not flips:
        raise fail("spin_flip", "None for an operator that the flip of all spins changes", spin_flip)
