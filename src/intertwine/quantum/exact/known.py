r"""What is known about the ground energy of a Hamiltonian, with its source.

A Hamiltonian is recognised by what it contains, not by its name: its Pauli strings are compared with those of
the candidate, for any overall scale, and up to a rotation Π_{i∈A} Z_i (so a Marshall sign does not matter).
Rings and open chains are recognised under any numbering of the sites.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from intertwine._checks import fail
from intertwine.quantum.exact.closed_forms import (
    fermion_ring_energy,
    heisenberg_ring_energy,
    ising_chain_energy,
    ising_ring_energy,
)
from intertwine.quantum.exact.hilbert.spaced import is_plain, plain_sector
from intertwine.quantum.exact.lanczos import NotConverged
from intertwine.quantum.exact.sector import Sector
from intertwine.quantum.exact.solve import ground_energy, searched_dimensions
from intertwine.quantum.operators import hamiltonians
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.operators.sign_structure import rotation_between
from intertwine.quantum.space_choice import ground_magnetization

if TYPE_CHECKING:
    from intertwine.quantum.operators.protocols import QuantumOperator
    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
    from intertwine.spaces.lattice import Lattice

_LANCZOS_DIMENSION = 200_000
_LANCZOS_SITES = 24
LITTLE_WORK = 2e6
"""States times flip sets of Lanczos in less than a second."""


class KnownEnergy(NamedTuple):
    """A ground energy: `value` (total, Pauli units), where it is from, and its one-sigma error (0 where
    exact)."""

    value: float
    source: str
    error: float = 0.0


def known_energy(H: QuantumOperator, *, work: float = math.inf) -> KnownEnergy | None:
    """The ground energy of H where it is known: a closed form, a published value, or Lanczos where that takes
    seconds, and at most `work` states times flip sets (`LITTLE_WORK`: less than a second).

    Raises `InputError` where H is not Hermitian; returns None where nothing is known.

    >>> from intertwine.spaces.lattices import Chain
    >>> known_energy(hamiltonians.heisenberg(Chain(40))).value
    -70.986091153...
    """
    if not H.is_hermitian:
        raise fail("H", "a Hermitian operator", "one that is not", "add what is missing, as H + H.adjoint")
    if not is_plain(H, None):
        return None if H.hilbert is None else _in_space(H, H.hilbert, work)
    space = H.hilbert
    if space is not None and space.bounds and space.bounds[0].told != ground_magnetization(H):
        return _by_lanczos(H, plain_sector(H, None), work)
    for look in (_ising, _heisenberg_ring, _published):
        found = look(H)
        if found is not None:
            return found
    return _by_lanczos(H, plain_sector(H, None), work)


def energy_of_space(
    H: QuantumOperator,
    magnetizations: tuple[int, ...] | None,
    work: float,
    space: HilbertSpace | None = None,
) -> KnownEnergy | None:
    """The lowest energy of H among configurations with Σ s_i in `magnetizations` (None: all), where it is
    known or takes Lanczos at most `work`, else None; also where H does not conserve what the space keeps, is
    not Hermitian, or Lanczos fails.

    >>> from intertwine.spaces.lattices import Chain
    >>> ring = hamiltonians.heisenberg(Chain(6))
    >>> [round(energy_of_space(ring, m, LITTLE_WORK).value, 6) for m in (None, (0,), (6,))]
    [-11.211103, -11.211103, 6.0]
    """
    if not H.is_hermitian:
        return None
    if space is not None:
        return _in_space(H, space, work)
    if not isinstance(H, Operator):
        return None
    try:
        if magnetizations is None or ground_magnetization(H) in magnetizations:
            return known_energy(H, work=work)
        if len(magnetizations) != 1 or not H.conserves_magnetization:
            return None
        (kept,) = magnetizations
        return _by_lanczos(H, Sector(magnetization=kept), work)
    except NotConverged:
        return None


def _in_space(H: QuantumOperator, space: HilbertSpace, work: float) -> KnownEnergy | None:
    """By Bethe's ansatz, or by Lanczos, in a Hilbert space that is the operator's own."""
    found = _fermion_ring(H, space) if isinstance(H, Operator) else None
    if found is not None:
        return found
    few = space.dimension <= _LANCZOS_DIMENSION and space.dimension * (H.n_connected + 1) <= work
    if not few or getattr(H, "hilbert", None) != space:
        return None
    return KnownEnergy(ground_energy(H), "exact diagonalization (Lanczos) by intertwine")


def _fermion_ring(H: Operator, space: HilbertSpace) -> KnownEnergy | None:
    """An odd number of fermions without spin on a ring, with neighbours that repel or attract."""
    one = len(space.bounds) == 1 and len(space.species) == 1 and all(space.fermionic)
    if not one or not H.is_real or getattr(H, "hilbert", None) != space or space.place is None:
        return None
    L, n, bonds = space.size, space.bounds[0].low, np.asarray(space.place.bonds()).reshape(-1, 2)
    path = _path(bonds, L)
    if path is None or not path[1] or not space.bounds[0].is_number or space.bounds[0].modulus or n % 2 == 0:
        return None
    x, z, h = H.masks()
    hops = np.real(h[np.count_nonzero(x, axis=1) == 2])
    pairs = np.real(h[~np.any(x, axis=1) & (np.count_nonzero(z, axis=1) == 2)])
    if not len(hops):
        return None
    t, V = 2 * float(np.max(np.abs(hops))), 4 * float(pairs[0]) if len(pairs) else 0.0
    if not H.is_close(hamiltonians.tv(space, t=t, V=V)):
        return None
    value = fermion_ring_energy(L, n, V / t)
    return None if value is None else KnownEnergy(t * value, "Bethe ansatz (Yang & Yang 1966)")


def _by_lanczos(H: Operator, sector: Sector | None, work: float) -> KnownEnergy | None:
    if H.size > _LANCZOS_SITES:
        return None
    states = sum(searched_dimensions(H, sector))
    if states > _LANCZOS_DIMENSION or states * (len(H.flips) + 1) > work:
        return None
    return KnownEnergy(ground_energy(H, sector=sector), "exact diagonalization (Lanczos) by intertwine")


def _path(pairs: np.ndarray, size: int) -> tuple[list[int], bool] | None:
    """The sites in the order of a single ring or open chain through all of them, and whether it closes; else
    None."""
    neighbours: list[list[int]] = [[] for _ in range(size)]
    for i, j in pairs.tolist():
        neighbours[i].append(j)
        neighbours[j].append(i)
    degrees = sorted(len(n) for n in neighbours)
    ring = size >= 3 and degrees == [2] * size
    if not ring and degrees != sorted([1, 1] + [2] * (size - 2)):
        return None
    order = [0 if ring else next(i for i in range(size) if len(neighbours[i]) == 1)]
    while len(order) < size:
        ahead = [j for j in neighbours[order[-1]] if j not in order[-2:]]
        if not ahead or (ahead[0] == order[0] and len(order) > 1):
            return None
        order.append(ahead[0])
    return order, ring


def _ising(H: Operator) -> KnownEnergy | None:
    """Rings with equal couplings and open chains with any, in fields along X."""
    x, z, h = H.masks()
    n_x, n_z = np.count_nonzero(x, axis=1), np.count_nonzero(z, axis=1)
    bond, field = (n_x == 0) & (n_z == 2), (n_x == 1) & (n_z == 0)
    constant = (n_x == 0) & (n_z == 0)
    if H.size < 2 or not H.is_real or not np.all(bond | field | constant):
        return None
    pairs = np.array([np.flatnonzero(row) for row in z[bond]]).reshape(-1, 2)
    path = _path(pairs, H.size)
    if path is None:
        return None
    order, ring = path
    shift = float(np.sum(np.real(h[constant])))
    fields = np.zeros(H.size)
    fields[np.argmax(x[field], axis=1)] = -np.real(h[field])
    coupling = dict(zip(map(tuple, pairs.tolist()), -np.real(h[bond]), strict=True))
    steps = zip(order, order[1:] + order[:1], strict=True)
    along = np.array(
        [coupling[min(i, j), max(i, j)] for i, j in steps if ring or (i, j) != (order[-1], order[0])]
    )
    if not ring:
        value = ising_chain_energy(along, fields[order])
        return KnownEnergy(
            value + shift, "free fermions (Lieb, Schultz & Mattis 1961; Pfeuty 1970), open chain"
        )
    if np.ptp(along) > 1e-12 * np.max(np.abs(along)) or np.ptp(np.abs(fields)) > 1e-12 * np.max(
        np.abs(fields)
    ):
        return None
    value = ising_ring_energy(H.size, float(along[0]), float(abs(fields[0])))
    return KnownEnergy(
        value + shift, "free fermions (Lieb, Schultz & Mattis 1961; Pfeuty 1970), periodic ring"
    )


def _heisenberg_ring(H: Operator) -> KnownEnergy | None:
    """The antiferromagnetic Heisenberg ring of an even number of sites."""
    if H.size < 4 or H.size % 2 or not H.is_real:
        return None
    x, z, h = H.masks()
    axial = ~np.any(x, axis=1) & (np.count_nonzero(z, axis=1) == 2)
    constant = ~np.any(x, axis=1) & ~np.any(z, axis=1)
    pairs = np.array([np.flatnonzero(row) for row in z[axial]]).reshape(-1, 2)
    path = _path(pairs, H.size)
    if path is None or not path[1]:
        return None
    J, order = float(np.real(h[axial][0])), path[0]
    if J <= 0:
        return None
    shift = float(np.sum(np.real(h[constant])))
    strings = [(J, {i: p, j: p}) for i, j in zip(order, order[1:] + order[:1], strict=True) for p in "XYZ"]
    reference = type(H).from_strings(H.size, [*strings, (shift, {})])
    if rotation_between(H, reference) is None:
        return None
    return KnownEnergy(J * heisenberg_ring_energy(H.size) + shift, "Bethe ansatz (Bethe 1931; Hulthén 1938)")


class _Published(NamedTuple):
    size: int
    build: Callable[[], Operator]
    value: float
    source: str
    error: float = 0.0


def _square(L: int) -> Lattice:
    from intertwine.spaces.lattices import Square

    return Square(L)


_BENCHMARK = "variational benchmark of Wu et al., Science 386, 296 (2024)"
_TABLE = (
    _Published(
        36,
        lambda: hamiltonians.heisenberg(_square(6)),
        -97.7575895972357,
        f"exact diagonalization; {_BENCHMARK}",
    ),
    _Published(
        36,
        lambda: hamiltonians.tfim(_square(6), J=1.0, h=3.0),
        -115.232707303718485,
        f"exact diagonalization; {_BENCHMARK}",
    ),
    _Published(
        36,
        lambda: hamiltonians.j1j2(_square(6), J1=1.0, J2=0.5),
        -72.548590160286,
        f"exact diagonalization; {_BENCHMARK}",
    ),
    _Published(
        100,
        lambda: hamiltonians.heisenberg(_square(10)),
        -268.6196,
        f"quantum Monte Carlo, −0.671549(4) a site in units of S·S; {_BENCHMARK}",
        0.0016,
    ),
)


def _published(H: Operator) -> KnownEnergy | None:
    """The literature table, for any overall positive scale."""
    scale = float(np.max(np.abs(H.masks().h), initial=0.0))
    for row in _TABLE:
        if row.size != H.size:
            continue
        reference = row.build()
        ratio = scale / float(np.max(np.abs(reference.masks().h)))
        if ratio > 0 and rotation_between(H / ratio, reference) is not None:
            return KnownEnergy(row.value * ratio, row.source, row.error * ratio)
    return None
