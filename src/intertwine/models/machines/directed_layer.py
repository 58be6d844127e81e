r"""A layer of units that are independent given the layer before: one arrow of a directed network.

    p(y|x) = Π_k p(y_k|θ_k),      θ = b + xW,      ln p(y|x) = y·θ − base(y) − A(θ)

with the kinds of `unit_kinds`: sigmoid belief layers for binary units (Neal, Artif. Intell. 56, 71, 1992),
softmax for Potts units, linear-Gaussian for Gaussian ones. The generative and the recognition layers of a
deep belief network are such layers.
"""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine import _checks
from intertwine.models.machines.unit_layer import UnitLayer


class DirectedLayer(eqx.Module):
    """p(y|x) of `layer`'s units y, given inputs x.

    weights: (inputs, outputs). bias: (outputs,). layer: the units y.

    Raises InputError for shapes that do not fit.

    >>> arrow = DirectedLayer(jnp.zeros((3, 2)), jnp.zeros(2), UnitLayer.of("binary", 2))
    >>> round(float(arrow.log_probability(jnp.ones(2), jnp.ones(3))), 6)            # 2 ln ½
    -1.386294
    """

    weights: Float[Array, "I O"]
    bias: Float[Array, "O"]
    layer: UnitLayer

    def __init__(self, weights: ArrayLike, bias: ArrayLike, layer: UnitLayer):
        weights, bias = jnp.asarray(weights), jnp.asarray(bias)
        _checks.shape("weights", weights, ("inputs", layer.size), "give a column for each output")
        _checks.shape("bias", bias, (layer.size,), "give one number for each output")
        self.weights, self.bias, self.layer = weights, bias, layer

    @property
    def inputs(self) -> int:
        """The number of columns of x."""
        return self.weights.shape[0]

    @property
    def outputs(self) -> int:
        """The number of columns of y."""
        return self.weights.shape[1]

    def angles(self, x: Float[Array, "... I"]) -> Float[Array, "... O"]:
        """θ = b + xW, the field on every output unit."""
        return self.bias + x.astype(self.weights.dtype) @ self.weights

    def mean(self, x: Float[Array, "... I"]) -> Float[Array, "... O"]:
        """E[y|x]."""
        return self.layer.mean(self.angles(x))

    def sample(self, x: Float[Array, "... I"], *, key: Array) -> Float[Array, "... O"]:
        """y ~ p(y|x)."""
        return self.layer.sample(self.angles(x), key=key)

    def log_probability(self, y: Float[Array, "... O"], x: Float[Array, "... I"]) -> Float[Array, "..."]:
        """ln p(y|x), nats (of a density for continuous units)."""
        theta = self.angles(x)
        y = y.astype(theta.dtype)
        return (y * theta).sum(-1) - self.layer.base(y) - self.layer.log_partition(theta)

    def gradient(self, y: Float[Array, "B O"], x: Float[Array, "B I"]) -> DirectedLayer:
        """∂/∂(W, b) of the mean of ln p(y|x) over a batch: the delta rule, (y − E[y|x]) xᵀ; of ln σ² of
        Gaussian units (y² − E[y²|x])/2σ²."""
        mean = self.mean(x)
        missing = y - mean
        count = y.shape[0]
        layer = self.layer
        if layer.log_variance is not None:
            square = (y * y - mean * mean).mean(0)[layer.gaussian_columns]
            layer = UnitLayer(layer.parts, 0.5 * (square * jnp.exp(-layer.log_variance) - 1))
        return DirectedLayer(x.T @ missing / count, missing.sum(0) / count, layer)
