r"""Annealed chains: fresh, independent samples by a slow walk from independent units to the model.

Each chain begins with an exact draw of the base and takes one sweep of block Gibbs at every β of an ascending
schedule, β = 1 last (Kirkpatrick, Gelatt & Vecchi 1983; Neal, Stat. Comput. 11, 125, 2001). Chains are
independent of one another, however badly block Gibbs mixes at β = 1. They are samples of the model only as
far as the walk was slow: the importance weights

    ln w = Σ_k [ln p*_{β_k}(x_k) − ln p*_{β_{k−1}}(x_k)]

say how far that is. Their effective sample size (Σ w)²/Σ w² near the number of chains means yes; the weighted
samples are right in any case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from intertwine._checks import positive_int
from intertwine.models.layered import State, layered
from intertwine.models.tempered import TemperedPath, tempered_path
from intertwine.sampling.clamped import Clamp, clamp_of


@dataclass(frozen=True, eq=False)
class Annealed:
    """Annealed chains of a machine of layers (RBM, DBM), for `it.sample`: p = Ψ/Z.

    steps: sweeps of a chain, one at each β = 1/steps, 2/steps, …, 1. base: visible biases of the easy end,
    as for `TemperedGibbs`; None for the model's own biases. clamped: as for `Gibbs`; values (k,).

    Raises InputError as `TemperedGibbs` does.

    >>> Annealed(steps=100).steps
    100
    """

    steps: int = 1000
    base: Any = None
    clamped: Any = None

    distribution = "boltzmann"

    def __post_init__(self) -> None:
        positive_int("steps", self.steps, "give the number of sweeps")

    def draw(self, model: Any, count: int, *, key: Array) -> tuple[State, Float[Array, "chains"]]:
        """`count` chains: the even side of each (visible layer first), and ln w, (count,)."""
        machine = layered(model)
        clamp = clamp_of(self.clamped, machine.layers[0], count, machine.dtype)
        path = tempered_path(machine, machine.biases if self.base is None else self.base)
        first, rest = jax.random.split(key)
        state = path.start((count,), key=first)
        if clamp is not None:
            state = (clamp.hold(state[0]), *state[1:])
        return _walk(path, clamp, state, rest, self.steps)


@jax.jit
def _walk(
    path: TemperedPath, clamp: Clamp | None, state: State, key: Array, steps: Any
) -> tuple[State, Array]:
    def step(k: Any, carry: tuple[State, Array]) -> tuple[State, Array]:
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
