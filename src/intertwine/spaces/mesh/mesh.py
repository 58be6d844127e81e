r"""Triangle meshes as spaces: fields on their vertices, in frames that any choice of gauge may turn.

There is no group that moves a vertex to every other. The frames are what acts: SO(2), or O(2) where frames
may be reflected, at every vertex on its own. A field of type ρ is a section of the bundle of frames × V over
it, kept by its components in a chosen frame at every vertex, and the Levi-Civita connection carries it from
one to another (`surface`, `geodesics`). Kernels are functions on the tangent plane that the structure group
carries along,

    (K f)(i) = Σ_j q_ij κ(log_i j) ρ(g_ij) f(j),        κ(h v) = σ(h) κ(v) ρ(h)⁻¹,

so that a change of frames changes components and nothing else (Cohen, Weiler, Kicanaoglu & Welling, ICML
2019; de Haan, Weiler, Cohen & Welling, ICLR 2021: gauge equivariant mesh CNNs). Such a kernel is known by
its values on the first axis: κ(r, θ) = σ(R(θ)) K(r) ρ(R(θ))⁻¹, and K(r) commutes with what keeps the axis:
with nothing in SO(2), with the reflection s in O(2), with everything where r = 0. The coordinates of a
kernel are its radial profiles (`neighbourhoods`), and `kernel_basis` counts Hom: a profile has d_σ d_ρ
kernels for SO(2).

What carries the mesh to itself (`isometries`) commutes with convolutions as well: the 60 rotations of an
icosphere."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from jax import Array
from jaxtyping import Float, Int, Shaped
from numpy.typing import ArrayLike

from intertwine._checks import fail, one_of
from intertwine._shown import Shown
from intertwine.spaces.mesh.frames import Frames, axes_in_space, mirrored, random_frames, turned
from intertwine.spaces.mesh.icosphere import checked_level, icosahedron, icosphere
from intertwine.spaces.mesh.isometries import Symmetry, icosahedral_symmetry, turns_of
from intertwine.spaces.mesh.neighbourhoods import Disc, Neighbourhood, disc, neighbourhood, table
from intertwine.spaces.mesh.reading import checked_mesh, read_mesh
from intertwine.spaces.mesh.summary import summary
from intertwine.spaces.mesh.surface import Surface
from intertwine.spaces.protocols import Field, Mistake, Region
from intertwine.symmetry import (
    CompactGroup,
    CompactRep,
    FiniteGroup,
    cyclic,
)
from intertwine.symmetry.fibre_maps import commuting_maps


class Move(NamedTuple):
    """What `Mesh.act` takes: an isometry, by its row, then a change of frames (None: as they are)."""

    isometry: int = 0
    frames: Frames | None = None


class Mesh(Shown):
    """A triangle mesh; fields are arrays (..., n, C) over its n vertices.

    vertices: positions (n, 3), float64 whatever is given, in any unit; or the path of a file, whose faces and
        positions are read (`read_mesh`; vertices at the same position are one). faces: (F, 3) vertices of
        each triangle. Where faces have different orientations those of the smaller part are turned.
    group: "SO(2)" or "O(2)", the structure group of fields; SO(2) by default where the mesh is orientable.

    Raises InputError, naming the place, for edges of three faces, vertices where several fans meet,
    degenerate or repeated triangles, isolated vertices, numbers that are not finite, and "SO(2)" on a mesh
    that is not orientable.

    >>> ball = Mesh.icosphere(2)
    >>> ball
    Mesh of 162 vertices, 480 edges, 320 faces: closed, orientable, Euler number 2 (genus 0)
    area 12.33, edges 0.276 to 0.325, frames SO(2)
    angle defects 0.0693 to 0.0823, in all 4.000 π; holonomies of faces 0.0365 to 0.0417
    """

    executor = "intertwine.layers.executors.edges:EdgeExecutor"
    """What `Conv` computes with."""
    common_frame = False
    """Every vertex has a frame of its own."""
    maps_points = True
    """What acts carries vertices to vertices."""
    axes = 1
    """The axes of a field before its channels."""
    usual_mistakes = (
        Mistake("a wrong handedness: the second axis of the frames is reversed", mirrored, mirrored),
    )
    """What `assert_equivariant` looks for."""

    def __init__(
        self, vertices: ArrayLike | str | Path, faces: ArrayLike | None = None, *, group: str | None = None
    ):
        if isinstance(vertices, str | Path):
            if faces is not None:
                raise fail("faces", "None beside the path of a file", faces)
            positions, sides = checked_mesh(*read_mesh(vertices))
        elif faces is None:
            raise fail("faces", "the vertices of each triangle, (F, 3)", None, "or give the path of a file")
        else:
            positions, sides = checked_mesh(vertices, faces)
        surface = _surface(positions.tobytes(), sides.tobytes())
        self._begin(surface, group, Frames.first(surface.size), None)

    def _begin(self, surface: Surface, group: str | None, frames: Frames, symmetry: Symmetry | None) -> None:
        orientable = surface.topology.orientable
        name = (
            ("SO(2)" if orientable else "O(2)")
            if group is None
            else one_of("group", group, ("SO(2)", "O(2)"))
        )
        if name == "SO(2)" and not orientable:
            remedy = "there is no way round it to say which turn is left: take group='O(2)'"
            raise fail("group", "O(2) on a mesh that is not orientable", "SO(2)", remedy)
        self.surface, self.fibre_group, self.frames = surface, CompactGroup(name), frames
        self.symmetry = symmetry or Symmetry(cyclic(1), np.arange(surface.size)[None])
        content = (surface.positions, surface.faces, frames.angle, frames.sign, self.symmetry.images)
        marks = [name.encode(), *(np.ascontiguousarray(part).tobytes() for part in content)]
        self._mark = sha256(b"|".join(marks)).digest()

    @classmethod
    def _of(cls, surface: Surface, group: str | None, frames: Frames, symmetry: Symmetry | None) -> Mesh:
        mesh = cls.__new__(cls)
        mesh._begin(surface, group, frames, symmetry)
        return mesh

    @classmethod
    def icosphere(cls, level: int, *, group: str | None = None) -> Mesh:
        """The icosahedron, its edges halved `level` times and pushed to the unit sphere: 10·4^level + 2
        vertices.

        Its 60 rotations are its `symmetry`, and level k − 1 has the first vertices of level k.

        >>> Mesh.icosphere(3).size
        642
        """
        return cls._regular(icosphere(checked_level(level)), group)

    @classmethod
    def icosahedron(cls, level: int, *, group: str | None = None) -> Mesh:
        """The same with flat faces: a triangular grid everywhere but at the twelve corners.

        >>> ball = Mesh.icosahedron(2)
        >>> int((abs(ball.surface.defects) > 1e-9).sum())
        12
        """
        return cls._regular(icosahedron(checked_level(level)), group)

    @classmethod
    def _regular(cls, shape: tuple[np.ndarray, np.ndarray], group: str | None) -> Mesh:
        positions, faces = shape
        surface = _surface(positions.tobytes(), faces.astype(np.int64).tobytes())
        return cls._of(surface, group, Frames.first(surface.size), icosahedral_symmetry(positions.tobytes()))

    @property
    def group(self) -> FiniteGroup:
        """The isometries that are known; beside them frames may change (`random_elements`)."""
        return self.symmetry.group

    @property
    def reason_of_group(self) -> str:
        """Why fields have this structure group, where another is asked for."""
        if self.orientable:
            return f"take one of {self.fibre_group!r}, or a Mesh with the other group"
        return "the mesh is not orientable: which turn is left cannot be said all over it; take types of O(2)"

    @property
    def size(self) -> int:
        """The number n of vertices."""
        return self.surface.size

    @property
    def shape(self) -> tuple[int]:
        """(n,)."""
        return (self.size,)

    @property
    def positions(self) -> Float[np.ndarray, "n 3"]:
        """Of the vertices, in the unit of what was given."""
        return self.surface.positions

    @property
    def faces(self) -> Int[np.ndarray, "F 3"]:
        """The vertices of each triangle, turned to agree where the mesh is orientable."""
        return self.surface.faces

    @property
    def euler(self) -> int:
        """V − E + F: 2 for a sphere, 0 for a torus or a Möbius strip, 1 for a disc."""
        return self.surface.topology.euler

    @property
    def orientable(self) -> bool:
        """Whether the mesh has two sides."""
        return self.surface.topology.orientable

    @property
    def areas(self) -> Float[np.ndarray, " n"]:
        """The area that belongs to each vertex, a third of that of its faces."""
        return self.surface.areas

    @property
    def measure(self) -> Float[np.ndarray, " n"]:
        """The share of each vertex in the area."""
        return self.surface.areas / self.surface.areas.sum()

    @cached_property
    def axes_in_space(self) -> Float[np.ndarray, "n 2 3"]:
        """The axes of the frames as unit vectors, tangent to the surface."""
        return axes_in_space(self.surface, self.frames)

    def to_frames(self, vectors: Shaped[Field, "... n 3"]) -> Shaped[Field, "... n 2"]:
        """Vectors in space as tangent vectors: components along the axes of the frames, what is normal lost.

        >>> ball = Mesh.icosphere(1)
        >>> east = np.cross([0.0, 0.0, 1.0], ball.positions)
        >>> bool(np.allclose(ball.to_space(ball.to_frames(east)), east))
        True
        """
        if np.shape(vectors)[-2:] != (self.size, 3):
            raise fail("vectors", f"shape (..., {self.size}, 3)", f"shape {np.shape(vectors)}")
        axes = self.axes_in_space.astype(vectors.dtype)
        return (vectors[..., None, :] * axes).sum(-1)

    def to_space(self, field: Shaped[Field, "... n 2"]) -> Shaped[Field, "... n 3"]:
        """Tangent vectors, components in the frames, as vectors in space."""
        if np.shape(field)[-2:] != (self.size, 2):
            raise fail("field", f"shape (..., {self.size}, 2)", f"shape {np.shape(field)}")
        axes = self.axes_in_space.astype(field.dtype)
        return (field[..., None] * axes).sum(-2)

    def neighbourhood(self, region: Region = None) -> Neighbourhood:
        """What every vertex sees of a region (see `kernel_basis`) in the frames of this mesh; built once."""
        return _neighbourhood(self, disc(region))

    def kernel_basis(
        self, into: CompactRep, out: CompactRep, region: Region
    ) -> Float[np.ndarray, "count profiles d_in d_out"]:
        """Kernels from one irrep to another by their values on the first axis, one array (d_in, d_out) a
        profile.

        region: a number k of rings of neighbours (None: 1), with one profile for the vertex itself and one
        for each ring; or a radius as a float (in the unit of the positions, along the surface) with three
        smooth profiles, or (radius, profiles). InputError for others.

        >>> ball = Mesh.icosphere(1)
        >>> scalar, vector = ball.fibre_group.irrep(0), ball.fibre_group.irrep(1)
        >>> [len(ball.kernel_basis(a, b, 0.5)) // 3 for a in (scalar, vector) for b in (scalar, vector)]
        [1, 2, 2, 4]
        """
        where = disc(region)
        full = _on_axis(into, out)
        own = commuting_maps(into, out).transpose(0, 2, 1)
        found = []
        for p in range(where.profiles):
            maps = own if p == 0 and not where.radius else full
            basis = np.zeros((len(maps), where.profiles, into.dimension, out.dimension))
            basis[:, p] = maps / np.linalg.norm(maps, axis=(1, 2), keepdims=True) if len(maps) else maps
            found.append(basis)
        return np.concatenate(found)

    def act(self, element: Move, field: Shaped[Field, "... C"], rep: CompactRep) -> Shaped[Field, "... C"]:
        """g f of fields (..., n, C) of type `rep`: moved by an isometry, then in other frames, h_v⁻¹ at v.

        The fields then belong to `reframed(element)`, whose frames are the new ones.
        """
        if np.shape(field)[-2:] != (self.size, rep.dimension) or rep.group != self.fibre_group:
            expected = f"shape (..., {self.size}, {rep.dimension}) and a type of {self.fibre_group!r}"
            raise fail("field", expected, f"shape {np.shape(field)}, {rep!r}")
        if element.isometry:
            image = self.symmetry.images[element.isometry]
            turn, sign = turns_of(self.surface, self.frames, self.symmetry.images[element.isometry])
            back = np.argsort(image)
            field = turned(field, rep, turn, sign)[..., back, :]
        if element.frames is not None:
            angle, sign = element.frames
            field = turned(field, rep, -sign * angle, sign)
        return field

    def reframed(self, element: Move | Frames) -> Mesh:
        """The same mesh with its frames changed by h_v at every vertex, as `act` changes fields.

        Raises InputError for reflected frames where the structure group is SO(2).
        """
        change = element.frames if isinstance(element, Move) else element
        if change is None:
            return self
        if np.shape(change.angle) != (self.size,) or np.shape(change.sign) != (self.size,):
            raise fail(
                "frames", f"an angle and a sign at each of {self.size} vertices", np.shape(change.angle)
            )
        if not self.fibre_group.has_reflections and (np.asarray(change.sign) < 0).any():
            raise fail("frames", "frames that are only turned (SO(2))", "reflected ones", "take group='O(2)'")
        return Mesh._of(self.surface, self.fibre_group.name, self.frames.after(change), self.symmetry)

    def random_elements(self, count: int, *, key: Array) -> Sequence[Move]:
        """Two changes of frames at every vertex, and isometries, where there are more than the identity."""
        keys = jax.random.split(key, 3)
        mirrors = self.fibre_group.has_reflections
        found = [Move(0, random_frames(self.size, mirrors, key=k)) for k in keys[:2]][:count]
        order = self.group.order
        if order > 1 and count > 2:
            rows = 1 + np.asarray(jax.random.permutation(keys[2], order - 1))[: count - 2]
            found += [Move(int(row)) for row in rows]
        return found

    def element_on(self, other: Mesh, element: Move) -> Move:
        """What `element` is on a coarser or finer mesh with the same isometries: its frames stay."""
        same = other.group == self.group
        return Move(element.isometry if same else 0)

    def element_name(self, element: Move) -> str:
        """ "other frames at every vertex" or the number of an isometry."""
        isometry = f"isometry {element.isometry}" if element.isometry else ""
        frames = "other frames at every vertex" if element.frames is not None else ""
        return " and ".join(filter(None, (isometry, frames))) or "identity"

    def __hash__(self) -> int:
        return hash(self._mark)

    def __eq__(self, other: object) -> bool:
        return self._mark == other._mark if isinstance(other, Mesh) else NotImplemented

    def __str__(self) -> str:
        return summary(self.surface, self.fibre_group.name)


def mesh_from_name(name: str, *, group: str | None = None) -> Mesh:
    """A mesh by name: "icosphere:4", "icosahedron:4" or "mesh:FILE".

    Raises InputError for others.

    >>> mesh_from_name("icosphere:1").size
    42
    """
    kind, _, what = str(name).partition(":")
    if kind in ("icosphere", "icosahedron") and what.isdigit():
        return (Mesh.icosphere if kind == "icosphere" else Mesh.icosahedron)(int(what), group=group)
    if kind == "mesh" and what:
        return Mesh(what, group=group)
    raise fail("name", "icosphere:LEVEL, icosahedron:LEVEL or mesh:FILE", name)


@lru_cache(maxsize=16)
def _surface(positions: bytes, faces: bytes) -> Surface:
    """One surface for meshes of the same content."""
    return Surface(np.frombuffer(positions).reshape(-1, 3), np.frombuffer(faces, np.int64).reshape(-1, 3))


@lru_cache(maxsize=32)
def _in_first_frames(surface: Surface, region: Disc) -> tuple:
    return neighbourhood(surface, region)


@lru_cache(maxsize=64)
def _neighbourhood(mesh: Mesh, region: Disc) -> Neighbourhood:
    found, radius, weight = _in_first_frames(mesh.surface, region)
    angle = mesh.frames.directions(found.angle, found.source)
    turn, sign = mesh.frames.carried(found.turn, found.sign, found.source, found.target)
    return table(mesh.surface, found._replace(angle=angle, turn=turn, sign=sign), radius, weight)


def _on_axis(into: CompactRep, out: CompactRep) -> np.ndarray:
    """(count, d_in, d_out): maps that commute with what keeps the first axis: with s of O(2), else all."""
    every = np.eye(into.dimension * out.dimension).reshape(-1, into.dimension, out.dimension)
    if not into.group.has_reflections:
        return every
    mirror = np.diag([1.0, -1.0])
    signs = np.outer(np.diag(into.matrix(mirror)), np.diag(out.matrix(mirror)))
    return every[(every * signs).sum(axis=(1, 2)) > 0]
