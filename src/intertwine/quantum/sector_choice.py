r"""Excited states by sector: what to do for the lowest state of a sector that is named in words.

The lowest state of a sector is the ground state of H inside it, and a wave function that carries the sector's
symmetry cannot leave it (Choo, Carleo, Regnault & Neupert, PRL 121, 167204 (2018)). Words with "k=" or a
flip, as "k=(π,0), A1, flip=-1", are of the laboratory, and turned into those of the frame in which H is
written; a bare name, as "(π, 0) A1", is one of that frame. Of electrons a flip is the eigenvalue of the
exchange of c†_↑ and c†_↓, as of `it.exact.Sector`: (−1)^{n_↑} for an even total spin.
"""

from __future__ import annotations

from dataclasses import replace
from math import comb
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from intertwine._checks import InputError, fail
from intertwine.models.fermions.images import mode_group
from intertwine.quantum import defaults
from intertwine.quantum.ground_sector import ground_sector, has_space_group
from intertwine.quantum.hilbert_moves import own_space
from intertwine.spaces.hilbert.place import space_group_of

if TYPE_CHECKING:
    from intertwine.models.symmetric.sector_words import SectorInWords
    from intertwine.quantum.defaults import Choice
    from intertwine.quantum.exact.known import KnownEnergy
    from intertwine.quantum.operators.operator import Operator
    from intertwine.quantum.operators.protocols import QuantumOperator

_FEATURES = 4
_MOST_SUMMED = 20_000
MOST_DIAGONALIZED = 200_000
"""Configurations of a space whose sectors are diagonalized in seconds."""
_FERMION_STEPS = 300
_RATE, _STEPS = 0.8, 400
"""Of exact sums in an excited sector: a share of the longest stable step, and steps at most."""


class EmptySector(InputError):  # noqa: N818 (an outcome)
    """No state of the space transforms so."""


def sector_of(operator: Operator, words: str, magnetization: int | None = None) -> SectorInWords:
    """The sector in the frame of `operator` that `words` mean. magnetization: Σ s of the configurations; None
    for that of the ground state, if it is known.

    Raises `InputError` for operators without the symmetry of a lattice, and words that fit none of its
    sectors.

    >>> import intertwine as it
    >>> H = it.heisenberg(it.Chain(6))                    # in Marshall's frame, three spins down
    >>> print(sector_of(H, "k=0, A, flip=-1"), "|", sector_of(H, "0 A"))
    π A, flip +1 | 0 A
    """
    from intertwine.models.symmetric.sector_words import sector_in_words
    from intertwine.quantum.space_choice import ground_magnetization

    lattice, space = _symmetric(operator), own_space(operator)
    found = sector_in_words(lattice, words)
    if space is not None:
        if found.spin_flip is not None and not (space.has_fermions and len(space.species) == 2):
            raise fail("sector", "no flip in this space", repr(words), "leave the flip out")
        return found
    if found.spin_flip is not None and not operator.commutes_with_spin_flip:
        raise fail("sector", "no flip for an operator that the flip of all spins changes", repr(words))
    if "=" not in words and found.spin_flip is None:
        return found
    kept = ground_magnetization(operator) if magnetization is None else magnetization
    return found.in_frame(operator.turned, None if kept is None else (operator.size - kept) // 2)


def _symmetric(operator: Operator) -> Any:
    """The lattice of an operator that has its whole symmetry."""
    space = own_space(operator)
    lattice: Any = operator.lattice if space is None else space.place
    if space is None:
        kept = lattice is not None and has_space_group(operator)
    else:
        group = space_group_of(lattice)
        kept = group is not None and all(
            operator.is_invariant(row) for row in mode_group(group, space.size).permutations
        )
    if not kept or lattice is None:
        remedy = "leave the sector out, or take couplings that are the same everywhere"
        raise fail("sector", "an operator with the symmetry of a lattice", repr(operator), remedy)
    return lattice


def choose_in_sector(
    operator: Operator, words: str, *, sums: bool = True, magnetization: int | None = None
) -> Choice:
    """What to do for the lowest state in a sector, where nothing else is given: a group-convolutional network
    with its character, and exact sums where there are few configurations.

    >>> import intertwine as it
    >>> choice = choose_in_sector(it.heisenberg(it.Chain(6)), "k=0, A, flip=-1")
    >>> choice.model, choice.sector, choice.rule
    ('gcnn:2x4:even', 'π A', 'sums')
    """
    from intertwine.quantum.space_choice import ground_magnetization

    found = sector_of(operator, words, magnetization)
    if own_space(operator) is not None:
        return _of_fermions(operator, found)
    kept = ground_magnetization(operator) if magnetization is None else magnetization
    flip = {1: ":even", -1: ":odd", None: ""}[found.spin_flip]
    states = 2**operator.size if kept is None else comb(operator.size, (operator.size + kept) // 2)
    choice = replace(
        defaults.in_units_of(operator),
        model=f"gcnn:2x{_FEATURES}{flip}",
        dtype="complex",
        sector=found.name,
        magnetization=kept,
        steps=defaults.DEEP_STEPS,
        final_factor=defaults.DEEP_FACTOR,
        because=f"the lowest state in {found}",
    )
    known = ground_sector(operator)
    if not sums or known is None or states > _MOST_SUMMED or jax.process_count() > 1:
        return choice
    rate = float(f"{_RATE / max(known.width, 1e-300):.3g}")
    return replace(
        choice,
        rule="sums",
        steps=_STEPS,
        learning_rate=rate,
        learning_rate_end=rate,
        shift_end=defaults.SUM_SHIFT_END,
    )


def _of_fermions(operator: QuantumOperator, found: SectorInWords) -> Choice:
    """A determinant with a Jastrow factor, projected onto the sector; a pair function of a singlet."""
    space: Any = operator.hilbert
    if not space.has_fermions:
        expected = "spins ½ or fermions, whose networks carry a sector"
        raise fail("sector", expected, f"{space.kind}", "leave the sector out")
    numbers = [bound.low for bound in space.numbers]
    even = found.spin_flip is not None and found.spin_flip * (-1) ** numbers[0] == 1
    singlet = even and len(numbers) == 2 and numbers[0] == numbers[1]
    return replace(
        defaults.in_units_of(operator),
        model=("pairing" if singlet else "slater") + "-jastrow:space",
        dtype="real" if operator.is_real else "complex",
        sector=str(found).replace("−", "-"),
        steps=_FERMION_STEPS,
        final_factor=defaults.DEEP_FACTOR,
        because=f"the lowest state in {found}",
    )


def energy_in_sector(
    operator: Operator, words: str, magnetization: int | None = None, most: int | None = MOST_DIAGONALIZED
) -> KnownEnergy | None:
    """The lowest energy of a sector by exact diagonalization, in spaces of at most `most` configurations
    (None: as many as fit in memory); None for larger ones.

    Raises `EmptySector` where no state transforms so.

    >>> import intertwine as it
    >>> round(energy_in_sector(it.heisenberg(it.Chain(6)), "k=π, A").value, 6)
    -11.211103
    """
    from intertwine.quantum.exact.known import KnownEnergy
    from intertwine.quantum.exact.sector import Sector
    from intertwine.quantum.exact.solve import ground_energy
    from intertwine.quantum.space_choice import ground_magnetization

    found = sector_of(operator, words, magnetization)
    lattice, space = found.irrep.lattice, own_space(operator)
    if space is None:
        kept = ground_magnetization(operator) if magnetization is None else magnetization
        states = 2**operator.size if kept is None else comb(operator.size, (operator.size + kept) // 2)
    else:
        kept, states = None, space.dimension
    if most is not None and states > most:
        return None
    turns = lattice.basis_vectors @ found.irrep.momentum / (2 * np.pi)
    momentum = tuple(int(m) for m in np.rint(turns * np.array(lattice.extent)))
    wanted = Sector(kept, found.spin_flip, momentum, found.irrep.irrep)
    try:
        value = ground_energy(operator, sector=wanted)
    except InputError as error:
        if "states in it" not in str(error):
            raise
        raise EmptySector(str(fail("sector", "a sector with states in it", repr(words)))) from None
    return KnownEnergy(value, f"exact diagonalization (Lanczos) by intertwine, in the sector {words}")
