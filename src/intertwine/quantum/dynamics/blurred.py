r"""Configurations of |ψ|² of which some have a spin turned, and the weights that make up for it.

    q(s) = (1 − b) |ψ(s)|² + (b/N) Σ_j |ψ(s^{(j)})|²,      w(s) = |ψ(s)|²/q(s) ≤ 1/(1 − b),

s^{(j)} being s with spin j turned: draw from |ψ|², and with probability b turn one spin, any of them alike.
Where ψ is near zero, chains of |ψ|² hardly come, but the equation of motion may lead there, from
configurations one spin away: their local values, large and rare, are part of the velocity and of its
residual. Blurred configurations meet them, and no weight is large, whatever the number of sites.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, Int8, PyTree, Shaped

from intertwine.models.protocols import Incremental

CHUNK = 256
"""Configurations whose neighbours are looked at together."""


@partial(jax.jit, static_argnames="share")
def blurred(
    model: PyTree, configurations: Shaped[Array, "S N"], share: float, key: Array
) -> tuple[Int8[Array, "S N"], Float[Array, "S"]]:
    """The configurations with a spin of a `share` of them turned, and ln w.

    >>> import intertwine as it
    >>> even = it.MeanField(4, scale=0.0, key=jax.random.key(0))
    >>> s, log_w = blurred(even, jnp.ones((64, 4), jnp.int8), 0.25, jax.random.key(1))
    >>> bool(jnp.all(log_w == 0)), 4 < int(jnp.sum(s == -1)) < 30
    (True, True)
    """
    count, size = configurations.shape
    which, where = jax.random.split(key)
    chosen = jax.random.bernoulli(which, share, (count,))
    site = jnp.where(chosen, jax.random.randint(where, (count,), 0, size), size)
    turned = configurations.at[jnp.arange(count), site].multiply(-1, mode="drop")
    around = jax.lax.map(partial(_mean_weight, model), turned, batch_size=CHUNK)
    return turned, -jnp.log((1 - share) + share * around)


def _mean_weight(model: PyTree, s: Array) -> Array:
    """The mean of |ψ(s^{(j)})/ψ(s)|² over the sites."""
    sites = jnp.arange(s.shape[0])
    if isinstance(model, Incremental):
        cache = model.start(s)
        ratios = jax.vmap(lambda j: model.log_ratio(cache, s, j[None]))(sites)
    else:
        ratios = jax.vmap(lambda j: model(s.at[j].multiply(-1)))(sites) - model(s)
    return jnp.mean(jnp.exp(2 * jnp.real(ratios)))
