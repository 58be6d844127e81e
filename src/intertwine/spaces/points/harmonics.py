r"""Real spherical harmonics of directions, and circular ones in the plane, in JAX.

In space the polar axis is y and the azimuth is counted from z towards x, orders m = −l..l, no sign of Condon
and Shortley: degree 1 is √3 (x, y, z). They are S_l of `symmetry.wigner`, whose polar axis is z, at the
permuted point (z, x, y), hence Y_l(R x) = D^l(P R Pᵀ) Y_l(x); and those of e3nn. With "component"
normalisation, Σ_m Y_lm² = 2l + 1 on unit vectors. On (X, Y, Z) = (z, x, y)

    Y_{l,±m} = N_lm Q_lm(Z) · Re, Im (X + iY)^m,      N_lm = √((2l + 1)(2 − δ_m0)(l − m)!/(l + m)!)
    Q_mm = (2m − 1)!!,    (l − m) Q_lm = (2l − 1) Z Q_{l−1,m} − (l + m − 1) r² Q_{l−2,m}

(Associated Legendre functions over sin^m: polynomials, so that poles are points like others; Drautz 2020.)
With r² = 1 the argument is a unit vector; with r² = |x|² they are the solid harmonics r^l Y_l.

In the plane: 1 and √2 (cos kθ, sin kθ), the real and imaginary parts of √2 (x + iy)^k: Σ = 2 for k ≥ 1.

At the zero vector, which has no direction, harmonics of degree ≥ 1 are 0 with derivatives 0.
"""

from __future__ import annotations

from functools import partial
from math import factorial

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.symmetry.wigner import checked_degree


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


def harmonic_planes(components: list[Array], degree: int, *, solid: bool = False) -> list[Array]:
    """The harmonics one by one, of x, y (and z), arrays of one shape: for kernels that never stack them."""
    square = sum(c * c for c in components[1:]) + components[0] * components[0]
    if not solid:
        there = square > 0
        inverse = jnp.where(there, jax.lax.rsqrt(jnp.where(there, square, 1.0)), 0.0)
        components = [c * inverse for c in components]
        square = there.astype(square.dtype)
    if len(components) == 2:
        x, y = components
        return _circular(x, y, degree)
    x, y, z = components
    return _spherical(z, x, y, square, degree)


def _circular(x: Array, y: Array, degree: int) -> list[Array]:
    out = [jnp.ones_like(x)]
    for real, imaginary in _powers(x, y, degree)[1:]:
        out += [2**0.5 * real, 2**0.5 * imaginary]
    return out


def _spherical(x: Array, y: Array, z: Array, square: Array, degree: int) -> list[Array]:
    """Polar axis z here."""
    one = jnp.ones_like(x)
    powers = _powers(x, y, degree)
    found: dict[tuple[int, int], Array] = {}
    for m in range(degree + 1):
        before, polar = jnp.zeros_like(x), one
        for l in range(m, degree + 1):  # noqa: E741
            if l > m:
                # polar is Q_lm / (2m − 1)!!, whose size stays near 1 for all l and m
                after = ((2 * l - 1) * z * polar - (l + m - 1) * square * before) / (l - m)
                before, polar = polar, after
            size = (2 * l + 1) * (1 if m == 0 else 2) * factorial(l - m) / factorial(l + m)
            scale = size**0.5 * (factorial(2 * m) // (2**m * factorial(m)))
            real, imaginary = powers[m]
            found[l, m] = scale * polar * real
            if m:
                found[l, -m] = scale * polar * imaginary
    return [found[l, m] for l in range(degree + 1) for m in range(-l, l + 1)]  # noqa: E741


def _powers(x: Array, y: Array, degree: int) -> list[tuple[Array, Array]]:
    """Real and imaginary parts of (x + iy)^m, m ≤ degree."""
    powers = [(jnp.ones_like(x), jnp.zeros_like(x))]
    for _ in range(degree):
        real, imaginary = powers[-1]
        powers.append((x * real - y * imaginary, x * imaginary + y * real))
    return powers


@partial(jax.jit, static_argnums=(1, 2))
def _jitted(vectors: Array, degree: int, solid: bool) -> Array:
    components = [vectors[..., k] for k in range(vectors.shape[-1])]
    return jnp.stack(harmonic_planes(components, degree, solid=solid), axis=-1)


def _checked(vectors: ArrayLike) -> Array:
    array = jnp.asarray(vectors)
    if array.ndim == 0 or array.shape[-1] not in (2, 3):
        raise fail("vectors", "(..., 3) in space or (..., 2) in the plane", f"shape {array.shape}")
    return array if jnp.issubdtype(array.dtype, jnp.floating) else array.astype(float)
