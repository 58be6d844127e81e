r"""The standard spin-1/2 Hamiltonians in Pauli matrices (total energies).

    tfim        H = −J Σ_⟨ij⟩ Z_i Z_j − h Σ_i X_i
    heisenberg  H = J Σ_⟨ij⟩ (X_i X_j + Y_i Y_j + Z_i Z_j)
    xxz         H = J Σ_⟨ij⟩ (X_i X_j + Y_i Y_j + Δ Z_i Z_j)
    j1j2        H = J1 Σ_⟨ij⟩ σ_i·σ_j + J2 Σ_⟨⟨ij⟩⟩ σ_i·σ_j
    toric       H = −Σ_v Π_{l∋v} X_l − Σ_p Π_{l∈p} Z_l − hx Σ_l X_l − hz Σ_l Z_l          spins on links

Divide by 4 for spin-1/2 operators S = σ/2. The Marshall rotation Π_{i∈A} Z_i (Marshall 1955) turns XX + YY
into −(XX + YY) on every bond that joins the two sublattices of a bipartite lattice. Energies, and all
correlations of Z, are the same; the ground state of the rotated Heisenberg model has positive amplitudes,
which real positive ansätze can represent. The operator knows that it is written in the rotated frame
(`Operator.turned`): it.expect, run.expect and sums of operators rotate what is written in the laboratory, so
that ⟨X_0 X_1⟩ of a state found with it is the physical one. `marshall=None` rotates where the lattice is
bipartite, `True` insists on it (an error elsewhere), `False` leaves the Hamiltonian as written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intertwine._checks import InputError, fail, one_of
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.operators.pauli import PauliSum, canonical

if TYPE_CHECKING:
    from intertwine.spaces.lattice import Lattice


def tfim(lattice: Lattice, J: float = 1.0, h: float = 1.0) -> Operator:
    """The transverse-field Ising model −J Σ ZZ − h Σ X on nearest neighbours; the chain is critical at h = J.

    >>> from intertwine.spaces.lattices import Chain
    >>> tfim(Chain(4), h=0.5)
    Operator(tfim(J=1, h=0.5), size=4, strings=8, flips=4, real)
    """
    J, h, N = _real("J", J), _real("h", h), _sites(lattice)
    coupling = _bond_terms(lattice, 1, N, 0.0, -J, None)
    x = np.eye(N, dtype=bool)
    field = PauliSum(x, np.zeros_like(x), np.full(N, -h, np.complex128))
    return _assembled(lattice, [coupling, field], f"tfim(J={J:g}, h={h:g})")


def heisenberg(lattice: Lattice, J: float = 1.0, marshall: bool | None = None) -> Operator:
    """The Heisenberg model J Σ (XX + YY + ZZ) over nearest neighbours; J > 0 is antiferromagnetic.

    marshall: None rotates signs where the lattice is bipartite (the energies do not change; see the module).

    >>> from intertwine.spaces.lattices import Chain
    >>> heisenberg(Chain(4)).is_stoquastic, heisenberg(Chain(4), marshall=False).is_stoquastic
    (True, False)
    """
    J, N, colours = _real("J", J), _sites(lattice), _colours(lattice, marshall)
    return _assembled(lattice, [_bond_terms(lattice, 1, N, J, J, colours)], f"heisenberg(J={J:g})", colours)


def xxz(lattice: Lattice, delta: float, J: float = 1.0, marshall: bool | None = None) -> Operator:
    """The XXZ model J Σ (XX + YY + Δ ZZ) over nearest neighbours."""
    J, delta, N = _real("J", J), _real("delta", delta), _sites(lattice)
    colours = _colours(lattice, marshall)
    terms = _bond_terms(lattice, 1, N, J, J * delta, colours)
    return _assembled(lattice, [terms], f"xxz(delta={delta:g}, J={J:g})", colours)


def j1j2(lattice: Lattice, J1: float = 1.0, J2: float = 0.5, marshall: bool | None = None) -> Operator:
    """The J1-J2 model: Heisenberg couplings J1 on nearest and J2 on second neighbours.

    The Marshall rotation changes signs on bonds between the sublattices only, so on the square lattice the J2
    bonds (inside a sublattice) keep theirs.
    """
    J1, J2, N = _real("J1", J1), _real("J2", J2), _sites(lattice)
    colours = _colours(lattice, marshall)
    terms = [_bond_terms(lattice, 1, N, J1, J1, colours), _bond_terms(lattice, 2, N, J2, J2, colours)]
    return _assembled(lattice, terms, f"j1j2(J1={J1:g}, J2={J2:g})", colours)


def toric(lattice: Lattice, hx: float = 0.0, hz: float = 0.0, basis: str = "z") -> Operator:
    """The toric code in fields, which is Z_2 gauge theory with matter (Kitaev 2003; Fradkin & Shenker 1979;
    Trebst et al., Phys. Rev. Lett. 98, 070602, 2007): stars Π X, plaquettes Π Z and fields on the links.

    lattice: of the links, `it.LinkSites(4, 4)` (name links:4x4), in two dimensions or more. basis: "z", or
    "x" for configurations s = X_l, where X and Z change places. Without hz it is gauge invariant, and in two
    dimensions the transverse-field Ising model of the plaquettes, with the coupling hx and the field 1.

    >>> from intertwine.spaces.lattices import LinkSites
    >>> toric(LinkSites(2, 2), hx=0.2, hz=0.2)
    Operator(toric(hx=0.2, hz=0.2), size=8, strings=24, flips=12, real)
    """
    from intertwine.spaces.link_sites import links_at, plaquette_links, star_links

    hx, hz, links = _real("hx", hx), _real("hz", hz), links_at(lattice)
    N, parts = lattice.size, []
    one_of("basis", basis, ("z", "x"))
    for kind, table, strength in (
        ("x", star_links(links), -1.0),
        ("z", plaquette_links(links), -1.0),
        ("x", np.arange(N)[:, None], -hx),
        ("z", np.arange(N)[:, None], -hz),
    ):
        mask = np.zeros((len(table), N), bool)
        mask[np.arange(len(table))[:, None], table] = True
        none = np.zeros_like(mask)
        flips = (kind == "x") == (basis == "z")
        both = (mask, none) if flips else (none, mask)
        parts.append(PauliSum(*both, np.full(len(table), strength, np.complex128)))
    return _assembled(lattice, parts, f"toric(hx={hx:g}, hz={hz:g})")


def _bond_terms(
    lattice: Lattice, shell: int, N: int, in_plane: float, axial: float, colours: np.ndarray | None
) -> PauliSum:
    """in_plane (XX + YY) + axial ZZ on every bond of a shell, in-plane signs flipped between colours."""
    if getattr(lattice, "shells", shell) < shell:
        which = "nearest" if shell == 1 else "second"
        got = f"{lattice.name}, which has none"
        raise fail("lattice", f"one with {which} neighbours", got, "take a larger lattice")
    bonds = np.asarray(lattice.bonds(shell)).reshape(-1, 2)
    B = len(bonds)
    pair = np.zeros((B, N), bool)
    pair[np.arange(B)[:, None], bonds] = True
    sign = np.ones(B) if colours is None else (colours[bonds[:, 0]] * colours[bonds[:, 1]]).astype(float)
    none = np.zeros_like(pair)
    # XX has element 1, YY has element (−i)² s_i s_j = −s_i s_j on the flip set {i, j}.
    h = np.concatenate([in_plane * sign, -in_plane * sign, np.full(B, axial)]).astype(np.complex128)
    return PauliSum(np.concatenate([pair, pair, none]), np.concatenate([none, pair, pair]), h)


def _assembled(
    lattice: Lattice, parts: list[PauliSum], name: str, colours: np.ndarray | None = None
) -> Operator:
    joined = PauliSum(*(np.concatenate(field) for field in zip(*parts, strict=True)))
    turned = () if colours is None else np.flatnonzero(colours < 0).tolist()
    return Operator.from_masks(_sites(lattice), canonical(joined), lattice=lattice, name=name, turned=turned)


def _colours(lattice: Lattice, marshall: bool | None) -> np.ndarray | None:
    """±1 for each site if the rotation is wanted, else None."""
    if marshall not in (None, True, False):
        raise fail("marshall", "True, False or None", marshall)
    if marshall is False:
        return None
    try:
        return np.asarray(lattice.sublattices())
    except InputError:
        if marshall:
            raise
        return None


def _sites(lattice: Lattice) -> int:
    if not hasattr(lattice, "bonds") or not hasattr(lattice, "size"):
        raise fail("lattice", "a lattice, such as Chain(20) or Square(6)", lattice)
    return int(lattice.size)


def _real(argument: str, value: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise fail(argument, "a real number", value) from None
    if isinstance(value, bool | str) or not np.isfinite(number):
        raise fail(argument, "a finite real number", value)
    return number
