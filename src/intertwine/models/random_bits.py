r"""Uniform and Bernoulli random numbers for units: the one place that draws them.

A unit is drawn once for every configuration and sweep, so that random numbers are a visible part of the time
of block Gibbs sampling on a CPU: JAX's threefry takes longer than the sigmoid, and a fifth of the time of the
matrix products. Here the number at place i of an array is a function of i and the key alone (counter-based:
Salmon, Moraes, Dror & Shaw, SC 2011),

    bits(i) = mix(mix(i ⊕ k₀) + k₁),        key = (k₀, k₁),

where mix is a bijection of 32-bit words by two multiplications and three shifts with nearly unbiased
avalanche (the constants are those of Wellons' search, `lowbias32`; nested use as in Jarzynski & Olano, J.
Comput. Graph. Tech. 9(3), 2020). XLA fuses it with the comparison that it serves. Keys still come from JAX's
`split` and `fold_in` by threefry, so that k₀ and k₁ are independent from key to key. Not for cryptography.
"""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float, UInt32

_SECOND = 0x9E3779B9
"""Added to k₀ for the second word of a float64."""


def random_bits(key: Array, shape: tuple[int, ...]) -> UInt32[Array, "..."]:
    """Independent uniform 32-bit words of `shape`, a function of the key; all differ.

    >>> random_bits(jax.random.key(0), (2, 3)).dtype
    dtype('uint32')
    """
    return _words(*_key_words(key), shape)


def uniforms(key: Array, shape: tuple[int, ...], dtype: Any) -> Float[Array, "..."]:
    """Independent uniform numbers of the open interval (0, 1): centres of 2^23 (float64: 2^52) equal bins.

    >>> uniforms(jax.random.key(0), (2, 3), jnp.float32).shape
    (2, 3)
    """
    dtype = jnp.dtype(dtype)
    first, second = _key_words(key)
    high = _words(first, second, shape)
    if dtype == jnp.float64:
        low = _words(first + jnp.uint32(_SECOND), second, shape)
        whole = high.astype(dtype) * 2.0**20 + (low >> 12).astype(dtype)
        return (whole + 0.5) * 2.0**-52
    found = ((high >> 9).astype(jnp.int32).astype(jnp.float32) + 0.5) * jnp.float32(2.0**-23)
    return found.astype(dtype)


def bernoulli(key: Array, logits: Float[Array, "..."]) -> Bool[Array, "..."]:
    """True with probability 1/(1 + e^{−logit}).

    >>> bernoulli(jax.random.key(0), jnp.array([-100.0, 100.0])).tolist()
    [False, True]
    """
    return uniforms(key, logits.shape, logits.dtype) < jax.nn.sigmoid(logits)


def _key_words(key: Array) -> tuple[Array, Array]:
    typed = jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
    words = (jax.random.key_data(key) if typed else key).astype(jnp.uint32)
    return words[0], words[-1]


def _words(first: Array, second: Array, shape: tuple[int, ...]) -> Array:
    places = jax.lax.iota(jnp.uint32, math.prod(shape)).reshape(shape)
    return mixed_words(mixed_words(places ^ first) + second)


def mixed_words(x: UInt32[Array, "..."]) -> UInt32[Array, "..."]:
    """The bijection `mix` of each 32-bit word.

    >>> hex(int(mixed_words(jnp.uint32(1))))
    '0x6d3fa73'
    """
    x = (x ^ (x >> 16)) * jnp.uint32(0x21F0AAAD)
    x = (x ^ (x >> 15)) * jnp.uint32(0xD35A2D97)
    return x ^ (x >> 15)
