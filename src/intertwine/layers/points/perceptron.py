r"""A perceptron without biases: what weighs an edge by functions of its length.

    h_0 = basis,   h_{k+1} = φ(W_k h_k),   w = W_last h,      φ(x) = γ x σ(x),  γ so that ⟨φ²⟩ = 1

Rows of W are normal with variance 1/width: outputs have variance 1 where inputs have.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from intertwine._checks import positive_int

_GAIN = 1.6765324703310907
"""⟨(x σ(x))²⟩^(−1/2) over the normal distribution."""


class Perceptron(eqx.Module):
    """Layers of the given widths, inputs first.

    >>> layer = Perceptron((8, 64, 12), key=jax.random.key(0))
    >>> layer(jnp.ones((5, 8))).shape
    (5, 12)
    """

    weights: tuple[Float[Array, "into out"], ...]

    def __init__(self, widths: tuple[int, ...], *, dtype: DTypeLike = float, key: Array):
        widths = tuple(positive_int("hidden", width) for width in widths)
        keys = jax.random.split(key, len(widths) - 1)
        self.weights = tuple(
            jax.random.normal(k, (a, b), dtype) / a**0.5
            for k, a, b in zip(keys, widths[:-1], widths[1:], strict=True)
        )

    def __call__(
        self, x: Float[Array, "... into"], scale: Float[Array, "..."] | None = None
    ) -> Float[Array, "... out"]:
        """The weights, times `scale` where it is given."""
        x = self.features(x, scale)
        return jnp.matmul(x, self.weights[-1].astype(x.dtype), precision="highest")

    def features(
        self, x: Float[Array, "... into"], scale: Float[Array, "..."] | None = None
    ) -> Float[Array, "... hidden"]:
        """What the last map, which is the widest, is applied to."""
        for w in self.weights[:-1]:
            x = _GAIN * jax.nn.silu(jnp.matmul(x, w.astype(x.dtype), precision="highest"))
        return x if scale is None else x * scale[..., None]
