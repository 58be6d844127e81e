r"""Spin Hamiltonians, in Pauli matrices σ for spins ½ and in spin operators S for larger spins.

    tfim        H = −J Σ_⟨ij⟩ σ^z_i σ^z_j − h Σ_i σ^x_i
    heisenberg  H = J Σ_⟨ij⟩ σ_i · σ_j
    xxz         H = J Σ_⟨ij⟩ (σ^x_i σ^x_j + σ^y_i σ^y_j + Δ σ^z_i σ^z_j)
    xyz         H = Σ_⟨ij⟩ (Jx σ^x_i σ^x_j + Jy σ^y_i σ^y_j + Jz σ^z_i σ^z_j)
    j1j2        H = J1 Σ_⟨ij⟩ σ_i · σ_j + J2 Σ_⟨⟨ij⟩⟩ σ_i · σ_j

all with − Σ_i field_i σ^z_i. For spins ½ divide by 4 to have S = σ/2 in the couplings of pairs. The first
argument is a lattice or graph (spins ½), or a space such as `Spins(lattice, s=1)` or
`Spins(lattice, magnetization=0)`.

The Marshall rotation Π_{i∈A} Z_i (Marshall 1955), for larger spins Π_{i∈A} e^{iπ S^z_i}, turns XX + YY into
−(XX + YY) on every bond that joins the two sublattices of a bipartite lattice. Energies, and all correlations
of Z, are the same; the ground state of the rotated Heisenberg model has positive amplitudes, which real
positive ansätze can represent. The operator knows that it is written in the rotated frame
(`Operator.turned`): it.expect, run.expect and sums of operators rotate what is written in the laboratory, so
that ⟨X_0 X_1⟩ of a state found with it is the physical one. `marshall=None` rotates where the lattice is
bipartite, `True` insists on it (an error elsewhere), `False` leaves the Hamiltonian as written.

A twist θ turns the bonds that wrap: (J/2) (e^{iθ} σ^+_i σ^−_j + h.c.) in place of XX + YY.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import InputError, fail
from intertwine.quantum.operators.algebra.local import Part, assembled
from intertwine.quantum.operators.algebra.spins import spin_matrices
from intertwine.quantum.operators.hamiltonians.couplings import (
    bonds_of,
    numbers,
    on_bonds,
    phases,
    place_of,
    told,
)
from intertwine.quantum.operators.operator import Operator
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
from intertwine.spaces.hilbert.kinds import Spins
from intertwine.spaces.hilbert.place import Place

System = Place | HilbertSpace


def tfim(lattice: System, J: ArrayLike = 1.0, h: ArrayLike = 1.0, field: ArrayLike = 0.0) -> Operator:
    """The transverse-field Ising model −J Σ ZZ − h Σ X on nearest neighbours; the chain is critical at h = J.

    J: a number, or one for each bond; h and field (along z): a number, or one for each site.

    >>> from intertwine.spaces.lattices import Chain
    >>> tfim(Chain(4), h=0.5)
    Operator(tfim(J=1, h=0.5), size=4, strings=8, flips=4, real)
    """
    spins = _spins(lattice)
    bonds = bonds_of(spins.place)
    along = -on_bonds("J", J, spins.place)
    parts = [
        (np.kron(spins.z, spins.z), bonds, along),
        (spins.x, spins.sites, -numbers("h", h, len(spins.sites), "site")),
    ]
    return _named(spins, [*parts, *_field(spins, field)], f"tfim({told(J=J, h=h, _field=field)})")


def heisenberg(
    lattice: System,
    J: ArrayLike = 1.0,
    marshall: bool | None = None,
    field: ArrayLike = 0.0,
    twist: ArrayLike = 0.0,
) -> Operator:
    """The Heisenberg model J Σ (XX + YY + ZZ) over nearest neighbours; J > 0 is antiferromagnetic.

    J: a number, or one for each bond. marshall: None rotates signs where the lattice is bipartite (the
    energies do not change; see the module). field: along z, a number or one for each site. twist: an angle
    for each direction.

    >>> from intertwine.spaces.lattices import Chain
    >>> heisenberg(Chain(4)).is_stoquastic, heisenberg(Chain(4), marshall=False).is_stoquastic
    (True, False)
    """
    spins, colours = _spins(lattice), _colours(lattice, marshall)
    couplings = on_bonds("J", J, spins.place)
    parts = _bonds(spins, 1, couplings, couplings, colours, twist)
    name = f"heisenberg({told(J=J, _field=field, _twist=twist)})"
    return _named(spins, [*parts, *_field(spins, field)], name, colours)


def xxz(
    lattice: System,
    delta: ArrayLike = 1.0,
    J: ArrayLike = 1.0,
    marshall: bool | None = None,
    field: ArrayLike = 0.0,
    twist: ArrayLike = 0.0,
) -> Operator:
    """The XXZ model J Σ (XX + YY + Δ ZZ) over nearest neighbours; arguments as of `heisenberg`.

    >>> from intertwine.spaces.lattices import Chain
    >>> xxz(Chain(4), 0.5, field=[0.1, -0.1, 0.2, 0.0])
    Operator(xxz(delta=0.5, J=1, field=array), size=4, strings=15, flips=4, real)
    """
    spins, colours = _spins(lattice), _colours(lattice, marshall)
    across = on_bonds("J", J, spins.place)
    along = across * numbers("delta", delta, len(across), "bond")
    parts = _bonds(spins, 1, across, along, colours, twist)
    name = f"xxz({told(delta=delta, J=J, _field=field, _twist=twist)})"
    return _named(spins, [*parts, *_field(spins, field)], name, colours)


def xyz(
    lattice: System,
    Jx: ArrayLike = 1.0,
    Jy: ArrayLike = 0.5,
    Jz: ArrayLike = 1.5,
    marshall: bool | None = None,
    field: ArrayLike = 0.0,
) -> Operator:
    """The XYZ model Σ (Jx XX + Jy YY + Jz ZZ) over nearest neighbours; arguments as of `heisenberg`.

    >>> from intertwine.spaces.lattices import Chain
    >>> xyz(Chain(4))
    Operator(xyz(Jx=1, Jy=0.5, Jz=1.5), size=4, strings=12, flips=4, real)
    """
    spins, colours = _spins(lattice), _colours(lattice, marshall)
    bonds = bonds_of(spins.place)
    sign = _signs(bonds, colours)
    each = {"Jx": (Jx, spins.x, sign), "Jy": (Jy, spins.y, sign), "Jz": (Jz, spins.z, 1.0)}
    parts = [
        (np.kron(matrix, matrix), bonds, on_bonds(argument, value, spins.place) * sign)
        for argument, (value, matrix, sign) in each.items()
    ]
    name = f"xyz({told(Jx=Jx, Jy=Jy, Jz=Jz, _field=field)})"
    return _named(spins, [*parts, *_field(spins, field)], name, colours)


def j1j2(
    lattice: System,
    J1: ArrayLike = 1.0,
    J2: ArrayLike = 0.5,
    marshall: bool | None = None,
    field: ArrayLike = 0.0,
    twist: ArrayLike = 0.0,
) -> Operator:
    """The J1-J2 model: Heisenberg couplings J1 on nearest and J2 on second neighbours.

    The Marshall rotation changes signs on bonds between the sublattices only, so on the square lattice the J2
    bonds (inside a sublattice) keep theirs. Arguments as of `heisenberg`.
    """
    spins, colours = _spins(lattice), _colours(lattice, marshall)
    parts = []
    for shell, argument, value in ((1, "J1", J1), (2, "J2", J2)):
        couplings = on_bonds(argument, value, spins.place, shell)
        parts += _bonds(spins, shell, couplings, couplings, colours, twist)
    name = f"j1j2({told(J1=J1, J2=J2, _field=field, _twist=twist)})"
    return _named(spins, [*parts, *_field(spins, field)], name, colours)


class SpinSystem(NamedTuple):
    """The spins of a model: their space, whether it was given, where they are, σ of one of them, and (N, 1)
    modes."""

    space: HilbertSpace
    given: bool
    place: Place
    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    sites: np.ndarray


def _spins(system: System) -> SpinSystem:
    place = place_of("lattice", system)
    space = system if isinstance(system, HilbertSpace) else Spins(place)
    uniform = space.size == place.size and len(set(space.levels)) == 1 and space.kind != "bosons"
    if not uniform or space.has_fermions:
        raise fail("lattice", "a lattice, or a space of spins on one, as Spins(lattice, s=1)", system)
    s = spin_matrices(space, (0,))
    scale = 2.0 if space.binary else 1.0
    x, y, z = (scale * s[a] for a in "xyz")
    return SpinSystem(space, space is system, place, x, y, z, np.arange(place.size)[:, None])


def _named(spins: SpinSystem, parts: list[Part], name: str, colours: np.ndarray | None = None) -> Operator:
    turned = () if colours is None else np.flatnonzero(colours < 0).tolist()
    return assembled(spins.space, parts, name, turned=turned, known=spins.given)


def _bonds(
    spins: SpinSystem,
    shell: int,
    across: np.ndarray,
    along: np.ndarray,
    colours: np.ndarray | None,
    twist: ArrayLike,
) -> list[Part]:
    """across (XX + YY) + along ZZ on every bond of a shell, in-plane signs flipped between colours."""
    bonds = bonds_of(spins.place, shell)
    across = across * _signs(bonds, colours)
    up = spins.x + 1j * spins.y
    hop = np.kron(up, up.conj().T) / 2
    angles = phases(spins.place, bonds, twist)
    parts = [(np.kron(spins.z, spins.z), bonds, along)]
    if not angles.any():
        return [((hop + hop.conj().T).real, bonds, across), *parts]
    turned = across * np.exp(1j * angles)
    return [(hop, bonds, turned), (hop.conj().T, bonds, turned.conj()), *parts]


def _field(spins: SpinSystem, field: ArrayLike) -> list[Part]:
    return [(spins.z, spins.sites, -numbers("field", field, len(spins.sites), "site"))]


def _signs(bonds: np.ndarray, colours: np.ndarray | None) -> np.ndarray:
    if colours is None:
        return np.ones(len(bonds))
    return (colours[bonds[:, 0]] * colours[bonds[:, 1]]).astype(float)


def _colours(system: System, marshall: bool | None) -> np.ndarray | None:
    """±1 for each site if the rotation is wanted, else None."""
    if marshall not in (None, True, False):
        raise fail("marshall", "True, False or None", marshall)
    if marshall is False:
        return None
    place = place_of("lattice", system)
    if not hasattr(place, "sublattices"):
        if marshall:
            raise fail("marshall", f"False or None on {place.name}, which has no sublattices", marshall)
        return None
    try:
        return np.asarray(place.sublattices())  # type: ignore[attr-defined]
    except InputError:
        if marshall:
            raise
        return None
