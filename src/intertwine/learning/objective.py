r"""What is minimised: the protocol that the one training loop relies on.

An objective is a pair of pure functions. `evaluate` draws what it needs and returns an `Evaluation`:
samples s with local values ℓ(s) whose mean is the objective's value, and whose covariance with the
log-derivatives O(s) = ∂ log ψ_λ(s)/∂λ is its gradient (Becca & Sorella 2017, ch. 5-6):

    L(λ) = ⟨ℓ⟩_{|ψ|²},      F = Cov(O*, ℓ) = ⟨O*(ℓ − L)⟩      (dL = 2 Re F·dλ for an energy).

That one object serves a plain gradient, the natural gradient = stochastic reconfiguration S δ = F with
S = Cov(O*, O), and its sample-space form minSR (Chen & Heyl 2024; Rende et al. 2024). An objective that
learns from data knows its gradient itself and gives it (`gradient`); one that learns from mini-batches is a
`MiniBatchObjective` (see `stream`).
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from jax import Array
from jaxtyping import Float, Num, PyTree, Shaped

from intertwine.sampling.statistics.estimate import Estimate


class Evaluation(NamedTuple):
    """One look at the objective.

    samples: (S, N) configurations, chains flattened (chain-major).
    local: (S,) local values, real or complex.
    weights: None (uniform) or (S,) probabilities that sum to 1.
    estimate: the objective's value with its error bar.
    scalars: what the progress line and the metrics record besides (name → float), e.g. acceptance, v_score.
    gradient: None where it follows from the samples, as above; else ∂L/∂λ, a pytree like
        `intertwine.models.parameters.parameters(model)`, where the objective knows it itself. The samples are
        then those of p ∝ e^{model}, and what they say about the metric is used, not their local values.
    """

    samples: Shaped[Array, "S N"]
    local: Num[Array, "S"]
    weights: Float[Array, "S"] | None
    estimate: Estimate
    scalars: dict[str, float]
    gradient: Any = None


class Objective(Protocol):
    """What the loop minimises."""

    def init(self, model: PyTree, *, key: Array) -> Any:
        """The objective's state (chains, data position): a pytree of arrays, fit for a checkpoint."""
        ...

    def evaluate(self, model: PyTree, state: PyTree, *, key: Array) -> tuple[Evaluation, Any]: ...
