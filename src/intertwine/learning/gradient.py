r"""First-order descent along the gradient, with any optax transformation.

The gradient of the objective with respect to λ, complex λ counted as a pair of reals (Re, Im) → Re + i Im,
is 2F with F = Cov(O*, ℓ) = Ōᴴ ε: the direction of steepest ascent. (JAX's `grad` of a real loss would give
its conjugate, which makes a first-order optimiser climb in the imaginary parts; the conjugation lives in
`LogDerivatives.rmatvec` and nowhere else.) An objective that knows its gradient itself gives it with its
`Evaluation`, and it is used as it is.
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
from jaxtyping import PyTree

from intertwine._checks import fail
from intertwine.learning import schedules
from intertwine.learning.log_derivatives import log_derivatives, unravel
from intertwine.learning.objective import Evaluation
from intertwine.learning.optimiser import Optimiser
from intertwine.learning.schedules import Schedule
from intertwine.sampling.sharding import mesh_of, replicate, replicated


@jax.jit
def gradient(model: PyTree, samples: Array, local: Array, weights: Array | None) -> Any:
    """2F as a parameter pytree: dL = Re ⟨gradient, dλ⟩."""
    operator = log_derivatives(model, samples, weights)
    return unravel(model, 2 * operator.rmatvec(operator.residual(local)))


@dataclass(frozen=True)
class OptaxGradient:
    """Plain gradient descent with `transform`, an `optax.GradientTransformation` (learning rate included in
    it).

    learning_rate: multiplies what `transform` returns; for a schedule of the step, with optax.sgd(1.0).

    >>> import jax, optax
    >>> from intertwine.models.machines.rbm import RBM
    >>> optimiser = OptaxGradient(optax.adam(1e-3))
    >>> state = optimiser.init(RBM(4, hidden=4, key=jax.random.key(0)))
    """

    transform: Any
    learning_rate: Schedule = 1.0

    def __post_init__(self) -> None:
        if not (hasattr(self.transform, "init") and hasattr(self.transform, "update")):
            raise fail(
                "transform", "an optax.GradientTransformation", self.transform, "for example optax.adam(1e-3)"
            )
        schedules.check("learning_rate", self.learning_rate)

    def init(self, model: PyTree) -> Any:
        parameters = eqx.filter(model, eqx.is_inexact_array)
        return replicate(self.transform.init(parameters), mesh_of(jax.tree.leaves(parameters)[0]))

    def step(
        self, model: PyTree, evaluation: Evaluation, state: PyTree, *, step: int
    ) -> tuple[Any, Any, dict[str, float]]:
        rate = schedules.at(self.learning_rate, step)
        found = evaluation.gradient
        if found is None:
            found = gradient(model, evaluation.samples, evaluation.local, evaluation.weights)
        mesh = mesh_of(evaluation.samples)
        model, state, norm = _step(model, found, state, rate, self.unscheduled(), mesh)
        scalars = {"update_norm": float(norm)}
        return model, state, scalars if self.learning_rate == 1.0 else scalars | {"learning_rate": rate}

    def rates(self, first: int, count: int) -> list[float]:
        """The learning rates of `count` updates from number `first` on."""
        return [schedules.at(self.learning_rate, first + i) for i in range(count)]

    def unscheduled(self) -> OptaxGradient:
        """The same without its learning rate, which `update` is given: what compiled code depends on."""
        return OptaxGradient(self.transform)

    def update(self, model: PyTree, gradient: PyTree, state: PyTree, rate: Array) -> tuple[Any, Any]:
        """One update by a given gradient, pure: (model, state)."""
        model, state, _ = self._moved(model, gradient, state, rate)
        return model, state

    def _moved(self, model: PyTree, gradient: PyTree, state: PyTree, rate: Array) -> tuple[Any, Any, Any]:
        updates, state = self.transform.update(gradient, state, eqx.filter(model, eqx.is_inexact_array))
        updates = jax.tree.map(lambda x: jnp.asarray(rate, jnp.finfo(x.dtype).dtype) * x, updates)
        return eqx.apply_updates(model, updates), state, updates


def as_optimiser(optimiser: object) -> Any:
    """`optimiser`, an optax transformation being taken as `OptaxGradient` of it; `InputError` for what is
    neither.

    >>> import optax
    >>> type(as_optimiser(optax.adam(1e-2))).__name__
    'OptaxGradient'
    """
    if isinstance(optimiser, Optimiser):
        return optimiser
    if hasattr(optimiser, "init") and hasattr(optimiser, "update"):
        return OptaxGradient(optimiser)
    expected = "an optimiser with init and step, or an optax transformation"
    raise fail("optimiser", expected, optimiser, "for example NaturalGradient(0.05) or optax.adam(1e-2)")


@partial(jax.jit, static_argnames=("optimiser", "mesh"))
def _step(
    model: PyTree, gradient: PyTree, state: PyTree, rate: Array, optimiser: OptaxGradient, mesh: Mesh | None
) -> tuple[Any, Any, Array]:
    model, state, updates = optimiser._moved(model, gradient, state, rate)
    norm = jnp.sqrt(sum(jnp.sum(jnp.abs(leaf) ** 2) for leaf in jax.tree.leaves(updates)))
    return replicated((model, state, norm), mesh)
