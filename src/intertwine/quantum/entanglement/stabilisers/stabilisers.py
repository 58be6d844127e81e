r"""Stabiliser states, by their generators: Pauli strings g_k that commute, g_k |ψ⟩ = ±|ψ⟩.

A string is two rows of bits: x_i = 1 where it has X or Y at site i, z_i = 1 where Z or Y. The reduced state
of a region A is flat, e^{−S} on its support, so that all orders of entropy are

    S_A / ln 2 = |A| − rank G + rank G|_B

with ranks over GF(2), B the rest, G|_B the strings cut down to B (Fattal et al., arXiv:quant-ph/0406168): |A|
minus the number of independent strings inside A. Signs do not matter. With fewer than N independent
generators the state is the even mixture of all that they stabilise.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from intertwine._checks import fail, positive_int
from intertwine.quantum.entanglement.regions import checked_region, rest
from intertwine.quantum.entanglement.stabilisers.binary_rank import binary_rank

_BITS = {"I": (0, 0), "X": (1, 0), "Y": (1, 1), "Z": (0, 1)}


class Stabilisers(NamedTuple):
    """x, z: bits (G, N), a row for each generator. Make them with `stabilisers`, `graph_stabilisers`,
    `css_stabilisers` or `toric_code_stabilisers`."""

    x: UInt8[np.ndarray, "G N"]
    z: UInt8[np.ndarray, "G N"]

    @property
    def size(self) -> int:
        """The number of sites N."""
        return self.x.shape[1]


def stabilisers(
    strings: Iterable[str | Mapping[int, str]] | Stabilisers, size: int | None = None
) -> Stabilisers:
    """The generators written as strings "XZI…" (a letter for each site) or {site: "X" | "Y" | "Z"}.

    size: N, where no string has a letter for each site. Raises InputError for unknown letters, sites outside
    0..N−1, strings of several lengths, and generators that do not commute.

    >>> stabilisers(["XX", "ZZ"]).z.tolist()
    [[0, 0], [1, 1]]
    """
    if isinstance(strings, Stabilisers):
        return _commuting(strings.x, strings.z)
    given = list(strings)
    lengths = {len(g) for g in given if isinstance(g, str)} | ({int(size)} if size is not None else set())
    if len(lengths) != 1:
        got = f"strings of lengths {sorted(lengths)}" if lengths else "strings without a number of sites"
        raise fail("generators", "strings of one length, or size=", got)
    n = positive_int("size", lengths.pop(), "give the number of sites")
    bits = np.zeros((2, len(given), n), np.uint8)
    for k, string in enumerate(given):
        letters = dict(enumerate(string)) if isinstance(string, str) else dict(string)
        for site, letter in letters.items():
            if letter not in _BITS or not 0 <= site < n:
                raise fail("generators", f"letters I, X, Y, Z at sites 0 to {n - 1}", f"{letter!r} at {site}")
            bits[:, k, site] = _BITS[letter]
    return _commuting(*bits)


def graph_stabilisers(edges: Iterable[Sequence[int]], size: int) -> Stabilisers:
    """X_i Π_{j ~ i} Z_j of a graph state: Π of controlled-Z over the edges on |+…+⟩ (Hein, Eisert & Briegel,
    Phys. Rev. A 69, 062311 (2004)). The cluster state is that of a chain or a lattice.

    >>> graph_stabilisers([(0, 1), (1, 2)], 3).z.tolist()
    [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    """
    pairs = checked_edges(edges, size)
    z = np.zeros((size, size), np.uint8)
    for i, j in pairs:
        z[i, j] = z[j, i] = 1
    return Stabilisers(np.eye(size, dtype=np.uint8), z)


def css_stabilisers(
    x_checks: Iterable[Iterable[int]], z_checks: Iterable[Iterable[int]], size: int
) -> Stabilisers:
    """Π X over each set of `x_checks` and Π Z over each of `z_checks` (Calderbank & Shor; Steane).

    Raises InputError where they do not commute: an X and a Z check that share an odd number of sites.

    >>> css_stabilisers([(0, 1)], [(0, 1)], 2).x.tolist()
    [[1, 1], [0, 0]]
    """
    x, z = as_bits(x_checks, size, "x_checks"), as_bits(z_checks, size, "z_checks")
    return _commuting(np.concatenate([x, np.zeros_like(z)]), np.concatenate([np.zeros_like(x), z]))


def stabiliser_entropy(
    generators: Stabilisers | Iterable[str | Mapping[int, str]],
    region: Iterable[int],
    size: int | None = None,
) -> float:
    """The entropy of `region`, of every order, nats: a whole number of ln 2, exactly, at thousands of spins.

    generators: `Stabilisers`, or strings as `stabilisers` takes them (size: see there). region: site numbers.
    Raises InputError for generators that do not commute, and for a region that is empty, leaves the sites or
    repeats one.

    >>> round(stabiliser_entropy(["XX", "ZZ"], [0]), 6)
    0.693147
    """
    found = stabilisers(generators, size)
    sites = checked_region(region, found.size)
    others = list(rest(sites, found.size))
    whole = binary_rank(np.concatenate([found.x, found.z], axis=1))
    outside = binary_rank(np.concatenate([found.x[:, others], found.z[:, others]], axis=1)) if others else 0
    return (len(sites) - whole + outside) * math.log(2)


def toric_code_checks(Lx: int, Ly: int) -> tuple[list[list[int]], list[list[int]]]:
    """(stars, plaquettes) of the toric code on Lx × Ly vertices, 2 Lx Ly spins on the edges: edge 2(x Ly + y)
    goes from vertex (x, y) to (x + 1, y), the next number to (x, y + 1).

    >>> [len(checks) for checks in toric_code_checks(3, 2)]
    [6, 6]
    """
    Lx, Ly = (positive_int(name, L, "give numbers of vertices ≥ 2") for name, L in (("Lx", Lx), ("Ly", Ly)))
    if min(Lx, Ly) < 2:
        raise fail("Lx", "at least 2 vertices along each direction", f"{Lx} × {Ly}")

    def edge(x: int, y: int, up: int) -> int:
        return 2 * (x % Lx * Ly + y % Ly) + up

    places = [(x, y) for x in range(Lx) for y in range(Ly)]
    stars = [[edge(x, y, 0), edge(x, y, 1), edge(x - 1, y, 0), edge(x, y - 1, 1)] for x, y in places]
    around = [[edge(x, y, 0), edge(x, y, 1), edge(x, y + 1, 0), edge(x + 1, y, 1)] for x, y in places]
    return stars, around


def toric_code_stabilisers(Lx: int, Ly: int) -> Stabilisers:
    """Stars Π X, plaquettes Π Z and the two non-contractible X loops: one ground state of Kitaev's toric code
    (Ann. Phys. 303, 2 (2003)). Edges as in `toric_code_checks`.

    >>> found = toric_code_stabilisers(20, 25)
    >>> found.size, round(stabiliser_entropy(found, range(50)) / math.log(2), 9)
    (1000, 49.0)
    """
    stars, around = toric_code_checks(Lx, Ly)
    loops = [[2 * (x * Ly) + 1 for x in range(Lx)], [2 * y for y in range(Ly)]]
    return css_stabilisers(stars + loops, around, 2 * Lx * Ly)


def checked_edges(edges: Iterable[Sequence[int]], size: int) -> list[tuple[int, int]]:
    """Pairs of different sites, each once; an edge given twice is an error (controlled-Z twice is none)."""
    size = positive_int("size", size, "give the number of sites")
    found = [checked_region(edge, size, "edges") for edge in edges]
    if wrong := [edge for edge in found if len(edge) != 2]:
        raise fail("edges", "pairs of sites", wrong[0])
    pairs = sorted((min(edge), max(edge)) for edge in found)
    if len(set(pairs)) < len(pairs):
        twice = next(pair for pair in pairs if pairs.count(pair) > 1)
        raise fail("edges", "every edge once", f"{twice} twice")
    return pairs


def as_bits(checks: Iterable[Iterable[int]], size: int, argument: str) -> UInt8[np.ndarray, "G N"]:
    """A row of bits for each set of sites."""
    sets = [checked_region(check, size, argument) for check in checks]
    bits = np.zeros((len(sets), size), np.uint8)
    for row, sites in zip(bits, sets, strict=True):
        row[list(sites)] = 1
    return bits


def _commuting(x: np.ndarray, z: np.ndarray) -> Stabilisers:
    order = x.astype(np.float32) @ z.T.astype(np.float32)
    odd = np.argwhere((order + order.T) % 2)
    if len(odd):
        raise fail("generators", "strings that commute", f"numbers {odd[0][0]} and {odd[0][1]}, which do not")
    return Stabilisers(x, z)
