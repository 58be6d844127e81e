"""The Hilbert spaces that people have: spins, bosons, electrons, atoms, qudits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from intertwine._checks import fail, positive_int
from intertwine.spaces.hilbert.bounds import Bound
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
from intertwine.spaces.hilbert.place import Place

_WHERE = "a lattice such as Chain(8), a graph, or a number of sites"


def Spins(place: Place | int, s: float = 0.5, magnetization: int | None = None) -> HilbertSpace:
    """A spin s at each site: 2s + 1 levels, level 0 the highest S^z.

    place: a lattice, a graph or a number of sites. magnetization: Σ_i 2 S^z_i, in Pauli units as for spins ½
    (Σ s_i), or None for all.

    >>> Spins(4, magnetization=0), Spins(2, s=1).configurations().tolist()[:2]
    (HilbertSpace(spins, 4 sites, magnetization = 0, dimension 6), [[0, 0], [0, 1]])
    """
    lattice, N = _sites(place)
    twice = round(2 * float(s)) if isinstance(s, int | float) else 0
    if isinstance(s, bool) or twice < 1 or abs(twice - 2 * float(s)) > 1e-12:
        raise fail("s", "a positive multiple of 1/2", s, "for example 0.5, 1, 1.5")
    bounds: tuple[Bound, ...] = ()
    if magnetization is not None:
        M = _integer("magnetization", magnetization)
        if abs(M) > twice * N or (twice * N - M) % 2:
            expected = f"an integer from −{twice * N} to {twice * N} of that parity, the sum of 2 S^z"
            raise fail("magnetization", expected, magnetization)
        # Σ_i (2s − 2 n_i) = M
        total = (twice * N - M) // 2
        bounds = (Bound(tuple(range(N)), (1,) * N, total, total, name="magnetization", told=M),)
    return HilbertSpace((twice + 1,) * N, bounds, place=lattice, kind="spins")


def Bosons(place: Place | int, particles: int | None = None, most: int | None = None) -> HilbertSpace:
    """Bosons on the sites of `place`: at most `most` at a site (None: as many as there are particles).

    >>> Bosons(8, particles=8).dimension
    6435
    """
    lattice, N = _sites(place)
    number = None if particles is None else _count("particles", particles)
    if most is None and number is None:
        raise fail("most", "the largest number of bosons at a site where particles are not given", None)
    cut = max(1, number or 0) if most is None else positive_int("most", most, "give a number of bosons")
    bounds = () if number is None else (_total(range(N), number, "particles"),)
    return HilbertSpace((cut + 1,) * N, bounds, place=lattice, kind="bosons")


def Fermions(
    place: Place | int,
    particles: int | tuple[int, int] | None = None,
    *,
    spin: bool | None = None,
    parity: int | None = None,
) -> HilbertSpace:
    """Fermions on the sites of `place`: electrons (spin ½) for a pair of particle numbers, else without spin.

    particles: (up, down), or a number; None for any. spin: whether they have one, where `particles` does not
    say (True with a number fixes the sum of both). parity: 0 or 1, the number of particles modulo 2. Modes:
    all sites with spin up, then all with spin down; signs follow that order (Jordan & Wigner 1928).

    >>> Fermions(6, 3), Fermions(2, spin=True).size
    (HilbertSpace(fermions, 6 sites, particles = 3, dimension 20), 4)
    """
    lattice, N = _sites(place)
    pair = isinstance(particles, tuple | list | np.ndarray)
    if pair and spin is False:
        raise fail("particles", "a number for fermions without spin", particles)
    electrons = pair or bool(spin)
    modes = 2 * N if electrons else N
    bounds = []
    if pair:
        if len(particles) != 2:  # type: ignore[arg-type]
            raise fail("particles", "(up, down)", particles, "as (5, 5)")
        for word, first, n in zip(("up", "down"), (0, N), particles, strict=True):  # type: ignore[arg-type]
            bounds.append(_total(range(first, first + N), _at_most(n, N), f"particles {word}"))
    elif particles is not None:
        bounds.append(_total(range(modes), _at_most(particles, modes), "particles"))
    if parity is not None:
        if parity not in (0, 1) or isinstance(parity, bool):
            raise fail("parity", "0 or 1, the number of particles modulo 2", parity)
        bounds.append(Bound(tuple(range(modes)), (1,) * modes, parity, parity, 2, "particles"))
    up, down = tuple(range(N)), tuple(range(N, 2 * N))
    species = (("up", up), ("down", down)) if electrons else (("", up),)
    kind = "electrons" if electrons else "fermions"
    return HilbertSpace((2,) * modes, tuple(bounds), (True,) * modes, species, lattice, kind)


def Rydberg(place: Place | int, blockade: int | None = 1) -> HilbertSpace:
    """Atoms with a ground state (level 0, s = +1) and an excited one (level 1, s = −1), no two of them
    excited within the blockade.

    blockade: how many shells of neighbours of the lattice it reaches, 1 for nearest neighbours; None for no
    blockade.

    >>> from intertwine.spaces.lattices import Square
    >>> Rydberg(Square(4, 4, pbc=False)).dimension
    1234
    """
    lattice, N = _sites(place)
    space = HilbertSpace((2,) * N, place=lattice, kind="atoms")
    if blockade is None:
        return space
    if lattice is None:
        raise fail("place", "a lattice or a graph, whose bonds say which atoms are neighbours", place)
    shells = positive_int("blockade", blockade, "1 is nearest neighbours")
    pairs = [np.asarray(lattice.bonds(shell)).reshape(-1, 2) for shell in range(1, shells + 1)]
    return space.blockaded(np.concatenate(pairs))


def Qudits(place: Place | int, levels: int) -> HilbertSpace:
    """A system of `levels` levels at each site.

    >>> Qudits(2, 3).dimension
    9
    """
    lattice, N = _sites(place)
    d = positive_int("levels", levels, "give the number of levels")
    return HilbertSpace((d,) * N, place=lattice, kind="qudits")


def Dimers(place: Place | int, around: Iterable[Sequence[int]]) -> HilbertSpace:
    """Dimer coverings: a dimer or none on each link (mode), exactly one on the links around each vertex.

    place: the links (`LinkSites`, or a number of them). around: for each vertex the links around it.

    >>> Dimers(4, [(0, 1), (1, 2), (2, 3), (3, 0)]).configurations().tolist()     # a ring of four vertices
    [[1, -1, 1, -1], [-1, 1, -1, 1]]
    """
    lattice, N = _sites(place)
    bounds = []
    for v, links in enumerate(around):
        modes = tuple(int(i) for i in links)
        bounds.append(Bound(modes, (1,) * len(modes), 1, 1, name=f"dimers at vertex {v}"))
    return HilbertSpace((2,) * N, tuple(bounds), place=lattice, kind="dimers")


def _total(modes: Iterable[int], number: int, name: str) -> Bound:
    modes = tuple(modes)
    return Bound(modes, (1,) * len(modes), number, number, name=name)


def _sites(place: Place | int) -> tuple[Place | None, int]:
    """(the lattice or None, the number of sites)."""
    if isinstance(place, int | np.integer) and not isinstance(place, bool):
        return None, positive_int("place", place, f"give {_WHERE}")
    if not isinstance(place, Place):
        raise fail("place", _WHERE, place)
    return place, int(place.size)


def _integer(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise fail(name, "an integer or None", value)
    return int(value)


def _count(name: str, value: object) -> int:
    number = _integer(name, value)
    if number < 0:
        raise fail(name, "a number of particles, 0 or more", value)
    return number


def _at_most(value: object, most: int) -> int:
    number = _count("particles", value)
    if number > most:
        raise fail("particles", f"at most {most}, one for each mode", value)
    return number
