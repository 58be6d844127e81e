r"""Vector calculus on the sphere as matrices between potentials, degree by degree: exact for band-limited
fields.

With g = ∂_θ f + (i/sin θ) ∂_φ f, the gradient of a scalar as a field of spin 1, and div v + i ζ of a vector
field v = v_θ + i v_φ, ζ = r̂·(∇ × v),

    (grad f)_lm = −√(l(l+1)) f_lm,        (div v + i ζ)_lm = √(l(l+1)) v_lm,        v_lm = E_lm + i B_lm

since −ð and −ð̄ are these derivatives (Goldberg et al., J. Math. Phys. 8, 2155 (1967)). So E is what diverges
and B what turns: v = grad χ + r̂ × grad ψ has E = −√(l(l+1)) χ, B = −√(l(l+1)) ψ (Helmholtz), and all
operators here are intertwiners without weights. On a sphere of radius R derivatives are divided by R.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Complex, Float, Shaped

from intertwine._checks import fail, one_of, positive_number
from intertwine.spaces.protocols import Field
from intertwine.spaces.sphere.real_product import real_product
from intertwine.spaces.sphere.sphere import Sphere
from intertwine.spaces.sphere.spins import checked_type
from intertwine.symmetry import CompactRep


class Operator(NamedTuple):
    """spin_in, spin_out: 0 or 1. matrix: of √(l(l+1)), the (d_in, d_out) matrix. order: of the derivative,
    negative for inverses."""

    spin_in: int
    spin_out: int
    matrix: Callable[[np.ndarray], list[list[np.ndarray]]]
    order: int


def _inverse(root: np.ndarray) -> np.ndarray:
    return np.where(root > 0, 1 / np.where(root > 0, root, 1.0), 0.0)


OPERATORS: dict[str, Operator] = {
    "gradient": Operator(0, 1, lambda r: [[-r, 0 * r]], 1),
    "rotated gradient": Operator(0, 1, lambda r: [[0 * r, -r]], 1),
    "divergence": Operator(1, 0, lambda r: [[r], [0 * r]], 1),
    "vorticity": Operator(1, 0, lambda r: [[0 * r], [r]], 1),
    "laplacian": Operator(0, 0, lambda r: [[-r * r]], 2),
    "inverse laplacian": Operator(0, 0, lambda r: [[-(_inverse(r) ** 2)]], -2),
    "velocity potential": Operator(1, 0, lambda r: [[-_inverse(r)], [0 * r]], -1),
    "stream function": Operator(1, 0, lambda r: [[0 * r], [-_inverse(r)]], -1),
    "divergent part": Operator(1, 1, lambda r: [[1 + 0 * r, 0 * r], [0 * r, 0 * r]], 0),
    "rotational part": Operator(1, 1, lambda r: [[0 * r, 0 * r], [0 * r, 1 + 0 * r]], 0),
}
"""By name. The rotated gradient of ψ is the wind r̂ × grad ψ of a stream function; inverses leave no mean."""


@lru_cache(maxsize=128)
def operator_matrices(name: str, bandlimit: int, radius: float = 1.0) -> Float[np.ndarray, "l d_in d_out"]:
    """The matrices of an operator of `OPERATORS` for the degrees below a band limit.

    >>> operator_matrices("laplacian", 3)[:, 0, 0].tolist()
    [-0.0, -2.0000000000000004, -5.999999999999999]
    """
    operator = OPERATORS[one_of("name", name, tuple(OPERATORS))]
    degree = np.arange(bandlimit, dtype=float)
    entries = operator.matrix(np.sqrt(degree * (degree + 1)))
    return np.moveaxis(np.array(entries), -1, 0) / radius**operator.order


def types_of(space: Sphere, name: str, copies: int = 1) -> tuple[CompactRep, CompactRep]:
    """(type of the input, of the output) of `copies` fields."""
    operator = OPERATORS[one_of("name", name, tuple(OPERATORS))]
    return copies * space.spin(operator.spin_in), copies * space.spin(operator.spin_out)


def apply_operator(
    space: Sphere,
    name: str,
    field: Shaped[Field, "... C"],
    *,
    radius: float = 1.0,
    mask: ArrayLike | None = None,
) -> Float[Array, "... C_out"]:
    """An operator of `OPERATORS` on any number of fields: copies of a scalar or of a vector.

    radius: of the sphere, in the unit of length of the result. mask: as of `Sphere.analysis`.

    >>> sphere = Sphere(8)
    >>> z = np.cos(sphere.points[..., :1])
    >>> slope = apply_operator(sphere, "gradient", z)                # −sin θ to the south, 0 to the east
    >>> bool(np.abs(slope[..., 0] + np.sin(sphere.points[..., 0])).max() < 1e-5)
    True
    """
    radius = positive_number("radius", radius)
    d_in = 1 + (OPERATORS[one_of("name", name, tuple(OPERATORS))].spin_in > 0)
    channels = np.shape(field)[-1] if np.ndim(field) else 0
    if channels < 1 or channels % d_in:
        raise fail(
            "field", f"copies of {types_of(space, name)[0]!r} on the last axis", f"{channels} channels"
        )
    rep_in, rep_out = types_of(space, name, channels // d_in)
    found = space.analysis(field, rep_in, mask=mask)
    matrices = operator_matrices(name, space.bandlimit, radius)
    return space.synthesis(between_potentials(found, matrices), rep_out)


def between_potentials(
    coefficients: Complex[Array, "... l m C"], matrices: Float[np.ndarray, "l d_in d_out"]
) -> Complex[Array, "... l m C_out"]:
    """The matrices on the potentials of every copy."""
    c = coefficients.reshape(*coefficients.shape[:-1], -1, matrices.shape[1])
    out = real_product("...lmci,lio->...lmco", c, matrices)
    return out.reshape(*out.shape[:-2], -1)


def gradient(space: Sphere, scalar: Field, *, radius: float = 1.0) -> Float[Array, "... C"]:
    """grad f, components (south, east) of each scalar channel in turn."""
    return apply_operator(space, "gradient", scalar, radius=radius)


def divergence(space: Sphere, vector: Field, *, radius: float = 1.0) -> Float[Array, "... C"]:
    """div v."""
    return apply_operator(space, "divergence", vector, radius=radius)


def vorticity(space: Sphere, vector: Field, *, radius: float = 1.0) -> Float[Array, "... C"]:
    """ζ = r̂·(∇ × v), positive where the wind turns to the left of its way."""
    return apply_operator(space, "vorticity", vector, radius=radius)


def laplacian(space: Sphere, scalar: Field, *, radius: float = 1.0) -> Float[Array, "... C"]:
    """div grad f."""
    return apply_operator(space, "laplacian", scalar, radius=radius)


def inverse_laplacian(space: Sphere, scalar: Field, *, radius: float = 1.0) -> Float[Array, "... C"]:
    """The field of mean 0 whose Laplacian is f less its mean."""
    return apply_operator(space, "inverse laplacian", scalar, radius=radius)


def stream_function(space: Sphere, vector: Field, *, radius: float = 1.0) -> Float[Array, "... C"]:
    """ψ of mean 0 with v = grad χ + r̂ × grad ψ."""
    return apply_operator(space, "stream function", vector, radius=radius)


def velocity_potential(space: Sphere, vector: Field, *, radius: float = 1.0) -> Float[Array, "... C"]:
    """χ of mean 0 with v = grad χ + r̂ × grad ψ."""
    return apply_operator(space, "velocity potential", vector, radius=radius)


def helmholtz(space: Sphere, vector: Field) -> tuple[Float[Array, "... C"], Float[Array, "... C"]]:
    """(the divergent part grad χ, the rotational part r̂ × grad ψ) of vector fields; they add up to them.

    >>> sphere = Sphere(8)
    >>> import jax
    >>> wind = sphere.random_field("vector", 1, key=jax.random.key(0))
    >>> divergent, rotational = helmholtz(sphere, wind)
    >>> bool(jnp.abs(divergent + rotational - wind).max() < 1e-5)
    True
    """
    return apply_operator(space, "divergent part", vector), apply_operator(space, "rotational part", vector)


def power_spectrum(
    space: Sphere, field: Field, rep: CompactRep | str | None = None, *, mask: ArrayLike | None = None
) -> Float[Array, "... l C"]:
    """C_l = Σ_m |f_lm|²/(2l + 1), m = −l … l, of every potential: scalars, and E and B of spins.

    >>> sphere = Sphere(4)
    >>> power_spectrum(sphere, np.cos(sphere.points[..., :1]))[:, 0].round(4).tolist()      # z: 4π/9 at l = 1
    [0.0, 1.3963, 0.0, 0.0]
    """
    c = space.analysis(field, checked_type(space, rep), mask=mask)
    twice = np.where(np.arange(space.bandlimit) > 0, 2.0, 1.0)[:, None].astype(c.real.dtype)
    total = ((c.real**2 + c.imag**2) * twice).sum(axis=-2)
    return total / (2 * np.arange(space.bandlimit) + 1).astype(c.real.dtype)[:, None]


def with_bandlimit(coefficients: Complex[Field, "... l m C"], bandlimit: int) -> Complex[Array, "... l m C"]:
    """Coefficients with the degrees from `bandlimit` on left out (triangular truncation), or zeros added.

    >>> with_bandlimit(jnp.ones((4, 4, 1)), 2).shape
    (2, 2, 1)
    """
    c = jnp.asarray(coefficients)[..., :bandlimit, :bandlimit, :]
    more = max(0, bandlimit - c.shape[-2])
    return jnp.pad(c, [(0, 0)] * (c.ndim - 3) + [(0, more), (0, more), (0, 0)])
