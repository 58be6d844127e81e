"""What a family of networks on points is told, and the parts that several share."""

from __future__ import annotations

from typing import NamedTuple

import jax
from jax import Array
from jax.typing import DTypeLike

from intertwine.layers.points.hidden_types import copies, irreps_up_to, led_to, top_degree
from intertwine.layers.points.radial import RadialBasis
from intertwine.spaces.points.points import Points
from intertwine.symmetry.compact import CompactRep

OUTPUT_GAIN = 0.1
"""The variance of the outputs of a point at the start: small, so that a structure's sum is about 1."""


class PointPlan(NamedTuple):
    """points: the space. rep_in, rep_out: the types. width: copies of each hidden irrep. degree: of hidden
    fields and harmonics. layers: how many. radial: functions of the distance. neighbours: that sums are
    scaled by. parities: "natural" or "both". dtype, key: of the weights. edge_scalars: invariants of edges
    besides their lengths."""

    points: Points
    rep_in: CompactRep
    rep_out: CompactRep
    width: int
    degree: int
    layers: int
    radial: RadialBasis
    neighbours: float
    parities: str
    dtype: DTypeLike
    key: Array
    edge_scalars: int = 0

    def key_of(self, number: int) -> Array:
        """The key of part `number`."""
        return jax.random.fold_in(self.key, number)

    @property
    def first_hidden(self) -> CompactRep:
        """Hidden fields that the input leads to at a point."""
        have = {part for part, _ in self.rep_in.blocks}
        top = max(self.degree, top_degree(self.rep_in))
        targets = irreps_up_to(self.rep_in.group, top, self.parities)
        return copies([part for part in targets if part in have or part.is_trivial], self.width)

    def hidden_after(self, before: CompactRep) -> CompactRep:
        """Hidden fields that a convolution of others leads to."""
        targets = irreps_up_to(self.rep_in.group, self.degree, self.parities)
        return copies(led_to(before, targets, self.degree), self.width)

    def last_hidden(self, before: CompactRep) -> CompactRep:
        """Of these, what the outputs are read off: their irreps, and scalars."""
        wanted = {part for part, _ in self.rep_out.blocks}
        found = [part for part, _ in self.hidden_after(before).blocks if part in wanted or part.is_trivial]
        return copies(found, self.width)
