r"""Closed paths of the links as fields in the adjoint: what networks of pure gauge theory begin with.

    Plaquettes     U_μν(x), μ < ν, starting and ending at x
    ClosedLines    U_μ(x) U_μ(x + μ) ⋯ once around the torus: Polyakov's

(Favoni, Ipp, Müller & Schuh, Phys. Rev. Lett. 128, 032003, 2022.) Both change as Ω(x) · Ω(x)†.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jax import Array
from jaxtyping import Complex, Float

from intertwine.layers.blocks import check_channels
from intertwine.layers.executors.on_links import check_links, link_type, straight
from intertwine.spaces.link_fields import dagger, parts, times, together
from intertwine.spaces.links import Links
from intertwine.symmetry.gauge_rep import GaugeRep


class _Loops(eqx.Module):
    """Adds fields made of the links to those that are there."""

    space: Links = eqx.field(static=True)
    rep_in: GaugeRep = eqx.field(static=True)
    rep_out: GaugeRep = eqx.field(static=True)

    def __init__(self, links: Links, rep_in: GaugeRep | str = "links"):
        self.space, self.rep_in = links, _type(links, rep_in)
        kinds: Any = [self.rep_in.kinds[0], ("adjoint", self.count + self.rep_in.count("adjoint"))]
        kinds += [kind for kind in self.rep_in.kinds[1:] if kind[0] != "adjoint"]
        self.rep_out = GaugeRep(links.group, tuple(kinds))

    @property
    def count(self) -> int:
        """How many fields are added."""
        raise NotImplementedError

    def made(self, connection: Complex[Array, "... d n n"], lead: int) -> list[Array]:
        """Those fields, (..., *extent, n, n) each."""
        raise NotImplementedError

    def __call__(self, x: Float[Array, "... C_in"], *, key: Array | None = None) -> Float[Array, "... C_out"]:
        """Fields (..., *extent, C); `key` is not used."""
        check_channels(x, self.rep_in)
        found = parts(self.rep_in, x)
        new = jnp.stack(self.made(found["link"], x.ndim - 1 - self.space.axes), -3)
        found["adjoint"] = jnp.concatenate([new, found["adjoint"]], -3) if "adjoint" in found else new
        return together(self.rep_out, found, x.ndim - 1)


class Plaquettes(_Loops):
    """The d(d−1)/2 plaquettes at every site as adjoint fields, before those that are there.

    links: the space. rep_in: the type of what comes, which begins with the links. Raises InputError for other
    types.

    >>> from intertwine.spaces.lattices import Square
    >>> links = Links(Square(4, 4), "SU(2)")
    >>> layer = Plaquettes(links)
    >>> layer.rep_out, layer(links.field(links.cold())).shape
    (2·link + adjoint, (4, 4, 24))
    """

    @property
    def count(self) -> int:
        return len(self.space.planes)

    def made(self, connection: Complex[Array, "... d n n"], lead: int) -> list[Array]:
        steps = [connection[..., mu, :, :] for mu in range(self.space.dimension)]

        def at(mu: int, nu: int) -> Array:
            ahead, above = (jnp.roll(steps[a], -1, axis=lead + b) for a, b in ((nu, mu), (mu, nu)))
            return times(times(steps[mu], ahead), dagger(times(steps[nu], above)))

        return [at(mu, nu) for mu, nu in self.space.planes]


class ClosedLines(_Loops):
    """The d straight lines from every site once around the torus as adjoint fields.

    Arguments and errors as of `Plaquettes`.

    >>> from intertwine.spaces.lattices import Square
    >>> ClosedLines(Links(Square(4, 4), "SU(2)"), "links + scalar").rep_out
    2·link + 2·adjoint + scalar
    """

    @property
    def count(self) -> int:
        return self.space.dimension

    def made(self, connection: Complex[Array, "... d n n"], lead: int) -> list[Array]:
        return [straight(connection, lead, mu, self.space.extent[mu]) for mu in range(self.space.dimension)]


def _type(links: Links, rep: GaugeRep | str) -> GaugeRep:
    found = link_type(links, rep, "rep_in")
    check_links(links, found)
    return found
