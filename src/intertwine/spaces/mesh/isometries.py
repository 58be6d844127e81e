"""Groups that carry a mesh to itself: where vertices go, and how their frames turn on the way."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Int
from scipy.spatial import KDTree

from intertwine.spaces.mesh.frames import Frames
from intertwine.spaces.mesh.surface import Surface
from intertwine.symmetry import FiniteGroup, icosahedral, icosahedral_rotations


class Symmetry(NamedTuple):
    """A group that carries the mesh to itself. group; images: (g, n) where each vertex goes."""

    group: FiniteGroup
    images: Int[np.ndarray, "g n"]


@lru_cache(maxsize=8)
def icosahedral_symmetry(positions: bytes) -> Symmetry:
    """The 60 rotations of an icosphere or icosahedron, its positions (n, 3) as bytes."""
    points = np.frombuffer(positions).reshape(-1, 3)
    moved = np.einsum("gab,nb->gna", icosahedral_rotations(), points)
    return Symmetry(icosahedral(), KDTree(points).query(moved.reshape(-1, 3))[1].reshape(len(moved), -1))


def turns_of(surface: Surface, frames: Frames, image: Int[np.ndarray, " n"]) -> tuple[np.ndarray, np.ndarray]:
    """What turns the components of each vertex into those at its image: (angle, sign)."""
    ring, n = surface.rings, surface.size
    key = ring.source * n + ring.target
    order = np.argsort(key)
    first = ring.starts[:-1]
    second = first + 1
    angle = frames.directions(surface.scales[ring.source] * ring.fan_angle, ring.source)
    at = [
        order[np.searchsorted(key[order], image * n + image[ring.target[edge]])] for edge in (first, second)
    ]
    before, after = angle[second] - angle[first], angle[at[1]] - angle[at[0]]
    same = np.abs(np.exp(1j * before) - np.exp(1j * after))
    other = np.abs(np.exp(1j * before) - np.exp(-1j * after))
    sign = np.where(same <= other, 1, -1)
    return angle[at[0]] - sign * angle[first], sign
