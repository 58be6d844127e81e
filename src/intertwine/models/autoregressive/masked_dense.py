r"""The masked dense network: every layer sees all modes visited before.

    h¹_t = g(b¹_t + Σ_{j<t} W¹_tj x_j),      h^l_t = h^{l−1}_t + g(b^l_t + Σ_{j≤t} W^l_tj h^{l−1}_j)

(MADE: Germain, Gregor, Murray & Larochelle, ICML 2015), g = GELU, x_j what is written at mode j. Only the
blocks W_tj that are used are parameters: N(N − 1)/2 in the first layer, N(N + 1)/2 in the others.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Int, PyTree

from intertwine._checks import positive_int
from intertwine.models.autoregressive.base import AutoregressiveModel, Head, Walk, glorot, kept, one_hot
from intertwine.models.autoregressive.places import order_of, space_at
from intertwine.models.parameters import check_key
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
from intertwine.spaces.hilbert.place import Place


class MaskedDense(AutoregressiveModel):
    r"""An autoregressive wave function of masked dense layers.

    where: a Hilbert space, a lattice or a number of sites (free spins ½). layers: L. features: F of each mode
    and layer. dtype: complex (phases) or float (ψ > 0), or an exact floating type.

    blocks[l]: W_tj, (pairs, e or F, F), pairs j < t and then j ≤ t. biases[l]: (N, F).
    Raises InputError for numbers that are not positive.

    >>> from intertwine.spaces.hilbert.kinds import Spins
    >>> psi = MaskedDense(Spins(4, magnetization=0), layers=2, features=3, key=jax.random.key(0))
    >>> [w.shape for w in psi.blocks], psi.kind
    ([(6, 1, 3), (10, 3, 3)], 'real')
    >>> p = jnp.exp(2 * jax.vmap(psi)(jnp.asarray(psi.hilbert.configurations())))
    >>> bool(abs(p.sum() - 1) < 1e-6)
    True
    """

    head: Head
    blocks: tuple[Float[Array, "pairs A F"], ...]
    biases: tuple[Float[Array, "N F"], ...]
    space: HilbertSpace = eqx.field(static=True)
    order: tuple[int, ...] = eqx.field(static=True)

    def __init__(
        self,
        where: Place | HilbertSpace | int,
        layers: int,
        features: int,
        *,
        dtype: DTypeLike = float,
        key: Array,
    ):
        self.space = space_at(where)
        layers, features = positive_int("layers", layers), positive_int("features", features)
        self.order = order_of(self.space)
        N, d = self.space.size, max(self.space.levels)
        first, *rest = jax.random.split(check_key(key), layers + 1)
        self.head = Head(self.space, features, dtype, key=first)
        blocks = []
        for layer, k in enumerate(rest):
            inner = features if layer else (1 if d == 2 else d)
            pairs = len(_pairs(N, layer == 0)[0])
            blocks.append(glorot(k, (pairs, inner, features), max(1, inner * N // 2), dtype))
        self.blocks = tuple(blocks)
        self.biases = tuple(jnp.zeros((N, features), b.dtype) for b in blocks)

    def features(self, levels: Int[Array, "B N"]) -> Float[Array, "B N F"]:
        """(B, N, F), each layer one product."""
        B, N = levels.shape
        x = one_hot(levels, max(self.space.levels), self.biases[0].dtype)
        for layer, (weights, bias) in enumerate(zip(self._dense(), self.biases, strict=True)):
            flat = weights.reshape(N, -1, bias.shape[1]).transpose(1, 0, 2).reshape(-1, bias.size)
            found = jax.nn.gelu((x.reshape(B, -1) @ flat).reshape(B, N, -1) + bias)
            x = x + found if layer else found
        return x

    def walk(self) -> Walk:
        """One row of each layer's blocks a step; the cache is what each layer reads, (B, N, A)."""
        dense, N = self._dense(), self.space.size
        d, dtype = max(self.space.levels), self.biases[0].dtype

        def begin(count: int) -> Any:
            return tuple(jnp.zeros((count, N, w.shape[2]), dtype) for w in dense)

        def step(cache: PyTree, t: Array, before: Array) -> tuple[Any, Array]:
            count, kept_here = before.shape[0], []
            read = kept(cache[0], one_hot(before, d, dtype), jnp.maximum(t - 1, 0))
            x = jnp.zeros(())
            for layer, (weights, bias) in enumerate(zip(dense, self.biases, strict=True)):
                if layer:
                    read = kept(cache[layer], x, t)
                kept_here.append(read)
                row = jax.lax.dynamic_index_in_dim(weights, t, keepdims=False).reshape(-1, bias.shape[1])
                found = jax.nn.gelu(read.reshape(count, -1) @ row + bias[t])
                x = x + found if layer else found
            return tuple(kept_here), x

        return Walk(begin, step)

    def _dense(self) -> list[Array]:
        """The blocks with zeros where j > t, (N, N, A, F) by t and j."""
        N = self.space.size
        found = []
        for layer, blocks in enumerate(self.blocks):
            t, j = _pairs(N, layer == 0)
            found.append(jnp.zeros((N, N, *blocks.shape[1:]), blocks.dtype).at[t, j].set(blocks))
        return found


def _pairs(size: int, strictly: bool) -> tuple[np.ndarray, np.ndarray]:
    """The pairs (t, j) with j < t, or j ≤ t."""
    return np.tril_indices(size, -1 if strictly else 0)
