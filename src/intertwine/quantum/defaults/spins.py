r"""Ground states of spins ½ where nothing is given.

Where H is stoquastic (all off-diagonal elements ≤ 0, for many magnets after a rotation Π_{i∈A} Z_i of the
signs), a ground state is positive and invariant under every symmetry (Perron & Frobenius), and so is the
wave function. Where it is not, a positive or invariant function may exclude the ground state: then the
amplitudes are complex, and the function carries the irrep of the space group that the ground state is in
(`ground_sector`, by Lanczos; the energy found there is not used).

Where one configuration of each orbit of the symmetry can be enumerated, all of them are summed instead of
sampled: gradient, metric and energy are then exact for the wave function at hand. Steps are short there, and
a search that runs aground begins anew (`fresh_start`). Elsewhere, Metropolis sampling with stochastic
reconfiguration and momentum (SPRING, see `learning.metric`).
"""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING

import numpy as np

from intertwine.quantum.defaults.choice import (
    DEEP_FACTOR,
    DEEP_STEPS,
    LEARNING_RATE,
    MOST_STATES,
    MOST_WORK,
    SUM_DECAY,
    SUM_RATE,
    SUM_SHIFT_END,
    SUM_STEPS,
    Choice,
)
from intertwine.quantum.defaults.loops import choose_loops
from intertwine.quantum.defaults.symmetries import frame, is_bipartite, processes, stoquastic_frame
from intertwine.quantum.defaults.units import in_units_of
from intertwine.quantum.operators.operator import Operator

if TYPE_CHECKING:
    from intertwine.quantum.ground_sector import GroundSector

_OPEN_HIDDEN, _OPEN_FILTERS = {1: 4, 2: 8}, {1: 128, 2: 32}
"""Hidden units per site on lattices without translations, and filters at most, by dimension (2: or more)."""


def choose_spins(operator: Operator, sums: bool) -> Choice:
    """What to do for the ground state of an operator of free spins ½. sums: whether exact sums may be taken
    in place of samples."""
    positive = operator.is_stoquastic
    found = _sector(operator, positive)
    dtype = "real" if positive else "complex"
    if found is None and positive and (of_loops := choose_loops(operator, sums)) is not None:
        return in_units_of(operator, of_loops)
    if found is None:
        return in_units_of(operator, _sampled(operator, positive))
    order = 1 if found.irrep is None else found.irrep.lattice.space_group.order
    features = max(4, -(-2 * operator.size // order))
    model = f"gcnn:2x{features}" + {1: ":even", -1: ":odd", None: ""}[found.spin_flip]
    trivial = positive or found.is_trivial
    sector = "trivial" if trivial else found.label
    because = f"the ground state has {found}"
    states = 2**operator.size
    if found.magnetization is not None:
        states = comb(operator.size, (operator.size + found.magnetization) // 2)
    alike = order if trivial else int(np.count_nonzero(found.alike))
    orbits = states / alike / (1 if found.spin_flip is None else 2)
    work = orbits * (len(operator.flips) + 1) * features * order
    few = states <= MOST_STATES[positive] and work <= MOST_WORK
    if sums and few and processes() == 1:
        rate = float(f"{SUM_RATE / max(found.width, 1e-300):.3g}") if found.width else LEARNING_RATE
        steps = round(SUM_DECAY / (2 * rate * found.gap)) if found.gap else 0
        return Choice(
            model,
            dtype,
            sector,
            "sums",
            found.magnetization,
            steps=min(max(steps, SUM_STEPS[0]), SUM_STEPS[1]),
            learning_rate=rate,
            learning_rate_end=rate,
            shift_end=SUM_SHIFT_END,
            because=because,
        )
    if positive:
        return in_units_of(operator, _sampled(operator, positive))
    return in_units_of(
        operator,
        Choice(
            model,
            dtype,
            sector,
            magnetization=found.magnetization,
            steps=DEEP_STEPS,
            final_factor=DEEP_FACTOR,
            because=because,
        ),
    )


def _sector(operator: Operator, positive: bool) -> GroundSector | None:
    """The sector of the ground state where the system is small enough, else None."""
    from intertwine.quantum.ground_sector import LARGEST, ground_sector

    if operator.size > LARGEST:
        return None
    if positive and not operator.conserves_magnetization and 2**operator.size > MOST_STATES[True]:
        return None
    least = operator.size % 2
    if positive and comb(operator.size, (operator.size + least) // 2) > MOST_STATES[True]:
        return None
    return ground_sector(operator)


def _sampled(operator: Operator, positive: bool) -> Choice:
    """Metropolis sampling: a positive function, or a complex one on a lattice without two sublattices, where
    no rotation of the signs comes near, and in a frame that is not the one without signs. On lattices with
    few symmetries more filters, of even functions where the ground state is even, and more steps on chains,
    more samples on planes."""
    lattice = frame(operator)
    if not hasattr(lattice, "translations"):
        return Choice("rbm:2", "real" if positive else "complex")
    if not positive and (not is_bipartite(lattice) or stoquastic_frame(operator) is not operator):
        return Choice("gcnn:2x4:translations", "complex", steps=DEEP_STEPS, final_factor=DEEP_FACTOR)
    if lattice.translations.order * 4 > operator.size:
        return Choice()
    order = lattice.translations.order
    order = lattice.space_group.order if order == 1 else order
    even = ":even" if positive and operator.commutes_with_spin_flip and operator.size % 2 == 0 else ""
    d = 1 if lattice.dimension == 1 else 2
    features = min(max(8, -(-_OPEN_HIDDEN[d] * operator.size // order)), _OPEN_FILTERS[d])
    model = f"symmetric-rbm:{features}{even}"
    if d == 1:
        return Choice(model, steps=600, samples=2048, shift_end=1e-4, momentum=0.9)
    return Choice(model, steps=400, samples=4096, shift_end=5e-4)
