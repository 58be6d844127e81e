r"""Energies extrapolated to zero variance: E(σ²) = E₀ + b σ² for states near an eigenstate.

With σ² = ⟨H²⟩ − ⟨H⟩² both E − E₀ and σ² are quadratic in the distance from the eigenstate (Kwon, Ceperley &
Martin, PRB 48, 12037 (1993)). A weighted straight line; its error is the larger of what the energies' errors
and the scatter around the line say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.sampling.statistics.estimate import Estimate


class Extrapolated(NamedTuple):
    """mean and error of E₀. slope: b. residual: the largest |E − line| in errors (nan without errors)."""

    mean: float
    error: float
    slope: float
    residual: float

    def __float__(self) -> float:
        return self.mean


def at_zero_variance(
    energies: Sequence[Estimate] | ArrayLike,
    variances: ArrayLike | None = None,
    errors: ArrayLike | None = None,
) -> Extrapolated:
    """E₀ from the energies of several states of one family, by a straight line in their variances.

    energies: estimates (`run.energy`), which bring their variances and errors, or numbers with `variances`
    and perhaps `errors`. Raises InputError for fewer than 2 states, or equal variances.

    >>> round(at_zero_variance([-9.0, -9.5], [2.0, 1.0]).mean, 9)
    -10.0
    """
    if variances is None:
        rows = list(energies)  # type: ignore[arg-type]
        if not all(isinstance(row, Estimate) for row in rows):
            raise fail("variances", "one for each energy, or energies that are estimates", None)
        E, V, s = (np.array([float(np.real(getattr(row, name))) for row in rows])
                   for name in ("mean", "variance", "error"))  # fmt: skip
    else:
        E, V = np.asarray(energies, float), np.asarray(variances, float)
        s = None if errors is None else np.asarray(errors, float)
    if E.ndim != 1 or V.shape != E.shape or (s is not None and s.shape != E.shape):
        raise fail("variances", f"one for each energy, shape {E.shape}", f"shape {V.shape}")
    if len(E) < 2 or np.ptp(V) == 0:
        raise fail("energies", "at least 2 states of different variance", E)
    weighted = s is not None and bool((s > 0).all())
    sigma = s if weighted and s is not None else np.ones_like(E)
    design = np.stack([np.ones_like(V), V], axis=1)
    solve = np.linalg.pinv(design / sigma[:, None]) / sigma
    E0, slope = solve @ E
    left = (E - design @ (E0, slope)) / sigma
    spare = len(E) - 2
    scatter = float(left @ left) / spare if spare else 0.0
    variance = float(np.sum((solve[0] * sigma) ** 2))
    error = (variance * max(1.0 if weighted else 0.0, scatter)) ** 0.5
    return Extrapolated(
        float(E0), error, float(slope), float(np.abs(left).max()) if weighted else float("nan")
    )
