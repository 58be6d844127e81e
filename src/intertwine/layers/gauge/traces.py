r"""What no frame changes, read out of fields on links: (Re, Im) tr W/n, (Re, Im) ψ_i†ψ_j, scalars."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from intertwine.layers.blocks import check_channels
from intertwine.layers.executors.on_links import check_links, link_type
from intertwine.spaces.link_fields import numbers, parts
from intertwine.spaces.links import Links
from intertwine.symmetry.gauge_rep import GaugeRep


class Traces(eqx.Module):
    """Fields on links to scalars: 2 for each adjoint field, 2 for each pair i ≤ j of fundamental ones, and
    the scalars that are there. The links are left behind.

    links: the space. rep: the type, which begins with the links. Raises InputError for other types.

    >>> from intertwine.spaces.lattices import Square
    >>> links = Links(Square(4, 4), "SU(2)")
    >>> Traces(links, "links + 3 adjoint + fundamental").rep_out
    8·scalar
    """

    space: Links = eqx.field(static=True)
    rep_in: GaugeRep = eqx.field(static=True)
    rep_out: GaugeRep = eqx.field(static=True)

    def __init__(self, links: Links, rep: GaugeRep | str):
        found = link_type(links, rep, "rep")
        check_links(links, found)
        m, k, s = (found.count(kind) for kind in ("adjoint", "fundamental", "scalar"))
        out = GaugeRep(links.group, (("scalar", 2 * m + k * (k + 1) + s),))
        self.space, self.rep_in, self.rep_out = links, found, out

    def __call__(self, x: Float[Array, "... C_in"], *, key: Array | None = None) -> Float[Array, "... C_out"]:
        """Fields (..., *extent, C_in) → (..., *extent, C_out); `key` is not used."""
        check_channels(x, self.rep_in)
        found, read = parts(self.rep_in, x), []
        if "adjoint" in found:
            W = found["adjoint"]
            read.append(numbers(jnp.trace(W, axis1=-2, axis2=-1) / W.shape[-1], x.ndim - 1))
        if "fundamental" in found:
            psi = found["fundamental"]
            pairs = jnp.einsum("...ia,...ja->...ij", psi.conj(), psi)
            i, j = jnp.triu_indices(psi.shape[-2])
            read.append(numbers(pairs[..., i, j], x.ndim - 1))
        if "scalar" in found:
            read.append(found["scalar"])
        return jnp.concatenate(read, -1)
