r"""First-order descent along the gradient, with any optax transformation.

The gradient of the objective with respect to λ, complex λ counted as a pair of reals (Re, Im) → Re + i Im,
is 2F with F = Cov(O*, ℓ) = Ōᴴ ε: the direction of steepest ascent. (JAX's `grad` of a real loss would give
its conjugate, which makes a first-order optimiser climb in the imaginary parts; the conjugation lives in
`LogDerivatives.rmatvec` and nowhere else.)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jax.sharding import Mesh

from intertwine._checks import fail
from intertwine.learning.log_derivatives import log_derivatives, unravel
from intertwine.learning.objective import Evaluation
from intertwine.sampling.sharding import mesh_of, replicate, replicated


@jax.jit
def gradient(model: Any, samples: Array, local: Array, weights: Array | None) -> Any:
    """2F as a parameter pytree: dL = Re ⟨gradient, dλ⟩."""
    operator = log_derivatives(model, samples, weights)
    return unravel(model, 2 * operator.rmatvec(operator.residual(local)))


@dataclass(frozen=True)
class OptaxGradient:
    """Plain gradient descent with `transform`, an `optax.GradientTransformation` (learning rate included in
    it).

    >>> import jax, optax
    >>> from intertwine.models.rbm import RBM
    >>> optimiser = OptaxGradient(optax.adam(1e-3))
    >>> state = optimiser.init(RBM(4, hidden=4, key=jax.random.key(0)))
    """

    transform: Any

    def __post_init__(self) -> None:
        if not (hasattr(self.transform, "init") and hasattr(self.transform, "update")):
            raise fail(
                "transform", "an optax.GradientTransformation", self.transform, "for example optax.adam(1e-3)"
            )

    def init(self, model: Any) -> Any:
        parameters = eqx.filter(model, eqx.is_inexact_array)
        return replicate(self.transform.init(parameters), mesh_of(jax.tree.leaves(parameters)[0]))

    def step(
        self, model: Any, evaluation: Evaluation, state: Any, *, step: int
    ) -> tuple[Any, Any, dict[str, float]]:
        model, state, norm = _step(
            model,
            evaluation.samples,
            evaluation.local,
            evaluation.weights,
            state,
            self.transform,
            mesh_of(evaluation.samples),
        )
        return model, state, {"update_norm": float(norm)}


@partial(jax.jit, static_argnames=("transform", "mesh"))
def _step(
    model: Any, samples: Array, local: Array, weights: Any, state: Any, transform: Any, mesh: Mesh | None
) -> tuple[Any, Any, Array]:
    updates, state = transform.update(
        gradient(model, samples, local, weights), state, eqx.filter(model, eqx.is_inexact_array)
    )
    norm = jnp.sqrt(sum(jnp.sum(jnp.abs(leaf) ** 2) for leaf in jax.tree.leaves(updates)))
    return replicated((eqx.apply_updates(model, updates), state, norm), mesh)
