r"""Configurations of |ψ|² of which some have a spin turned, and the weights that make up for it.

Draw s from |ψ|² and a site j, any of them alike; with probability b turn spin j. The pair (s, j) then has the
distribution q, and with the weights w it has |ψ(s)|²/N:

    q(s, j) = [(1 − b) |ψ(s)|² + b |ψ(s^{(j)})|²]/N,      w = [1 − b + b |ψ(s^{(j)})/ψ(s)|²]⁻¹ ≤ 1/(1 − b),

s^{(j)} being s with spin j turned: one more amplitude for a configuration. Where ψ is near zero, chains of
|ψ|² hardly come, but the equation of motion may lead there, from configurations one spin away: their local
values, large and rare, are part of the velocity and of its residual. Blurred configurations meet them, and no
weight is large, whatever the number of sites.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, Int8, PyTree, Shaped

from intertwine.quantum.vmc.local_energy import log_amplitudes


@partial(jax.jit, static_argnames="share")
def blurred(
    model: PyTree, configurations: Shaped[Array, "S N"], share: float, key: Array
) -> tuple[Int8[Array, "S N"], Float[Array, "S"]]:
    """The configurations with a spin of a `share` of them turned, and ln w − 2 Re log ψ of what they are now.

    >>> import intertwine as it
    >>> even = it.MeanField(4, scale=0.0, key=jax.random.key(0))
    >>> s, base = blurred(even, jnp.ones((64, 4), jnp.int8), 0.25, jax.random.key(1))
    >>> bool(jnp.all(abs(base) < 1e-12)), 4 < int(jnp.sum(s == -1)) < 30
    (True, True)
    """
    count, size = configurations.shape
    which, where = jax.random.split(key)
    site, rows = jax.random.randint(where, (count,), 0, size), jnp.arange(count)
    other = configurations.at[rows, site].multiply(-1)
    chosen = jax.random.bernoulli(which, share, (count,))[:, None]
    now, before = jnp.where(chosen, other, configurations), jnp.where(chosen, configurations, other)
    logs, others = (2 * jnp.real(log_amplitudes(model, s)) for s in (now, before))
    return now, -jnp.logaddexp(jnp.log1p(-share) + logs, jnp.log(share) + others)
