r"""What changes the parameters: the protocol that the one training loop relies on.

    state = optimiser.init(model)
    model, state, scalars = optimiser.step(model, evaluation, state, step=k)

A pure pair; the state is a pytree of arrays, fit for a checkpoint. `scalars` are what the metrics record of
the step (learning_rate, update_norm, ...).
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from jaxtyping import PyTree

from intertwine.learning.objective import Evaluation


@runtime_checkable
class Optimiser(Protocol):
    """Turns an evaluation of the objective into new parameters."""

    def init(self, model: PyTree) -> Any: ...

    def step(
        self, model: PyTree, evaluation: Evaluation, state: PyTree, *, step: int
    ) -> tuple[Any, Any, dict[str, float]]: ...
