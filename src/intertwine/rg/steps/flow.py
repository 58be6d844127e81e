r"""Flows in coupling space, fixed points and their exponents, of any renormalization step.

    K^{(n+1)} = R(K^{(n)}),      R(K*) = K*,      T = ∂R/∂K at K*,      y = ln |λ| / ln b

A step R takes couplings (n,) to the couplings (n,) of the model on a lattice coarser by b: exact
(`ExactStep`), measured (`MatchedStep`, `VariationalStep`) or approximate (Migdal-Kadanoff and others). At a
fixed point the eigenvalues λ of T give the exponents y (Wilson, Phys. Rev. B 4, 3174, 1971): directions with
|λ| > 1 are relevant, the others lead along the critical surface into the fixed point. Along the flow,
l = n ln b is the logarithm of the length scale, and dK/dl is the beta function of the running coupling.

    couplings ──flow──► Flow: K by level, errors, dK/dl          critical_coupling: bisects between two phases
    guess ──fixed_point──► FixedPoint: K*, T, λ, y                step.linearise: T anywhere
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Complex, Float

from intertwine._caveats import beneath
from intertwine._checks import InputError, fail, positive_int
from intertwine._shown import Shown, with_error
from intertwine.rg.steps.step import Step, as_couplings, linearise, measured, stepped

if TYPE_CHECKING:
    from intertwine.rg.steps.step import Couplings

_NEWTON_STEPS = 60
_HALVINGS = 12


@dataclass(frozen=True, eq=False, repr=False)
class FixedPoint(Shown):
    """Where a step stands still, and how it moves nearby.

    couplings: float64 (n,). matrix: ∂K'_i/∂K_j there, float64 (n, n). eigenvalues: of the matrix, largest
    modulus first, (n,), complex where a pair turns. y: ln|λ|/ln b, (n,). relevant: |λ| > 1, bool (n,).
    names, block: of the step.
    """

    couplings: Float[np.ndarray, " n"]
    matrix: Float[np.ndarray, "n n"]
    eigenvalues: Float[np.ndarray, " n"] | Complex[np.ndarray, " n"]
    y: Float[np.ndarray, " n"]
    relevant: Bool[np.ndarray, " n"]
    names: tuple[str, ...]
    block: float

    def __str__(self) -> str:
        lines = ["coupling       K*    eigenvalue        y"]
        for name, K, value, y in zip(self.names, self.couplings, self.eigenvalues, self.y, strict=True):
            lines.append(f"{name:<9} {K:>z8.5f}  {value:>12.5f}  {y:>7.4f}")
        return "\n".join(lines)


@dataclass(frozen=True, eq=False, repr=False)
class Flow(Shown):
    """Couplings by level.

    couplings: float64 (levels + 1, n), row 0 where the flow began; fewer rows where a coupling passed the
    limit. covariance: (levels + 1, n, n), carried along the flow, zero where a step is exact.
    names, block: of the step. stopped: why the flow ended early, or "". warnings: what
    qualifies the couplings of samples, lines `code: sentence`.
    """

    couplings: Float[np.ndarray, "levels n"]
    covariance: Float[np.ndarray, "levels n n"]
    names: tuple[str, ...]
    block: float
    stopped: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def errors(self) -> Float[np.ndarray, "levels n"]:
        """One standard deviation of each coupling: those of all steps so far, carried by the flow."""
        return np.sqrt(np.diagonal(self.covariance, axis1=1, axis2=2))

    @property
    def log_scale(self) -> Float[np.ndarray, " levels"]:
        """l = n ln b, the logarithm of the length scale, of every level."""
        return np.arange(len(self.couplings)) * math.log(self.block)

    @property
    def beta(self) -> Float[np.ndarray, "steps n"]:
        """dK/dl of the running couplings, (K^{(n+1)} − K^{(n)})/ln b, one row per step."""
        return np.diff(self.couplings, axis=0) / math.log(self.block)

    def __str__(self) -> str:
        sampled = bool((self.covariance != 0).any())
        cells = [["level", *self.names]]
        for level, (row, error) in enumerate(zip(self.couplings, self.errors, strict=True)):
            shown = (
                with_error(K, e, "z.4f") if sampled else f"{K:z.4f}" for K, e in zip(row, error, strict=True)
            )
            cells.append([str(level), *shown])
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in cells]
        return beneath("\n".join([*lines, self.stopped] if self.stopped else lines), self.warnings)


def flow(couplings: Couplings, step: Step, levels: int, *, limit: float = 10.0) -> Flow:
    """Iterate a step: {K} → {K'} → {K''} …

    couplings: where it begins, (n,), or a dict by name (others are 0). levels: how many steps.
    limit: the flow ends where a coupling exceeds it in modulus: the model is ordered to rounding.
    Sampled steps carry their errors: C' = T C Tᵀ + C_step.

    Raises InputError for couplings that do not fit the step, and where the first step fails; a later one ends
    the flow.

    >>> from intertwine.rg.steps.step import FunctionStep
    >>> decimation = FunctionStep(lambda K: np.arctanh(np.tanh(K) ** 2), block=2, names=("nearest",))
    >>> print(flow({"nearest": 1.0}, decimation, levels=3))
    level  nearest
        0   1.0000
        1   0.6625
        2   0.3501
        3   0.1137
    """
    rows = [as_couplings("couplings", couplings, step)]
    covariances = [np.zeros((len(step.names),) * 2)]
    stopped = ""
    for level in range(positive_int("levels", levels, "give the number of steps")):
        try:
            new, own, matrix = measured(step, rows[-1])
        except InputError as problem:
            if level == 0:
                raise
            stopped = f"no step beyond level {level}: {problem}"
            break
        rows.append(new)
        covariances.append(matrix @ covariances[-1] @ matrix.T + own)
        if not np.abs(new).max() <= limit:
            stopped = f"a coupling exceeds {limit:g} at level {level + 1}"
            break
    return Flow(np.stack(rows), np.stack(covariances), tuple(step.names), float(step.block), stopped)


def fixed_point(step: Step, guess: Couplings, *, tolerance: float = 1e-12) -> FixedPoint:
    """Newton's method for R(K) = K from `guess` (n,) or a dict by name.

    tolerance: the largest |R(K) − K| that counts as zero.

    Raises InputError where the search finds none from this guess.

    >>> import jax.numpy as jnp
    >>> from intertwine.rg.steps.step import FunctionStep
    >>> migdal = FunctionStep(lambda K: jnp.log(jnp.cosh(4 * K)) / 2, block=2, names=("nearest",))
    >>> print(fixed_point(migdal, [0.3]))
    coupling       K*    eigenvalue        y
    nearest    0.30469       1.67857   0.7472
    """
    K = as_couplings("guess", guess, step)
    gap = stepped(step, K) - K
    for _ in range(_NEWTON_STEPS):
        if np.abs(gap).max() <= tolerance:
            return _described(step, K)
        slope = linearise(step, K) - np.eye(len(K))
        change = -np.linalg.lstsq(slope, gap, rcond=None)[0]
        for _ in range(_HALVINGS):
            new = K + change
            new_gap = _gap(step, new)
            if np.abs(new_gap).max() < np.abs(gap).max():
                break
            change = change / 2
        else:
            break
        K, gap = new, new_gap
    raise fail(
        "guess",
        "couplings near a fixed point",
        str(guess),
        f"Newton's method stopped at |R(K) − K| = {np.abs(gap).max():.1e}; begin nearer, or give a tolerance",
    )


def _gap(step: Step, K: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """R(K) − K, infinite where the step fails."""
    try:
        return stepped(step, K, finite=False) - K
    except InputError:
        return np.full(len(K), np.inf)


def critical_coupling(
    step: Step, low: Couplings, high: Couplings, *, levels: int = 60, tolerance: float = 1e-10
) -> Float[np.ndarray, " n"]:
    """The couplings between `low` and `high`, on the straight line, that lie on the critical surface.

    low, high: (n,) or dicts by name, one in each phase, |low| < |high|: the flow from `low` must shrink below
    |low|, that from `high` must grow beyond |high| (Euclidean norms), within `levels` steps. Bisection, until
    both ends agree to `tolerance` of the line.

    Raises InputError where the two ends flow the same way.

    >>> import jax.numpy as jnp
    >>> from intertwine.rg.steps.step import FunctionStep
    >>> migdal = FunctionStep(lambda K: jnp.log(jnp.cosh(4 * K)) / 2, block=2, names=("nearest",))
    >>> critical_coupling(migdal, [0.2], [0.5]).round(6)
    array([0.304689])
    """
    ends = as_couplings("low", low, step), as_couplings("high", high, step)
    sizes = [float(np.linalg.norm(end)) for end in ends]
    if not sizes[0] < sizes[1]:
        raise fail("high", "couplings of a larger norm than `low`", str(high))

    def ordered(share: float) -> bool | None:
        """The phase of a point of the line; None where it is not decided within `levels`."""
        K = ends[0] + share * (ends[1] - ends[0])
        for _ in range(levels):
            K = stepped(step, K, finite=False)
            size = float(np.linalg.norm(K))
            if not size <= sizes[1]:
                return True
            if size < sizes[0]:
                return False
        return None

    if ordered(0.0) is not False or ordered(1.0) is not True:
        raise fail("low, high", "one end in each phase", f"{low} and {high}", "move them apart")
    below, above = 0.0, 1.0
    while above - below > tolerance:
        middle = (below + above) / 2
        phase = ordered(middle)
        if phase is None:
            below = above = middle
        elif phase:
            above = middle
        else:
            below = middle
    return ends[0] + (below + above) / 2 * (ends[1] - ends[0])


def _described(step: Step, K: Float[np.ndarray, " n"]) -> FixedPoint:
    matrix = linearise(step, K)
    values = np.linalg.eigvals(matrix)
    values = values[np.argsort(-np.abs(values), kind="stable")]
    size = np.abs(values)
    with np.errstate(divide="ignore"):  # a direction that is forgotten in one step: y = −∞
        y = np.log(size) / math.log(step.block)
    return FixedPoint(K, matrix, values, y, size > 1, tuple(step.names), float(step.block))
