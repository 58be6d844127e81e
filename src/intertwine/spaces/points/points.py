r"""Points in space: fields on clouds of points in R^d, equivariant under motions and orders of the points.

A cloud is any n points (`Cloud`); `Points` is the family of all of them: which points are neighbours, and the
group H of O(d) whose representations types of fields are. Space is flat, so that a fibre is carried along an
edge by the identity, and a convolution is

    (K f)(i) = Σ_j κ(r_ij) f(j),     r_ij = x_j − x_i,     κ(R r) = σ(R) κ(r) ρ(R)⁻¹.

Such kernels are functions of the distance times harmonics of the direction, contracted by Clebsch-Gordan
coefficients (Thomas, Smidt et al., Tensor field networks, 2018): κ = Σ φ_n(|r|) Y_lm(r/|r|) K_{lm,n}, and
K_{·,n} is a map ρ ⊗ l → σ that commutes with H. Everything commutes with translations and with permutations
of the points besides.

Harmonics have the polar axis y and "component" normalisation, Σ_m Y_lm² = 2l + 1, as in e3nn; degree 1 is
(x, y, z) √3, and a field of vectors has its Cartesian components. An edge harmonic of degree l has the parity
(−1)^l."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.typing import DTypeLike
from jaxtyping import Float, Shaped
from numpy.typing import ArrayLike

from intertwine._caveats import caveat, tell
from intertwine._checks import fail, positive_int, positive_number
from intertwine.spaces.points.cloud import Cloud
from intertwine.spaces.points.edges import Edges, checked_box
from intertwine.spaces.points.mistakes import polar_mistake, reason
from intertwine.spaces.points.motions import Motion, motion_name
from intertwine.spaces.points.padding import joined, rung
from intertwine.spaces.points.pairs import all_pairs
from intertwine.spaces.points.radial import radial_region
from intertwine.spaces.points.turns import Turns, harmonic_places, turns_of
from intertwine.spaces.points.types import type_of_names
from intertwine.spaces.protocols import Field, Mistake, Region
from intertwine.symmetry import AnyRep, CompactGroup, CompactRep, FiniteGroup
from intertwine.symmetry.fibre_maps import bilinear_maps
from intertwine.symmetry.intertwiner_basis import Support

_DRAWN = 10
"""Points of a cloud that the law draws."""


@dataclass(frozen=True, repr=False)
class Points:
    """Clouds of points in R^d whose neighbours lie within a cut-off, or are the k nearest.

    cutoff: a distance in the unit of the positions; None with `nearest`, where the k nearest count however
    far they are. nearest: k, at most so many neighbours, the nearest ones (of points at the same distance
    any). group: "O(3)", "SO(3)", "O(2)" or "SO(2)", a point group by its name on grids ("cubic:oh", "p4m",
    "c6"), or a `FiniteGroup` with its orthogonal `matrices` (h, d, d); it says d as well. Types of a compact
    group are named by `named_type`, of a point group as on grids (`field_type`).

    Raises InputError for others, and where neither cutoff nor nearest is given.

    >>> points = Points(2.0)
    >>> water = points.cloud([[0.0, 0.0, 0.0], [0.96, 0.0, 0.0], [-0.24, 0.93, 0.0]])
    >>> water.near.sum(1).tolist(), points.named_type("2 scalar + vector").dimension
    ([2, 2, 2], 5)
    """

    cutoff: float | None
    nearest: int | None
    turns: Turns

    executor = "intertwine.layers.executors.on_points:PointExecutor"
    """What `Conv` computes with."""
    axes = 1
    """The axes of a field before its channels."""
    shape = None
    """A cloud has any number of points."""
    common_frame = True
    """All points are turned alike."""
    maps_points = True
    """Orders of the points carry points to points."""

    def __init__(
        self,
        cutoff: float | None = None,
        *,
        nearest: int | None = None,
        group: str | CompactGroup | FiniteGroup = "O(3)",
        matrices: ArrayLike | None = None,
    ):
        if cutoff is None and nearest is None:
            raise fail("cutoff", "a distance in the unit of the positions", None, "or give nearest=k")
        far = None if cutoff is None else positive_number("cutoff", cutoff)
        object.__setattr__(self, "cutoff", far)
        object.__setattr__(self, "nearest", None if nearest is None else positive_int("nearest", nearest))
        object.__setattr__(self, "turns", turns_of(group, matrices))

    @property
    def group(self) -> CompactGroup | FiniteGroup:
        """H, which acts on clouds together with translations and orders of the points."""
        return self.turns.group

    @property
    def fibre_group(self) -> CompactGroup | FiniteGroup:
        """H, whose representations types of fields are."""
        return self.turns.group

    @property
    def linear(self) -> Float[np.ndarray, "h d d"] | None:
        """The matrices of a finite H on R^d, by which `field_type` names fields; None of a compact one."""
        return self.turns.linear

    @property
    def dimension(self) -> int:
        """d."""
        return self.turns.dimension

    @property
    def reach(self) -> float:
        """The cut-off; 1 where there is none."""
        return 1.0 if self.cutoff is None else self.cutoff

    def named_type(self, names: str, argument: str = "names") -> CompactRep:
        """The type of fields of a compact group by a name such as "2 scalar + vector + degree 2" or "16x0e +
        8x1o"; see `spaces.points.types`. InputError for others.

        >>> Points(1.0).named_type("8x0e + 2x1o")
        8·(0, +) + 2·(1, -)
        """
        if not isinstance(self.group, CompactGroup):
            remedy = "it.layers.field_type(points, names) names fields of point groups"
            raise fail(argument, f"a representation of {self.group!r}", names, remedy)
        return type_of_names(self.group, names, argument)

    def matrix(self, element: ArrayLike | Motion, rep: AnyRep) -> Float[np.ndarray, "... D D"]:
        """ρ(g) on fields of type `rep`, of orthogonal matrices (..., d, d) or a `Motion`.

        >>> points = Points(1.0)
        >>> points.matrix(-np.eye(3), points.named_type("pseudoscalar + 2x0e")).diagonal().tolist()
        [-1.0, 1.0, 1.0]
        """
        return self.turns.matrix(element.rotation if isinstance(element, Motion) else element, rep)

    def kernel_basis(
        self, into: AnyRep, out: AnyRep, region: Region = None
    ) -> Float[np.ndarray, "count coordinates d_in d_out"]:
        """Kernels from one irrep to another as coefficients of Y_lm φ_n.

        region: `Radial(functions, degree)`, or a number of functions (None: 8, of degree 2). Coordinates are
        place·functions + n, where place is that of Y_lm among all harmonics up to the degree. Each kernel
        has norm 1: harmonics have mean square 1, and the variance of a field is kept.

        >>> points = Points(1.0)
        >>> scalar, vector = points.named_type("scalar"), points.named_type("vector")
        >>> [len(points.kernel_basis(a, b, 1)) for a in (scalar, vector) for b in (scalar, vector)]
        [1, 1, 1, 2]
        """
        functions, degree = radial_region(region)
        places = harmonic_places(self.dimension, degree)
        found = []
        for k, (start, stop) in enumerate(places):
            maps = bilinear_maps(into, self.turns.harmonic(k), out)  # (t, d_out, d_in, d_k)
            for one in maps:
                basis = np.zeros((functions, places[-1][1], functions, into.dimension, out.dimension))
                at = np.arange(functions)
                basis[at, start:stop, at] = one.transpose(2, 1, 0) / np.linalg.norm(one)
                found.append(basis.reshape(functions, -1, into.dimension, out.dimension))
        if not found:
            return np.zeros((0, places[-1][1] * functions, into.dimension, out.dimension))
        return np.concatenate(found)

    def support(self, region: Region = None) -> Support:
        """Of a point group what `intertwiners` asks for: harmonics times radial functions as coordinates,
        numbered as in `kernel_basis`; InputError for compact groups, whose kernels that function knows.

        >>> Points(1.0, group="cubic:oh").support(2).coordinates
        18
        """
        functions, degree = radial_region(region)
        return self.turns.support(functions, degree)

    # clouds

    def edges(
        self, positions: ArrayLike, cell: ArrayLike | None = None, periodic: ArrayLike | None = None
    ) -> Edges:
        """The neighbours of one structure on the host, an `Edges`: what `batch` takes again and again where
        a structure is used more than once. Arguments and errors as of `cloud`."""
        return self._found(positions, cell, periodic)

    def _found(self, positions: ArrayLike, cell: ArrayLike | None, periodic: ArrayLike | None) -> Edges:
        """Neighbours, and what is to be said of them at the caller of the caller."""
        from intertwine.spaces.points.search import search

        if isinstance(positions, Tracer):
            remedy = "all_pairs makes clouds of few points inside compiled functions"
            raise fail("positions", "numbers, outside compiled functions", "what is traced by JAX", remedy)
        if hasattr(positions, "get_positions") and cell is None:
            atoms: Any = positions
            positions, cell, periodic = atoms.positions, np.asarray(atoms.cell), np.asarray(atoms.pbc)
        found = search(checked_box(positions, cell, periodic, self.dimension), self.cutoff, self.nearest)
        said = []
        if found.outside:
            said.append("positions outside the periodic box were taken into it to look for neighbours")
        if len(found.positions) > 1 and not found.count.any():
            said.append(
                f"no point of a structure has a neighbour within {self.cutoff:g}: is the cut-off in the unit "
                "of the positions?"
            )
        tell([caveat("data", words) for words in said], stacklevel=3)
        return found

    def cloud(
        self,
        positions: ArrayLike,
        *,
        cell: ArrayLike | None = None,
        periodic: ArrayLike | None = None,
        points: int | None = None,
        neighbours: int | None = None,
        dtype: DTypeLike | None = None,
    ) -> Cloud:
        """One structure with its neighbours.

        positions: (n, d), finite; or ASE's `Atoms`, with their cell. cell: (d, d), rows are cell vectors of
        any shape and size, or d lengths; rows are zero in directions without a period. periodic: in which
        directions, by default all that have a cell vector. points, neighbours: sizes to pad to; by default n
        as it is, and the neighbours of the point that has most, rounded up to 1, 2, … 8, 10, 12, 14, 16, 20,
        … (m·2^k, m = 4 … 7): functions compiled for one cloud serve another of the same sizes. dtype: of
        positions, by default JAX's.

        Points outside the box are taken into it to look for neighbours, which is said (`Caveat`), as is a
        cut-off within which nobody has a neighbour.

        Raises InputError for positions of another shape, numbers that are not finite, points on top of each
        other, a singular cell, and sizes that are too small.

        >>> crystal = Points(2.5).cloud([[0.0, 0.0, 0.0]], cell=1.1 * (np.ones((3, 3)) - np.eye(3)))
        >>> int(crystal.near.sum())
        18
        """
        found = self._found(positions, cell, periodic)
        return self._joined([found], len(found.positions) if points is None else points, neighbours, 1, dtype)

    def batch(
        self,
        structures: Any,
        cells: Sequence[ArrayLike | None] | None = None,
        periodic: Sequence[ArrayLike | None] | None = None,
        *,
        points: int | None = None,
        neighbours: int | None = None,
        count: int | None = None,
        dtype: DTypeLike | None = None,
    ) -> Cloud:
        """Several structures as one cloud, one after another, padded.

        structures: a list of positions (n_s, d), or of what `edges` gave for them, or `it.data.Structures`.
        cells, periodic: of each, as of `cloud`. points, neighbours: sizes to pad to; by default the sum of
        all n_s and the most neighbours of a point, both rounded up as in `cloud`. count: of structures to pad
        to, by default as many as there are. With `nearest` = k the places for neighbours are k,
        and `neighbours` is how often a point may be a neighbour.

        Raises InputError as `cloud`, and for structures larger than the padding.

        >>> both = Points(2.0).batch([np.zeros((1, 3)), np.eye(3)], points=8)
        >>> both.structure.tolist(), both.real.sum().tolist(), both.structures
        ([0, 1, 1, 1, 1, 1, 1, 1], 4, 2)
        """
        if hasattr(structures, "offsets"):
            structures, cells, periodic = _parts(structures)
        if not hasattr(structures, "__len__") or not len(structures):
            got = "none" if hasattr(structures, "__len__") else structures
            raise fail("structures", "a list of the positions of one structure or more", got)
        for argument, given in (("cells", cells), ("periodic", periodic)):
            if given is not None and len(given) != len(structures):
                raise fail(argument, f"one for each of {len(structures)} structures", f"{len(given)}")
        found = []
        for s, one in enumerate(structures):
            box = None if cells is None else cells[s], None if periodic is None else periodic[s]
            found.append(one if isinstance(one, Edges) else self._found(one, *box))
        total = sum(len(one.positions) for one in found)
        size = rung(total) if points is None else points
        return self._joined(found, size, neighbours, len(found) if count is None else count, dtype)

    def _joined(
        self,
        found: list[Edges],
        points: int,
        neighbours: int | None,
        count: int,
        dtype: DTypeLike | None,
    ) -> Cloud:
        widest = max(one.site.shape[1] for one in found)
        arriving = None
        if self.nearest is None:
            width = rung(widest) if neighbours is None else positive_int("neighbours", neighbours)
        else:
            width, deepest = self.nearest, max(one.back.shape[1] for one in found)
            arriving = rung(deepest) if neighbours is None else positive_int("neighbours", neighbours)
        return joined(
            found,
            self.reach,
            points=positive_int("points", points),
            neighbours=width,
            structures=positive_int("count", count),
            arriving=arriving,
            dtype=_precision(dtype),
        )

    def all_pairs(self, positions: Float[Array, "B n d"]) -> Cloud:
        """B clouds of n points each, every point in the places of every other: made inside compiled
        functions, for few points. Nothing is periodic.

        >>> cloud = Points(1.5).all_pairs(jnp.array([[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [2.0, 0.0, 0.0]]]))
        >>> cloud.near.tolist()
        [[True, False], [True, True], [False, True]]
        """
        return all_pairs(positions, self.cutoff, self.nearest)

    def check_cloud(self, cloud: object, x: Shaped[Field, "... n C"]) -> None:
        """InputError unless x (..., n, C) is a field on `cloud`, made by such `Points`."""
        if not isinstance(cloud, Cloud):
            raise fail("at", "the cloud that the field lives on", cloud, "points.cloud(positions) makes one")
        if cloud.dimension != self.dimension or cloud.reach != self.reach:
            got = f"one of cut-off {cloud.reach:g} in {cloud.dimension} dimensions"
            raise fail("at", f"a cloud of {self!r}", got, "make it with the points of the layer")
        if np.ndim(x) < 2 or np.shape(x)[-2] != cloud.points:
            got = f"shape {np.shape(x)}"
            remedy = "cloud.field(values) pads the values of a batch" if np.ndim(x) > 1 else ""
            raise fail("x", f"a field ({cloud.points}, C) on the points of the cloud", got, remedy)

    # what the law asks

    def act(
        self, element: Motion | ArrayLike, field: Shaped[Field, "... C"], rep: AnyRep
    ) -> Shaped[Field, "... C"]:
        """g f of fields (..., n, C) of type `rep`, of (..., n, d + C) with positions before the channels, or
        of values (S, C) of whole structures. element: a `Motion`, or an orthogonal matrix (d, d).

        InputError for another number of channels or of points.

        >>> points = Points(1.0)
        >>> turned = points.act(-np.eye(3), np.ones((1, 4)), points.named_type("scalar + vector"))
        >>> turned.round(12).tolist()
        [[1.0, -1.0, -1.0, -1.0]]
        """
        element = self.turns.motion(element)
        d, channels = self.dimension, np.shape(field)[-1]
        if channels not in (rep.dimension, d + rep.dimension) or rep.group != self.fibre_group:
            expected = (
                f"{rep.dimension} channels of a type of {self.fibre_group!r}, or {d} coordinates and these"
            )
            raise fail("field", expected, f"shape {np.shape(field)}, {rep!r}")
        kept = np.asarray(field)
        if element.order is not None and kept.ndim > 2:
            if len(element.order) != kept.shape[-2]:
                raise fail("element", f"an order of {kept.shape[-2]} points", f"{len(element.order)}")
            kept = kept[..., np.asarray(element.order), :]
        turned = kept[..., channels - rep.dimension :] @ self.matrix(element, rep).T.astype(kept.dtype)
        if channels == rep.dimension:
            return turned
        moved = kept[..., :d] @ np.asarray(element.rotation).T.astype(kept.dtype) + np.asarray(
            element.shift, kept.dtype
        )
        return np.concatenate([moved, turned], -1)

    def random_elements(self, count: int, *, key: Array, points: int | None = _DRAWN) -> Sequence[Motion]:
        """Motions with uniform rotations (every second one reflects, where H does), shifts of the size of
        the cut-off, and orders of so many points."""
        return self.turns.random(count, self.reach, points, key=key)

    def random_field(
        self, rep: AnyRep, batch: int, *, key: Array, points: int = _DRAWN
    ) -> Float[np.ndarray, "B n dC"]:
        """Random points with neighbours and without, and normal numbers: (batch, points, d + C)."""
        places, values = jax.random.split(key)
        draw = np.random.default_rng(np.asarray(jax.random.key_data(places)).ravel())
        x = np.stack([_apart(draw, points, self.dimension, self.reach) for _ in range(batch)])
        f = np.asarray(jax.random.normal(values, (batch, points, rep.dimension)))
        return np.concatenate([x.astype(f.dtype), f], -1)

    def element_name(self, element: Motion | ArrayLike) -> str:
        """What errors call a motion."""
        return motion_name(self.turns.motion(element))

    @property
    def usual_mistakes(self) -> tuple[Mistake, ...]:
        """What `assert_equivariant` looks for."""
        return (polar_mistake(),) if self.linear is None and self.dimension == 3 else ()

    def reason(self, function: Callable[[Any], Any], x: np.ndarray, rep_in: AnyRep, rep_out: AnyRep) -> str:
        """Which part of a motion a function does not commute with, "" where that is not found."""
        return reason(self, function, x, rep_in, rep_out)

    def __repr__(self) -> str:
        words = [] if self.cutoff is None else [f"{self.cutoff:g}"]
        words += [] if self.nearest is None else [f"nearest={self.nearest}"]
        group = self.group
        name = group.name if isinstance(group, CompactGroup) or group.name else f"{group.order} elements"
        return f"Points({', '.join([*words, f'group={name!r}'])})"


def _precision(dtype: DTypeLike | None) -> DTypeLike:
    """A type of real numbers, by default JAX's."""
    found = jnp.zeros((), float).dtype if dtype is None else jnp.dtype(dtype)
    if not jnp.issubdtype(found, jnp.floating):
        raise fail("dtype", "a type of real numbers such as 'float32'", str(found))
    return found


def _parts(structures: Any) -> tuple[list[np.ndarray], Any, Any]:
    """Positions of each structure, cells and periods, of `Structures`."""
    ends = np.asarray(structures.offsets)
    positions = np.asarray(structures.positions)
    parts = [positions[a:b] for a, b in pairwise(ends)]
    return parts, structures.cells, None if structures.cells is None else structures.periodic


def _apart(draw: np.random.Generator, count: int, dimension: int, reach: float) -> np.ndarray:
    """Points in a box in which a few lie within `reach` of each, none on top of another."""
    width = reach * (count / 2) ** (1 / dimension)
    for least in (0.3, 0.2, 0.1, 0.0):
        x = np.zeros((0, dimension))
        for _ in range(200):
            new = draw.uniform(-width / 2, width / 2, (1, dimension))
            if not len(x) or np.linalg.norm(x - new, axis=1).min() > least * reach:
                x = np.concatenate([x, new])
            if len(x) == count:
                return x
    raise AssertionError("points can always be drawn")
