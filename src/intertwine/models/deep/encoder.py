r"""The encoder of a vision transformer: layers of attention and of dense units, on arrays (d, n, B).

    x ← x + W_o·A(LN x) + b,        A(y)_i = Σ_j α^h_{ij} (V y_j)_h                  (factored attention)
    x ← x + W_2 σ(W_1·LN x + b_1) + b_2

with d features, n patches and h heads, layers of norm before each part ("pre-norm", Xiong et al., ICML 2020).
In factored attention α does not depend on the input: the tokens of a ground state are alike at all places,
and queries and keys are not worth their cost (Rende & Viteritti, arXiv:2405.18874). With `offset` α is a
function of j − i alone, and the encoder commutes with translations of patches. Softmax attention adds the
usual α_ij = softmax_j(q_i·k_j/√(d/h) + β_ij).

Features come first and the batch last: a dense layer of all patches of all configurations is one matrix
product without a transposition, norms are sums over the slow axis, and attention is a product of n × n
matrices with rows that are contiguous.
"""

from __future__ import annotations

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from intertwine.models.deep.patches import Patches
from intertwine.models.parameters import normal

Attention = Literal["factored", "softmax"]


class Norm(eqx.Module):
    """(x − mean)/√(variance + ε) over the features of each patch, times a scale, plus a shift."""

    scale: Float[Array, "d"]
    shift: Float[Array, "d"]

    def __init__(self, features: int, dtype: jnp.dtype):
        self.scale, self.shift = jnp.ones(features, dtype), jnp.zeros(features, dtype)

    def __call__(self, x: Float[Array, "d n B"]) -> Float[Array, "d n B"]:
        centred = x - x.mean(0)
        inverse = jax.lax.rsqrt((centred * centred).mean(0) + _SMALL)
        return centred * inverse * _broad(self.scale, x) + _broad(self.shift, x)


_SMALL = 1e-5


class Dense(eqx.Module):
    """W x + b of each patch."""

    weights: Float[Array, "o i"]
    bias: Float[Array, "o"]

    def __init__(self, inputs: int, outputs: int, dtype: jnp.dtype, scale: float = 1.0, *, key: Array):
        self.weights = normal(key, (outputs, inputs), dtype, scale * inputs**-0.5)
        self.bias = jnp.zeros(outputs, dtype)

    def __call__(self, x: Float[Array, "i n B"]) -> Float[Array, "o n B"]:
        return times(self.weights, x) + _broad(self.bias, x)


class Mixing(eqx.Module):
    """Attention of `heads` heads: how patches exchange their features.

    positions: (h, n, n), or (h, offsets) where it depends on the displacement. queries_keys: (2d, d) of
    softmax attention, else None.
    """

    values: Dense
    out: Dense
    positions: Float[Array, "h ..."]
    queries_keys: Float[Array, "2d d"] | None
    patches: Patches = eqx.field(static=True)
    relative: bool = eqx.field(static=True)

    def __init__(
        self, patches: Patches, features: int, heads: int, relative: bool, attention: str, dtype: jnp.dtype,
        *, key: Array,
    ):  # fmt: skip
        keys = jax.random.split(key, 4)
        n = patches.count
        self.patches, self.relative = patches, relative
        self.values = Dense(features, features, dtype, key=keys[0])
        self.out = Dense(features, features, dtype, _BRANCH, key=keys[1])
        self.positions = normal(keys[2], (heads, n) if relative else (heads, n, n), dtype, n**-0.5)
        self.queries_keys = None
        if attention == "softmax":
            self.queries_keys = normal(keys[3], (2 * features, features), dtype, features**-0.5)

    def __call__(self, x: Float[Array, "d n B"]) -> Float[Array, "d n B"]:
        heads, (d, n, batch) = self.positions.shape[0], x.shape
        positions = self.positions[:, self.patches.offset] if self.relative else self.positions
        value = self.values(x).reshape(heads, d // heads, n, batch)
        if self.queries_keys is None:
            mixed = jnp.matmul(positions[:, None], value, precision="highest")
        else:
            weights = self._weights(positions, x, heads)
            mixed = jnp.einsum("hijb,hcjb->hcib", weights, value, precision="highest")
        return self.out(mixed.reshape(d, n, batch))

    def _weights(self, positions: Array, x: Array, heads: int) -> Float[Array, "h n n B"]:
        assert self.queries_keys is not None
        both = times(self.queries_keys, x).reshape(2, heads, -1, *x.shape[1:])
        score = jnp.einsum("hcib,hcjb->hijb", both[0], both[1], precision="highest")
        return jax.nn.softmax(score * both.shape[2] ** -0.5 + positions[..., None], axis=2)


_BRANCH = 0.5
"""Of the initial weights that end a residual branch: a deep network begins near its embedding."""


class Layer(eqx.Module):
    """One layer of the encoder."""

    norms: tuple[Norm, Norm]
    mixing: Mixing
    up: Dense
    down: Dense

    def __init__(
        self, patches: Patches, features: int, heads: int, hidden: int, relative: bool, attention: str,
        dtype: jnp.dtype, *, key: Array,
    ):  # fmt: skip
        keys = jax.random.split(key, 3)
        self.norms = Norm(features, dtype), Norm(features, dtype)
        self.mixing = Mixing(patches, features, heads, relative, attention, dtype, key=keys[0])
        self.up = Dense(features, hidden, dtype, 2**0.5, key=keys[1])
        self.down = Dense(hidden, features, dtype, _BRANCH, key=keys[2])

    def __call__(self, x: Float[Array, "d n B"]) -> Float[Array, "d n B"]:
        x = x + self.mixing(self.norms[0](x))
        return x + self.down(gelu(self.up(self.norms[1](x))))


def gelu(x: Array) -> Array:
    """x Φ(x) to 5·10⁻⁴, as x/2 (1 + tanh(√(2/π)(x + 0.044715 x³))) (Hendrycks & Gimpel,
    arXiv:1606.08415)."""
    return jax.nn.gelu(x, approximate=True)


def times(weights: Float[Array, "o i"], x: Float[Array, "i n B"]) -> Float[Array, "o n B"]:
    """One product for all patches of all configurations."""
    flat = jnp.matmul(weights, x.reshape(x.shape[0], -1), precision="highest")
    return flat.reshape(-1, *x.shape[1:])


def _broad(vector: Array, x: Array) -> Array:
    return vector.reshape(-1, *(1,) * (x.ndim - 1))
