r"""The metric of a mesh: lengths, corner angles, areas, and directions around each vertex.

A vertex sees its faces one after another; their corner angles add up to Θ_v, which on a curved surface is
not 2π. Directions are measured by rescaled angles

    φ = s_v · (corner angles up to there),     s_v = 2π/Θ_v at inner vertices, 1 on the boundary,

which make the tangent plane of every inner vertex a whole plane (Knöppel, Crane, Pinkall & Schröder 2013, §
6.1; used by de Haan, Weiler, Cohen & Welling 2020 in the form of projected logarithms). φ = 0 is the first
edge of the fan: the frame that a vertex has before another is chosen (`frames`). Carrying a vector along the
edge from j to i keeps its angle to the edge,

    g_ij = R(φ_i(j) − φ_j(i) − π),     or, where i and j have opposite orientation, R(φ_i(j) + φ_j(i) + π) s,

s the reflection of the second axis: the Levi-Civita connection of the flat triangles, exactly. Around a face
it turns by the holonomy Σ s_v · corner − π, and

    Σ_faces holonomy + Σ_boundary (π − s_v Θ_v) = Σ_inner (2π − Θ_v) + Σ_boundary (π − Θ_v) = 2π (V − E + F)

(Gauss-Bonnet).
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from intertwine._checks import fail
from intertwine.spaces.mesh.topology import Topology, topology

_FLAT = 1e-10


class Surface:
    """A triangle mesh as a metric surface: what `Mesh` computes with, whatever its frames.

    positions: (n, 3) float64. faces: (F, 3) integers.

    Raises InputError for arrays of other shapes, numbers that are not finite, triangles without area, and
    what `topology` refuses."""

    def __init__(self, positions: Float[np.ndarray, "n 3"], faces: Int[np.ndarray, "F 3"]):
        self.positions = positions
        self.topology: Topology = topology(faces, len(positions))
        double = np.linalg.norm(np.cross(self.sides[:, 0], self.sides[:, 1]), axis=-1)
        thin = double <= _FLAT * self.lengths.max(axis=1) ** 2
        if thin.any():
            f = int(np.argmax(thin))
            got = f"face {f} of vertices {self.faces[f].tolist()} with area {double[f] / 2:.3g}"
            raise fail("faces", "triangles that have an area", got, "drop degenerate triangles")
        self.face_areas: Float[np.ndarray, " F"] = double / 2

    @property
    def faces(self) -> Int[np.ndarray, "F 3"]:
        return self.topology.faces

    @property
    def size(self) -> int:
        """n."""
        return len(self.positions)

    @cached_property
    def sides(self) -> Float[np.ndarray, "F 3 3"]:
        """The vector of each side."""
        return self.positions[np.roll(self.faces, -1, axis=1)] - self.positions[self.faces]

    @cached_property
    def lengths(self) -> Float[np.ndarray, "F 3"]:
        """Of the sides."""
        return np.linalg.norm(self.sides, axis=-1)

    @cached_property
    def corners(self) -> Float[np.ndarray, "F 3"]:
        """The angle at each corner."""
        out, back = self.sides, -np.roll(self.sides, 1, axis=1)
        cross = np.linalg.norm(np.cross(out, back), axis=-1)
        return np.arctan2(cross, (out * back).sum(axis=-1))

    @cached_property
    def areas(self) -> Float[np.ndarray, " n"]:
        """The area that belongs to each vertex: a third of its faces."""
        return np.bincount(self.faces.reshape(-1), np.repeat(self.face_areas / 3, 3), self.size)

    @cached_property
    def angle_sums(self) -> Float[np.ndarray, " n"]:
        """Θ_v."""
        return np.bincount(self.faces.reshape(-1), self.corners.reshape(-1), self.size)

    @cached_property
    def scales(self) -> Float[np.ndarray, " n"]:
        """s_v."""
        return np.where(self.topology.boundary, 1.0, 2 * np.pi / self.angle_sums)

    @cached_property
    def defects(self) -> Float[np.ndarray, " n"]:
        """2π − Θ_v inside, π − Θ_v on the boundary: the curvature of each vertex."""
        return np.where(self.topology.boundary, np.pi, 2 * np.pi) - self.angle_sums

    @cached_property
    def holonomies(self) -> Float[np.ndarray, " F"]:
        """What a vector turns by around each face, in the face's direction."""
        return (self.scales[self.faces] * self.corners).sum(axis=1) - np.pi

    @cached_property
    def fan_angles(self) -> Float[np.ndarray, "F 3"]:
        """The corner angles that the fan of its vertex has before each corner, not rescaled."""
        fan = self.topology.fan
        angles = np.where(fan >= 0, self.corners.reshape(-1)[fan], 0)
        before = np.cumsum(angles, axis=1) - angles
        found = np.zeros(3 * len(self.faces))
        found[fan[fan >= 0]] = before[fan >= 0]
        return found.reshape(-1, 3)

    @cached_property
    def corner_signs(self) -> Int[np.ndarray, "F 3"]:
        """±1: whether the fan walks through the corner in the direction of the face."""
        fan = self.topology.fan
        found = np.zeros(3 * len(self.faces), int)
        found[fan[fan >= 0]] = self.topology.fan_sign[fan >= 0]
        return found.reshape(-1, 3)

    @cached_property
    def entries(self) -> Int[np.ndarray, "F 3"]:
        """The vertex at the other end of the edge by which the fan comes into each corner."""
        return np.where(
            self.corner_signs > 0, np.roll(self.faces, -1, axis=1), np.roll(self.faces, 1, axis=1)
        )

    @cached_property
    def exits(self) -> Int[np.ndarray, "F 3"]:
        """The vertex at the end of the edge by which it leaves."""
        return np.where(
            self.corner_signs > 0, np.roll(self.faces, 1, axis=1), np.roll(self.faces, -1, axis=1)
        )

    @cached_property
    def rings(self) -> Ring:
        """All pairs of neighbours."""
        return _rings(self)

    @cached_property
    def normals(self) -> Float[np.ndarray, "n 3"]:
        """Unit normals of the vertices, of their faces' weighted by corner angles, to the side from which
        their fan turns counter-clockwise."""
        face = np.cross(self.sides[:, 0], self.sides[:, 1])
        face /= np.linalg.norm(face, axis=-1, keepdims=True)
        weights = self.corners * self.corner_signs
        total = np.zeros((self.size, 3))
        np.add.at(total, self.faces, weights[..., None] * face[:, None])
        length = np.linalg.norm(total, axis=-1, keepdims=True)
        folded = length[:, 0] < 1e-9
        if folded.any():  # the faces around it cancel: any of them
            total[folded] = face[self.topology.fan[folded, 0] // 3]
            length[folded] = 1
        return total / length


class Ring:
    """The edges in both directions, source by source and in the order of its fan.

    source, target: (2E,). length, fan_angle: (2E,), the latter at the source and not rescaled. corner:
    (2E,) a corner of the target that the edge borders, from the source's side. starts: (n + 1,)."""

    def __init__(
        self, source: np.ndarray, target: np.ndarray, length: np.ndarray, fan_angle: np.ndarray, size: int
    ):
        self.source, self.target, self.length, self.fan_angle = source, target, length, fan_angle
        self.starts = np.searchsorted(source, np.arange(size + 1))
        key = source * size + target
        order = np.argsort(key)
        self.reverse = order[np.searchsorted(key[order], target * size + source)]


def _rings(surface: Surface) -> Ring:
    topo, n = surface.topology, surface.size
    fan = topo.fan
    v, slot = np.nonzero(fan >= 0)
    corner = fan[v, slot]
    f, c = corner // 3, corner % 3
    target, angle = surface.entries[f, c], surface.fan_angles[f, c]
    side = np.where(surface.corner_signs[f, c] > 0, c, (c + 2) % 3)
    length = surface.lengths[f, side]
    last = np.flatnonzero(topo.boundary)
    end = fan[last, (fan[last] >= 0).sum(axis=1) - 1]
    f, c = end // 3, end % 3
    side = np.where(surface.corner_signs[f, c] > 0, (c + 2) % 3, c)
    source = np.concatenate([v, last])
    slot = np.concatenate([slot, np.full(len(last), fan.shape[1])])
    target = np.concatenate([target, surface.exits[f, c]])
    angle = np.concatenate([angle, surface.angle_sums[last]])
    length = np.concatenate([length, surface.lengths[f, side]])
    order = np.lexsort((slot, source))
    return Ring(source[order], target[order], length[order], angle[order], n)


def relative_orientation(surface: Surface) -> Int[np.ndarray, " 2E"]:
    """±1 of each pair of neighbours: whether their fans turn in the same direction.

    >>> from intertwine.spaces.mesh.icosphere import icosphere
    >>> bool((relative_orientation(Surface(*icosphere(1))) == 1).all())
    True
    """
    ring = surface.rings
    faces, signs = surface.faces, surface.corner_signs
    first, second = faces.reshape(-1), np.roll(faces, -1, axis=1).reshape(-1)
    along = (signs * np.roll(signs, -1, axis=1)).reshape(-1)
    key = np.concatenate([first * surface.size + second, second * surface.size + first])
    key, place = np.unique(key, return_index=True)
    return np.tile(along, 2)[place][np.searchsorted(key, ring.source * surface.size + ring.target)]
