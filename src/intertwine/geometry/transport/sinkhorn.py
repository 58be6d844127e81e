r"""Entropic optimal transport by Sinkhorn's iteration in the logarithmic domain.

    OT_ε(a, b) = min_P ⟨P, C⟩ + ε KL(P ‖ a bᵀ)      over P ≥ 0 with marginals a and b
               = max_{f, g} ⟨a, f⟩ + ⟨b, g⟩,        P_ij = a_i b_j e^{(f_i + g_j − C_ij)/ε},

whose conditions are f = T_b(C − g), g = T_a(C − f), with the soft minimum T_b(x)_i = −ε ln Σ_j b_j
e^{−x_ij/ε}; taking them in turn converges (Sinkhorn 1967; Cuturi, NeurIPS 2013). ε goes down from the largest
cost by halves (Schmitzer, SIAM J. Sci. Comput. 41, A1443, 2019). The iteration ends when the first marginal
of P, which one half-step leaves behind, is that of a to `tolerance` (the sum of all deviations).

Where the contraction is slow, at small ε, steps are made longer, f ← f + ω (T(C − g) − f) with the ω that the
rate of the plain iteration asks for (Thibault et al., Algorithms 14, 143, 2021; Lehmann, von Renesse, Sambale
& Uschmajew, Optim. Lett. 16, 2209, 2022).

The divergence (Ramdas et al. 2017; Genevay, Peyré & Cuturi, AISTATS 2018; Feydy et al., AISTATS 2019)

    S_ε(a, b) = OT_ε(a, b) − ½ OT_ε(a, a) − ½ OT_ε(b, b)

is 0 for a = b, which OT_ε is not. By the envelope theorem the potentials need no derivative of their own:

    ∂S_ε/∂a = f_ab − f_aa,      ∂S_ε/∂C = P       (f up to a constant, since Σ a = 1).
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

MOST = 20_000
"""Turns of the iteration, at most."""
_LOOSE = 0.05
"""Marginal error at which ε is lowered."""
_STAGE = 50
"""Turns at one ε on the way down, at most."""
_LOOK = 25
"""Turns after which the rate is looked at."""
_LONGEST = 1.995


class Potentials(NamedTuple):
    """f (n,), g (m,), in the unit of the cost. error: Σ_i |Σ_j P_ij − a_i| that is left. turns: made."""

    f: Float[Array, "n"]
    g: Float[Array, "m"]
    error: Float[Array, ""]
    turns: Array


def tolerance_of(dtype: DTypeLike) -> float:
    """The error of the marginals that the type of the costs allows where nothing is said: 1e-8 or 1e-3."""
    return 1e-8 if jnp.finfo(dtype).bits > 32 else 1e-3


def smallest_epsilon(largest: float, dtype: DTypeLike, tolerance: float) -> float:
    """The smallest ε for costs up to `largest`: below it the rounding of (f + g − C)/ε is above `tolerance`.

    >>> f"{smallest_epsilon(6.0, 'float64', 1e-9):.2g}", f"{smallest_epsilon(6.0, 'float32', 1e-3):.2g}"
    ('1.3e-06', '0.00072')
    """
    return float(jnp.finfo(dtype).eps) * largest / tolerance


@partial(jax.jit, static_argnames="most")
def potentials(
    cost: Float[Array, "n m"],
    log_a: Float[Array, "n"],
    log_b: Float[Array, "m"],
    epsilon: Array | float,
    *,
    tolerance: Array | float,
    most: int = MOST,
) -> Potentials:
    """f and g for costs (n, m), finite and ≥ 0, and the logarithms of marginals, −inf where these are 0."""
    a, dtype = jnp.exp(log_a), cost.dtype
    target, tolerance = jnp.asarray(epsilon, dtype), jnp.asarray(tolerance, dtype)

    def turn(state: tuple) -> tuple:
        f, g, eps, omega, _, before, count, held = state
        wanted = soft_minimum(cost, g, log_b, eps)
        error = _gap(a, f, wanted, eps)
        f = f + omega * (wanted - f)
        g = g + omega * (soft_minimum(cost.T, f, log_a, eps) - g)
        count, held = count + 1, held + 1
        last = eps <= target
        down = ~last & ((error < _LOOSE) | (held >= _STAGE))
        eps = jnp.where(down, jnp.maximum(target, eps / 2), eps)
        look = last & (held % _LOOK == 0)
        omega = jnp.where(look, _stretched(omega, error, before), omega)
        before = jnp.where(look | ~last, error, before)
        error = jnp.where(last, error, jnp.inf)
        return f, g, eps, omega, error, before, count, jnp.where(down, 0, held)

    def unfinished(state: tuple) -> Array:
        return (state[4] > tolerance) & (state[6] < most)

    one, inf = jnp.ones((), dtype), jnp.full((), jnp.inf, dtype)
    first = jnp.maximum(target, cost.max())
    start = (
        jnp.zeros(cost.shape[0], dtype), jnp.zeros(cost.shape[1], dtype), first, one, inf, inf,
        jnp.zeros((), jnp.int32), jnp.zeros((), jnp.int32),
    )  # fmt: skip
    f, g, _, _, _, _, count, _ = jax.lax.while_loop(unfinished, turn, start)
    f = soft_minimum(cost, g, log_b, target)
    g = soft_minimum(cost.T, f, log_a, target)
    return Potentials(f, g, _gap(a, f, soft_minimum(cost, g, log_b, target), target), count)


@partial(jax.jit, static_argnames="most")
def own_potential(
    cost: Float[Array, "n n"],
    log_a: Float[Array, "n"],
    epsilon: Array | float,
    *,
    tolerance: Array | float,
    most: int = MOST,
) -> Potentials:
    """f = g of a distribution with itself, costs symmetric: the mean of f and T(C − f) in turn, which
    converges within tens of turns at any ε (Feydy et al. 2019)."""
    a, dtype = jnp.exp(log_a), cost.dtype
    target, tolerance = jnp.asarray(epsilon, dtype), jnp.asarray(tolerance, dtype)

    def turn(state: tuple) -> tuple:
        f, eps, _, count, held = state
        wanted = soft_minimum(cost, f, log_a, eps)
        error = _gap(a, f, wanted, eps)
        last = eps <= target
        down = ~last & ((error < _LOOSE) | (held >= _STAGE))
        eps = jnp.where(down, jnp.maximum(target, eps / 2), eps)
        held = jnp.where(down, 0, held + 1)
        return (f + wanted) / 2, eps, jnp.where(last, error, jnp.inf), count + 1, held

    zero = jnp.zeros((), jnp.int32)
    start = jnp.zeros(len(cost), dtype), jnp.maximum(target, cost.max()), jnp.full((), jnp.inf, dtype)
    f, _, _, count, _ = jax.lax.while_loop(
        lambda s: (s[2] > tolerance) & (s[3] < most), turn, (*start, zero, zero)
    )
    f = (f + soft_minimum(cost, f, log_a, target)) / 2
    return Potentials(f, f, _gap(a, f, soft_minimum(cost, f, log_a, target), target), count)


def soft_minimum(cost: Array, g: Array, log_b: Array, epsilon: Array | float) -> Float[Array, "n"]:
    """T_b(C − g), (n,)."""
    return -epsilon * jax.nn.logsumexp((g - cost) / epsilon + log_b, axis=1)


def entropic_value(
    cost: Array, a: Array, b: Array, found: Potentials, epsilon: Array | float
) -> Float[Array, ""]:
    """OT_ε of potentials that are held, with the derivatives of the envelope theorem in a, b and C."""
    f, g = jax.lax.stop_gradient((found.f, found.g))
    exponent = (f[:, None] + g - cost) / epsilon
    excess = a @ (jnp.expm1(exponent) @ b)
    return a @ f + b @ g - epsilon * excess


def _gap(a: Array, f: Array, wanted: Array, epsilon: Array | float) -> Array:
    """Σ_i |Σ_j P_ij − a_i| of potentials f and g with T_b(C − g) = wanted."""
    return jnp.where(a > 0, a * jnp.abs(jnp.expm1((f - wanted) / epsilon)), 0).sum()


def _stretched(omega: Array, error: Array, before: Array) -> Array:
    """ω of the next turns. A rate λ seen with ω is that of a plain iteration of rate θ², (λ + ω − 1)² =
    λω²θ², for which ω = 2/(1 + √(1 − θ²)) is best; where the error did not fall, half of the stretch."""
    seen = jnp.clip((error / before) ** (1 / _LOOK), 1e-3, 1.0)
    plain = jnp.clip((seen + omega - 1) ** 2 / (seen * omega**2), 0.0, 1 - 1e-7)
    best = 2 / (1 + jnp.sqrt(1 - plain))
    found = jnp.where(error < before, jnp.maximum(omega, best), (1 + omega) / 2)
    return jnp.minimum(found, _LONGEST).astype(omega.dtype)
