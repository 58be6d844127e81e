r"""The Bose-Hubbard model (Fisher et al., Phys. Rev. B 40, 546, 1989; cold atoms: Jaksch et al., Phys. Rev.
Lett. 81, 3108, 1998)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.quantum.operators.algebra.local import assembled, checked_space
from intertwine.quantum.operators.algebra.modes import lowering
from intertwine.quantum.operators.hamiltonians.couplings import bonds_of, numbers, place_of, told
from intertwine.quantum.operators.hamiltonians.electrons import hopping
from intertwine.quantum.operators.protocols import QuantumOperator
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace


def bose_hubbard(
    space: HilbertSpace,
    J: ArrayLike = 1.0,
    U: ArrayLike = 4.0,
    mu: ArrayLike = 0.0,
    V: ArrayLike = 0.0,
    field: ArrayLike = 0.0,
    twist: ArrayLike = 0.0,
) -> QuantumOperator:
    """−Σ_⟨ij⟩ J_ij (b†_i b_j + h.c.) + Σ_i U_i/2 n_i (n_i − 1) + Σ_⟨ij⟩ V_ij n_i n_j − Σ_i (μ + field_i) n_i,
    each bond once.

    space: `it.Bosons(lattice, particles=8)`; with `most=1` they are hard-core. J, V: a number, or one for
    each bond; U, mu, field: a number, or one for each site. twist: an angle for each direction.

    >>> from intertwine.spaces.hilbert.kinds import Bosons
    >>> from intertwine.spaces.lattices import Chain
    >>> bose_hubbard(Bosons(Chain(4), 2, most=1)).is_stoquastic
    True
    """
    place = place_of("space", checked_space(space))
    if space.size != place.size or len(set(space.levels)) > 1 or space.has_fermions:
        raise fail("space", "one of bosons, as Bosons(lattice, particles=8)", space)
    bonds, d, N = bonds_of(place, argument="space"), space.levels[0], space.size
    b, n = lowering(d), np.arange(float(d))
    below = numbers("mu", mu, N, "site") + numbers("field", field, N, "site")
    sites = np.arange(N)[:, None]
    parts = [
        *hopping(place, np.arange(N), "J", J, twist, np.kron(b.T, b)),
        (np.diag(np.outer(n, n).ravel()), bonds, numbers("V", V, len(bonds), "bond")),
        (np.diag(n * (n - 1)), sites, numbers("U", U, N, "site") / 2),
        (np.diag(n), sites, -below),
    ]
    name = f"bose_hubbard({told(J=J, U=U, _mu=mu, _V=V, _field=field, _twist=twist)})"
    return assembled(space, parts, name)
