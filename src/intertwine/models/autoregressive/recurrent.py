r"""The recurrent network: a memory that goes from one mode to the next, along a line or a snake.

    gru     u = σ(…), r = σ(…),  h_t = (1 − u) ∘ h_{t−1} + u ∘ tanh(W x_{t−1} + V (r ∘ h_{t−1}) + b)
    lstm    c_t = f ∘ c_{t−1} + i ∘ tanh(…),  h_t = o ∘ tanh(c_t),  f, i, o = σ(W x_{t−1} + V h_{t−1} + b)
    tensor  h_t = (1 − u) ∘ (M h) + u ∘ tanh(x T h + W x + V h + b),   u = σ(x T' h + …)

gru: Cho et al. 2014; lstm: Hochreiter & Schmidhuber 1997; tensor: a product of what is read and what is
remembered. On lattices of two dimensions it goes along a snake through the rows, and h and x are those of the
mode before and of the same place in the row before, both (Hibat-Allah, Ganahl, Hayward, Melko &
Carrasquilla, PRR 2, 023358 (2020); Hibat-Allah, Melko & Carrasquilla, arXiv:2207.14314).
Several layers stand on one another, each reading the memory of the one below.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Int, PyTree

from intertwine._checks import one_of, positive_int
from intertwine.models.autoregressive.base import AutoregressiveModel, Head, Walk, glorot, kept
from intertwine.models.autoregressive.places import order_of, parents, space_at
from intertwine.models.parameters import check_key
from intertwine.spaces.hilbert.hilbert_space import HilbertSpace
from intertwine.spaces.hilbert.place import Place

CELLS = ("gru", "lstm", "tensor")
_GATES = {"gru": 3, "lstm": 4, "tensor": 2}


class Cell(eqx.Module):
    """One layer: weights of what is read (X, G), of what is remembered (P·F, G), their product (X·P·F, G) in
    "tensor", the mean over memories (P·F, F), and the bias (N or 1, G)."""

    read: Float[Array, "X G"]
    remembered: Float[Array, "PF G"]
    product: Float[Array, "XPF G"] | None
    mean: Float[Array, "PF F"] | None
    bias: Float[Array, "n G"]


class RecurrentNetwork(AutoregressiveModel):
    r"""An autoregressive wave function with a memory.

    where: a Hilbert space, a lattice or a number of sites (free spins ½). layers: L. features: F numbers that
    are remembered. cell: "gru", "lstm" or "tensor" (None: "gru" on a line, "tensor" on a snake). tied:
    whether all modes share their biases (as all share their weights). dtype: complex (phases) or float
    (ψ > 0), or an exact floating type.

    Raises InputError for numbers that are not positive, and for other cells.

    >>> from intertwine.spaces.lattices import Chain, Square
    >>> psi = RecurrentNetwork(Chain(6), layers=1, features=4, key=jax.random.key(0))
    >>> psi.cells[0].remembered.shape, psi.cell, psi(jnp.ones(6)).shape
    ((4, 12), 'gru', ())
    >>> RecurrentNetwork(Square(3, 3), layers=1, features=4, key=jax.random.key(0)).cells[0].remembered.shape
    (8, 8)
    """

    head: Head
    cells: tuple[Cell, ...]
    space: HilbertSpace = eqx.field(static=True)
    order: tuple[int, ...] = eqx.field(static=True)
    cell: str = eqx.field(static=True)

    def __init__(
        self,
        where: Place | HilbertSpace | int,
        layers: int,
        features: int,
        *,
        cell: str | None = None,
        tied: bool = False,
        dtype: DTypeLike = float,
        key: Array,
    ):
        self.space = space_at(where)
        layers, F = positive_int("layers", layers), positive_int("features", features)
        self.order = order_of(self.space, snake=True)
        P = parents(self.space, self.order).shape[1]
        if cell is None:
            cell = "gru" if P == 1 else "tensor"
        self.cell = one_of("cell", cell, CELLS)
        first, *rest = jax.random.split(check_key(key), layers + 1)
        self.head = Head(self.space, F, dtype, key=first)
        gates, sites = _GATES[self.cell] * F, 1 if tied else self.space.size
        cells = []
        for layer, k in enumerate(rest):
            X = F if layer else P * (max(self.space.levels) + 1)
            keys = jax.random.split(k, 4)
            joined = self.cell == "tensor" and not layer
            cells.append(
                Cell(
                    glorot(keys[0], (X, gates), P if not layer else X, dtype),
                    glorot(keys[1], (P * F, gates), P * F, dtype),
                    glorot(keys[2], (X * P * F, gates), P * P * F, dtype) if joined else None,
                    None if P == 1 and self.cell != "gru" else glorot(keys[3], (P * F, F), P * F, dtype),
                    jnp.zeros((sites, gates), self.head.bias.dtype),
                )
            )
        self.cells = tuple(cells)

    def features(self, levels: Int[Array, "B N"]) -> Float[Array, "B N F"]:
        """(B, N, F): the walk, mode after mode."""
        walk = self.walk() if self._snakes else self._line()
        before = jnp.pad(levels[:, :-1], ((0, 0), (1, 0)))

        def one(cache: PyTree, t: Array) -> tuple[Any, Array]:
            return walk.step(cache, t, before[:, t])

        _, found = jax.lax.scan(one, walk.begin(levels.shape[0]), jnp.arange(self.size))
        return found.swapaxes(0, 1)

    @property
    def _snakes(self) -> bool:
        return parents(self.space, self.order).shape[1] > 1

    def walk(self) -> Walk:
        """One cell a layer and step; the cache is what was chosen, (B, N + 1), and every memory, (B, N + 1,
        S) a layer."""
        before_of, N = jnp.asarray(parents(self.space, self.order)), self.size
        width = len(self.head.weights) * (2 if self.cell == "lstm" else 1)

        def begin(count: int) -> Any:
            memories = tuple(jnp.zeros((count, N + 1, width), self.head.bias.dtype) for _ in self.cells)
            return jnp.full((count, N + 1), max(self.space.levels), jnp.int32), memories

        def step(cache: PyTree, t: Array, before: Array) -> tuple[Any, Array]:
            chosen, memories = cache
            last = jnp.where(t > 0, t - 1, N)
            nothing = jnp.full_like(before, max(self.space.levels))
            chosen = kept(chosen, jnp.where(t > 0, before, nothing), last)
            from_where = before_of[t]
            x, later = self._read(chosen[:, from_where]), []
            for cell, memory in zip(self.cells, memories, strict=True):
                state = self._next(cell, x, memory[:, from_where], t)
                later.append(kept(memory, state, t))
                x = state[:, : len(self.head.weights)]
            return (chosen, tuple(later)), x

        return Walk(begin, step)

    def _line(self) -> Walk:
        """The same on a line, with the last memory only: what whole configurations need."""
        width = len(self.head.weights) * (2 if self.cell == "lstm" else 1)

        def begin(count: int) -> Any:
            return tuple(jnp.zeros((count, width), self.head.bias.dtype) for _ in self.cells)

        def step(cache: PyTree, t: Array, before: Array) -> tuple[Any, Array]:
            x = self._read(jnp.where(t > 0, before, max(self.space.levels))[:, None])
            later = []
            for cell, memory in zip(self.cells, cache, strict=True):
                later.append(self._next(cell, x, memory[:, None], t))
                x = later[-1][:, : len(self.head.weights)]
            return tuple(later), x

        return Walk(begin, step)

    def _read(self, chosen: Int[Array, "B P"]) -> Float[Array, "B X"]:
        """What was chosen before, in the words of the first layer; one more for nothing."""
        d = max(self.space.levels)
        return jax.nn.one_hot(chosen, d + 1, dtype=self.head.bias.dtype).reshape(len(chosen), -1)

    def _next(self, cell: Cell, x: Array, states: Float[Array, "B P S"], t: Array) -> Float[Array, "B S"]:
        """The memory after step t from what is read and the memories before."""
        B, F = len(x), len(self.head.weights)
        h = states[..., :F].reshape(B, -1)
        bias = cell.bias[t if len(cell.bias) > 1 else 0]
        read = x @ cell.read + bias
        mean = h if cell.mean is None or h.shape[1] == F else h @ cell.mean
        if self.cell == "gru":
            gates = jax.nn.sigmoid(read[:, : 2 * F] + h @ cell.remembered[:, : 2 * F])
            u, r = gates[:, :F], gates[:, F:]
            held = jnp.tile(r, (1, h.shape[1] // F)) * h
            return (1 - u) * mean + u * jnp.tanh(read[:, 2 * F :] + held @ cell.remembered[:, 2 * F :])
        total = read + h @ cell.remembered
        if cell.product is not None:
            total = total + (x[:, :, None] * h[:, None, :]).reshape(B, -1) @ cell.product
        if self.cell == "tensor":
            u = jax.nn.sigmoid(total[:, :F])
            return (1 - u) * mean + u * jnp.tanh(total[:, F:])
        f, i, o = (jax.nn.sigmoid(total[:, k * F : (k + 1) * F]) for k in range(3))
        past = states[..., F:]
        past = past[:, 0] if cell.mean is None or past.shape[1] == 1 else past.reshape(B, -1) @ cell.mean
        c = f * past + i * jnp.tanh(total[:, 3 * F :])
        return jnp.concatenate([o * jnp.tanh(c), c], axis=1)
