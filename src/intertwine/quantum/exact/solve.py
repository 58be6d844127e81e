r"""Ground energies, ground states and spectra by diagonalization, sector by sector.

Operators on other spaces than free spins ½ (electrons, bosons, a blockade), and sectors of the point group,
are diagonalized by `hilbert`.

For a ground state of a stoquastic operator (after a rotation Π_{i∈A} Z_i, see `sign_structure`) the theorem
of Perron and Frobenius names the sector: trivial characters throughout. Otherwise all sectors are searched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intertwine._checks import fail, positive_int
from intertwine.quantum.exact.basis import Basis, Symmetry, build_basis, require_memory, sector_matrix
from intertwine.quantum.exact.hilbert import search
from intertwine.quantum.exact.hilbert.chosen import SectorLike, chosen
from intertwine.quantum.exact.hilbert.leaving import require_kept
from intertwine.quantum.exact.hilbert.packing import patterns
from intertwine.quantum.exact.hilbert.spaced import is_plain, plain_sector, space_of
from intertwine.quantum.exact.hilbert.symmetries import Symmetries
from intertwine.quantum.exact.lanczos import Eigenpairs, lowest
from intertwine.quantum.exact.sector import (
    Sector,
    complete_sectors,
    ground_sectors,
    positive_sectors,
    symmetry_of,
)
from intertwine.quantum.operators.sign_structure import rotated

if TYPE_CHECKING:
    from intertwine.quantum.operators.operator import Operator
    from intertwine.quantum.operators.protocols import QuantumOperator

_LARGEST_STATE = 24
_LARGEST_PATTERN = 62


def ground_energy(H: QuantumOperator, *, sector: SectorLike | None = None) -> float:
    """The lowest eigenvalue of H in its space, or the lowest inside `sector`.

    sector: a `Sector`, or on a lattice one of `it.sectors(lattice)` or its name, as "(π, 0) A1" or
    "k=(π,0), A1, flip=-1".

    Raises `InputError` where H is not Hermitian, leaves its space, `sector` is not conserved, or what it
    needs does not fit in memory (the message says how much), and `NotConverged` where Lanczos fails.

    >>> from intertwine.quantum.operators.hamiltonians import heisenberg
    >>> from intertwine.spaces.lattices import Chain
    >>> ring = heisenberg(Chain(8))
    >>> round(ground_energy(ring), 9), round(ground_energy(ring, sector=Sector(magnetization=2)), 9)
    (-14.604373636, -12.513676255)
    """
    if is_plain(H, sector):
        pairs, _, _ = _search(H, plain_sector(H, _plain(sector)))
        return float(pairs.energies[0])
    return float(_lowest_of_space(H, sector, vector=False).energies[0])


def ground_state(H: QuantumOperator, *, sector: SectorLike | None = None) -> tuple[float, np.ndarray]:
    """The lowest eigenvalue (inside `sector`) and a normalised eigenvector over the configurations of H's
    space, in the order of `space.configurations()`; for free spins ½ over all 2^N states, at most 24 sites.

    The vector is float64, or complex128 where it must be; site 0 is the most significant digit, for spins ½
    bit 0 ↔ s = +1; its largest component is positive. Of a degenerate level one state is returned. It is
    written in the frame of H (`Operator.turned`): there an observable A is `A.in_frame(H.turned)`.

    >>> from intertwine.quantum.operators.hamiltonians import heisenberg
    >>> from intertwine.spaces.lattices import Chain
    >>> energy, psi = ground_state(heisenberg(Chain(2), marshall=False))
    >>> round(energy, 9), psi[1:3].round(6).tolist()
    (-3.0, [0.707107, -0.707107])
    """
    if is_plain(H, sector):
        return _plain_state(H, _plain(sector))
    found = _lowest_of_space(H, sector, vector=True)
    return float(found.energies[0]), _positive(found.expanded())


def _plain_state(H: Operator, sector: Sector | None) -> tuple[float, np.ndarray]:
    """`ground_state` of spins ½."""
    if H.size > _LARGEST_STATE:
        raise fail(
            "H", f"at most {_LARGEST_STATE} sites for a state vector", f"{H.size} sites", "use ground_energy"
        )
    pairs, basis, sites = _search(H, plain_sector(H, sector))
    psi = basis.expanded(pairs.vectors[:, 0])
    if sites is not None and np.any(sites):
        mask = int(np.sum(np.int64(1) << (H.size - 1 - np.flatnonzero(sites))))
        psi = psi * (1.0 - 2.0 * (np.bitwise_count(np.arange(2**H.size) & mask) & 1))
    space = getattr(H, "hilbert", None)
    if space is not None and space.bounds:
        psi = psi[patterns(space)]
    return float(pairs.energies[0]), _positive(psi)


def _positive(psi: np.ndarray) -> np.ndarray:
    """Normalised, with the phase that makes its largest component positive."""
    largest = psi[np.argmax(np.abs(psi) > np.max(np.abs(psi)) * (1 - 1e-8))]
    psi = psi * (np.abs(largest) / largest)
    return psi / np.linalg.norm(psi)


def spectrum(H: QuantumOperator, k: int = 6, *, sector: SectorLike | None = None) -> np.ndarray:
    """The k lowest eigenvalues of H (inside `sector`), ascending, degenerate ones repeated; float64 (≤ k,).

    Inside an irrep of the space group of dimension d each level comes once for d states.

    >>> from intertwine.quantum.operators.hamiltonians import heisenberg
    >>> from intertwine.spaces.lattices import Chain
    >>> spectrum(heisenberg(Chain(4)), 5).round(9).tolist()
    [-8.0, -4.0, -4.0, -4.0, 0.0]
    """
    k = positive_int("k", k, "give the number of eigenvalues")
    _require_hermitian(H)
    if is_plain(H, sector):
        return _plain_spectrum(H, k, _plain(sector))
    space = space_of(H, sector)
    if sector is None:
        return search.all_levels(H, space, k).energies
    require_kept(H, space)
    symmetries = Symmetries(H, space)
    return search.in_sector(H, symmetries, chosen(symmetries, sector), k).energies


def _plain_spectrum(H: Operator, k: int, sector: Sector | None) -> np.ndarray:
    """`spectrum` of spins ½."""
    plans = [(symmetry_of(H, s), copies) for s, copies in complete_sectors(H, plain_sector(H, sector))]
    _require_all(H, [symmetry for symmetry, _ in plans], 2 * k)
    levels = []
    for symmetry, copies in plans:
        if symmetry.dimension():
            pairs, _ = _solve(H, symmetry, k)
            levels.append(np.repeat(pairs.energies, copies))
    return np.sort(np.concatenate(levels))[:k]


def _plain(sector: SectorLike | None) -> Sector | None:
    assert sector is None or isinstance(sector, Sector)
    return sector


def _lowest_of_space(H: QuantumOperator, sector: SectorLike | None, *, vector: bool) -> search.Levels:
    _require_hermitian(H)
    found = search.ground(H, space_of(H, sector), sector, vector)
    if not len(found.energies):
        raise fail("sector", "a sector with states in it", repr(sector), "its dimension is 0")
    return found


def searched_dimensions(H: Operator, sector: Sector | None = None) -> list[int]:
    """The dimensions of the sectors that `ground_energy` would diagonalize."""
    return [symmetry.dimension() for symmetry in _plan(H, sector)[2]]


def _plan(H: Operator, sector: Sector | None) -> tuple[Operator, np.ndarray | None, list[Symmetry]]:
    """The operator to diagonalize, the rotation that leads to it, and the sectors to search."""
    positive = positive_sectors(H, sector)
    if positive is None:
        return H, None, [symmetry_of(H, s) for s in ground_sectors(H, sector)]
    sites, symmetries = positive
    return rotated(H, sites), sites, symmetries


def _search(H: Operator, sector: Sector | None) -> tuple[Eigenpairs, Basis, np.ndarray | None]:
    """The lowest eigenpair over all sectors to search, its basis, and the rotation that was applied."""
    _require_hermitian(H)
    operator, sites, symmetries = _plan(H, sector)
    _require_all(operator, symmetries, 20)
    best: tuple[Eigenpairs, Basis] | None = None
    for symmetry in symmetries:
        if symmetry.dimension() == 0:
            continue
        found = _solve(operator, symmetry, 1)
        if best is None or found[0].energies[0] < best[0].energies[0]:
            best = found
    if best is None:
        raise fail("sector", "a sector with states in it", repr(sector), "its dimension is 0")
    return *best, sites


def _solve(operator: Operator, symmetry: Symmetry, k: int) -> tuple[Eigenpairs, Basis]:
    basis = build_basis(operator.size, symmetry)
    scale = float(np.sum(np.abs(operator.masks().h)))
    return lowest(sector_matrix(operator, basis), k, scale), basis


def _require_hermitian(H: QuantumOperator) -> None:
    if not hasattr(H, "is_hermitian"):
        raise fail("H", "an Operator", H, "build it with tfim, heisenberg, ... or Operator.from_strings")
    if not H.is_hermitian:
        raise fail("H", "a Hermitian operator", "one that is not", "add what is missing, as H + H.adjoint")
    if getattr(H, "hilbert", None) is None and H.size > _LARGEST_PATTERN:
        raise fail(
            "H",
            f"at most {_LARGEST_PATTERN} sites",
            f"{H.size} sites",
            "use ground_state of intertwine, which samples",
        )


def _require_all(operator: Operator, symmetries: list[Symmetry], vectors: int) -> None:
    for symmetry in symmetries:
        require_memory(operator, symmetry.dimension(), operator.is_real and symmetry.is_real, vectors)
