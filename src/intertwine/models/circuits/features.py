r"""Feature vectors with their size kept apart: x = e^n y with the largest |y_c| = 1.

Products of many features neither overflow nor vanish so: sizes add up. Derivatives pass through the values
alone, because x does not depend on how it is split.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, Num, Shaped

from intertwine.models.numerics import exp_of, log_of, log_weighted_sum


def of_spins(s: Shaped[Array, "N"], dtype: jnp.dtype) -> Num[Array, "N 2"]:
    """(1, 0) for s = +1 and (0, 1) for s = −1."""
    up = (s > 0).astype(dtype)
    return jnp.stack([up, 1 - up], axis=-1)


def weights_of(parameters: Num[Array, "..."]) -> Num[Array, "..."]:
    """e^λ."""
    return exp_of(parameters)


def split(values: Num[Array, "... r"], sizes: Float[Array, "..."]) -> tuple[Array, Array]:
    """(y, n) of e^{sizes}·values."""
    largest = jax.lax.stop_gradient(jnp.abs(values).max(-1))
    largest = jnp.where(largest > 0, largest, 1)
    return values / largest[..., None], sizes + jnp.log(largest)


def log_sum(logs: Num[Array, "r"]) -> Num[Array, ""]:
    """ln Σ_c e^{logs_c}, real or complex."""
    if not jnp.iscomplexobj(logs):
        return jax.nn.logsumexp(logs)
    return log_weighted_sum(logs, jnp.ones(logs.shape, logs.dtype))


def log_features(values: Num[Array, "... r"]) -> Num[Array, "... r"]:
    """ln y; a feature that vanishes counts as the least number."""
    if not jnp.iscomplexobj(values):
        return jnp.log(jnp.maximum(values, jnp.finfo(values.dtype).tiny))
    gone = values == 0
    floor = 0.5 * jnp.log(jnp.finfo(values.dtype).tiny)
    return jnp.where(gone, floor.astype(values.dtype), log_of(jnp.where(gone, 1, values)))
