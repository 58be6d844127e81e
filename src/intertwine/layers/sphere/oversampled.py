r"""Non-linearities on the sphere: on a finer grid, and back to the band limit.

A function of the values at each point commutes with rotations of the sphere, but its result has degrees
beyond those that a grid tells apart. On a grid `factor` times finer those up to about (2·factor − 1) L are
told apart and left out; what is left of the error falls with the smoothness of field and function: a
polynomial of degree p is exact from (p + 1)/2 on (Cohen et al. 2018; de Haan et al. 2021; Franzen & Wand
2021). On "healpix" nothing is exact: the sums of its analysis are approximate, and better the finer the grid.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail, positive_number
from intertwine.layers.blocks import check_channels
from intertwine.spaces.sphere.calculus import with_bandlimit
from intertwine.spaces.sphere.sphere import Sphere
from intertwine.symmetry import CompactRep


class Oversampled(eqx.Module):
    """A layer that acts on the values at each point, carried out on a finer grid.

    space: the sphere of input and output. layer: `Pointwise`, `Gated`, `NormNonlinearity`, `TensorProduct`,
    `FourierPointwise`, or any layer with types `rep_in` and `rep_out` that takes a field point by point.
    factor: of fineness; 3 by default. 1 acts on the grid itself, and then takes degrees beyond the band limit
    off. On "healpix" the way there and back is as good as analysis with three iterations.

    Raises InputError for layers without types, and for factors below 1.

    >>> import jax
    >>> from intertwine.layers.nonlinear.pointwise import Pointwise
    >>> sphere = Sphere(8)
    >>> gelu = Oversampled(sphere, Pointwise(3 * sphere.scalar, "gelu"))
    >>> gelu(sphere.random_field(gelu.rep_in, 1, key=jax.random.key(0))).shape
    (1, 8, 16, 3)
    """

    layer: Any
    space: Sphere = eqx.field(static=True)
    finer: Sphere = eqx.field(static=True)

    def __init__(self, space: Sphere, layer: eqx.Module, factor: float = 3.0):
        if not isinstance(space, Sphere):
            raise fail("space", "a Sphere", space)
        for name in ("rep_in", "rep_out"):
            rep = getattr(layer, name, None)
            if not isinstance(rep, CompactRep) or rep.group != space.fibre_group:
                raise fail("layer", f"a layer of fields on {space!r}, with rep_in and rep_out", layer)
        if positive_number("factor", factor) < 1:
            raise fail("factor", "1 or more", factor)
        self.space, self.layer, self.finer = (
            space,
            layer,
            space.at(space.bandlimit, oversampling=float(factor)),
        )

    @property
    def rep_in(self) -> CompactRep:
        """The type of the input."""
        return self.layer.rep_in

    @property
    def rep_out(self) -> CompactRep:
        """The type of the output."""
        return self.layer.rep_out

    def __call__(self, x: Float[Array, "... C"], *, key: Array | None = None) -> Float[Array, "... C_out"]:
        """Fields (..., *space, C); `key` goes to the layer."""
        check_channels(x, self.rep_in)
        values = self.finer.synthesis(self.space.analysis(x, self.rep_in), self.rep_in)
        found = self.finer.analysis(self.layer(values, key=key), self.rep_out)
        return self.space.synthesis(with_bandlimit(found, self.space.bandlimit), self.rep_out)
