r"""Matrix products of complex arrays, made of real ones.

XLA multiplies complex matrices on a CPU about five times slower than the three or four real products that
make one up, so every large complex product of this library is assembled here:

    (A + iB)(C + iD) = (AC − BD) + i(AD + BC)
    Z Zᴴ = (XXᵀ + YYᵀ) + i(YXᵀ − (YXᵀ)ᵀ),   Z = X + iY            (two real products)

Real operands go straight through. Products run at full precision (a GPU would otherwise round float32 to
TF32).
"""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, Num


def _dot(a: Array, b: Array) -> Array:
    return jnp.matmul(a, b, precision="highest")


def product(a: Num[Array, "... n"], b: Num[Array, "n ..."]) -> Num[Array, "..."]:
    """`a @ b` of real or complex arrays, from real products.

    >>> import jax.numpy as jnp
    >>> z = jnp.array([[1.0 + 1.0j, 2.0]])
    >>> complex(product(z, z.T)[0, 0])
    (4+2j)
    """
    a_complex, b_complex = jnp.iscomplexobj(a), jnp.iscomplexobj(b)
    if not a_complex and not b_complex:
        return _dot(a, b)
    if not a_complex:
        return jax.lax.complex(_dot(a, b.real), _dot(a, b.imag))
    if not b_complex:
        return jax.lax.complex(_dot(a.real, b), _dot(a.imag, b))
    real = _dot(a.real, b.real) - _dot(a.imag, b.imag)
    return jax.lax.complex(real, _dot(a.real, b.imag) + _dot(a.imag, b.real))


def gram_real(x: Float[Array, "n P"], parts: int = 8) -> Float[Array, "n n"]:
    """`x xᵀ` of a real array, by strips of its lower half: little more than half the products.

    >>> import jax.numpy as jnp
    >>> gram_real(jnp.array([[1.0, 2.0], [0.0, 1.0]])).tolist()
    [[5.0, 2.0], [2.0, 1.0]]
    """
    rows = x.shape[0]
    if rows < _ROWS_IN_STRIPS:
        return _dot(x, x.T)
    cuts = [rows * i // parts for i in range(parts + 1)]
    strips = [_dot(x[a:b], x[:b].T) for a, b in itertools.pairwise(cuts)]
    lower = jnp.concatenate([jnp.pad(strip, ((0, 0), (0, rows - strip.shape[1]))) for strip in strips])
    lower = jnp.tril(lower)
    return lower + jnp.tril(lower, -1).T


_ROWS_IN_STRIPS = 512


def gram_hermitian(z: Num[Array, "S n"]) -> Num[Array, "S S"]:
    """`z zᴴ`; real for real `z`.

    >>> import jax.numpy as jnp
    >>> gram_hermitian(jnp.array([[3.0j], [1.0]])).tolist()
    [[(9+0j), 3j], [-3j, (1+0j)]]
    """
    if not jnp.iscomplexobj(z):
        return gram_real(z)
    parts = jnp.concatenate([z.real, z.imag], axis=1)
    cross = _dot(z.imag, z.real.T)
    return jax.lax.complex(gram_real(parts), cross - cross.T)


def gram_symmetric(z: Num[Array, "S n"]) -> Num[Array, "S S"]:
    """`z zᵀ` without conjugation; real for real `z`."""
    if not jnp.iscomplexobj(z):
        return gram_real(z)
    signed = jnp.concatenate([z.real, -z.imag], axis=1)
    cross = _dot(z.imag, z.real.T)
    return jax.lax.complex(_dot(signed, jnp.concatenate([z.real, z.imag], axis=1).T), cross + cross.T)
