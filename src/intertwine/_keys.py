"""JAX keys as words for random numbers that are drawn on the host."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array


def key_words(key: Array | np.ndarray) -> np.ndarray:
    """The words of a JAX key (typed or old style), uint32 (words,).

    >>> key_words(jax.random.key(7)).tolist()
    [0, 7]
    """
    typed = jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
    return np.asarray(jax.random.key_data(key) if typed else key).reshape(-1).astype(np.uint32)
