r"""Grids Z^d = (Z^d ⋊ H)/H: images, lines and volumes with a point group H, and fields on them.

A field is an array (..., X_0, …, X_{d−1}, C), channels last: at each point a vector of the representation
ρ of H. An element h acts by (h f)(x) = ρ(h) f(h⁻¹ x) about the centre of the array, (X − 1)/2 along each
axis. Coordinates are array axes: point n is at Σ_a n_a a_a, with the lattice vectors a_a; vectors have
Cartesian components, of which component 0 points along e_0 (axis 0 of a square grid). The section G → G/H
is the translations, so that the cocycle is h(t h', x) = h', the same at every point: on a grid the fibre
just turns.

Where an element maps the lattice to itself its action is exact. Where it does not (turns by 45° on a
square grid), kernels are made of rings of width `width` and radius r = 0, scale, 2·scale, … with angular
frequencies up to `band_limit`·r/scale (Weiler & Cesa, NeurIPS 2019), equivariant up to how finely the
grid samples them, and the action on arrays is interpolated.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Int, Shaped
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int
from intertwine.spaces.point_groups import PointGroup, point_group, turned_waves
from intertwine.spaces.protocols import Field
from intertwine.symmetry import FiniteGroup, Rep, trivial
from intertwine.symmetry.intertwiner_basis import Orbits, Support

if TYPE_CHECKING:
    from intertwine.spaces.protocols import Region

_EXACT = 1e-9


class Window(NamedTuple):
    """A box of kernel taps. shape: of the box. taps: int (n,) which of its cells are in the support.

    offsets: (n, d) their displacements in lattice units, half-integers along even widths.
    """

    shape: tuple[int, ...]
    taps: np.ndarray
    offsets: np.ndarray


class Grid:
    r"""Z^d with a point group H.

    group: a name (`point_groups.NAMES`, such as "p4m", "p6", "c8", "line:m", "cubic:oh"), or a
        `FiniteGroup` with `matrices` (h, d, d), orthogonal, in the order of its elements, and `cell` (d,
        d), rows the lattice vectors (the unit vectors by default).
    scale, width, band_limit: of the kernels of elements that do not map the lattice to itself: distance
        of the rings and their Gaussian width in units of the lattice, and angular frequencies a unit of
        radius.

    Raises InputError for unknown names and for matrices that are no orthogonal representation.

    >>> grid = Grid("p4m")
    >>> grid.group.order, grid.dimension, grid.exact
    (8, 2, True)
    >>> Grid("c8").exact_elements.tolist()
    [True, False, True, False, True, False, True, False]
    """

    executor = "intertwine.layers.executors.on_grid:GridExecutor"
    """What `Conv` computes with."""
    common_frame = True
    """The fibre at every point is turned alike."""
    shape = None
    """Arrays may have any size."""

    def __init__(
        self,
        group: str | FiniteGroup = "p4",
        *,
        matrices: ArrayLike | None = None,
        cell: ArrayLike | None = None,
        scale: float = 1.0,
        width: float = 0.6,
        band_limit: float = 2.0,
    ):
        for name, value in (("scale", scale), ("width", width), ("band_limit", band_limit)):
            if not (isinstance(value, int | float) and 0 < value < 100):
                raise fail(name, "a positive number below 100", value)
        if isinstance(group, str):
            if matrices is not None or cell is not None:
                raise fail("matrices", "None where the group is a name", "matrices or cell")
            made = point_group(group)
        else:
            made = _own(group, matrices, cell)
        self.name = group if isinstance(group, str) else made.group.name
        self.group, self.linear, self.cell = made
        self.scale, self.width, self.band_limit = float(scale), float(width), float(band_limit)
        steps = np.linalg.solve(self.cell.T, self.linear @ self.cell.T)
        whole = np.rint(steps)
        self.exact_elements: Bool[np.ndarray, " h"] = np.abs(steps - whole).max(axis=(1, 2)) < _EXACT
        self.steps: Int[np.ndarray, "h d d"] = whole.astype(np.int64)
        """What an exact element does to lattice coordinates (columns)."""
        self.exact = bool(self.exact_elements.all())
        """Whether every element maps the lattice to itself."""
        self.hexagonal = self.dimension == 2 and bool(abs(abs(self.cell[0] @ self.cell[1]) - 0.5) < 1e-9)
        """Whether the lattice is the triangular one, whose windows are hexagons."""
        if not self.exact and self.dimension != 2:
            raise fail(
                "matrices", "matrices that map the lattice to itself for d ≠ 2", "others", "use a subgroup"
            )

    @property
    def dimension(self) -> int:
        """d."""
        return len(self.cell)

    @property
    def axes(self) -> int:
        """The axes of a field before its channels: d."""
        return self.dimension

    @property
    def fibre_group(self) -> FiniteGroup:
        """H, the point group."""
        return self.group

    @cached_property
    def scalar(self) -> Rep:
        """The trivial representation of H: fields of numbers."""
        return trivial(self.group)

    @cached_property
    def vector(self) -> Rep:
        """H's matrices on R^d: fields of vectors with Cartesian components."""
        return Rep(self.group, self.linear, "vector")

    def harmonic(self, k: int) -> Rep:
        """The functions (cos kθ, sin kθ) of the direction, φ(h y) = F(h) φ(y), on planar grids; 1 for k = 0.

        >>> Grid("p4").harmonic(1) == Grid("p4").vector
        True
        """
        if self.dimension != 2:
            raise fail("k", "a planar grid, whose directions are angles", f"{self.dimension} dimensions")
        if k == 0:
            return self.scalar
        return Rep(self.group, turned_waves(self.linear, k), f"harmonic {k}")

    # ---- kernels

    def window(self, region: Region) -> Window:
        """The taps of a kernel: of a width k or widths (k_0, …, k_{d−1}) (a hexagon on a triangular
        lattice), or of a list of displacements (n, d) in lattice units.

        >>> Grid("p6").window(3).offsets.astype(int).tolist()
        [[-1, 0], [-1, 1], [0, -1], [0, 0], [0, 1], [1, -1], [1, 0]]
        """
        d = self.dimension
        given: Any = region
        if np.ndim(given) == 2:
            return _listed(np.asarray(given, float), d)
        widths = (given,) * d if np.ndim(given) == 0 else tuple(given)
        if len(widths) != d:
            raise fail("support", f"a width, {d} widths, or displacements of shape (n, {d})", region)
        shape = tuple(
            positive_int("support", k, "the width of the kernel's window, for example 3") for k in widths
        )
        offsets = np.indices(shape).reshape(d, -1).T - (np.array(shape) - 1) / 2
        taps = np.arange(len(offsets))
        if self.hexagonal and len(set(shape)) == 1:
            if shape[0] % 2 == 0:
                raise fail(
                    "support", "an odd width on a triangular lattice", region, "the kernel is a hexagon"
                )
            inside = np.abs(offsets.sum(axis=1)) <= (shape[0] - 1) / 2
            taps, offsets = taps[inside], offsets[inside]
        return Window(shape, taps, offsets)

    def support(self, region: Region) -> Support:
        """What `intertwiners` needs to know of a window; InputError where H does not map it to itself."""
        window = self.window(region)
        if not self.exact:
            return self._harmonics(window)
        doubled = np.rint(2 * window.offsets).astype(np.int64)
        place = {tuple(x): i for i, x in enumerate(doubled)}
        images = np.einsum("hij,nj->hni", self.steps, doubled)
        action = np.array([[place.get(tuple(x), -1) for x in image] for image in images], dtype=np.int32)
        if (action < 0).any():
            h = int(np.argmax((action < 0).any(axis=1)))
            remedy = "use equal widths, or a list of displacements with all their images"
            raise fail(
                "support",
                f"a window that {self.name} maps to itself",
                f"{region!r}: element {h} does not",
                remedy,
            )
        transport = np.broadcast_to(np.arange(self.group.order, dtype=np.int32)[:, None], action.shape)
        return Support(self.group, self.group, (Orbits(action, np.ascontiguousarray(transport)),))

    def _harmonics(self, window: Window) -> Support:
        """Rings times angular functions, sampled at the taps."""
        points = window.offsets @ self.cell / self.scale
        radius, angle = np.hypot(*points.T), np.arctan2(points[:, 1], points[:, 0])
        reach = (min(window.shape) - 1) / 2 / self.scale
        edge = reach + 0.5 / self.scale
        taper = np.cos(0.5 * np.pi * np.clip(radius - edge + 1, 0, 1)) ** 2  # smooth, 0 outside the circle
        transport = np.arange(self.group.order, dtype=np.int32)[:, None]
        still = np.zeros((self.group.order, 1), np.int32)
        kinds, columns = [], []
        for ring in range(int(reach + 1e-9) + 1):
            profile = np.exp(-((radius - ring) ** 2) / (2 * (self.width / self.scale) ** 2))
            profile = profile * taper
            for m in range(int(self.band_limit * ring) + 1):
                kinds.append(Orbits(still, transport, None if m == 0 else self.harmonic(m).matrices))
                at_centre = np.where((radius < 1e-9) & (m > 0), 0.0, profile)
                columns += (
                    [at_centre] if m == 0 else [at_centre * np.cos(m * angle), at_centre * np.sin(m * angle)]
                )
        return Support(self.group, self.group, tuple(kinds), np.array(columns).T)

    # ---- the action on fields

    def sources(
        self, element: int, shape: tuple[int, ...], periodic: bool = False
    ) -> Int[np.ndarray, " sites"]:
        """For each point x of an array of `shape` (flat, row-major) the point h⁻¹ x; −1 outside the array.

        Raises InputError where h does not map the lattice, or this array's points, to lattice points.
        """
        if not self.exact_elements[element]:
            raise fail(
                "element", "one that maps the lattice to itself", element, "use act, which interpolates"
            )
        back = self.steps[self.group.inverse[element]]
        twice_centre = np.array(shape) - 1
        doubled = (2 * np.indices(shape).reshape(self.dimension, -1).T - twice_centre) @ back.T + twice_centre
        if (doubled % 2).any():
            got = f"shape {shape}"
            remedy = "use odd sizes" if self.hexagonal else "use odd sizes, or equal ones"
            raise fail("shape", "an array whose centre the group fixes", got, remedy)
        points = doubled // 2
        if periodic:
            points = points % np.array(shape)
        inside: Any = ((points >= 0) & (points < np.array(shape))).all(axis=1)
        flat = np.ravel_multi_index(tuple(np.where(inside[:, None], points, 0).T), shape)
        return np.where(inside, flat, -1)

    def mask(self, shape: tuple[int, ...]) -> Bool[np.ndarray, "..."]:
        """Which points of an array stay inside under every exact element: a hexagon on a triangular
        lattice.

        >>> Grid("p6").mask((3, 3)).astype(int).tolist()
        [[0, 1, 1], [1, 1, 1], [1, 1, 0]]
        """
        elements = np.flatnonzero(self.exact_elements)
        kept = np.all([self.sources(int(h), shape) >= 0 for h in elements], axis=0)
        return kept.reshape(shape)

    def act(
        self, element: int, field: Shaped[Field, "... C"], rep: Rep, *, periodic: bool = False
    ) -> Shaped[Field, "... C"]:
        """(h f)(x) = ρ(h) f(h⁻¹ x) of fields (..., X_0, …, C), NumPy or JAX; cubic interpolation (NumPy)
        where h does not map the lattice to itself. Points from outside the array count 0.

        >>> p4 = Grid("p4")
        >>> p4.act(1, np.array([[1.0, 2.0], [3.0, 4.0]])[..., None], p4.scalar)[..., 0].tolist()
        [[2.0, 4.0], [1.0, 3.0]]
        """
        d = self.dimension
        if np.ndim(field) < d + 1 or np.shape(field)[-1] != rep.dimension or rep.group != self.group:
            expected = (
                f"shape (..., {', '.join('X' + str(a) for a in range(d))}, {rep.dimension}) and a rep of H"
            )
            raise fail("field", expected, f"shape {np.shape(field)}, {rep!r}")
        shape = tuple(np.shape(field)[-1 - d : -1])
        matrix = rep.matrix(element)
        if not self.exact_elements[element]:
            from intertwine.spaces.interpolation import turned

            return turned(np.asarray(field), self.linear[element], self.cell) @ matrix.T
        sources = self.sources(element, shape, periodic)
        flat = field.reshape(*np.shape(field)[: -1 - d], -1, rep.dimension)
        moved = flat[..., np.maximum(sources, 0), :] * (sources >= 0)[:, None].astype(flat.dtype)
        return (moved @ matrix.T.astype(flat.dtype)).reshape(np.shape(field))

    # ---- identity

    @cached_property
    def _content(self) -> tuple[Any, ...]:
        numbers = (self.linear.round(9) + 0.0).tobytes(), (self.cell.round(9) + 0.0).tobytes()
        return self.group, *numbers, self.scale, self.width, self.band_limit

    def __hash__(self) -> int:
        return hash(self._content)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Grid) and self._content == other._content

    def __repr__(self) -> str:
        return f"Grid({self.name!r})"


def _own(group: object, matrices: ArrayLike | None, cell: ArrayLike | None) -> PointGroup:
    if not isinstance(group, FiniteGroup) or matrices is None:
        raise fail("group", "a name, or a FiniteGroup with its matrices", group, 'for example Grid("p4m")')
    vector = Rep(group, matrices, "vector")
    if not vector.is_orthogonal:
        raise fail("matrices", "orthogonal matrices", "others", "give them on Cartesian components")
    d = vector.dimension
    rows = np.eye(d) if cell is None else np.asarray(cell, float)
    if rows.shape != (d, d) or abs(np.linalg.det(rows)) < 1e-9:
        raise fail("cell", f"{d} independent lattice vectors ({d}, {d})", f"shape {rows.shape}")
    return PointGroup(group, vector.matrices, rows)


def _listed(offsets: np.ndarray, d: int) -> Window:
    if offsets.shape[1] != d or not np.array_equal(2 * offsets, np.rint(2 * offsets)):
        raise fail("support", f"displacements (n, {d}), whole or half-integers", f"shape {offsets.shape}")
    half = (offsets - offsets[:1]) % 1
    if half.any() or len(np.unique(offsets, axis=0)) < len(offsets):
        raise fail("support", "distinct displacements that differ by whole lattice steps", offsets.tolist())
    reach = np.abs(offsets).max(axis=0)
    shape = tuple(int(n) for n in np.rint(2 * reach + 1))
    taps: Any = np.ravel_multi_index(tuple(np.rint(offsets + reach).astype(int).T), shape)
    order: Any = np.argsort(taps)
    return Window(shape, taps[order], offsets[order])
