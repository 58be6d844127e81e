r"""Links as the sites of a lattice of their own: where the spins of Z_2 gauge theory and the toric code live.

    link_sites(lattice)     the midpoints of the links of a hypercubic lattice: d sites a cell, link (x, μ) is
                            site d·x + μ, as in configurations of `Links`
    plaquettes, stars       the 4 links around a face, the 2d links at a site (Kitaev, Ann. Phys. 303, 2003)
    straight_lines          the links of every straight line around the torus
    link_symmetries         translations and signed permutations of the axes, acting on the links

As a bare set of points the midpoints have more isometries (half translations that exchange faces and sites);
those that keep the lattice of the sites are the symmetries here.
"""

from __future__ import annotations

import itertools

import numpy as np
from jaxtyping import Int32

from intertwine._checks import fail, one_of
from intertwine.spaces.lattice import Lattice
from intertwine.spaces.lattices import Hypercubic, LinkSites
from intertwine.spaces.links import Links
from intertwine.symmetry import PermutationGroup


def link_sites(lattice: Lattice) -> Lattice:
    """The midpoints of the links of a periodic hypercubic lattice, as a lattice `links:…`.

    Raises InputError for other lattices.

    >>> from intertwine.spaces.lattices import Square
    >>> link_sites(Square(3, 4)).name, link_sites(Square(3, 4)).size
    ('links:3x4', 24)
    """
    return LinkSites(*Links(lattice, "Z2").extent)


def links_at(lattice: Lattice) -> Links:
    """The Z_2 links whose midpoints `lattice` has.

    Raises InputError for other lattices.

    >>> links_at(LinkSites(3, 3))
    Links('hypercubic:3x3', 'Z2')
    """
    if not isinstance(lattice, Lattice) or lattice != LinkSites(*lattice.extent):
        got = getattr(lattice, "name", lattice)
        raise fail("lattice", "the links of a periodic hypercubic lattice, such as links:4x4", got)
    return Links(Hypercubic(*lattice.extent), "Z2")


def plaquette_links(links: Links) -> Int32[np.ndarray, "P 4"]:
    """int32 (P, 4): the links around every face, faces of a plane one after another.

    >>> from intertwine.spaces.lattices import Square
    >>> plaquette_links(Links(Square(3, 3), "Z2"))[0].tolist()             # right, up, and back
    [0, 1, 2, 7]
    """
    ahead, _ = links.neighbours()
    sites, d = np.arange(len(ahead)), links.dimension
    faces = [
        np.stack([d * sites + mu, d * sites + nu, d * ahead[:, nu] + mu, d * ahead[:, mu] + nu], 1)
        for mu, nu in links.planes
    ]
    return np.sort(np.concatenate(faces), 1).astype(np.int32)


def star_links(links: Links) -> Int32[np.ndarray, "V k"]:
    """int32 (V, 2d): the links that begin or end at every site."""
    _, behind = links.neighbours()
    sites, d = np.arange(len(behind)), links.dimension
    ends = [d * sites + mu for mu in range(d)] + [d * behind[:, mu] + mu for mu in range(d)]
    return np.sort(np.stack(ends, 1), 1).astype(np.int32)


def straight_lines(links: Links) -> list[np.ndarray]:
    """The links of every straight line around the torus, direction after direction."""
    d = links.dimension
    sites = np.arange(links.lattice.size).reshape(links.extent)
    lines = [np.moveaxis(sites, mu, -1).reshape(-1, links.extent[mu]) * d + mu for mu in range(d)]
    return [line.astype(np.int32) for each in lines for line in each]


def link_symmetries(links: Links, group: str = "space") -> PermutationGroup:
    """The symmetries of the lattice of sites as permutations of its links. group: "space" or "translations".

    >>> from intertwine.spaces.lattices import Square
    >>> [link_symmetries(Links(Square(3, 3), "Z2"), name).order for name in ("space", "translations")]
    [72, 9]
    """
    one_of("group", group, ("space", "translations"))
    d, extent = links.dimension, np.array(links.extent)
    cells = np.stack(np.unravel_index(np.arange(links.lattice.size), links.extent), 1)
    starts, axes = np.repeat(cells, d, 0), np.tile(np.arange(d), len(cells))
    moves = [(np.arange(d), np.ones(d, int), step) for step in np.eye(d, dtype=int)]
    if group == "space":
        zero = np.zeros(d, int)
        moves += [(np.arange(d), 1 - 2 * one, zero) for one in np.eye(d, dtype=int)]
        for a, b in itertools.combinations(range(d), 2):
            if extent[a] == extent[b]:
                order = np.arange(d)
                order[[a, b]] = b, a
                moves.append((order, np.ones(d, int), zero))
    rows = []
    for order, signs, shift in moves:
        ends = [starts, starts + np.eye(d, dtype=int)[axes]]
        moved = [(end[:, order] * signs + shift) for end in ends]
        images = order[axes]  # a transposition is its own inverse
        low = np.minimum(moved[0], moved[1]) % extent
        rows.append(d * np.ravel_multi_index(tuple(low.T), links.extent) + images)
    return PermutationGroup.generate(rows)
