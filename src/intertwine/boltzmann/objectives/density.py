r"""The likelihood of a normalised density: no partition function, no chains.

    L = −⟨ln p(s)⟩_data,      ln p(s) = 2 Re log ψ(s),      ∂L/∂λ exactly, by the chain rule

for models whose |ψ|² sums to 1 over their Hilbert space and that draw their own configurations:
autoregressive networks (Larochelle & Murray, AISTATS 2011), and quantum circuits, which are Born machines
then (Liu & Wang, Phys. Rev. A 98, 062324 (2018)). Phases have no part in it, and do not move.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, PyTree, Shaped

from intertwine.learning.objective import Evaluation
from intertwine.models.protocols import tabulated
from intertwine.sampling.statistics.estimate import estimate


@dataclass(frozen=True)
class DensityLikelihood:
    """The objective. bits: rows hold 0 and 1 for the spins −1 and +1, as machines of binary units have them.

    >>> DensityLikelihood().value_name
    'negative_log_likelihood'
    """

    bits: bool = False

    @property
    def value_name(self) -> str:
        return "negative_log_likelihood"

    def init(self, model: PyTree, *, key: Array) -> tuple[()]:
        return ()

    def gradient(
        self, model: PyTree, state: tuple[()], batch: Array | tuple[Array, ...], *, key: Array
    ) -> tuple[Any, tuple[()], dict[str, Array]]:
        """∂L/∂λ on a batch (B, N), or (rows, weights) with weights (B,)."""
        rows, weights = batch if isinstance(batch, tuple) else (batch, None)

        def loss(moved: PyTree) -> Array:
            values = -log_density(moved, self.configurations(rows))
            return values.mean() if weights is None else (weights / weights.sum()) @ values

        value, found = eqx.filter_value_and_grad(loss)(model)
        found = jax.tree.map(jnp.conj, found)  # of complex parameters, the direction of ascent
        return found, state, {"negative_log_likelihood": value}

    def evaluate(
        self, model: PyTree, state: tuple[()], batch: Array | tuple[Array, ...], *, key: Array
    ) -> tuple[Evaluation, tuple[()]]:
        """The model's own configurations and the gradient, for the natural gradient."""
        found, state, scalars = _gradient(self, model, state, batch, key)
        count = len(batch[0]) if isinstance(batch, tuple) else len(batch)
        samples = _drawn(model, count, key)
        value = estimate(jnp.full((1, 1), scalars["negative_log_likelihood"]))
        numbers = {name: float(x) for name, x in scalars.items()}
        return Evaluation(samples, jnp.zeros(count), None, value, numbers, found), state

    def configurations(self, rows: Shaped[Array, "B N"]) -> Shaped[Array, "B N"]:
        """The rows as the model takes them."""
        return (2 * rows.astype(jnp.int8) - 1) if self.bits else rows.astype(jnp.int8)


def log_density(model: PyTree, configurations: Shaped[Array, "B N"]) -> Float[Array, " B"]:
    """ln p(s) of a normalised model, nats."""
    return 2 * jnp.real(jax.vmap(tabulated(model))(configurations))


@eqx.filter_jit
def _gradient(
    objective: DensityLikelihood, model: PyTree, state: tuple[()], batch: PyTree, key: Array
) -> Any:
    return objective.gradient(model, state, batch, key=key)


@eqx.filter_jit
def _drawn(model: PyTree, count: int, key: Array) -> Array:
    return model.draw(count, key=key)
