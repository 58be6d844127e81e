r"""What every vertex sees, as padded tables: who, how far, in which direction, carried how, with what weight.

    rings k      the vertices at most k edges away; a profile for each number of edges, a mean over each
    disc of R    the vertices at most R away along the surface; profiles that are smooth in the distance

On a disc sums over vertices stand for integrals, (1/πR²) ∫ κ(v) f(exp v) dv ≈ Σ_j q_ij κ(v_ij) f(j). The
weights q are the areas of the vertices, times a polynomial in the tangent plane that makes the sums of

    (1 − r²/R²)² v^α,   |α| ≤ 3

exact, so that kernels are evaluated as well on irregular meshes as on regular ones (moving least squares; the
polynomials are a representation of O(2), so that this keeps every symmetry). With fewer than 22 vertices in
a disc, or where weights would change more than fivefold, the degree is 2, then 0; where a disc meets the
boundary the weights are the areas.

Kernels on a disc are (r/R)^m (1 − r²/R²)² P_p(r²/R²) e^{imθ}, P_p the Jacobi polynomials P_p^{(4, m)}(2
r²/R² − 1): smooth, and orthonormal on the disc."""

from __future__ import annotations

from math import comb
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int32
from scipy import sparse
from scipy.special import beta, eval_jacobi

from intertwine._checks import fail
from intertwine.spaces.mesh.geodesics import Geodesics, along_edges, geodesics
from intertwine.spaces.mesh.surface import Surface

_PROFILES = 3
_MOST_RINGS = 12
_DEGREES = ((2, 10), (3, 22))
"""Degrees to which moments are made exact, and the vertices that a disc must have for it."""
_LEAST = 0.2


class Disc(NamedTuple):
    """A region of a mesh: `rings` of neighbours, or a `radius` (0 for rings) with radial `profiles`."""

    rings: int
    radius: float
    profiles: int


class Neighbourhood(NamedTuple):
    """Arrays (n, K): the K places of a vertex are filled from the first on, by itself and then by its
    neighbours in the order of their numbers; the rest have weight 0 and are the vertex itself.

    site: who. radius: distance over R, or the number of edges. angle: φ' at the vertex. turn, sign: what
    carries a fibre from there to the vertex, R(turn), or R(turn) s where sign is −1. weight: q, or the share
    in the mean over a ring.
    """

    site: Int32[np.ndarray, "n K"]
    radius: Float[np.ndarray, "n K"]
    angle: Float[np.ndarray, "n K"]
    turn: Float[np.ndarray, "n K"]
    sign: Int32[np.ndarray, "n K"]
    weight: Float[np.ndarray, "n K"]


def disc(region: object) -> Disc:
    """A region in words: None or a number k of rings, a radius as a float, or (radius, profiles).

    Raises InputError for anything else.

    >>> disc(2), disc(0.5), disc((0.5, 4))
    (Disc(rings=2, radius=0.0, profiles=3), Disc(rings=0, radius=0.5, profiles=3),
     Disc(rings=0, radius=0.5, profiles=4))
    """
    if isinstance(region, Disc):
        return region
    rings = 1 if region is None else region
    if isinstance(rings, int | np.integer) and not isinstance(rings, bool) and 0 <= rings <= _MOST_RINGS:
        return Disc(int(rings), 0.0, int(rings) + 1)
    pair = region if isinstance(region, tuple) and len(region) == 2 else (region, _PROFILES)
    real = all(isinstance(x, int | float | np.floating) and not isinstance(x, bool) for x in pair)
    radius, profiles = map(float, pair) if real else (0.0, 0.0)  # type: ignore[arg-type]
    if not 0 < radius < np.inf or profiles not in range(1, 9):
        expected = f"a number of rings from 0 to {_MOST_RINGS}, a radius > 0 (a float), or (radius, profiles)"
        raise fail("support", expected, region, "for example 1, or 0.3 in the units of the positions")
    return Disc(0, radius, int(profiles))


def profile(
    region: Disc, index: int, order: int, radius: Float[np.ndarray, "..."]
) -> Float[np.ndarray, "..."]:
    """Radial part of profile number `index` beside e^{i·order·θ}, at distances over R (or numbers of edges).

    >>> float(profile(disc(1.0), 0, 1, np.array(0.0))), profile(disc(2), 1, 0, np.array([0, 1, 2])).tolist()
    (0.0, [0.0, 1.0, 0.0])
    """
    if not region.radius:
        return np.where(radius == index, 1.0 if index or order == 0 else 0.0, 0.0)
    m = abs(order)
    u = np.clip(radius, 0, 1) ** 2
    p = index  # ∫ u^m (1 − u)^4 P_p² du = (p + 4)! (p + m)! / ((2p + m + 5) (p + m + 4)! p!)
    norm = ((2 * p + m + 5) * np.prod([(p + m + i) / (p + i) for i in range(1, 5)])) ** 0.5
    return norm * u ** (m / 2) * (1 - u) ** 2 * eval_jacobi(p, 4, m, 2 * u - 1)


def neighbourhood(surface: Surface, region: Disc) -> tuple[Geodesics, np.ndarray, np.ndarray]:
    """(geodesics to the others of a region, their radius, their weight) in the first frames; see `table`."""
    if region.radius:
        found = geodesics(surface, np.full(surface.size, region.radius))
        inside = found.length <= region.radius
        found = Geodesics(*(part[inside] for part in found))
        radius = found.length / region.radius
        return found, radius, _quadrature(surface, found, radius, region.radius)
    found, radius = _rings(surface, region.rings)
    key = found.source * (region.rings + 1) + radius
    count = np.bincount(key, found.share, surface.size * (region.rings + 1))
    return found, radius.astype(float), found.share / count[key]


def _rings(surface: Surface, rings: int) -> tuple[Geodesics, np.ndarray]:
    """Geodesics to all vertices at most `rings` edges away, and how many edges."""
    edges = along_edges(surface)
    if rings <= 1:
        return Geodesics(*(part[: rings * len(edges.source)] for part in edges)), np.ones(
            rings * len(edges.source), int
        )
    n = surface.size
    graph = sparse.csr_array((np.ones(len(edges.source), np.int8), (edges.source, edges.target)), (n, n))
    reached, steps = sparse.identity(n, format="csr").astype(np.int8), []
    for ring in range(1, rings + 1):
        wider = ((reached @ graph + reached) > 0).astype(np.int8)
        new = (wider - reached).tocoo()
        kept = new.data > 0
        steps.append((new.row[kept].astype(np.int64) * n + new.col[kept], np.full(kept.sum(), ring)))
        reached = wider
    keys, ring_of = (np.concatenate(part) for part in zip(*steps, strict=True))
    order = np.argsort(keys)
    keys, ring_of = keys[order], ring_of[order]
    found = geodesics(surface, _reach(surface, rings))
    key = found.source * n + found.target
    at = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
    inside = keys[at] == key
    return Geodesics(*(part[inside] for part in found)), ring_of[at[inside]]


def _reach(surface: Surface, rings: int) -> np.ndarray:
    """How far along edges the vertices of the rings are at most."""
    ring = surface.rings
    longest = np.maximum.reduceat(ring.length, ring.starts[:-1])
    reach = longest
    for _ in range(rings - 1):
        further = np.maximum.reduceat(ring.length + reach[ring.target], ring.starts[:-1])
        reach = np.maximum(reach, further)
    return reach


def _quadrature(surface: Surface, found: Geodesics, radius: np.ndarray, R: float) -> np.ndarray:
    """q of the neighbours, and of the vertices themselves behind them."""
    n = surface.size
    area = surface.areas / (np.pi * R**2)
    q = np.concatenate([found.share * area[found.target], area])
    source = np.concatenate([found.source, np.arange(n)])
    r = np.concatenate([radius, np.zeros(n)])
    angle = np.concatenate([found.angle, np.zeros(n)])
    window = q * (1 - r**2) ** 2
    edge = np.zeros(n, bool)
    seen = np.concatenate([found.target, np.arange(n)])
    np.logical_or.at(edge, source, surface.topology.boundary[seen])
    total = np.bincount(source, window, n)
    factor = np.where(edge, 1.0, (1 / 3) / np.maximum(total, 1e-30))[source]  # of degree 0
    count = np.bincount(source, minlength=n)
    for degree, least in _DEGREES:
        found_factor = _exact_to(degree, source, window, r * np.cos(angle), r * np.sin(angle), n)
        wild = np.zeros(n, bool)
        np.logical_or.at(wild, source, (found_factor < _LEAST) | (found_factor > 1 / _LEAST))
        kept = ~edge & ~wild & (count >= least)
        factor = np.where(kept[source], found_factor, factor)
    return q * factor


def _exact_to(
    degree: int, source: np.ndarray, window: np.ndarray, x: np.ndarray, y: np.ndarray, n: int
) -> np.ndarray:
    """1 + a polynomial at every neighbour, which makes the moments of the window exact to `degree`."""
    powers = [(d - j, j) for d in range(degree + 1) for j in range(d + 1)]
    basis = np.stack([comb(a + b, a) ** 0.5 * x**a * y**b for a, b in powers], axis=1)
    size = len(powers)
    gram, sums = np.zeros((n, size, size)), np.zeros((n, size))
    for i in range(size):
        sums[:, i] = np.bincount(source, window * basis[:, i], n)
        for j in range(i, size):
            gram[:, i, j] = gram[:, j, i] = np.bincount(source, window * basis[:, i] * basis[:, j], n)
    exact = np.array([comb(a + b, a) ** 0.5 * _moment(a, b) for a, b in powers])
    solved = np.einsum("nab,nb->na", np.linalg.pinv(gram, rcond=1e-7, hermitian=True), exact - sums)
    return 1 + (basis * solved[source]).sum(axis=1)


def _moment(a: int, b: int) -> float:
    """∫ (1 − r²)² x^a y^b / π over the unit disc.

    >>> [round(1 / _moment(*powers)) for powers in ((0, 0), (2, 0))], _moment(1, 0)
    ([3, 24], 0.0)
    """
    if a % 2 or b % 2:
        return 0.0
    radial = beta((a + b) / 2 + 1, 3) / 2  # ∫ r^{a+b+1} (1 − r²)² dr
    return float(radial * 2 * beta((a + 1) / 2, (b + 1) / 2) / np.pi)


def table(surface: Surface, found: Geodesics, radius: np.ndarray, weight: np.ndarray) -> Neighbourhood:
    """Neighbours side by side, each vertex itself in front."""
    n = surface.size
    counts = np.bincount(found.source, minlength=n)
    slot = 1 + np.arange(len(found.source)) - np.repeat(np.cumsum(counts) - counts, counts)
    shape = (n, int(counts.max(initial=0)) + 1)

    def laid(values: np.ndarray, own: np.ndarray | float, dtype: type = float) -> np.ndarray:
        out = np.zeros(shape, dtype)
        if isinstance(own, np.ndarray):
            out[:] = own[:, None]
        else:
            out[:] = own
        out[found.source, slot] = values
        return out

    own = weight[len(found.source) :]
    weights = laid(weight[: len(found.source)], 0.0)
    weights[:, 0] = own if len(own) else 1.0
    return Neighbourhood(
        laid(found.target, np.arange(n), np.int32),
        laid(radius, 0.0),
        laid(found.angle, 0.0),
        laid(found.turn, 0.0),
        laid(found.sign, 1, np.int32),
        weights,
    )
