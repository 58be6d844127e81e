r"""FFTs along the rings of HEALPix, whose lengths differ: Bluestein's transform, all rings at once.

    Σ_p f_p e^{−2πi pm/n} = e^{−iπm²/n} Σ_p (f_p e^{−iπp²/n}) e^{iπ(m−p)²/n}

is a convolution, done by FFTs of one length for every ring; the chirps are tables (Bluestein 1970).
"""

from __future__ import annotations

from functools import lru_cache

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Complex, Float

from intertwine.spaces.sphere.grids import Rings, rings


@lru_cache(maxsize=8)
def _places(n_side: int) -> tuple[np.ndarray, np.ndarray]:
    """(pixel of each place of a ring (rings, 4N), 1 where there is one)."""
    lengths = rings("healpix", 4 * n_side - 1, n_side, 0.0).lengths
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    place = np.arange(4 * n_side)
    inside = place < lengths[:, None]
    return np.where(inside, starts[:, None] + place, 0), inside


@lru_cache(maxsize=8)
def _chirps(n_side: int, band_limit: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """(e^{−iπp²/n} (rings, 4N), e^{−iπm²/n − imφ_0} (rings, L), transform of e^{iπj²/n} (rings, Q), Q)."""
    found: Rings = rings("healpix", 4 * n_side - 1, n_side, 0.0)
    n, most = found.lengths.astype(np.int64)[:, None], 4 * n_side
    size = 1 << int(most + band_limit - 1).bit_length()
    p, m = np.arange(most)[None], np.arange(band_limit)[None]

    def chirp(j: np.ndarray) -> np.ndarray:
        return np.exp(1j * np.pi * (j * j % (2 * n)) / n)

    kernel = np.zeros((len(n), size), complex)
    kernel[:, :band_limit] = chirp(m)
    kernel[:, size - most + 1 :] = chirp(np.arange(1 - most, 0)[None])
    first = np.exp(-1j * m * found.first[:, None])
    return chirp(p).conj(), chirp(m).conj() * first, np.fft.fft(kernel), size


def pixel_orders(x: Float[Array, "K pixels"], n_side: int, band_limit: int) -> Complex[Array, "K rings m"]:
    """Σ_p f_p e^{−imφ_p} of each ring."""
    place, inside = _places(n_side)
    before, after, kernel, size = _chirps(n_side, band_limit)
    kind = jnp.result_type(x.dtype, jnp.complex64)
    data = x[:, place] * jnp.asarray(inside * before, kind)
    convolved = jnp.fft.ifft(jnp.fft.fft(data, n=size) * jnp.asarray(kernel, kind))
    return convolved[..., :band_limit] * jnp.asarray(after, kind)


def pixel_values(orders: Complex[Array, "K rings m"], n_side: int) -> Float[Array, "K pixels"]:
    """Σ_m F_m e^{imφ_p} of real fields, the orders m ≥ 0 given."""
    band_limit = orders.shape[-1]
    before, after, _, size = _chirps(n_side, band_limit)
    kind = orders.dtype
    twice = np.where(np.arange(band_limit) > 0, 2.0, 1.0)
    data = orders * jnp.asarray(after.conj() * twice, kind)
    convolved = jnp.fft.ifft(jnp.fft.fft(data, n=size) * jnp.asarray(_backwards(n_side, band_limit), kind))
    values = (convolved[..., : 4 * n_side] * jnp.asarray(before.conj(), kind)).real
    ring, place = _of_pixels(n_side)
    return values[:, ring, place]


@lru_cache(maxsize=8)
def _backwards(n_side: int, band_limit: int) -> np.ndarray:
    """The transform of e^{−iπj²/n} with j = p − m, from 1 − L to 4N − 1."""
    n = rings("healpix", 4 * n_side - 1, n_side, 0.0).lengths.astype(np.int64)[:, None]
    size, most = _chirps(n_side, band_limit)[3], 4 * n_side
    kernel = np.zeros((len(n), size), complex)
    for j in (np.arange(most)[None], np.arange(1 - band_limit, 0)[None]):
        kernel[:, j[0] % size] = np.exp(-1j * np.pi * (j * j % (2 * n)) / n)
    return np.fft.fft(kernel)


@lru_cache(maxsize=8)
def _of_pixels(n_side: int) -> tuple[np.ndarray, np.ndarray]:
    """The ring of each pixel, and its place there."""
    lengths = rings("healpix", 4 * n_side - 1, n_side, 0.0).lengths
    return np.repeat(np.arange(len(lengths)), lengths), np.concatenate([np.arange(k) for k in lengths])
