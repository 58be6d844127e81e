r"""The topological charge of a configuration.

U(1), d = 2     Q = (1/2π) Σ_x arg U_01(x), every plaquette's angle between −π and π: a whole number
                (Lüscher, Nucl. Phys. B 549, 295, 1999)
SU(n), d = 4    Q = (1/32π²) Σ_x ε_μνρσ tr F_μν(x) F_ρσ(x), F = (U − U†)/2i without its trace,
                U the plaquette (Di Vecchia et al. 1981) or the mean of the four around x ("clover");
                a whole number as the links grow smooth
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Complex, Float, Shaped

from intertwine._checks import fail, one_of
from intertwine.models.gauge.loops import direction, plaquettes, rectangle
from intertwine.spaces.link_fields import dagger
from intertwine.spaces.links import Links


def topological_charge(
    links: Links, configuration: Shaped[Array, "..."], definition: str = "clover"
) -> Float[Array, ""]:
    """Q of one configuration. definition: "clover" or "plaquette", of SU(n) in four dimensions.

    Raises InputError for other groups and dimensions, and configurations outside the group.

    >>> from intertwine.spaces.lattices import Square
    >>> links = Links(Square(4, 4), "U(1)")
    >>> x = jnp.arange(4.0)
    >>> along = jnp.zeros((4, 4)).at[3].set(-jnp.pi / 2 * x)               # one flux quantum
    >>> across = jnp.pi / 8 * jnp.broadcast_to(x[:, None], (4, 4))
    >>> round(float(topological_charge(links, jnp.stack([along, across], -1))), 5)
    1.0
    """
    one_of("definition", definition, ("clover", "plaquette"))
    if links.group.name == "U(1)" and links.dimension == 2:
        angles = plaquettes(links, configuration)[0]
        return jnp.arctan2(jnp.sin(angles), jnp.cos(angles)).sum() / (2 * np.pi)
    if links.group.dimension == 1 or links.dimension != 4:
        expected = "U(1) in two dimensions, or SU(2) or SU(3) in four"
        raise fail("links", expected, f"{links.group.name} in {links.dimension}")
    links.check(configuration)
    strength = {plane: _strength(links, configuration, *plane, definition) for plane in links.planes}
    pairs = (((0, 1), (2, 3), 1), ((0, 2), (1, 3), -1), ((0, 3), (1, 2), 1))
    total = sum(sign * _traced(strength[a], strength[b]).sum() for a, b, sign in pairs)
    return jnp.asarray(total) / (4 * np.pi**2)


def _traced(a: Complex[Array, "... n n"], b: Complex[Array, "... n n"]) -> Float[Array, "..."]:
    return (a * jnp.swapaxes(b, -1, -2)).sum((-1, -2)).real


def _strength(links: Links, configuration: Array, mu: int, nu: int, definition: str) -> Array:
    """F_μν(x), Hermitian and traceless matrices (*extent, n, n)."""
    group = links.group
    if definition == "clover":
        loops = _clover(links, configuration, mu, nu) / 4
    else:
        loops = group.matrix(rectangle(links, configuration, mu, nu))
    F = (loops - dagger(loops)) / 2j
    trace = jnp.trace(F, axis1=-2, axis2=-1)[..., None, None] / group.dimension
    return F - trace * jnp.eye(group.dimension, dtype=F.dtype)


def _clover(links: Links, configuration: Array, mu: int, nu: int) -> Array:
    """The sum of the four plaquettes that start and end at x, one in each quadrant, turning the same way."""
    group = links.group
    u, v = (group.matrix(direction(links, configuration, a)) for a in (mu, nu))
    right, left = u, dagger(links.at(u, mu, -1))  # the step from x along μ, and against it
    up, down = v, dagger(links.at(v, nu, -1))

    def step(leg: Array, along: int, steps: int) -> Array:
        return links.at(leg, along, steps)

    return (
        right @ step(up, mu, 1) @ dagger(step(right, nu, 1)) @ dagger(up)
        + up @ step(left, nu, 1) @ dagger(step(up, mu, -1)) @ dagger(left)
        + left @ step(down, mu, -1) @ dagger(step(left, nu, -1)) @ dagger(down)
        + down @ step(right, nu, -1) @ dagger(step(down, mu, 1)) @ dagger(right)
    )
