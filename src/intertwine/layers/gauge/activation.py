r"""A non-linearity of fields on links: W ↦ g(Re tr W/n) W, ψ ↦ g(|ψ|²) ψ, φ ↦ g(φ).

g is a real function of what no frame changes (Favoni, Ipp, Müller & Schuh 2022, L-Act); of scalars it acts
itself.
"""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from intertwine._checks import one_of
from intertwine.layers.blocks import check_channels
from intertwine.layers.executors.on_links import check_links, link_type
from intertwine.spaces.link_fields import parts, together
from intertwine.spaces.links import Links
from intertwine.symmetry.gauge_rep import GaugeRep

FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "relu": jax.nn.relu,
    "gelu": jax.nn.gelu,
    "silu": jax.nn.silu,
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
}


class GaugeActivation(eqx.Module):
    """Every field times a function of its own trace (norm, value).

    links: the space. rep: the type, which begins with the links. function: "relu", "gelu", "silu", "tanh" or
    "sigmoid". Raises InputError for other types and functions.

    >>> from intertwine.spaces.lattices import Square
    >>> links = Links(Square(4, 4), "SU(2)")
    >>> GaugeActivation(links, "links + 2 adjoint", "relu").rep_out
    2·link + 2·adjoint
    """

    space: Links = eqx.field(static=True)
    rep_in: GaugeRep = eqx.field(static=True)
    rep_out: GaugeRep = eqx.field(static=True)
    function: str = eqx.field(static=True)

    def __init__(self, links: Links, rep: GaugeRep | str, function: str = "gelu"):
        found = link_type(links, rep, "rep")
        check_links(links, found)
        self.space, self.rep_in, self.rep_out = links, found, found
        self.function = one_of("function", function, tuple(FUNCTIONS))

    def __call__(self, x: Float[Array, "... C"], *, key: Array | None = None) -> Float[Array, "... C"]:
        """Fields (..., *extent, C); `key` is not used."""
        check_channels(x, self.rep_in)
        g, found = FUNCTIONS[self.function], parts(self.rep_in, x)
        if "adjoint" in found:
            W = found["adjoint"]
            trace = jnp.trace(W, axis1=-2, axis2=-1).real / W.shape[-1]
            found["adjoint"] = g(trace)[..., None, None] * W
        if "fundamental" in found:
            psi = found["fundamental"]
            found["fundamental"] = g((psi * psi.conj()).real.sum(-1))[..., None] * psi
        if "scalar" in found:
            found["scalar"] = g(found["scalar"])
        return together(self.rep_out, found, x.ndim - 1)
