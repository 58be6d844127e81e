r"""(S + shift) δ = Ōᴴ r by conjugate gradients: only products with Ō, neither S nor T is formed.

The method for many parameters and many samples at once. Preconditioned by the diagonal of S + shift, which
is the variance of each log-derivative (Hestenes & Stiefel 1952; Golub & Van Loan, Matrix Computations, ch.
11). One iteration costs two passes over the samples, O(S P) for any model and no memory beyond the factors.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, Int, Num

from intertwine.learning.log_derivatives import LogDerivatives
from intertwine.learning.solvers.blocked_derivatives import BlockedDerivatives


class Iterated(NamedTuple):
    """δ, the iterations taken, and ‖residual‖/‖right-hand side‖ at the end."""

    delta: Num[Array, "P"]
    iterations: Int[Array, ""]
    relative_residual: Float[Array, ""]


@jax.jit
def conjugate_gradients(
    operator: LogDerivatives | BlockedDerivatives,
    residual: Num[Array, "R"],
    shift: Array,
    tolerance: Array,
    max_iterations: Array,
) -> Iterated:
    """δ = (S + shift)⁻¹ Ōᴴ residual, to a relative residual of `tolerance` or after `max_iterations`."""
    return invert_metric(operator, operator.rmatvec(residual), shift, tolerance, max_iterations)


@jax.jit
def invert_metric(
    operator: LogDerivatives | BlockedDerivatives,
    rhs: Num[Array, "P"],
    shift: Array,
    tolerance: Array,
    max_iterations: Array,
) -> Iterated:
    """δ = (S + shift)⁻¹ rhs, likewise."""
    inverse = 1.0 / (operator.diagonal() + shift)
    norm = jnp.sqrt(_dot(rhs, rhs))

    def apply(v: Array) -> Array:
        return operator.rmatvec(operator.matvec(v)) + shift * v

    def going(state: tuple[Array, ...]) -> Array:
        _, r, _, _, step = state
        return (jnp.sqrt(_dot(r, r)) > tolerance * norm) & (step < max_iterations)

    def iterate(state: tuple[Array, ...]) -> tuple[Array, ...]:
        x, r, p, rz, step = state
        q = apply(p)
        alpha = rz / _dot(p, q)
        x, r = x + alpha * p, r - alpha * q
        z = inverse * r
        new = _dot(r, z)
        return x, r, z + (new / rz) * p, new, step + 1

    z = inverse * rhs
    start = (jnp.zeros_like(rhs), rhs, z, _dot(rhs, z), jnp.zeros((), jnp.int32))
    x, r, _, _, iterations = jax.lax.while_loop(going, iterate, start)
    safe = jnp.where(norm > 0, norm, 1.0)
    return Iterated(x, iterations, jnp.sqrt(_dot(r, r)) / safe)


def _dot(a: Array, b: Array) -> Array:
    """Re⟨a, b⟩; ⟨a, a⟩ and the quotients of the method are real."""
    return jnp.sum(a.real * b.real) + (jnp.sum(a.imag * b.imag) if jnp.iscomplexobj(a) else 0.0)
