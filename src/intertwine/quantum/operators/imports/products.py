r"""Sums of products of one-mode operators: what every format comes down to.

    A = Σ_t coefficient_t · F_{t1} F_{t2} …            each F a letter on a mode, the last one acts first

    + − n     creation, annihilation, number (bosons: √n; fermions anticommute whatever their species)
    X Y Z     Pauli matrices, on modes of two levels that are no fermions
    Sz Sp Sm Sx Sy   spin operators of s = (d − 1)/2, level 0 the highest S^z
    |a><b|    takes level b to level a

Terms with the same letters at other places are one matrix of their few modes, made once and put down at all
places together (`algebra.local.assembled`); strings of Pauli letters of any length are masks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache, reduce
from math import prod
from typing import NamedTuple

import numpy as np

from intertwine._checks import fail
from intertwine.quantum.operators import pauli
from intertwine.quantum.operators.algebra.combined import total
from intertwine.quantum.operators.algebra.local import assembled
from intertwine.quantum.operators.algebra.modes import lowering
from intertwine.quantum.operators.algebra.spins import spin_matrices
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.operators.protocols import QuantumOperator
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
from intertwine.spaces.hilbert.kinds import Spins

PAULI = {"X": [[0, 1], [1, 0]], "Y": [[0, -1j], [1j, 0]], "Z": [[1, 0], [0, -1]]}
_SPIN = {"Sz": "z", "Sp": "+", "Sm": "-", "Sx": "x", "Sy": "y"}
_UNIT = re.compile(r"\|([0-9]+)><([0-9]+)\|", re.ASCII)
_ADJOINT = {"+": "-", "-": "+", "Sp": "Sm", "Sm": "Sp"}
_MOST_STATES = 256


class Factor(NamedTuple):
    """A letter of the module on a mode."""

    letter: str
    mode: int


class Term(NamedTuple):
    """coefficient · Π factors, the last one acts first; no factors: the identity."""

    coefficient: complex
    factors: tuple[Factor, ...]

    @property
    def adjoint(self) -> Term:
        """The term of A†."""
        turned = []
        for letter, mode in reversed(self.factors):
            found = _UNIT.fullmatch(letter)
            turned.append(
                Factor(f"|{found[2]}><{found[1]}|" if found else _ADJOINT.get(letter, letter), mode)
            )
        return Term(complex(self.coefficient).conjugate(), tuple(turned))


def operator_of(
    space: HilbertSpace, terms: Iterable[Term], name: str = "", known: bool = True
) -> QuantumOperator:
    """The operator of a sum of terms on the modes of `space`. known: whether it says its space; False for the
    free spins ½ of a lattice.

    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> hop = Term(-1.0, (Factor("+", 0), Factor("-", 2)))
    >>> operator_of(Fermions(3), [hop, hop.adjoint]).strings()
    [((-0.5+0j), {0: 'Y', 1: 'Z', 2: 'Y'}), ((-0.5+0j), {0: 'X', 1: 'Z', 2: 'X'})]
    """
    strings: list[Term] = []
    patterns: dict[_Pattern, tuple[list[list[int]], list[complex]]] = {}
    long: list[Term] = []
    for term in terms:
        modes = sorted({mode for _, mode in term.factors})
        letters = {letter for letter, _ in term.factors}
        if space.binary and letters <= PAULI.keys() and len(modes) == len(term.factors):
            strings.append(term)
            continue
        if not modes:
            modes, term = [0], Term(term.coefficient, (Factor("I", 0),))
        if prod(space.levels[m] for m in modes) > _MOST_STATES:
            long.append(term)
            continue
        place = {mode: k for k, mode in enumerate(modes)}
        pattern = _Pattern(
            tuple((letter, place[mode]) for letter, mode in term.factors),
            tuple(space.levels[m] for m in modes),
            tuple(space.fermionic[m] for m in modes),
        )
        rows, factors = patterns.setdefault(pattern, ([], []))
        rows.append(modes)
        factors.append(term.coefficient)
    parts = [(_matrix(p), np.array(rows), np.array(factors)) for p, (rows, factors) in patterns.items()]
    found = [assembled(space, parts, known=known)] if parts or not (strings or long) else []
    if strings:
        lattice = space.place if getattr(space.place, "size", None) == space.size else None
        hilbert = space if known else None
        masks = pauli.canonical(_masks(space.size, strings))
        found.append(Operator.from_masks(space.size, masks, lattice=lattice, hilbert=hilbert))
    for term in long:
        ones = (operator_of(space, [Term(1.0, (factor,))], known=known) for factor in term.factors)
        found.append(complex(term.coefficient) * reduce(lambda a, b: a @ b, ones))
    return _named(found[0] if len(found) == 1 else total(found), name)


def matrix_of(letter: str, levels: int, fermionic: bool) -> np.ndarray | None:
    """The matrix (d, d) of a letter on a mode, row n column m ⟨n|F|m⟩; None where it has none.

    >>> matrix_of("Sz", 3, False).tolist(), matrix_of("X", 3, False) is None
    ([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, -1.0]], True)
    """
    if letter in ("+", "-"):
        lowered = lowering(levels)
        return lowered if letter == "-" else lowered.T
    if letter == "n":
        return np.diag(np.arange(float(levels)))
    if letter == "I":
        return np.eye(levels)
    if found := _UNIT.fullmatch(letter):
        a, b = int(found[1]), int(found[2])
        if max(a, b) >= levels:
            return None
        unit = np.zeros((levels, levels))
        unit[a, b] = 1.0
        return unit
    if fermionic:
        return None
    if letter in PAULI:
        return np.array(PAULI[letter]) if levels == 2 else None
    if letter in _SPIN:
        return spin_matrices(Spins(1, s=(levels - 1) / 2), (0,))[_SPIN[letter]] if levels > 1 else None
    return None


class _Pattern(NamedTuple):
    """(letter, place among the modes) of each factor, levels of the modes, and whether they are fermions."""

    factors: tuple[tuple[str, int], ...]
    levels: tuple[int, ...]
    fermionic: tuple[bool, ...]


@lru_cache(maxsize=256)
def _matrix(pattern: _Pattern) -> np.ndarray:
    """The product on its modes in rising order, by Jordan & Wigner among them."""
    found = np.eye(prod(pattern.levels))
    for letter, place in pattern.factors:
        one = matrix_of(letter, pattern.levels[place], pattern.fermionic[place])
        if one is None:
            raise fail("terms", "letters that their modes have", letter)
        odd = pattern.fermionic[place] and not np.any(np.diag(one))
        sides = [
            one if k == place else np.diag([1.0, -1.0]) if odd and k < place and fermion else np.eye(d)
            for k, (d, fermion) in enumerate(zip(pattern.levels, pattern.fermionic, strict=True))
        ]
        found = found @ reduce(np.kron, sides)
    return found


def _masks(size: int, terms: Sequence[Term]) -> pauli.PauliSum:
    """Strings of distinct Pauli letters as masks."""
    x, z = np.zeros((len(terms), size), bool), np.zeros((len(terms), size), bool)
    for t, term in enumerate(terms):
        for letter, mode in term.factors:
            x[t, mode], z[t, mode] = letter != "Z", letter != "X"
    c = np.array([term.coefficient for term in terms], np.complex128)
    return pauli.PauliSum(x, z, c * (-1j) ** (pauli.y_counts(x, z) % 4))


def _named(operator: QuantumOperator, name: str) -> QuantumOperator:
    """The same with a name."""
    import dataclasses

    return dataclasses.replace(operator, name=name) if name else operator  # type: ignore[type-var]
