r"""The lowest levels of an operator with their labels: momentum and irrep, spin flip, total spin.

Every irrep of the space group comes once (`it.sectors`), with each value of the spin flip. Sectors are
searched as deep as the levels asked for reach. The total spin is read off ⟨S²⟩ = S(S + 1) of each vector,
where H and S² commute.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product as pairs_of
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from intertwine._checks import positive_int
from intertwine.models.symmetric.sectors import sectors
from intertwine.quantum.exact.hilbert import search
from intertwine.quantum.exact.hilbert.basis import space_matrix
from intertwine.quantum.exact.hilbert.chosen import Chosen, of_irrep, translation_sectors
from intertwine.quantum.exact.hilbert.leaving import require_kept
from intertwine.quantum.exact.hilbert.spaced import space_of
from intertwine.quantum.exact.hilbert.symmetries import Symmetries
from intertwine.quantum.operators.algebra.combined import total
from intertwine.quantum.operators.algebra.spins import spin_plus, spin_z
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

if TYPE_CHECKING:
    from intertwine.quantum.operators.protocols import QuantumOperator

_AT_FIRST = 2


class Level(NamedTuple):
    """One level of one sector. degeneracy: its states in the space that the sector counts for (the dimension
    of the irrep of the space group; levels of several sectors may coincide). sector: momentum and irrep in
    words, "" where the lattice has none. spin_flip: ±1, or None. spin: S, or None where it is no good
    quantum number."""

    energy: float
    degeneracy: int
    sector: str
    spin_flip: int | None
    spin: float | None

    def __str__(self) -> str:
        words = [f"{self.energy:.9f}", f"{self.degeneracy} ×", self.sector]
        words += [] if self.spin_flip is None else [f"flip {self.spin_flip:+d}"]
        words += [] if self.spin is None else [f"S = {self.spin:g}"]
        return "  ".join(word for word in words if word)


@dataclass
class _Searched:
    sector: Chosen
    name: str
    flip: int | None
    levels: search.Levels | None = None
    exhausted: bool = False
    asked: int = field(default=0)


def levels(H: QuantumOperator, k: int = 6) -> list[Level]:
    """The lowest levels of H in its space, ascending, at least k states, with their labels.

    Raises `InputError` where H leaves its space or a sector does not fit in memory.

    >>> import intertwine as it
    >>> for level in levels(it.heisenberg(it.Chain(4), marshall=False), 4):
    ...     print(level.sector, level.spin_flip, round(level.energy, 6), level.degeneracy)
    0 A 1 -8.0 1
    π A 1 -4.0 1
    π A -1 -4.0 1
    π A -1 -4.0 1
    """
    k = positive_int("k", k, "give the number of levels")
    space = space_of(H)
    require_kept(H, space)
    symmetries = Symmetries(H, space)
    found = _candidates(symmetries)
    while True:
        floor = _reach(found, k)
        open_ones = [s for s in found if not s.exhausted and _last(s) <= floor]
        if not open_ones:
            break
        for one in open_ones:
            _deepen(H, symmetries, one, k)
    return _merged(H, found, k)


def _candidates(symmetries: Symmetries) -> list[_Searched]:
    flips = (None,) if symmetries.flip is None else (1, -1)
    if symmetries.is_whole_group:
        return [
            _Searched(of_irrep(symmetries, irrep, flip), irrep.name, flip)
            for irrep, flip in pairs_of(sectors(symmetries.place), flips)
        ]
    return [_Searched(sector, name, flip) for sector, name, flip in translation_sectors(symmetries)]


def _last(one: _Searched) -> float:
    return -np.inf if one.levels is None else float(one.levels.energies[-1])


def _reach(found: list[_Searched], k: int) -> float:
    """An energy below which at least k states are known, or infinity."""
    known = [(e, s.sector.copies) for s in found if s.levels is not None for e in s.levels.energies]
    total = 0
    for energy, copies in sorted(known):
        total += copies
        if total >= k:
            return float(energy) + 1e-9 * max(1.0, abs(energy))
    return np.inf


def _deepen(H: QuantumOperator, symmetries: Symmetries, one: _Searched, k: int) -> None:
    one.asked = min(max(_AT_FIRST, 2 * one.asked), max(k, _AT_FIRST))
    if one.levels is not None and one.asked == len(one.levels.energies):
        one.exhausted = True  # as many as can be needed
        return
    one.levels = search.in_sector(H, symmetries, one.sector, one.asked)
    one.exhausted = len(one.levels.energies) < one.asked or one.asked >= k


def _spins(H: QuantumOperator, found: search.Levels) -> list[float | None]:
    """S of each vector, None where it is no eigenvector of S²."""
    basis = found.basis
    assert basis is not None and found.vectors is not None
    squared = spin_squared(basis.space)
    if squared is None or basis.dimension == 0:
        return [None] * len(found.energies)
    matrix = space_matrix(squared, basis)
    out: list[float | None] = []
    for vector in found.vectors.T:
        image = matrix @ vector
        value = float(np.real(np.vdot(vector, image)))
        sharp = np.linalg.norm(image - value * vector) < 1e-5 * max(1.0, value)
        out.append(round(np.sqrt(4 * value + 1) - 1) / 2 if sharp and value > -1e-6 else None)
    return out


def spin_squared(space: HilbertSpace) -> QuantumOperator | None:
    """(Σ S)² of a space of spins or of electrons, else None."""
    electrons = [name for name, _ in space.species] == ["up", "down"]
    if not electrons and space.kind != "spins":
        return None
    raised = total(spin_plus(space, i) for i in range(space.sites))
    along = total(spin_z(space, i) for i in range(space.sites))
    return raised.adjoint @ raised + along @ along + along


def _merged(H: QuantumOperator, found: list[_Searched], k: int) -> list[Level]:
    rows = []
    for one in found:
        assert one.levels is not None
        spins = _spins(H, one.levels)
        for energy, spin in zip(one.levels.energies, spins, strict=True):
            rows.append(Level(float(energy), one.sector.copies, one.name, one.flip, spin))
    rows.sort(key=lambda level: (round(level.energy, 9), level.sector, -(level.spin_flip or 0)))
    out, states = [], 0
    for row in rows:
        if states >= k and row.energy > out[-1].energy + 1e-9 * max(1.0, abs(row.energy)):
            break
        out.append(row)
        states += row.degeneracy
    return out
