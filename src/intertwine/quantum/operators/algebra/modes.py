r"""Creation, annihilation and number operators of bosons and fermions.

    b|n⟩ = √n |n−1⟩        b†|n⟩ = √(n+1) |n+1⟩        (0 above the cut-off, the largest level of the mode)
    {c_i, c†_j} = δ_ij     for fermionic modes, whatever their species

They act on the modes of a space without its numbers and constraints: only a whole operator must keep those.
Two-level modes that are no fermions are hard-core bosons (an atom's excitation, a dimer).
"""

from __future__ import annotations

import numpy as np

from intertwine._checks import fail
from intertwine.quantum.operators.algebra.local import assembled, checked_space, local
from intertwine.quantum.operators.protocols import QuantumOperator
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

Species = str | int | None


def annihilate(space: HilbertSpace, site: int, species: Species = None) -> QuantumOperator:
    """The annihilation operator of the mode of `site` and `species` (a name or number, where there are
    several).

    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> electrons = Fermions(2, (1, 1))
    >>> c = annihilate(electrons, 1, "up")
    >>> c
    Operator(size=4, strings=2, flips=1, real)
    >>> (c @ c.adjoint + c.adjoint @ c).strings()
    [((1+0j), {})]
    """
    mode = checked_space(space).mode(site, species)
    return local(space, lowering(space.levels[mode]), (mode,))


def create(space: HilbertSpace, site: int, species: Species = None) -> QuantumOperator:
    """The creation operator, the adjoint of `annihilate`.

    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> pair = create(Fermions(2, 1), 0) @ annihilate(Fermions(2, 1), 1)        # c†_0 c_1
    >>> pair.to_dense().tolist()
    [[0.0, 0.0], [1.0, 0.0]]
    """
    mode = checked_space(space).mode(site, species)
    return local(space, lowering(space.levels[mode]).T, (mode,))


def number(space: HilbertSpace, site: int, species: Species = None) -> QuantumOperator:
    """The number operator n, the level of the mode.

    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> number(Fermions(2), 1).strings()
    [((-0.5+0j), {1: 'Z'}), ((0.5+0j), {})]
    """
    mode = checked_space(space).mode(site, species)
    return local(space, np.diag(np.arange(space.levels[mode])), (mode,))


def density(space: HilbertSpace, site: int) -> QuantumOperator:
    """All particles at a site: Σ over species of n, for electrons n↑ + n↓.

    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> density(Fermions(1, spin=True), 0).to_dense().diagonal().tolist()
    [0.0, 1.0, 1.0, 2.0]
    """
    checked_space(space)
    found = [modes[site] for _, modes in space.species if _within(site, len(modes))]
    if not found:
        raise fail("site", f"an integer from 0 to {space.sites - 1}", site)
    parts = [(np.diag(np.arange(space.levels[m])), np.array([[m]]), np.ones(1)) for m in found]
    return assembled(space, parts)


def lowering(levels: int) -> np.ndarray:
    """⟨n|b|n+1⟩ = √(n+1).

    >>> lowering(3).round(3).tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 1.414], [0.0, 0.0, 0.0]]
    """
    return np.diag(np.sqrt(np.arange(1.0, levels)), 1)


def _within(site: object, count: int) -> bool:
    integer = isinstance(site, int | np.integer) and not isinstance(site, bool)
    return integer and 0 <= site < count  # type: ignore[operator]
