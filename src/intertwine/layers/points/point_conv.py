r"""The tensor-product convolution on points: each edge has its weights, a small network of its length.

    s^p_c(i) = 1/√N Σ_k R^p_c(|r_ik|) C^p (x_c(j_k) ⊗ Y(r_ik)),      (K x)_b = Σ_{p, c} W_{b, pc} s^p_c + bias

R is a perceptron of the radial basis, without biases, times the smooth cut-off: energies and forces have no
step where a neighbour comes or goes. N is about the mean number of neighbours, which keeps the variance.
(Thomas et al. 2018, Tensor field networks; Batzner et al. 2022, NequIP.) Messages are made of blocks of
centres, and made again on the way back (`edge_sums`): what is kept of an edge is its vector.
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

from intertwine._checks import fail, positive_number
from intertwine.layers.bias import Bias, has_invariants
from intertwine.layers.blocks import check_channels
from intertwine.layers.fields import field_type
from intertwine.layers.points.perceptron import Perceptron
from intertwine.layers.points.products.edge_product import (
    EdgeProduct,
    edge_product_of,
    from_planes,
    irrep_planes,
    irreps_of,
)
from intertwine.layers.points.products.edge_sums import edge_sums, tables_of
from intertwine.layers.points.radial import RadialBasis, lengths
from intertwine.spaces.points.cloud import Cloud
from intertwine.spaces.points.harmonics import harmonics
from intertwine.spaces.points.points import Points
from intertwine.symmetry.compact import CompactRep
from intertwine.symmetry.fibre_maps import AnyRep
from intertwine.symmetry.wigner import checked_degree


class PointConv(eqx.Module):
    """Products of the neighbours' fields with harmonics of the edges, weighted by their lengths, and mixed.

    space: `Points` of a compact group. rep_in, rep_out: types or their names. degree: of the harmonics.
    radial: a `RadialBasis`, or how many Bessel functions. hidden: widths of the perceptron's layers.
    edge_scalars: E invariants of every edge that the perceptron takes as well. neighbours: N, about the mean
    number of neighbours. bias: whether scalars of rep_out get one.

    Irreps of rep_out to which no product leads are 0. Raises InputError for types of another group, where no
    product leads to rep_out, and when called with other fields or without a cloud.

    >>> points = Points(5.0)
    >>> layer = PointConv(points, "4 scalar", "2 scalar + 2 vector", key=jax.random.key(0))
    >>> cloud = points.cloud(jax.random.normal(jax.random.key(1), (6, 3)))
    >>> layer(jnp.ones((cloud.points, 4)), at=cloud).shape
    (6, 8)
    """

    radial: RadialBasis
    perceptron: Perceptron
    mixing: tuple[Float[Array, "copies m_out"], ...]
    bias: Bias | None
    space: Points = eqx.field(static=True)
    rep_in: CompactRep = eqx.field(static=True)
    rep_out: CompactRep = eqx.field(static=True)
    degree: int = eqx.field(static=True)
    edge_scalars: int = eqx.field(static=True)
    neighbours: float = eqx.field(static=True)

    def __init__(
        self,
        space: Points,
        rep_in: AnyRep | str,
        rep_out: AnyRep | str,
        degree: int = 2,
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
        self.space, self.degree = space, checked_degree("degree", degree)
        self.rep_in, self.rep_out = (
            compact_type(space, rep_in, "rep_in"),
            compact_type(space, rep_out, "rep_out"),
        )
        self.edge_scalars = checked_degree("edge_scalars", edge_scalars)
        self.neighbours = positive_number("neighbours", neighbours)
        kind = jnp.zeros((), dtype).dtype
        self.radial = radial_basis(space, radial, kind)
        first, second = jax.random.split(key)
        product = self.product
        widths = (self.radial.functions + self.edge_scalars, *hidden, product.weights)
        self.perceptron = Perceptron(widths, dtype=kind, key=first)
        keys = jax.random.split(second, len(product.outs))
        wanted = [self.rep_out.multiplicity(*irrep.irreps[0][0]) for irrep in product.outs]
        self.mixing = tuple(
            jax.random.normal(k, (m, m_out), kind) * jnp.asarray((gain / max(m, 1)) ** 0.5, kind)
            for k, m, m_out in zip(keys, product.copies, wanted, strict=True)
        )
        self.bias = Bias(self.rep_out, dtype=kind) if bias and has_invariants(self.rep_out) else None

    @property
    def product(self) -> EdgeProduct:
        """The paths of the layer."""
        return edge_product_of(self.rep_in, irreps_of(self.rep_out), self.degree)

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
        radial, perceptron = jax.tree.map(lambda a: a.astype(x.dtype), (self.radial, self.perceptron))
        shared = (radial, perceptron, tuple(self.product.by_groups(perceptron.weights[-1])))
        messages = partial(_messages, self.product)
        sums = edge_sums(messages, tables_of(cloud), irrep_planes(x, self.rep_in), own, shared)
        out = mixed(self.product.arranged(sums), self.mixing, self.neighbours, self.rep_out)
        return out if self.bias is None else self.bias(out)


def _messages(product: EdgeProduct, x: Any, near: Array, own: Any, shared: Any) -> tuple[Any, Any]:
    """The sums of a block of centres."""
    radial, perceptron, last = shared
    features = perceptron.features(*edge_basis(near, own, radial))
    weights = tuple(
        product.shaped(jnp.matmul(features, w, precision="highest"), g) for g, w in enumerate(last)
    )
    return product.sums(x, harmonics(own[0], product.degree), weights), ()


def mixed(
    sums: tuple[Array, ...], mixing: tuple[Array, ...], neighbours: float, rep: CompactRep
) -> Float[Array, "n C"]:
    """Sums over neighbours (n, d, copies) of each irrep, divided by √N and mixed: a field of type `rep`."""
    parts = [
        jnp.matmul(s, w.astype(s.dtype) / neighbours**0.5, precision="highest")
        for s, w in zip(sums, mixing, strict=True)
    ]
    return from_planes(tuple(parts), rep)


def edge_weights(near: Array, own: Any, shared: Any) -> Float[Array, "B K W"]:
    """The perceptron of the lengths of edges, 0 from the cut-off on. own: vectors, and invariants or None;
    shared: the basis and the perceptron."""
    radial, perceptron = shared
    return perceptron(*edge_basis(near, own, radial))


def edge_basis(near: Array, own: Any, radial: RadialBasis) -> tuple[Array, Array]:
    """What the perceptron is given, and the cut-off. own: vectors, and invariants or None."""
    vectors, edges = own
    distance = lengths(vectors)
    basis = radial.plain(distance)
    basis = basis if edges is None else jnp.concatenate([basis, edges], -1)
    return basis, jnp.where(near, radial.envelope(distance), 0.0)


def checked_edges(edges: Array | None, cloud: Cloud, count: int, dtype: DTypeLike) -> Array | None:
    """Invariants (n, K, E) of the edges, None where there are none, or InputError."""
    shape = (*cloud.site.shape, count)
    if (None if edges is None else jnp.shape(edges)) != (shape if count else None):
        got = "none" if edges is None else f"shape {jnp.shape(edges)}"
        raise fail("edges", f"{count} invariants of each edge, shape {shape}", got)
    return None if edges is None else edges.astype(dtype)


def radial_basis(space: Points, radial: RadialBasis | int, dtype: DTypeLike) -> RadialBasis:
    """A basis that ends at the cut-off of the space; InputError where it would end beyond."""
    if isinstance(radial, RadialBasis):
        if space.cutoff is not None and not (radial.cut and radial.cutoff <= space.cutoff):
            raise fail("radial", f"a basis that ends at the cut-off {space.cutoff} or before", radial)
        return radial
    if space.cutoff is None:
        remedy = "the nearest neighbours have no cut-off: give RadialBasis(typical distance, 8, cut=False)"
        raise fail("radial", "a RadialBasis", radial, remedy)
    return RadialBasis(space.cutoff, radial, dtype=dtype)


def checked_cloud(at: Cloud | None, space: Points, x: Float[Array, "n C"]) -> Cloud:
    """The cloud that a field lives on, or InputError."""
    space.check_cloud(at, x)
    if jnp.ndim(x) != 2:
        raise fail("x", "one field (n, C) on the cloud", f"shape {jnp.shape(x)}")
    assert isinstance(at, Cloud)
    return at


def compact_type(space: Any, names: AnyRep | str, argument: str) -> CompactRep:
    """The type called `names` of a space with a compact group, or InputError."""
    rep = field_type(space, names, argument)
    if not isinstance(rep, CompactRep):
        remedy = "take Points(cutoff, group='O(3)'), or Conv for point groups"
        raise fail(argument, "a type of O(3), SO(3), O(2) or SO(2)", rep, remedy)
    return rep
