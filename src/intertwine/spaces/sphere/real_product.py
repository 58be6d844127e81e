"""Real matrices times complex coefficients: two real products, in full precision."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array, lax
from jax.typing import ArrayLike
from jaxtyping import Complex, Float


def real_product(
    word: str,
    coefficients: Complex[Array, "..."],
    matrices: ArrayLike,
    of_imaginary: ArrayLike | None = None,
) -> Complex[Array, "..."]:
    """`einsum(word, coefficients, matrices)`, in the precision of the coefficients.

    matrices: real. of_imaginary: others for the imaginary parts, where these see different ones.

    >>> real_product("m,mn->n", jnp.array([1.0, 1j]), [[1.0, 2.0], [3.0, 4.0]]).tolist()
    [(1+3j), (2+4j)]
    """
    dtype = coefficients.real.dtype
    pairs = (
        (coefficients.real, matrices),
        (coefficients.imag, matrices if of_imaginary is None else of_imaginary),
    )
    parts: list[Float[Array, "..."]] = [
        jnp.einsum(word, part, jnp.asarray(m, dtype), precision=lax.Precision.HIGHEST) for part, m in pairs
    ]
    return lax.complex(*parts)
