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

from intertwine.models.protocols import tabulated


@dataclass(frozen=True)
class DensityLikelihood:
    """The objective. bits: what 1 stands for in rows of 0 and 1, the other one for 0: +1 for spins, as in
    machines of binary units, −1 for particles (level 1); 0 for rows that are configurations as they are.

    >>> DensityLikelihood().value_name
    'negative_log_likelihood'
    """

    bits: int = 0

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

    def configurations(self, rows: Shaped[Array, "B N"]) -> Shaped[Array, "B N"]:
        """The rows as the model takes them."""
        rows = rows.astype(jnp.int8)
        return self.bits * (2 * rows - 1) if self.bits else rows


def log_density(model: PyTree, configurations: Shaped[Array, "B N"]) -> Float[Array, " B"]:
    """ln p(s) of a normalised model, nats."""
    return 2 * jnp.real(jax.vmap(tabulated(model))(configurations))
