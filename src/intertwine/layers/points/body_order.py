r"""Symmetric products of the density: features of many bodies from one sum over neighbours (ACE, MACE).

    B_{kLM} = Σ_{ν ≤ order} Σ_η W^{(s)}_{kη} Σ_{m_1 … m_ν} U^{η,LM}_{m_1 … m_ν} Π_ξ A_{k m_ξ}

A are W channels k of all components m of several irreps: the density of the neighbours of a point. A product
of ν of them is a function of ν neighbours, ν + 1 bodies. U^η is a basis of the equivariant maps from the
symmetric power Sym^ν to the irrep L: what is alike under exchange of factors is kept once, so that η counts
Hom(Sym^ν V, L). Weights depend on the scalars a_s of the point (its species, one-hot), W = Σ_s a_s W^{(s)}.
(Drautz, Phys. Rev. B 99, 014104 (2019); Dusson et al., J. Comput. Phys. 454, 110946 (2022); Batatia et al.,
NeurIPS 2022.)

The maps are found by coupling factors one after another, which spans all of them, and orthogonalising what
their symmetric parts span. They are evaluated on the monomials of the components: one matrix product for all
points and channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import factorial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from intertwine._checks import fail, positive_int
from intertwine.layers.blocks import blocks, check_channels, join
from intertwine.layers.points.hidden_types import checked_compact
from intertwine.layers.points.mixing import check_attributes
from intertwine.symmetry._images import frozen
from intertwine.symmetry.compact import CompactRep
from intertwine.symmetry.fibre_maps import AnyRep, bilinear_maps, commuting_maps

_MOST_ORDER = 4
_MOST_MONOMIALS = 20_000
_SMALL = 1e-9


class SymmetricProducts(eqx.Module):
    """Products of up to `order` of the components of each channel.

    rep_in: irreps that differ, with the same number of copies (the channels). rep_out: irreps that differ,
    with as many copies; each must be in a symmetric power of rep_in. order: ν. attributes: S, how many
    scalars the weights depend on.

    weights: (S, maps of all irreps of rep_out, channels).

    Raises InputError for other types, orders above 4, and irreps that no product leads to.

    >>> from intertwine.symmetry import CompactGroup
    >>> O3 = CompactGroup("O(3)")
    >>> density = 8 * O3.irrep(0) + 8 * O3.irrep(1, -1) + 8 * O3.irrep(2)
    >>> layer = SymmetricProducts(density, 8 * O3.irrep(0), key=jax.random.key(0))
    >>> layer(jnp.ones((5, 72))).shape, layer.weights.shape
    ((5, 8), (1, 9, 8))
    """

    weights: Float[Array, "S maps channels"]
    rep_in: CompactRep = eqx.field(static=True)
    rep_out: CompactRep = eqx.field(static=True)
    order: int = eqx.field(static=True)

    def __init__(
        self,
        rep_in: AnyRep,
        rep_out: AnyRep,
        *,
        order: int = 3,
        attributes: int = 1,
        dtype: DTypeLike = float,
        key: Array,
    ):
        self.rep_in, self.rep_out = checked_compact(rep_in, "rep_in"), checked_compact(rep_out, "rep_out")
        self.order = positive_int("order", order)
        if self.order > _MOST_ORDER:
            raise fail("order", f"a number up to {_MOST_ORDER}", order, "products of 3 are usual")
        channels = {m for rep in (self.rep_in, self.rep_out) for _, m in rep.blocks}
        for argument, rep in (("rep_in", self.rep_in), ("rep_out", self.rep_out)):
            if len(channels) > 1 or len({part for part, _ in rep.blocks}) < len(rep.blocks):
                remedy = "for example 8 * scalar + 8 * vector"
                raise fail(argument, "irreps that differ, as many copies of each", rep, remedy)
        found = _plan(self.rep_in, self.rep_out, self.order)
        width = self.rep_in.blocks[0][1]
        drawn = jax.random.normal(
            key, (positive_int("attributes", attributes), sum(found.maps), width), dtype
        )
        spread = np.repeat([n**-0.5 for n in found.maps], found.maps)
        self.weights = drawn * jnp.asarray(spread, drawn.dtype)[:, None]

    @property
    def attributes(self) -> int:
        """S."""
        return self.weights.shape[0]

    def __call__(
        self,
        x: Float[Array, "... C_in"],
        attributes: Float[Array, "... S"] | None = None,
        *,
        key: Array | None = None,
    ) -> Float[Array, "... C_out"]:
        """Fields of type rep_out; `key` is not used."""
        check_channels(x, self.rep_in)
        check_attributes(attributes, self.attributes)
        found, lead = _plan(self.rep_in, self.rep_out, self.order), x.shape[:-1]
        width = self.rep_in.blocks[0][1]
        planes = [
            part.of(x).reshape(-1, width, part.rep.dimension).transpose(2, 0, 1)
            for part in blocks(self.rep_in)
        ]
        values = _monomials(jnp.concatenate(planes, axis=0), self.order)  # (monomials, n, W)
        maps = jnp.asarray(found.matrix, x.dtype)
        products = jnp.matmul(maps, values.reshape(len(values), -1), precision="highest").reshape(
            -1, *values.shape[1:]
        )
        weights = self.weights.astype(x.dtype)
        if self.attributes > 1:
            assert attributes is not None
            flat = attributes.astype(x.dtype).reshape(-1, self.attributes)
            weights = jnp.matmul(flat, weights.reshape(self.attributes, -1), precision="highest").reshape(
                -1, *weights.shape[1:]
            )
        weights = weights.transpose(1, 0, 2)  # (maps, n or 1, W)
        parts, row, of_map = [], 0, 0
        for (out, _), count in zip(self.rep_out.blocks, found.maps, strict=True):
            d = out.dimension
            here = products[row : row + count * d].reshape(count, d, *products.shape[1:])
            total = (here * weights[of_map : of_map + count, None]).sum(0)  # (d, n, W)
            parts.append(total.transpose(1, 2, 0).reshape(*lead, width, d))
            row, of_map = row + count * d, of_map + count
        return join(parts, lead)


def led_to_by_products(rep: CompactRep, targets: Sequence[CompactRep], order: int) -> tuple[CompactRep, ...]:
    """Those of `targets` that products of up to `order` components of a channel lead to.

    >>> from intertwine.symmetry import CompactGroup
    >>> O3 = CompactGroup("O(3)")
    >>> led_to_by_products(2 * O3.irrep(1, -1), [O3.irrep(0), O3.irrep(0, -1), O3.irrep(2)], 3)
    ((0, +), (2, +))
    """
    irreps = tuple(part for part, _ in rep.blocks)
    orders = range(1, order + 1)
    return tuple(out for out in targets if any(len(product_basis(irreps, out, v)) for v in orders))


class _Plan(NamedTuple):
    """maps: how many there are for each irrep of the output. matrix: (rows, monomials), a row for each irrep
    of the output, map and component."""

    maps: tuple[int, ...]
    matrix: np.ndarray


@lru_cache(maxsize=64)
def _plan(rep_in: CompactRep, rep_out: CompactRep, order: int) -> _Plan:
    irreps = tuple(part for part, _ in rep_in.blocks)
    sizes = [len(_multisets(sum(part.dimension for part in irreps), v)) for v in range(1, order + 1)]
    if sum(sizes) > _MOST_MONOMIALS:
        remedy = "lower the order or the degree of the density"
        raise fail("rep_in", f"at most {_MOST_MONOMIALS} monomials", f"{sum(sizes)}", remedy)
    maps, rows = [], []
    for out, _ in rep_out.blocks:
        found = [product_basis(irreps, out, v) for v in range(1, order + 1)]
        maps.append(sum(map(len, found)))
        if not maps[-1]:
            raise fail("rep_out", f"irreps in the products of {rep_in!r}", out, "raise degree or order")
        for place, basis in enumerate(found):
            row = np.zeros((len(basis), out.dimension, sum(sizes)))
            row[..., sum(sizes[:place]) : sum(sizes[: place + 1])] = basis
            rows.append(row.reshape(-1, sum(sizes)))
    return _Plan(tuple(maps), frozen(np.concatenate(rows)))


@lru_cache(maxsize=256)
def product_basis(
    irreps: tuple[CompactRep, ...], out: CompactRep, order: int
) -> Float[np.ndarray, "maps d monomials"]:
    """A basis of the equivariant polynomials, homogeneous of degree `order`, from a copy of each of `irreps`
    to `out`, on the monomials x_i x_j … with i ≤ j ≤ …, in order.

    Of normal variables each component has about variance 1.

    >>> from intertwine.symmetry import CompactGroup
    >>> SO3 = CompactGroup("SO(3)")
    >>> abs(product_basis((SO3.irrep(1),), SO3.irrep(0), 2) * 6**0.5).round(6).tolist()   # x² + y² + z²
    [[[1.0, 0.0, 0.0, 1.0, 0.0, 1.0]]]
    """
    size = sum(part.dimension for part in irreps)
    monomials = _multisets(size, order)
    place = {key: number for number, key in enumerate(monomials)}
    index = np.array([place[tuple(sorted(key))] for key in np.ndindex(*[size] * order)])
    times = np.bincount(index)  # in how many orders of the factors a monomial occurs
    found: list[np.ndarray] = []
    for tensor in _coupled(irreps, out, order):
        flat = tensor.reshape(out.dimension, -1)
        sums = np.stack([np.bincount(index, row, len(monomials)) for row in flat])  # of a symmetric tensor
        sums = sums / times**0.5  # now of the norm of its symmetric part
        start = np.linalg.norm(flat)
        for _ in range(2):  # twice is enough
            for other in found:
                sums = sums - np.vdot(other, sums) * other
        if np.linalg.norm(sums) > _SMALL * start:
            found.append(sums / np.linalg.norm(sums))
    if not found:
        return frozen(np.zeros((0, out.dimension, len(monomials))))
    scale = (out.dimension / factorial(order)) ** 0.5
    return frozen(np.array(found) * times**0.5 * scale)


def _coupled(irreps: tuple[CompactRep, ...], out: CompactRep, order: int) -> list[np.ndarray]:
    """Tensors (d_out, D, …, D) that span the equivariant multilinear maps: factors coupled one by one."""
    size, starts = sum(part.dimension for part in irreps), {}
    for part in irreps:
        starts[part] = sum(other.dimension for other in irreps[: len(starts)])
    if order == 1:
        if out not in starts:
            return []
        maps = commuting_maps(out, out)  # the identity; of SO(2) also the turn by 90°
        found = np.zeros((len(maps), out.dimension, size))
        found[..., starts[out] : starts[out] + out.dimension] = maps
        return list(found)
    found = []
    for part in irreps:
        before = dict.fromkeys(irrep for irrep, _ in out.tensor(part).blocks)  # irreps are self-dual
        for middle in before:
            for inner in _coupled(irreps, middle, order - 1):
                for q in bilinear_maps(middle, part, out):
                    wide = np.zeros((out.dimension, *[size] * order))
                    here = slice(starts[part], starts[part] + part.dimension)
                    wide[..., here] = _joined(q, inner)
                    found.append(wide)
    return found


def _joined(q: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """Σ_m Q[M, m, j] T[m, …] → (M, …, j)."""
    return np.moveaxis(np.tensordot(q, inner, axes=(1, 0)), 1, -1)


@lru_cache(maxsize=64)
def _multisets(size: int, order: int) -> tuple[tuple[int, ...], ...]:
    """Sorted index tuples in the order of `_monomials`."""
    if order == 1:
        return tuple((i,) for i in range(size))
    lower = _multisets(size, order - 1)
    return tuple((i, *rest) for i in range(size) for rest in lower if rest[0] >= i)


def _monomials(x: Array, order: int) -> Array:
    """All monomials of degree 1 to `order` of x (D, …), along the first axis."""
    size, found = len(x), [x]
    for v in range(2, order + 1):
        lower = _multisets(size, v - 1)
        starts = [next(k for k, rest in enumerate(lower) if rest[0] >= i) for i in range(size)]
        found.append(jnp.concatenate([x[i : i + 1] * found[-1][starts[i] :] for i in range(size)], axis=0))
    return jnp.concatenate(found, axis=0)
