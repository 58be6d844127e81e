r"""Whether the couplings of block spins still flow: the drift along the relevant direction, step by step.

The couplings K^(n) of level n are those of the local law of its spins (`host_changes`), which compare from
level to level although the lattices shrink. With φ the left eigenvector of the linearised transformation T
to its leading eigenvalue λ > 1,

    φ·(K^(n+1) − K^(n)) = (λ − 1) u_n,      u_n = φ·(K^(n) − K*) = λ^n u_0,

so that irrelevant directions, along which K^(n) comes to rest at K* from wherever it began, drop out, and
what is left tells how far the system is from the critical surface: u = 0 on it, and nowhere else (Wegner,
Phys. Rev. B 5, 4529, 1972). All of it is in units of φ·K^(n). The first step, which leads far from the
couplings of the system itself, is left out. Errors are those of the same bins at all levels, with their
covariance.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from intertwine._checks import InputError
from intertwine.rg.montecarlo.callen import LocalFields, couplings_by_bin

SMALLEST = 4
"""On narrower lattices couplings of different distances are one and the same."""

ONE_STEP = "one step alone cannot show that anything stays the same"


class Drift(NamedTuple):
    """What the steps 2, 3, … do to the couplings along the relevant direction.

    steps: φ·(K^(n+1) − K^(n))/φ·K^(n), float64 (levels − 1,). errors: one σ of each. deviation,
    deviation_error: u/φ·K before the last step, from all of them. couplings: K^(n) from level 1 on,
    (levels, n).
    """

    steps: Float[np.ndarray, " k"]
    errors: Float[np.ndarray, " k"]
    deviation: float
    deviation_error: float
    couplings: Float[np.ndarray, "levels n"]


def coupling_drift(
    counts: Float[np.ndarray, "bins levels M"],
    fields: Float[np.ndarray, "M n"],
    matrices: Float[np.ndarray, "levels n n"],
) -> Drift | str:
    """The drift from counts of `changes` at the levels 1, 2, …; matrices: T of every step, [α, β] =
    ∂K'_α/∂K_β. Where there is none, why."""
    if counts.shape[1] < 2:
        return (
            f"couplings are compared on two levels of {SMALLEST} sites a side or more: take a larger lattice"
        )
    levels: list[tuple[np.ndarray, np.ndarray]] = []
    for level in range(counts.shape[1]):
        seen = counts[:, level].any(0)
        up = counts[:, level, seen]
        try:
            levels.append(couplings_by_bin(LocalFields(fields[seen], up, np.zeros_like(up))))
        except InputError:
            words = "its spins are ordered, or there are too few samples"
            return f"the couplings of level {level + 1} are not determined: {words}"
    values, parts, gains = [], [], []
    for n in range(1, len(levels)):
        rates, left = np.linalg.eig(matrices[n].T)
        top = int(np.argmax(np.abs(rates)))
        if abs(rates[top].imag) > 1e-9 * abs(rates[top]) or not rates[top].real > 0:
            return f"the leading even eigenvalue of step {n + 1} is not a positive number"
        phi = np.real(left[:, top])
        unit = phi @ levels[n - 1][0]
        if not abs(unit) > 1e-12:
            return f"level {n} has no couplings along the leading direction"
        values.append(phi @ (levels[n][0] - levels[n - 1][0]) / unit)
        parts.append((levels[n][1] - levels[n - 1][1]) @ phi / unit)
        gains.append(rates[top].real)
    drift, apart = np.array(values), np.stack(parts, 1)
    design = _design(gains)
    covariance = apart.T @ apart
    weights = np.linalg.pinv(covariance, hermitian=True) @ design
    known = float(design @ weights)
    if not (math.isfinite(known) and known > 0):
        return "the couplings of the levels have no errors to be judged by"
    error = known**-0.5
    couplings = np.stack([K for K, _ in levels])
    return Drift(
        drift, np.sqrt(np.diagonal(covariance)), float(weights @ drift) * error**2, float(error), couplings
    )


def _design(gains: list[float]) -> np.ndarray:
    """(λ − 1) λ^{n − last}: what a deviation 1 before the last step does in each."""
    before = np.concatenate([np.cumprod(1 / np.array(gains[:-1])[::-1])[::-1], [1.0]])
    return (np.array(gains) - 1) * before
