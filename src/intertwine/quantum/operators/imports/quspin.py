r"""Operators of QuSpin: lists of operator strings with their couplings.

    [["zz", [[J, i, j], …]], ["+-", [[t, i, j], …]], ["n|n", [[U, i, i], …]]]

A string is a product, the last letter acts first; in one with `|` the letters before it act on spin up, those
behind on spin down. Spins ½ have Pauli matrices by default, with σ^± = σ^x ± i σ^y (twice S^±), as QuSpin's
`pauli=True`; `pauli=False` has S, `pauli=-1` Pauli matrices with S^±. Fermions: z = n − 1/2, x = c† + c,
y = i(c† − c).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

from intertwine._checks import fail
from intertwine.quantum.operators.imports.products import Factor, Term, operator_of
from intertwine.quantum.operators.protocols import QuantumOperator
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
from intertwine.spaces.hilbert.kinds import Bosons, Fermions, Spins
from intertwine.spaces.hilbert.place import Place

Choices = Sequence[tuple[complex, str]]
"""A letter as a sum: (coefficient, letter of `products`, "" for the identity)."""
_FERMIONS: dict[str, Choices] = {
    "+": [(1, "+")],
    "-": [(1, "-")],
    "n": [(1, "n")],
    "z": [(1, "n"), (-0.5, "")],
    "x": [(1, "+"), (1, "-")],
    "y": [(1j, "+"), (-1j, "-")],
    "I": [(1, "")],
}
_BOSONS = {letter: _FERMIONS[letter] for letter in "+-nI"}
_SPINS: dict[str, Choices] = {
    "+": [(1, "Sp")],
    "-": [(1, "Sm")],
    "z": [(1, "Sz")],
    "x": [(1, "Sx")],
    "y": [(1, "Sy")],
    "I": [(1, "")],
}
_PAULI: dict[str, Choices] = {**_SPINS, "x": [(1, "X")], "y": [(1, "Y")], "z": [(1, "Z")]}
_TWICE: dict[str, Choices] = {**_PAULI, "+": [(2, "Sp")], "-": [(2, "Sm")]}


class Basis(Protocol):
    """What is asked of its basis."""

    N: int


@runtime_checkable
class Hamiltonian(Protocol):
    """What is asked of QuSpin's `hamiltonian`."""

    basis: Basis
    static: object


def from_quspin(
    operator: Sequence[Sequence[object]] | Hamiltonian,
    space: HilbertSpace | Place | None = None,
    *,
    pauli: bool | int = True,
) -> QuantumOperator:
    """The operator of a static list of QuSpin, or of its `hamiltonian` (`pip install quspin`).

    space: whose sites the strings act on; a lattice or a graph stands for free spins ½. None: the free space
    of the basis of a `hamiltonian` (conserved numbers are not taken over: give the space with them). pauli:
    what letters of spins ½ mean, as in QuSpin's basis (see the module); that of the basis of a `hamiltonian`.

    >>> from intertwine.spaces.lattices import Chain
    >>> bonds = [[1.0, i, (i + 1) % 4] for i in range(4)]
    >>> from_quspin([["zz", bonds], ["x", [[0.5, i] for i in range(4)]]], Chain(4))
    Operator(size=4, strings=8, flips=4, real)
    """
    if isinstance(operator, Hamiltonian):
        strings = getattr(operator, "_static_opstr_list", None)
        if strings is None or getattr(operator, "_dynamic_opstr_list", None):
            got = "one with a dynamic list, or made from matrices"
            raise fail("operator", "a hamiltonian made of a static list", got, "give the static list")
        pauli = getattr(operator.basis, "_pauli", pauli)
        space = _space_of(operator.basis) if space is None else space
    else:
        strings = operator
    if space is None:
        raise fail("space", "the space that the list acts on", None, "for example it.Spins(8)")
    known = isinstance(space, HilbertSpace)
    modes = space if isinstance(space, HilbertSpace) else Spins(space)
    if pauli not in (True, False, -1):
        raise fail("pauli", "True, False or -1", pauli)
    return operator_of(modes, _terms(strings, modes, _alphabet(modes, pauli)), known=known)


def _alphabet(space: HilbertSpace, pauli: bool | int) -> dict[str, Choices]:
    if all(space.fermionic):
        return _FERMIONS
    if space.kind != "spins":
        return _BOSONS
    if not space.binary or not pauli:
        return _SPINS
    return _PAULI if pauli == -1 else _TWICE


def _terms(strings: object, space: HilbertSpace, alphabet: dict[str, Choices]) -> Iterator[Term]:
    try:
        listed: list[Any] = list(strings)  # type: ignore[call-overload]
        rows = [(str(letters), [list(row) for row in couplings]) for letters, couplings in listed]
    except (TypeError, ValueError):
        raise fail("operator", "a static list [[letters, [[coupling, site, …], …]], …]", strings) from None
    electrons = [name for name, _ in space.species] == ["up", "down"]
    for letters, couplings in rows:
        left, bar, right = letters.partition("|")
        if bool(bar) != electrons or not set(left + right) <= alphabet.keys():
            word = "letters " + " ".join(alphabet) + (", with | between up and down" if electrons else "")
            raise fail("operator", word, repr(letters))
        species = ["up"] * len(left) + ["down"] * len(right) if electrons else [None] * len(left)
        for row in couplings:
            if len(row) != 1 + len(species):
                raise fail("operator", f"a coupling and {len(species)} sites for {letters!r}", row)
            terms = [Term(complex(row[0]), ())]
            for letter, name, site in zip(left + right, species, row[1:], strict=True):
                mode = space.mode(int(site), name)
                terms = [
                    Term(t.coefficient * c, (*t.factors, Factor(word, mode)) if word else t.factors)
                    for t in terms
                    for c, word in alphabet[letter]
                ]
            yield from terms


def _space_of(basis: Basis) -> HilbertSpace:
    """The free space of a basis of QuSpin, by the name of its class."""
    kind, levels = type(basis).__name__, int(getattr(basis, "sps", 2))
    if kind.startswith("spinful_fermion"):
        return Fermions(int(basis.N) // 2, spin=True)
    if kind.startswith("spinless_fermion"):
        return Fermions(int(basis.N))
    if kind.startswith("boson"):
        return Bosons(int(basis.N), most=levels - 1)
    if kind.startswith("spin_basis"):
        return Spins(int(basis.N), s=(levels - 1) / 2)
    raise fail(
        "operator", "a basis of spins, bosons or fermions", kind, "give the space, and the static list"
    )
