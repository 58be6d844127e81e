r"""Links of a periodic hypercubic lattice with values in a gauge group: a connection, in numbers.

    Ω(x) ∈ G: another frame at every site                 U_μ(x) ↦ Ω(x) U_μ(x) Ω(x + μ)†

The bundle is trivial over the sites, one copy of C^n (or of a representation of G) each; a gauge
transformation chooses other bases in all of them, and U_μ(x) carries what lives at x + μ to x (Wilson, Phys.
Rev. D 10, 2445, 1974). A configuration is an array (*extent, d, *element): U[x, μ] is the link from x to x +
μ, stored as `symmetry.groups.gauge_group` says. Functions take one configuration; callers `vmap`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Int32, Shaped

from intertwine._checks import fail
from intertwine.spaces.lattice import Lattice
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
    >>> links.size, links.shape
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
    def shape(self) -> tuple[int, ...]:
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
        if tuple(jnp.shape(links)) != self.shape:
            expected = f"one configuration of shape {self.shape}"
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
