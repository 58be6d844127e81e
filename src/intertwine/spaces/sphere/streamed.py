r"""Transforms beyond the band limit whose tables are kept: harmonics made anew at every use.

The recursion over degrees of `recursion` runs inside the compiled program, a block of orders at a time, and
the block meets its data at once; nothing of it is kept, also not for derivatives (the block is made again).
Memory is that of one block, about 32 MB, in place of L³/2 numbers; the price is the recursion, some ten
operations for each of L² rings·degrees·orders/4.

In double precision the errors are those of the tables. In single precision the recursion runs in single
precision too, and loses digits with the degree: a round trip at L = 512 is good to 2e-5.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Complex, Float

from intertwine.spaces.sphere.grids import folded_weights
from intertwine.spaces.sphere.real_product import real_product
from intertwine.spaces.sphere.recursion import first_degree, recursion_factors
from intertwine.spaces.sphere.tables import RingsKey

MOST_TABLED = 256
"""The largest band limit whose tables are kept."""
_BLOCK_BYTES = 2**25
_EXACT = lax.Precision.HIGHEST


class Start(NamedTuple):
    """Of every order (blocks, m): the first degrees' mantissas and exponents (blocks, m, θ), the first
    degree, and the factors (blocks, L, m) of the recursion; radix 2^step."""

    seeds: np.ndarray
    exponents: np.ndarray
    first: np.ndarray
    a: np.ndarray
    b: np.ndarray
    c: np.ndarray


@lru_cache(maxsize=8)
def _starts(band_limit: int, n: int, theta: tuple[float, ...], block: int, step: int, dtype: str) -> Start:
    blocks = -(-band_limit // block)
    m = np.minimum(np.arange(blocks * block), band_limit - 1)[:, None]
    seeds, exponents = first_degree(m, n, np.array(theta)[None], step)
    factors = [recursion_factors(l, m, n) for l in range(band_limit)]  # noqa: E741
    a, b, c = (np.stack([f[k][:, 0] for f in factors]) for k in range(3))
    shaped = [x.reshape(band_limit, blocks, block).swapaxes(0, 1).astype(dtype) for x in (a, b, c)]
    return Start(
        seeds.reshape(blocks, block, -1).astype(dtype),
        exponents.reshape(blocks, block, -1).astype(np.int32),
        np.maximum(m[:, 0], abs(n)).reshape(blocks, block).astype(np.int32),
        *shaped,
    )


def _functions(start: Start, cosine: Array, step: int) -> Array:
    """d^l of one block, (L, m, θ)."""
    big = jnp.asarray(2.0**step, cosine.dtype)

    def degree(carry: tuple[Array, ...], row: tuple[Array, ...]) -> tuple[tuple[Array, ...], Array]:
        now, before, e = carry
        number, a, b, c = row
        begins = (start.first == number)[:, None]
        now, e = jnp.where(begins, start.seeds, now), jnp.where(begins, start.exponents, e)
        value = jnp.where(e == 0, now, jnp.where(e == -1, now / big, 0.0))
        after = (a[:, None] * cosine - b[:, None]) * now - c[:, None] * before
        large = jnp.abs(after) > big
        shrink = jnp.where(large, 1 / big, 1.0)
        return (after * shrink, now * shrink, e + large.astype(e.dtype)), value

    zero: Array = jnp.zeros_like(start.seeds)
    count = start.a.shape[0]
    begin: tuple[Array, ...] = (zero, zero, jnp.zeros_like(start.exponents))
    rows = (jnp.arange(count, dtype=jnp.int32), *map(jnp.asarray, (start.a, start.b, start.c)))
    return lax.scan(degree, begin, rows)[1]


class Streamed(NamedTuple):
    """What stands in place of tables: the transform of a grid with northern rings θ."""

    band_limit: int
    spin: int
    theta: tuple[float, ...]
    dtype: str
    few: bool

    @property
    def block(self) -> int:
        """How many orders at a time."""
        bytes_ = self.band_limit * len(self.theta) * (1 + (self.spin > 0)) * np.dtype(self.dtype).itemsize
        return max(1, min(self.band_limit, _BLOCK_BYTES // bytes_))

    @property
    def _starts(self) -> list[Start]:
        step = 256 if self.dtype == "float64" else 40
        signs = (1, -1) if self.spin else (1,)
        return [
            _starts(self.band_limit, -s * self.spin, self.theta, self.block, step, self.dtype) for s in signs
        ]

    def _table(self, starts: list[Start], cosine: Array) -> Array:
        """λ, or W and X side by side, of one block: (2, m, l/2, kinds·θ)."""
        step = 256 if self.dtype == "float64" else 40
        degrees = np.arange(self.band_limit)
        norm = jnp.asarray((-1) ** self.spin * ((2 * degrees + 1) / (4 * np.pi)) ** 0.5, cosine.dtype)
        found = [_functions(start, cosine, step) * norm[:, None, None] for start in starts]
        if self.spin:
            other = (-1) ** self.spin * found[1]
            found = [(found[0] + other) / 2, (found[0] - other) / 2]
        table = jnp.concatenate(found, axis=-1)
        table = jnp.pad(table, [(0, self.band_limit % 2), (0, 0), (0, 0)])
        return table.reshape(-1, 2, *table.shape[1:]).transpose(1, 2, 0, 3)

    def to_degrees(self, data: list[Float[Array, "m t K"]]) -> Float[Array, "2 m j K"]:
        """Σ_t data · table."""
        return self._product(jnp.stack(data), "qmkt,qmjt->qmkj" if self.few else "qmtk,qmjt->qmjk")

    def to_rings(self, data: Float[Array, "2 m j K"]) -> tuple[Float[Array, "m t K"], Float[Array, "m t K"]]:
        """Σ_j data · table."""
        found = self._product(data, "qmkj,qmjt->qmkt" if self.few else "qmjk,qmjt->qmtk")
        return found[0], found[1]

    def _product(self, data: Array, word: str) -> Array:
        block, kind = self.block, jnp.dtype(self.dtype)
        cosine = jnp.asarray(np.cos(np.array(self.theta)), kind)
        starts = self._starts
        blocks = starts[0].first.shape[0]
        padded = jnp.pad(data, [(0, 0), (0, blocks * block - data.shape[1]), (0, 0), (0, 0)])
        split = padded.reshape(2, blocks, block, *data.shape[2:]).swapaxes(0, 1)

        @jax.checkpoint
        def one(given: tuple[list[Start], Array]) -> Array:
            return jnp.einsum(word, given[1], self._table(given[0], cosine), precision=_EXACT)

        out = lax.map(one, (jax.tree.map(jnp.asarray, starts), split))
        return out.swapaxes(0, 1).reshape(2, blocks * block, *out.shape[3:])[:, : data.shape[1]]


@dataclass(frozen=True)
class StreamedTransform:
    """The products of a transform without tables. there: onto the rings; back: from rings (finer ones, where
    `matrices` carry there), with their weights (rings,)."""

    there: Streamed
    back: Streamed
    weights: np.ndarray | None
    matrices: tuple[np.ndarray, np.ndarray] | None

    @property
    def few(self) -> bool:
        """Whether fields stand before the rings."""
        return self.there.few

    def quadrature(self, orders: Complex[Array, "rings K m"], spin: int) -> Complex[Array, "rings K m"]:
        """The weights, or the finer rings with theirs."""
        if self.matrices is not None:
            return on_finer_rings(orders, spin, self.matrices, self.few)
        assert self.weights is not None
        weights = self.weights.astype(orders.real.dtype)[:, None]
        return orders * (weights if self.few else weights[:, None])

    def to_degrees(self, data: list[Float[Array, "m t K"]]) -> Float[Array, "2 m j K"]:
        """Σ_t data · harmonics."""
        return self.back.to_degrees(data)

    def to_rings(self, data: Float[Array, "2 m j K"]) -> tuple[Float[Array, "m t K"], Float[Array, "m t K"]]:
        """Σ_j data · harmonics."""
        return self.there.to_rings(data)


@lru_cache(maxsize=16)
def streamed(key: RingsKey, band_limit: int, spin: int, dtype: str, few: bool) -> StreamedTransform:
    """The transform of a grid without tables."""
    found = key.rings
    count, lengths = len(found.theta), 2 * np.pi / found.lengths
    there = Streamed(band_limit, spin, tuple(found.theta[: (count + 1) // 2].tolist()), dtype, few)
    if not key.folded:
        return StreamedTransform(there, there, found.weights * lengths, None)
    fine, even = folded_weights(count, False)
    odd = folded_weights(count, True)[1]
    back = Streamed(band_limit, spin, tuple(fine[: (len(fine) + 1) // 2].tolist()), dtype, few)
    return StreamedTransform(there, back, None, (even * lengths[0], odd * lengths[0]))


def on_finer_rings(
    orders: Complex[Array, "rings K m"], spin: int, weights: tuple[np.ndarray, np.ndarray], few: bool
) -> Complex[Array, "fine K m"]:
    """Rings of "clenshaw-curtis" carried to finer ones with their weights (`grids.folded_weights`, of even
    and odd functions of θ), orders by their parity."""
    odd = (np.arange(orders.shape[-1]) + spin) % 2 == 1
    word = "ktm,ft->kfm" if few else "tkm,ft->fkm"
    even_part, odd_part = (real_product(word, orders, matrix) for matrix in weights)
    return jnp.where(odd, odd_part, even_part)
