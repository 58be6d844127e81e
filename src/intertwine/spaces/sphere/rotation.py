r"""Rotations of fields by their coefficients: exact, by two products with d^l(π/2).

    (g f)_l = D^l(g) f_l,      D^l(α, β, γ) = Z(α − π/2) Δᵀ Z(β) Δ Z(γ + π/2)

with Δ = d^l(π/2) and Z(φ) = diag(e^{−imφ}), since R_y(β) = R_x(−π/2) R_z(β) R_x(π/2). Coefficients of real
fields are their orders m ≥ 0; with Δ_{m,−n} = (−1)^{l+m} Δ_{mn}

    Re(Δ f)_m = Σ_{l+m+n even} c_n Δ_mn Re f_n,    Im(Δ f)_m = Σ_{l+m+n odd} c_n Δ_mn Im f_n,

sums over n ≥ 0 with c = 1, 2, 2, …

(Risbo 1996; Trapani & Navaza 2006). Δ takes L³ numbers, 17 MB at L = 128 in double precision.
"""

from __future__ import annotations

from functools import lru_cache

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Complex, Float
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.spaces.sphere.real_product import real_product
from intertwine.spaces.sphere.recursion import wigner_d_degrees
from intertwine.symmetry._images import frozen
from intertwine.symmetry.groups.rotations import checked_orthogonal, euler_angles


@lru_cache(maxsize=4)
def quarter_turns(band_limit: int) -> Float[np.ndarray, "l m n"]:
    """Δ^l_{mn} = d^l_{mn}(π/2) for m, n ≥ 0."""
    found = np.zeros((band_limit, band_limit, band_limit))
    orders = np.arange(band_limit)
    for n in orders:
        for l, row in wigner_d_degrees(band_limit, orders[: n + 1], int(n), [np.pi / 2]):  # noqa: E741
            found[l, : n + 1, n] = row[:, 0]
            found[l, n, : n + 1] = row[:, 0] * (-1.0) ** (n - orders[: n + 1])
    return frozen(found)


def rotate_coefficients(
    coefficients: Complex[Array, "... l m K"], rotation: ArrayLike
) -> Complex[Array, "... l m K"]:
    """D^l(g) f_l of coefficients of real fields (scalars, or the potentials E, B), orders m ≥ 0.

    rotation: (3, 3), of determinant 1, else InputError.
    """
    return turn_coefficients(coefficients, euler_of(rotation))


def euler_of(rotation: ArrayLike) -> Float[np.ndarray, " 3"]:
    """α, β, γ of one rotation (3, 3); InputError for another matrix."""
    checked = checked_orthogonal(rotation, 3, proper=True)
    if checked.shape != (3, 3):
        raise fail("rotation", "one matrix (3, 3)", f"shape {checked.shape}")
    return np.array(euler_angles(checked))


def turn_coefficients(
    coefficients: Complex[Array, "... l m K"], angles: Array | np.ndarray
) -> Complex[Array, "... l m K"]:
    """The same by Euler angles (3,), which may be traced."""
    alpha, beta, gamma = (jnp.asarray(angles)[i] for i in range(3))
    band_limit = coefficients.shape[-2]
    turns, orders = quarter_turns(band_limit), np.arange(band_limit)
    here = _quarter(_about_z(coefficients, orders, gamma + np.pi / 2), turns)
    back = turns * (-1.0) ** (orders[:, None] - orders)
    return _about_z(_quarter(_about_z(here, orders, beta), back), orders, alpha - np.pi / 2)


def _about_z(f: Array, orders: np.ndarray, angle: Array) -> Array:
    return f * jnp.exp(-1j * orders * angle)[:, None].astype(f.dtype)


def _quarter(f: Array, turns: np.ndarray) -> Array:
    k = np.arange(len(turns))
    even = (k[:, None, None] + k[:, None] + k) % 2 == 0
    double = turns * np.where(k > 0, 2.0, 1.0)
    return real_product("...lnk,lmn->...lmk", f, double * even, double * ~even)
