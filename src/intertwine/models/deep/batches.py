"""How many configurations a deep network takes at once, so that its features stay in a cache."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

CACHE = 1 << 18
"""Bytes that the features of one layer may take."""
_LEAST = 16
_TOGETHER = 8
"""Parts in one batch of `evaluation_batch`."""


def in_cache(values_each: int, itemsize: int) -> int:
    """Configurations of `values_each` features that stay in a cache together: a power of two, at least 16.

    >>> in_cache(9 * 32, 4), in_cache(10**6, 8)
    (128, 16)
    """
    most = CACHE // max(1, values_each * itemsize)
    return max(_LEAST, 1 << max(0, most.bit_length() - 1))


def evaluation_batch(width: int) -> int:
    """Configurations that callers give at once: a few parts on a CPU, many on a GPU."""
    return width * (_TOGETHER if jax.default_backend() == "cpu" else 16 * _TOGETHER)


def in_parts(work: Callable[[Array], Array], S: Array, width: int) -> Array:
    """`work` on a batch (B, N), by parts of `width` on a CPU, at once elsewhere; (B,)."""
    count = S.shape[0]
    if count <= width or jax.default_backend() != "cpu":
        return work(S)
    parts = -(-count // width)
    each = -(-count // parts)
    padded = jnp.pad(S, ((0, parts * each - count), (0, 0)), mode="edge")
    return jax.lax.map(work, padded.reshape(parts, each, -1)).reshape(-1)[:count]
