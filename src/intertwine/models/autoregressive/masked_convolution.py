r"""The masked convolution: the same gated filters at every place, over the modes visited before.

    h^l_t = h^{l−1}_t + tanh(a_t) ∘ σ(b_t),      (a, b)_t = c^l + Σ_δ W^l_δ h^{l−1}_{t+δ}

in which t + δ runs over the modes of a window around t that were visited before it (in the first layer, of
what is written there, without t itself), row after row on a lattice of two dimensions (PixelCNN: van den
Oord, Kalchbrenner & Kavukcuoglu, ICML 2016; gated: van den Oord et al., NeurIPS 2016; as wave functions:
Sharir et al., PRL 124, 020503 (2020)). On a periodic lattice the window reaches across the boundary. A mode
sees L·reach back along the rows; like every PixelCNN of one stack it is blind to a part of the rows before.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Int, PyTree

from intertwine._checks import positive_int
from intertwine.models.autoregressive.base import AutoregressiveModel, Head, Walk, glorot, kept, one_hot
from intertwine.models.autoregressive.places import order_of, space_at, stencil
from intertwine.models.parameters import check_key
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
from intertwine.spaces.hilbert.place import Place


class MaskedConvolution(AutoregressiveModel):
    r"""An autoregressive wave function of gated masked convolutions.

    where: a Hilbert space, a lattice or a number of sites (free spins ½). layers: L. features: F. reach: how
    far a filter sees, in nearest-neighbour distances. dtype: complex (phases) or float (ψ > 0), or an exact
    floating type.

    filters[l]: W, (K, e or F, 2F), K displacements (and the mode itself from the second layer on). biases[l]:
    (N, 2F). Raises InputError for numbers that are not positive.

    >>> from intertwine.spaces.lattices import Square
    >>> psi = MaskedConvolution(Square(4, 4), layers=2, features=3, reach=2, key=jax.random.key(0))
    >>> [w.shape for w in psi.filters], psi(jnp.ones(16)).shape
    ([(10, 1, 6), (11, 3, 6)], ())
    """

    head: Head
    filters: tuple[Float[Array, "K A G"], ...]
    biases: tuple[Float[Array, "N G"], ...]
    space: HilbertSpace = eqx.field(static=True)
    order: tuple[int, ...] = eqx.field(static=True)
    reach: int = eqx.field(static=True)

    def __init__(
        self,
        where: Place | HilbertSpace | int,
        layers: int,
        features: int,
        *,
        reach: int = 4,
        dtype: DTypeLike = float,
        key: Array,
    ):
        self.space = space_at(where)
        layers, features = positive_int("layers", layers), positive_int("features", features)
        self.reach = positive_int("reach", reach)
        self.order = order_of(self.space)
        N, d = self.space.size, max(self.space.levels)
        first, *rest = jax.random.split(check_key(key), layers + 1)
        self.head = Head(self.space, features, dtype, key=first)
        K, filters = stencil(self.space, self.order, self.reach).shape[1], []
        for layer, k in enumerate(rest):
            inner, points = (features, K + 1) if layer else (1 if d == 2 else d, K)
            filters.append(glorot(k, (points, inner, 2 * features), max(1, points * inner // 2), dtype))
        self.filters = tuple(filters)
        self.biases = tuple(jnp.zeros((N, 2 * features), w.dtype) for w in filters)

    def features(self, levels: Int[Array, "B N"]) -> Float[Array, "B N F"]:
        """(B, N, F): the windows gathered, and one product a layer."""
        near = jnp.asarray(stencil(self.space, self.order, self.reach))
        x = one_hot(levels, max(self.space.levels), self.biases[0].dtype)
        for layer, (w, bias) in enumerate(zip(self.filters, self.biases, strict=True)):
            padded = jnp.pad(x, ((0, 0), (0, 1), (0, 0)))
            seen = padded[:, near].reshape(*levels.shape, -1)
            found = seen @ w[: near.shape[1]].reshape(-1, w.shape[2]) + bias
            if layer:
                found = found + x @ w[-1]
            x = x + _gated(found) if layer else _gated(found)
        return x

    def walk(self) -> Walk:
        """The window of one mode a step; the cache is what each layer reads, (B, N + 1, A), the last 0."""
        near = jnp.asarray(stencil(self.space, self.order, self.reach))
        d, dtype = max(self.space.levels), self.biases[0].dtype

        def begin(count: int) -> Any:
            return tuple(jnp.zeros((count, self.size + 1, w.shape[1]), dtype) for w in self.filters)

        def step(cache: PyTree, t: Array, before: Array) -> tuple[Any, Array]:
            count, kept_here, x = before.shape[0], [], jnp.zeros(())
            read = kept(cache[0], one_hot(before, d, dtype), jnp.maximum(t - 1, 0))
            for layer, (w, bias) in enumerate(zip(self.filters, self.biases, strict=True)):
                if layer:
                    read = kept(cache[layer], x, t)
                kept_here.append(read)
                found = read[:, near[t]].reshape(count, -1) @ w[: near.shape[1]].reshape(-1, w.shape[2])
                found = found + bias[t] + (x @ w[-1] if layer else 0)
                x = x + _gated(found) if layer else _gated(found)
            return tuple(kept_here), x

        return Walk(begin, step)


def _gated(x: Array) -> Array:
    """tanh of the first half times σ of the second."""
    first, second = jnp.split(x, 2, axis=-1)
    return jnp.tanh(first) * jax.nn.sigmoid(second)
