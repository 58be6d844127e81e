r"""Clouds of a few points as all pairs, made of positions inside compiled functions.

Every point has the places of all others; which are near is computed with the positions. Those are
differentiated as of any cloud: who is near does not change with them."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine.spaces.points.cloud import Cloud


@partial(jax.jit, static_argnums=(1, 2))
def all_pairs(positions: Float[Array, "B n d"], cutoff: float | None, nearest: int | None) -> Cloud:
    """B clouds of n points, neighbours within the cut-off, the nearest k of them."""
    batch, n, d = positions.shape
    width = max(n - 1, 1)
    own, place = np.arange(n)[:, None], np.arange(width)[None]
    other = np.minimum(place + (place >= own), n - 1)
    reverse = np.minimum(np.where(own < other, own, own - 1), width - 1)
    start = n * np.arange(batch)[:, None, None]
    site = jnp.asarray((start + other).reshape(-1, width), jnp.int32)
    back = jnp.asarray(((start + other) * width + reverse).reshape(-1, width), jnp.int32)
    flat = positions.reshape(-1, d)
    fixed = jax.lax.stop_gradient(flat)
    square = ((fixed[site] - fixed[:, None]) ** 2).sum(-1)
    near = jnp.full(square.shape, n > 1)
    if cutoff is not None:
        near = near & (square < cutoff**2)
    if nearest is not None:
        rank = jnp.argsort(jnp.argsort(square, axis=1), axis=1)
        near = near & (rank < nearest)
    return Cloud(
        positions=flat,
        site=jnp.where(near, site, jnp.arange(batch * n, dtype=jnp.int32)[:, None]),
        shift=None,
        near=near,
        back=jnp.where(near.reshape(-1)[back], back, batch * n * width),
        structure=jnp.asarray(np.repeat(np.arange(batch), n), jnp.int32),
        real=jnp.ones(batch * n, bool),
        cells=jnp.zeros((batch, d, d), positions.dtype),
        structures=batch,
        reach=1.0 if cutoff is None else cutoff,
    )
