r"""Shortest geodesics from every vertex to those around it: logarithm map and parallel transport.

The faces that a straight line crosses are unfolded into the plane of its first face, strip by strip (Chen &
Han 1990; Crane, Livesu, Puppo & Qin, A survey of algorithms for geodesic paths and distances, 2020). A
window is the part of an edge that a vertex sees through such a strip: across the edge there is one more
vertex, which the source sees if it lies between the borders of the window, and two edges with what is left
of it. Where a vertex w has more than a full angle around it (or is a bend of the boundary) lines may turn at
w: it is then a source itself, for the directions in its shadow. The result is exact for the triangles,
however many rings away.

    log_i(j) = (length, φ at i),        g_ij = R(φ_i − φ_j − π)    as along an edge (`surface`), φ rescaled

Where several geodesics are equally short each has a share. Pairs of neighbours have their edge, always.
All sources are walked at once, a level of strips at a time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from intertwine.spaces.mesh.surface import Surface, relative_orientation

_EPS = 1e-9
_SOURCES = 20_000


class Geodesics(NamedTuple):
    """Sorted by source, then target. length; angle: φ at the source. turn, sign: g_ij = R(turn), or R(turn) s
    where sign is −1, which carries vectors from the target to the source. share: 1, or 1/t of t equally
    short."""

    source: Int[np.ndarray, " m"]
    target: Int[np.ndarray, " m"]
    length: Float[np.ndarray, " m"]
    angle: Float[np.ndarray, " m"]
    turn: Float[np.ndarray, " m"]
    sign: Int[np.ndarray, " m"]
    share: Float[np.ndarray, " m"]


class _Apexes(NamedTuple):
    """Where lines begin: at a source, or where they bend. source; vertex; length, turn, sign: from the
    source to the vertex; angle: φ at the source, nan where lines begin; arrival: fan angle at the vertex
    towards the source."""

    source: np.ndarray
    vertex: np.ndarray
    length: np.ndarray
    turn: np.ndarray
    sign: np.ndarray
    angle: np.ndarray
    arrival: np.ndarray


class _Windows(NamedTuple):
    """apex: its number. start: fan angle of the plane's axis at the apex. face, side: what is seen next,
    through which of its sides. right, left: its ends there as vertices, a, b: as points. low, high: the
    borders."""

    apex: np.ndarray
    start: np.ndarray
    face: np.ndarray
    side: np.ndarray
    right: np.ndarray
    left: np.ndarray
    a: np.ndarray
    b: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def take(self, rows: np.ndarray) -> _Windows:
        return _Windows(*(part[rows] for part in self))


class _Seen(NamedTuple):
    """A vertex that an apex sees: length and fan angle there, fan angle at the vertex, relative
    orientation."""

    apex: np.ndarray
    vertex: np.ndarray
    length: np.ndarray
    leaving: np.ndarray
    arrival: np.ndarray
    sign: np.ndarray


def along_edges(surface: Surface) -> Geodesics:
    """The edges in both directions, in the order of `surface.rings`."""
    ring = surface.rings
    sign = relative_orientation(surface)
    leaving = surface.scales[ring.source] * ring.fan_angle
    arrival = leaving[ring.reverse]
    share = np.ones(len(sign))
    turn = turn_of(leaving, arrival, sign)
    return Geodesics(ring.source, ring.target, ring.length, leaving, turn, sign, share)


def turn_of(leaving: np.ndarray, arrival: np.ndarray, sign: np.ndarray) -> np.ndarray:
    """The angle of g_ij from the directions at both ends."""
    return leaving - sign * (arrival + np.pi)


def geodesics(surface: Surface, reach: Float[np.ndarray, " n"]) -> Geodesics:
    """From every vertex i to all others at most reach[i] away, and to its neighbours.

    >>> from intertwine.spaces.mesh.icosphere import icosphere
    >>> found = geodesics(Surface(*icosphere(1)), np.full(42, 0.8))
    >>> int((found.source == 0).sum()), bool(found.length.max() <= 0.8)
    (5, True)
    """
    parts = [
        _from(surface, np.arange(at, min(at + _SOURCES, surface.size)), reach)
        for at in range(0, surface.size, _SOURCES)
    ]
    return Geodesics(*map(np.concatenate, zip(*parts, strict=True)))


def _from(surface: Surface, sources: np.ndarray, reach: np.ndarray) -> Geodesics:
    edges = along_edges(surface)
    mine = (edges.source >= sources[0]) & (edges.source <= sources[-1])
    ring = surface.rings
    arrival = ring.fan_angle[ring.reverse][mine]
    found = Geodesics(*(part[mine] for part in edges))
    nothing = np.zeros(len(sources))
    at_rest = np.ones(len(sources), int)
    apexes = _Apexes(sources, sources, nothing, nothing, at_rest, np.full(len(sources), np.nan), nothing)
    first = True
    while len(apexes.source):
        seen = _walk(surface, apexes, reach, first)
        paths, ends = _joined(surface, apexes, seen)
        both = Geodesics(*map(np.concatenate, zip(found, paths, strict=True)))
        fresh = np.arange(len(both.source)) >= (0 if first else len(found.source))
        kept = _shortest(surface, both)
        arrival = np.concatenate([arrival, ends])[kept]
        found, fresh = Geodesics(*(part[kept] for part in both)), fresh[kept]
        apexes = _bends(surface, found, arrival, fresh, reach)
        first = False
    return _shared(found)


def _walk(surface: Surface, apexes: _Apexes, reach: np.ndarray, first: bool) -> _Seen:
    """Everything that the apexes see within reach."""
    windows, seen = _beginnings(surface, apexes, first)
    left = (reach[apexes.source] - apexes.length) * (1 + _EPS)
    every = [seen]
    while len(windows.apex):
        near = _distance(windows) <= left[windows.apex]
        windows = windows.take(np.flatnonzero(near & (windows.high - windows.low > _EPS)))
        windows, seen = _next(surface, windows)
        every.append(seen)
    joined = _Seen(*map(np.concatenate, zip(*every, strict=True)))
    inside = joined.length <= left[joined.apex]
    return _Seen(*(part[inside] for part in joined))


def _beginnings(surface: Surface, apexes: _Apexes, first: bool) -> tuple[_Windows, _Seen]:
    """The windows of the faces around each apex, and its neighbours where lines bend."""
    fan = surface.topology.fan[apexes.vertex]
    apex, slot = np.nonzero(fan >= 0)
    corner = fan[apex, slot]
    f, c = corner // 3, corner % 3
    start, angle = surface.fan_angles[f, c], surface.corners[f, c]
    right, left = surface.entries[f, c], surface.exits[f, c]
    ahead = surface.corner_signs[f, c] > 0
    r = surface.lengths[f, np.where(ahead, c, (c + 2) % 3)]
    s = surface.lengths[f, np.where(ahead, (c + 2) % 3, c)]
    a = np.stack([r, np.zeros_like(r)], axis=1)
    b = s[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    across = (c + 1) % 3
    face, side = surface.topology.across[f, across], surface.topology.across_side[f, across]
    windows = _Windows(apex, start, face, side, right, left, a, b, np.zeros_like(angle), angle)
    nobody = np.zeros(0, int)
    if first:
        nothing = np.zeros(0)
        return windows.take(np.flatnonzero(face >= 0)), _Seen(
            nobody, nobody, nothing, nothing, nothing, nobody
        )
    parts = [_clipped(windows, *shadow) for shadow in _shadows(surface, apexes)]
    bent = _Windows(*map(np.concatenate, zip(*parts, strict=True)))
    touched = _neighbours(surface, apexes)
    return bent.take(np.flatnonzero(bent.face >= 0)), touched


def _shadows(surface: Surface, apexes: _Apexes) -> list[tuple[np.ndarray, np.ndarray]]:
    """Fan angles (from, to) of each apex at which a shortest line may go on: π or more on both sides."""
    whole = surface.angle_sums[apexes.vertex]
    edge = surface.topology.boundary[apexes.vertex]
    begin, end = apexes.arrival + np.pi, apexes.arrival - np.pi
    never = np.full(len(whole), np.inf)
    here = begin, np.where(edge, whole, end + whole)
    before = np.where(edge, 0, begin - whole), end
    after = np.where(edge, never, begin + whole), end + 2 * whole
    return [here, before, after]


def _clipped(windows: _Windows, begin: np.ndarray, end: np.ndarray) -> _Windows:
    low = np.maximum(windows.low, begin[windows.apex] - windows.start)
    high = np.minimum(windows.high, end[windows.apex] - windows.start)
    cut = windows._replace(low=low, high=high)
    return cut.take(np.flatnonzero(high - low > _EPS))


def _neighbours(surface: Surface, apexes: _Apexes) -> _Seen:
    """The neighbours of apexes that lie in their shadows."""
    ring, sign = surface.rings, relative_orientation(surface)
    first, last = ring.starts[apexes.vertex], ring.starts[apexes.vertex + 1]
    apex = np.repeat(np.arange(len(first)), last - first)
    edge = np.arange(len(apex)) - np.repeat(np.cumsum(last - first) - (last - first), last - first)
    edge = edge + first[apex]
    angle = ring.fan_angle[edge]
    inside = np.zeros(len(apex), bool)
    for begin, end in _shadows(surface, apexes):
        inside |= (angle >= begin[apex] - _EPS) & (angle <= end[apex] + _EPS)
    apex, edge = apex[inside], edge[inside]
    arrival = ring.fan_angle[ring.reverse[edge]]
    return _Seen(apex, ring.target[edge], ring.length[edge], ring.fan_angle[edge], arrival, sign[edge])


def _distance(windows: _Windows) -> np.ndarray:
    """From the apex to the nearest point of the edge between the borders."""
    along = windows.b - windows.a
    length = np.linalg.norm(along, axis=1)
    height = (windows.a[:, 0] * along[:, 1] - windows.a[:, 1] * along[:, 0]) / length
    foot = np.arctan2(-along[:, 0], along[:, 1])
    turned = np.clip(foot, windows.low, windows.high) - foot
    return height / np.maximum(np.cos(turned), 1e-12)


def _next(surface: Surface, windows: _Windows) -> tuple[_Windows, _Seen]:
    """Unfold the face behind each window: who is seen there, and the two windows of its other sides."""
    f, s = windows.face, windows.side
    faces, lengths = surface.faces, surface.lengths
    forward = faces[f, s] == windows.right
    to_left, to_right = (
        np.where(forward, (s + 1) % 3, (s + 2) % 3),
        np.where(forward, (s + 2) % 3, (s + 1) % 3),
    )
    corner = (s + 2) % 3
    w = faces[f, corner]
    along = windows.b - windows.a
    base = np.linalg.norm(along, axis=1)
    right, left = lengths[f, to_right], lengths[f, to_left]
    unit = along / base[:, None]
    foot = (right**2 + base**2 - left**2) / (2 * base)
    height = 2 * surface.face_areas[f] / base
    point = windows.a + foot[:, None] * unit + height[:, None] * np.stack([unit[:, 1], -unit[:, 0]], axis=1)
    angle = np.arctan2(point[:, 1], point[:, 0])
    visible = (angle >= windows.low - _EPS) & (angle <= windows.high + _EPS)
    agrees = surface.entries[f, corner] == windows.left
    arm = np.where(agrees[:, None], windows.b, windows.a) - point
    between = np.arctan2(
        np.abs(arm[:, 0] * point[:, 1] - arm[:, 1] * point[:, 0]), -(arm * point).sum(axis=1)
    )
    seen = _Seen(
        windows.apex,
        w,
        np.linalg.norm(point, axis=1),
        windows.start + angle,
        surface.fan_angles[f, corner] + between,
        np.where(agrees, 1, -1),
    )
    topo = surface.topology
    first = windows._replace(
        face=topo.across[f, to_right], side=topo.across_side[f, to_right], left=w, b=point
    )._replace(high=np.minimum(windows.high, angle))
    second = windows._replace(
        face=topo.across[f, to_left], side=topo.across_side[f, to_left], right=w, a=point
    )._replace(low=np.maximum(windows.low, angle))
    both = _Windows(*map(np.concatenate, zip(first, second, strict=True)))
    on = np.flatnonzero((both.face >= 0) & (both.high - both.low > _EPS))
    return both.take(on), _Seen(*(part[visible] for part in seen))


def _joined(surface: Surface, apexes: _Apexes, seen: _Seen) -> tuple[Geodesics, np.ndarray]:
    """From the sources to what their apexes see, and the fan angles of arrival."""
    vertex, apex = apexes.vertex[seen.apex], seen.apex
    leaving = surface.scales[vertex] * seen.leaving
    arrival = surface.scales[seen.vertex] * seen.arrival
    here = turn_of(leaving, arrival, seen.sign)
    turn, sign = apexes.turn[apex] + apexes.sign[apex] * here, apexes.sign[apex] * seen.sign
    angle = np.where(np.isnan(apexes.angle[apex]), leaving, apexes.angle[apex])
    length = apexes.length[apex] + seen.length
    paths = Geodesics(apexes.source[apex], seen.vertex, length, angle, turn, sign, np.ones(len(apex)))
    other = paths.source != paths.target
    return Geodesics(*(part[other] for part in paths)), seen.arrival[other]


def _shortest(surface: Surface, paths: Geodesics) -> np.ndarray:
    """Which paths are shortest for their pair: edges, or all within rounding of the shortest, each once."""
    edges = surface.rings
    key = paths.source * surface.size + paths.target
    is_edge = np.isin(key, edges.source * surface.size + edges.target)
    direct = np.zeros(len(key), bool)
    if is_edge.any():  # the edges came first
        direct[np.unique(key, return_index=True)[1]] = True
        direct &= is_edge
    rank = np.where(direct, -1.0, paths.length)
    order = np.lexsort((paths.angle, rank, key))
    starts = np.unique(key[order], return_index=True)[1]
    sizes = np.diff(np.append(starts, len(order)))
    best = np.repeat(rank[order][starts], sizes)
    near = rank[order] <= best + _EPS * np.maximum(best, 0)
    order = order[near]
    key, angle = key[order], paths.angle[order]
    unit, sign = np.exp(1j * angle), paths.sign[order]
    same = np.zeros(len(order), bool)
    for step in range(1, 5):  # the same path found from both sides of a vertex on its way
        gone = np.abs(unit[step:] - unit[:-step]) < 1e-6
        same[step:] |= (key[step:] == key[:-step]) & gone & (sign[step:] == sign[:-step])
    return order[~same]


def _bends(
    surface: Surface, found: Geodesics, arrival: np.ndarray, fresh: np.ndarray, reach: np.ndarray
) -> _Apexes:
    """The vertices, newly reached, at which lines may bend on."""
    w = found.target
    bent = surface.angle_sums[w] > np.where(surface.topology.boundary[w], np.pi, 2 * np.pi) + _EPS
    on = np.flatnonzero(fresh & bent & (found.length < reach[found.source]))
    return _Apexes(
        found.source[on],
        w[on],
        found.length[on],
        found.turn[on],
        found.sign[on],
        found.angle[on],
        arrival[on],
    )


def _shared(found: Geodesics) -> Geodesics:
    another = (np.diff(found.source) != 0) | (np.diff(found.target) != 0)
    counts = np.diff([0, *(1 + np.flatnonzero(another)).tolist(), len(found.source)])
    return found._replace(share=np.repeat(1 / counts, counts))
