r"""Correlations of pairs of electrons, as they show superconductivity (Scalapino, Rep. Prog. Phys. 1995).

P(r) = ⟨Δ†_i Δ_j⟩ over pairs of sites with r_j − r_i = r
s             Δ_i = c_i↓ c_i↑
extended-s    Δ_i = ½ Σ_δ (c_i↓ c_{i+δ}↑ − c_i↑ c_{i+δ}↓)/√2              over nearest neighbours
d             the same with f(δ) = +1 along the first axis of the plane and −1 along the second
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jax import Array
from jaxtyping import PyTree

from intertwine._checks import fail, one_of
from intertwine.quantum.observables.particles.held import OverDisplacements, held
from intertwine.quantum.operators.algebra.combined import total
from intertwine.quantum.operators.algebra.modes import annihilate
from intertwine.quantum.operators.protocols import QuantumOperator
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

if TYPE_CHECKING:
    from intertwine.sampling.protocols import Sampler

FORMS = ("s", "extended-s", "d")


def pairing_correlations(
    state: PyTree,
    space: HilbertSpace | None = None,
    form: str = "s",
    samples: int = 4096,
    *,
    key: Array | None = None,
    sampler: Sampler | None = None,
) -> OverDisplacements:
    """P(r) of the displacements of the lattice (the real part), with error bars.

    form: "s", "extended-s" or "d" (on lattices in the plane). Other arguments as of `densities`; the space is
    one of electrons with a lattice.

    >>> import intertwine as it
    >>> space = it.Fermions(it.Chain(4), (1, 1))
    >>> energy, psi = it.exact.ground_state(it.hubbard(space, U=-20.0))
    >>> pairs = pairing_correlations(psi, space)
    >>> bool(pairs.mean.min() > 0.2)                     # tightly bound pairs hop freely
    True
    """
    one = held(state, space, samples, key, sampler)
    one_of("form", form, FORMS)
    pairs = pair_operators(one.space, one.place, form)
    index = np.asarray(one.place.displacement_index)
    classes = []
    for c in range(int(index.max()) + 1):
        where = np.argwhere(index == c)
        rows = [pairs[i].adjoint @ pairs[j] for i, j in where]
        classes.append(total(rows) / len(rows))
    found = one.measured(one.local(classes))
    return OverDisplacements(np.asarray(one.place.displacements, dtype=np.float64), *found)


def pair_operators(space: HilbertSpace, place: Any, form: str) -> list[QuantumOperator]:
    """Δ_i of every site.

    >>> import intertwine as it
    >>> space = it.Fermions(it.Square(2, 2, pbc=False), (1, 1))
    >>> len(pair_operators(space, space.place, "d"))
    4
    """
    names = [name for name, _ in space.species]
    if "up" not in names or "down" not in names:
        raise fail("space", "one of electrons, as it.Fermions(lattice, (5, 5))", space)
    up = [annihilate(space, i, "up") for i in range(space.sites)]
    down = [annihilate(space, i, "down") for i in range(space.sites)]
    if form == "s":
        return [d @ u for u, d in zip(up, down, strict=True)]
    signs = {(i, j): f for i, j, f in _form_factors(place, form)}
    if not signs:
        raise fail("space", "one whose lattice has bonds", space)
    factor = 0.5 / np.sqrt(2)
    found = []
    for i in range(space.sites):
        rows = [factor * f * (down[i] @ up[j] - up[i] @ down[j]) for (a, j), f in signs.items() if a == i]
        found.append(total(rows) if rows else 0.0 * (down[i] @ up[i]))
    return found


def _form_factors(place: Any, form: str) -> list[tuple[int, int, float]]:
    """(i, j, f) of every neighbour j of every site i."""
    if form == "d" and np.asarray(place.positions).shape[1] != 2:
        raise fail("form", "'s' or 'extended-s' where the lattice is not in the plane", form)
    out = []
    for a, b in place.bonds().tolist():
        for i, j in ((a, b), (b, a)):
            step = np.asarray(place.displacements)[int(np.asarray(place.displacement_index)[i, j])]
            f = 1.0 if form != "d" or abs(step[0]) > abs(step[1]) else -1.0
            out.append((i, j, f))
    return out
