r"""Coarser meshes: centres, the clusters around them, and what carries fibres between the two meshes.

The vertices of the coarse mesh are among those of the fine one. Every fine vertex belongs to the nearest
centre, along the surface, and where several are equally near to each of them in equal parts: on an icosphere
the midpoint of an edge to both its ends, which keeps the 60 rotations. Fibres are carried along the shortest
geodesic to the centre, and there from the frame of the fine mesh to that of the coarse one, which are
compared in space.

`coarser` chooses centres far from one another, each the farthest from those before (Gonzalez 1985), and
joins three of them by a triangle where their clusters meet in one: the intrinsic Delaunay triangulation
where clusters are Voronoi cells."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import KDTree

from intertwine._checks import InputError, fail, positive_int
from intertwine.spaces.mesh.geodesics import geodesics
from intertwine.spaces.mesh.mesh import Mesh
from intertwine.spaces.mesh.surface import Surface


class Clusters(NamedTuple):
    """Pairs, sorted by centre: a vertex `fine` belongs to the `coarse` vertex for a `share` of it, and what
    carries its fibre there, in the frames of both meshes, is R(turn), or R(turn) s where `sign` is −1."""

    coarse: Int[np.ndarray, " m"]
    fine: Int[np.ndarray, " m"]
    turn: Float[np.ndarray, " m"]
    sign: Int[np.ndarray, " m"]
    share: Float[np.ndarray, " m"]


@lru_cache(maxsize=32)
def clusters(fine: Mesh, coarse: Mesh) -> Clusters:
    """Which vertices of `fine` belong to which of `coarse`.

    Raises InputError where a vertex of `coarse` is none of `fine`.

    >>> found = clusters(Mesh.icosphere(1), Mesh.icosphere(0))
    >>> len(found.fine), float(found.share.min())
    (72, 0.5)
    """
    gap, centre = map(np.asarray, KDTree(fine.positions).query(coarse.positions))
    far = gap > 1e-6 * np.ptp(coarse.positions, axis=0).max()
    if far.any():
        got = f"vertex {int(np.argmax(far))} that is none of the finer mesh"
        raise fail("coarse", "a mesh whose vertices are among those of the finer one", got, "see `coarser`")
    surface = fine.surface
    reach = np.zeros(fine.size)
    furthest = dijkstra(_graph(surface), indices=centre, min_only=True).max()
    if not np.isfinite(furthest):
        raise fail("coarse", "a vertex in every piece of the finer mesh", "a piece without one")
    reach[centre] = furthest * (1 + 1e-6)
    found = geodesics(surface, reach)
    number = np.full(fine.size, -1)
    number[centre] = np.arange(coarse.size)
    kept = number[found.source] >= 0
    found = type(found)(*(part[kept] for part in found))
    own = np.zeros(coarse.size)
    source = np.concatenate([found.source, centre])
    target = np.concatenate([found.target, centre])
    length = np.concatenate([found.length, own])
    turn, sign = np.concatenate([found.turn, own]), np.concatenate([found.sign, own.astype(int) + 1])
    nearest = np.full(fine.size, np.inf)
    np.minimum.at(nearest, target, length)
    near = length <= nearest[target] * (1 + 1e-7) + 1e-12
    source, target, turn, sign = source[near], target[near], turn[near], sign[near]
    share = 1 / np.bincount(target, minlength=fine.size)[target]
    turn, sign = fine.frames.carried(turn, sign, source, target)
    coarse_at = number[source]
    into, mirror = _between(fine, coarse, centre)
    turn, sign = into[coarse_at] + mirror[coarse_at] * turn, mirror[coarse_at] * sign
    order = np.lexsort((target, coarse_at))
    return Clusters(coarse_at[order], target[order], turn[order], sign[order], share[order])


def _between(fine: Mesh, coarse: Mesh, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(angle, sign): R(angle), or R(angle) s where sign is −1, from the fine frame of every centre to its
    coarse one."""
    a, b = fine.axes_in_space[centre], coarse.axes_in_space
    m = np.einsum("nic,njc->nij", b, a)
    sign = np.where(m[:, 0, 0] * m[:, 1, 1] - m[:, 0, 1] * m[:, 1, 0] < 0, -1, 1)
    # b-components of v are m @ (a-components) up to shortening: the nearest R(t) diag(1, sign)
    angle = np.arctan2(m[:, 1, 0] - sign * m[:, 0, 1], m[:, 0, 0] + sign * m[:, 1, 1])
    return angle, sign


def coarser(mesh: Mesh, count: int) -> Mesh:
    """A mesh of `count` of the vertices, far from one another, joined where their clusters meet.

    Raises InputError where they are too few for the shape: where their triangles are no surface.

    >>> coarser(Mesh.icosphere(2), 40).size
    40
    """
    wanted = positive_int("count", count)
    if wanted > mesh.size:
        raise fail("count", f"at most the {mesh.size} vertices of the mesh", count)
    surface = mesh.surface
    graph = _graph(surface)
    centres, distance, owner = [0], np.full(mesh.size, np.inf), np.zeros(mesh.size, int)
    for number in range(wanted):
        if number:
            centres.append(int(np.argmax(distance)))
        limit = float(distance.max())
        new = dijkstra(graph, indices=centres[-1], limit=limit)
        nearer = new < distance
        owner[nearer], distance[nearer] = number, new[nearer]
    corners = owner[mesh.faces]
    met = (corners != np.roll(corners, 1, axis=1)).all(axis=1)
    faces = corners[met]
    first = np.unique(np.sort(faces, axis=1), axis=0, return_index=True)[1]
    try:
        found = Mesh(mesh.positions[centres], faces[np.sort(first)], group=mesh.fibre_group.name)
        kind = (found.euler, found.orientable, found.surface.topology.boundary_edges > 0)
        if kind == (mesh.euler, mesh.orientable, surface.topology.boundary_edges > 0):
            return found
        why = _difference(found, mesh)
    except InputError as error:
        why = str(error)
    got = f"{count}, whose clusters make no surface of its kind ({why})"
    raise fail("count", "enough vertices for the shape of the mesh", got, "take more of them")


def _difference(found: Mesh, mesh: Mesh) -> str:
    """What a coarser mesh has lost."""
    if found.euler != mesh.euler:
        return f"their Euler number is {found.euler}, not {mesh.euler}"
    if found.orientable != mesh.orientable:
        return f"it is {'' if found.orientable else 'not '}orientable, unlike the mesh"
    return "it is closed, unlike the mesh" if mesh.surface.topology.boundary_edges else "it has a boundary"


def _graph(surface: Surface) -> sparse.csr_array:
    ring, n = surface.rings, surface.size
    return sparse.csr_array((ring.length, (ring.source, ring.target)), (n, n))
