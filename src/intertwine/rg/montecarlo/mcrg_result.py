r"""The linearised transformation of Monte Carlo renormalization, and its eigenvalues (Swendsen 1979).

    ∂⟨S_α^{(n+1)}⟩/∂K_β^{(n)} = Σ_γ ∂K_γ^{(n+1)}/∂K_β^{(n)} ∂⟨S_α^{(n+1)}⟩/∂K_γ^{(n+1)},

and both outer derivatives are covariances, C_αβ = ⟨S_α^{(n+1)} S_β^{(n)}⟩_c and A_αγ = ⟨S_α^{(n+1)}
S_γ^{(n+1)}⟩_c: T = A^{-1} C. Its largest even and odd eigenvalues give y = ln λ / ln b. Odd operators have no
mean without a field, and even and odd ones no covariance. Errors are those of a jackknife over bins (Efron
1982), which are joined where they are shorter than the autocorrelation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, PyTree

from intertwine._caveats import beneath
from intertwine._shown import Shown, with_error
from intertwine.rg.montecarlo.coupling_drift import ONE_STEP, SMALLEST, Drift, coupling_drift
from intertwine.rg.montecarlo.fixed_point_verdict import Verdict, judged, qualified
from intertwine.sampling.statistics.jackknife import jackknife_error
from intertwine.sampling.statistics.joined_bins import joined
from intertwine.spaces.lattice import Lattice

if TYPE_CHECKING:
    from intertwine.rg.montecarlo.streaming import Sums

_MAGNETIZED = 6.0
"""A magnetization of so many errors is one."""


@dataclass(frozen=True, eq=False, repr=False)
class MCRG(Shown):
    """Exponents by step and by number of couplings.

    y_T, y_H: float64 (levels, couplings): entry [n, m] from the step n → n + 1 with the first m + 1 even
    (odd, of those there are) couplings; NaN where the leading eigenvalue is not real and positive. y_T_error,
    y_H_error: one σ. even, odd: the families. matrices: the linearised transformations of the even sector,
    (levels, e, e), [α, β] = ∂K'_α/∂K_β; odd_matrices likewise. energy: Σ s s'/N of nearest neighbours (or the
    first even family) by level, (levels + 1,). block: b. sizes: the names of the lattices by level.
    nu, eta, beta and their errors: of the last step with all couplings; NaN where there is no fixed point.
    verdict: whether there is one, and why. drift: of the couplings along the relevant direction, or why it is
    not known. notes: further lines of `warnings`.
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
    verdict: Verdict
    notes: tuple[str, ...]
    drift: Drift | str

    @property
    def fixed_point(self) -> bool | None:
        """True where every sign says so, False where one contradicts, None: unjudged (`judged`)."""
        return self.verdict.fixed_point

    @property
    def reason(self) -> str:
        """Why there is a fixed point in sight, why not, or why that cannot be told."""
        return self.verdict.reason

    @property
    def warnings(self) -> tuple[str, ...]:
        """What qualifies the exponents, a line each."""
        return (*self.verdict.warnings, *self.notes)

    def table(self) -> list[str]:
        """Lines: one row per step, y_T and y_H with one coupling and with all of them."""
        last = self.y_T.shape[1]
        chosen = [0] if last == 1 else [0, last - 1]
        head = "".join(f"{f'{name}, {m + 1}':>18}" for name in ("y_T", "y_H") for m in chosen)
        lines = [f"{'step':<28}{head}     (couplings)"]
        for n in range(len(self.y_T)):
            row = f"{self.sizes[n]} → {self.sizes[n + 1].partition(':')[2]}"
            cells = [
                with_error(value[n, m], error[n, m])
                for value, error in ((self.y_T, self.y_T_error), (self.y_H, self.y_H_error))
                for m in chosen
            ]
            lines.append(f"{row:<28}" + "".join(f"{cell:>18}" for cell in cells))
        if self.fixed_point:
            lines += [f"fixed point: {self.reason}", f"{self._exponents()} at the last step"]
        else:
            verdict = "NO fixed point" if self.fixed_point is False else "not judged whether a fixed point"
            lines.append(f"{verdict}: y by step, and no exponents")
        return lines

    def __str__(self) -> str:
        """The table, and what qualifies it."""
        return beneath("\n".join(self.table()), self.warnings)

    def _exponents(self) -> str:
        named = (("ν", "nu"), ("η", "eta"), ("β", "beta"))
        cells = (with_error(getattr(self, name), getattr(self, f"{name}_error")) for _, name in named)
        return ", ".join(f"{label} = {cell}" for (label, _), cell in zip(named, cells, strict=True))


def mcrg_of_sums(
    sums: Sums,
    block: float,
    lattices: list[Lattice],
    even: tuple[str, ...],
    odd: tuple[str, ...],
    fields: Float[np.ndarray, "M n"] | None = None,
    states: int | None = None,
    unfit: str = "",
    field: bool = False,
    directions: int | None = None,
) -> MCRG:
    """The result of the sums of bins (`streaming.Sums`), whose even operators begin with `even`. fields: the
    `changes` that are counted; None where there are none. unfit: why the samples are not to be judged by.
    field: whether the system is in a field."""
    sums, correlated = joined_sums(sums)
    total = [part.sum(0) for part in sums]
    bins = range(len(sums.count))
    without = ([whole - part[k] for whole, part in zip(total, sums, strict=True)] for k in bins)
    columns, b, d = max(len(even), len(odd)), math.log(block), lattices[0].dimension
    e = len(even)
    y = _exponents(total, e, columns, b)
    replicas = np.stack([_exponents(sample, e, columns, b) for sample in without])
    error = jackknife_error(replicas)
    derived = _derived(y[:, -1, -1], d)
    derived_error = jackknife_error(np.stack([_derived(r[:, -1, -1], d) for r in replicas]))
    levels = range(len(lattices) - 1)
    A, C = _even_matrices(total)
    drift: Drift | str = "sites are not alike, or have too many terms, to know the couplings of a level"
    if fields is not None:
        n = fields.shape[1]
        T = np.stack([_solved(A[k, :n, :n], C[k, :n, :n]) for k in levels])
        wide = [min(x.extent) >= SMALLEST for x in lattices[1:]]
        drift = coupling_drift(sums.local[:, : sum(wide)], fields, T) if levels.stop > 1 else ONE_STEP
    verdict = judged(y[:, :, -1], replicas[..., -1], drift, unfit or correlated or _magnetized(sums))
    verdict, notes = qualified(verdict, states, d, field, directions)
    if verdict.fixed_point is False:
        derived, derived_error = np.full(3, np.nan), np.full(3, np.nan)
    return MCRG(
        y[0], y[1], error[0], error[1], even, odd,
        np.stack([_solved(A[n, :e, :e], C[n, :e, :e]) for n in levels]),
        np.stack([_solved(total[4][n + 1], total[5][n]) for n in levels]),
        total[1][:, 0] / total[0] / [x.size for x in lattices], block, tuple(x.name for x in lattices), d,
        int(total[0]),
        *(float(x) for pair in zip(derived, derived_error, strict=True) for x in pair),
        verdict=verdict, notes=notes, drift=drift,
    )  # fmt: skip


def joined_sums(sums: Sums) -> tuple[Any, str]:
    """Sums of bins that are joined while the first even sum or m² is correlated, and how they still are."""
    parts, correlated = joined(sums, _watched)
    return type(sums)(*parts), correlated


def _even_matrices(total: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Covariances A (levels, e, e) of level n + 1, and C of levels [n + 1, n]."""
    count, mean = total[0], total[1] / total[0]
    A = total[2][1:] / count - mean[1:, :, None] * mean[1:, None, :]
    C = total[3] / count - mean[1:, :, None] * mean[:-1, None, :]
    return A, C


def _exponents(total: list[np.ndarray], e: int, columns: int, log_b: float) -> np.ndarray:
    """(2, levels, columns): y_T and y_H with the first couplings, of e even ones."""
    A, C = _even_matrices(total)
    sectors = (A[:, :e, :e], C[:, :e, :e]), (total[4][1:] / total[0], total[5] / total[0])
    found = np.full((2, len(A), columns), np.nan)
    for k, (own, crossed) in enumerate(sectors):
        for n in range(len(A)):
            for m in range(columns):
                size = min(m + 1, own.shape[-1])
                found[k, n, m] = _leading(own[n, :size, :size], crossed[n, :size, :size]) / log_b
    return found


def _solved(own: np.ndarray, crossed: np.ndarray) -> np.ndarray:
    """own^{-1} crossed."""
    return np.linalg.lstsq(own, crossed)[0]


def _leading(own: np.ndarray, crossed: np.ndarray) -> float:
    """ln of the largest eigenvalue of own^{-1} crossed; NaN where it is not real and positive."""
    values = np.linalg.eigvals(_solved(own, crossed))
    top = values[np.argmax(np.abs(values))]
    real = abs(top.imag) <= 1e-9 * abs(top) and top.real > 0
    return math.log(top.real) if real else math.nan


def _derived(y: np.ndarray, d: int) -> np.ndarray:
    """ν = 1/y_T, η = d + 2 − 2 y_H, β = (d − y_H)/y_T."""
    y_T, y_H = y
    with np.errstate(all="ignore"):
        return np.array([1 / y_T, d + 2 - 2 * y_H, (d - y_H) / y_T])


def _magnetized(sums: Sums) -> str:
    """Whether the mean of the odd operators, taken to be zero, is not."""
    values = sums.magnetized / sums.count[:, None]
    mean, error = values.mean(0), values.std(0, ddof=1) / len(values) ** 0.5
    if (np.abs(mean) <= _MAGNETIZED * error).all():
        return ""
    return "the samples are magnetized: they are of a system in a field, or of chains that do not turn over"


def _watched(sums: PyTree) -> np.ndarray:
    """Means by bin, by which bins are joined: the first even sum, and m²."""
    return np.stack([sums[1][:, 0, 0], sums[4][:, 0, 0, 0]], 1) / sums[0][:, None]
