r"""Lattice fermions: the Hubbard model of electrons, and fermions without spin that repel their neighbours.

The sign of a fermion that hops around a ring is its own (truly periodic boundaries); a twist of π is the
antiperiodic boundary.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.quantum.operators.algebra.local import Part, assembled, checked_space
from intertwine.quantum.operators.hamiltonians.couplings import (
    bonds_of,
    numbers,
    on_bonds,
    phases,
    place_of,
    told,
)
from intertwine.quantum.operators.operator import Operator
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
from intertwine.spaces.hilbert.place import Place

_COUNT = np.diag([0.0, 1.0])
_BOTH = np.diag([0.0, 0.0, 0.0, 1.0])
_HOP = np.array([[0, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]], float)
"""c†_i c_j on (i, j)."""


def hubbard(
    space: HilbertSpace,
    t: ArrayLike = 1.0,
    U: ArrayLike = 4.0,
    mu: ArrayLike = 0.0,
    field: ArrayLike = 0.0,
    twist: ArrayLike = 0.0,
    V: ArrayLike = 0.0,
    t2: ArrayLike = 0.0,
) -> Operator:
    """The Hubbard model (Hubbard 1963) of electrons, each bond once,

        −Σ_⟨ij⟩σ t_ij (c†_iσ c_jσ + h.c.) + Σ_i U_i n_i↑ n_i↓ + Σ_⟨ij⟩ V_ij n_i n_j
        −Σ_i μ_i n_i − Σ_i field_i (n_i↑ − n_i↓),      n_i = n_i↑ + n_i↓.

    space: `it.Fermions(lattice, (5, 5))`. t, V: a number, or one for each bond; U, mu, field: a number,
    or one for each site; t2: hopping between second neighbours. twist: an angle for each direction.

    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> from intertwine.spaces.lattices import Chain, Square
    >>> hubbard(Fermions(Chain(4), (2, 2)), U=8.0)
    Operator(hubbard(t=1, U=8), size=8, strings=29, flips=8, real)
    """
    names = dict(checked_space(space).species)
    if not {"up", "down"} <= set(names) or not all(space.fermionic[m] for m in names["up"] + names["down"]):
        raise fail(
            "space",
            "one of electrons, as Fermions(lattice, (2, 2))",
            space,
            "for any numbers take Fermions(lattice, spin=True)",
        )
    place = place_of("space", space)
    up, down = np.array(names["up"]), np.array(names["down"])
    N, bonds = len(up), bonds_of(place, argument="space")
    pairs = numbers("V", V, len(bonds), "bond")
    parts = [(_BOTH, np.stack([up, down], 1), numbers("U", U, N, "site"))]
    shells = [(1, "t", t), (2, "t2", t2)] if np.any(np.asarray(t2)) else [(1, "t", t)]
    tilt = numbers("field", field, N, "site")
    for sign, modes in ((1.0, up), (-1.0, down)):
        for shell, argument, value in shells:
            parts += hopping(place, modes, argument, value, twist, shell=shell)
        parts.append((_COUNT, modes[:, None], -numbers("mu", mu, N, "site") - sign * tilt))
        parts += [
            (_BOTH, np.stack([modes[bonds[:, 0]], other[bonds[:, 1]]], 1), pairs) for other in (up, down)
        ]
    name = f"hubbard({told(t=t, U=U, _mu=mu, _field=field, _twist=twist, _V=V, _t2=t2)})"
    return assembled(space, parts, name)


def tv(
    space: HilbertSpace,
    t: ArrayLike = 1.0,
    V: ArrayLike = 1.0,
    mu: ArrayLike = 0.0,
    field: ArrayLike = 0.0,
    twist: ArrayLike = 0.0,
) -> Operator:
    """Fermions without spin: −Σ t_ij (c†_i c_j + h.c.) + Σ V_ij n_i n_j − Σ_i (μ + field_i) n_i, each bond
    once.

    space: `it.Fermions(lattice, 13)`. t, V: a number, or one for each bond; mu, field: a number, or one for
    each site. twist: an angle for each direction.

    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> from intertwine.spaces.lattices import Chain
    >>> tv(Fermions(Chain(4), 2), V=2.0)
    Operator(tv(t=1, V=2), size=4, strings=17, flips=4, real)
    """
    place = place_of("space", checked_space(space))
    if space.size != place.size or not all(space.fermionic):
        raise fail("space", "one of fermions without spin, as Fermions(lattice, 3)", space)
    bonds, modes = bonds_of(place, argument="space"), np.arange(space.size)
    below = numbers("mu", mu, space.size, "site") + numbers("field", field, space.size, "site")
    parts = [
        *hopping(place, modes, "t", t, twist),
        (_BOTH, bonds, numbers("V", V, len(bonds), "bond")),
        (_COUNT, modes[:, None], -below),
    ]
    return assembled(space, parts, f"tv({told(t=t, V=V, _mu=mu, _field=field, _twist=twist)})")


def hopping(
    place: Place,
    modes: np.ndarray,
    argument: str,
    value: ArrayLike,
    twist: ArrayLike,
    hop: np.ndarray = _HOP,
    shell: int = 1,
) -> list[Part]:
    """−Σ value_ij (hop e^{iφ} + h.c.) between the modes of the sites of all bonds."""
    bonds = bonds_of(place, shell, "space")
    strength = -on_bonds(argument, value, place, shell)
    angles = phases(place, bonds, twist)
    if not angles.any():
        return [(hop + hop.T, modes[bonds], strength)]
    turned = strength * np.exp(1j * angles)
    return [(hop, modes[bonds], turned), (hop.T, modes[bonds], turned.conj())]
