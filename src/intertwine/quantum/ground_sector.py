r"""The symmetry sector that holds the ground state of a small operator: which one, not its energy.

A wave function with a symmetry built in cannot leave its sector, so the sector is to be known before the
search. Where a rotation Π_{i∈A} Z_i makes the operator stoquastic, the theorem of Perron and Frobenius names
it: trivial throughout. Elsewhere (frustrated magnets) the conserved quantities are searched by Lanczos, and
the irrep of the space group is read off the lowest vector,

    w_j = (d_j/|G_q|) Σ_{g∈G_q} X_j(g)* ⟨ψ|U_g|ψ⟩            (the weight of |ψ⟩ in the small irrep j of G_q),

q being its momentum (Bradley & Cracknell, The Mathematical Theory of Symmetry in Solids, 1972, ch. 3).
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from intertwine._checks import InputError
from intertwine.models.symmetric.sectors import SpaceGroupSector, sector
from intertwine.quantum.exact.basis import Basis, build_basis, sector_matrix
from intertwine.quantum.exact.lanczos import NotConverged, lowest
from intertwine.quantum.exact.sector import Sector, ground_sectors, symmetry_of
from intertwine.quantum.operators.operator import Operator
from intertwine.spaces.hilbert.place import space_group_of

if TYPE_CHECKING:
    from intertwine.spaces.lattice import Lattice

LARGEST = 24
"""Sites up to which the sector is searched for."""

_MOST_STATES = 150_000
"""The largest sector that is diagonalized: a second or two each."""

_SCREENING, _ROUGH = 1e-5, 1e-3
"""Residuals of Lanczos, over the sum of the couplings: to compare levels, and for the width of a spectrum."""
_DEGENERATE = 1e-9
_LEAST_WEIGHT = 1e-3


class GroundSector(NamedTuple):
    """magnetization: Σ s_i, or None where it is not conserved. spin_flip: the eigenvalue of Π X_i, or None.
    irrep: of the lattice's space group, or None where there is none or it is broken. component: the row of
    its small irrep that the ground state has a share of. width, gap: the distances from the lowest level of
    the magnetization, flip and momentum to the highest and to the next one: they say how large a step may be,
    and how many are needed.
    """

    magnetization: int | None
    spin_flip: int | None
    irrep: SpaceGroupSector | None
    component: int
    width: float
    gap: float

    @property
    def is_trivial(self) -> bool:
        """Whether every symmetry of the sites leaves the ground state as it is (or there is none)."""
        return self.irrep is None or bool(np.all(self.irrep.character == 1))

    def is_invariant(self, permutations: np.ndarray) -> bool:
        """Whether a ground state is unchanged by a group of permutations (g, N): the irrep contains the
        trivial one of the group, Σ_g X(g) > 0. False where they are not all symmetries of the lattice."""
        if self.irrep is None:
            return len(permutations) == 1
        rows = self.irrep.lattice.space_group.rows_of(permutations)
        return bool(np.all(rows >= 0) and np.abs(np.sum(self.irrep.character[rows])) > 1e-6)

    @property
    def label(self) -> str:
        """The irrep and its component as `models.sectors.sector_called` reads them."""
        assert self.irrep is not None
        return self.irrep.name + (f" row {self.component}" if self.component else "")

    @property
    def row(self) -> np.ndarray:
        """D_cc* of every element of the space group: what a model of this sector takes as `character`."""
        assert self.irrep is not None
        return self.irrep.row(self.component)

    @property
    def alike(self) -> np.ndarray:
        """bool (order,): the elements under which |ψ|² does not change."""
        return np.isclose(np.abs(self.row), 1)

    def __str__(self) -> str:
        parts = [] if self.magnetization is None else [f"magnetization {self.magnetization}"]
        parts += [] if self.spin_flip is None else [f"spin flip {self.spin_flip:+d}"]
        parts += [] if self.irrep is None else [f"irrep {self.label}"]
        return ", ".join(parts) or "no symmetry"


def has_space_group(operator: Operator) -> bool:
    """Whether the operator has a lattice, and the symmetry of its whole space group."""
    group = space_group_of(operator.lattice)
    if group is None:
        return False
    return all(operator.is_invariant(group.permutations[g]) for g in group.generators)


def ground_sector(operator: Operator) -> GroundSector | None:
    """The sector of a ground state of `operator`, by Lanczos; None beyond 24 sites, and where a sector of
    what it conserves has more than 150,000 states.

    Of sectors with the same lowest energy the first in the order of `exact.complete_sectors` is taken.

    >>> import intertwine as it
    >>> print(ground_sector(it.heisenberg(it.Chain(5))))
    magnetization 1, irrep 2π/5 A
    """
    if operator.size > LARGEST:
        return None
    x, z, h = operator.masks()
    key = (operator.lattice, x.tobytes(), z.tobytes(), h.tobytes())
    if key not in _found:
        if len(_found) >= _REMEMBERED:
            _found.clear()
        try:
            _found[key] = _search(operator)
        except NotConverged:
            _found[key] = None
    return _found[key]


_REMEMBERED = 16
_found: dict[Any, GroundSector | None] = {}


def _search(operator: Operator) -> GroundSector | None:
    wanted = [(s, symmetry_of(operator, s)) for s in ground_sectors(operator, None)]
    if max(symmetry.dimension() for _, symmetry in wanted) > _MOST_STATES:
        return None
    scale = max(float(np.sum(np.abs(operator.masks().h))), 1e-300)
    best: _Candidate | None = None
    for found, symmetry in wanted:
        if symmetry.dimension() == 0:
            continue
        basis = build_basis(operator.size, symmetry)
        candidate = _Candidate(found, basis, sector_matrix(operator, basis), scale)
        if best is None or candidate.is_below(best):
            best = candidate
    if best is None:
        return None
    found, basis, matrix = best.found, best.basis, best.matrix
    energy, vector = best.refined
    irrep, component = None, 0
    if has_space_group(operator):
        irrep, component = _irrep(operator, found, basis, vector)
    width = -float(lowest(-matrix, 1, scale, _ROUGH).energies[0]) - energy
    above = lowest(matrix, 3, scale, _SCREENING).energies
    above = above[above > energy + _SCREENING * scale]
    gap = float(above[0]) - energy if len(above) else width
    return GroundSector(found.magnetization, found.spin_flip, irrep, component, width, gap)


class _Candidate:
    """A sector that may hold the ground state: its lowest energy within `rough`, and as well as can be."""

    def __init__(self, found: Sector, basis: Basis, matrix: Any, scale: float):
        self.found, self.basis, self.matrix, self.scale = found, basis, matrix, scale
        self.rough = float(lowest(matrix, 1, scale, _SCREENING).energies[0])

    @cached_property
    def refined(self) -> tuple[float, np.ndarray]:
        """(energy, vector)"""
        pairs = lowest(self.matrix, 1, self.scale)
        return float(pairs.energies[0]), pairs.vectors[:, 0]

    def is_below(self, other: _Candidate) -> bool:
        if abs(self.rough - other.rough) > 4 * _SCREENING * self.scale:
            return self.rough < other.rough
        return self.refined[0] < other.refined[0] - _DEGENERATE * self.scale


def _irrep(
    operator: Operator, found: Sector, basis: Basis, vector: np.ndarray
) -> tuple[SpaceGroupSector, int]:
    """The irrep with the largest share of |ψ⟩ among those of its momentum, and the component of it."""
    lattice: Any = operator.lattice
    momentum = found.momentum or (0,) * lattice.dimension
    turns = 2 * np.pi * np.array(momentum) / np.array(lattice.extent)
    q = np.linalg.lstsq(np.asarray(lattice.basis_vectors), turns, rcond=None)[0]
    overlaps = _overlaps(lattice.space_group.permutations, basis, vector)
    best: tuple[float, SpaceGroupSector, int] | None = None
    for candidate in _irreps_at(lattice, q):
        degree = candidate.dimension // candidate.star
        for component in range(degree):
            row = candidate.row(component)
            little = lattice.space_group.order // candidate.star
            weight = degree / little * float(np.real(np.sum(row * overlaps)))
            if best is None or weight > best[0] + _LEAST_WEIGHT:
                best = weight, candidate, component
    assert best is not None and best[0] > _LEAST_WEIGHT
    return best[1], best[2]


def _irreps_at(lattice: Lattice, q: np.ndarray) -> list[SpaceGroupSector]:
    found = [sector(lattice, q, 0)]
    while True:
        try:
            found.append(sector(lattice, q, len(found)))
        except InputError:
            return found


def _overlaps(permutations: np.ndarray, basis: Basis, vector: np.ndarray) -> np.ndarray:
    """⟨ψ|U_g|ψ⟩ of every element, complex (g,): (U_g ψ)(g s) = ψ(s).

    ψ(g s)* ψ(s) is the same for all s of an orbit of the translations and the flip (for g that keep the
    momentum, the others do not count), so that Σ_s is one over representatives, which have the weight |v|² in
    the vector.
    """
    psi, size = basis.expanded(vector), permutations.shape[1]
    states = np.arange(2**size) if basis.full else basis.states
    weights = np.abs(vector) ** 2
    there = weights > 1e-30
    states, weights = states[there], weights[there]
    shares = weights / np.conj(psi[states])
    bits = (states[:, None] >> np.arange(size - 1, -1, -1)) & 1
    values = np.int64(1) << (size - 1 - permutations)
    return np.array([np.sum(np.conj(psi[bits @ row]) * shares) for row in values])
