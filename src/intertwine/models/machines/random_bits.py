r"""Uniform and Bernoulli random numbers for units: the one place that draws them.

A unit is drawn once for every configuration and sweep, so that random numbers are a visible part of the time
of block Gibbs sampling on a CPU: JAX's threefry takes longer than the sigmoid, and a fifth of the time of the
matrix products. They are made from the counter-based words of `_random_bits`, which XLA fuses with the
comparison that they serve.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Bool, Float

from intertwine._random_bits import key_words, words

_SECOND = 0x9E3779B9
"""Added to k₀ for the second word of a float64."""


def uniforms(key: Array, shape: tuple[int, ...], dtype: DTypeLike) -> Float[Array, "..."]:
    """Independent uniform numbers of the open interval (0, 1): centres of 2^23 (float64: 2^52) equal bins.

    >>> uniforms(jax.random.key(0), (2, 3), jnp.float32).shape
    (2, 3)
    """
    dtype = jnp.dtype(dtype)
    first, second = key_words(key)
    high = words(first, second, shape)
    if dtype == jnp.float64:
        low = words(first + jnp.uint32(_SECOND), second, shape)
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
