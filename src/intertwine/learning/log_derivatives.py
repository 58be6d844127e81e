r"""The log-derivatives of a model over samples, as one linear operator that is centred and weighted.

With O_k(s) = ∂ log ψ_λ(s)/∂λ_k, probabilities w_s of the samples and ⟨·⟩ their weighted mean, the operator is

    Ō_{sk} = √w_s (O_k(s) − ⟨O_k⟩),          S = ŌᴴŌ = Cov(O*, O),      F = Ōᴴ ε = Cov(O*, ℓ),
    ε_s = √w_s (ℓ(s) − ⟨ℓ⟩),                  T = ŌŌᴴ   (the Gram matrix of minSR)

S is the quantum geometric tensor of a wave function and a quarter of the Fisher information of the
distribution |ψ|² (Stokes et al., Quantum 4, 269 (2020); Becca & Sorella 2017, ch. 6). How λ enters
(`model.kind`) is settled here once, by the choice of rows, so that no solver ever asks again:

    real         rows are samples, entries real, ε ← Re ε
    signed       the same: the sign of a real ψ does not change with λ
    holomorphic  rows are samples, entries complex
    complex      λ counted as real numbers (Re, Im of a complex leaf side by side); rows [Re Ō; Im Ō],
                 ε ← [Re ε; Im ε], so that ŌᵀŌ = Re S and Ōᵀε = Re F: a real 2S × 2S Gram matrix

No Jacobian is formed for a leaf whose derivatives are outer products O_{(ij)}(s) = l_i(s) r_j(s)
(`Factored`): its part of the Gram matrix is (LLᴴ)∘(RRᴴ), of Ōv the rows of (LV)∘R, of Ōᴴu the product
(L*∘u)ᵀR*. An RBM with spins Σ and T = tanh θ thus has the Gram matrix (ΣΣᵀ)∘(TTᴴ) + ΣΣᵀ + TTᴴ before
centring.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, Num, PyTree, Shaped

from intertwine._checks import fail
from intertwine.learning.products import gram_hermitian, gram_real, gram_symmetric, product
from intertwine.models.protocols import Direct, Factored, Kind, Outer


class LogDerivatives(eqx.Module):
    """Ō over samples; built by `log_derivatives`, never by hand.

    blocks: one `Outer` or two-axis `Direct` (S, p) for each group of columns, in column order.
    weights: (S,) probabilities of the samples.
    rows: S, or 2S for kind "complex".
    """

    blocks: tuple[Outer | Direct, ...]
    weights: Float[Array, "S"]
    kind: Kind = eqx.field(static=True)

    @property
    def rows(self) -> int:
        return self.weights.shape[0] * (2 if self.kind == "complex" else 1)

    @property
    def columns(self) -> int:
        return sum(_columns(block) for block in self.blocks)

    def matvec(self, v: Num[Array, "P"]) -> Num[Array, "R"]:
        """Ō v."""
        total, start = jnp.zeros((), v.dtype), 0
        for block in self.blocks:
            width = _columns(block)
            total = total + _block_matvec(block, v[start : start + width])
            start += width
        return self._to_rows(total - jnp.sum(self.weights * total))

    def rmatvec(self, u: Num[Array, "R"]) -> Num[Array, "P"]:
        """Ōᴴ u."""
        if self.kind == "complex":
            half = self.weights.shape[0]
            u = jax.lax.complex(u[:half], u[half:])
        u = jnp.sqrt(self.weights) * u
        u = u - self.weights * jnp.sum(u)
        out = jnp.concatenate([_block_rmatvec(block, u) for block in self.blocks])
        return out if self.kind == "holomorphic" else out.real

    def residual(self, local: Num[Array, "S"]) -> Num[Array, "R"]:
        """ε: centred and weighted local values, in the rows of Ō."""
        if self.kind == "real":
            local = local.real
        dtype = (
            self.weights.dtype if self.kind == "real" else jnp.result_type(self.weights.dtype, jnp.complex64)
        )
        centred = self._to_rows(local - jnp.sum(self.weights * local))
        return centred if self.kind == "complex" else centred.astype(dtype)

    def gram(self) -> Num[Array, "R R"]:
        """T = ŌŌᴴ, without a Jacobian for outer blocks; O(S²(a + b)) for a leaf of shape (a, b)."""
        if self.kind == "complex" and all(isinstance(block, Direct) for block in self.blocks):
            return self._gram_of_rows()
        hermitian = sum(_block_gram(block, gram_hermitian) for block in self.blocks)
        hermitian = self._centre(hermitian)
        if self.kind != "complex":
            return hermitian
        symmetric = self._centre(sum(_block_gram(block, gram_symmetric) for block in self.blocks))
        re_re, im_im = hermitian.real + symmetric.real, hermitian.real - symmetric.real
        re_im, im_re = symmetric.imag - hermitian.imag, symmetric.imag + hermitian.imag
        return 0.5 * jnp.block([[re_re, re_im], [im_re, im_im]])

    def gram_times_weights(self) -> Num[Array, "S"]:
        """G w, G the Gram matrix of the log-derivatives themselves: without a mean taken off."""
        w = self.weights
        total = jnp.zeros((), w.dtype)
        for block in self.blocks:
            total = total + _block_matvec(block, _block_rmatvec(block, w.astype(_dtype(block))))
        return total

    def _gram_of_rows(self) -> Float[Array, "R R"]:
        """T of the real rows [Re Ō; Im Ō]: half the products of the complex ones."""
        values = jnp.concatenate([block.values for block in self.blocks if isinstance(block, Direct)], axis=1)
        full = gram_real(jnp.concatenate([values.real, values.imag]))
        half = self.weights.shape[0]
        blocks = [[full[:half, :half], full[:half, half:]], [full[half:, :half], full[half:, half:]]]
        return jnp.block([[self._centre(block) for block in row] for row in blocks])

    def dense(self) -> Num[Array, "R P"]:
        """Ō as an array."""
        full = jnp.concatenate([_formed(block) for block in self.blocks], axis=1)
        full = full - product(self.weights[None, :], full)
        return self._to_rows(full)

    def metric(self) -> Num[Array, "P P"]:
        """S = ŌᴴŌ (its real part for kinds "real" and "complex")."""
        return gram_hermitian(self.dense().conj().T)

    def tensor(self) -> Num[Array, "P P"]:
        """The quantum geometric tensor: S itself, and for kind "complex" the complex matrix whose real part
        is S."""
        if self.kind != "complex":
            return self.metric()
        full = jnp.concatenate([_formed(block) for block in self.blocks], axis=1)
        full = jnp.sqrt(self.weights)[:, None] * (full - product(self.weights[None, :], full))
        return gram_hermitian(full.conj().T)

    def diagonal(self) -> Float[Array, "P"]:
        """The diagonal of S, without a Jacobian: the variance of each log-derivative."""
        w = self.weights
        squares = [_block_rmatvec(_squared(block), w).real for block in self.blocks]
        means = [_block_rmatvec(block, w.astype(_dtype(block))) for block in self.blocks]
        parts = [s - jnp.abs(m) ** 2 for s, m in zip(squares, means, strict=True)]
        return jnp.maximum(jnp.concatenate(parts), 0)

    def _to_rows(self, values: Array) -> Array:
        scale = jnp.sqrt(self.weights).reshape((-1,) + (1,) * (values.ndim - 1))
        values = scale * values
        if self.kind == "complex":
            return jnp.concatenate([values.real, values.imag])
        return values

    def _centre(self, matrix: PyTree) -> Array:
        w = self.weights
        means = product(matrix, w)
        transposed = product(w, matrix)
        scale = jnp.sqrt(w)
        centred = matrix - means[:, None] - transposed[None, :] + jnp.sum(w * means)
        return scale[:, None] * centred * scale[None, :]


def log_derivatives(
    model: PyTree,
    samples: Shaped[Array, "S N"],
    weights: Float[Array, "S"] | None = None,
    *,
    chunk: int = 1024,
) -> LogDerivatives:
    """The operator Ō of `model` over `samples`.

    samples: (S, N) configurations; weights: (S,) probabilities that sum to 1, or None (each counts 1/S).
    chunk: samples differentiated at once where per-sample gradients have to be formed.

    A model with `factors` (protocol `Factored`) forms no Jacobian. Raises InputError for a kind that does
    not fit the parameters (a holomorphic model must have complex ones only).

    >>> import jax, jax.numpy as jnp
    >>> from intertwine.models.machines.rbm import RBM
    >>> psi = RBM(4, hidden=3, key=jax.random.key(0))
    >>> spins = jnp.array([[1, 1, -1, 1], [1, -1, -1, 1], [-1, 1, 1, 1]], jnp.int8)
    >>> operator = log_derivatives(psi, spins)
    >>> operator.gram().shape, operator.metric().shape
    ((3, 3), (19, 19))
    >>> bool(jnp.allclose(operator.gram(), operator.dense() @ operator.dense().T, atol=1e-5))
    True
    """
    kind = model.kind
    parameters, static = eqx.partition(model, eqx.is_inexact_array)
    leaves = jax.tree.leaves(parameters)
    all_real = not any(jnp.iscomplexobj(leaf) for leaf in leaves)
    if kind == "holomorphic" and not all(jnp.iscomplexobj(leaf) for leaf in leaves):
        raise fail(
            "model.kind", '"holomorphic" with complex parameters only', "a real parameter", 'use "complex"'
        )
    if kind in ("real", "signed") and not all_real:
        raise fail(
            "model.kind", f'"{kind}" with real parameters only', "a complex parameter", 'use "complex"'
        )
    if isinstance(model, Factored) and (kind != "complex" or all_real):
        factors = jax.tree.leaves(model.factors(samples), is_leaf=lambda x: isinstance(x, Outer | Direct))
        blocks = tuple(_flat(block) for block in factors)
    else:
        blocks = _differentiate(parameters, static, kind, samples, chunk)
    real = jnp.finfo(jnp.result_type(*leaves)).dtype
    count = samples.shape[0]
    weights = jnp.full((count,), 1.0 / count, real) if weights is None else weights.astype(real)
    return LogDerivatives(blocks, weights, "real" if kind == "signed" else kind)


def unravel(model: PyTree, vector: Num[Array, "P"]) -> Any:
    """The parameter pytree (None elsewhere) whose columns are `vector`; Re, Im joined for kind "complex"."""
    leaves, tree = jax.tree.flatten(eqx.filter(model, eqx.is_inexact_array))
    out, start = [], 0
    for leaf in leaves:
        part = vector[start : start + leaf.size].reshape(leaf.shape)
        start += leaf.size
        if model.kind == "complex" and jnp.iscomplexobj(leaf):
            part = jax.lax.complex(part, vector[start : start + leaf.size].reshape(leaf.shape))
            start += leaf.size
        out.append(part.astype(leaf.dtype))
    return jax.tree.unflatten(tree, out)


def column_count(model: PyTree) -> int:
    """The number of columns of Ō: P, complex parameters counted twice for kind "complex"."""
    leaves = jax.tree.leaves(eqx.filter(model, eqx.is_inexact_array))
    double = model.kind == "complex"
    return sum(leaf.size * (2 if double and jnp.iscomplexobj(leaf) else 1) for leaf in leaves)


def real_and_imaginary(parameters: PyTree, kind: Kind) -> tuple[PyTree, Callable[[PyTree], Any]]:
    """The parameters as they are differentiated, Re and Im of a complex leaf side by side for kind "complex",
    and what joins them again."""
    if kind != "complex":
        return parameters, lambda q: q
    leaves, tree = jax.tree.flatten(parameters)
    split = [(leaf.real, leaf.imag) if jnp.iscomplexobj(leaf) else (leaf,) for leaf in leaves]

    def join(q: PyTree) -> Any:
        joined = [jax.lax.complex(*pair) if len(pair) == 2 else pair[0] for pair in q]
        return jax.tree.unflatten(tree, joined)

    return split, join


def formed_blocks(operator: LogDerivatives) -> Iterator[Num[Array, "S p"]]:
    """∂ log ψ(s)/∂λ of each sample, neither centred nor weighted, a group of columns after another."""
    return (_formed(block) for block in operator.blocks)


def _differentiate(
    parameters: PyTree, static: PyTree, kind: Kind, samples: Array, chunk: int
) -> tuple[Outer | Direct, ...]:
    """Per-sample gradients by automatic differentiation: a `Direct` block a leaf (two for a split one)."""

    real, join = real_and_imaginary(parameters, kind)

    def value(q: PyTree, s: Array) -> Array:
        logarithm = eqx.combine(join(q), static)(s)
        return logarithm.real if kind == "signed" else logarithm

    def gradient(s: Array) -> Any:
        if kind != "complex":
            return jax.grad(value, holomorphic=kind == "holomorphic")(real, s)

        def parts(q: PyTree) -> tuple[Array, Array]:
            out = value(q, s)
            return out.real, out.imag

        (re, im), pull = jax.vjp(parts, real)
        one, zero = jnp.ones_like(re), jnp.zeros_like(im)
        return jax.tree.map(jax.lax.complex, pull((one, zero))[0], pull((zero, one))[0])

    count = samples.shape[0]
    if count <= chunk:
        gradients = jax.tree.leaves(jax.vmap(gradient)(samples))
    else:  # chunks by hand: `lax.map` in batches cannot join leaves without numbers (an empty bias)
        whole = count - count % chunk
        chunks = samples[:whole].reshape(-1, chunk, *samples.shape[1:])
        several = jax.tree.leaves(jax.lax.map(jax.vmap(gradient), chunks))
        gradients = [leaf.reshape(whole, *leaf.shape[2:]) for leaf in several]
        if whole < count:
            rest = jax.tree.leaves(jax.vmap(gradient)(samples[whole:]))
            gradients = [jnp.concatenate(pair) for pair in zip(gradients, rest, strict=True)]
    return tuple(_flat(Direct(leaf)) for leaf in gradients)


def _flat(block: Outer | Direct) -> Outer | Direct:
    if isinstance(block, Outer):
        return block
    return Direct(block.values.reshape(block.values.shape[0], -1))


def _dtype(block: Outer | Direct) -> Any:
    return jnp.result_type(*block)


def _columns(block: Outer | Direct) -> int:
    return block.left.shape[1] * block.right.shape[1] if isinstance(block, Outer) else block.values.shape[1]


def _block_matvec(block: Outer | Direct, v: Array) -> Array:
    if isinstance(block, Direct):
        return product(block.values, v)
    v = v.reshape(block.left.shape[1], block.right.shape[1])
    return jnp.sum(product(block.left, v) * block.right, axis=1)


def _block_rmatvec(block: Outer | Direct, u: Array) -> Array:
    if isinstance(block, Direct):
        return product(u, block.values.conj())
    return product((block.left.conj() * u[:, None]).T, block.right.conj()).reshape(-1)


def _block_gram(block: Outer | Direct, gram: Callable[[Array], Array]) -> Array:
    if isinstance(block, Direct):
        return gram(block.values)
    return gram(block.left) * gram(block.right)


def _squared(block: Outer | Direct) -> Outer | Direct:
    return type(block)(*(jnp.abs(part) ** 2 for part in block))


def _formed(block: Outer | Direct) -> Array:
    if isinstance(block, Direct):
        return block.values
    return (block.left[:, :, None] * block.right[:, None, :]).reshape(block.left.shape[0], -1)
