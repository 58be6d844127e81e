r"""Logarithms of determinants and Pfaffians, with derivatives that are finite at singular matrices.

    ln det A = ln |det A| + i arg det A,      d ln det A = Tr A⁻¹ dA
    ln Pf A,  Pf A² = det A (A antisymmetric),   d ln Pf A = ½ Tr A⁻¹ dA

Pfaffians by the Parlett-Reid algorithm with pivots, Pf(P A Pᵀ) = det P · Pf A (Wimmer, ACM TOMS 38, 30
(2012)). A singular matrix has the logarithm −∞ and, here, the derivative 0: nodes carry no weight. For a real
matrix the imaginary part is 0 or π.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Num


@jax.custom_jvp
def log_determinant(A: Num[Array, "... n n"]) -> Num[Array, "..."]:
    """ln det of square matrices (..., n, n), complex; −∞ where singular, 0 for n = 0.

    >>> value = log_determinant(jnp.array([[0.0, 2.0], [1.0, 0.0]]))
    >>> round(float(value.real), 4), round(float(value.imag), 4)
    (0.6931, 3.1416)
    """
    if A.shape[-1] == 0:
        return jnp.zeros(A.shape[:-2], jnp.result_type(A.dtype, jnp.complex64))
    sign, size = jnp.linalg.slogdet(A)
    return jax.lax.complex(size, _phase(sign))


@log_determinant.defjvp
def _log_determinant_jvp(primals: tuple, tangents: tuple) -> tuple:
    (A,), (dA,) = primals, tangents
    if A.shape[-1] == 0:
        return log_determinant(A), jnp.zeros(A.shape[:-2], jnp.result_type(A.dtype, jnp.complex64))
    one = jnp.eye(A.shape[-1], dtype=A.dtype)
    factors, _, order = jax.lax.linalg.lu(A)  # the determinant and the inverse from one factorisation
    heads = jnp.diagonal(factors, axis1=-2, axis2=-1)
    swaps = jnp.triu(order[..., :, None] > order[..., None, :], 1).sum((-1, -2)) % 2
    size = jnp.log(jnp.abs(heads)).sum(-1)
    angle = _phase(jnp.sign(heads)).sum(-1) + swaps * jnp.asarray(math.pi, size.dtype)
    angle = angle % jnp.asarray(2 * math.pi, size.dtype)
    sound = jnp.isfinite(size)[..., None, None]
    factors = jnp.where(sound, factors, one)
    inner = jax.lax.linalg.triangular_solve(
        factors, one[order], left_side=True, lower=True, unit_diagonal=True
    )
    inverse = jax.lax.linalg.triangular_solve(factors, inner, left_side=True, lower=False)
    inverse = jnp.where(sound & jnp.isfinite(inverse), inverse, 0)
    value = jax.lax.complex(size, angle)
    return value, jnp.einsum("...ij,...ji->...", inverse, dA).astype(value.dtype)


def safe_inverse(A: Num[Array, "... n n"], log_size: Num[Array, "..."]) -> Num[Array, "... n n"]:
    """A⁻¹, and 0 where A is singular: where `log_size` is not finite."""
    if A.shape[-1] == 0:
        return A
    sound = jnp.isfinite(log_size)[..., None, None]
    one = jnp.broadcast_to(jnp.eye(A.shape[-1], dtype=A.dtype), A.shape)
    inverse = jnp.linalg.inv(jnp.where(sound, A, one))
    return jnp.where(sound & jnp.isfinite(inverse), inverse, 0)


def _phase(sign: Array) -> Array:
    """The angle of numbers of modulus 1 or 0."""
    if jnp.iscomplexobj(sign):
        return jnp.angle(sign)
    return jnp.where(sign < 0, jnp.asarray(math.pi, sign.dtype), 0)


@jax.custom_jvp
def log_pfaffian(A: Num[Array, "... n n"]) -> Num[Array, "..."]:
    """ln Pf of antisymmetric matrices (..., n, n), complex; n even, 0 for n = 0.

    >>> value = log_pfaffian(jnp.array([[0.0, -3.0], [3.0, 0.0]]))
    >>> round(float(value.real), 4), round(float(value.imag), 4)      # Pf = −3
    (1.0986, 3.1416)
    """
    n = A.shape[-1]
    dtype = jnp.result_type(A.dtype, jnp.complex64)
    if n == 0:
        return jnp.zeros(A.shape[:-2], dtype)
    if n % 2:
        return jnp.full(A.shape[:-2], -jnp.inf, dtype)
    flat = A.reshape(-1, n, n)
    return jax.vmap(_one_pfaffian)(flat).reshape(A.shape[:-2]).astype(dtype)


def _one_pfaffian(A: Array) -> Array:
    n = A.shape[0]
    real = jnp.finfo(A.dtype).dtype
    places = jnp.arange(n)
    size, angle = jnp.zeros((), real), jnp.zeros((), real)

    def step(j: Array, carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        A, size, angle = carry
        k = 2 * j
        column = jnp.where(places > k, jnp.abs(A[:, k]), -1)
        pivot = jnp.argmax(column)
        order = places.at[k + 1].set(pivot).at[pivot].set(k + 1)
        A = A[order][:, order]
        head = A[k, k + 1]
        angle = angle + _phase(jnp.sign(head)) + jnp.where(pivot == k + 1, 0, math.pi)
        size = size + jnp.log(jnp.abs(head))
        inner = places > k + 1
        tau = jnp.where(inner, A[k] / jnp.where(head == 0, 1, head), 0)
        row = jnp.where(inner, A[:, k + 1], 0)
        A = A + jnp.outer(tau, row) - jnp.outer(row, tau)
        return A, size, angle

    _, size, angle = jax.lax.fori_loop(0, n // 2, step, (A, size, angle))
    return jax.lax.complex(size, jnp.asarray(angle, real))


@log_pfaffian.defjvp
def _log_pfaffian_jvp(primals: tuple, tangents: tuple) -> tuple:
    (A,), (dA,) = primals, tangents
    value = log_pfaffian(A)
    inverse = safe_inverse(A, value.real)
    return value, 0.5 * jnp.einsum("...ij,...ji->...", inverse, dA).astype(value.dtype)
