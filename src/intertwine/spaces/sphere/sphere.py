r"""The sphere S² = SO(3)/SO(2) and fields of any spin on it.

G = SO(3), H = SO(2) the turns about the north pole n, G/H = S²: the point x = (θ, φ) is g n with the section
s_x = R_z(φ) R_y(θ), which carries the frame (e_x, e_y) at the pole to (e_θ, e_φ), south and east. A field of
type ρ is a section of G ×_H V, kept by its values in these frames; spin k, e^{ikψ}, is the complex number f_θ
+ i f_φ and the like, as two real components. The connection is that of Levi-Civita, which `calculus`
differentiates by.

By Peter and Weyl, fields of spin k are sums over l ≥ k of two copies (E, B) of D^l, and scalars over l ≥ 0 of
one: an intertwiner is a real matrix for each degree between the copies, the kernel that `Conv` learns.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from math import ceil

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.core import Tracer
from jax.typing import ArrayLike
from jaxtyping import Complex, Float, Shaped

from intertwine._checks import fail, finite_number, positive_int
from intertwine.spaces.protocols import Field, Mistake, Region
from intertwine.spaces.sphere import healpix
from intertwine.spaces.sphere.grids import Rings, default_shape, rings
from intertwine.spaces.sphere.kernels import kernels_of
from intertwine.spaces.sphere.rotation import euler_of, turn_coefficients
from intertwine.spaces.sphere.spins import channels_of_spins, checked_type
from intertwine.spaces.sphere.streamed import MOST_TABLED, streamed
from intertwine.spaces.sphere.tables import RingsKey, tables
from intertwine.spaces.sphere.transform import FEW, Products, analysis, ring_orders, ring_values, synthesis
from intertwine.symmetry import CompactGroup, CompactRep
from intertwine.symmetry.groups.rotations import random_rotations, rotation_angle, rotation_axis
from intertwine.symmetry.intertwiner_basis import Support

_ITERATIONS = 3
_TO_TURN = 20


@dataclass(frozen=True, init=False)
class Sphere:
    r"""Fields with degrees l < L on a grid of the sphere: arrays (..., rows, columns, C), rows from north to
    south, columns to the east; on "healpix" (..., pixels, C) in ring order.

    bandlimit: L. grid: "gauss", "driscoll-healy", "clenshaw-curtis" (both poles) or "healpix". size: (rows,
    columns), the fewest by default; of "healpix" N_side, by default L/2. first_longitude: of the first
    column, in radians.

    Raises InputError for other grids, and for those too coarse for the band limit.

    >>> sphere = Sphere(16)
    >>> sphere.shape, Sphere(240, "clenshaw-curtis").shape, Sphere(16, "healpix").shape
    ((16, 32), (241, 480), (768,))
    >>> field = np.cos(sphere.colatitudes)[:, None, None] * np.ones((16, 32, 1))      # z = √(4π/3) Y_10
    >>> coefficients = sphere.analysis(field)                                         # (l, m, channel)
    >>> bool(abs(coefficients[1, 0, 0] - (4 * np.pi / 3) ** 0.5) < 1e-5), coefficients.shape
    (True, (16, 16, 1))
    """

    bandlimit: int
    grid: str
    size: tuple[int, int]
    first_longitude: float

    executor = "intertwine.layers.executors.on_sphere:SphereExecutor"
    """What `Conv` computes with."""
    common_frame = False
    """Frames at different points are carried to one another by different turns."""
    maps_points = False
    """Rotations move points between the points."""
    group = CompactGroup("SO(3)")
    """G."""
    fibre_group = CompactGroup("SO(2)")
    """H."""

    def __init__(
        self,
        bandlimit: int,
        grid: str = "gauss",
        *,
        size: tuple[int, int] | int | None = None,
        first_longitude: float = 0.0,
    ):
        band_limit = positive_int("bandlimit", bandlimit, "the number of degrees l = 0, …, L − 1")
        fewest = default_shape(grid, band_limit)
        if size is None:
            rows, columns = fewest
        elif grid == "healpix":
            columns = positive_int("size", size, "N_side of healpix")
            rows = 4 * columns - 1
            fewest = (0, -(-band_limit // 3))
        else:
            if not isinstance(size, tuple) or len(size) != 2:
                raise fail("size", "(rows, columns)", size)
            rows, columns = (positive_int("size", n) for n in size)
            fewest = (fewest[0], 2 * band_limit - 1)
        if rows < fewest[0] or columns < fewest[1]:
            got = f"N_side {columns}" if grid == "healpix" else f"{rows} × {columns}"
            need = (
                f"N_side ≥ {fewest[1]}" if grid == "healpix" else f"at least {fewest[0]} × {fewest[1]} points"
            )
            remedy = "take a lower bandlimit, or a finer grid"
            raise fail("size", f"{need} for degrees below {band_limit} on {grid!r}", got, remedy)
        if grid == "healpix" and first_longitude:
            raise fail("first_longitude", "0 on healpix, whose points stand fast", first_longitude)
        for name, value in (
            ("bandlimit", band_limit),
            ("grid", grid),
            ("size", (int(rows), int(columns))),
            ("first_longitude", finite_number("first_longitude", first_longitude, "in radians")),
        ):
            object.__setattr__(self, name, value)

    @property
    def axes(self) -> int:
        """Two, of rows and columns; one on "healpix"."""
        return 1 if self.grid == "healpix" else 2

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of a field's axes before its channels."""
        return (12 * self.size[1] ** 2,) if self.grid == "healpix" else self.size

    @property
    def rings(self) -> Rings:
        """The rings of points, north to south."""
        return rings(self.grid, *self.size, self.first_longitude)

    @property
    def colatitudes(self) -> Float[np.ndarray, " rows"]:
        """θ of each ring, in radians."""
        return self.rings.theta

    @cached_property
    def points(self) -> Float[np.ndarray, "*shape 2"]:
        """(θ, φ) of every point, in radians."""
        found = self.rings
        theta = np.repeat(found.theta, found.lengths)
        phi = [
            first + 2 * np.pi * np.arange(n) / n for first, n in zip(found.first, found.lengths, strict=True)
        ]
        return np.stack([theta, np.concatenate(phi)], axis=-1).reshape(*self.shape, 2)

    @cached_property
    def measure(self) -> Float[np.ndarray, "*shape"]:
        """The share of the area of each point: Σ measure f is the mean of f."""
        found = self.rings
        return np.repeat(found.weights / (2 * found.lengths), found.lengths).reshape(self.shape)

    @property
    def scalar(self) -> CompactRep:
        """Fields of numbers."""
        return self.fibre_group.irrep(0)

    @property
    def vector(self) -> CompactRep:
        """Tangent vectors, components (south, east)."""
        return self.fibre_group.irrep(1)

    def spin(self, k: int) -> CompactRep:
        """Fields of spin k, (Re, Im)."""
        return self.fibre_group.irrep(k)

    def at(self, bandlimit: int, *, oversampling: float = 1.0) -> Sphere:
        """The sphere with another band limit, on the same kind of grid, `oversampling` times as fine as need
        be.

        >>> Sphere(16).at(8), Sphere(16).at(16, oversampling=2).shape
        (Sphere(8, 'gauss'), (32, 64))
        """
        finer = Sphere(max(1, ceil(bandlimit * oversampling - 1e-9)), self.grid)  # its grid
        size = finer.size[1] if self.grid == "healpix" else finer.size
        return Sphere(bandlimit, self.grid, size=size, first_longitude=self.first_longitude)

    def limited(self, bandlimit: int) -> Sphere:
        """The same points, for fields with degrees below another band limit.

        >>> Sphere(16).limited(8).shape
        (16, 32)
        """
        size = self.size[1] if self.grid == "healpix" else self.size
        return Sphere(bandlimit, self.grid, size=size, first_longitude=self.first_longitude)

    def _products(self, spin: int, dtype: np.dtype, fields: int) -> Products:
        key = RingsKey(self.grid, *self.size, self.grid == "clenshaw-curtis")
        made = tables if self.bandlimit <= MOST_TABLED else streamed
        return made(key, self.bandlimit, spin, np.dtype(dtype).name, fields <= FEW)

    def analysis(
        self,
        field: Shaped[Field, "... C"],
        rep: CompactRep | str | None = None,
        *,
        mask: ArrayLike | None = None,
        iterations: int | None = None,
    ) -> Complex[Array, "... l m C"]:
        """Coefficients (..., l, m, C) of fields (..., *shape, C), l, m = 0, …, L − 1, zero for m > l.

        rep: the type, a representation or its name; scalars by default. The components of a copy of spin k
        become its potentials (E, B), f_lm = E_lm + i B_lm, each of them with the coefficients of a real
        field, E_{l,−m} = (−1)^m E_lm*. mask: (*shape), from 0 to 1: the field counts times it, and may be NaN
        where it is 0; the transform stays linear. iterations: of "healpix", whose sums are approximate (3, as
        healpy).

        Exact for fields with degrees below L; on "healpix" to the iterations.
        """
        rep = checked_type(self, rep)
        x = self._checked(field, rep)
        if mask is not None:
            share = jnp.asarray(mask, x.dtype)
            if share.shape != self.shape:
                raise fail("mask", f"shape {self.shape}", f"shape {share.shape}")
            x = jnp.where(share[..., None] > 0, x * share[..., None], 0)
        if not isinstance(x, Tracer) and not np.isfinite(np.asarray(x)).all():
            raise fail("field", "finite numbers", "nan or infinite ones", "give a mask with 0 there")
        again = _ITERATIONS if iterations is None else int(iterations)
        found = self._analysed(x, rep)
        if self.grid != "healpix" or again == 0:
            return found

        def improved(_: int, found: Array) -> Array:
            return found + self._analysed(x - self.synthesis(found, rep), rep)

        return lax.fori_loop(0, again, improved, found)

    def synthesis(
        self, coefficients: Complex[Field, "... l m C"], rep: CompactRep | str | None = None
    ) -> Float[Array, "... C"]:
        """Fields (..., *shape, C) from coefficients (..., l, m, C): the inverse of `analysis`. Imaginary
        parts at m = 0, and what stands at m > l or l < k, do not count."""
        rep = checked_type(self, rep)
        c = jnp.asarray(coefficients)
        expected = (self.bandlimit, self.bandlimit, rep.dimension)
        if c.shape[-3:] != expected:
            raise fail("coefficients", f"shape (..., {', '.join(map(str, expected))})", f"shape {c.shape}")
        c = c if jnp.iscomplexobj(c) else c.astype(jnp.result_type(c.dtype, jnp.complex64))
        lead = c.shape[:-3]
        flat = c.reshape(-1, *expected)
        parts, places = [], []
        for k, channels in channels_of_spins(rep).items():
            part = _taken(flat, channels).transpose(1, 2, 0, 3).reshape(*expected[:2], -1)
            products = self._products(k, part.real.dtype, part.shape[-1])
            orders = synthesis(part, k, products, self.size[0])
            if self.grid == "healpix" and not products.few:
                orders = orders.swapaxes(0, 1)
            parts.append(self._out(self._values(orders), len(flat), len(channels)))
            places.append(channels)
        return _joined(parts, places).reshape(*lead, *self.shape, rep.dimension)

    def _analysed(self, x: Array, rep: CompactRep) -> Array:
        lead = x.shape[: x.ndim - 1 - self.axes]
        flat = x.reshape(-1, *x.shape[x.ndim - 1 - self.axes :])
        parts, places = [], []
        for k, channels in channels_of_spins(rep).items():
            products = self._products(k, x.dtype, len(flat) * len(channels))
            part = analysis(self._orders(_taken(flat, channels)), k, products, self.bandlimit)
            shaped = part.reshape(*part.shape[:2], len(flat), len(channels))
            parts.append(shaped.transpose(2, 0, 1, 3))
            places.append(channels)
        return _joined(parts, places).reshape(*lead, self.bandlimit, self.bandlimit, rep.dimension)

    def _orders(self, x: Array) -> Array:
        """(N, *shape, C) → Fourier coefficients (rings, N·C, m), of few fields (N·C, rings, m)."""
        few = len(x) * x.shape[-1] <= FEW
        if self.grid == "healpix":
            flat = x.transpose(0, 2, 1).reshape(-1, x.shape[1])
            found = healpix.pixel_orders(flat, self.size[1], self.bandlimit)
            return found if few else found.swapaxes(0, 1)
        if few:
            rows = jnp.moveaxis(x, -1, 1).reshape(-1, *self.shape)
        else:
            rows = x.transpose(1, 0, 3, 2).reshape(self.size[0], -1, self.size[1])
        found = ring_orders(rows, self.bandlimit)
        return found * self._phases(found.dtype) if self.first_longitude else found

    def _values(self, orders: Array) -> Array:
        """Points in place of orders: columns, or of (N·C, rings, m) pixels in place of both."""
        if self.grid == "healpix":
            return healpix.pixel_values(orders, self.size[1])
        if self.first_longitude:
            orders = orders * self._phases(orders.dtype).conj()
        return ring_values(orders, self.size[1])

    def _out(self, values: Array, fields: int, channels: int) -> Array:
        """Values on (N·C, *shape), or of more fields (rows, N·C, columns) → (N, *shape, C)."""
        if self.grid == "healpix" or fields * channels <= FEW:
            return jnp.moveaxis(values.reshape(fields, channels, *self.shape), 1, -1)
        rows, columns = self.size
        return values.reshape(rows, fields, channels, columns).transpose(1, 0, 3, 2)

    def _phases(self, dtype: np.dtype) -> np.ndarray:
        return np.exp(-1j * np.arange(self.bandlimit) * self.first_longitude).astype(dtype)

    def _checked(self, field: Field, rep: CompactRep) -> Array:
        x = jnp.asarray(field)
        x = x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(float)
        x = x.astype(jnp.promote_types(x.dtype, jnp.float32))  # half precision has no Fourier transform
        if x.shape[-1 - self.axes :] != (*self.shape, rep.dimension) or jnp.iscomplexobj(x):
            wanted = ", ".join(map(str, (*self.shape, rep.dimension)))
            got = f"shape {x.shape}, {x.dtype}"
            raise fail("field", f"real fields (..., {wanted}) of type {rep!r}", got)
        return x

    def rotate(
        self, rotation: ArrayLike, field: Shaped[Field, "... C"], rep: CompactRep | str | None = None
    ) -> Float[Array, "... C"]:
        """(g f)(x) = f(g⁻¹ x), frames carried along, of fields with degrees below L; exact.

        rotation: (3, 3). On "healpix" to the accuracy of analysis, with 20 iterations.

        >>> from intertwine.symmetry.groups.rotations import euler_rotation
        >>> sphere = Sphere(4)
        >>> theta, phi = np.moveaxis(sphere.points, -1, 0)
        >>> z, x = np.cos(theta), np.sin(theta) * np.cos(phi)
        >>> turned = sphere.rotate(euler_rotation(0.0, np.pi / 2, 0.0), z[..., None])   # the north pole to x
        >>> bool(np.abs(turned[..., 0] - x).max() < 1e-5)
        True
        """
        rep = checked_type(self, rep)
        return _turned(self, rep, self._checked(field, rep), euler_of(rotation))

    def act(
        self, element: Float[np.ndarray, "3 3"], field: Shaped[Field, "... C"], rep: CompactRep
    ) -> Shaped[Field, "... C"]:
        """g f of fields of type `rep`: `rotate`."""
        return self.rotate(element, field, rep)

    def support(self, region: Region) -> Support:
        """There is no finite support: kernels are `kernel_basis`."""
        raise fail("space", "a space of a finite group", self, "its kernels are kernel_basis")

    def kernel_basis(
        self, into: CompactRep, out: CompactRep, region: Region
    ) -> Float[np.ndarray, "count l d_in d_out"]:
        """A basis of the intertwiners from one spin to another, real matrices (d_in, d_out) for each degree
        between the potentials: `kernels.kernels_of`."""
        return kernels_of(self.bandlimit, into.irreps[0][0].frequency, out.irreps[0][0].frequency, region)

    def random_elements(self, count: int, *, key: Array) -> Float[np.ndarray, "count 3 3"]:
        """Uniform rotations."""
        return random_rotations(count, key=key)

    def element_on(self, other: Sphere, element: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "3 3"]:
        """The same rotation on another sphere."""
        return element

    def element_name(self, element: Float[np.ndarray, "3 3"]) -> str:
        """ "turn by 90° about (0, 0, 1)" and the like."""
        angle, axis = np.degrees(float(rotation_angle(element))), rotation_axis(element)
        if angle < 1e-6:
            return "no turn"
        return f"turn by {angle:.3g}° about ({', '.join(f'{a + 0.0:.3g}' for a in axis.round(9))})"

    def random_coefficients(
        self, rep: CompactRep | str | None, batch: int, *, key: Array
    ) -> Complex[Array, "batch l m C"]:
        """Gaussian noise with an equal share of every degree below L, of variance 1 at each point: a spectrum
        C_l ∝ 1/(2l + 1)."""
        rep = checked_type(self, rep)
        n = self.bandlimit
        parts = jax.random.normal(key, (2, batch, n, n, rep.dimension))
        l, m = np.arange(n)[:, None], np.arange(n)  # noqa: E741
        kept = np.zeros((n, n, rep.dimension))
        for k, channels in channels_of_spins(rep).items():
            share = 2 * np.pi / (max(n - k, 1) * (2 * l + 1))
            sizes = np.where((m <= l) & (l >= k), share**0.5, 0.0)
            kept[:, :, channels] = sizes[..., None]
        real = parts[0] * jnp.where(m == 0, 2**0.5, 1.0)[:, None]
        return (real + 1j * parts[1] * jnp.where(m == 0, 0.0, 1.0)[:, None]) * kept

    def random_field(
        self, rep: CompactRep | str | None, batch: int, *, key: Array
    ) -> Float[Array, "batch ... C"]:
        """Fields of `random_coefficients`, (batch, *shape, C)."""
        rep = checked_type(self, rep)
        return _synthesised(self, rep, self.random_coefficients(rep, batch, key=key))

    @cached_property
    def usual_mistakes(self) -> tuple[Mistake, ...]:
        """What fields from files are often mixed up in: the axes of vectors, the order of the rows."""
        swap = Mistake(
            "u and v exchanged: the components of vectors should be (south, east)", _exchanged, _exchanged
        )
        if self.grid == "healpix":
            return (swap,)

        def reversed_rows(x: np.ndarray, rep: CompactRep) -> np.ndarray:
            return np.flip(x, -3)

        words = "latitudes reversed: rows should go from north to south"
        return swap, Mistake(words, reversed_rows, reversed_rows)

    def __repr__(self) -> str:
        size = self.size[1] if self.grid == "healpix" else self.size
        plain = self.size == default_shape(self.grid, self.bandlimit)
        more = "" if plain else f", size={size}"
        more += f", first_longitude={self.first_longitude:.6g}" if self.first_longitude else ""
        return f"Sphere({self.bandlimit}, {self.grid!r}{more})"


@partial(jax.jit, static_argnums=(0, 1))
def _turned(space: Sphere, rep: CompactRep, field: Array, angles: Array) -> Array:
    found = space.analysis(field, rep, iterations=_TO_TURN)
    return space.synthesis(turn_coefficients(found, angles), rep)


_synthesised = partial(jax.jit, static_argnums=(0, 1))(lambda space, rep, c: space.synthesis(c, rep))


def _exchanged(x: np.ndarray, rep: CompactRep) -> np.ndarray:
    """The two components of every vector the other way round."""
    order, start = np.arange(rep.dimension), 0
    for part, m in rep.blocks:
        stop = start + m * part.dimension
        if part.dimension == 2:
            order[start:stop] = order[start:stop].reshape(-1, 2)[:, ::-1].reshape(-1)
        start = stop
    return np.asarray(x)[..., order]


def _taken(x: Array, channels: np.ndarray) -> Array:
    """x[..., channels], without a gather where they are neighbours."""
    first, count = int(channels[0]), len(channels)
    if (channels == np.arange(first, first + count)).all():
        return x if count == x.shape[-1] else x[..., first : first + count]
    return x[..., channels]


def _joined(parts: list[Array], places: list[np.ndarray]) -> Array:
    """Channels of several spins in their order."""
    if len(parts) == 1:
        return parts[0]
    joined, order = jnp.concatenate(parts, axis=-1), np.argsort(np.concatenate(places))
    return joined if (order == np.arange(len(order))).all() else joined[..., order]
