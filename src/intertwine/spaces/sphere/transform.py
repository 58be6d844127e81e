r"""Spherical harmonic transforms of fields of any spin: FFTs along the rings, one product per order.

    analysis     f ↦ E_lm (, B_lm)          synthesis    the inverse

Both are linear over R, traced by JAX, and batched over fields and channels; `tables` has the mathematics.
Real fields need the orders m ≥ 0 alone, and the two hemispheres are folded on each other. Of more
than `FEW` fields these stand last in the products, (θ × l)(l × fields) for each order, so that only FFTs ask
for transpositions; few stand first, which suits products with narrow matrices.
"""

from __future__ import annotations

from typing import Protocol

import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Complex, Float

FEW = 4
"""So many fields stand before the rings in the products, (fields × θ)(θ × l): more behind them."""


class Products(Protocol):
    """The products with harmonics: kept tables (`tables.Tabled`), or made anew (`streamed.Streamed`). Of few
    fields the last two axes of data are (K, t) and (K, j), of more (t, K) and (j, K)."""

    @property
    def few(self) -> bool: ...

    def quadrature(self, orders: Complex[Array, "rings K m"], spin: int) -> Complex[Array, "rings K m"]:
        """What comes before the products in analysis, where tables do not have the weights."""
        ...

    def to_degrees(self, data: list[Float[Array, "m t K"]]) -> Float[Array, "2 m j K"]:
        """Of values on the northern rings (W, and X behind it) to degrees; both for even and odd l."""
        ...

    def to_rings(self, data: Float[Array, "2 m j K"]) -> tuple[Float[Array, "m t K"], Float[Array, "m t K"]]:
        """The way back."""
        ...


def analysis(
    orders: Complex[Array, "rings K m"], spin: int, products: Products, band_limit: int
) -> Complex[Array, "l m K"]:
    """Coefficients from the Fourier coefficients of the rings, (K, rings, m) of few fields; K: fields, and
    for spin ≥ 1 as the last factor the components (0, 1), which become (E, B)."""
    orders = products.quadrature(orders, spin)
    at, count = _rings_at(products), orders.shape[-1]
    rings, fields = orders.shape[at - 1], orders.shape[2 - at]
    half = (rings + 1) // 2
    turned = _apart(_apart(orders).reshape(-1, count).T).reshape(count, *orders.shape[:2])
    values = jnp.concatenate([turned.real, turned.imag], axis=3 - at)
    north, south = (lax.slice_in_dim(x, 0, half, axis=at) for x in (values, lax.rev(values, (at,))))
    if rings % 2:  # the equator is on both
        share = np.where(np.arange(half) == half - 1, 0.5, 1.0).astype(values.dtype)
        share = share if products.few else share[:, None]
        north, south = north * share, south * share
    south = south * _signs(spin, count, values.dtype)
    plus, minus = _apart(north + south), _apart(north - south)  # of even and odd l
    data = [plus, minus]
    if spin:
        pairs = (plus, _turned(minus, at)), (minus, _turned(plus, at))
        data = [jnp.concatenate(pair, axis=at) for pair in pairs]
    every = _apart(products.to_degrees(data))  # (2, m, j, 2K)
    if products.few:  # (2, m, 2K, j)
        flat = _apart(every.reshape(-1, every.shape[-1]).T).reshape(-1, count, 2 * fields)
    else:
        flat = every.transpose(2, 0, 1, 3).reshape(-1, count, 2 * fields)
    flat = flat[:band_limit]
    return lax.complex(flat[..., :fields], flat[..., fields:])


def synthesis(
    coefficients: Complex[Array, "l m K"], spin: int, products: Products, rings: int
) -> Complex[Array, "rings K m"]:
    """Fourier coefficients of the rings from harmonic ones, (K, rings, m) of few fields."""
    band_limit, half, at = coefficients.shape[0], (rings + 1) // 2, _rings_at(products)
    even = jnp.pad(coefficients, [(0, band_limit % 2), (0, 0), (0, 0)])
    both = jnp.concatenate([even.real, even.imag], axis=-1)  # (l, m, 2K)
    degrees, count, twice = both.shape
    if products.few:
        data = _apart(_apart(both).reshape(degrees // 2, -1).T).reshape(2, count, twice, -1)
    else:
        data = _apart(both.reshape(-1, 2, count, twice).transpose(1, 2, 0, 3))
    even_l, odd_l = products.to_rings(data)  # (m, θ or 2θ, 2K)
    first, second = (lax.slice_in_dim(x, 0, half, axis=at) for x in (even_l, odd_l))
    north, south = first + second, first - second
    if spin:  # F_0 gets iX B, F_1 gets −iX E
        parts = (lax.slice_in_dim(x, half, 2 * half, axis=at) for x in (even_l, odd_l))
        first, second = (_apart(_turned(part, at)) for part in parts)
        north, south = north + first + second, south - first + second
    south = lax.slice_in_dim(south * _signs(spin, count, data.dtype), 0, rings // 2, axis=at)
    values = jnp.concatenate([north, lax.rev(south, (at,))], axis=at)  # (m, rings, 2K)
    turned = _apart(lax.complex(*jnp.split(values, 2, axis=3 - at)))
    return _apart(turned.reshape(count, -1).T).reshape(*turned.shape[1:], count)


def _rings_at(products: Products) -> int:
    """The axis of the rings in arrays (m, ·, ·)."""
    return 2 if products.few else 1


def _apart(x: Array) -> Array:
    """x, kept as an array of its own: transpositions fused with what stands before them take three times as
    long."""
    return lax.optimization_barrier(x)


def _turned(data: Float[Array, "m t 2K"], at: int) -> Float[Array, "m t 2K"]:
    """Of the components (0, 1), real parts before imaginary ones: i F_1 in place of F_0, −i F_0 in place of
    F_1. at: the axis of t."""
    fields = 3 - at
    parts = data.reshape(*data.shape[:fields], 2, -1, 2, *data.shape[fields + 1 :])
    real, imaginary = (lax.index_in_dim(parts, k, fields, keepdims=False) for k in (0, 1))

    def component(x: Array, k: int) -> Array:
        return lax.index_in_dim(x, k, fields + 1, keepdims=False)

    turned = [
        jnp.stack([-component(imaginary, 1), component(imaginary, 0)], axis=fields + 1),
        jnp.stack([component(real, 1), -component(real, 0)], axis=fields + 1),
    ]
    return jnp.stack(turned, axis=fields).reshape(data.shape)


def _signs(spin: int, orders: int, dtype: np.dtype) -> np.ndarray:
    """(−1)^{m+s}, the sign of W under θ ↦ π − θ for even l, (m, 1, 1)."""
    return np.where((np.arange(orders) + spin) % 2 == 0, 1, -1).astype(dtype)[:, None, None]


def ring_orders(x: Float[Array, "... points"], band_limit: int) -> Complex[Array, "... m"]:
    """Σ_p f_p e^{−imφ_p} for m < band_limit, rings of equal length."""
    return jnp.fft.rfft(x, axis=-1)[..., :band_limit]


def ring_values(orders: Complex[Array, "... m"], points: int) -> Float[Array, "... points"]:
    """Σ_m F_m e^{imφ_p} of real fields, the orders m ≥ 0 given."""
    return jnp.fft.irfft(orders, n=points, axis=-1) * points
