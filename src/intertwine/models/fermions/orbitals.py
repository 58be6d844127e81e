r"""Orbitals to start from: free fermions on a lattice, eigenvectors of the hopping matrix, −1 on each bond.

A closed shell has a gap above the last occupied level; where there is none, the orbitals within the level are
some choice among many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Num

from intertwine._checks import fail
from intertwine.models.fermions.filling import filling_of

if TYPE_CHECKING:
    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace


def hopping_matrix(space: HilbertSpace, width: int) -> Float[np.ndarray, "L L"]:
    """−1 for each bond of the space's lattice (a bond that comes twice counts twice), repeated for modes of
    two spins."""
    lattice: Any = space.place
    if lattice is None:
        raise fail("space", "fermions on a lattice or a graph", repr(space), "or give the hopping matrix")
    L = int(lattice.size)
    if width % L:
        raise fail("space", f"a multiple of {L} modes, one for each site", f"{width} modes")
    h = np.zeros((L, L))
    for i, j in np.asarray(lattice.bonds()).reshape(-1, 2):
        h[i, j] -= 1.0
        h[j, i] -= 1.0
    return np.kron(np.eye(width // L), h)


def free_orbitals(
    space: HilbertSpace, hopping: Num[np.ndarray, "L L"] | None = None
) -> tuple[np.ndarray, ...]:
    """The lowest orbitals of free fermions, (modes, particles) for each block, float64 (complex128 for a
    complex hopping matrix).

    hopping: Hermitian, of the sites; −1 on each bond of the lattice by default.

    >>> from intertwine.spaces.hilbert.kinds import Fermions
    >>> from intertwine.spaces.lattices import Chain
    >>> [block.shape for block in free_orbitals(Fermions(Chain(6), (3, 1)))]
    [(6, 3), (6, 1)]
    """
    filling = filling_of(space)
    out = []
    for width, n in zip(filling.widths, filling.particles, strict=True):
        h = hopping_matrix(space, width) if hopping is None else _whole(hopping, width)
        _, vectors = np.linalg.eigh(h)
        out.append(np.ascontiguousarray(vectors[:, :n]))
    return tuple(out)


def _whole(hopping: np.ndarray, width: int) -> np.ndarray:
    h = np.asarray(hopping)
    if h.ndim != 2 or h.shape[0] != h.shape[1] or width % len(h) or not np.allclose(h, h.conj().T):
        expected = f"a Hermitian matrix of the {width} modes, or of the sites"
        raise fail("hopping", expected, f"shape {h.shape}")
    return np.kron(np.eye(width // len(h)), h)
