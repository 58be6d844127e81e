r"""Layers of chains: proteins by residue, a point for each, which know what lies beside them along the chain.

The first channel of a field is the number t of a point along its chain, a scalar that only differences count
of, and that is no feature. An edge has

    s_ij = t_j − t_i:    1 where s = −m, …, −1, 1, …, m (a hat function for numbers between), and 1 for others

as invariants beside its length. Chains, and pieces of a chain with a gap between, have numbers that are more
than m apart: t + 1000 · (number of the piece), say.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from intertwine._checks import positive_int
from intertwine.layers.blocks import check_channels
from intertwine.layers.points.nequip import NequIPLayer
from intertwine.layers.points.point_conv import checked_cloud
from intertwine.spaces.points.cloud import Cloud
from intertwine.spaces.points.gather import gathered
from intertwine.spaces.points.points import Points
from intertwine.symmetry.compact import CompactRep

SEPARATION = 5
"""m: farther along the chain, all edges are alike but for their lengths."""


def chain_edges(
    numbers: Float[Array, " n"], cloud: Cloud, separation: int = SEPARATION
) -> Float[Array, "n K E"]:
    """E = 2·separation + 1 invariants of every edge, from the numbers of the points along their chain.

    >>> cloud = Points(5.0).cloud([[3.8 * t, 0.0, 0.0] for t in range(3)])
    >>> chain_edges(jnp.arange(3.0), cloud, 1)[0, 0].tolist()     # from 0 to 1: s = −1, 1, others
    [0.0, 1.0, 0.0]
    """
    steps = gathered(numbers[:, None], cloud)[..., 0] - numbers[:, None]
    m = positive_int("separation", separation)
    places = jnp.asarray([s for s in range(-m, m + 1) if s], steps.dtype)
    near = jnp.maximum(1 - jnp.abs(steps[..., None] - places), 0)
    return jnp.concatenate([near, 1 - near.sum(-1, keepdims=True)], axis=-1)


class ChainEmbedding(eqx.Module):
    """The number in front, and the embedding of what else is given.

    space: a `Points`. embedding: of the fields without the number.
    """

    embedding: Any

    @property
    def rep_in(self) -> CompactRep:
        """The number, and the embedding's input."""
        return self.embedding.rep_in.group.trivial + self.embedding.rep_in

    @property
    def rep_out(self) -> CompactRep:
        """The number, and the embedding's output."""
        return self.embedding.rep_in.group.trivial + self.embedding.rep_out

    def __call__(self, x: Float[Array, "n C_in"], *, key: Array | None = None) -> Float[Array, "n C_out"]:
        """The fields after it; `key` is not used."""
        check_channels(x, self.rep_in)
        return jnp.concatenate([x[:, :1], self.embedding(x[:, 1:])], axis=1)


class ChainLayer(eqx.Module):
    """A layer of NequIP whose weights also depend on the separation along the chain.

    layer: with 2·separation + 1 scalars of edges.
    """

    layer: NequIPLayer
    separation: int = eqx.field(static=True)

    @property
    def space(self) -> Points:
        """That of the layer."""
        return self.layer.space

    @property
    def rep_in(self) -> CompactRep:
        """The number, and the layer's input."""
        return self.layer.rep_in.group.trivial + self.layer.rep_in

    @property
    def rep_out(self) -> CompactRep:
        """The number, and the layer's output."""
        return self.layer.rep_in.group.trivial + self.layer.rep_out

    def __call__(
        self, x: Float[Array, "n C_in"], *, at: Cloud, key: Array | None = None
    ) -> Float[Array, "n C_out"]:
        """The fields after it; `key` is not used."""
        at = checked_cloud(at, self.space, x)
        check_channels(x, self.rep_in)
        edges = chain_edges(x[:, 0], at, self.separation)
        return jnp.concatenate([x[:, :1], self.layer(x[:, 1:], at=at, edges=edges)], axis=1)


class WithoutNumber(eqx.Module):
    """A read-out of the fields behind the number."""

    inner: Any

    @property
    def rep_in(self) -> CompactRep:
        """The number, and what the read-out takes."""
        return self.inner.rep_in.group.trivial + self.inner.rep_in

    @property
    def rep_out(self) -> CompactRep:
        """That of the read-out."""
        return self.inner.rep_out

    def __call__(self, x: Float[Array, "n C_in"], *, key: Array | None = None) -> Float[Array, "n C_out"]:
        """The outputs; `key` is not used."""
        check_channels(x, self.rep_in)
        return self.inner(x[:, 1:])
