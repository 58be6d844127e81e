r"""The Wilson action of lattice gauge theory, as a distribution over links.

    p(U) = Ψ(U)/Z,      ln Ψ(U) = (β/n) Σ_x Σ_{μ<ν} Re tr U_μν(x)

with the plaquettes U_μν of `loops`: β Σ cos of U(1) and Z_N, (β/2) Σ tr of SU(2), (β/3) Σ Re tr of SU(3)
(Wilson, Phys. Rev. D 10, 2445, 1974; of Z_2: Wegner, J. Math. Phys. 12, 2259, 1971). The measure is uniform
(Haar) on every link. It is a probability by its Ψ, never a wave function, as `Ising` is.
"""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Shaped

from intertwine._checks import fail, finite_number
from intertwine.models.gauge.loops import plaquettes, polyakov_loop
from intertwine.models.parameters import parameter_dtype
from intertwine.models.protocols import Kind
from intertwine.spaces.lattice import Lattice
from intertwine.spaces.links import Links


class Gauge(eqx.Module):
    """Links with the Wilson action at β.

    links: a `Links`. beta: a finite number, 2n/g² without unit. dtype: float or an exact real floating type,
    of β and of the links that samplers draw.

    Raises InputError for other arguments, and when called with links of another shape or outside the group.

    >>> from intertwine.spaces.lattices import Square
    >>> gauge = Gauge(Links(Square(4, 4), "SU(2)"), beta=2.0)
    >>> float(gauge(gauge.links.cold()))                                         # 16 plaquettes
    32.0
    """

    beta: Float[Array, ""]
    links: Links = eqx.field(static=True)

    distribution = "boltzmann"

    def __init__(self, links: Links, beta: float, *, dtype: DTypeLike = float):
        if not isinstance(links, Links):
            raise fail("links", 'links of a lattice, such as it.Links(it.Square(8, 8), "SU(2)")', links)
        kind = parameter_dtype(dtype)
        if jnp.issubdtype(kind, jnp.complexfloating):
            raise fail("dtype", "a real type", kind.name)
        self.links = links
        self.beta = jnp.asarray(finite_number("beta", beta), kind)

    @property
    def lattice(self) -> Lattice:
        """Of the sites."""
        return self.links.lattice

    @property
    def size(self) -> int:
        """The number of links."""
        return self.links.size

    @property
    def kind(self) -> Kind:
        return "real"

    def __call__(self, s: Shaped[Array, "..."]) -> Float[Array, ""]:
        """ln Ψ of one configuration (*extent, d, *element)."""
        return -self.beta * self.energy(s)

    def energy(self, s: Shaped[Array, "..."]) -> Float[Array, ""]:
        """−Σ Re tr U_μν / n of one configuration."""
        return -self.links.group.real_trace(plaquettes(self.links, s)).sum().astype(self.beta.dtype)

    def order(self, s: Shaped[Array, "..."]) -> Float[Array, "... c"]:
        """The mean Polyakov loops of every direction, real and imaginary parts: (..., 2d), or d of SU(2) and
        Z_2, where they are real."""
        return jnp.vectorize(self._loops, signature=f"({_axes(self.links)})->(c)")(s)

    def order_squared(self, s: Shaped[Array, "..."]) -> Float[Array, "..."]:
        """Σ_μ |P_μ|², P_μ the mean Polyakov loop around direction μ."""
        return jnp.square(self.order(s)).sum(-1)

    def _loops(self, s: Array) -> Array:
        found = jnp.stack([polyakov_loop(self.links, s, mu) for mu in range(self.links.dimension)])
        real = self.links.group.name in ("Z2", "SU(2)")
        both = found.real if real else jnp.concatenate([found.real, found.imag])
        return both.astype(self.beta.dtype)


def _axes(links: Links) -> str:
    return ",".join(f"x{k}" for k in range(len(links.configuration_shape)))
