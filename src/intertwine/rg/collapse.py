r"""Finite-size-scaling collapse: K_c, ν and an exponent ω from one curve for all sizes.

    A(K, L) = L^{−ω} F((K − K_c) L^{1/ν})      (Fisher & Barber 1972)

with ω = η + d − 2 for ⟨m²⟩, ω = 0 for a cumulant. F is a polynomial, fitted by weighted least squares; K_c,
1/ν and ω minimise its χ² (variable projection), and their errors are those of fits to data redrawn within
their errors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail, positive_int
from intertwine.sampling.keys import key_words

_REPETITIONS = 60


@dataclass(frozen=True)
class Collapse:
    """critical, nu, omega and one σ of each (omega_error 0 where ω was given). misfit: χ² a degree of
    freedom; much more than 1 says that the data do not collapse: sizes too small, or couplings too far away.
    scaled: float64 (n, 2), x = (K − K_c) L^{1/ν} and A L^ω of every point.
    """

    critical: float
    critical_error: float
    nu: float
    nu_error: float
    omega: float
    omega_error: float
    misfit: float
    scaled: Float[np.ndarray, "n 2"]

    def __str__(self) -> str:
        critical = f"K_c = {self.critical:.5f} ± {self.critical_error:.5f}"
        exponents = f"ν = {self.nu:.3f} ± {self.nu_error:.3f}, ω = {self.omega:.4f} ± {self.omega_error:.4f}"
        return f"{critical}, {exponents}, χ²/dof = {self.misfit:.2f}"


def collapse(
    sizes: Any,
    couplings: Any,
    values: Any,
    errors: Any,
    *,
    start: tuple[float, float] | None = None,
    omega: float | None = None,
    degree: int = 4,
    key: Array,
) -> Collapse:
    """One curve through the points A(K, L).

    sizes, couplings, values, errors: (n,) each: L, K, A and its standard error, one a point. start: (K_c, ν)
    to begin with; None: the middle of the couplings, and 1. omega: fixed, such as 0.0 for a cumulant; None:
    fitted too. degree: of the polynomial.

    Raises InputError for arrays of other shapes, numbers that are not finite, errors that are not positive,
    one size alone, and fewer points than parameters.

    >>> import jax
    >>> L, K = (x.ravel() for x in np.meshgrid([8, 16, 32], np.linspace(0.42, 0.46, 9), indexing="ij"))
    >>> exact = L**-0.25 * np.exp((K - 0.4407) * L)
    >>> print(collapse(L, K, exact, 1e-3 * exact, degree=5, key=jax.random.key(0)))
    K_c = 0.44070 ± 0.00010, ν = 1.000 ± 0.003, ω = 0.2500 ± 0.0018, χ²/dof = 0.00
    """
    L, K, A, sigma = (np.asarray(x, np.float64) for x in (sizes, couplings, values, errors))
    for name, x in (("sizes", L), ("couplings", K), ("values", A), ("errors", sigma)):
        if x.ndim != 1 or x.shape != L.shape or not np.isfinite(x).all():
            raise fail(name, f"finite numbers ({L.size},), one a point", f"shape {x.shape}, or not finite")
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
    rng = np.random.default_rng(key_words(key))
    again = np.array(
        [
            _fit(found, L, K, A + sigma * rng.standard_normal(len(A)), sigma, omega, degree)[0]
            for _ in range(_REPETITIONS)
        ]
    )
    spread = again.std(0, ddof=1)
    exponent = float(found[2]) if omega is None else omega
    x = (K - found[0]) * L ** found[1]
    return Collapse(
        float(found[0]), float(spread[0]), float(1 / found[1]), float(spread[1] / found[1] ** 2),
        exponent, float(spread[2]) if omega is None else 0.0,
        misfit / (len(L) - free), np.stack([x, A * L**exponent], 1),
    )  # fmt: skip


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
