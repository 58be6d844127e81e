r"""The convolution on points of high degree: edges are turned to an axis, where maps are SO(2)'s.

    u_c = Σ_a U_{ca} x_a,    s(i) = 1/√N Σ_k D(R)ᵀ κ(|r_ik|) D(R) u(j_k),    (K x)_b = Σ_c W_{bc} s_c + bias

with a rotation R that turns r_ik to the polar axis (`rotated_product`), and in κ two numbers for every pair
of irreps, order and copy, which a perceptron makes of the length of the edge as in `PointConv`. These are all
equivariant maps along an edge that leave copies alone, what products with harmonics of all degrees up to
l1 + l make: at L³ multiplications for an edge and copy in place of L⁶ (Passaro & Zitnick 2023; Liao et al.
2024, EquiformerV2). Other than there, paths from different irreps are added up before they are mixed.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from intertwine._checks import fail, positive_int, positive_number
from intertwine.layers.bias import Bias, has_invariants
from intertwine.layers.blocks import blocks, check_channels, gathered
from intertwine.layers.points.perceptron import Perceptron
from intertwine.layers.points.point_conv import (
    checked_cloud,
    checked_edges,
    compact_type,
    edge_weights,
    mixed,
    radial_basis,
)
from intertwine.layers.points.products.edge_product import irreps_of, to_planes
from intertwine.layers.points.products.edge_sums import edge_sums, tables_of
from intertwine.layers.points.products.rotated_product import RotatedProduct
from intertwine.layers.points.radial import RadialBasis
from intertwine.spaces.points.cloud import Cloud
from intertwine.spaces.points.points import Points
from intertwine.spaces.points.turns_to_axis import turns_to_axis, wigner_matrices
from intertwine.symmetry.compact import CompactRep
from intertwine.symmetry.fibre_maps import AnyRep
from intertwine.symmetry.wigner import checked_degree


class RotatedConv(eqx.Module):
    """All equivariant maps along the edges, copy by copy, between mixings of the copies.

    space: `Points` of O(3) or SO(3). rep_in, rep_out: types or their names. width: copies of each irrep in
    between (None: the most that rep_in has of one). radial, hidden, edge_scalars, neighbours, bias, gain: as
    of `PointConv`.

    Raises InputError for other groups, types that no map joins, and when called with other fields or without
    a cloud.

    >>> points = Points(5.0)
    >>> layer = RotatedConv(points, "4 scalar + 4x6e", "2 scalar + 2 vector", key=jax.random.key(0))
    >>> cloud = points.cloud(jax.random.normal(jax.random.key(1), (6, 3)))
    >>> layer(jnp.ones((cloud.points, 56)), at=cloud).shape
    (6, 8)
    """

    radial: RadialBasis
    perceptron: Perceptron
    spreading: tuple[Float[Array, "m_in width"], ...]
    mixing: tuple[Float[Array, "width m_out"], ...]
    bias: Bias | None
    space: Points = eqx.field(static=True)
    rep_in: CompactRep = eqx.field(static=True)
    rep_out: CompactRep = eqx.field(static=True)
    width: int = eqx.field(static=True)
    edge_scalars: int = eqx.field(static=True)
    neighbours: float = eqx.field(static=True)

    def __init__(
        self,
        space: Points,
        rep_in: AnyRep | str,
        rep_out: AnyRep | str,
        width: int | None = None,
        *,
        radial: RadialBasis | int = 8,
        hidden: tuple[int, ...] = (64,),
        edge_scalars: int = 0,
        neighbours: float = 10.0,
        bias: bool = True,
        gain: float = 1.0,
        dtype: DTypeLike = float,
        key: Array,
    ):
        if space.dimension != 3:
            raise fail("space", "Points of O(3) or SO(3)", space, "in the plane take PointConv")
        self.space = space
        self.rep_in = compact_type(space, rep_in, "rep_in")
        self.rep_out = compact_type(space, rep_out, "rep_out")
        counts = [m for _, m in gathered(self.rep_in)[0].blocks]
        self.width = max(counts) if width is None else positive_int("width", width)
        self.edge_scalars = checked_degree("edge_scalars", edge_scalars)
        self.neighbours = positive_number("neighbours", neighbours)
        kind, product = jnp.zeros((), dtype).dtype, self.product
        self.radial = radial_basis(space, radial, kind)
        first, second, third = jax.random.split(key, 3)
        widths = (self.radial.functions + self.edge_scalars, *hidden, product.weights)
        self.perceptron = Perceptron(widths, dtype=kind, key=first)
        spreads = [m**-0.5 for m in counts]
        self.spreading = _drawn([(m, self.width) for m in counts], spreads, kind, second)
        shapes, spreads = [], []
        for number, irrep in enumerate(product.outs):
            terms = sum(
                p.even * (2 * p.orders + 1) + p.odd * 2 * p.orders for p in product.pairs if p.out == number
            )
            shapes.append((self.width, self.rep_out.multiplicity(*irrep.irreps[0][0])))
            spreads.append((gain / self.width * irrep.dimension / max(terms, 1)) ** 0.5)
        self.mixing = _drawn(shapes, spreads, kind, third)
        self.bias = Bias(self.rep_out, dtype=kind) if bias and has_invariants(self.rep_out) else None

    @property
    def product(self) -> RotatedProduct:
        """The maps along an edge."""
        found = RotatedProduct(irreps_of(self.rep_in), irreps_of(self.rep_out), self.width)
        if not found.pairs:
            got = f"none that an edge joins with {self.rep_in!r}"
            raise fail("rep_out", "irreps that the convolution leads to", got)
        return found

    def __call__(
        self,
        x: Float[Array, "n C_in"],
        *,
        at: Cloud | None = None,
        edges: Float[Array, "n K E"] | None = None,
        key: Array | None = None,
    ) -> Float[Array, "n C_out"]:
        """Fields of type rep_out on the cloud `at`; edges: invariants of its edges; `key` is not used."""
        cloud = checked_cloud(at, self.space, x)
        check_channels(x, self.rep_in)
        own = (cloud.vectors().astype(x.dtype), checked_edges(edges, cloud, self.edge_scalars, x.dtype))
        shared = jax.tree.map(lambda a: a.astype(x.dtype), (self.radial, self.perceptron))
        product, planes = self.product, self._spread(to_planes(x, self.rep_in))
        sums = edge_sums(partial(_messages, product), tables_of(cloud), planes, own, shared)
        out = mixed(sums, self.mixing, self.neighbours, self.rep_out)
        return out if self.bias is None else self.bias(out)

    def _spread(self, planes: Array) -> Array:
        """`width` copies of each irrep, in planes."""
        parts = []
        for block, w in zip(blocks(gathered(self.rep_in)[0]), self.spreading, strict=True):
            part = planes[:, block.start : block.stop].reshape(-1, block.rep.dimension, block.copies)
            mixed = jnp.matmul(part, w.astype(planes.dtype), precision="highest")
            parts.append(mixed.reshape(len(planes), -1))
        return parts[0] if len(parts) == 1 else jnp.concatenate(parts, -1)


def _messages(product: RotatedProduct, x: Array, near: Array, own: Any, shared: Any) -> tuple[Any, Any]:
    """The sums of a block of centres."""
    turns = wigner_matrices(turns_to_axis(own[0]), product.degree)
    return product.sums(x, turns, edge_weights(near, own, shared)), ()


def _drawn(
    shapes: list[tuple[int, int]], spreads: list[float], dtype: DTypeLike, key: Array
) -> tuple[Array, ...]:
    keys = jax.random.split(key, len(shapes))
    return tuple(
        jax.random.normal(k, shape, dtype) * jnp.asarray(spread, dtype)
        for k, shape, spread in zip(keys, shapes, spreads, strict=True)
    )
