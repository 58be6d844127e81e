r"""The log-derivatives of a model over samples in blocks, so that memory is bounded by a number of samples.

The operator of `log_derivatives`, with the same rows and columns, that keeps no derivatives: with the samples
cut into blocks i of `chunk` rows O_i each (uncentred), and one mean m = Σ_s w_s O(s) for all,

    Ō_i = √w_i (O_i − m),      T_ij = Ō_i Ō_jᴴ,      S = Σ_i Ō_iᴴ Ō_i,
    Ō v by forward, Ōᴴ u by backward differentiation of the sum that they are.

Of the samples' Gram matrix T two blocks of derivatives exist at a time, and each is made again for every
tile: (blocks + 1)/2 passes more, each of them cheap against the products of a tile, of S P numbers for each
sample. Memory is 2·chunk·P numbers and T, in place of S·P.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, Num, PyTree, Shaped

from intertwine.learning.log_derivatives import (
    LogDerivatives,
    column_count,
    formed_blocks,
    log_derivatives,
    real_and_imaginary,
    unravel,
)
from intertwine.learning.products import product
from intertwine.models.protocols import Factored, Kind

_ALONE = 4096
"""Columns from which on a product is at full speed; narrower leaves are joined to their neighbours."""


class BlockedDerivatives(eqx.Module):
    """Ō over samples, `chunk` at a time; built by `blocked_derivatives`.

    model: whose derivatives. samples: (S, N). weights: (S,) probabilities. chunk: samples of a block.
    """

    model: PyTree
    samples: Shaped[Array, "S N"]
    weights: Float[Array, "S"]
    chunk: int = eqx.field(static=True)

    @property
    def kind(self) -> Kind:
        return "real" if self.model.kind == "signed" else self.model.kind

    @property
    def rows(self) -> int:
        return self.samples.shape[0] * self._parts

    @property
    def columns(self) -> int:
        return column_count(self.model)

    @property
    def _parts(self) -> int:
        return 2 if self.kind == "complex" else 1

    @property
    def _blocks(self) -> int:
        return -(-self.samples.shape[0] // self.chunk)

    def matvec(self, v: Num[Array, "P"]) -> Num[Array, "R"]:
        """Ō v, by forward differentiation."""
        leaves, static = eqx.partition(self.model, eqx.is_inexact_array)
        tangent = unravel(self.model, v)

        def along(i: Array) -> Array:
            block, _ = self._block(i)
            return jax.jvp(lambda p: _values(p, static, block), (leaves,), (tangent,))[1]

        derivatives = self._gathered(jax.lax.map(along, jnp.arange(self._blocks)))
        return self._to_rows(derivatives - jnp.sum(self.weights * derivatives))

    def rmatvec(self, u: Num[Array, "R"]) -> Num[Array, "P"]:
        """Ōᴴ u, by backward differentiation."""
        count = self.samples.shape[0]
        if self.kind == "complex":
            u = jax.lax.complex(u[:count], u[count:])
        u = jnp.sqrt(self.weights) * u
        return self._summed(u - self.weights * jnp.sum(u))

    def residual(self, local: Num[Array, "S"]) -> Num[Array, "R"]:
        """ε: centred and weighted local values, in the rows of Ō."""
        return LogDerivatives((), self.weights, self.kind).residual(local)

    def gram(self) -> Num[Array, "R R"]:
        """T = ŌŌᴴ, tile by tile."""
        count, parts, chunk = self.samples.shape[0], self._parts, self.chunk
        mean = self._mean()
        tile = jax.eval_shape(lambda: self._rows_of(jnp.zeros((), int), mean)[0])
        out = jnp.zeros((parts, count, parts, count), tile.dtype)

        def column(j: Array, state: tuple[Array, Array, list[Array]]) -> Any:
            out, i, left = state
            right = self._rows_of(j, mean)
            both = zip(left, right, strict=True)
            made = jnp.sum(jnp.stack([product(a, b.conj().T) for a, b in both]), 0)
            made = made.reshape(parts, chunk, parts, chunk)
            first, second = self._start(i), self._start(j)
            out = jax.lax.dynamic_update_slice(out, made, (0, first, 0, second))
            mirrored = made.conj().transpose(2, 3, 0, 1)
            return jax.lax.dynamic_update_slice(out, mirrored, (0, second, 0, first)), i, left

        def row(i: Array, out: Array) -> Array:
            return jax.lax.fori_loop(0, i + 1, column, (out, i, self._rows_of(i, mean)))[0]

        out = jax.lax.fori_loop(0, self._blocks, row, out)
        return out.reshape(parts * count, parts * count)

    def metric(self) -> Num[Array, "P P"]:
        """S = ŌᴴŌ (its real part for kinds "real" and "complex")."""
        mean = self._mean()

        def add(i: Array, total: Array) -> Array:
            rows = jnp.concatenate(self._rows_of(i, mean, once=True), axis=1)
            return total + product(rows.conj().T, rows)

        start = jnp.zeros((self.columns, self.columns), mean.real.dtype if self._is_real else mean.dtype)
        return jax.lax.fori_loop(0, self._blocks, add, start)

    def diagonal(self) -> Float[Array, "P"]:
        """The diagonal of S: the variance of each log-derivative."""
        mean = self._mean()

        def add(i: Array, total: Array) -> Array:
            rows = self._rows_of(i, mean, once=True)
            return total + jnp.concatenate([jnp.sum(jnp.abs(part) ** 2, 0) for part in rows])

        return jax.lax.fori_loop(0, self._blocks, add, jnp.zeros(self.columns, mean.real.dtype))

    # ---- blocks of samples: the last one begins earlier where they do not fill it

    @property
    def _is_real(self) -> bool:
        return self.kind != "holomorphic"

    def _start(self, i: Array) -> Array:
        return jnp.minimum(i * self.chunk, self.samples.shape[0] - self.chunk)

    def _block(self, i: Array) -> tuple[Array, Array]:
        """The samples of block i, and 1 for those that no earlier block has."""
        start = self._start(i)
        samples = jax.lax.dynamic_slice_in_dim(self.samples, start, self.chunk)
        return samples, (start + jnp.arange(self.chunk) >= i * self.chunk).astype(self.weights.dtype)

    def _gathered(self, values: Num[Array, "blocks chunk"]) -> Num[Array, "S"]:
        """Values of each block in the order of the samples."""
        whole = self.samples.shape[0] // self.chunk
        rest = self.samples.shape[0] - whole * self.chunk
        last = values[-1, self.chunk - rest :]
        return jnp.concatenate([values[:whole].reshape(-1), last]) if rest else values.reshape(-1)

    def _rows_of(self, i: Array, mean: Array, once: bool = False) -> list[Array]:
        """Ō_i as groups of columns; once: rows that an earlier block has are 0."""
        samples, new = self._block(i)
        weights = jax.lax.dynamic_slice_in_dim(self.weights, self._start(i), self.chunk)
        scale = jnp.sqrt(weights * new if once else weights)[:, None]
        rows, start = [], 0
        for group in _grouped(formed_blocks(log_derivatives(self.model, samples, weights, chunk=self.chunk))):
            width = group.shape[1]
            centred = scale * (group - mean[start : start + width])
            start += width
            rows.append(jnp.concatenate([centred.real, centred.imag]) if self.kind == "complex" else centred)
        return rows

    def _mean(self) -> Num[Array, "P"]:
        """Σ_s w_s O(s)."""
        if self.kind != "complex":
            return self._summed(self.weights.astype(self._dtype)).conj()
        parts = self._summed(self.weights + 0j), self._summed(1j * self.weights)
        return jax.lax.complex(*parts)

    @property
    def _dtype(self) -> Any:
        return jnp.result_type(*jax.tree.leaves(eqx.filter(self.model, eqx.is_inexact_array)))

    def _summed(self, u: Num[Array, "S"]) -> Num[Array, "P"]:
        """Σ_s O(s)* u_s; its real part, for kinds "real" and "complex"."""
        leaves, static = eqx.partition(self.model, eqx.is_inexact_array)
        real, join = real_and_imaginary(leaves, self.kind)

        def add(i: Array, total: Array) -> Array:
            samples, new = self._block(i)
            part = new * jax.lax.dynamic_slice_in_dim(u, self._start(i), self.chunk)

            def contracted(q: PyTree) -> Array:
                values = _values(join(q), static, samples)
                if self.kind == "holomorphic":
                    return jnp.sum(part.conj() * values)
                return jnp.sum(part.real * values.real + part.imag * values.imag)

            found = jax.grad(contracted, holomorphic=self.kind == "holomorphic")(real)
            return total + jnp.concatenate([leaf.ravel() for leaf in jax.tree.leaves(found)]).conj()

        dtype = self._dtype if self.kind == "holomorphic" else self.weights.dtype
        return jax.lax.fori_loop(0, self._blocks, add, jnp.zeros(self.columns, dtype))

    def _to_rows(self, values: Num[Array, "S"]) -> Num[Array, "R"]:
        values = jnp.sqrt(self.weights) * values
        return jnp.concatenate([values.real, values.imag]) if self.kind == "complex" else values


def blocked_derivatives(
    model: PyTree, samples: Shaped[Array, "S N"], weights: Float[Array, "S"] | None = None, *, chunk: int
) -> LogDerivatives | BlockedDerivatives:
    """Ō of `model` over `samples`, (S, N), of which `chunk` are differentiated at a time; weights: (S,)
    probabilities, or None.

    Where the derivatives are outer products that take less than those of a block (an RBM), or the samples are
    no more than a block, it is `log_derivatives`.

    >>> from intertwine.models.symmetric.gcnn import GCNN
    >>> from intertwine.spaces.lattices import Chain
    >>> psi = GCNN(Chain(4), 2, 3, key=jax.random.key(0))
    >>> spins = jnp.array([[1, 1, -1, 1], [1, -1, -1, 1], [-1, 1, 1, 1]], jnp.int8)
    >>> blocked, whole = blocked_derivatives(psi, spins, chunk=2), log_derivatives(psi, spins)
    >>> bool(jnp.allclose(blocked.gram(), whole.gram(), atol=1e-5))
    True
    """
    count = samples.shape[0]
    leaves = jax.tree.leaves(eqx.filter(model, eqx.is_inexact_array))
    if count <= chunk or _is_small(model, samples, chunk):
        return log_derivatives(model, samples, weights)
    real = jnp.finfo(jnp.result_type(*leaves)).dtype
    weights = jnp.full((count,), 1.0 / count, real) if weights is None else weights.astype(real)
    return BlockedDerivatives(model, samples, weights, chunk)


def _is_small(model: PyTree, samples: Array, chunk: int) -> bool:
    """Whether all factors of the derivatives take less than the derivatives of a block."""
    if not isinstance(model, Factored):
        return False
    factors = jax.eval_shape(lambda m, s: m.factors(s), eqx.filter(model, eqx.is_array), samples)
    return sum(leaf.size for leaf in jax.tree.leaves(factors)) <= chunk * column_count(model)


def _values(parameters: PyTree, static: PyTree, samples: Array) -> Array:
    model = eqx.combine(parameters, static)
    values = jax.vmap(model)(samples)
    return values if model.kind in ("complex", "holomorphic") else values.real


def _grouped(blocks: Iterable[Array]) -> Iterator[Array]:
    """Neighbouring blocks of columns joined until they are wide enough for a product of their own."""
    pending: list[Array] = []
    for block in blocks:
        pending.append(block)
        if sum(part.shape[1] for part in pending) >= _ALONE:
            yield pending[0] if len(pending) == 1 else jnp.concatenate(pending, axis=1)
            pending = []
    if pending:
        yield jnp.concatenate(pending, axis=1)
