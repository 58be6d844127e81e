r"""The causal transformer: attention of every mode to those visited before.

    x_t = E[s_{t−1}] + p_t,      x ← x + W_o Attention(LN x)_t,      x ← x + W_2 g(W_1 LN x + b_1) + b_2,

attention with softmax_{j≤t}(q_t·k_j/√d_h) over the values v_j in several heads, LN the layer norm before each
part, g = GELU (Vaswani et al., NeurIPS 2017, as a decoder; Zhang & Di Ventra, PRB 107, 075147 (2023) for
quantum states). Keys and values of the modes before are kept, so that one more mode costs one row.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Int, PyTree

from intertwine._checks import fail, positive_int
from intertwine.models.autoregressive.base import AutoregressiveModel, Head, Walk, glorot, kept
from intertwine.models.autoregressive.places import order_of, space_at
from intertwine.models.parameters import check_key
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
from intertwine.spaces.hilbert.place import Place

_WIDER = 2
_SMALL = 1e-6


class Block(eqx.Module):
    """One layer: W of queries, keys and values (D, 3D) and of the output (D, D); the two dense layers,
    (D, 2D), (2D,), (2D, D), (D,); scale and shift of the two norms, (2, D) each."""

    attend: Float[Array, "D T"]
    out: Float[Array, "D D"]
    up: Float[Array, "D H"]
    up_bias: Float[Array, "H"]
    down: Float[Array, "H D"]
    down_bias: Float[Array, "D"]
    scales: Float[Array, "2 D"]
    shifts: Float[Array, "2 D"]


class CausalTransformer(AutoregressiveModel):
    r"""An autoregressive wave function of a causal transformer.

    where: a Hilbert space, a lattice or a number of sites (free spins ½). layers: L. features: D. heads: how
    many share the D features (None: of 8 features each, where D is a multiple of 8, else 1). dtype: complex
    (phases) or float (ψ > 0), or an exact floating type.

    embedding: E, (d + 1, D), the last for the beginning. positions: p, (N, D).
    Raises InputError for numbers that are not positive and heads that do not divide D.

    >>> psi = CausalTransformer(6, layers=2, features=8, dtype=complex, key=jax.random.key(0))
    >>> psi.heads, psi.kind, psi(jnp.ones(6)).shape
    (1, 'complex', ())
    """

    head: Head
    embedding: Float[Array, "d1 D"]
    positions: Float[Array, "N D"]
    blocks: tuple[Block, ...]
    scale: Float[Array, "D"]
    shift: Float[Array, "D"]
    space: HilbertSpace = eqx.field(static=True)
    order: tuple[int, ...] = eqx.field(static=True)
    heads: int = eqx.field(static=True)

    def __init__(
        self,
        where: Place | HilbertSpace | int,
        layers: int,
        features: int,
        *,
        heads: int | None = None,
        dtype: DTypeLike = float,
        key: Array,
    ):
        self.space = space_at(where)
        layers, D = positive_int("layers", layers), positive_int("features", features)
        self.order = order_of(self.space)
        self.heads = (D // 8 if D % 8 == 0 else 1) if heads is None else positive_int("heads", heads)
        if D % self.heads:
            raise fail("heads", f"a divisor of the {D} features", heads)
        first, second, third, *rest = jax.random.split(check_key(key), layers + 3)
        self.head = Head(self.space, D, dtype, key=first)
        kind = self.head.bias.dtype
        self.embedding = glorot(second, (max(self.space.levels) + 1, D), 2, dtype)
        self.positions = glorot(third, (self.space.size, D), 2, dtype)
        ones, zeros = jnp.ones((2, D), kind), jnp.zeros((2, D), kind)
        blocks = []
        for k in rest:
            a, b, c, d = jax.random.split(k, 4)
            dense = glorot(c, (D, _WIDER * D), D, dtype), jnp.zeros(_WIDER * D, kind)
            down = glorot(d, (_WIDER * D, D), _WIDER * D * layers, dtype), jnp.zeros(D, kind)
            parts = glorot(a, (D, 3 * D), D, dtype), glorot(b, (D, D), D * layers, dtype)
            blocks.append(Block(*parts, *dense, *down, ones, zeros))
        self.blocks = tuple(blocks)
        self.scale, self.shift = ones[0], zeros[0]

    def features(self, levels: Int[Array, "B N"]) -> Float[Array, "B N F"]:
        """(B, N, D), all modes at once under a causal mask."""
        B, N = levels.shape
        before = jnp.pad(levels[:, :-1], ((0, 0), (1, 0)), constant_values=max(self.space.levels))
        x = self.embedding[before] + self.positions
        causal = jnp.tril(jnp.ones((N, N), bool))
        for block in self.blocks:
            parts = _norm(x, block.scales[0], block.shifts[0]) @ block.attend
            q, k, v = (part.reshape(B, N, self.heads, -1) for part in jnp.split(parts, 3, axis=-1))
            scores = jnp.einsum("bthe,bjhe->bhtj", q, k) / q.shape[-1] ** 0.5
            shares = jax.nn.softmax(jnp.where(causal, scores, -jnp.inf))
            x = x + jnp.einsum("bhtj,bjhe->bthe", shares, v).reshape(B, N, -1) @ block.out
            x = x + _dense(block, x)
        return _norm(x, self.scale, self.shift)

    def walk(self) -> Walk:
        """One row of attention a step; the cache has the keys and values, (B, N, heads, D/heads) a layer."""
        N, D = self.positions.shape
        shape = (N, self.heads, D // self.heads)

        def begin(count: int) -> Any:
            nothing = jnp.zeros((count, *shape), self.positions.dtype)
            return tuple((nothing, nothing) for _ in self.blocks)

        def step(cache: PyTree, t: Array, before: Array) -> tuple[Any, Array]:
            before = jnp.where(t > 0, before, max(self.space.levels))
            x, later = self.embedding[before] + self.positions[t], []
            seen = (jnp.arange(N) <= t)[None, :, None]
            for block, (keys, values) in zip(self.blocks, cache, strict=True):
                parts = _norm(x, block.scales[0], block.shifts[0]) @ block.attend
                q, k, v = (part.reshape(-1, *shape[1:]) for part in jnp.split(parts, 3, axis=-1))
                keys, values = kept(keys, k, t), kept(values, v, t)
                later.append((keys, values))
                scores = jnp.sum(q[:, None] * keys, axis=-1) / q.shape[-1] ** 0.5  # (B, N, heads)
                shares = jax.nn.softmax(jnp.where(seen, scores, -jnp.inf), axis=1)
                x = x + jnp.sum(shares[..., None] * values, axis=1).reshape(len(x), -1) @ block.out
                x = x + _dense(block, x)
            return tuple(later), _norm(x, self.scale, self.shift)

        return Walk(begin, step)


def _norm(x: Array, scale: Array, shift: Array) -> Array:
    """The layer norm over the last axis."""
    centred = x - x.mean(-1, keepdims=True)
    return centred * jax.lax.rsqrt(jnp.mean(centred**2, -1, keepdims=True) + _SMALL) * scale + shift


def _dense(block: Block, x: Array) -> Array:
    """The two dense layers after the norm."""
    inner = _norm(x, block.scales[1], block.shifts[1]) @ block.up + block.up_bias
    return jax.nn.gelu(inner) @ block.down + block.down_bias
