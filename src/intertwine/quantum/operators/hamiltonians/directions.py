r"""The honeycomb model of Kitaev (Ann. Phys. 321, 2, 2006), whose couplings go by the direction of a bond."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.quantum.operators.algebra.local import assembled
from intertwine.quantum.operators.algebra.spins import spin_matrices
from intertwine.quantum.operators.hamiltonians.couplings import (
    bonds_of,
    numbers,
    on_bonds,
    place_of,
    told,
    weights_of,
)
from intertwine.quantum.operators.operator import Operator
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
from intertwine.spaces.hilbert.kinds import Spins
from intertwine.spaces.hilbert.place import Place

_LETTERS = "xyz"


def kitaev(lattice: Place | HilbertSpace, K: ArrayLike = 1.0, field: ArrayLike = 0.0) -> Operator:
    """−Σ_⟨ij⟩_γ K_γ σ^γ_i σ^γ_j − Σ_i h · σ_i in Pauli matrices, with γ = x, y or z by the bond.

    lattice: a honeycomb, whose bonds have three directions: x at 30°, z upright, y at 150°. Or a graph whose
    edges have three colours, sorted x, y, z. K: a number, three (Kx, Ky, Kz), or one for each bond, in
    the order of `lattice.bonds()`. field: h along z, three numbers (hx, hy, hz), or an array (N, 3).

    >>> from intertwine.spaces.lattices import Honeycomb
    >>> kitaev(Honeycomb(2, 2))
    Operator(kitaev(K=1), size=8, strings=12, flips=8, real)
    """
    place = place_of("lattice", lattice)
    given = isinstance(lattice, HilbertSpace)
    space = lattice if isinstance(lattice, HilbertSpace) else Spins(place)
    if not space.binary or space.has_fermions or space.size != place.size:
        raise fail("lattice", "a lattice, or a space of spins ½ on one", lattice)
    bonds, kinds = bonds_of(place), _kinds(place)
    three = np.shape(K) == (3,) and len(bonds) != 3
    each = numbers("K", K, 3, "kind")[kinds] * weights_of(place) if three else on_bonds("K", K, place)
    sigma = [2.0 * spin_matrices(space, (0,))[a] for a in _LETTERS]
    sites, fields = np.arange(place.size)[:, None], _fields(field, place.size)
    parts = []
    for a, matrix in enumerate(sigma):
        mine = kinds == a
        parts += [(np.kron(matrix, matrix), bonds[mine], -each[mine]), (matrix, sites, -fields[:, a])]
    name = f"kitaev({told(K=K)})" if not np.any(fields) else f"kitaev({told(K=K, field=field)})"
    return assembled(space, parts, name, known=given)


def _kinds(place: Place) -> np.ndarray:
    """0, 1 or 2 of each bond."""
    palette = getattr(place, "palette", ())
    if palette:
        if len(palette) != 3:
            raise fail("lattice", "edges of three colours", f"{len(palette)} colours")
        return np.array([palette.index(colour) for colour in place.colours])  # type: ignore[attr-defined]
    bonds = bonds_of(place)
    if not hasattr(place, "displacement_index") or getattr(place, "dimension", 0) != 2:
        raise fail("lattice", "a honeycomb, or a graph whose edges have three colours", place.name)
    vectors = place.displacements[place.displacement_index[bonds[:, 0], bonds[:, 1]]]  # type: ignore[attr-defined]
    angles = np.rint(np.rad2deg(np.arctan2(vectors[:, 1], vectors[:, 0]))).astype(int) % 180
    if not set(angles) <= {30, 90, 150}:
        raise fail("lattice", "a honeycomb, or a graph whose edges have three colours", place.name)
    return np.array([{30: 0, 150: 1, 90: 2}[int(a)] for a in angles])


def _fields(field: ArrayLike, count: int) -> np.ndarray:
    """h of each site, float64 (N, 3)."""
    shape = np.shape(field)
    if shape == ():
        along = numbers("field", field, 1, "site")[0]
        return np.tile([0.0, 0.0, along], (count, 1))
    if shape not in ((3,), (count, 3)):
        raise fail("field", f"a number, three numbers, or an array of shape ({count}, 3)", f"shape {shape}")
    each = numbers("field", np.ravel(field), int(np.prod(shape)), "component")
    return np.broadcast_to(each.reshape(-1, 3), (count, 3))
