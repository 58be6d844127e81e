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

    def to_degrees(self, data: list[Float[Array, "m K t"]]) -> Float[Array, "2 m K j"]:
        """Of values on the northern rings (W, and X beside it) to degrees; both for even and odd l."""
        ...

    def to_rings(self, data: Float[Array, "2 m K j"]) -> tuple[Float[Array, "m K t"], Float[Array, "m K t"]]:
        """The way back."""
        ...


def analysis(
    orders: Complex[Array, "K rings m"], spin: int, products: Products, band_limit: int
) -> Complex[Array, "l m K"]:
    """Coefficients from the Fourier coefficients of the rings; K: fields, and for spin ≥ 1 as the last
    factor the components (0, 1), which become (E, B)."""
    orders = products.quadrature(orders, spin)
    rings, count = orders.shape[1:]
    half = (rings + 1) // 2
    sides = _apart(jnp.concatenate([orders[:, :half], orders[:, ::-1][:, :half]], axis=1))  # north, south
    both = _apart(jnp.concatenate([sides.real, sides.imag], axis=0))  # (2K, 2 half, m)
    values = _apart(both.reshape(-1, count).T).reshape(count, len(both), 2 * half)
    north, south = values[..., :half], values[..., half:]
    if rings % 2:  # the equator is on both
        share = np.where(np.arange(half) == half - 1, 0.5, 1.0).astype(values.dtype)
        north, south = north * share, south * share
    south = south * _signs(spin, count, values.dtype)
    plus, minus = _apart(north + south), _apart(north - south)  # of even and odd l, (m, 2K, θ)
    data = [plus, minus]
    if spin:
        data = [jnp.concatenate(pair, axis=-1) for pair in ((plus, _turned(minus)), (minus, _turned(plus)))]
    every = _apart(products.to_degrees(data))  # (2, m, 2K, j)
    flat = _apart(every.reshape(-1, every.shape[-1]).T).reshape(-1, count, len(both))[:band_limit]
    twice = len(both)
    return lax.complex(flat[..., : twice // 2], flat[..., twice // 2 :])


def synthesis(
    coefficients: Complex[Array, "l m K"], spin: int, products: Products, rings: int
) -> Complex[Array, "K rings m"]:
    """Fourier coefficients of the rings from harmonic ones."""
    band_limit, half = coefficients.shape[0], (rings + 1) // 2
    even = jnp.pad(coefficients, [(0, band_limit % 2), (0, 0), (0, 0)])
    both = _apart(jnp.concatenate([even.real, even.imag], axis=-1))  # (l, m, 2K)
    _, count, twice = both.shape
    data = _apart(both.reshape(len(both) // 2, -1).T).reshape(2, count, twice, -1)
    even_l, odd_l = products.to_rings(data)  # (m, 2K, θ or 2θ)
    north, south = even_l[..., :half] + odd_l[..., :half], even_l[..., :half] - odd_l[..., :half]
    if spin:  # F_0 gets iX B, F_1 gets −iX E
        first, second = (_apart(_turned(part[..., half:])) for part in (even_l, odd_l))
        north, south = north + first + second, south - first + second
    south = south * _signs(spin, count, data.dtype)
    values = _apart(jnp.concatenate([north, south], axis=-1))  # (m, 2K, 2 half)
    flat = _apart(values.reshape(count, -1).T).reshape(twice, 2 * half, count)
    sides = _apart(lax.complex(flat[: twice // 2], flat[twice // 2 :]))
    return jnp.concatenate([sides[:, :half], sides[:, half : half + rings // 2][:, ::-1]], axis=1)


def _apart(x: Array) -> Array:
    """x, kept as an array of its own: transpositions fused with what stands before them take three times as
    long."""
    return lax.optimization_barrier(x)


def _turned(data: Float[Array, "m 2K t"]) -> Float[Array, "m 2K t"]:
    """Of the components (0, 1), real parts before imaginary ones: i F_1 in place of F_0, −i F_0 in place of
    F_1."""
    parts = data.reshape(len(data), 2, -1, 2, data.shape[-1])
    real, imaginary = parts[:, 0], parts[:, 1]
    turned = [
        jnp.stack([-imaginary[..., 1, :], imaginary[..., 0, :]], axis=-2),
        jnp.stack([real[..., 1, :], -real[..., 0, :]], axis=-2),
    ]
    return jnp.stack(turned, axis=1).reshape(data.shape)


def _signs(spin: int, orders: int, dtype: np.dtype) -> np.ndarray:
    """(−1)^{m+s}, the sign of W under θ ↦ π − θ for even l, (m, 1, 1)."""
    return np.where((np.arange(orders) + spin) % 2 == 0, 1, -1).astype(dtype)[:, None, None]


def ring_orders(x: Float[Array, "K rings points"], band_limit: int) -> Complex[Array, "K rings m"]:
    """Σ_p f_p e^{−imφ_p} for m < band_limit, rings of equal length."""
    return jnp.fft.rfft(x, axis=-1)[..., :band_limit]


def ring_values(orders: Complex[Array, "K rings m"], points: int) -> Float[Array, "K rings points"]:
    """Σ_m F_m e^{imφ_p} of real fields, the orders m ≥ 0 given."""
    return jnp.fft.irfft(orders, n=points, axis=-1) * points
