r"""Averages of the parameters along a run: the mean of many noisy λ is nearer to the optimum than any one.

    λ̄ ← w λ̄ + (1 − w) λ,        w = min(decay, t/(t + 10))        after the update number t + 1

Decay 1 is polynomial-decay averaging (Polyak & Juditsky 1992; Shamir & Zhang, ICML 2013), where the last
tenth of a run counts most; decay 0.999 forgets what is more than about 1,000 updates old. The run itself goes
on from λ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import PyTree

from intertwine._checks import fail
from intertwine.learning.objective import Evaluation

_WARMUP = 10.0


class AverageState(NamedTuple):
    """inner: of the optimiser. average: λ̄, a parameter pytree. count: updates averaged."""

    inner: Any
    average: Any
    count: Array


@dataclass(frozen=True)
class WeightAverage:
    """The steps of `optimiser`, and an average of the parameters beside them (`averaged`).

    decay: from 0 (no memory) to 1.

    >>> import optax
    >>> from intertwine.learning.gradient import OptaxGradient
    >>> from intertwine.models.machines.rbm import RBM
    >>> rbm, optimiser = RBM(4, hidden=2, key=jax.random.key(0)), WeightAverage(OptaxGradient(optax.sgd(0.1)))
    >>> bool((optimiser.averaged(rbm, optimiser.init(rbm)).weights == rbm.weights).all())
    True
    """

    optimiser: Any
    decay: float = 0.999

    def __post_init__(self) -> None:
        if not 0 <= self.decay <= 1:
            raise fail("decay", "a number from 0 to 1", self.decay, "0.999 averages the last 1,000 updates")

    def init(self, model: PyTree) -> AverageState:
        average = jax.tree.map(lambda x: x, eqx.filter(model, eqx.is_inexact_array))
        return AverageState(self.optimiser.init(model), average, jnp.zeros((), jnp.int32))

    def averaged(self, model: PyTree, state: AverageState) -> Any:
        """`model` with the averaged parameters."""
        return eqx.combine(state.average, eqx.filter(model, eqx.is_inexact_array, inverse=True))

    def step(
        self, model: PyTree, evaluation: Evaluation, state: AverageState, *, step: int
    ) -> tuple[Any, AverageState, dict[str, float]]:
        model, inner, scalars = self.optimiser.step(model, evaluation, state.inner, step=step)
        return model, _advanced(model, inner, state, self.decay), scalars

    def rates(self, first: int, count: int) -> Any:
        return self.optimiser.rates(first, count)

    def unscheduled(self) -> WeightAverage:
        return WeightAverage(self.optimiser.unscheduled(), self.decay)

    def update(
        self, model: PyTree, gradient: PyTree, state: AverageState, rate: Array
    ) -> tuple[Any, AverageState]:
        model, inner = self.optimiser.update(model, gradient, state.inner, rate)
        return model, _advanced(model, inner, state, self.decay)


def _advanced(model: PyTree, inner: PyTree, state: AverageState, decay: float) -> AverageState:
    t = state.count.astype(jnp.float32)
    keep = jnp.minimum(decay, t / (t + _WARMUP))

    def mixed(average: Array, now: Array) -> Array:
        share = (1 - keep).astype(jnp.finfo(now.dtype).dtype)
        return average + share * (now - average)

    average = jax.tree.map(mixed, state.average, eqx.filter(model, eqx.is_inexact_array))
    return AverageState(inner, average, state.count + 1)
