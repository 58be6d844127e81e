r"""Spin operators S (not Pauli matrices) of spins of any size and of electrons.

    S^z|m⟩ = m|m⟩        S^±|m⟩ = √(s(s+1) − m(m ± 1)) |m ± 1⟩        level n = s − m: the highest m first
    S^z = (n↑ − n↓)/2    S^+ = c†↑ c↓                                  for electrons

For spins ½ they are half the Pauli matrices. The Hamiltonians by name are written in Pauli matrices for spins
½ and in S for larger ones.
"""

from __future__ import annotations

import numpy as np

from intertwine._checks import fail
from intertwine.quantum.operators.algebra.local import Part, assembled, checked_space
from intertwine.quantum.operators.algebra.modes import Species
from intertwine.quantum.operators.protocols import QuantumOperator
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

_RAISED = np.array([[0, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]])  # c†↑ c↓ on (up, down)
_ALONG = np.diag([0.0, -0.5, 0.5, 0.0])


def spin_z(space: HilbertSpace, site: int, species: Species = None) -> QuantumOperator:
    """S^z of a site. species: which spins, where the space has several groups of modes; electrons unless
    said.

    >>> from intertwine.spaces.hilbert.kinds import Fermions, Spins
    >>> spin_z(Spins(2), 1).strings(), spin_z(Fermions(1, spin=True), 0).strings()
    ([((0.5+0j), {1: 'Z'})], [((-0.25+0j), {0: 'Z'}), ((0.25+0j), {1: 'Z'})])
    """
    return _at(space, site, species, "z")


def spin_plus(space: HilbertSpace, site: int, species: Species = None) -> QuantumOperator:
    """S^+ of a site.

    >>> from intertwine.spaces.hilbert.kinds import Spins
    >>> spin_plus(Spins(1), 0).to_dense().tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    return _at(space, site, species, "+")


def spin_minus(space: HilbertSpace, site: int, species: Species = None) -> QuantumOperator:
    """S^−, the adjoint of `spin_plus`.

    >>> from intertwine.spaces.hilbert.kinds import Spins
    >>> spin_minus(Spins(1), 0).to_dense().tolist()
    [[0.0, 0.0], [1.0, 0.0]]
    """
    return _at(space, site, species, "-")


def spin_x(space: HilbertSpace, site: int, species: Species = None) -> QuantumOperator:
    """S^x = (S^+ + S^−)/2.

    >>> from intertwine.spaces.hilbert.kinds import Spins
    >>> spin_x(Spins(1), 0).strings()
    [((0.5+0j), {0: 'X'})]
    """
    return _at(space, site, species, "x")


def spin_y(space: HilbertSpace, site: int, species: Species = None) -> QuantumOperator:
    """S^y = (S^+ − S^−)/2i.

    >>> from intertwine.spaces.hilbert.kinds import Spins
    >>> spin_y(Spins(1), 0).strings()
    [((0.5+0j), {0: 'Y'})]
    """
    return _at(space, site, species, "y")


def exchange(
    space: HilbertSpace, i: int, j: int, species: Species = None, other: Species = None
) -> QuantumOperator:
    """S_i · S_j of two sites. species: which spins (of site i); other: of site j, where they are others, as a
    Kondo coupling of electrons with local spins has.

    >>> from intertwine.spaces.hilbert.kinds import Spins
    >>> exchange(Spins(2), 0, 1).to_dense().round(2).tolist()[1]
    [0.0, -0.25, 0.5, 0.0]
    """
    checked_space(space)
    first = modes_of_spin(space, i, species)
    second = modes_of_spin(space, j, species if other is None else other)
    if set(first) & set(second):
        raise fail("j", "another spin than the first", j)
    return assembled(space, product_parts(space, first, second))


def product_parts(space: HilbertSpace, first: tuple[int, ...], second: tuple[int, ...]) -> list[Part]:
    """S · S of two spins, given by their modes, as parts of `local.assembled`."""
    modes = np.array([[*first, *second]])
    a, b = (spin_matrices(space, m) for m in (first, second))
    flip = np.kron(a["+"], b["-"]) / 2
    return [(np.kron(a["z"], b["z"]) + flip + flip.conj().T, modes, np.ones(1))]


def modes_of_spin(space: HilbertSpace, site: int, species: Species = None) -> tuple[int, ...]:
    """The modes of a spin: (up, down) for electrons, one mode else."""
    names = [name for name, _ in space.species]
    if space.kind == "bosons":
        raise fail("space", "one with spins, as Spins(lattice, s=1), or electrons", space)
    if species is None and "up" in names and "down" in names:
        return space.mode(site, "up"), space.mode(site, "down")
    mode = space.mode(site, species)
    if space.fermionic[mode]:
        raise fail("species", "a spin, or electrons with their two species", species, "fermions have none")
    return (mode,)


def spin_matrices(space: HilbertSpace, modes: tuple[int, ...]) -> dict[str, np.ndarray]:
    """S^z, S^+, S^−, S^x and S^y as matrices on the modes of a spin."""
    if len(modes) == 2:
        along, raised = _ALONG, _RAISED.astype(float)
    else:
        s = (space.levels[modes[0]] - 1) / 2
        m = s - np.arange(space.levels[modes[0]])
        along, raised = np.diag(m), np.diag(np.sqrt(s * (s + 1) - m[1:] * (m[1:] + 1)), 1)
    lowered = raised.T
    across = {"x": (raised + lowered) / 2, "y": (raised - lowered) / 2j}
    return {"z": along, "+": raised, "-": lowered} | across


def _at(space: HilbertSpace, site: int, species: Species, which: str) -> QuantumOperator:
    checked_space(space)
    modes = modes_of_spin(space, site, species)
    return assembled(space, [(spin_matrices(space, modes)[which], np.array([modes]), np.ones(1))])
