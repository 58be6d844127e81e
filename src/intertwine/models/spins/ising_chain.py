r"""The Ising chain in a field, exactly, and its decimation (Ising, Z. Phys. 31, 253, 1925).

    ln Ψ(s) = K Σ s_i s_{i+1} + h Σ s_i,        T(s, s') = e^{K s s' + h (s + s')/2}
    λ± = e^K cosh h ± √(e^{2K} sinh² h + e^{−2K})

    ring of N      Z = λ+^N + λ−^N
    open chain     Z = vᵀ T^{N−1} v, v(s) = e^{hs/2}:   Z = a+ λ+^{N−1} + a− λ−^{N−1}
    infinite       ln Z/N = ln λ+

Energy, magnetization, susceptibility and specific heat are derivatives of ln Z in K and h, taken
automatically. Correlations decay as (λ−/λ+)^r, 1/ξ = ln(λ+/|λ−|). Summing over every spin but each b-th
leaves a chain with tanh K' = tanh^b K (h = 0): renormalization without approximation.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from intertwine._checks import fail, one_of, positive_int


class ChainValues(NamedTuple):
    """Of a chain at (K, h), per site: ln Z in nats, energy −⟨Σ s_i s_{i+1}⟩, magnetization m, susceptibility
    ∂m/∂h, specific heat K² Var(Σ s_i s_{i+1}); and the correlation length in lattice constants."""

    log_partition: float
    energy: float
    magnetization: float
    susceptibility: float
    specific_heat: float
    correlation_length: float


def ising_chain(
    K: float, h: float = 0.0, sites: int | None = None, boundary: str = "periodic"
) -> ChainValues:
    """The exact values of a chain of `sites` spins, None for infinitely many; K and h in [−10, 10].

    boundary: "periodic" (a ring, three sites or more) or "open". correlation_length is that of the infinite
    chain.

    Raises InputError for other values.

    >>> ring = ising_chain(0.5, sites=4)
    >>> abs(4 * ring.log_partition - math.log((2 * math.cosh(0.5)) ** 4 + (2 * math.sinh(0.5)) ** 4)) < 1e-12
    True
    >>> round(ising_chain(0.5).susceptibility, 6) == round(math.exp(1.0), 6)
    True
    """
    K, h = _number("K", K), _number("h", h)
    one_of("boundary", boundary, ("periodic", "open"))
    if sites is not None and positive_int("sites", sites) < (3 if boundary == "periodic" else 2):
        raise fail("sites", "three sites or more on a ring, two in an open chain", sites)
    with jax.enable_x64(True):
        at = jnp.array([K, h], jnp.float64)
        log_z, first, second = (np.asarray(x) for x in _derivatives(at, sites, boundary == "periodic"))
        large, small = (float(x) for x in _eigenvalues(at))
    length = 1 / math.log(large / abs(small)) if small else 0.0
    return ChainValues(
        float(log_z),
        -float(first[0]),
        float(first[1]),
        float(second[1, 1]),
        K * K * float(second[0, 0]),
        length,
    )


def decimate_chain(K: float, b: int = 2) -> float:
    """K' of every b-th spin of a chain without a field: tanh K' = tanh^b K.

    Raises InputError for K outside [−10, 10] and b < 2.

    >>> abs(math.tanh(decimate_chain(0.7)) - math.tanh(0.7) ** 2) < 1e-15
    True
    """
    if positive_int("b", b) < 2:
        raise fail("b", "an integer ≥ 2", b)
    K = _number("K", K)
    weaker = math.log(math.tanh(abs(K))) * b if K else -math.inf  # ln |tanh K'|
    size = (math.log1p(math.exp(weaker)) - math.log(-math.expm1(weaker))) / 2
    return math.copysign(size, K) if b % 2 else size


@partial(jax.jit, static_argnames=("sites", "ring"))
def _derivatives(at: Array, sites: int | None, ring: bool) -> tuple[Any, Any, Any]:
    """ln Z per site at (K, h), its gradient (2,) and its Hessian (2, 2)."""
    return (
        log_partition(at, sites, ring),
        jax.grad(log_partition)(at, sites, ring),
        jax.hessian(log_partition)(at, sites, ring),
    )


def log_partition(at: Array, sites: int | None = None, ring: bool = True) -> Any:
    """ln Z per site at (K, h) (2,), written with `jax.numpy`: what the geometry of couplings differentiates.

    >>> round(float(log_partition(jnp.array([0.5, 0.0]))), 5) == round(math.log(2 * math.cosh(0.5)), 5)
    True
    """
    K, h = at
    large, small = _eigenvalues(at)
    if sites is None:
        return jnp.log(large)
    if ring:
        return jnp.log(large) + jnp.log1p((small / large) ** sites) / sites
    total = 2 * jnp.cosh(h)  # vᵀ v = a+ + a−
    next_total = 2 * jnp.exp(K) * jnp.cosh(2 * h) + 2 * jnp.exp(-K)  # vᵀ T v
    upper = (next_total - total * small) / (large - small)
    ends = upper + (total - upper) * (small / large) ** (sites - 1)
    return ((sites - 1) * jnp.log(large) + jnp.log(ends)) / sites


def _eigenvalues(at: Array) -> tuple[Any, Any]:
    K, h = at
    root = jnp.sqrt(jnp.exp(2 * K) * jnp.sinh(h) ** 2 + jnp.exp(-2 * K))
    large = jnp.exp(K) * jnp.cosh(h) + root
    return large, 2 * jnp.sinh(2 * K) / large  # their product is 2 sinh 2K


def _number(name: str, value: float) -> float:
    number = isinstance(value, int | float | np.floating | np.integer) and not isinstance(value, bool)
    if not number or not abs(value) <= 10:
        raise fail(name, "a number in [−10, 10]", value)
    return float(value)
