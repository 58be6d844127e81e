r"""Products with the harmonics of an edge in the frame where the edge is the polar axis.

There all harmonics but those of order 0 vanish, and an equivariant map between degrees l1 and l commutes with
rotations about the axis: for each order m ≥ 0 up to min(l1, l) it is a complex number a + ib,

    y = Σ_{l1} D^l(R)ᵀ κ^{l1 l} D^{l1}(R) x,    κ: y_m = a_m x_m − b_m x_{−m},  y_{−m} = a_m x_{−m} + b_m x_m

so that the sum over paths (l1, l2, l) of l1 and l, of weights w, is the κ with

    a_m = Σ_{l2} w_{l2} √(2 l2 + 1) C^{l1 l2 l}_{m 0 m} (even l1 + l2 + l),    b_m = −Σ … C_{−m 0 m} (odd).

Turning, multiplying and turning back take L³ multiplications for each copy where the products take L⁶ (L⁵, as
their coefficients are sparse). With reflections, parities allow a or b alone. (Passaro & Zitnick 2023,
Reducing SO(3) convolutions to SO(2) for efficient equivariant GNNs.)
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine.layers.points.hidden_types import edge_irrep
from intertwine.layers.points.products.edge_product import cut_at
from intertwine.symmetry.compact import CompactRep
from intertwine.symmetry.wigner import clebsch_gordan_so3


class Pair(NamedTuple):
    """From irrep number `into` to number `out`. orders: min(l1, l). even: whether there are a_m; odd: b_m.
    start: the first of its weights: a_0 … a_orders, then b_1 … b_orders, copies of each one after another."""

    into: int
    out: int
    orders: int
    even: bool
    odd: bool
    start: int

    @property
    def numbers(self) -> int:
        """How many a_m and b_m there are."""
        return self.even * (self.orders + 1) + self.odd * self.orders


class RotatedProduct(NamedTuple):
    """All equivariant maps from some irreps to others along an edge, for `copies` copies of each.

    >>> from intertwine.symmetry import CompactGroup
    >>> O3 = CompactGroup("O(3)")
    >>> scalar, vector = O3.irrep(0), O3.irrep(1, -1)
    >>> RotatedProduct((scalar, vector), (scalar, vector), 4).weights    # a_0 of all pairs, a_1 of one
    20
    """

    into: tuple[CompactRep, ...]
    outs: tuple[CompactRep, ...]
    copies: int

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The pairs of irreps with maps between them."""
        return _pairs(self)

    @property
    def weights(self) -> int:
        """How many weights an edge takes."""
        return sum(pair.numbers for pair in self.pairs) * self.copies

    @property
    def degree(self) -> int:
        """The highest degree."""
        return max(degree_of(rep) for rep in (*self.into, *self.outs))

    def sums(
        self,
        x: Float[Array, "B K planes"],
        turns: list[Float[Array, "B K m m"]],
        weights: Float[Array, "B K W"],
    ) -> tuple[Float[Array, "B d copies"], ...]:
        """Σ_k of the products, for each irrep of `outs`.

        x: planes of `copies` copies of each irrep of `into`. turns: D^l of rotations that turn the edges to
        the axis. weights: (B, K, W), in the order of `pairs`.
        """
        b, k = x.shape[:2]
        ends = np.cumsum([0, *(rep.dimension * self.copies for rep in self.into)])
        planes = cut_at(x, list(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)))
        turned = [
            jnp.matmul(
                turns[degree_of(rep)], u.reshape(b, k, rep.dimension, self.copies), precision="highest"
            )
            for rep, u in zip(self.into, planes, strict=True)
        ]
        spans = [(p.start * self.copies, (p.start + p.numbers) * self.copies) for p in self.pairs]
        each = cut_at(weights, spans)
        made: list[list[Array]] = [[] for _ in self.outs]
        for pair, w in zip(self.pairs, each, strict=True):
            made[pair.out].append(self._along(pair, turned[pair.into], w.reshape(b, k, -1, self.copies)))
        found = []
        for rep, parts in zip(self.outs, made, strict=True):
            d = rep.dimension
            if not parts:
                found.append(jnp.zeros((b, d, self.copies), x.dtype))
                continue
            total = parts[0]
            for part in parts[1:]:
                total = total + part
            back = turns[degree_of(rep)].reshape(b, k * d, d).swapaxes(1, 2)  # sums over k and m at once
            found.append(jnp.matmul(back, total.reshape(b, k * d, self.copies), precision="highest"))
        return tuple(found)

    def _along(self, pair: Pair, x: Array, w: Array) -> Array:
        """κ x of one pair in the frames of the edges, (B, K, 2l + 1, copies)."""
        m, l1, l2 = pair.orders, degree_of(self.into[pair.into]), degree_of(self.outs[pair.out])
        x = x[..., l1 - m : l1 + m + 1, :]
        total = None
        if pair.even:
            a = w[..., : m + 1, :]
            total = jnp.concatenate([jnp.flip(a[..., 1:, :], -2), a], -2) * x
        if pair.odd:
            b = w[..., w.shape[-2] - m :, :]
            both = jnp.concatenate([jnp.flip(b, -2), jnp.zeros_like(b[..., :1, :]), -b], -2) * jnp.flip(x, -2)
            total = both if total is None else total + both
        assert total is not None
        return jnp.pad(total, ((0, 0), (0, 0), (l2 - m, l2 - m), (0, 0)))

    def of_paths(self, weights: dict[tuple[int, int, int], Array]) -> Array:
        """The weights (..., W) that are the same as weights (..., copies) of the paths (number in, degree of
        the edge's harmonics, number out) of an `EdgeProduct`, whose results for each pair of irreps are added
        up."""
        parts = []
        for pair in self.pairs:
            total = None
            for degree, table in _couplings(self, pair):
                one = weights[pair.into, degree, pair.out][..., None, :] * table[:, None]
                total = one if total is None else total + one
            assert total is not None
            parts.append(total.reshape(*total.shape[:-2], -1))
        return jnp.concatenate(parts, -1)


def degree_of(rep: CompactRep) -> int:
    """l of an irrep."""
    return rep.irreps[0][0].frequency


@lru_cache(maxsize=256)
def _pairs(product: RotatedProduct) -> tuple[Pair, ...]:
    found, start = [], 0
    for i, into in enumerate(product.into):
        for o, out in enumerate(product.outs):
            orders, both = min(degree_of(into), degree_of(out)), degree_of(into) + degree_of(out)
            even, odd = _allowed(into, out, both), orders > 0 and _allowed(into, out, both + 1)
            pair = Pair(i, o, orders, even, odd, start)
            if pair.numbers:
                found.append(pair)
                start += pair.numbers
    return tuple(found)


def _allowed(into: CompactRep, out: CompactRep, degree: int) -> bool:
    """Whether harmonics of a degree of this parity lead from one irrep to the other."""
    parity = [rep.irreps[0][0].parity for rep in (into, edge_irrep(into.group, degree % 2), out)]
    return parity[0] * parity[1] == parity[2]


def _couplings(product: RotatedProduct, pair: Pair) -> list[tuple[int, np.ndarray]]:
    """For each degree l2 of the edge that joins the pair, (numbers,): a_m and b_m of a path of weight 1."""
    l1, l3 = degree_of(product.into[pair.into]), degree_of(product.outs[pair.out])
    found, m = [], np.arange(pair.orders + 1)
    for l2 in range(abs(l1 - l3), l1 + l3 + 1):
        even = (l1 + l2 + l3) % 2 == 0
        if not (pair.even if even else pair.odd):
            continue
        table = (2 * l2 + 1) ** 0.5 * clebsch_gordan_so3(l1, l2, l3)[:, l2]
        a = table[l1 + m, l3 + m] * even if pair.even else np.zeros(0)
        b = -table[l1 - m[1:], l3 + m[1:]] * (not even) if pair.odd else np.zeros(0)
        found.append((l2, np.concatenate([a, b])))
    return found
