r"""Finite-size-scaling collapse: K_c, ν and an exponent ω from one curve for all sizes.

    A(K, L) = L^{−ω} F((K − K_c) L^{1/ν})      (Fisher & Barber 1972)

with ω = η + d − 2 for ⟨m²⟩, ω = 0 for a cumulant. F is a polynomial, fitted by weighted least squares; K_c,
1/ν and ω minimise its χ² (variable projection), and their errors are those of fits to data redrawn within
their errors.

Points of one run that is reweighted to many couplings share its samples: their errors go up and down
together, and more such points tell nothing new. Their covariance says so (`Reweighted.covariance`). Where
only standard errors are given, the points themselves tell: independent ones of one size scatter about a
smooth curve by about their errors; where they lie closer than chance allows, the points of each size are
taken as one run, and redrawn together: by one shift, and one tilt along K.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jax import Array
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._caveats import beneath, caveat, tell
from intertwine._checks import fail, positive_int
from intertwine._keys import key_words
from intertwine._shown import Shown, with_error
from intertwine.rg.scaling.finite_size import LARGEST_MISFIT

_REPETITIONS = 60
_SIGMAS = 3
_SMOOTH = 4


@dataclass(frozen=True, repr=False)
class Collapse(Shown):
    """critical, nu, omega and one σ of each (omega_error 0 where ω was given). misfit: χ² a degree of
    freedom; much more than 1 says that the data do not collapse: sizes too small, or couplings too far away.
    scaled: float64 (n, 2), x = (K − K_c) L^{1/ν} and A L^ω of every point. warnings: what to beware of.
    """

    critical: float
    critical_error: float
    nu: float
    nu_error: float
    omega: float
    omega_error: float
    misfit: float
    scaled: Float[np.ndarray, "n 2"]
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        critical = f"K_c = {with_error(self.critical, self.critical_error, '.5f')}"
        exponents = (
            f"ν = {with_error(self.nu, self.nu_error, '.3f')}, ω = {with_error(self.omega, self.omega_error)}"
        )
        return beneath(f"{critical}, {exponents}, χ²/dof = {self.misfit:.2f}", self.warnings)


def collapse(
    sizes: ArrayLike,
    couplings: ArrayLike,
    values: ArrayLike,
    errors: ArrayLike,
    *,
    start: tuple[float, float] | None = None,
    omega: float | None = None,
    degree: int = 4,
    key: Array,
) -> Collapse:
    """One curve through the points A(K, L).

    sizes, couplings, values: (n,) each: L, K and A, one per point. errors: (n,) standard errors, or the
    covariance (n, n) of points that share samples, such as
    `scipy.linalg.block_diag(*(run.covariance("m2") for run in reweighted))` of one `Reweighted` a size.
    start: (K_c, ν) to begin with; None: the middle of the couplings, and 1. omega: fixed, such as 0.0 for a
    cumulant; None: fitted too. degree: of the polynomial.

    Standard errors of points that lie closer to the curve than independent ones can are read as those of one
    run a size, and the result has the caveat "assumption".

    Raises InputError for arrays of other shapes, numbers that are not finite, errors that are not positive,
    one size alone, and fewer points than parameters.

    >>> import jax
    >>> L, K = (x.ravel() for x in np.meshgrid([8, 16, 32], np.linspace(0.42, 0.46, 9), indexing="ij"))
    >>> exact = L**-0.25 * np.exp((K - 0.4407) * L)
    >>> measured = exact * (1 + 1e-3 * np.random.default_rng(0).normal(size=27))
    >>> found = collapse(L, K, measured, 1e-3 * exact, degree=5, key=jax.random.key(0))
    >>> bool(abs(found.critical - 0.4407) < 3 * found.critical_error < 0.0006), found.warnings
    (True, ())
    """
    L, K, A, sigma = (np.asarray(x, np.float64) for x in (sizes, couplings, values, errors))
    covariance = None
    if sigma.ndim == 2:
        covariance, sigma = _checked(sigma, len(A)), np.sqrt(np.clip(np.diag(sigma), 0.0, None))
    for name, x in (("sizes", L), ("couplings", K), ("values", A), ("errors", sigma)):
        if x.ndim != 1 or x.shape != L.shape or not np.isfinite(x).all():
            raise fail(name, f"finite numbers ({L.size},), one per point", f"shape {x.shape}, or not finite")
    if (sigma <= 0).any() or (L <= 0).any():
        raise fail("errors", "positive sizes and errors", "zero or negative ones")
    if len(np.unique(L)) < 2:
        raise fail("sizes", "two sizes or more", np.unique(L).tolist())
    free = positive_int("degree", degree) + 1 + (3 if omega is None else 2)
    if len(L) <= free:
        raise fail("values", f"more than {free} points", len(L), "or a smaller degree")
    K_c, nu = (float(K.mean()), 1.0) if start is None else start
    first = [K_c, 1 / nu] + ([0.25] if omega is None else [])
    found, misfit = _fit(np.array(first), L, K, A, sigma, omega, degree)
    misfit = misfit / (len(L) - free)
    said = _unlike(float(found[0]), K, misfit)
    if covariance is None and _smoother_than_chance(L, K, A, sigma):
        covariance = _of_one_run_a_size(L, K, sigma)
        words = (
            "the points lie closer to a smooth curve than independent ones can: those of each size are taken"
            " as one run, whose errors go together; their covariance as errors is sharper"
        )
        said = (caveat("assumption", words), *said)
    tell(said)
    root = np.diag(sigma) if covariance is None else _root(covariance)
    rng = np.random.default_rng(key_words(key))
    redrawn = A + rng.standard_normal((_REPETITIONS, len(A))) @ root.T
    again = np.array([_fit(found, L, K, values, sigma, omega, degree)[0] for values in redrawn])
    spread = again.std(0, ddof=1)
    exponent = float(found[2]) if omega is None else omega
    x = (K - found[0]) * L ** found[1]
    return Collapse(
        float(found[0]), float(spread[0]), float(1 / found[1]), float(spread[1] / found[1] ** 2),
        exponent, float(spread[2]) if omega is None else 0.0,
        misfit, np.stack([x, A * L**exponent], 1), said,
    )  # fmt: skip


def _unlike(critical: float, K: np.ndarray, misfit: float) -> tuple[str, ...]:
    """The caveats of points that are not one curve, and of a K_c beyond them."""
    said = []
    if misfit > LARGEST_MISFIT:
        words = (
            f"the points do not fall on one curve: χ² is {misfit:.3g} a degree, and the errors are too small"
        )
        said.append(caveat("bad-fit", f"{words}; leave out small sizes and couplings far from K_c"))
    if not K.min() <= critical <= K.max():
        words = f"K_c = {critical:.5g} lies beyond the couplings that were given"
        said.append(caveat("untrusted", f"{words}, {K.min():.5g} to {K.max():.5g}: give others around it"))
    return tuple(said)


def _checked(covariance: np.ndarray, count: int) -> np.ndarray:
    """A covariance (n, n). Raises InputError for what is none."""
    if covariance.shape != (count, count) or not np.isfinite(covariance).all():
        got = f"shape {covariance.shape}, or not finite"
        raise fail("errors", f"standard errors ({count},) or a covariance ({count}, {count})", got)
    least = float(np.linalg.eigvalsh((covariance + covariance.T) / 2)[0])
    if not np.allclose(covariance, covariance.T) or least < -1e-8 * float(np.trace(covariance)):
        raise fail("errors", "a covariance, symmetric and without negative eigenvalues", "another matrix")
    return covariance


def _root(covariance: np.ndarray) -> np.ndarray:
    """R with R Rᵀ = covariance."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return vectors * np.sqrt(np.clip(values, 0.0, None))


def _smoother_than_chance(L: np.ndarray, K: np.ndarray, A: np.ndarray, sigma: np.ndarray) -> bool:
    """Whether χ² of a polynomial at each size alone is less than in 1 of 700 sets of independent points
    (Wilson & Hilferty 1931)."""
    total, degrees = 0.0, 0
    for size in np.unique(L):
        (own,) = np.nonzero(size == L)
        degree = min(_SMOOTH, len(own) - 2)
        if degree < 1 or np.ptp(K[own]) == 0:
            continue
        x = (2 * K[own] - K[own].max() - K[own].min()) / np.ptp(K[own])
        table = np.polynomial.chebyshev.chebvander(x, degree) / sigma[own][:, None]
        y = A[own] / sigma[own]
        rest = y - table @ np.linalg.lstsq(table, y, rcond=None)[0]
        total, degrees = total + float(rest @ rest), degrees + len(own) - degree - 1
    if degrees == 0:
        return False
    width = 2 / (9 * degrees)
    return total < degrees * max(1 - width - _SIGMAS * math.sqrt(width), 0.0) ** 3


def _of_one_run_a_size(L: np.ndarray, K: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """The covariance of points whose errors are, at each size, one random shift and one random tilt along K,
    with the standard errors as given."""
    found = np.zeros((len(L), len(L)))
    for size in np.unique(L):
        (own,) = np.nonzero(size == L)
        middle, half = (K[own].max() + K[own].min()) / 2, max(np.ptp(K[own]) / 2, math.ulp(1.0))
        modes = np.stack([np.ones(len(own)), (K[own] - middle) / half], 1)
        modes *= (sigma[own] / np.linalg.norm(modes, axis=1))[:, None]
        found[np.ix_(own, own)] = modes @ modes.T
    return found


def _fit(
    first: np.ndarray, L: np.ndarray, K: np.ndarray, A: np.ndarray, sigma: np.ndarray, omega: float | None,
    degree: int,
) -> tuple[np.ndarray, float]:  # fmt: skip
    """The parameters (K_c, 1/ν[, ω]) of least χ², and χ²."""
    from scipy.optimize import least_squares

    width = max(float(np.ptp(K)), 1e-12)

    def residuals(parameters: np.ndarray) -> np.ndarray:
        K_c, rate = first[0] + width * parameters[0], parameters[1]
        power = parameters[2] if omega is None else omega
        x = (K - K_c) * L**rate
        x = x / max(float(np.abs(x).max()), math.ulp(1.0))
        scale = L**-power / sigma
        table = np.polynomial.chebyshev.chebvander(x, degree) * scale[:, None]
        coefficients = np.linalg.lstsq(table, A / sigma, rcond=None)[0]
        return table @ coefficients - A / sigma

    begin = np.array([0.0, *first[1:]])
    solved = least_squares(residuals, begin, x_scale="jac", xtol=1e-12, ftol=1e-12)
    parameters = solved.x.copy()
    parameters[0] = first[0] + width * parameters[0]
    return parameters, float(2 * solved.cost)
