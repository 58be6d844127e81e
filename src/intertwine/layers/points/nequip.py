r"""One layer of NequIP: convolution, self-connection by species, gate (Batzner et al., Nature Comm. 13, 2453,
2022).

    h_i ↦ gate( W₂ Σ_j R(r_ij) ∘ (W₁ h_j ⊗ Y(r̂_ij)) + W^{(s_i)} h_i )

The scalars a_i of a point (its species, one-hot) stand in front of the fields and pass unchanged.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from intertwine.layers.blocks import check_channels
from intertwine.layers.nonlinear.gated import Gated
from intertwine.layers.nonlinear.pointwise import Pointwise
from intertwine.layers.points.gates import gated
from intertwine.layers.points.mixing import Mixing
from intertwine.layers.points.point_conv import PointConv
from intertwine.layers.points.radial import RadialBasis
from intertwine.spaces.points.cloud import Cloud
from intertwine.spaces.points.points import Points
from intertwine.symmetry.compact import CompactRep


class NequIPLayer(eqx.Module):
    """(a, h) ↦ (a, h').

    points: a `Points`. attributes: S, the number of scalars a. before, after: the types of h and h'. degree:
    of the harmonics. radial: as of
    `PointConv`. neighbours: the mean number of them.

    >>> import numpy as np
    >>> points = Points(3.0)
    >>> O3 = points.fibre_group
    >>> hidden = 4 * O3.trivial + 4 * O3.irrep(1, -1)
    >>> layer = NequIPLayer(points, 2, 4 * O3.trivial, hidden, key=jax.random.key(0))
    >>> cloud = points.cloud(np.array([[0.0, 0, 0], [0, 0, 1], [0, 1.5, 0]]))
    >>> layer(jnp.ones((len(cloud.positions), 6)), at=cloud).shape[-1]
    18
    """

    up: Mixing
    conv: PointConv
    own: Mixing
    gate: Gated | Pointwise
    attributes: int = eqx.field(static=True)

    def __init__(
        self,
        points: Points,
        attributes: int,
        before: CompactRep,
        after: CompactRep,
        *,
        degree: int = 2,
        radial: RadialBasis | int = 8,
        hidden: tuple[int, ...] = (64,),
        edge_scalars: int = 0,
        neighbours: float = 10.0,
        dtype: DTypeLike = float,
        key: Array,
    ):
        self.attributes, self.gate = attributes, gated(after)
        one, two, three = jax.random.split(key, 3)
        self.up = Mixing(before, before, dtype=dtype, key=one)
        self.conv = PointConv(
            points, before, self.gate.rep_in, degree=degree, radial=radial, hidden=hidden,
            edge_scalars=edge_scalars, neighbours=neighbours, dtype=dtype, key=two,
        )  # fmt: skip
        self.own = Mixing(before, self.gate.rep_in, attributes=attributes, dtype=dtype, key=three)

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
        return self.attributes * self.up.rep_in.group.trivial + self.gate.rep_out  # pyright: ignore

    def __call__(
        self,
        x: Float[Array, "n C_in"],
        *,
        at: Cloud,
        edges: Float[Array, "n K E"] | None = None,
        key: Array | None = None,
    ) -> Float[Array, "n C_out"]:
        """The fields after the layer; edges: invariants of the edges; `key` is not used."""
        check_channels(x, self.rep_in)
        a, h = x[:, : self.attributes], x[:, self.attributes :]
        total = self.conv(self.up(h), at=at, edges=edges) + self.own(h, a)
        return jnp.concatenate([a, self.gate(total * 0.5**0.5)], axis=1)
