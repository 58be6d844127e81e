"""Operators of OpenFermion: sums of products of fermions, bosons or Pauli letters.

OpenFermion numbers spin orbitals, by custom 2 i for spin up and 2 i + 1 for spin down of orbital i
("interleaved"); here all sites with spin up come first ("blocked"). The operator is the same whatever the
order: only the signs of basis states differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol, runtime_checkable

import numpy as np

from intertwine._checks import fail, one_of
from intertwine.quantum.operators.imports.products import Factor, Term, operator_of
from intertwine.quantum.operators.protocols import QuantumOperator
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
from intertwine.spaces.hilbert.kinds import Fermions, Spins
from intertwine.spaces.hilbert.place import Place

ORDERS = ("interleaved", "blocked")
Product = tuple[tuple[int, int | str], ...]
"""Modes with 1 for creation and 0 for annihilation, or a Pauli letter."""


@runtime_checkable
class SymbolicOperator(Protocol):
    """What is asked of OpenFermion's operators: products ((mode, action), …) with their coefficients."""

    terms: Mapping[Product, complex]


def from_openfermion(
    operator: SymbolicOperator, space: HilbertSpace | Place | None = None, *, order: str = "interleaved"
) -> QuantumOperator:
    """The operator of a `FermionOperator`, `BosonOperator` or `QubitOperator` (`pip install openfermion`).

    space: whose modes it acts on; a lattice or a graph stands for free spins ½ (qubits). None: as many
    qubits, or fermions without spin, as it needs. order: of spin orbitals where the space has electrons,
    "interleaved" (even up, odd down) or "blocked" (up, then down; the mode numbers of the space).

    >>> from openfermion import FermionOperator                                   # doctest: +SKIP
    >>> from_openfermion(FermionOperator("0^ 2") + FermionOperator("2^ 0"), Fermions(2, (1, 1)))
    ...                                                                           # doctest: +SKIP
    Operator(size=4, strings=2, flips=1, real)
    """
    if not isinstance(operator, SymbolicOperator) or not isinstance(operator.terms, Mapping):
        expected = "a FermionOperator, BosonOperator or QubitOperator of OpenFermion"
        remedy = "for a molecule openfermion.get_fermion_operator gives one (pip install openfermion)"
        raise fail("operator", expected, operator, remedy)
    one_of("order", order, ORDERS)
    kind = type(operator).__name__
    needed = 1 + max((mode for product in operator.terms for mode, _ in product), default=0)
    known = True
    if space is None and "Boson" in kind:
        raise fail("space", "the space of the bosons", None, "for example it.Bosons(4, most=3)")
    if space is None:
        qubits = "Qubit" in kind
        modes, known = (Spins(needed), False) if qubits else (Fermions(needed), True)
    elif isinstance(space, HilbertSpace):
        modes = space
    else:
        modes, known = Spins(space), False
    return operator_of(modes, _terms(operator.terms, modes, needed, order), known=known)


def _terms(
    products: Mapping[Product, complex], space: HilbertSpace, needed: int, order: str
) -> Iterator[Term]:
    if needed > space.size:
        raise fail("space", f"at least {needed} modes, as the operator has", f"{space.size} modes")
    place = np.arange(space.size)
    names = [name for name, _ in space.species]
    if order == "interleaved" and names == ["up", "down"]:
        place = np.array(list(zip(*(modes for _, modes in space.species), strict=True))).ravel()
    for product, coefficient in products.items():
        letters = tuple(
            Factor(action if isinstance(action, str) else "+" if action else "-", int(place[mode]))
            for mode, action in product
        )
        try:
            yield Term(complex(coefficient), letters)
        except (TypeError, ValueError):
            raise fail("operator", "numbers as coefficients", coefficient) from None
