r"""A search by exact sums that has run aground begins anew, with other parameters.

An amplitude that has died out has no weight in sums over |ψ|², so that nothing moves it any more: the search
stands still in a state that is no eigenstate of H, only one of H without that configuration. Its own numbers
tell: it has a variance, Var H, and no direction of the parameters that takes anything of it away. (A step of
imaginary time of length η goes the angle η √Var H; what the parameters can follow of it is √⟨δ|S|δ⟩.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import PyTree

from intertwine.learning.metric import NaturalGradient
from intertwine.learning.objective import Evaluation
from intertwine.quantum.vmc.at_rest import LARGEST_SCORE

FOLLOWED = 0.01
"""A step that goes less than this share of the angle of imaginary time goes nowhere."""

MOST_STARTS = 5
LAST_START = 0.5
"""Fresh starts at most, and the share of the steps after which there are none: each needs its own steps."""


class FreshStartState(NamedTuple):
    """inner: the optimiser's state. starts: int32 (), fresh starts so far."""

    inner: Any
    starts: Array


@dataclass(frozen=True, eq=False)
class FreshStart:
    """`optimiser`, and `build(key)`, a new model, where a search has run aground before half of its `steps`.

    The key of a fresh start is folded from `key` and the step's number.
    """

    optimiser: NaturalGradient
    build: Callable[[Array], Any]
    key: Array
    steps: int

    def init(self, model: PyTree) -> FreshStartState:
        return FreshStartState(self.optimiser.init(model), jnp.zeros((), jnp.int32))

    def step(
        self, model: PyTree, evaluation: Evaluation, state: FreshStartState, *, step: int
    ) -> tuple[Any, FreshStartState, dict[str, float]]:
        """A step of the optimiser, or a fresh start, with `fresh_start` = 1 among the scalars."""
        moved, inner, scalars = self.optimiser.step(model, evaluation, state.inner, step=step)
        allowed = step < LAST_START * self.steps and int(state.starts) < MOST_STARTS
        if not (allowed and is_aground(evaluation, scalars)):
            return moved, state._replace(inner=inner), scalars | {"fresh_start": 0.0}
        fresh = self.build(jax.random.fold_in(self.key, step))
        return (
            fresh,
            FreshStartState(self.optimiser.init(fresh), state.starts + 1),
            scalars | {"fresh_start": 1.0},
        )


def is_aground(evaluation: Evaluation, scalars: dict[str, float]) -> bool:
    """Whether a state that is far from any eigenstate has nowhere to go. scalars: of the optimiser's step.

    >>> from intertwine.sampling.statistics.estimate import estimate
    >>> energy = estimate(jnp.array([[-12.0, -6.0]]))
    >>> found = Evaluation(jnp.ones((2, 4)), jnp.ones(2), None, energy, {"v_score": 0.6})
    >>> is_aground(found, {"learning_rate": 0.1, "step_length": 0.2})
    False
    >>> is_aground(found, {"learning_rate": 0.1, "step_length": 1e-6})
    True
    """
    if not evaluation.scalars.get("v_score", 0.0) > LARGEST_SCORE:
        return False
    wanted = scalars["learning_rate"] * float(evaluation.estimate.variance) ** 0.5
    return scalars["step_length"] < FOLLOWED * wanted
