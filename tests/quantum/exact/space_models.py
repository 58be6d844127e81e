"""Hamiltonians of electrons made by the algebra, for tests of exact diagonalization."""

import numpy as np

import intertwine as it
from intertwine.quantum.operators import annihilate, create, number, total


def hop(space, i, j, species=None, amplitude=-1.0):
    one = create(space, i, species) @ annihilate(space, j, species)
    return amplitude * one + np.conj(amplitude) * one.adjoint


def hubbard(space, U=4.0, amplitude=None):
    """Hubbard's model; with a complex amplitude around a ring, the same on every bond (a flux)."""
    if amplitude is None:
        return it.hubbard(space, U=U)
    rings = [(i, (i + 1) % space.sites) for i in range(space.sites)]
    rows = [hop(space, i, j, s, amplitude) for i, j in rings for s in ("up", "down")]
    rows += [U * (number(space, i, "up") @ number(space, i, "down")) for i in range(space.sites)]
    return total(rows)


def pair_hopping(space, J=0.7):
    """Electrons with terms that move both species at once, and spin exchange."""
    rows = [hubbard(space, 3.0)]
    for i, j in space.place.bonds().tolist():
        pair = create(space, i, "up") @ create(space, i, "down") @ annihilate(space, j, "down")
        rows.append(J * (pair @ annihilate(space, j, "up")))
        exchange = create(space, i, "up") @ annihilate(space, i, "down") @ create(space, j, "down")
        rows.append(0.3 * (exchange @ annihilate(space, j, "up")))
    half = total(rows[1:])
    return rows[0] + half + half.adjoint


def in_space(H, space):
    """P H P as a dense matrix over the configurations of the space, by the matrix over all levels."""
    levels = space.levels_of(space.configurations())
    strides = np.cumprod([1, *space.levels[:0:-1]])[::-1]
    rows = levels @ strides
    return H.to_sparse(space.free)[rows][:, rows].toarray()
