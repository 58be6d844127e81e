r"""How triangles hang together: sides and what lies across them, the fan of faces around each vertex.

A mesh is a surface where every edge has one or two faces and the faces around every vertex form one fan,
closed (an inner vertex) or open (a vertex of the boundary). It is orientable where its double cover, every
face once with each orientation, falls into two pieces; faces are then turned to agree. Where it is not (a
Möbius strip) each vertex still has an orientation of its own, the direction in which its fan is walked.

    side c of face f     from vertex faces[f, c] to faces[f, c + 1]
    corner c of face f   at vertex faces[f, c], between sides c and c − 1

V − E + F is the Euler number.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from intertwine._checks import fail


class Topology(NamedTuple):
    """faces: (F, 3), turned to agree where the surface is orientable. edges: (E, 2), i < j.

    edge_of: (F, 3), the edge of each side. across, across_side: (F, 3), the face on the other side of
    each side and which of its sides that is, −1 at the boundary. boundary: (n,) vertices on it. fan: (n,
    m) corners 3·face + corner around each vertex in its own direction, −1 beyond the last. fan_sign: (n,
    m) ±1, whether that direction is the face's. orientable, components: of the whole. reversed_faces: how
    many were turned."""

    faces: Int[np.ndarray, "F 3"]
    edges: Int[np.ndarray, "E 2"]
    edge_of: Int[np.ndarray, "F 3"]
    across: Int[np.ndarray, "F 3"]
    across_side: Int[np.ndarray, "F 3"]
    boundary: Bool[np.ndarray, " n"]
    fan: Int[np.ndarray, "n m"]
    fan_sign: Int[np.ndarray, "n m"]
    orientable: bool
    components: int
    reversed_faces: int

    @property
    def vertices(self) -> int:
        return len(self.boundary)

    @property
    def euler(self) -> int:
        """V − E + F."""
        return self.vertices - len(self.edges) + len(self.faces)

    @property
    def boundary_edges(self) -> int:
        return int((self.across < 0).sum())


def topology(faces: Int[np.ndarray, "F 3"], count: int) -> Topology:
    """The topology of checked faces (F, 3) over `count` vertices.

    Raises InputError, naming the place, for isolated vertices, faces that are given twice or use a vertex
    twice, edges of three or more faces, and vertices at which several fans meet.

    >>> tetrahedron = topology(np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]]), 4)
    >>> tetrahedron.euler, tetrahedron.orientable, tetrahedron.boundary_edges
    (2, True, 0)
    """
    _check_faces(faces, count)
    edges, edge_of = _edges(faces)
    across, across_side = _across(faces, edges, edge_of)
    _check_fans(faces, across, across_side, count)
    orientable, pieces, turned = _orientation(faces, across, across_side)
    if turned.any():
        faces = np.where(turned[:, None], faces[:, ::-1], faces)
        edges, edge_of = _edges(faces)
        across, across_side = _across(faces, edges, edge_of)
    boundary = np.zeros(count, bool)
    boundary[edges[np.unique(edge_of[across < 0])]] = True
    fan, sign = _fans(faces, across, across_side, boundary)
    return Topology(
        faces, edges, edge_of, across, across_side, boundary, fan, sign, orientable, pieces, int(turned.sum())
    )


def _check_faces(faces: np.ndarray, count: int) -> None:
    twice = np.flatnonzero((faces == np.roll(faces, 1, axis=1)).any(axis=1))
    if len(twice):
        got = f"face {twice[0]}, {faces[twice[0]].tolist()}"
        raise fail("faces", "triangles of three different vertices", got, "drop degenerate triangles")
    alone = np.setdiff1d(np.arange(count), faces)
    if len(alone):
        got = f"vertex {alone[0]} in none" + (f", {len(alone)} such vertices" if len(alone) > 1 else "")
        raise fail("faces", "every vertex in a face", got, "drop isolated vertices")
    same, counts = np.unique(np.sort(faces, axis=1), axis=0, return_counts=True)
    if (counts > 1).any():
        got = f"{same[counts > 1][0].tolist()} more than once"
        raise fail("faces", "each triangle once", got, "drop the copies")


def _edges(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sides = np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1).reshape(-1, 2)
    edges, edge_of = np.unique(np.sort(sides, axis=1), axis=0, return_inverse=True)
    return edges, edge_of.reshape(-1, 3)


def _across(faces: np.ndarray, edges: np.ndarray, edge_of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    flat = edge_of.reshape(-1)
    counts = np.bincount(flat)
    if counts.max() > 2:
        a, b = edges[np.argmax(counts)]
        got = f"the edge between vertices {a} and {b} with {counts.max()}"
        remedy = "it is no surface there (non-manifold): split the mesh along the edge, or drop faces"
        raise fail("faces", "one or two faces at every edge", got, remedy)
    order = np.argsort(flat, kind="stable")
    pairs = np.flatnonzero(np.diff(flat[order]) == 0)
    other = np.full(len(flat), -1)
    other[order[pairs]], other[order[pairs + 1]] = order[pairs + 1], order[pairs]
    return np.where(other < 0, -1, other // 3).reshape(-1, 3), np.where(other < 0, -1, other % 3).reshape(
        -1, 3
    )


def _check_fans(faces: np.ndarray, across: np.ndarray, across_side: np.ndarray, count: int) -> None:
    """Corners of one vertex that meet along sides: one piece at every vertex."""
    f, c = np.nonzero(across >= 0)
    g, s = across[f, c], across_side[f, c]
    same = faces[f, c] == faces[g, s]  # the side's first vertex is the first there too
    first, second = 3 * g + s, 3 * g + (s + 1) % 3
    rows = np.concatenate([3 * f + c, 3 * f + (c + 1) % 3])
    columns = np.concatenate([np.where(same, first, second), np.where(same, second, first)])
    size = 3 * len(faces)
    graph = sparse.coo_array((np.ones(len(rows)), (rows, columns)), (size, size))
    piece = connected_components(graph, directed=False)[1]
    fans = np.unique(np.stack([faces.reshape(-1), piece], axis=1), axis=0)[:, 0]
    number = np.bincount(fans, minlength=count)
    if (number > 1).any():
        v = int(np.argmax(number > 1))
        got = f"vertex {v}, where {number[v]} fans of faces meet (a bow tie)"
        remedy = "give each fan a vertex of its own"
        raise fail("faces", "one fan of faces around every vertex", got, remedy)


def _orientation(
    faces: np.ndarray, across: np.ndarray, across_side: np.ndarray
) -> tuple[bool, int, np.ndarray]:
    """Whether the surface is orientable, its pieces, and which faces are to be turned."""
    n = len(faces)
    f, c = np.nonzero(across >= 0)
    g, s = across[f, c], across_side[f, c]
    opposite = faces[f, c] != faces[g, s]  # neighbours that agree run along their edge in opposite ways
    rows = np.concatenate([f, f + n])
    columns = np.concatenate([np.where(opposite, g, g + n), np.where(opposite, g + n, g)])
    graph = sparse.coo_array((np.ones(len(rows)), (rows, columns)), (2 * n, 2 * n))
    cover = connected_components(graph, directed=False)[1]
    single = sparse.coo_array((np.ones(len(f)), (f, g)), (n, n))
    pieces, piece = connected_components(single, directed=False)
    if (cover[:n] == cover[n:]).any():
        return False, pieces, np.zeros(n, bool)
    first = np.unique(piece, return_index=True)[1]  # the first face of each piece stays as it is
    turned = cover[:n] != cover[first][piece]
    few = np.bincount(piece, turned) * 2 <= np.bincount(piece)
    return True, pieces, np.where(few[piece], turned, ~turned)


def _fans(
    faces: np.ndarray, across: np.ndarray, across_side: np.ndarray, boundary: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The corners around each vertex, and whether each is walked in its face's direction."""
    n = len(boundary)
    f, sign = np.full(n, -1), np.ones(n, int)
    c = np.zeros(n, int)
    for way in (-1, 1):  # the last found stays: of faces in the fan's direction where there are such
        open_side = across if way > 0 else np.roll(across, 1, axis=1)
        rows, columns = np.nonzero((open_side < 0) & boundary[faces])
        at = faces[rows, columns][::-1]
        f[at], c[at], sign[at] = rows[::-1], columns[::-1], way
    rows, columns = np.nonzero(~boundary[faces])
    at = faces[rows, columns][::-1]
    f[at], c[at] = rows[::-1], columns[::-1]
    first = 3 * f + c
    every, signs = [first], [sign]
    active = np.ones(n, bool)
    while True:
        out = np.where(sign > 0, (c + 2) % 3, c)
        g, s = across[f, out], across_side[f, out]
        here = faces[g, s] == np.arange(n)
        f, c = np.where(g < 0, f, g), np.where(here, s, (s + 1) % 3)
        sign = np.where(here, 1, -1)
        active &= (g >= 0) & (3 * f + c != first)
        if not active.any():
            break
        every.append(np.where(active, 3 * f + c, -1))
        signs.append(np.where(active, sign, 0))
    return np.stack(every, axis=1), np.stack(signs, axis=1)
