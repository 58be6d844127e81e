r"""Operators as text that `read_terms` reads: Pauli strings of spins ½, products of c†, c and n of fermions,
level by level where modes have more than two.

A string on fermionic modes f_1 < … < f_k is, row n by row,

    x_F z = Π_j (c_{f_j} ± c†_{f_j}) · Π_b (1 − 2 n_b)

with the b of z that no Jordan-Wigner string explains; (−1)^{(k−j)(1−n_{f_j})} brings the k operators into
rising order. Multiplied out, terms that cancel (most of them, for hopping) drop.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from intertwine._checks import fail
from intertwine.quantum.operators.imports.products import Factor, Term
from intertwine.quantum.operators.levels.level_operator import LevelOperator
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.operators.pauli import ROUNDING
from intertwine.quantum.operators.protocols import QuantumOperator
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
from intertwine.spaces.hilbert.kinds import Spins

_MOST_FACTORS = 16


def write_terms(operator: QuantumOperator, path: str | Path | None = None) -> str:
    """The text of an operator, a term a line; also into the file `path`, if one is given.

    `read_terms(text, space)` gives the operator again, to the last digit for spins ½ and to rounding for
    others. It is written in the laboratory's frame (`Operator.turned`). `InputError` where a term of fermions
    has a sign that depends on more than 16 modes.

    >>> from intertwine.quantum.operators.hamiltonians import tfim
    >>> from intertwine.spaces.lattices import Chain
    >>> print(write_terms(tfim(Chain(2), h=0.5)))
    # 2 spins
    -0.5 * X0
    -0.5 * X1
    -1.0 * Z0 Z1
    """
    space: HilbertSpace = Spins(operator.size) if operator.hilbert is None else operator.hilbert
    operator = operator.in_frame(())
    about = repr(operator.hilbert) if operator.hilbert is not None else f"{operator.size} spins"
    terms: Iterable[Term]
    if isinstance(operator, LevelOperator):
        terms = _of_levels(operator, space)
    elif isinstance(operator, Operator):
        terms = _of_fermions(operator, space) if space.has_fermions else _of_strings(operator)
    else:
        raise fail("operator", "an Operator or a LevelOperator", operator)
    lines = [f"# {about}", *(_line(term, space) for term in terms)]
    if len(lines) == 1:
        lines.append("0.0")
    text = "\n".join(lines)
    if path is not None:
        path = Path(path)
        aside = path.with_name(path.name + ".part")
        aside.write_text(text + "\n", encoding="utf-8")
        os.replace(aside, path)
    return text


def _line(term: Term, space: HilbertSpace) -> str:
    c = complex(term.coefficient)
    number = repr(c.real) if not c.imag else f"({c.real!r}{c.imag:+}j)"
    factors = " ".join(_word(factor, space) for factor in term.factors)
    return f"{number} * {factors}" if factors else number


def _word(factor: Factor, space: HilbertSpace) -> str:
    letter, mode = factor
    for k, (name, modes) in enumerate(space.species):
        if mode in modes:
            site = f"{modes.index(mode)}"
            if len(space.species) > 1:
                alone = [other for other, _ in space.species].count(name) == 1
                site += f"_{name}" if alone and name.isidentifier() and name.isascii() else f"_{k}"
            break
    else:  # a mode of no species
        raise fail("operator", "modes that belong to a species of the space", f"mode {mode}")
    word = {"+": "c^", "-": "c"} if space.fermionic[mode] else {"+": "b^", "-": "b"}
    return f"{word.get(letter, letter)}{'_' if letter.startswith('|') else ''}{site}"


def _of_strings(operator: Operator) -> Iterator[Term]:
    for coefficient, letters in operator.strings():
        yield Term(coefficient, tuple(Factor(letter, mode) for mode, letter in letters.items()))


def _of_fermions(operator: Operator, space: HilbertSpace) -> Iterator[Term]:
    """Products of c†, c and n of the fermionic modes, and Pauli letters of the others, each once."""
    found: dict[tuple[Factor, ...], tuple[complex, float]] = {}
    fermionic = np.array(space.fermionic, bool)
    x, z, h = operator.masks()
    for flips, signs, value in zip(x, z, h, strict=True):
        for term in _expanded(flips, signs, complex(value), fermionic):
            total, scale = found.get(term.factors, (0j, 0.0))
            found[term.factors] = total + term.coefficient, max(scale, abs(term.coefficient))
    for factors, (total, scale) in found.items():
        if abs(total) > 16 * ROUNDING * scale:
            kept = complex(total.real, total.imag if abs(total.imag) > 16 * ROUNDING * scale else 0.0)
            yield Term(kept, factors)


def _expanded(flips: np.ndarray, signs: np.ndarray, value: complex, fermionic: np.ndarray) -> Iterator[Term]:
    """One string, x `flips` and z `signs` with the element `value`, as products."""
    moved = np.flatnonzero(flips & fermionic)
    k = len(moved)
    behind = np.cumsum((flips & fermionic)[::-1])[::-1] - (flips & fermionic)  # moved ones behind each mode
    # Π_{b not moved} (−1)^{n_b · moved behind b} is theirs; for the moved it turns (−s)^{behind}
    signs = signs ^ (fermionic & (behind % 2 == 1))
    value *= (-1.0) ** int(behind[moved].sum())
    others = np.flatnonzero((flips | signs) & ~fermionic)
    letters = tuple(
        Factor("XYZ"[1 if flips[m] and signs[m] else 0 if flips[m] else 2], int(m)) for m in others
    )
    value *= (1j) ** int((flips & signs & ~fermionic).sum())
    numbers = np.flatnonzero(signs & fermionic & ~flips)
    if k + len(numbers) > _MOST_FACTORS:
        got = f"one of {k + len(numbers)}"
        raise fail("operator", f"terms whose signs depend on at most {_MOST_FACTORS} modes", got)
    choices = [(("-", 1.0), ("+", -1.0 if signs[m] else 1.0)) for m in moved]
    for ladder in itertools.product(*choices):
        for counted in itertools.product((False, True), repeat=len(numbers)):
            c = value * float(np.prod([sign for _, sign in ladder])) * (-2.0) ** sum(counted)
            factors = [Factor("n", int(b)) for b, yes in zip(numbers, counted, strict=True) if yes]
            factors += [Factor(letter, int(m)) for (letter, _), m in zip(ladder, moved, strict=True)]
            yield Term(c, (*letters, *factors))


def _of_levels(operator: LevelOperator, space: HilbertSpace) -> Iterable[Term]:
    """|n><n + δ| of the modes of each entry of the operator's tables."""
    for key, table in operator.tables().items():
        move = dict(key.move)
        fermions = [m for m in sorted(move) if space.fermionic[m]]
        if len(key.signs) > _MOST_FACTORS:
            got = f"one of {len(key.signs)}"
            raise fail("operator", f"terms whose signs depend on at most {_MOST_FACTORS} modes", got)
        for rows in np.argwhere(table):
            level = dict(zip(key.modes, rows.tolist(), strict=True))
            c = complex(table[tuple(rows)])
            for j, mode in enumerate(fermions):
                behind = len(fermions) - 1 - j
                c *= (-1.0) ** (behind * (level[mode] + move[mode]))
            units = tuple(Factor(f"|{n}><{n + move.get(m, 0)}|", m) for m, n in level.items())
            for counted in itertools.product((False, True), repeat=len(key.signs)):
                numbers = tuple(Factor("n", m) for m, yes in zip(key.signs, counted, strict=True) if yes)
                yield Term(c * (-2.0) ** sum(counted), (*numbers, *units))
