r"""Loops of links: what does not depend on the frames.

    U_μν(x) = U_μ(x) U_ν(x + μ) U_μ(x + ν)† U_ν(x)†                        a plaquette
    W(R, T) = Re tr L_μ^R(x) L_ν^T(x + Rμ) L_μ^R(x + Tν)† L_ν^T(x)† / n    a Wilson loop, L straight lines
    P_μ(x)  = tr Π_k U_μ(x + kμ) / n                                       a Polyakov loop, around the torus

(Wilson 1974; Polyakov 1978; Creutz, Quarks, gluons and lattices, 1983.) Functions take the `Links` and one
configuration (*extent, d, *element), are differentiable in it where it is real or complex, and keep its
precision; callers `vmap`.
"""

from __future__ import annotations

import functools

import jax.numpy as jnp
from jax import Array
from jaxtyping import Complex, Float, Shaped

from intertwine._checks import fail, positive_int
from intertwine.spaces.links import Links


def direction(links: Links, configuration: Shaped[Array, "..."], mu: int) -> Shaped[Array, "..."]:
    """U_μ as a field of group elements, (*extent, *element)."""
    return jnp.take(configuration, mu, axis=links.dimension)


def path(links: Links, configuration: Shaped[Array, "..."], mu: int, steps: int) -> Shaped[Array, "..."]:
    """U_μ(x) U_μ(x + μ) ⋯ of `steps` links, (*extent, *element): it carries from x + steps·μ to x; a negative
    number of steps goes backwards.

    >>> import jax
    >>> from intertwine.spaces.lattices import Square
    >>> links = Links(Square(4, 4), "U(1)")
    >>> round(float(path(links, 0.1 * jnp.ones(links.configuration_shape), 0, -2)[0, 0]), 6)
    -0.2
    """
    group = links.group
    if steps == 0:
        return group.identity(links.extent, jnp.real(jnp.zeros((), configuration.dtype)).dtype)
    if steps < 0:
        return group.inverse(links.at(path(links, configuration, mu, -steps), mu, steps))
    step = direction(links, configuration, mu)
    found, length = step, 1
    while 2 * length <= steps:  # doubling: L^{2k}(x) = L^k(x) L^k(x + kμ)
        found, length = group.product(found, links.at(found, mu, length)), 2 * length
    if steps > length:
        rest = path(links, configuration, mu, steps - length)
        found = group.product(found, links.at(rest, mu, length))
    return found


def rectangle(
    links: Links, configuration: Shaped[Array, "..."], mu: int, nu: int, R: int = 1, T: int = 1
) -> Shaped[Array, "..."]:
    """The rectangle of R × T in the plane (μ, ν) that starts at every x, (*extent, *element)."""
    first, second = path(links, configuration, mu, R), path(links, configuration, nu, T)
    group = links.group
    there = group.product(first, links.at(second, mu, R))
    return group.product(there, group.inverse(group.product(second, links.at(first, nu, T))))


def plaquettes(links: Links, configuration: Shaped[Array, "..."]) -> Shaped[Array, "..."]:
    """U_μν(x) for every plane μ < ν of `links.planes` and every x, (planes, *extent, *element).

    Raises InputError for configurations of another shape or outside the group.

    >>> import jax
    >>> from intertwine.spaces.lattices import Cubic
    >>> links = Links(Cubic(2), "SU(2)")
    >>> plaquettes(links, links.hot(key=jax.random.key(0))).shape
    (3, 2, 2, 2, 4)
    """
    links.check(configuration)
    return jnp.stack([rectangle(links, configuration, mu, nu) for mu, nu in links.planes])


def plaquette(links: Links, configuration: Shaped[Array, "..."]) -> Float[Array, ""]:
    """The mean of Re tr U_μν / n over all plaquettes.

    >>> from intertwine.spaces.lattices import Square
    >>> links = Links(Square(4, 4), "SU(3)")
    >>> round(float(plaquette(links, links.cold())), 6)
    1.0
    """
    return links.group.real_trace(plaquettes(links, configuration)).mean()


def staples(links: Links, configuration: Shaped[Array, "..."], mu: int) -> Complex[Array, "... n n"]:
    r"""Σ_{ν≠μ} of the open plaquettes around U_μ(x), matrices (*extent, n, n): the action has Re tr U_μ(x)
    A_μ(x).

    >>> import jax
    >>> from intertwine.spaces.lattices import Square
    >>> links = Links(Square(4, 4), "U(1)")
    >>> staples(links, links.cold(), 0)[0, 0, 0, 0].real.tolist()           # one on each side
    2.0
    """
    links.check(configuration)
    group, along = links.group, direction(links, configuration, mu)
    total = jnp.zeros((), complex)
    for nu in range(links.dimension):
        if nu == mu:
            continue
        across = direction(links, configuration, nu)
        above = group.product(links.at(across, mu), group.inverse(group.product(across, links.at(along, nu))))
        ahead, behind = links.at(links.at(across, mu), nu, -1), links.at(across, nu, -1)
        below = group.product(
            group.inverse(group.product(links.at(along, nu, -1), ahead)),
            behind,
        )
        total = total + group.matrix(above) + group.matrix(below)
    return total


def wilson_loop(links: Links, configuration: Shaped[Array, "..."], R: int, T: int) -> Float[Array, ""]:
    """W(R, T), the mean over all places and planes and both orders of the sides.

    Raises InputError for sides that are not positive, and configurations of another shape or outside the
    group.

    >>> from intertwine.spaces.lattices import Square
    >>> links = Links(Square(6, 6), "U(1)")
    >>> round(float(wilson_loop(links, links.cold(), 2, 3)), 6)
    1.0
    """
    links.check(configuration)
    R, T = positive_int("R", R, "give the sides in links"), positive_int("T", T, "give the sides in links")
    sides = [(mu, nu) for a, b in links.planes for mu, nu in {(a, b), (b, a) if R != T else (a, b)}]
    traces = [
        links.group.real_trace(rectangle(links, configuration, mu, nu, R, T)).mean() for mu, nu in sides
    ]
    return functools.reduce(jnp.add, traces) / len(traces)


def wilson_loops(links: Links, configuration: Shaped[Array, "..."], most: int) -> Float[Array, "R T"]:
    """W(R, T) for all sides from 1 to `most`, (most, most), symmetric.

    >>> from intertwine.spaces.lattices import Square
    >>> links = Links(Square(6, 6), "Z2")
    >>> wilson_loops(links, links.cold(), 2).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    most = positive_int("most", most, "give the longest side in links")
    rows = {
        (R, T): wilson_loop(links, configuration, R, T) for R in range(1, most + 1) for T in range(1, R + 1)
    }
    sides = range(1, most + 1)
    return jnp.stack([jnp.stack([rows[max(R, T), min(R, T)] for T in sides]) for R in sides])


def polyakov_loops(links: Links, configuration: Shaped[Array, "..."], mu: int = -1) -> Complex[Array, "..."]:
    """P_μ of every line along the direction `mu` (the last one), on the extent of the others.

    >>> from intertwine.spaces.lattices import Cubic
    >>> links = Links(Cubic(2, 3, 4), "SU(2)")
    >>> polyakov_loops(links, links.cold()).shape
    (2, 3)
    """
    links.check(configuration)
    if not -links.dimension <= mu < links.dimension:
        raise fail("mu", f"a direction below {links.dimension}", mu)
    mu = mu % links.dimension
    around = path(links, configuration, mu, links.extent[mu])
    return links.group.trace(jnp.take(around, 0, axis=mu))


def polyakov_loop(links: Links, configuration: Shaped[Array, "..."], mu: int = -1) -> Complex[Array, ""]:
    """The mean of P_μ over all lines: the order parameter of confinement."""
    return polyakov_loops(links, configuration, mu).mean()
