r"""Links of a periodic hypercubic lattice with values in a gauge group: a connection, in numbers.

    Ω(x) ∈ G: another frame at every site                 U_μ(x) ↦ Ω(x) U_μ(x) Ω(x + μ)†

The bundle is trivial over the sites, one copy of C^n (or of a representation of G) each; a gauge
transformation chooses other bases in all of them, and U_μ(x) carries what lives at x + μ to x (Wilson, Phys.
Rev. D 10, 2445, 1974). A configuration is an array (*extent, d, *element): U[x, μ] is the link from x to x +
μ, stored as `symmetry.groups.gauge_group` says. Functions take one configuration; callers `vmap`.

For layers the connection is a field as others are, real numbers (..., *extent, C) whose type is a `GaugeRep`,
carried along as the first channels: `links.field(U)` is of the type "links". With that `Links` is a space for
`Conv` and `assert_equivariant`; the group of the law are the gauge transformations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Int32, Shaped

from intertwine._checks import fail
from intertwine.spaces.lattice import Lattice
from intertwine.spaces.link_fields import numbers, together, transformed_field, type_of_names
from intertwine.spaces.link_mistakes import likely_mistake
from intertwine.symmetry.gauge_rep import GaugeRep, gauge_maps
from intertwine.symmetry.groups.gauge_group import GaugeGroup, gauge_group


@dataclass(frozen=True)
class Links:
    """The links of `lattice` with values in `group`.

    lattice: hypercubic with one site a cell, periodic, of two dimensions or more, with two sites or more in
    every direction: `it.Square`, `it.Cubic`, `it.Hypercubic`. group: "Z2" (or another Z_N), "U(1)", "SU(2)",
    "SU(3)", or a `GaugeGroup`.

    Raises InputError for other lattices and groups.

    >>> from intertwine.spaces.lattices import Square
    >>> links = Links(Square(4, 6), "SU(2)")
    >>> links.size, links.configuration_shape
    (48, (4, 6, 2, 4))
    """

    lattice: Lattice
    group: GaugeGroup

    def __init__(self, lattice: Lattice, group: str | GaugeGroup):
        object.__setattr__(self, "lattice", _checked(lattice))
        object.__setattr__(self, "group", gauge_group(group))

    @property
    def extent(self) -> tuple[int, ...]:
        """The sites along each direction."""
        return self.lattice.extent

    @property
    def dimension(self) -> int:
        """d, the number of directions."""
        return self.lattice.dimension

    @property
    def size(self) -> int:
        """The number of links, d for each site."""
        return prod(self.extent) * self.dimension

    @property
    def configuration_shape(self) -> tuple[int, ...]:
        """Of one configuration: (*extent, d, *element)."""
        return (*self.extent, self.dimension, *self.group.element)

    @property
    def planes(self) -> tuple[tuple[int, int], ...]:
        """The pairs of directions μ < ν."""
        d = self.dimension
        return tuple((mu, nu) for mu in range(d) for nu in range(mu + 1, d))

    def cold(self, dtype: DTypeLike = float) -> Shaped[Array, "..."]:
        """All links 1."""
        return self.group.identity((*self.extent, self.dimension), dtype)

    def hot(self, *, key: Array, dtype: DTypeLike = float) -> Shaped[Array, "..."]:
        """Independent random links."""
        return self.group.random(key, (*self.extent, self.dimension), dtype)

    def check(self, links: Shaped[Array | np.ndarray, "..."], argument: str = "links") -> None:
        """Raise `InputError` unless `links` is one configuration: its shape, its type and, where its values
        are known, elements of the group.

        >>> from intertwine.spaces.lattices import Square
        >>> Links(Square(2, 2), "U(1)").check(jnp.zeros((2, 2)))
        Traceback (most recent call last):
        ...
        intertwine._checks.InputError: links: expected one configuration of shape (2, 2, 2), got shape (2, 2);
        use jax.vmap for several.
        """
        if tuple(jnp.shape(links)) != self.configuration_shape:
            expected = f"one configuration of shape {self.configuration_shape}"
            raise fail(argument, expected, f"shape {tuple(jnp.shape(links))}", "use jax.vmap for several")
        self.group.check(argument, links)

    def at(self, field: Shaped[Array, "..."], direction: int, steps: int = 1) -> Shaped[Array, "..."]:
        """The field (*extent, ...) at x + steps · direction, as a field of x."""
        return jnp.roll(field, -steps, axis=direction)

    def random_gauge(self, *, key: Array, dtype: DTypeLike = float) -> Shaped[Array, "..."]:
        """Ω: an independent random element at every site, (*extent, *element)."""
        return self.group.random(key, self.extent, dtype)

    def transformed(self, links: Shaped[Array, "..."], gauge: Shaped[Array, "..."]) -> Shaped[Array, "..."]:
        """Ω(x) U_μ(x) Ω(x + μ)†, the same connection in the frames of `gauge` Ω (*extent, *element).

        >>> import jax
        >>> from intertwine.spaces.lattices import Square
        >>> links = Links(Square(2, 2), "Z2")
        >>> gauge = jnp.zeros((2, 2), jnp.int8).at[0, 0].set(1)
        >>> int(links.transformed(links.cold(), gauge).sum())             # all four links of the site
        4
        """
        axis, group = self.dimension, self.group
        parts = [
            group.product(group.product(gauge, jnp.take(links, mu, axis)), group.inverse(self.at(gauge, mu)))
            for mu in range(self.dimension)
        ]
        return jnp.stack(parts, axis)

    # as a space of layers

    common_frame = False
    """Every site has a frame of its own."""
    executor = "intertwine.layers.executors.on_links:LinkExecutor"

    @property
    def axes(self) -> int:
        """The axes of a field before its channels: d."""
        return self.dimension

    @property
    def shape(self) -> tuple[int, ...]:
        """Their sizes."""
        return self.extent

    @property
    def fibre_group(self) -> GaugeGroup:
        """H, whose representations the types of fields are."""
        return self.group

    def named_type(self, names: str, argument: str = "names") -> GaugeRep:
        """The type of fields of a name such as "links + 4 adjoint".

        Raises InputError for other names.

        >>> from intertwine.spaces.lattices import Square
        >>> Links(Square(4, 4), "SU(2)").named_type("links + 4 adjoint + fundamental")
        2·link + 4·adjoint + fundamental
        """
        return type_of_names(self, names, argument)

    def field(self, links: Shaped[Array, "..."], **fields: Shaped[Array, "..."]) -> Float[Array, "... C"]:
        """A configuration, and what else lives at the sites, as one field (*extent, C) of the type "links +
        …": adjoint=W, complex (*extent, m, n, n); fundamental=ψ, complex (*extent, k, n); scalar=φ, real
        (*extent, s), in that order.

        Raises InputError for another configuration.

        >>> from intertwine.spaces.lattices import Square
        >>> links = Links(Square(4, 4), "SU(3)")
        >>> links.field(links.cold()).shape
        (4, 4, 36)
        """
        self.check(links)
        found = {"link": self.group.matrix(links), **fields}
        counts = [("link", self.dimension)]
        for kind in ("adjoint", "fundamental", "scalar"):
            if kind in fields:
                counts.append((kind, fields[kind].shape[self.dimension]))
        if len(counts) != len(found):
            raise fail("fields", "adjoint, fundamental or scalar", ", ".join(fields))
        return together(GaugeRep(self.group, tuple(counts)), found, self.dimension)  # type: ignore[arg-type]

    def act(
        self, element: Shaped[Array, "..."], field: Float[Array, "... C"], rep: GaugeRep
    ) -> Float[Array, "... C"]:
        """A field (..., *extent, C) in the frames Ω = `element` (*extent, *element)."""
        return transformed_field(self, element, field, rep)

    def random_elements(self, count: int, *, key: Array) -> list[Array]:
        """Gauge transformations, drawn uniformly at every site."""
        return [self.random_gauge(key=k) for k in jax.random.split(key, count)]

    def random_field(self, rep: GaugeRep, batch: int, *, key: Array) -> Float[Array, "B ..."]:
        """Random links and normal numbers, (batch, *extent, C)."""
        return _random_field(self, rep, batch, key)

    def element_name(self, element: Shaped[Array, "..."]) -> str:
        """What errors call a gauge transformation."""
        return f"a random gauge transformation of {self.group.name}"

    def reason(
        self, function: Callable[[Any], Any], x: np.ndarray, rep_in: GaugeRep, rep_out: GaugeRep
    ) -> str:
        """Why a function of fields x is not equivariant, "" where that is not found."""
        return likely_mistake(self, function, x, rep_in, rep_out)

    def places(self, region: object) -> list[tuple[int, int]]:
        """(direction, steps) that kernels of reach `region` see: the site itself, and 1 to `region` steps
        along every direction, forwards and backwards."""
        reach = 1 if region is None else region
        if isinstance(reach, bool) or not isinstance(reach, int) or not 0 <= reach < min(self.extent):
            raise fail("support", f"a reach of 0 to {min(self.extent) - 1} links", region)
        steps = [k for k in range(-reach, reach + 1) if k]
        return [(0, 0), *((mu, k) for mu in range(self.dimension) for k in steps)]

    def kernel_basis(
        self, into: GaugeRep, out: GaugeRep, region: object
    ) -> Float[np.ndarray, "count places d_in d_out"]:
        """Maps of the fibre for every place that is seen."""
        maps = gauge_maps(into, out).transpose(0, 2, 1)
        count = len(self.places(region))
        found = np.einsum("xy,kio->xkyio", np.eye(count), maps)
        return found.reshape(-1, count, into.dimension, out.dimension)

    def neighbours(self) -> tuple[Int32[np.ndarray, "V d"], Int32[np.ndarray, "V d"]]:
        """The sites x + μ and x − μ, int32 (V, d) each, in the order of `lattice`."""
        sites = np.arange(self.lattice.size, dtype=np.int32).reshape(self.extent)
        both = [
            np.stack([np.roll(sites, -step, mu).ravel() for mu in range(self.dimension)], 1)
            for step in (1, -1)
        ]
        return np.ascontiguousarray(both[0]), np.ascontiguousarray(both[1])

    def __repr__(self) -> str:
        return f"Links({self.lattice.name!r}, {self.group.name!r})"


@partial(jax.jit, static_argnums=(0, 1, 2))
def _random_field(links: Links, rep: GaugeRep, batch: int, key: Array) -> Array:
    first, second = jax.random.split(key)
    x = jax.random.normal(second, (batch, *links.extent, rep.dimension))
    if not rep.count("link"):
        return x
    made = jax.vmap(lambda k: links.group.matrix(links.hot(key=k)))(jax.random.split(first, batch))
    found = numbers(made, 1 + links.dimension)
    return jnp.concatenate([found.astype(x.dtype), x[..., found.shape[-1] :]], -1)


def _checked(lattice: Lattice) -> Lattice:
    expected = "a periodic hypercubic lattice of two dimensions or more, such as it.Square(8, 8)"
    if not isinstance(lattice, Lattice):
        raise fail("lattice", expected, lattice)
    basis, d = lattice.basis_vectors, lattice.dimension
    cubic = np.array_equal(basis, basis[0, 0] * np.eye(d)) and basis[0, 0] > 0 and lattice.basis_size == 1
    if not cubic or d < 2 or not all(lattice.periodic):
        raise fail("lattice", expected, lattice.name, "it.Hypercubic(8, 8, 8, 8) has any dimension")
    if min(lattice.extent) < 2:
        raise fail("lattice", "two sites or more in every direction", lattice.name)
    return lattice
