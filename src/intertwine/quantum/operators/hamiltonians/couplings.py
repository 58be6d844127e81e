r"""What Hamiltonians take: couplings as numbers or arrays, bonds of a place, phases of twisted boundaries.

A twist θ_a is the phase that a particle gains when it goes once around the periodic direction a in the
positive sense. In the gauge where only the bonds that wrap carry it, c†_i c_j has the factor e^{iθ·m} for a
bond from i to j whose nearest image is r_j − r_i − Σ_a m_a L_a a_a.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
from intertwine.spaces.hilbert.place import Place

if TYPE_CHECKING:
    from intertwine.spaces.lattice import Lattice

_KINDS = {1: "nearest", 2: "second", 3: "third"}


def numbers(argument: str, value: object, count: int, things: str) -> np.ndarray:
    """A number, or one for each of `count` things: float64 (count,).

    >>> numbers("J", [1, 2], 2, "bond"), numbers("J", 0.5, 2, "bond")
    (array([1., 2.]), array([0.5, 0.5]))
    """
    try:
        given = np.asarray(value)
        array = given.astype(np.float64) if given.dtype.kind in "iuf" else np.full(1, np.nan)
        ok = bool(np.all(np.isfinite(array)))
    except (TypeError, ValueError):
        ok, array = False, np.zeros(1)
    if not ok:
        raise fail(argument, f"a finite real number, or one for each {things}", value)
    if array.shape not in ((), (count,)):
        expected = f"a number, or an array of {count}, one for each {things}"
        raise fail(argument, expected, f"{len(array)}" if array.ndim == 1 else f"shape {array.shape}")
    return np.broadcast_to(array, (count,)).copy()


def on_bonds(argument: str, value: ArrayLike, place: Place, shell: int = 1) -> np.ndarray:
    """The coupling of each bond of a shell, float64 (B,): a number, times the weights of the edges where a
    graph has them, or an array as it stands.

    >>> from intertwine.spaces.graph.graph import Graph
    >>> weighted = Graph([(1, 2), (0, 1)], weights=[0.5, 3])
    >>> on_bonds("J", 2.0, weighted).tolist(), on_bonds("J", [1, 2], weighted).tolist()
    ([1.0, 6.0], [1.0, 2.0])
    """
    found = numbers(argument, value, len(bonds_of(place, shell)), "bond")
    return found if np.ndim(value) else found * weights_of(place, shell)


def weights_of(place: Place, shell: int = 1) -> np.ndarray | float:
    """The weights of the bonds of a shell; 1 where the place has none."""
    of_shell = getattr(place, "bond_weights", None)
    weights = None if of_shell is None else of_shell(shell)
    return 1.0 if weights is None else weights


def told(**couplings: object) -> str:
    """Couplings as a name has them: numbers by value, arrays by a word; those that are 0 by default are left
    out where they are 0 (written with a leading underscore)."""
    words = []
    for name, value in couplings.items():
        if name.startswith("_") and not np.any(np.asarray(value)):
            continue
        number = np.ndim(value) == 0  # type: ignore[arg-type]
        words.append(f"{name.lstrip('_')}={float(value):g}" if number else f"{name.lstrip('_')}=array")  # type: ignore[arg-type]
    return ", ".join(words)


def place_of(argument: str, given: object) -> Place:
    """The lattice or graph of a place or space."""
    place = given.place if isinstance(given, HilbertSpace) else given
    if not isinstance(place, Place):
        raise fail(argument, "a lattice or a graph, or a space that was built on one", given)
    return place


def bonds_of(place: Place, shell: int = 1, argument: str = "lattice") -> np.ndarray:
    """int (B, 2), each bond once; an error where the place has no such shell."""
    if getattr(place, "shells", shell) < shell:
        got = f"{place.name}, which has none"
        raise fail(argument, f"one with {_KINDS[shell]} neighbours", got, "take a larger lattice")
    return np.asarray(place.bonds(shell)).reshape(-1, 2)


def phases(place: Place, bonds: np.ndarray, twist: ArrayLike) -> np.ndarray:
    """θ · m of each bond, float64 (B,).

    Raises `InputError` for twists of open directions and of directions so short that two images of a bond
    are equally near.

    >>> from intertwine.spaces.lattices import Chain
    >>> phases(Chain(4), Chain(4).bonds(), 0.3).tolist()           # bonds 0-1, 0-3, 1-2, 2-3
    [0.0, 0.3, 0.0, 0.0]
    """
    if not np.any(np.asarray(twist)):
        numbers("twist", twist, getattr(place, "dimension", 1), "direction")
        return np.zeros(len(bonds))
    periodic = getattr(place, "periodic", ())
    if not any(periodic):
        raise fail("twist", f"0 on {place.name}, which has no periodic direction", twist)
    angles = numbers("twist", twist, len(periodic), "direction")
    if np.ndim(twist) == 0:
        angles = np.where(periodic, angles, 0.0)
    if np.any(angles[~np.array(periodic)]):
        raise fail("twist", f"0 along the open directions of {place.name}", twist)
    return _windings(place, bonds, angles != 0) @ angles  # type: ignore[arg-type]


def _windings(lattice: Lattice, bonds: np.ndarray, twisted: np.ndarray) -> np.ndarray:
    """m of each bond, int (B, d)."""
    i, j = bonds.T
    wrapping = lattice.basis_vectors * np.array(lattice.extent)[:, None]
    nearest = lattice.displacements[lattice.displacement_index[i, j]]
    straight = lattice.positions[j] - lattice.positions[i]
    found = np.rint((straight - nearest) @ np.linalg.inv(wrapping)).astype(int)
    length = np.linalg.norm(nearest, axis=1)
    for step in itertools.product((-1, 0, 1), repeat=len(wrapping)):
        other = np.linalg.norm(nearest + np.array(step) @ wrapping, axis=1)
        if np.any(np.array(step)[twisted]) and np.any(other < length * (1 + 1e-9)):
            expected = "a lattice of at least three cells along directions that are twisted"
            raise fail("twist", expected, lattice.name, "a bond of two images has no one phase")
    return found
