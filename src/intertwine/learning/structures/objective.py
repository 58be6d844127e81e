r"""What is minimised in learning structures: squares of standardised errors, cross-entropies, or both.

    L = ½ Σ_t w_t M_t + Σ_c w_c H_c,        M: mean squares        H: mean cross-entropies, nats

    energy           M = ⟨((Ê_s − E_s)/(n_s · scale))²⟩ over structures, per point
    forces           M = ⟨|F̂ − F|²/(d · scale²)⟩ over points, of a component; the scale of `references`
    stress, values   M = mean squares of standardised components

Missing values, and structures that fill up a batch, do not count. It is a mini-batch objective of the one
loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import PyTree

from intertwine.learning.structures.packing import Batch
from intertwine.learning.structures.said import said_of
from intertwine.learning.structures.targets import ENERGY, Target


@dataclass(frozen=True)
class StructureObjective:
    """What is learned from structures; the model is a `Network`, a batch a `Batch` of standardised values.

    targets, weights: one weight a target, ≥ 0. smoothing: of the labels of classes.
    """

    targets: tuple[Target, ...]
    weights: tuple[float, ...]
    smoothing: float = 0.0
    value_name = "loss"

    def init(self, model: PyTree, *, key: Array) -> tuple:
        """No state."""
        return ()

    def gradient(
        self, model: PyTree, state: tuple, batch: tuple, *, key: Array
    ) -> tuple[Any, tuple, dict[str, Array]]:
        """(∂L/∂λ, (), {"loss", and M, H or the accuracy of each target})."""
        value_and_gradient = eqx.filter_value_and_grad(self._value, has_aux=True)
        (_, scalars), gradient = value_and_gradient(model, Batch(*batch))
        return gradient, state, scalars

    def _value(self, model: PyTree, batch: Batch) -> tuple[Array, dict[str, Array]]:
        sums = self.sums(model, batch)
        means = {name: total / jnp.maximum(count, 1) for name, (total, count) in sums.items()}
        loss, scalars = self.total(means)
        return loss, {"loss": loss} | scalars

    def total(self, means: PyTree) -> tuple[Any, dict[str, Any]]:
        """(L, M, H and accuracies by name) from the means of `sums`."""
        loss: Any = 0.0
        for target, weight in zip(self.targets, self.weights, strict=True):
            half = 1.0 if target.kind == "classes" else 0.5
            loss = loss + half * weight * means[target.name]
        return loss, means

    def sums(self, model: PyTree, batch: Batch) -> dict[str, tuple[Array, Array]]:
        """name → (sum, how many) of squares or cross-entropies; "accuracy of …" of classes besides."""
        said = said_of(model.module, batch.positions, batch.features, batch.cloud, self.targets)
        dtype = batch.positions.dtype
        found = {}
        for target in self.targets:
            values, known = batch.values[target.name], batch.known[target.name].astype(dtype)
            here = said[target.name]
            if target.kind == "classes":
                loss, right = _entropies(here, values, self.smoothing)
                found[target.name] = jnp.sum(known * loss), known.sum()
                found[f"accuracy of {target.name}"] = jnp.sum(known * right), known.sum()
                continue
            off = here - values.astype(dtype).reshape(here.shape)
            if target.kind == ENERGY:
                sizes = batch.cloud.sums(jnp.ones((len(batch.positions), 1), dtype))[:, 0]
                off = off / jnp.maximum(sizes, 1)
            known = jnp.broadcast_to(known.reshape(known.shape + (1,) * (off.ndim - known.ndim)), off.shape)
            found[target.name] = jnp.sum(known * off**2), known.sum()
        return found


def _entropies(scores: Array, labels: Array, smoothing: float) -> tuple[Array, Array]:
    log_p = jax.nn.log_softmax(scores)
    labels = jnp.maximum(labels.astype(jnp.int32), 0)
    chosen = jnp.take_along_axis(log_p, labels[:, None], axis=-1)[:, 0]
    losses = -(1 - smoothing) * chosen - smoothing * log_p.mean(-1)
    return losses, (jnp.argmax(scores, axis=-1) == labels).astype(scores.dtype)
