r"""The linearised transformation of Monte Carlo renormalization, and its eigenvalues (Swendsen 1979).

    ∂⟨S_α^{(n+1)}⟩/∂K_β^{(n)} = Σ_γ ∂K_γ^{(n+1)}/∂K_β^{(n)} ∂⟨S_α^{(n+1)}⟩/∂K_γ^{(n+1)},

and both outer derivatives are covariances, C_αβ = ⟨S_α^{(n+1)} S_β^{(n)}⟩_c and A_αγ = ⟨S_α^{(n+1)}
S_γ^{(n+1)}⟩_c: T = A^{-1} C. Its largest even and odd eigenvalues give y = ln λ / ln b. Odd operators have no
mean without a field, and even and odd ones no covariance. Errors are those of a jackknife over bins (Efron
1982), which are to be longer than the autocorrelation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from intertwine.sampling.jackknife import jackknife_error
from intertwine.spaces.lattice import Lattice

DRIFT = 0.1
"""A change of y_T from one step to the next beyond which there is no fixed point in sight."""


@dataclass(frozen=True, eq=False)
class MCRG:
    """Exponents by step and by number of couplings.

    y_T, y_H: float64 (levels, couplings): entry [n, m] from the step n → n + 1 with the first m + 1 even
    (odd, of those there are) couplings; NaN where the leading eigenvalue is not real and positive. y_T_error,
    y_H_error: one σ. even, odd: the families. matrices: the linearised transformations of the even sector,
    (levels, e, e), [α, β] = ∂K'_α/∂K_β; odd_matrices likewise. energy: Σ s s'/N of nearest neighbours (or the
    first even family) by level, (levels + 1,). block: b. sizes: the names of the lattices by level.
    nu, eta, beta and their errors: of the last step with all couplings.
    """

    y_T: Float[np.ndarray, "levels couplings"]
    y_H: Float[np.ndarray, "levels couplings"]
    y_T_error: Float[np.ndarray, "levels couplings"]
    y_H_error: Float[np.ndarray, "levels couplings"]
    even: tuple[str, ...]
    odd: tuple[str, ...]
    matrices: Float[np.ndarray, "levels e e"]
    odd_matrices: Float[np.ndarray, "levels o o"]
    energy: Float[np.ndarray, " levels+1"]
    block: float
    sizes: tuple[str, ...]
    dimension: int
    samples: int
    nu: float
    nu_error: float
    eta: float
    eta_error: float
    beta: float
    beta_error: float

    @property
    def fixed_point(self) -> bool:
        """Whether the steps settle: see `reason`."""
        return not self._trouble()

    @property
    def reason(self) -> str:
        """Why there is a fixed point in sight, or why not."""
        return self._trouble() or "y_T stays the same from step to step, within its errors or a tenth"

    def _trouble(self) -> str:
        y, error = self.y_T[:, -1], self.y_T_error[:, -1]
        if not np.isfinite(y).all():
            return "the leading even eigenvalue is not a positive number at every step"
        if y[-1] < 3 * error[-1] or y[-1] <= 0:
            return f"no relevant even direction is left: y_T = {y[-1]:.3f} ± {error[-1]:.3f} at the last step"
        if len(y) < 2:
            return "one step alone cannot show that anything stays the same"
        change, allowed = abs(y[-1] - y[-2]), max(DRIFT, 3 * math.hypot(error[-1], error[-2]))
        if change > allowed:
            return f"y_T goes on changing, from {y[-2]:.3f} to {y[-1]:.3f} at the last step"
        return ""

    def __str__(self) -> str:
        """The table: a row a step, y_T and y_H with one coupling and with all of them."""
        last = self.y_T.shape[1]
        chosen = [0] if last == 1 else [0, last - 1]
        head = "".join(f"{f'{name}, {m + 1}':>18}" for name in ("y_T", "y_H") for m in chosen)
        lines = [f"{'step':<28}{head}     (couplings)"]
        for n in range(len(self.y_T)):
            row = f"{self.sizes[n]} → {self.sizes[n + 1].partition(':')[2]}"
            cells = [
                _cell(value[n, m], error[n, m])
                for value, error in ((self.y_T, self.y_T_error), (self.y_H, self.y_H_error))
                for m in chosen
            ]
            lines.append(f"{row:<28}" + "".join(f"{cell:>18}" for cell in cells))
        lines.append(
            f"ν = {_cell(self.nu, self.nu_error)}, η = {_cell(self.eta, self.eta_error)}, "
            f"β = {_cell(self.beta, self.beta_error)} at the last step; "
            + ("fixed point: " if self.fixed_point else "NO fixed point: ")
            + self.reason
        )
        return "\n".join(lines)


def mcrg_of_sums(
    sums: Any, block: float, lattices: list[Lattice], even: tuple[str, ...], odd: tuple[str, ...]
) -> MCRG:
    """The result of the sums of bins (`streaming.Sums`)."""
    total = [part.sum(0) for part in sums]
    bins = range(len(sums.count))
    without = ([whole - part[k] for whole, part in zip(total, sums, strict=True)] for k in bins)
    columns, b, d = max(len(even), len(odd)), math.log(block), lattices[0].dimension
    y = _exponents(total, columns, b)
    replicas = np.stack([_exponents(sample, columns, b) for sample in without])
    error = jackknife_error(replicas)
    derived = _derived(y[:, -1, -1], d)
    derived_error = jackknife_error(np.stack([_derived(r[:, -1, -1], d) for r in replicas]))
    levels = range(len(lattices) - 1)
    A, C = _even_matrices(total)
    return MCRG(
        y[0], y[1], error[0], error[1], even, odd,
        np.stack([np.linalg.lstsq(A[n], C[n])[0] for n in levels]),
        np.stack([np.linalg.lstsq(total[4][n + 1], total[5][n])[0] for n in levels]),
        total[1][:, 0] / total[0] / [x.size for x in lattices], block, tuple(x.name for x in lattices), d,
        int(total[0]),
        *(float(x) for pair in zip(derived, derived_error, strict=True) for x in pair),
    )  # fmt: skip


def _even_matrices(total: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Covariances A (levels, e, e) of level n + 1, and C of levels [n + 1, n]."""
    count, mean = total[0], total[1] / total[0]
    A = total[2][1:] / count - mean[1:, :, None] * mean[1:, None, :]
    C = total[3] / count - mean[1:, :, None] * mean[:-1, None, :]
    return A, C


def _exponents(total: list[np.ndarray], columns: int, log_b: float) -> np.ndarray:
    """(2, levels, columns): y_T and y_H with the first couplings."""
    A, C = _even_matrices(total)
    sectors = (A, C), (total[4][1:] / total[0], total[5] / total[0])
    found = np.full((2, len(A), columns), np.nan)
    for k, (own, crossed) in enumerate(sectors):
        for n in range(len(A)):
            for m in range(columns):
                size = min(m + 1, own.shape[-1])
                found[k, n, m] = _leading(own[n, :size, :size], crossed[n, :size, :size]) / log_b
    return found


def _leading(own: np.ndarray, crossed: np.ndarray) -> float:
    """ln of the largest eigenvalue of own^{-1} crossed; NaN where it is not real and positive."""
    values = np.linalg.eigvals(np.linalg.lstsq(own, crossed)[0])
    top = values[np.argmax(np.abs(values))]
    real = abs(top.imag) <= 1e-9 * abs(top) and top.real > 0
    return math.log(top.real) if real else math.nan


def _derived(y: np.ndarray, d: int) -> np.ndarray:
    """ν = 1/y_T, η = d + 2 − 2 y_H, β = (d − y_H)/y_T."""
    y_T, y_H = y
    with np.errstate(all="ignore"):
        return np.array([1 / y_T, d + 2 - 2 * y_H, (d - y_H) / y_T])


def _cell(value: float, error: float) -> str:
    if not math.isfinite(value):
        return "—"
    return f"{value:.4f} ± {error:.4f}"
