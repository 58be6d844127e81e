r"""Real spherical harmonics of directions, and circular ones in the plane, in JAX.

In space the polar axis is y and the azimuth is counted from z towards x, orders m = −l..l, no sign of Condon
and Shortley: degree 1 is √3 (x, y, z). They are S_l of `symmetry.wigner`, whose polar axis is z, at the
permuted point (z, x, y), hence Y_l(R x) = D^l(P R Pᵀ) Y_l(x); and those of e3nn. With "component"
normalisation, Σ_m Y_lm² = 2l + 1 on unit vectors. Each degree is made of the one before, by a product with
the vector and the Clebsch-Gordan coefficients of the stretched coupling,

    r^{l+1} Y_{l+1} = c_l C^{l 1 l+1} (r^l Y_l ⊗ r),        c_l by the value at the pole:

polynomials of the components, so that poles are points like others. They are the solid harmonics; of unit
vectors, harmonics. Nothing is lost to rounding, since the coupling is an isometry up to c_l.

In the plane: 1 and √2 (cos kθ, sin kθ), the real and imaginary parts of √2 (x + iy)^k: Σ = 2 for k ≥ 1.

At the zero vector, which has no direction, harmonics of degree ≥ 1 are 0 with derivatives 0.
"""

from __future__ import annotations

from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.symmetry._images import frozen
from intertwine.symmetry.wigner import checked_degree, clebsch_gordan_so3


def harmonics(vectors: ArrayLike, degree: int) -> Float[Array, "... m"]:
    """Harmonics of the directions of vectors, all degrees up to `degree` one after another.

    vectors: (..., 3) or (..., 2), of any length. The result is (..., (degree + 1)²) in space, degree l from
    l² on; (..., 2·degree + 1) in the plane: 1, cos θ, sin θ, cos 2θ, …

    Raises InputError for vectors of another dimension and degrees below 0.

    >>> harmonics(jnp.array([0.0, 2.0, 0.0]), 1).round(4).tolist()
    [1.0, 0.0, 1.7321, 0.0]
    """
    return _jitted(_checked(vectors), checked_degree("degree", degree), False)


def solid_harmonics(vectors: ArrayLike, degree: int) -> Float[Array, "... m"]:
    """r^l Y_l: harmonics times powers of the length, which are polynomials of the components.

    Shapes and errors as of `harmonics`.

    >>> found = solid_harmonics(jnp.array([2.0, 1.0]), 2)      # 1, √2 (x, y), √2 (x² − y², 2xy)
    >>> [round(value, 3) for value in found.tolist()]
    [1.0, 2.828, 1.414, 4.243, 5.657]
    """
    return _jitted(_checked(vectors), checked_degree("degree", degree), True)


def unit_vectors(vectors: Float[Array, "... d"]) -> Float[Array, "... d"]:
    """r/|r|, and 0 with derivatives 0 where r is 0."""
    square = (vectors * vectors).sum(-1, keepdims=True)
    there = square > 0
    return vectors * jnp.where(there, jax.lax.rsqrt(jnp.where(there, square, 1.0)), 0.0)


@lru_cache(maxsize=64)
def _stretched(dimension: int, degree: int) -> Float[np.ndarray, "products m"]:
    """From Y_l(a) x_b to Y_{l+1}: (d_l·d, d_{l+1})."""
    if dimension == 3:
        table = clebsch_gordan_so3(degree, 1, degree + 1)
        table = table * ((2 * degree + 3) / (2 * degree + 1)) ** 0.5 / table[degree, 1, degree + 1]
    elif degree == 0:
        table = 2**0.5 * np.eye(2)[None]
    else:  # (c + is)(x + iy)
        table = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [-1.0, 0.0]]])
    return frozen(np.ascontiguousarray(table.reshape(-1, table.shape[-1])))


@partial(jax.jit, static_argnums=(1, 2))
def _jitted(vectors: Array, degree: int, solid: bool) -> Array:
    d = vectors.shape[-1]
    r = vectors if solid else unit_vectors(vectors)
    parts = [jnp.ones_like(r[..., :1])]
    for k in range(degree):
        product = (parts[-1][..., :, None] * r[..., None, :]).reshape(*r.shape[:-1], -1)
        parts.append(jnp.matmul(product, jnp.asarray(_stretched(d, k), r.dtype), precision="highest"))
    return jnp.concatenate(parts, axis=-1)


def _checked(vectors: ArrayLike) -> Array:
    array = jnp.asarray(vectors)
    if array.ndim == 0 or array.shape[-1] not in (2, 3):
        raise fail("vectors", "(..., 3) in space or (..., 2) in the plane", f"shape {array.shape}")
    return array if jnp.issubdtype(array.dtype, jnp.floating) else array.astype(float)
