"""The annealed walk: a sweep of block Gibbs sampling at every β from a base to a machine, with its weights.

Importance weights ln w = Σ_k [ln p*_{β_k}(x_k) − ln p*_{β_{k−1}}(x_k)] make the ends samples of the machine,
however fast the walk was (Neal, Stat. Comput. 11, 125, 2001).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from jax import Array

from intertwine.models.machines.layered import State
from intertwine.models.machines.tempered import TemperedPath

if TYPE_CHECKING:
    from intertwine.sampling.gibbs.clamped import Clamp


@jax.jit
def walk(
    path: TemperedPath, clamp: Clamp | None, state: State, key: Array, steps: int
) -> tuple[State, Array]:
    """A sweep at every β = 1/steps, …, 1 from draws of the base: the ends, and ln (w / Z_0) of each."""

    def step(k: Array, carry: tuple[State, Array]) -> tuple[State, Array]:
        state, log_w = carry
        up, down = jax.random.split(jax.random.fold_in(key, k))
        before, beta = k / steps, (k + 1) / steps
        point = path.at(state)
        log_w = log_w + path.log_weight(point, beta) - path.log_weight(point, before)
        odd = path.draw(point, beta, key=up)
        even = path.draw(path.at(odd, side=1), beta, side=1, key=down)
        if clamp is not None:
            even = (clamp.hold(even[0]), *even[1:])
        return even, log_w

    zero = jnp.zeros(state[0].shape[0], path.model.dtype)
    return jax.lax.fori_loop(0, steps, step, (state, zero))
