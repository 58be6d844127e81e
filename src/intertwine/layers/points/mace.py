r"""One layer of MACE: the density of the neighbours, its products, and what was there (Batatia et al., 2022).

    A_i = (1/N) W Σ_j R(r_ij) ∘ (h_j ⊗ Y(r̂_ij)),     h_i ↦ W' B^{(s_i)}(A_i) + W^{(s_i)} h_i

N is the mean number of neighbours, not its root, so that products of three components of A do not grow. B are
the symmetric products of the density to some order, with weights by species (`body_order`). The scalars a_i
of a point stand in front of the fields and pass unchanged.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from intertwine.layers.blocks import check_channels
from intertwine.layers.points.body_order import SymmetricProducts
from intertwine.layers.points.mixing import Mixing
from intertwine.layers.points.point_conv import PointConv
from intertwine.layers.points.radial import RadialBasis
from intertwine.spaces.points.cloud import Cloud
from intertwine.spaces.points.points import Points
from intertwine.symmetry.compact import CompactRep


class MACELayer(eqx.Module):
    """(a, h) ↦ (a, h').

    points: a `Points`. attributes: S, the number of scalars a. before, after: the types of h and h'. density:
    that of A, as many copies as after. order: of the products, 3: four bodies. degree, radial, hidden,
    neighbours: as of `PointConv`. keep: whether h is added.

    >>> import numpy as np
    >>> points = Points(3.0)
    >>> scalars, density = points.named_type("4x0e"), points.named_type("4x0e + 4x1o + 4x2e")
    >>> layer = MACELayer(points, 2, scalars, density, scalars, key=jax.random.key(0))
    >>> cloud = points.cloud(np.array([[0.0, 0, 0], [0, 0, 1], [0, 1.5, 0]]))
    >>> layer(jnp.ones((cloud.points, 6)), at=cloud).shape[-1]
    6
    """

    up: Mixing
    conv: PointConv
    products: SymmetricProducts
    down: Mixing
    own: Mixing | None
    attributes: int = eqx.field(static=True)

    def __init__(
        self,
        points: Points,
        attributes: int,
        before: CompactRep,
        density: CompactRep,
        after: CompactRep,
        *,
        order: int = 3,
        degree: int = 2,
        radial: RadialBasis | int = 8,
        hidden: tuple[int, ...] = (64,),
        neighbours: float = 10.0,
        keep: bool = True,
        dtype: DTypeLike = float,
        key: Array,
    ):
        self.attributes = attributes
        keys = jax.random.split(key, 5)
        self.up = Mixing(before, before, dtype=dtype, key=keys[0])
        self.conv = PointConv(
            points, before, density, degree=degree, radial=radial, hidden=hidden, neighbours=neighbours**2,
            bias=False, dtype=dtype, key=keys[1],
        )  # fmt: skip
        self.products = SymmetricProducts(
            density, after, order=order, attributes=attributes, dtype=dtype, key=keys[2]
        )
        self.down = Mixing(after, after, dtype=dtype, key=keys[3])
        self.own = Mixing(before, after, attributes=attributes, dtype=dtype, key=keys[4]) if keep else None

    @property
    def space(self) -> Points:
        """That of the convolution."""
        return self.conv.space

    @property
    def rep_in(self) -> CompactRep:
        """S scalars and h."""
        return self.attributes * self.up.rep_in.group.trivial + self.up.rep_in

    @property
    def rep_out(self) -> CompactRep:
        """S scalars and h'."""
        return self.attributes * self.up.rep_in.group.trivial + self.down.rep_out

    def __call__(
        self, x: Float[Array, "n C_in"], *, at: Cloud, key: Array | None = None
    ) -> Float[Array, "n C_out"]:
        """The fields after the layer; `key` is not used."""
        check_channels(x, self.rep_in)
        a, h = x[:, : self.attributes], x[:, self.attributes :]
        after = self.down(self.products(self.conv(self.up(h), at=at), a))
        after = after if self.own is None else (after + self.own(h, a)) * 0.5**0.5
        return jnp.concatenate([a, after], axis=1)
