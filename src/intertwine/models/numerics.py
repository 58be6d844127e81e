r"""Stable ln cosh and its relatives for real and complex arguments, made of real functions only.

XLA's complex exponential, logarithm and hyperbolic functions are slow on a CPU and overflow early. With z = x
+ iy, t = e^{−2|x|} ≤ 1 and σ = sign x,

    2 cosh z = e^{|x|} f(z),      f(z) = (1 + t) cos y + iσ (1 − t) sin y,      |f| ≤ 2,
    tanh z   = [σ (1 − t²) + 2i t sin 2y] / [(1 − t)² + 4 t cos² y],

so that nothing overflows, and a sum over many units Σ_k ln 2cosh z_k = Σ_k |x_k| + ln Π_k f(z_k) needs one
logarithm for a group of factors instead of one for each. Imaginary parts are defined modulo 2π: e^{result} is
what is exact. Derivatives are d ln cosh z = tanh z dz and d tanh z = (1 − tanh² z) dz, given as rules, so
that a gradient costs one tanh and is finite wherever ψ ≠ 0.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Num

_LOG_2 = 0.6931471805599453


def real_dtype(dtype: jnp.dtype) -> jnp.dtype:
    """The real type of the same precision: float32 for complex64."""
    return jnp.finfo(dtype).dtype


def log_2cosh(z: Num[Array, "..."]) -> Num[Array, "..."]:
    r"""ln(2 cosh z) of each element, real or complex, float32 or float64.

    >>> bool(abs(log_2cosh(jnp.asarray(1000.0)) - 1000.0) < 1e-3)
    True
    """
    return sum_log_2cosh(jnp.asarray(z)[..., None])


def log_cosh(z: Num[Array, "..."]) -> Num[Array, "..."]:
    r"""ln(cosh z) of each element.

    >>> float(log_cosh(jnp.asarray(0.0)))
    0.0
    """
    return log_2cosh(z) - _LOG_2


def log_1p_exp(z: Num[Array, "..."]) -> Num[Array, "..."]:
    r"""ln(1 + e^z) = z/2 + ln 2cosh(z/2) of each element: a hidden unit with states 0 and 1.

    >>> round(float(log_1p_exp(jnp.asarray(0.0))), 6)
    0.693147
    """
    half = jnp.asarray(z) / 2
    return half + log_2cosh(half)


@jax.custom_jvp
def sum_log_2cosh(z: Num[Array, "... M"]) -> Num[Array, "..."]:
    r"""Σ_k ln(2 cosh z_k) over the last axis; 0 for M = 0.

    >>> round(float(sum_log_2cosh(jnp.zeros(3))), 6)
    2.079442
    """
    if not jnp.iscomplexobj(z):
        size = jnp.abs(z)
        return size.sum(-1) + jnp.log(_grouped_product(1 + jnp.exp(-2 * size), 32)).sum(-1)
    x, y = z.real, z.imag
    size = jnp.abs(x)
    t = jnp.exp(-2 * size)
    sign = jnp.where(x < 0, -1.0, 1.0).astype(x.dtype)
    factor = jax.lax.complex((1 + t) * jnp.cos(y), -sign * jnp.expm1(-2 * size) * jnp.sin(y))
    product = _grouped_product(factor, 8 if x.dtype == jnp.float64 else 4)
    return jax.lax.complex(size.sum(-1), jnp.zeros_like(size.sum(-1))) + log_of(product).sum(-1)


@sum_log_2cosh.defjvp
def _sum_log_2cosh_jvp(primals: tuple, tangents: tuple) -> tuple:
    (z,), (dz,) = primals, tangents
    return sum_log_2cosh(z), (tanh(z) * dz).sum(-1)


def _grouped_product(factors: Num[Array, "... M"], group: int) -> Num[Array, "... C"]:
    """Products of up to `group` factors each, padded with ones; the fast axis stays the long one."""
    units = factors.shape[-1]
    if units == 0:
        return jnp.ones((*factors.shape[:-1], 1), factors.dtype)
    group = min(group, units)
    columns = -(-units // group)
    widths = [(0, 0)] * (factors.ndim - 1) + [(0, group * columns - units)]
    padded = jnp.pad(factors, widths, constant_values=1)
    return padded.reshape(*factors.shape[:-1], group, columns).prod(-2)


def log_of(z: Num[Array, "..."]) -> Num[Array, "..."]:
    """ln z of complex z by real functions; −∞ at 0."""
    return jax.lax.complex(0.5 * jnp.log(z.real**2 + z.imag**2), jnp.arctan2(z.imag, z.real))


def exp_of(z: Num[Array, "..."]) -> Num[Array, "..."]:
    """e^z by real functions, for real or complex z."""
    if not jnp.iscomplexobj(z):
        return jnp.exp(z)
    size = jnp.exp(z.real)
    return jax.lax.complex(size * jnp.cos(z.imag), size * jnp.sin(z.imag))


@jax.custom_jvp
def cos_sin(x: Float[Array, "..."]) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    r"""cos x and sin x of each element, by the remainder of x modulo π/2 and the Taylor series of both there.

    To two units in the last place for |x| < 10⁵, about ten times faster than XLA's on a CPU.

    >>> [round(float(v), 6) for v in cos_sin(jnp.asarray(2.0))]
    [-0.416147, 0.909297]
    """
    double = x.dtype == jnp.float64
    quarter = jnp.round(x * (2 / math.pi))
    parts = _QUARTER_64 if double else _QUARTER_32
    rest = x
    for part in parts:
        rest = rest - quarter * part
    square, terms = rest * rest, 9 if double else 5
    cos = _horner(square, [(-1) ** k / math.factorial(2 * k) for k in range(terms)])
    sin = rest * _horner(square, [(-1) ** k / math.factorial(2 * k + 1) for k in range(terms)])
    turns = quarter.astype(jnp.int32)
    odd = (turns & 1) == 1
    c, s = jnp.where(odd, sin, cos), jnp.where(odd, cos, sin)
    return jnp.where(((turns + 1) & 2) == 2, -c, c), jnp.where((turns & 2) == 2, -s, s)


_QUARTER_64 = (1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21)
_QUARTER_32 = (1.5703125, 4.837512969970703e-4, 7.549789948768648e-8)


def _horner(x: Array, coefficients: list[float]) -> Array:
    value = jnp.full_like(x, coefficients[-1])
    for c in reversed(coefficients[:-1]):
        value = value * x + c
    return value


@cos_sin.defjvp
def _cos_sin_jvp(primals: tuple, tangents: tuple) -> tuple:
    (cos, sin), (dx,) = cos_sin(*primals), tangents
    return (cos, sin), (-sin * dx, cos * dx)


def tanh(z: Num[Array, "..."]) -> Num[Array, "..."]:
    r"""tanh z of each element, real or complex.

    >>> float(tanh(jnp.asarray(0.0)))
    0.0
    """
    return complex_tanh(z) if jnp.iscomplexobj(z) else jnp.tanh(z)


@jax.custom_jvp
def complex_tanh(z: Num[Array, "..."]) -> Num[Array, "..."]:
    """tanh z for complex z by real functions; large but finite next to the poles."""
    x, y = z.real, z.imag
    size = jnp.abs(x)
    t = jnp.exp(-2 * size)
    sign = jnp.where(x < 0, -1.0, 1.0).astype(x.dtype)
    cosine = jnp.cos(y)
    norm = jnp.maximum(jnp.expm1(-2 * size) ** 2 + 4 * t * cosine**2, jnp.finfo(x.dtype).tiny)
    return jax.lax.complex(-sign * jnp.expm1(-4 * size) / norm, 4 * t * cosine * jnp.sin(y) / norm)


@complex_tanh.defjvp
def _complex_tanh_jvp(primals: tuple, tangents: tuple) -> tuple:
    (z,), (dz,) = primals, tangents
    value = complex_tanh(z)
    return value, (1 - value * value) * dz


@partial(jax.custom_jvp, nondiff_argnums=(2,))
def log_weighted_sum(
    u: Num[Array, "K"], coefficients: Num[Array, "K"], rounding: float = 8.0
) -> Num[Array, ""]:
    r"""ln Σ_k c_k e^{u_k}, complex, for u real or complex and constant coefficients c (a character).

    A sum that vanishes to rounding (|Σ| ≤ rounding·ε Σ|c_k e^{u_k}|: a node, often forced by symmetry) gets
    the finite value ½ ln(tiny), and the derivative 0, so that neither NaN nor −∞ appears.
    """
    return _weighted_sum(u, coefficients, rounding)[0]


def _weighted_sum(u: Num[Array, "K"], coefficients: Num[Array, "K"], rounding: float) -> tuple[Array, Array]:
    """The logarithm of the sum and the share of each term in it."""
    precision = jnp.finfo(u.dtype)
    shift = u.real.max()
    shift = jnp.where(jnp.isfinite(shift), shift, 0)
    terms = coefficients.astype(jnp.result_type(u.dtype, jnp.complex64)) * exp_of(u - shift)
    total = terms.sum()
    node = jnp.abs(total.real) + jnp.abs(total.imag) <= rounding * precision.eps * jnp.abs(terms).sum()
    safe = jnp.where(node, 1.0, total)
    floor = jnp.asarray(0.5 * jnp.log(precision.tiny), total.dtype)
    value = jnp.where(node, floor, shift + log_of(safe))
    return value, jnp.where(node, 0.0, terms / safe)


@log_weighted_sum.defjvp
def _log_weighted_sum_jvp(rounding: float, primals: tuple, tangents: tuple) -> tuple:
    u, coefficients = primals
    value, share = _weighted_sum(u, coefficients, rounding)
    return value, (share * tangents[0]).sum()


def real_dot(left: Float[Array, "... N"], right: Num[Array, "N M"]) -> Num[Array, "... M"]:
    """left @ right for real `left`: two real products where `right` is complex, instead of a complex one."""
    if not jnp.iscomplexobj(right):
        return left @ right
    return jax.lax.complex(left @ right.real, left @ right.imag)


def log_weighted_sums(
    u: Num[Array, "K B"], coefficients: Num[np.ndarray, "K"]
) -> tuple[Num[Array, "B"], Num[Array, "K B"]]:
    r"""ln Σ_k c_k e^{u_k} for each column, complex, and ∂/∂u_k of it: the share of each term in the sum.

    u real or complex; c constants. A sum of which less than 1000 ε is left after cancellation counts as a
    node: it gets the value ½ ln(tiny) and shares 0 (as in `log_weighted_sum`, for terms that come out of deep
    networks and carry more rounding).
    """
    re = u.real
    precision = jnp.finfo(re.dtype)
    top = jax.lax.stop_gradient(re.max(0))
    size = jnp.exp(re - top)
    c: Any = coefficients
    a, b = (jnp.asarray(x, re.dtype)[:, None] for x in (c.real, c.imag))
    flat = not np.any(c.imag)
    if jnp.iscomplexobj(u):
        cos, sin = cos_sin(u.imag)
        x, y = size * cos, size * sin
        terms_re, terms_im = (a * x, a * y) if flat else (a * x - b * y, a * y + b * x)
    else:
        terms_re, terms_im = a * size, jnp.zeros_like(size) if flat else b * size
    sum_re, sum_im = terms_re.sum(0), terms_im.sum(0)
    weight = jnp.asarray(np.abs(coefficients), re.dtype) @ size
    norm = sum_re**2 + sum_im**2
    node = norm <= (1000 * precision.eps * weight) ** 2
    safe_re, safe_im, norm = jnp.where(node, 1, sum_re), jnp.where(node, 0, sum_im), jnp.where(node, 1, norm)
    logs = top + 0.5 * jnp.log(norm)
    logs = jnp.where(node, 0.5 * math.log(precision.tiny), logs)
    value = jax.lax.complex(logs, jnp.arctan2(safe_im, safe_re))
    share_re = jnp.where(node, 0, (terms_re * safe_re + terms_im * safe_im) / norm)
    share_im = jnp.where(node, 0, (terms_im * safe_re - terms_re * safe_im) / norm)
    return value, jax.lax.complex(share_re, share_im)
