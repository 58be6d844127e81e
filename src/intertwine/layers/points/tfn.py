r"""One layer of a tensor field network: convolution, self-interaction, lengths through a function.

    h_i ↦ η( W₂ Σ_j R(r_ij) ∘ (h_j ⊗ Y(r̂_ij)) + W₁ h_i )

(Thomas, Smidt, Kearnes, Yang, Li, Kohlhoff & Riley, 2018; η: `norm_gate`.)
"""

from __future__ import annotations

import equinox as eqx
import jax
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from intertwine.layers.points.mixing import Mixing
from intertwine.layers.points.norm_gate import NormGate
from intertwine.layers.points.point_conv import PointConv
from intertwine.layers.points.radial import RadialBasis
from intertwine.spaces.points.cloud import Cloud
from intertwine.spaces.points.points import Points
from intertwine.symmetry.compact import CompactRep


class TensorFieldLayer(eqx.Module):
    """h ↦ h'.

    points: a `Points`. before, after: the types of h and h'. degree, radial, hidden, neighbours: as of
    `PointConv`.

    >>> import numpy as np
    >>> points = Points(3.0)
    >>> before, after = points.named_type("4 scalar"), points.named_type("2 scalar + 3 vector")
    >>> layer = TensorFieldLayer(points, before, after, key=jax.random.key(0))
    >>> cloud = points.cloud(np.array([[0.0, 0, 0], [0, 0, 1], [0, 1.5, 0]]))
    >>> layer(jax.numpy.ones((cloud.points, 4)), at=cloud).shape[-1]
    11
    """

    conv: PointConv
    own: Mixing
    gate: NormGate

    def __init__(
        self,
        points: Points,
        before: CompactRep,
        after: CompactRep,
        *,
        degree: int = 2,
        radial: RadialBasis | int = 8,
        hidden: tuple[int, ...] = (32,),
        neighbours: float = 10.0,
        dtype: DTypeLike = float,
        key: Array,
    ):
        one, two = jax.random.split(key)
        self.conv = PointConv(
            points, before, after, degree=degree, radial=radial, hidden=hidden, neighbours=neighbours,
            bias=False, dtype=dtype, key=one,
        )  # fmt: skip
        self.own = Mixing(before, after, dtype=dtype, key=two)
        self.gate = NormGate(after, dtype=dtype)

    @property
    def space(self) -> Points:
        """That of the convolution."""
        return self.conv.space

    @property
    def rep_in(self) -> CompactRep:
        """The type of h."""
        return self.own.rep_in

    @property
    def rep_out(self) -> CompactRep:
        """The type of h'."""
        return self.own.rep_out

    def __call__(
        self, x: Float[Array, "n C_in"], *, at: Cloud, key: Array | None = None
    ) -> Float[Array, "n C_out"]:
        """The fields after the layer; `key` is not used."""
        return self.gate(self.conv(x, at=at) + self.own(x))
