r"""Vector calculus as layers: equivariant maps without weights.

Gradients, divergence, vorticity, stream functions and the like are intertwiners between fields on the sphere,
so they stand in a network like any other layer (`spaces.sphere.calculus` has the mathematics).
"""

from __future__ import annotations

import equinox as eqx
from jax import Array
from jaxtyping import Float

from intertwine._checks import positive_int, positive_number
from intertwine.layers.blocks import check_channels
from intertwine.spaces.sphere.calculus import between_potentials, operator_matrices, types_of
from intertwine.spaces.sphere.sphere import Sphere
from intertwine.symmetry import CompactRep


class SphereOperator(eqx.Module):
    """An operator of vector calculus on copies of a scalar or vector field.

    name: "gradient", "rotated gradient" (r̂ × grad), "divergence", "vorticity", "laplacian", "inverse
    laplacian", "velocity potential", "stream function", "divergent part" or "rotational part". copies: how
    many fields. radius: of the sphere.

    Raises InputError for other names.

    >>> import jax
    >>> sphere = Sphere(8)
    >>> layer = SphereOperator(sphere, "gradient", 2)
    >>> layer.rep_in, layer.rep_out, layer(sphere.random_field(layer.rep_in, 1, key=jax.random.key(0))).shape
    (2·scalar, 2·spin 1, (1, 8, 16, 4))
    """

    space: Sphere = eqx.field(static=True)
    name: str = eqx.field(static=True)
    radius: float = eqx.field(static=True)
    rep_in: CompactRep = eqx.field(static=True)
    rep_out: CompactRep = eqx.field(static=True)

    def __init__(self, space: Sphere, name: str, copies: int = 1, *, radius: float = 1.0):
        self.space, self.name, self.radius = space, name, positive_number("radius", radius)
        self.rep_in, self.rep_out = types_of(space, name, positive_int("copies", copies))

    def __call__(self, x: Float[Array, "... C"], *, key: Array | None = None) -> Float[Array, "... C_out"]:
        """Fields (..., *space, C); `key` is not used."""
        check_channels(x, self.rep_in)
        matrices = operator_matrices(self.name, self.space.bandlimit, self.radius)
        found = between_potentials(self.space.analysis(x, self.rep_in), matrices)
        return self.space.synthesis(found, self.rep_out)
