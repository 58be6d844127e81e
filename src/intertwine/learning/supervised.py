r"""The supervised objective: labelled mini-batches, cross-entropy or squared error.

    cross-entropy   L = −⟨Σ_c t_c ln p(c|x)⟩,  p(c|x) = softmax f(x)     t: one-hot, smoothed, or soft labels
    squared error   L = ½⟨‖f(x) − y‖²⟩, or with noise σ the negative log-likelihood of y = f(x) + σ·normal,
                    ⟨‖f(x) − y‖²⟩/2σ² + K ln(σ√2π)
    both            + ½ decay Σ‖W‖² over the parameters with two axes or more (weights, not biases)

in nats. Where a network gives scores at every place (a U-Net: a class for each pixel) and there is a label at
each, cross-entropy and accuracy are means over the places too. It is a mini-batch objective of the one loop
(`stream`). The natural gradient takes the Fisher matrix of p(y|x) over the batch (Amari 1998; Martens, JMLR
21, 146 (2020)), exactly: every class with its probability as weight, or, for squared errors,
y = f(x) ± σ√K along each output, whose covariance is JᵀJ/σ².
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, PyTree, Shaped

from intertwine._checks import fail, one_of
from intertwine.layers.norms.calibration import batch_norms, outputs_and_statistics, with_batch_norms
from intertwine.learning.objective import Evaluation
from intertwine.models.network import Network
from intertwine.sampling.statistics.estimate import estimate

Loss = Literal["cross-entropy", "squared-error"]
LOSSES = ("cross-entropy", "squared-error")


@dataclass(frozen=True)
class Supervised:
    """What is learned from labelled data; the model is a `Network`, a batch is (x, y).

    loss: "cross-entropy", with labels 0 … C−1 (rows,), class probabilities (rows, C), or a label at each
        place (rows, *places), or "squared-error", with values (rows, K).
    smoothing: share of every label that is spread over all classes, 0 ≤ smoothing < 1.
    decay: L2 decay of the weights, ≥ 0. noise: σ of the values, or None.

    Raises InputError for other values.

    >>> Supervised(smoothing=1.5)
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: smoothing: expected a number from 0 to below 1, got 1.5; 0.1 is usual.
    """

    loss: Loss = "cross-entropy"
    smoothing: float = 0.0
    decay: float = 0.0
    noise: float | None = None
    value_name = "loss"

    def __post_init__(self) -> None:
        one_of("loss", self.loss, LOSSES)
        if not 0 <= self.smoothing < 1:
            raise fail("smoothing", "a number from 0 to below 1", self.smoothing, "0.1 is usual")
        if not 0 <= self.decay < math.inf:
            raise fail("decay", "a finite number ≥ 0", self.decay, "1e-4 is usual")
        if self.noise is not None and not 0 < self.noise < math.inf:
            raise fail("noise", "None or a positive number, the standard deviation of the values", self.noise)

    @property
    def classifies(self) -> bool:
        return self.loss == "cross-entropy"

    def init(self, model: PyTree, *, key: Array) -> tuple:
        """The running statistics of the batch norms; () where there are none."""
        return tuple(norm.running for norm in batch_norms(_module(model)))

    def gradient(
        self, model: PyTree, state: tuple, batch: tuple[Array, Array], *, key: Array
    ) -> tuple[Any, tuple, dict[str, Array]]:
        """(∂L/∂λ, running statistics moved on, {"loss", and for classes "accuracy"}) on a batch (x, y)."""
        value_and_gradient = eqx.filter_value_and_grad(self._value, has_aux=True)
        (_, (scalars, found)), gradient = value_and_gradient(model, batch, key)
        later = (r if s is None else r.moved(s) for r, s in zip(state, found, strict=True))
        return gradient, tuple(later), scalars

    def settled(self, model: PyTree, state: tuple) -> Any:
        """The model with the running statistics of its batch norms."""
        if not state:
            return model
        network = model.network if isinstance(model, Conditional) else model
        norms = batch_norms(network.module)
        kept = [eqx.tree_at(lambda n: n.running, norm, r) for norm, r in zip(norms, state, strict=True)]
        network = Network.of(with_batch_norms(network.module, kept))
        return eqx.tree_at(lambda m: m.network, model, network) if isinstance(model, Conditional) else network

    def _value(
        self, model: PyTree, batch: tuple[Array, Array], key: Array
    ) -> tuple[Array, tuple[dict, list]]:
        x, y = batch
        outputs, found = outputs_and_statistics(_module(model), x, key=key)
        outputs = outputs.reshape(len(x), -1)
        losses = self.losses(outputs, y)
        loss = losses.mean()
        scalars = {"loss": loss}
        if self.classifies:
            scalars["accuracy"] = correct(outputs, y).mean(dtype=outputs.dtype)
        return loss + self.penalty(model), (scalars, found)

    def losses(self, outputs: Float[Array, "B K"], y: Shaped[Array, "B ..."]) -> Float[Array, "B"]:
        """The loss of every example, nats, decay not included."""
        if self.classifies:
            log_p = jax.nn.log_softmax(by_place(outputs, y))
            if y.ndim < log_p.ndim:
                chosen = jnp.take_along_axis(log_p, y.astype(jnp.int32)[..., None], axis=-1)[..., 0]
            else:
                chosen = (y.astype(log_p.dtype) * log_p).sum(-1)
            losses = -(1 - self.smoothing) * chosen - self.smoothing * log_p.mean(-1)
            return losses.reshape(len(losses), -1).mean(-1)
        half = 0.5 * jnp.sum((outputs - y.astype(outputs.dtype).reshape(outputs.shape)) ** 2, axis=-1)
        if self.noise is None:
            return half
        return half / self.noise**2 + outputs.shape[1] * math.log(self.noise * math.sqrt(2 * math.pi))

    def penalty(self, model: PyTree) -> Float[Array, ""]:
        """½ decay Σ‖W‖²."""
        if self.decay == 0:
            return jnp.zeros(())
        leaves = jax.tree.leaves(eqx.filter(model, eqx.is_inexact_array))
        return 0.5 * self.decay * sum(jnp.sum(w * w) for w in leaves if w.ndim > 1)  # type: ignore[return-value]

    def evaluate(
        self, model: Conditional, state: tuple, batch: tuple[Array, Array], *, key: Array
    ) -> tuple[Evaluation, tuple]:
        """One batch for an optimiser that takes the metric: the samples are those of the model's p(y|x)."""
        samples, weights, losses, gradient, state = _evaluated(model, self, state, batch, key)
        of_loss = estimate(np.asarray(losses, np.float64)[:, None])
        local = jnp.zeros(len(samples), samples.dtype)
        return Evaluation(samples, local, weights, of_loss, {}, gradient), state


class Conditional(eqx.Module):
    r"""ln p(y|x) as a function of one vector (x, y): what the metric differentiates.

    For cross-entropy y is the number of the class; for squared errors it is the K values.
    """

    network: Network
    loss: Loss = eqx.field(static=True)
    noise: float | None = eqx.field(static=True)
    example: tuple[int, ...] = eqx.field(static=True)

    kind = "real"

    @property
    def size(self) -> int:
        """Columns of x."""
        return math.prod(self.example)

    def outputs(self, x: Array, *, key: Array | None = None) -> Array:
        return self.network.outputs(x, key=key)

    def __call__(self, s: Float[Array, "D"]) -> Float[Array, ""]:
        x, y = s[: self.size].reshape(self.example), s[self.size :]
        outputs = self.network.at_rest()(x).reshape(-1)
        if self.loss == "cross-entropy":
            return jax.nn.log_softmax(outputs)[y[0].astype(jnp.int32)]
        sigma = 1.0 if self.noise is None else self.noise
        return -0.5 * jnp.sum((y - outputs) ** 2) / sigma**2


@eqx.filter_jit
def _evaluated(
    model: Conditional, objective: Supervised, state: tuple, batch: tuple[Array, Array], key: Array
) -> tuple[Array, Array, Array, Any, tuple]:
    x, y = batch
    outputs = model.outputs(x)
    rows, columns = outputs.shape
    flat = x.reshape(rows, -1)
    if objective.classifies:
        codes = jnp.tile(jnp.arange(columns, dtype=flat.dtype)[None, :, None], (rows, 1, 1))
        weights = jax.nn.softmax(outputs) / rows
    else:
        step = (1.0 if objective.noise is None else objective.noise) * math.sqrt(columns)
        away = step * jnp.concatenate([jnp.eye(columns), -jnp.eye(columns)]).astype(outputs.dtype)
        codes = outputs[:, None, :] + away[None]
        weights = jnp.full((rows, 2 * columns), 1 / (2 * columns * rows), outputs.dtype)
    wide = jnp.broadcast_to(flat[:, None, :], (rows, codes.shape[1], flat.shape[1]))
    samples = jnp.concatenate([wide, codes], axis=-1).reshape(-1, flat.shape[1] + codes.shape[2])
    gradient, state, _ = objective.gradient(model, state, batch, key=key)
    return samples, weights.reshape(-1), objective.losses(outputs, y), gradient, state


def _module(model: PyTree) -> Any:
    network = model.network if isinstance(model, Conditional) else model
    return network.module if isinstance(network, Network) else network


def correct(outputs: Float[Array, "B C"], y: Shaped[Array, "B ..."]) -> Shaped[Array, "B ..."]:
    """Whether the class of the largest score is the (most probable) label, (B,) or (B, *places).

    >>> correct(jnp.array([[0.0, 1.0], [3.0, 1.0]]), jnp.array([1, 1])).tolist()
    [True, False]
    """
    scores = by_place(outputs, y)
    labels = y if y.ndim < scores.ndim else jnp.argmax(y, axis=-1)
    return jnp.argmax(scores, axis=-1) == labels


def by_place(outputs: Float[Array, "B K"], y: Shaped[Array, "B ..."]) -> Float[Array, "B ... C"]:
    """Scores (B, *places, C) where y has a label (an integer) for each place, (B, K) for one per row.

    >>> by_place(jnp.zeros((2, 12)), jnp.zeros((2, 2, 2), int)).shape
    (2, 2, 2, 3)
    """
    placed = y.ndim > 1 and jnp.issubdtype(y.dtype, jnp.integer)
    return outputs.reshape(*y.shape, -1) if placed else outputs.reshape(len(outputs), -1)
