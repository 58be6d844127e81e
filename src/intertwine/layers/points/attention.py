r"""Attention over neighbours by invariant products of equivariant queries and keys (Fuchs et al. 2020).

    k_ij = R^K(r_ij) ∘ (h_j ⊗ Y(r̂_ij)),   v_ij = R^V(r_ij) ∘ (h_j ⊗ Y(r̂_ij)),   q_i = W_Q h_i
    α_ij = u(r_ij) e^{⟨q_i, k_ij⟩} / (1 + Σ_k u(r_ik) e^{⟨q_i, k_ik⟩})
    h_i ↦ η( W₂ Σ_j α_ij v_ij + W₁ h_i )

⟨·, ·⟩ adds up the products of all components of some copies of every irrep (a head), an invariant. The smooth
cut-off u stands before the exponential, above and below, and the 1 is an edge to nothing: weights, energies
and forces have no step where a neighbour comes or goes, and a point without neighbours keeps what it has. η:
`norm_gate`. Keys and values are made by blocks of centres and not kept (`edge_sums`).
"""

from __future__ import annotations

from functools import partial
from math import gcd
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from intertwine._checks import fail, positive_int
from intertwine.layers.blocks import blocks, check_channels, join
from intertwine.layers.points.mixing import Mixing
from intertwine.layers.points.norm_gate import NormGate
from intertwine.layers.points.perceptron import Perceptron
from intertwine.layers.points.point_conv import checked_cloud, lengths, radial_basis
from intertwine.layers.points.products.edge_product import (
    EdgeProduct,
    edge_product_of,
    irreps_of,
    to_planes,
)
from intertwine.layers.points.products.edge_sums import edge_sums, tables_of
from intertwine.layers.points.radial import RadialBasis
from intertwine.spaces.points.cloud import Cloud
from intertwine.spaces.points.harmonics import harmonics
from intertwine.spaces.points.points import Points
from intertwine.symmetry.compact import CompactRep


class AttentionLayer(eqx.Module):
    """h ↦ h'.

    points: a `Points`. before, after: the types of h and h'; a type's irreps have as many copies each. heads:
    how many sets of copies have weights α of their own; None takes 4, or what divides the copies. degree,
    radial, hidden: as of `PointConv`.

    Raises InputError for heads that do not divide the copies.

    >>> points = Points(3.0)
    >>> before, after = points.named_type("4 scalar"), points.named_type("2 scalar + 2 vector")
    >>> layer = AttentionLayer(points, before, after, key=jax.random.key(0))
    >>> cloud = points.cloud(np.array([[0.0, 0, 0], [0, 0, 1], [0, 1.5, 0]]))
    >>> layer(jnp.ones((cloud.points, 4)), at=cloud).shape[-1]
    8
    """

    query: Mixing
    radial: RadialBasis
    perceptron: Perceptron
    down: Mixing
    own: Mixing
    gate: NormGate
    space: Points = eqx.field(static=True)
    degree: int = eqx.field(static=True)
    heads: int = eqx.field(static=True)

    def __init__(
        self,
        points: Points,
        before: CompactRep,
        after: CompactRep,
        *,
        heads: int | None = None,
        degree: int = 2,
        radial: RadialBasis | int = 8,
        hidden: tuple[int, ...] = (64,),
        dtype: DTypeLike = float,
        key: Array,
    ):
        self.space, self.degree, kind = points, degree, jnp.zeros((), dtype).dtype
        copies = gcd(*(m for _, m in before.blocks))
        self.heads = gcd(4, copies) if heads is None else positive_int("heads", heads)
        if copies % self.heads:
            raise fail("heads", f"a divisor of {copies}, the copies of each irrep", heads)
        product = edge_product_of(before, irreps_of(after), degree)
        keys = jax.random.split(key, 4)
        self.radial = radial_basis(points, radial, kind)
        widths = (self.radial.functions, *hidden, 2 * product.weights)
        self.perceptron = Perceptron(widths, dtype=kind, key=keys[0])
        rows = [(out, m) for out, m in zip(product.outs, product.copies, strict=True) if m]
        between = CompactRep.direct_sum(rows)
        self.query = Mixing(before, between, dtype=kind, key=keys[1])
        self.down = Mixing(between, after, dtype=kind, key=keys[2])
        self.own = Mixing(before, after, dtype=kind, key=keys[3])
        self.gate = NormGate(after, dtype=kind)

    @property
    def rep_in(self) -> CompactRep:
        """The type of h."""
        return self.own.rep_in

    @property
    def rep_out(self) -> CompactRep:
        """The type of h'."""
        return self.own.rep_out

    @property
    def product(self) -> EdgeProduct:
        """The paths of keys and values."""
        return edge_product_of(self.rep_in, irreps_of(self.rep_out), self.degree)

    def __call__(
        self, x: Float[Array, "n C_in"], *, at: Cloud, key: Array | None = None
    ) -> Float[Array, "n C_out"]:
        """The fields after the layer; `key` is not used."""
        cloud = checked_cloud(at, self.space, x)
        check_channels(x, self.rep_in)
        product = self.product
        asked = {block.rep: block.of(self.query(x)).swapaxes(-1, -2) for block in blocks(self.query.rep_out)}
        none = [jnp.zeros((len(x), out.dimension, 0), x.dtype) for out in product.outs]
        queries = tuple(asked.get(out, empty) for out, empty in zip(product.outs, none, strict=True))
        shared = jax.tree.map(lambda a: a.astype(x.dtype), (self.radial, self.perceptron))
        attended = partial(_attended, _Plan(product, self.heads))
        own = (cloud.vectors().astype(x.dtype), queries)
        sums = edge_sums(attended, tables_of(cloud), to_planes(x, self.rep_in), own, shared)
        values = join([s.swapaxes(-1, -2) for s in sums if s.shape[-1]], x.shape[:-1])
        return self.gate(self.down(values) + self.own(x))


class _Plan(NamedTuple):
    product: EdgeProduct
    heads: int


def _attended(plan: _Plan, x: Array, near: Array, own: Any, shared: Any) -> tuple[Any, Any]:
    """Σ_j α v of a block of centres."""
    (vectors, queries), (radial, perceptron) = own, shared
    product, distance = plan.product, lengths(vectors)
    ends = jnp.where(near, radial.envelope(distance), 0.0)[..., None]
    weights = perceptron(radial.plain(distance))
    of_keys, of_values = weights[..., : product.weights], weights[..., product.weights :]
    y = harmonics(vectors, product.degree)
    # ⟨q, k⟩ path by path: the product is linear in its weights, and this its slope along q
    _, pull = jax.vjp(lambda w: product.summed(x, y, w), jnp.zeros_like(of_keys))
    (along,) = pull(queries)
    of_head = jnp.asarray(_heads(plan), x.dtype)
    logits = jnp.matmul(of_keys * along, of_head, precision="highest") * (plan.heads / product.weights) ** 0.5
    logits = jnp.where(near[..., None], logits, 0.0)
    top = jax.lax.stop_gradient(jnp.maximum(logits.max(1, keepdims=True), 0.0))
    share = ends * jnp.exp(logits - top)
    share = share / (jnp.exp(-top) + share.sum(1, keepdims=True))
    spread = jnp.matmul(share, of_head.T, precision="highest")
    return product.summed(x, y, of_values * spread), ()


def _heads(plan: _Plan) -> np.ndarray:
    """(weights, heads): 1 where a weight belongs to a head."""
    found = np.zeros((plan.product.weights, plan.heads))
    copy, of = plan.product.copy_of_weight
    found[np.arange(len(found)), copy * plan.heads // of] = 1
    return found
