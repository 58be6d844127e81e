r"""Counter-based random words: the number at place i of an array is a function of i and the key alone.

    bits(i) = mix(mix(i ⊕ k₀) + k₁),        key = (k₀, k₁)

(Salmon, Moraes, Dror & Shaw, SC 2011), where mix is a bijection of 32-bit words by two multiplications
and three shifts with nearly unbiased avalanche (the constants of Wellons' search, `lowbias32`; nested use
as in Jarzynski & Olano, J. Comput. Graph. Tech. 9(3), 2020). XLA fuses it with what it serves, and compiles
it in no time; JAX's threefry takes seconds to compile on a CPU. Keys still come from JAX's `split` and
`fold_in` by threefry, so that k₀ and k₁ are independent from key to key. Not for cryptography.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import UInt32


def random_bits(key: Array, shape: tuple[int, ...]) -> UInt32[Array, "..."]:
    """Independent uniform 32-bit words of `shape`, a function of the key; all differ.

    >>> random_bits(jax.random.key(0), (2, 3)).dtype
    dtype('uint32')
    """
    return words(*key_words(key), shape)


def key_words(key: Array) -> tuple[Array, Array]:
    """The words k₀, k₁ of a key, typed or raw."""
    typed = jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
    both = (jax.random.key_data(key) if typed else key).astype(jnp.uint32)
    return both[0], both[-1]


def words(first: Array, second: Array, shape: tuple[int, ...]) -> UInt32[Array, "..."]:
    """bits(i) of an array of `shape` for the key (first, second)."""
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
