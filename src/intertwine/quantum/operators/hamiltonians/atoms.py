r"""Rydberg atoms (Bernien et al., Nature 551, 579, 2017; Fendley, Sengupta & Sachdev, Phys. Rev. B 69,
075106, 2004)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.quantum.operators.algebra.local import assembled, checked_space
from intertwine.quantum.operators.hamiltonians.couplings import numbers, told
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.operators.projection import projected
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

_X = np.array([[0.0, 1.0], [1.0, 0.0]])
_COUNT, _BOTH = np.diag([0.0, 1.0]), np.diag([0.0, 0.0, 0.0, 1.0])


def rydberg(
    space: HilbertSpace, Omega: ArrayLike = 1.0, Delta: ArrayLike = 1.0, interaction: ArrayLike = 0.0
) -> Operator:
    """Driven atoms, −Σ_i Ω_i/2 X_i − Σ_i Δ_i n_i + Σ_{i<j} V_ij n_i n_j, between the projectors of the
    blockade: no element leads out of the space.

    space: `it.Rydberg(lattice)`. Omega, Delta: a number, or one for each atom. interaction: V, a symmetric
    array (N, N) of what is left beyond the blockade, as C6/r^6; 0 for none.

    >>> from intertwine.spaces.hilbert.kinds import Rydberg
    >>> from intertwine.spaces.lattices import Chain
    >>> rydberg(Rydberg(Chain(4)), Delta=0.0)             # −½ Σ P X P
    Operator(rydberg(Omega=1, Delta=0), size=4, strings=16, flips=4, real)
    """
    N = checked_space(space).size
    if not space.binary or space.has_fermions:
        raise fail("space", "one of atoms, as Rydberg(lattice)", space)
    sites = np.arange(N)[:, None]
    parts = [
        (_X, sites, -numbers("Omega", Omega, N, "atom") / 2),
        (_COUNT, sites, -numbers("Delta", Delta, N, "atom")),
    ]
    if np.any(np.asarray(interaction)):
        expected = f"0, or a symmetric array of shape ({N}, {N})"
        if np.shape(interaction) != (N, N):
            raise fail("interaction", expected, f"shape {np.shape(interaction)}")
        V = np.reshape(numbers("interaction", np.ravel(interaction), N * N, "pair of atoms"), (N, N))
        if (apart := np.argwhere(V != V.T)).size:
            a, b = apart[0].tolist()
            got = f"{V[a, b]:g} for the atoms {a}, {b} and {V[b, a]:g} for {b}, {a}"
            raise fail("interaction", expected, got, "give both the same")
        i, j = np.triu_indices(N, 1)
        parts.append((_BOTH, np.stack([i, j], 1), V[i, j]))
    name = f"rydberg({told(Omega=Omega, Delta=Delta, _interaction=interaction)})"
    return projected(assembled(space, parts, name), space)
