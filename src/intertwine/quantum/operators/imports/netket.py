r"""Operators of NetKet: `LocalOperator`, `PauliStrings`, `FermionOperator2nd`, and what turns into them
(`Ising`, `Heisenberg`, `BoseHubbard`), sums of these.

Sites keep their numbers. Local states are matched by what they are, not by their order: a spin by its
projection (highest first here), a boson number or a qubit by its value. NetKet's electrons have the orbitals
with spin down first; here those with spin up are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from intertwine._checks import fail
from intertwine.quantum.operators.algebra.combined import total
from intertwine.quantum.operators.algebra.local import assembled
from intertwine.quantum.operators.imports.products import Factor, Term, operator_of
from intertwine.quantum.operators.protocols import QuantumOperator
from intertwine.spaces.graph.graph import Graph
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
from intertwine.spaces.hilbert.kinds import Bosons, Fermions, Spins
from intertwine.spaces.hilbert.place import Place


class Hilbert(Protocol):
    """What is asked of every discrete Hilbert space of NetKet."""

    size: int
    constrained: bool

    def states_at_index(self, i: int) -> Sequence[float]: ...


@runtime_checkable
class DiscreteOperator(Protocol):
    """What is asked of every operator of NetKet on such a space."""

    hilbert: Hilbert


@runtime_checkable
class Tensor(Protocol):
    """A product of Hilbert spaces."""

    subspaces: Sequence[Hilbert]


@runtime_checkable
class Orbitals(Protocol):
    """The Hilbert space of fermions."""

    n_orbitals: int
    spin: float | None


@runtime_checkable
class ToLocal(Protocol):
    """Operators by name."""

    def to_local_operator(self) -> DiscreteOperator: ...


@runtime_checkable
class Matrices(Protocol):
    """A `LocalOperator`."""

    hilbert: Hilbert
    operators: Sequence[Any]
    acting_on: Sequence[Sequence[int]]
    constant: complex


@runtime_checkable
class Sum(Protocol):
    """A `SumOperator`."""

    operators: Sequence[DiscreteOperator]
    coefficients: Sequence[complex]


@runtime_checkable
class Weighted(Protocol):
    """`PauliStrings` and `FermionOperator2nd`."""

    hilbert: Hilbert
    operators: Any
    weights: Sequence[complex]


def from_netket(
    operator: DiscreteOperator, space: HilbertSpace | None = None, *, place: Place | None = None
) -> QuantumOperator:
    """The operator of a NetKet operator (`pip install netket`).

    space: whose modes it acts on; None: the one that stands for its Hilbert space, with its total_sz or its
    numbers of particles (free spins ½ where there are none). place: the lattice or graph of the sites; None:
    a graph of the edges where the operator knows them. Raises `InputError` for operators of other classes,
    and for constraints that are not known here.

    >>> import netket as nk                                                       # doctest: +SKIP
    >>> ring = nk.graph.Chain(8)                                                  # doctest: +SKIP
    >>> from_netket(nk.operator.Ising(nk.hilbert.Spin(0.5, 8), ring, h=1.0))      # doctest: +SKIP
    Operator(size=8, strings=16, flips=8, real)
    """
    if not isinstance(operator, DiscreteOperator) or not hasattr(operator.hilbert, "size"):
        raise fail("operator", "an operator of NetKet", operator, "see the docstring for the classes")
    edges = getattr(operator, "edges", None)
    if place is None and space is None and edges is not None and len(edges):
        place = Graph(np.asarray(edges).reshape(-1, 2), size=int(operator.hilbert.size))
    modes, known = (space, True) if space is not None else _space_of(operator.hilbert, place)
    if modes.size != operator.hilbert.size:
        raise fail("space", f"{operator.hilbert.size} modes, as the operator has", f"{modes.size} modes")
    return _converted(operator, modes, known)


def _converted(operator: DiscreteOperator, space: HilbertSpace, known: bool) -> QuantumOperator:
    if isinstance(operator, ToLocal):
        operator = operator.to_local_operator()
    if isinstance(operator, Matrices):
        return _of_matrices(operator, space, known)
    if isinstance(operator, Sum):
        parts = zip(operator.coefficients, operator.operators, strict=True)
        return total(complex(c) * _converted(part, space, known) for c, part in parts)
    if isinstance(operator, Weighted):
        orbitals = isinstance(operator.hilbert, Orbitals)
        return operator_of(space, (_of_fermions if orbitals else _of_strings)(operator, space), known=known)
    expected = "a LocalOperator, PauliStrings, FermionOperator2nd, or what has to_local_operator"
    raise fail("operator", expected, type(operator).__name__, "write it as one of these")


def _of_strings(operator: Weighted, space: HilbertSpace) -> Iterator[Term]:
    for string, weight in zip(operator.operators, operator.weights, strict=True):
        letters = (Factor(letter, i) for i, letter in enumerate(str(string)) if letter != "I")
        yield Term(complex(weight), tuple(letters))


def _of_fermions(operator: Weighted, space: HilbertSpace) -> Iterator[Term]:
    place = _fermion_places(operator.hilbert, space)
    for product, weight in operator.operators.items():
        factors = (Factor("+" if dagger else "-", int(place[mode])) for mode, dagger in product)
        yield Term(complex(weight), tuple(factors))


def _fermion_places(hilbert: Hilbert, space: HilbertSpace) -> np.ndarray:
    """For each mode of NetKet the mode of the space: blocks of rising S^z there, up first here."""
    spinless = not isinstance(hilbert, Orbitals) or hilbert.spin is None
    if spinless or [name for name, _ in space.species] != ["up", "down"]:
        return np.arange(space.size)
    return np.concatenate([space.species[1][1], space.species[0][1]])


def _of_matrices(operator: Matrices, space: HilbertSpace, known: bool) -> QuantumOperator:
    hilbert, parts = operator.hilbert, []
    for matrix, sites in zip(operator.operators, operator.acting_on, strict=True):
        dense = np.asarray(matrix.todense() if hasattr(matrix, "todense") else matrix, np.complex128)
        levels = [_levels(hilbert, int(i)) for i in sites]
        number = np.zeros(1, int)
        for site, own in zip(sites, levels, strict=True):
            if len(own) != space.levels[int(site)]:
                raise fail("space", f"{len(own)} levels at site {site}", f"{space.levels[int(site)]} levels")
            number = (number[:, None] * len(own) + own).ravel()
        moved = np.zeros_like(dense)
        moved[np.ix_(number, number)] = dense
        parts.append((moved, np.array([[int(i) for i in sites]]), np.ones(1)))
    constant = complex(np.asarray(operator.constant))
    parts.append((np.eye(space.levels[0]), np.array([[0]]), np.array([constant])))
    return assembled(space, parts, known=known)


def _levels(hilbert: Hilbert, site: int) -> np.ndarray:
    """The level here of each local state there, in their order."""
    states = np.asarray(hilbert.states_at_index(site), float)
    spin = (states < 0).any() or (len(states) > 1 and abs(states[1] - states[0]) == 2)
    return np.rint((states.max() - states) / 2 if spin else states).astype(int)


def _space_of(hilbert: Hilbert, place: Place | None) -> tuple[HilbertSpace, bool]:
    """The space that stands for one of NetKet, and whether operators should say it."""
    if isinstance(hilbert, Tensor):
        found = _space_of(hilbert.subspaces[0], None)[0]
        for part in hilbert.subspaces[1:]:
            found = found * _space_of(part, None)[0]
        return found, True
    size = int(hilbert.size)
    where = size if place is None else place
    if isinstance(hilbert, Orbitals):
        spin = hilbert.spin
        if spin not in (None, 0.5):
            raise fail("operator", "fermions without spin, or of spin 1/2", f"spin {spin}")
        numbers = getattr(hilbert, "n_fermions_per_spin", None)
        total_number = getattr(hilbert, "n_fermions", None)
        where = int(hilbert.n_orbitals) if place is None else place
        if spin is not None and numbers is not None and None not in numbers:
            return Fermions(where, (int(numbers[1]), int(numbers[0]))), True
        return Fermions(where, total_number, spin=spin is not None), True
    states = len(hilbert.states_at_index(0))
    bosons = hasattr(hilbert, "n_max")
    spins = not bosons and _levels(hilbert, 0).tolist() != np.asarray(hilbert.states_at_index(0)).tolist()
    conserved = getattr(hilbert, "n_particles", None) if bosons else getattr(hilbert, "_total_sz", None)
    if hilbert.constrained and conserved is None:
        raise fail("operator", "a Hilbert space whose constraint is known", repr(hilbert), "give space=")
    if bosons:
        return Bosons(where, None if conserved is None else int(conserved), most=states - 1), True
    magnetization = None if conserved is None else round(2 * float(conserved))
    s = (states - 1) / 2 if spins or states == 2 else None
    if s is None:
        raise fail("operator", "spins, qubits, bosons or fermions", repr(hilbert), "give space=")
    return Spins(where, s=s, magnetization=magnetization), states > 2 or magnetization is not None
