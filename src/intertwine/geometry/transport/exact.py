r"""Optimal transport without entropy, as a linear programme.

    OT(a, b) = min ⟨P, C⟩      over P ≥ 0 with P 1 = a, Pᵀ1 = b

Equal numbers of equally likely rows are an assignment (Birkhoff; `scipy.optimize.linear_sum_assignment`), and
so are n and m of them, each taken lcm(n, m)/n and lcm(n, m)/m times. Other weights take the dual simplex
method of HiGHS (Huangfu & Hall, Math. Program. Comput. 10, 119, 2018).
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from intertwine._checks import fail

MOST_ASSIGNED = 4000
"""Rows of the largest assignment."""
MOST_PAIRS = 400_000
"""Pairs n·m of the largest linear programme of other weights."""
QUICK_PAIRS = 100_000
"""Pairs of one that is solved within about a second."""


def is_assigned(n: int, m: int) -> bool:
    """Whether n and m equally likely points are an assignment that is quickly found."""
    return math.lcm(n, m) <= (MOST_ASSIGNED if n == m else MOST_ASSIGNED // 2)


def least_cost(
    cost: Float[np.ndarray, "n m"],
    a: Float[np.ndarray, " n"] | None = None,
    b: Float[np.ndarray, " m"] | None = None,
) -> float:
    """OT(a, b), in the unit of the cost. a, b: weights that sum to 1; None: all the same.

    Raises InputError where it is too large.

    >>> least_cost(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([0.75, 0.25]))
    0.25
    """
    from scipy.optimize import linear_sum_assignment

    n, m = cost.shape
    if not np.isfinite(cost).all():
        raise fail(
            "a, b", "rows whose distances are finite", "infinite ones among them", "scale the columns down"
        )
    uniform = a is None and b is None
    assigned = uniform and is_assigned(n, m)
    if not assigned and n * m > MOST_PAIRS:
        remedy = f"give fewer points, or epsilon={0.05 * float(cost.mean()):.2g} for the entropic distance"
        raise fail("a, b", f"at most {MOST_PAIRS} pairs of points", f"{n} × {m}", remedy)
    if assigned:
        whole = math.lcm(n, m)
        repeated = cost.repeat(whole // n, axis=0).repeat(whole // m, axis=1) if n != m else cost
        rows, columns = linear_sum_assignment(repeated)
        return float(repeated[rows, columns].mean())
    a = np.full(n, 1 / n) if a is None else a
    b = np.full(m, 1 / m) if b is None else b
    return _programme(cost, a, b)[0]


def dual_potentials(
    cost: Float[np.ndarray, "n m"],
    a: Float[np.ndarray, " n"] | None = None,
    b: Float[np.ndarray, " m"] | None = None,
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " m"]]:
    """f, g with f_i + g_j ≤ C_ij and ⟨a, f⟩ + ⟨b, g⟩ = OT, of what `least_cost` takes.

    Of an assignment they are shortest paths: g_j = min_i (g_s(i) + C_ij − C_is(i)).

    >>> f, g = dual_potentials(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([0.75, 0.25]))
    >>> float(f @ [0.75, 0.25] + g.mean())
    0.25
    """
    from scipy.optimize import linear_sum_assignment

    n, m = cost.shape
    if not (a is None and b is None and is_assigned(n, m)):
        a = np.full(n, 1 / n) if a is None else a
        b = np.full(m, 1 / m) if b is None else b
        return _programme(cost, a, b)[1:]
    whole = math.lcm(n, m)
    repeated = cost.repeat(whole // n, axis=0).repeat(whole // m, axis=1)
    repeated = repeated[:, linear_sum_assignment(repeated)[1]]
    own, g = np.diag(repeated), np.zeros(whole)
    for _ in range(whole):
        found = ((g - own)[:, None] + repeated).min(0)
        done = np.abs(found - g).max() <= 1e-12 * max(repeated.max(), 1e-300)
        g = np.minimum(g, found)
        if done:
            break
    f = (own - g)[:: whole // n]
    return f, (cost - f[:, None]).min(0)


def _programme(cost: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    import scipy.sparse as sparse
    from scipy.optimize import linprog

    whole_a, whole_b = a, b
    kept_a, kept_b = np.flatnonzero(a > 0), np.flatnonzero(b > 0)
    cost, a, b = cost[np.ix_(kept_a, kept_b)], a[kept_a] / a.sum(), b[kept_b] / b.sum()
    n, m = cost.shape
    rows = sparse.kron(sparse.eye(n), np.ones((1, m)))
    columns = sparse.kron(np.ones((1, n)), sparse.eye(m))
    marginals = sparse.vstack([rows, columns]).tocsr()[:-1]  # one follows from the others
    found = linprog(
        cost.ravel(), A_eq=marginals, b_eq=np.concatenate([a, b])[:-1], bounds=(0, None), method="highs-ds"
    )
    if found.status != 0:
        raise fail("a, b", "weights and costs that a linear programme can take", found.message)
    f, g = np.zeros(len(whole_a)), np.zeros(len(whole_b))
    dual = np.append(found.eqlin.marginals, 0.0)
    f[kept_a], g[kept_b] = dual[:n], dual[n:]
    return float(found.fun), f, g
