r"""Clebsch-Gordan products of the fields of neighbours with harmonics of the edges, summed over neighbours.

    s^p_{c m}(i) = Σ_k w^p_c(i, k) Σ_{m1 m2} C^{l1 l2 l}_{m1 m2 m} x^{l1}_{c m1}(j_k) Y_{l2 m2}(r_ik)

with one path p = (l1, l2, l) for every coupling, one weight for each edge, path and copy ("depthwise": copies
are not mixed here), as in tensor field networks, NequIP and MACE (Thomas et al. 2018; Batzner et al. 2022).
Coefficients are scaled so that components of variance 1 give components of variance 1.

Fields are laid out by planes: of a type m1·ρ1 + m2·ρ2 + … (equal irreps together) first the m1 copies of
component 0 of ρ1, then those of component 1, …, so that loops run over copies. Paths from one irrep are one
product for all of them: with A = Σ_m2 C Y (one product for all paths, components m beyond those of a path 0)
and V = w x,

    s(p, m, c) = Σ_{k, m1} A(p, m, k, m1) V(p, k, m1, c).

XLA is slow at sums over an axis on a CPU, unless they are dot products; so sums that come from repeating
numbers along a short axis are written out (`repeated`, `added`, each the transpose of the other).
"""

from __future__ import annotations

from functools import lru_cache, partial
from itertools import pairwise
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int

from intertwine._checks import fail
from intertwine.layers.blocks import blocks, direct_sum, gathered
from intertwine.layers.points.hidden_types import edge_irrep
from intertwine.layers.points.products.edge_sums import Tables, edge_sums
from intertwine.symmetry.compact import CompactRep
from intertwine.symmetry.fibre_maps import bilinear_maps


class Group(NamedTuple):
    """The paths from one irrep. block: its number in rep_in. copies: m. into: its dimension; out: the
    largest that its paths lead to. weights: the first of their weights; those of a path follow one another.
    couplings: the first of their columns of A. rows: of each path the number of the irrep it leads to."""

    block: int
    copies: int
    into: int
    out: int
    weights: int
    couplings: int
    rows: tuple[int, ...]


class Layout(NamedTuple):
    """groups of paths; couplings: A = Y @ couplings, (harmonics, Σ paths·out·into). weights: how many an edge
    takes. copies: of each irrep of the result."""

    groups: tuple[Group, ...]
    couplings: Float[np.ndarray, "harmonics columns"]
    weights: int
    copies: tuple[int, ...]


class EdgeProduct(NamedTuple):
    """Which paths there are: from the irreps of rep_in, by harmonics of degree 0 to `degree`, to `outs`.

    >>> from intertwine.symmetry import CompactGroup
    >>> O3 = CompactGroup("O(3)")
    >>> product = edge_product_of(4 * O3.irrep(0) + 2 * O3.irrep(1, -1), (O3.irrep(0), O3.irrep(1, -1)), 1)
    >>> product.weights, product.copies          # 0·0→0, 0·1→1 of 4 copies; 1·0→1, 1·1→0 of 2
    (12, (6, 6))
    """

    rep_in: CompactRep
    outs: tuple[CompactRep, ...]
    degree: int

    @property
    def weights(self) -> int:
        """How many weights an edge takes: Σ over paths of the copies."""
        return _layout(self).weights

    @property
    def copies(self) -> tuple[int, ...]:
        """How many copies of each irrep of `outs` the product has."""
        return _layout(self).copies

    @property
    def paths(self) -> int:
        """How many paths there are."""
        return sum(len(group.rows) for group in _layout(self).groups)

    @property
    def copy_of_weight(self) -> tuple[Int[np.ndarray, " W"], Int[np.ndarray, " W"]]:
        """Of each weight the copy that it multiplies, and how many copies there are of that irrep."""
        groups = _layout(self).groups
        copies = [np.tile(np.arange(group.copies), len(group.rows)) for group in groups]
        of = [np.full(group.copies * len(group.rows), group.copies) for group in groups]
        return np.concatenate(copies), np.concatenate(of)

    def summed(
        self, x: Float[Array, "B K planes"], y: Float[Array, "B K harmonics"], weights: Float[Array, "B K W"]
    ) -> tuple[Float[Array, "B d copies"], ...]:
        """Σ_k of the products, for each irrep of `outs` its components and copies."""
        shapes = [(block.rep.dimension, block.copies) for block in blocks(self.rep_in)]
        ends = np.cumsum([0, *(d * m for d, m in shapes)]).tolist()
        planes = cut_at(x, list(pairwise(ends)))
        parts = tuple(u.reshape(*u.shape[:-1], *shape) for u, shape in zip(planes, shapes, strict=True))
        groups = tuple(self.shaped(w, number) for number, w in enumerate(self.by_groups(weights)))
        return self.arranged(self.sums(parts, y, groups))

    def by_groups(self, weights: Float[Array, "... W"]) -> list[Float[Array, "... w"]]:
        """Weights cut into those of each group of paths, which lead from one irrep."""
        groups = _layout(self).groups
        return cut_at(weights, [(g.weights, g.weights + len(g.rows) * g.copies) for g in groups])

    def shaped(self, weights: Float[Array, "... w"], group: int) -> Float[Array, "... paths copies"]:
        """Weights of a group by paths and copies."""
        g = _layout(self).groups[group]
        return weights.reshape(*weights.shape[:-1], len(g.rows), g.copies)

    def sums(
        self,
        x: tuple[Float[Array, "B K d copies"], ...],
        y: Float[Array, "B K harmonics"],
        weights: tuple[Float[Array, "B K paths copies"], ...],
    ) -> tuple[Float[Array, "B paths d copies"], ...]:
        """As it is computed: x by irreps of rep_in, weights and results by groups of paths (`by_groups`,
        `shaped`), with components 0 that `arranged` leaves out."""
        layout = _layout(self)
        a = jnp.matmul(y, jnp.asarray(layout.couplings, y.dtype), precision="highest")
        b, k = y.shape[:2]
        columns = cut_at(
            a, [(g.couplings, g.couplings + len(g.rows) * g.out * g.into) for g in layout.groups]
        )
        found = []
        for g, w, c in zip(layout.groups, weights, columns, strict=True):
            p = len(g.rows)
            w: Any = repeated(w[..., None, :].swapaxes(1, 2), 3, g.into)
            u: Any = repeated(x[g.block][:, None], 1, p)
            c = c.reshape(b, k, p, g.out, g.into).transpose(0, 2, 3, 1, 4).reshape(b, p, g.out, k * g.into)
            v = (w * u).reshape(b, p, k * g.into, g.copies)
            found.append(jnp.matmul(c, v, precision="highest"))
        return tuple(found)

    def arranged(
        self, sums: tuple[Float[Array, "n paths d copies"], ...]
    ) -> tuple[Float[Array, "n d copies"], ...]:
        """`sums` by irreps of `outs`."""
        n, layout = sums[0].shape[0], _layout(self)
        found: list[list[Array]] = [[] for _ in self.outs]
        for g, s in zip(layout.groups, sums, strict=True):
            for path, row in enumerate(g.rows):
                found[row].append(s[:, path, : self.outs[row].dimension])
        empty = [jnp.zeros((n, out.dimension, 0), sums[0].dtype) for out in self.outs]
        return tuple(
            jnp.concatenate(parts, -1) if parts else none for parts, none in zip(found, empty, strict=True)
        )


def cut_at(a: Array, spans: list[tuple[int, int]]) -> list[Array]:
    """Parts of the last axis, cut at once: the way back is a concatenation, not a sum of padded arrays."""
    ends = sorted({end for span in spans for end in span} - {0, a.shape[-1]})
    parts = dict(zip([0, *ends], jnp.split(a, ends, -1), strict=True))
    return [parts[start] for start, _ in spans]


@partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def repeated(a: Array, axis: int, size: int) -> Array:
    """`size` times along an axis of size 1."""
    return jnp.broadcast_to(a, (*a.shape[:axis], size, *a.shape[axis + 1 :]))


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def added(a: Array, axis: int) -> Array:
    """The sum along an axis, which stays with size 1."""
    total, *others = jnp.split(a, a.shape[axis], axis)
    for one in others:
        total = total + one
    return total


repeated.defvjp(
    lambda a, axis, size: (repeated(a, axis, size), None), lambda axis, size, _, g: (added(g, axis),)
)
added.defvjp(
    lambda a, axis: (added(a, axis), a.shape[axis]), lambda axis, size, g: (repeated(g, axis, size),)
)


def edge_product(
    product: EdgeProduct,
    x: tuple[Float[Array, "n d copies"], ...],
    y: Float[Array, "n K harmonics"],
    weights: tuple[Float[Array, "n K paths copies"], ...],
    tables: Tables,
) -> tuple[Float[Array, "n d copies"], ...]:
    """The product on a cloud, from harmonics and weights that are given for every edge.

    x: planes of each irrep (`irrep_planes`). y: `harmonics(cloud.vectors(), product.degree)`. weights: those
    of each group of paths, 0 where there is no neighbour. tables: of the cloud (`tables_of`).

    Returns for each irrep of `product.outs` (n, d, copies), derivatives of all orders backwards.
    """
    return product.arranged(edge_sums(partial(_given, product), tables, x, (y, weights), ()))


def _given(product: EdgeProduct, x: Any, near: Array, own: Any, shared: Any) -> tuple[Any, Any]:
    return product.sums(x, *own), ()


def edge_product_of(rep_in: CompactRep, outs: tuple[CompactRep, ...], degree: int) -> EdgeProduct:
    """The product from a type to irreps; InputError where no path leads to any of them."""
    together = gathered(rep_in)[0]
    assert isinstance(together, CompactRep)
    found = EdgeProduct(together, outs, degree)
    if not found.weights:
        got = f"none that {rep_in!r} times harmonics up to degree {degree} leads to"
        raise fail("rep_out", "irreps that the convolution leads to", got, "raise the degree")
    return found


def irrep_planes(x: Float[Array, "n C"], rep: CompactRep) -> tuple[Float[Array, "n d copies"], ...]:
    """A field, copies one after another, by irreps, equal ones together: their components and copies."""
    together, place = gathered(rep)
    x = x if place is None else x[..., np.argsort(place)]
    return tuple(block.of(x).swapaxes(-1, -2) for block in blocks(together))


def to_planes(x: Float[Array, "n C"], rep: CompactRep) -> Float[Array, "n planes"]:
    """A field, copies one after another, as planes of its type with equal irreps together."""
    parts = [part.reshape(*x.shape[:-1], -1) for part in irrep_planes(x, rep)]
    return parts[0] if len(parts) == 1 else jnp.concatenate(parts, -1)


def from_planes(parts: tuple[Float[Array, "n d copies"], ...], rep: CompactRep) -> Float[Array, "n C"]:
    """The field of type `rep` of the components and copies of each of its irreps, equal ones together."""
    place = gathered(rep)[1]
    flat = [part.swapaxes(-1, -2).reshape(*part.shape[:-2], -1) for part in parts]
    y = flat[0] if len(flat) == 1 else jnp.concatenate(flat, -1)
    return y if place is None else y[..., place]


def irreps_of(rep: CompactRep) -> tuple[CompactRep, ...]:
    """The different irreps of a type, in the order in which `from_planes` takes them."""
    return tuple(part for part, _ in gathered(rep)[0].blocks if isinstance(part, CompactRep))


@lru_cache(maxsize=512)
def _layout(product: EdgeProduct) -> Layout:
    rep, outs, degree = product
    sizes = [edge_irrep(rep.group, k).dimension for k in range(degree + 1)]
    starts = np.cumsum([0, *sizes])
    groups, columns, copies = [], [np.zeros((starts[-1], 0))], [0] * len(outs)
    weights = couplings = 0
    for number, block in enumerate(blocks(rep)):
        into, paths = block.rep.dimension, []
        for row, out in enumerate(outs):
            for k in range(degree + 1):
                edge = edge_irrep(rep.group, k)
                for table in bilinear_maps(block.rep, edge, out):  # (d_out, d_in, d_edge), norm 1
                    paths.append((row, k, table.transpose(2, 0, 1) * out.dimension**0.5))
        if not paths:
            continue
        widest = max(outs[row].dimension for row, _, _ in paths)
        whole = np.zeros((starts[-1], len(paths), widest, into))
        for path, (row, k, table) in enumerate(paths):
            whole[starts[k] : starts[k + 1], path, : table.shape[1]] = table
            copies[row] += block.copies
        rows = tuple(row for row, _, _ in paths)
        groups.append(Group(number, block.copies, into, widest, weights, couplings, rows))
        columns.append(whole.reshape(starts[-1], -1))
        weights += len(paths) * block.copies
        couplings += columns[-1].shape[1]
    return Layout(tuple(groups), np.concatenate(columns, axis=1), weights, tuple(copies))


def together(parts: list[tuple[CompactRep, int]]) -> CompactRep:
    """The sum of pairs (irrep, copies)."""
    found = direct_sum([(rep, m) for rep, m in parts if m])
    assert isinstance(found, CompactRep)
    return found
