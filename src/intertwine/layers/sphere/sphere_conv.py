r"""A convolution from fields on one sphere to fields on another, of another band limit or grid.

    f ↦ (E, B)_lm, l < L ↦ (E, B)_lm κ_l ↦ K f on the other grid,      L the lower of the two band limits

It is `Conv` between two spheres: spectral pooling (Rippel, Snoek & Adams 2015; Esteves, Makadia & Daniilidis
2020) towards a lower band limit and interpolation towards a higher one cost no transform of their own, and
what a non-linearity made beyond the band limit is never computed.
"""

from __future__ import annotations

from typing import cast

import equinox as eqx
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.layers.bias import Bias, has_invariants
from intertwine.layers.blocks import check_channels
from intertwine.layers.executors.on_sphere import by_degree
from intertwine.layers.fields import field_type
from intertwine.layers.kernel import EquivariantKernel, hashable_region
from intertwine.spaces.protocols import Region
from intertwine.spaces.sphere.calculus import with_bandlimit
from intertwine.spaces.sphere.sphere import Sphere
from intertwine.symmetry import AnyRep, CompactRep


class SphereConv(eqx.Module):
    """An intertwiner from fields of type `rep_in` on `space` to fields of type `rep_out` on `space_out`.

    space, space_out: spheres, of any grids and band limits. rep_in, rep_out, support, bias, gain: as of
    `Conv`; supports are those of the lower band limit.

    Raises InputError as `Conv` does.

    >>> import jax
    >>> fine, coarse = Sphere(16), Sphere(8)
    >>> layer = SphereConv(fine, coarse, "scalar", "2 scalar + vector", 0.6, key=jax.random.key(0))
    >>> layer(fine.random_field("scalar", 5, key=jax.random.key(1))).shape
    (5, 8, 16, 4)
    """

    kernel: EquivariantKernel
    bias: Bias | None
    space: Sphere = eqx.field(static=True)
    space_out: Sphere = eqx.field(static=True)
    limited: Sphere = eqx.field(static=True)

    def __init__(
        self,
        space: Sphere,
        space_out: Sphere,
        rep_in: AnyRep | str,
        rep_out: AnyRep | str,
        support: Region = None,
        *,
        bias: bool = True,
        gain: float = 2.0,
        dtype: DTypeLike = float,
        key: Array,
    ):
        for argument, value in (("space", space), ("space_out", space_out)):
            if not isinstance(value, Sphere):
                raise fail(argument, "a Sphere", value)
        self.space, self.space_out = space, space_out
        self.limited = space.limited(min(space.bandlimit, space_out.bandlimit))
        rep_in, rep_out = field_type(space, rep_in, "rep_in"), field_type(space, rep_out, "rep_out")
        kind, region = jnp.zeros((), dtype).dtype, hashable_region(support)
        self.kernel = EquivariantKernel(self.limited, rep_in, rep_out, region, gain=gain, dtype=kind, key=key)
        self.bias = Bias(rep_out, dtype=kind) if bias and has_invariants(rep_out) else None

    @property
    def rep_in(self) -> CompactRep:
        """The type of the input."""
        return cast("CompactRep", self.kernel.rep_in)

    @property
    def rep_out(self) -> CompactRep:
        """The type of the output."""
        return cast("CompactRep", self.kernel.rep_out)

    @property
    def support(self) -> Region:
        """Of the kernel."""
        return self.kernel.support

    def __call__(self, x: Float[Array, "... C_in"], *, key: Array | None = None) -> Float[Array, "... C_out"]:
        """(..., *space, C_in) → (..., *space_out, C_out); `key` is not used."""
        check_channels(x, self.rep_in)
        found = by_degree(self.limited.analysis(x, self.rep_in), self.kernel())
        out = self.space_out.synthesis(with_bandlimit(found, self.space_out.bandlimit), self.rep_out)
        return out if self.bias is None else self.bias(out)
