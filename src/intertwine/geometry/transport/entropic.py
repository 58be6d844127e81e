r"""Entropic transport of given costs: `sinkhorn`, and `sinkhorn_divergence` for what differentiates it.

The mathematics is in `sinkhorn.py`. Costs decide the type: float32 costs are summed in float32, which bounds
how small ε may be; with float64 costs everything is float64, whether or not JAX has it switched on.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._caveats import beneath, caveat
from intertwine._checks import fail, positive_int, positive_number
from intertwine._shown import Shown
from intertwine.geometry.transport.sinkhorn import (
    MOST,
    Potentials,
    entropic_value,
    own_potential,
    potentials,
    smallest_epsilon,
    tolerance_of,
)


@dataclass(frozen=True, eq=False, repr=False)
class Entropic(Shown):
    """An entropic transport plan.

    value: OT_ε, with ε times the KL divergence of the plan from a bᵀ. plan_cost: ⟨P, C⟩ alone. f (n,), g
    (m,): potentials; value = ⟨a, f⟩ + ⟨b, g⟩, and f is its derivative with respect to a. plan: (n, m). All in
    the unit of the cost. epsilon: what it was. error: Σ_i |Σ_j P_ij − a_i|. turns: of the iteration.
    warnings: what qualifies it.
    """

    value: float
    plan_cost: float
    f: Float[np.ndarray, " n"]
    g: Float[np.ndarray, " m"]
    plan: Float[np.ndarray, "n m"]
    epsilon: float
    error: float
    turns: int
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        words = f"OT_ε = {self.value:.6g} at ε = {self.epsilon:g} (cost of the plan {self.plan_cost:.6g}), "
        words += f"marginals to {self.error:.1e} after {self.turns} turns"
        return beneath(words, self.warnings)


def sinkhorn(
    cost: ArrayLike,
    a: ArrayLike | None = None,
    b: ArrayLike | None = None,
    *,
    epsilon: float,
    tolerance: float | None = None,
    most: int = MOST,
) -> Entropic:
    """The entropic transport OT_ε(a, b) = min ⟨P, C⟩ + ε KL(P ‖ a bᵀ), an `Entropic`.

    cost: (n, m), finite and ≥ 0, float32 or float64 (other numbers are float64). a (n,), b (m,): marginals
    that sum to 1, all the same unless given. epsilon: in the unit of the cost. tolerance: of the first
    marginal, Σ_i |Σ_j P_ij − a_i|; 1e-8 unless given (1e-3 for float32). most: turns of the iteration; where
    they do not suffice, a caveat says what is left.

    Raises InputError for costs that are negative or not finite, marginals that do not sum to 1, and an ε that
    the type of the costs cannot resolve; the error says which one works.

    >>> two = sinkhorn([[0.0, 1.0], [1.0, 0.0]], epsilon=0.5)              # P_00 = ½ σ(1/ε)
    >>> bool(abs(two.plan[0, 0] - 0.5 / (1 + np.exp(-2.0))) < 1e-9)
    True
    """
    table = checked_cost(cost)
    n, m = table.shape
    a, b = checked_marginal("a", a, n, table.dtype), checked_marginal("b", b, m, table.dtype)
    epsilon, tolerance = checked_epsilon(epsilon, tolerance, table)
    most = positive_int("most", most)
    with np.errstate(divide="ignore"), jax.enable_x64(True):
        found = potentials(table, np.log(a), np.log(b), epsilon, tolerance=tolerance, most=most)
        f, g = np.asarray(found.f), np.asarray(found.g)
    plan = a[:, None] * b * np.exp((f[:, None] + g - table) / epsilon)
    value, error = float(a @ f + b @ g), float(found.error)
    return Entropic(
        value, float((plan * table).sum()), f, g, plan, epsilon, error, int(found.turns),
        unfinished(error, tolerance, most),
    )  # fmt: skip


def sinkhorn_divergence(
    cost: Float[Array, "n m"],
    cost_a: Float[Array, "n n"],
    cost_b: Float[Array, "m m"],
    a: Float[Array, "n"],
    b: Float[Array, "m"],
    *,
    epsilon: float | Array,
    tolerance: float | None = None,
    most: int = MOST,
) -> Float[Array, ""]:
    """S_ε(a, b) = OT_ε(a, b) − ½ OT_ε(a, a) − ½ OT_ε(b, b): pure, for `jit` and `grad` with respect to the
    costs and the marginals (the derivative along changes of a that keep Σ a = 1).

    cost, cost_a, cost_b: of points of a to those of b, of a among themselves, of b. Gives a scalar of the
    type of the costs, in their unit. Derivatives are those of the envelope theorem: nothing is differentiated
    through the iteration. Nothing is checked: see `sinkhorn`.

    >>> a, b = jnp.array([0.5, 0.5]), jnp.array([0.9, 0.1])
    >>> cost = jnp.array([[0.0, 1.0], [1.0, 0.0]])
    >>> bool(abs(sinkhorn_divergence(cost, cost, cost, a, a, epsilon=0.5)) < 1e-6)
    True
    >>> slope = jax.grad(sinkhorn_divergence, 3)(cost, cost, cost, a, b, epsilon=0.5)
    >>> bool(slope[0] < slope[1])                         # a has too little on its first point
    True
    """
    tolerance = tolerance_of(cost.dtype) if tolerance is None else tolerance
    cost_, a_, b_, cost_a_, cost_b_ = jax.lax.stop_gradient((cost, a, b, cost_a, cost_b))
    log_a, log_b = jnp.log(a_), jnp.log(b_)
    options = {"tolerance": tolerance, "most": most}
    joint = potentials(cost_, log_a, log_b, epsilon, **options)
    of_a = own_potential(cost_a_, log_a, epsilon, **options)
    of_b = own_potential(cost_b_, log_b, epsilon, **options)
    return divergence_of((cost, cost_a, cost_b), (a, b), (joint, of_a, of_b), epsilon)


def divergence_of(
    costs: tuple[Array, Array, Array],
    marginals: tuple[Array, Array],
    found: tuple[Potentials, Potentials, Potentials],
    epsilon: float | Array,
) -> Float[Array, ""]:
    """S_ε of potentials of both together, of the first alone and of the second alone."""
    a, b = marginals
    joint = entropic_value(costs[0], a, b, found[0], epsilon)
    of_a, of_b = (
        entropic_value(c, p, p, x, epsilon) for c, p, x in zip(costs[1:], marginals, found[1:], strict=True)
    )
    return joint - 0.5 * of_a - 0.5 * of_b


def checked_cost(cost: ArrayLike, argument: str = "cost") -> np.ndarray:
    """A table of costs, float32 where it came so, else float64."""
    table = np.asarray(cost)
    table = table if table.dtype == np.float32 else table.astype(np.float64)
    if table.ndim != 2 or not table.size:
        raise fail(argument, "an array (n, m) of costs", f"shape {table.shape}")
    if not np.isfinite(table).all():
        where = tuple(np.argwhere(~np.isfinite(table))[0].tolist())
        remedy = "give pairs that must not be joined a large finite cost"
        raise fail(argument, "finite costs", f"{table[where]} at {where}", remedy)
    if table.min() < 0:
        where = tuple(np.argwhere(table < 0)[0].tolist())
        remedy = "subtract the smallest cost from all, which changes no plan"
        raise fail(argument, "costs ≥ 0", f"{table[where]:.6g} at {where}", remedy)
    return table


def checked_marginal(argument: str, given: ArrayLike | None, size: int, dtype: np.dtype) -> np.ndarray:
    """Weights (size,) ≥ 0 that sum to 1; equal ones for None."""
    if given is None:
        return np.full(size, 1 / size, dtype)
    weights = np.asarray(given, np.float64)
    if weights.shape != (size,):
        raise fail(argument, f"a marginal of {size} entries", f"shape {weights.shape}")
    if not (np.isfinite(weights).all() and weights.min() >= 0):
        raise fail(argument, "finite weights ≥ 0", f"{weights.min()} among them")
    slack = 1e-4 if np.asarray(given).dtype == np.float32 else 1e-8
    if abs(weights.sum() - 1) > slack:
        raise fail(
            argument, "a marginal that sums to 1", f"a sum of {weights.sum():.9g}", "divide it by that"
        )
    return (weights / weights.sum()).astype(dtype)


def checked_epsilon(epsilon: float, tolerance: float | None, *tables: np.ndarray) -> tuple[float, float]:
    """(ε, tolerance) that the type of the costs can resolve."""
    dtype, largest = tables[0].dtype, max(float(t.max()) for t in tables)
    epsilon = positive_number("epsilon", epsilon, "in the unit of the cost, such as a tenth of its mean")
    tolerance = tolerance_of(dtype) if tolerance is None else positive_number("tolerance", tolerance)
    least = smallest_epsilon(largest, dtype, tolerance)
    if epsilon < least:
        remedy = "give float64 costs, or a larger epsilon" if dtype == np.float32 else "give a larger one"
        expected = f"at least {least:.2g} for costs up to {largest:.4g} in {dtype} at tolerance {tolerance:g}"
        raise fail("epsilon", expected, epsilon, f"{remedy}, or a larger tolerance")
    return epsilon, tolerance


def unfinished(error: float, tolerance: float, most: int) -> tuple[str, ...]:
    """The caveat of marginals that are not those asked for; () for others. Rounding is not told.

    >>> unfinished(1e-9, 1e-8, 1000)
    ()
    """
    if error <= 2 * tolerance:
        return ()
    words = (
        f"the marginals of the plan are off by {error:.1e} after {most} turns, {tolerance:.0e} was asked for"
    )
    return (caveat("not-converged", f"{words}; take a larger epsilon, or more turns (most=…)"),)
