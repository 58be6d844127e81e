r"""Tables of spin-weighted harmonics on the rings of a grid, for one product per order m.

A field of spin s ≥ 1, f = f_0 + i f_1, has the two real potentials E and B,

    f_lm = E_lm + i B_lm,      E_{l,−m} = (−1)^m E_lm*,   B_{l,−m} = (−1)^m B_lm*,

the coefficients of real scalar fields: rotations act on both by D^l. With λ^s_lm(θ) = sY_lm(θ, 0) and

    W = ½(λ^s + (−1)^s λ^{−s}),   X = ½(λ^s − (−1)^s λ^{−s})          (s = 0: W = λ, X = 0)

the order m ≥ 0 of its components along a ring is F_0 = Σ_l W E + iX B, F_1 = Σ_l W B − iX E. Under θ ↦ π − θ
W has the sign (−1)^{l+m+s} and X the other one, so that northern rings are enough: even and odd degrees see
the sum and the difference of two hemispheres.

A table is an array (2, orders, degrees/2, rings/2), or with W and X side by side (…, 2·rings/2), the first
axis the parity of l; the one for synthesis has the last two axes exchanged, or, for few fields, the one for
analysis. Tables of several ranges of orders leave out the degrees below m, and the rings near the poles where
all harmonics of such orders are below 10⁻¹⁷. Both ways together they take about L³/2 numbers for scalars and
L³ for other spins: at L = 64, 128, 256 in single precision 0.6, 4.5, 35 MB for scalars, twice that where few
fields and many are transformed.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Complex, Float

from intertwine.spaces.sphere.grids import Rings, folded_weights
from intertwine.spaces.sphere.recursion import wigner_d_degrees

_NEGLIGIBLE = 1e-17
_EXACT = lax.Precision.HIGHEST


class Range(NamedTuple):
    """Tables of the orders start ≤ m < stop: synthesis (2, m, t, j), analysis (2, m, j, t), the other way
    round for few fields, l = 2(first + j)
    + parity, northern rings from `from_pole` (synthesis, analysis) on."""

    start: int
    stop: int
    first: int
    from_pole: tuple[int, int]
    synthesis: tuple[Array, Array]
    analysis: tuple[Array, Array]


class Tabled(NamedTuple):
    """The products of a transform by tables. half: the northern rings. few: whether fields stand before the
    rings."""

    ranges: tuple[Range, ...]
    half: int
    few: bool

    def quadrature(self, orders: Complex[Array, "rings K m"], spin: int) -> Complex[Array, "rings K m"]:
        """Nothing: the tables have the weights."""
        return orders

    def to_degrees(self, data: list[Float[Array, "m t K"]]) -> Float[Array, "2 m j K"]:
        """Σ_t data · table, range by range."""
        found = []
        for parity, values in enumerate(data):
            rows = []
            for table in self.ranges:
                here = values[table.start : table.stop]
                t, at = table.from_pole[1], self._at
                if t:
                    parts = range(0, values.shape[at], self.half)
                    cut = [lax.slice_in_dim(here, k + t, k + self.half, axis=at) for k in parts]
                    here = jnp.concatenate(cut, axis=at)
                rows.append(self._padded(self._product(table.analysis[parity], here), table.first))
            found.append(rows[0] if len(rows) == 1 else jnp.concatenate(rows, axis=0))
        return jnp.stack(found)

    def to_rings(self, data: Float[Array, "2 m j K"]) -> tuple[Float[Array, "m t K"], Float[Array, "m t K"]]:
        """Σ_j data · table, range by range."""
        found = []
        for parity in (0, 1):
            rows = []
            for table in self.ranges:
                t = table.from_pole[0]
                here, at, width = data[parity, table.start : table.stop], self._at, self.half - t
                here = lax.slice_in_dim(here, table.first, here.shape[at], axis=at)
                out = self._product(table.synthesis[parity], here)
                cut = (lax.slice_in_dim(out, k, k + width, axis=at) for k in range(0, out.shape[at], width))
                parts = [self._padded(part, t) for part in cut]
                rows.append(parts[0] if len(parts) == 1 else jnp.concatenate(parts, axis=at))
            found.append(rows[0] if len(rows) == 1 else jnp.concatenate(rows, axis=0))
        return found[0], found[1]

    @property
    def _at(self) -> int:
        """The axis of rings or degrees in (m, ·, ·)."""
        return 2 if self.few else 1

    def _product(self, table: Array, data: Array) -> Array:
        pair = (data, table) if self.few else (table, data)
        return jnp.matmul(*pair, precision=_EXACT)

    def _padded(self, data: Array, zeros: int) -> Array:
        """With so many zeros in front."""
        widths = [(0, 0), (0, 0), (0, 0)]
        widths[self._at] = (zeros, 0)
        return jnp.pad(data, widths)


def ring_functions(
    band_limit: int, spin: int, orders: np.ndarray, theta: np.ndarray
) -> Float[np.ndarray, "kinds l m theta"]:
    """λ_lm(θ) of spin 0, (1, L, m, θ), or W and X, (2, L, m, θ)."""
    found = np.zeros((2 if spin else 1, band_limit, len(orders), len(theta)))
    signs = (1,) if spin == 0 else (1, -1)
    for sign in signs:
        for l, d in wigner_d_degrees(band_limit, orders, -sign * spin, theta):  # noqa: E741
            part = (-1) ** spin * ((2 * l + 1) / (4 * np.pi)) ** 0.5 * d
            if spin == 0:
                found[0, l] = part
            else:
                other = part if sign > 0 else (-1) ** spin * part
                found[0, l] += other / 2
                found[1, l] += sign * other / 2
    return found


@lru_cache(maxsize=32)
def tables(rings_key: RingsKey, band_limit: int, spin: int, dtype: str, few: bool) -> Tabled:
    """The tables of a grid, a range of orders after another, for few fields or more."""
    rings, folded = rings_key.rings, rings_key.folded
    count = len(rings.theta)
    half = (count + 1) // 2
    parts = max(1, min(8, band_limit // 16))
    edges = sorted({band_limit * k // parts for k in range(parts + 1)})
    found = []
    for start, stop in pairwise(edges):
        orders = np.arange(start, stop)
        first = max(start, spin) // 2
        plain = ring_functions(band_limit, spin, orders, rings.theta[:half])
        if folded:
            quadrature = _through_finer_rings(band_limit, spin, orders, count)
        else:
            quadrature = plain * rings.weights[:half]
        quadrature = quadrature * (2 * np.pi / rings.lengths[:half])
        trims = (_negligible(plain), _negligible(quadrature))
        made = [
            _by_parity(table[..., t:], first) for table, t in zip((plain, quadrature), trims, strict=True)
        ]
        with jax.ensure_compile_time_eval():
            there, back = (
                (jnp.asarray(even, dtype), jnp.asarray(odd, dtype))
                for even, odd in (
                    table if turned else np.swapaxes(table, -1, -2)
                    for table, turned in zip(made, (few, not few), strict=True)
                )
            )
        found.append(Range(start, stop, first, trims, there, back))
    return Tabled(tuple(found), half, few)


class RingsKey(NamedTuple):
    """What tables are kept by: the name and shape of a grid."""

    grid: str
    rows: int
    columns: int
    folded: bool

    @property
    def rings(self) -> Rings:
        from intertwine.spaces.sphere import grids

        return grids.rings(self.grid, self.rows, self.columns, 0.0)


def _negligible(table: np.ndarray) -> int:
    """How many rings from the pole on have nothing but negligible numbers."""
    sizes = np.abs(table).max(axis=(0, 1, 2))
    return min(int(np.argmax(sizes > _NEGLIGIBLE * sizes.max())), len(sizes) - 1)


def _through_finer_rings(band_limit: int, spin: int, orders: np.ndarray, count: int) -> np.ndarray:
    """W and X with the weights of `folded_weights`, on the northern rings."""
    half = (count + 1) // 2
    parts = np.zeros((2 if spin else 1, band_limit, len(orders), half))
    for odd in (False, True):
        here = (orders + spin) % 2 == int(odd)
        if not here.any():
            continue
        fine, matrix = folded_weights(count, odd)
        parts[:, :, here] = (ring_functions(band_limit, spin, orders[here], fine) @ matrix)[..., :half]
    return parts


def _by_parity(table: np.ndarray, first: int) -> np.ndarray:
    """(kinds, L, m, θ) as (2, m, j, kinds·θ), degrees from 2·first."""
    kinds, degrees, orders, theta = table.shape
    even = table if degrees % 2 == 0 else np.concatenate([table, np.zeros_like(table[:, :1])], axis=1)
    split = even.reshape(kinds, -1, 2, orders, theta)[:, first:]
    return np.ascontiguousarray(split.transpose(2, 3, 1, 0, 4)).reshape(2, orders, -1, kinds * theta)
