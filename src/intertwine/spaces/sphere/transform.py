r"""Spherical harmonic transforms of fields of any spin: FFTs along the rings, one product per order.

    analysis     f ↦ E_lm (, B_lm)          synthesis    the inverse

Both are linear over R, traced by JAX, and batched over fields and channels; `tables` has the mathematics.
Real fields need the orders m ≥ 0 alone, and the two hemispheres are folded on each other.
"""

from __future__ import annotations

from typing import Protocol

import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Complex, Float


class Products(Protocol):
    """The products with harmonics: kept tables (`tables.Tabled`), or made anew (`streamed.Streamed`)."""

    def quadrature(self, orders: Complex[Array, "K rings m"], spin: int) -> Complex[Array, "K rings m"]:
        """What comes before the products in analysis, where tables do not have the weights."""
        ...

    def to_degrees(self, data: Float[Array, "2 m K t"]) -> Float[Array, "2 m K j"]:
        """Of values on the northern rings (W, and X beside it) to the degrees of one parity."""
        ...

    def to_rings(self, data: Float[Array, "2 m K j"]) -> Float[Array, "2 m K t"]:
        """The way back."""
        ...


def analysis(
    orders: Complex[Array, "K rings m"], spin: int, products: Products, band_limit: int
) -> Complex[Array, "l m K"]:
    """Coefficients from the Fourier coefficients of the rings; K: fields, and for spin ≥ 1 as the last
    factor the components (0, 1), which become (E, B)."""
    orders = products.quadrature(orders, spin)
    rings = orders.shape[1]
    half = (rings + 1) // 2
    north, south = orders[:, :half], orders[:, ::-1][:, :half]
    if rings % 2:  # the equator is on both
        share = np.where(np.arange(half) == half - 1, 0.5, 1.0).astype(orders.real.dtype)[:, None]
        north, south = north * share, south * share
    sign = _signs(spin, orders.shape[-1], orders.real.dtype)  # (2, 1, 1, m)
    data = _by_order(_apart(north[None] + sign * south[None]))
    if spin:
        other = _by_order(_apart(_turned(north[None] - sign * south[None])))
        data = jnp.concatenate([data, other], axis=-1)  # (2, m, 2K, θ or 2θ)
    every = _apart(products.to_degrees(data))
    _, count, twice, degrees = every.shape
    flat = _apart(every.reshape(-1, degrees).T).reshape(-1, count, twice)[:band_limit]  # (l, m, 2K)
    return lax.complex(flat[..., : twice // 2], flat[..., twice // 2 :])


def synthesis(
    coefficients: Complex[Array, "l m K"], spin: int, products: Products, rings: int
) -> Complex[Array, "K rings m"]:
    """Fourier coefficients of the rings from harmonic ones."""
    band_limit, half = coefficients.shape[0], (rings + 1) // 2
    even = jnp.pad(coefficients, [(0, band_limit % 2), (0, 0), (0, 0)])
    both = _apart(jnp.concatenate([even.real, even.imag], axis=-1))  # (l, m, 2K)
    data = _apart(both.reshape(len(both) // 2, -1).T)
    data = data.reshape(2, *both.shape[1:], -1)  # (q, m, 2K, j)
    out = products.to_rings(data)  # (2, m, 2K, θ or 2θ)
    sign = _signs(spin, coefficients.shape[1], data.dtype)
    values = _apart(_by_field(out[..., :half]))
    if spin:
        turned = _turned(_apart(_by_field(out[..., half:])))  # F_0 gets iX B, F_1 gets −iX E
        north, south = (values + turned).sum(0), (sign * (values - turned)).sum(0)
    else:
        north, south = values.sum(0), (sign * values).sum(0)
    return jnp.concatenate([north, south[:, : rings // 2][:, ::-1]], axis=1)


def _apart(x: Array) -> Array:
    """x, kept as an array of its own: transpositions fused with what stands before them take three times as
    long."""
    return lax.optimization_barrier(x)


def _by_order(data: Complex[Array, "2 K t m"]) -> Float[Array, "2 m 2K t"]:
    """Real and imaginary parts as fields, orders first."""
    both = _apart(jnp.concatenate([data.real, data.imag], axis=1))
    flat = _apart(both.reshape(2, -1, both.shape[-1]).swapaxes(1, 2))
    return flat.reshape(2, both.shape[-1], *both.shape[1:3])


def _by_field(every: Float[Array, "2 m 2K t"]) -> Complex[Array, "2 K t m"]:
    """The way back."""
    _, orders, twice, rings = every.shape
    flat = _apart(every.reshape(2, orders, -1).swapaxes(1, 2)).reshape(2, twice, rings, orders)
    return lax.complex(flat[:, : twice // 2], flat[:, twice // 2 :])


def _turned(data: Complex[Array, "2 K t m"]) -> Complex[Array, "2 K t m"]:
    """Of the components (0, 1) along K: i F_1 in place of F_0, −i F_0 in place of F_1."""
    pairs = data.reshape(data.shape[0], -1, 2, *data.shape[2:])
    turned = jnp.stack([1j * pairs[:, :, 1], -1j * pairs[:, :, 0]], axis=2)
    return turned.reshape(data.shape).astype(data.dtype)


def _signs(spin: int, orders: int, dtype: np.dtype) -> np.ndarray:
    """(−1)^{l+m+s} of W, (2, 1, 1, m)."""
    parity = np.arange(2)[:, None] + np.arange(orders) + spin
    return np.where(parity % 2 == 0, 1, -1).astype(dtype)[:, None, None, :]


def ring_orders(x: Float[Array, "K rings points"], band_limit: int) -> Complex[Array, "K rings m"]:
    """Σ_p f_p e^{−imφ_p} for m < band_limit, rings of equal length."""
    return jnp.fft.rfft(x, axis=-1)[..., :band_limit]


def ring_values(orders: Complex[Array, "K rings m"], points: int) -> Float[Array, "K rings points"]:
    """Σ_m F_m e^{imφ_p} of real fields, the orders m ≥ 0 given."""
    return jnp.fft.irfft(orders, n=points, axis=-1) * points
