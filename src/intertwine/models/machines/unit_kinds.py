r"""The table of unit kinds: what a unit of a Boltzmann machine can be.

A unit x in a field θ has the law of an exponential family with the base energy of its kind,

    p(x|θ) = e^{xθ − base(x)} / e^{A(θ)},      A(θ) = ln Σ_x e^{xθ − base(x)},      E[x|θ] = A'(θ),

and that one function A gives energies, free energies, conditionals and gradients of every machine:

    kind        values        base(x)   A(θ)                          E[x|θ]
    binary      0, 1          0         ln(1 + e^θ)                   1/(1 + e^{−θ})
    spin        −1, 1         0         ln 2cosh θ                    tanh θ
    potts:q     one-hot       0         ln Σ_k e^{θ_k}                softmax θ
    gaussian    real          x²/2      θ²/2 + ½ ln 2π                θ
    rectified   x ≥ 0         x²/2      θ²/2 + ½ ln 2π + ln Φ(θ)      θ + φ(θ)/Φ(θ)

(Smolensky 1986; Welling, Rosen-Zvi & Hinton 2004). A Potts unit with q states is q columns, one-hot. Gaussian
units have unit variance here; a layer may give them widths of their own (`unit_layer`). A rectified unit is a
normal variable restricted to x ≥ 0: the noisy rectified unit of Nair & Hinton (2010) made an exact Boltzmann
machine (Su et al. 2017).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.models.machines.hidden_units import log_hidden, mean_unit
from intertwine.models.machines.random_bits import bernoulli, uniforms

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
KIND_NAMES = ("binary", "spin", "gaussian", "rectified", "potts:q")


class UnitKind(NamedTuple):
    """One row of the table; functions act on the last axis of θ or x, whole units of it.

    columns: of one unit (q of potts:q, else 1). log_partition: θ → Σ A(θ). mean: θ → E[x|θ]. sample: (key, θ)
    → x. base: x → Σ base(x). states: all values of one unit, or () where there are infinitely many.
    values: the values in words. lowest: the smallest allowed value where states is ().
    """

    columns: int
    log_partition: Callable[[Array], Array]
    mean: Callable[[Array], Array]
    sample: Callable[[Array, Array], Array]
    base: Callable[[Array], Array]
    states: tuple[tuple[int, ...], ...]
    values: str
    lowest: float = -math.inf


def unit_kind(name: str) -> UnitKind:
    """The row called `name`: "binary", "spin", "gaussian", "rectified", "potts:2", "potts:3", ...

    >>> unit_kind("potts:3").states
    ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    """
    if isinstance(name, str) and name in _ONE_COLUMN:
        return _ONE_COLUMN[name]
    head, _, count = name.partition(":") if isinstance(name, str) else ("", "", "")
    if head == "potts" and count.isdecimal() and 2 <= int(count) <= 10_000:
        return _potts(int(count))
    raise fail("units", "one of " + ", ".join(KIND_NAMES), name, "for example 'binary', or 'potts:3'")


def _no_base(x: Float[Array, "... K"]) -> Float[Array, "..."]:
    return jnp.zeros(x.shape[:-1], x.dtype)


def _quadratic_base(x: Float[Array, "... K"]) -> Float[Array, "..."]:
    return 0.5 * (x * x).sum(-1)


def _sample_binary(key: Array, theta: Float[Array, "... K"]) -> Float[Array, "... K"]:
    return bernoulli(key, theta).astype(theta.dtype)


def _sample_spin(key: Array, theta: Float[Array, "... K"]) -> Float[Array, "... K"]:
    return jnp.where(bernoulli(key, 2 * theta), 1, -1).astype(theta.dtype)


def _log_gaussian(theta: Float[Array, "... K"]) -> Float[Array, "..."]:
    return (0.5 * theta * theta + _HALF_LOG_2PI).sum(-1)


def _sample_gaussian(key: Array, theta: Float[Array, "... K"]) -> Float[Array, "... K"]:
    return theta + jax.random.normal(key, theta.shape, theta.dtype)


_TAIL = 4.0
"""Below θ = −4 Laplace's continued fraction is used, where the closed forms cancel."""


def _excess(size: Float[Array, "..."]) -> Float[Array, "..."]:
    """φ(t)/Φ(−t) − t = 1/(t + 2/(t + 3/(t + ...))) for t ≥ 4, to rounding in float64."""
    value = size
    for level in range(32, 1, -1):
        value = size + level / value
    return 1 / value


@jax.custom_jvp
def _log_rectified(theta: Float[Array, "... K"]) -> Float[Array, "..."]:
    inner = jnp.maximum(theta, -_TAIL)
    closed = 0.5 * inner * inner + _HALF_LOG_2PI + jax.scipy.special.log_ndtr(inner)
    size = -jnp.minimum(theta, -_TAIL)
    return jnp.where(theta < -_TAIL, -jnp.log(size + _excess(size)), closed).sum(-1)


@_log_rectified.defjvp
def _log_rectified_jvp(primals: tuple, tangents: tuple) -> tuple:
    (theta,), (change,) = primals, tangents
    return _log_rectified(theta), (_mean_rectified(theta) * change).sum(-1)


def _mean_rectified(theta: Float[Array, "... K"]) -> Float[Array, "... K"]:
    inner = jnp.maximum(theta, -_TAIL)
    log_density = -0.5 * inner * inner - _HALF_LOG_2PI
    closed = inner + jnp.exp(log_density - jax.scipy.special.log_ndtr(inner))
    return jnp.where(theta < -_TAIL, _excess(-jnp.minimum(theta, -_TAIL)), closed)


def _sample_rectified(key: Array, theta: Float[Array, "... K"]) -> Float[Array, "... K"]:
    """z > −θ normal, moved by θ: the inverse of Q(−z)/Q(θ) = u by Newton's method in the logarithm.

    Above θ = −1 from the inverse normal distribution directly; below from √(θ² − 2 ln u) + θ, the inverse of
    the leading tail.
    """
    tiny = jnp.finfo(theta.dtype).tiny
    u = jnp.maximum(uniforms(key, theta.shape, theta.dtype), tiny)
    high = jnp.maximum(theta, -1)
    direct = high - jax.scipy.special.ndtri(u * jax.scipy.special.ndtr(high))
    low = jnp.minimum(theta, -1)
    log_u, log_tail = jnp.log(u), _log_rectified(low[..., None])
    # h solves ½θ² − ½(θ − h)² + A(θ − h) − A(θ) = ln u: hθ − ½h² + A(θ − h) = A(θ) + ln u
    x = jnp.sqrt(low * low - 2 * log_u) + low
    for _ in range(4):
        moved = low - x
        gap = x * low - 0.5 * x * x + _log_rectified(moved[..., None]) - log_tail - log_u
        x = jnp.maximum(x + gap / (_mean_rectified(moved) + x - low), 0)
    return jnp.maximum(jnp.where(theta < -1, x, direct), 0)


_ONE_COLUMN = {
    "binary": UnitKind(
        1,
        partial(log_hidden, units="binary"),
        partial(mean_unit, units="binary"),
        _sample_binary,
        _no_base,
        ((0,), (1,)),
        "0 or 1",
    ),
    "spin": UnitKind(
        1,
        partial(log_hidden, units="spin"),
        partial(mean_unit, units="spin"),
        _sample_spin,
        _no_base,
        ((1,), (-1,)),
        "-1 or 1",
    ),
    "gaussian": UnitKind(
        1, _log_gaussian, lambda theta: theta, _sample_gaussian, _quadratic_base, (), "finite numbers"
    ),
    "rectified": UnitKind(
        1, _log_rectified, _mean_rectified, _sample_rectified, _quadratic_base, (), "numbers >= 0", 0.0
    ),
}


def _potts(states: int) -> UnitKind:
    def grouped(x: Float[Array, "... K"]) -> Float[Array, "... n q"]:
        return x.reshape(*x.shape[:-1], -1, states)

    def log_partition(theta: Array) -> Array:
        return jax.nn.logsumexp(grouped(theta), axis=-1).sum(-1)

    def mean(theta: Array) -> Array:
        return jax.nn.softmax(grouped(theta), axis=-1).reshape(theta.shape)

    def sample(key: Array, theta: Array) -> Array:
        chosen = jax.random.categorical(key, grouped(theta), axis=-1)
        return jax.nn.one_hot(chosen, states, dtype=theta.dtype).reshape(theta.shape)

    one_hot = tuple(tuple(int(i == k) for i in range(states)) for k in range(states))
    words = f"one-hot groups of {states} columns"
    return UnitKind(states, log_partition, mean, sample, _no_base, one_hot, words)
