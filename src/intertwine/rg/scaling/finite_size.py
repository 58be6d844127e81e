r"""Finite-size scaling at the critical point: ν and η from the growth of moments with L.

On tori of side L at K_c of the infinite lattice, with m² the square of the order parameter,

    ⟨m²⟩ ~ L^{−(d − 2 + η)},      D_k = ∂ ln⟨m^k⟩/∂ ln K = ⟨m^k ln Ψ⟩/⟨m^k⟩ − ⟨ln Ψ⟩ ~ L^{1/ν},      k = 2, 4,

(Fisher & Barber 1972; Ferrenberg & Landau, Phys. Rev. B 44, 5081, 1991); ln K moves all couplings together,
in fixed ratios. 2 D_2 − D_4 = −∂ ln U/∂ ln K is the slope of the cumulant U = ⟨m⁴⟩/⟨m²⟩² (Binder 1981), in
which smooth backgrounds cancel. Where corrections to scaling are known to fall as L^{−ω}, the lines

    ln y = p ln L + c + a L^{−ω}

count them; else a = 0, and small sizes are left out while the line does not describe them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._caveats import beneath, caveat, tell
from intertwine._checks import InputError, fail, positive_int
from intertwine._shown import Shown, with_error
from intertwine.models.spins.ising import Ising
from intertwine.models.spins.potts import Potts
from intertwine.models.spins.spin_terms import linked_bonds
from intertwine.rg.joined_bins import joined
from intertwine.rg.montecarlo.fixed_point_verdict import known_of_potts, left_out
from intertwine.rg.terms.host_terms import equal_sums, product_sums
from intertwine.sampling.draw import spin_sampler
from intertwine.sampling.statistics.jackknife import jackknife_error

CORRECTED = 0.03
"""d ln U/d ln L of corrections to scaling, at most."""

LARGEST_MISFIT = 2.0
"""χ² a degree of freedom beyond which the smallest size is left out."""


class PowerLaw(NamedTuple):
    """y = e^c L^p (1 + …) from the sizes of index `first` on.

    exponent, error: p and one σ, which is widened by √misfit where that is above 1. constant: c.
    correction: a, 0 without ω. first: the index of the smallest size in the fit. misfit: χ² a degree of
    freedom; NaN where there is none.
    """

    exponent: float
    error: float
    constant: float
    correction: float
    first: int
    misfit: float


def power_law(sizes: Any, values: Any, errors: Any, *, omega: float | None = None) -> PowerLaw:
    """The weighted straight line of ln y in ln L, with a L^{−ω} where ω is given.

    sizes, values, errors: (n,), L increasing, y > 0 and its standard errors. omega: ω > 0, or None. Small
    sizes are left out while χ² is above 2 a degree of freedom and a degree remains.

    Raises InputError for arrays of other shapes or signs, and fewer sizes than parameters.

    >>> L = np.array([8, 16, 32, 64])
    >>> fit = power_law(L, 3 * L**-0.25 * np.exp(L**-0.8), np.full(4, 1e-3), omega=0.8)
    >>> round(fit.exponent, 6), round(fit.correction, 6), fit.first
    (-0.25, 1.0, 0)
    """
    L, y, sigma = (np.asarray(x, np.float64) for x in (sizes, values, errors))
    for name, x in (("sizes", L), ("values", y), ("errors", sigma)):
        if x.ndim != 1 or x.shape != L.shape or not (np.isfinite(x).all() and (x > 0).all()):
            raise fail(
                name, f"positive finite numbers ({L.size},), one a size", f"shape {x.shape}, or others"
            )
    if omega is not None and not (math.isfinite(omega) and omega > 0):
        raise fail("omega", "a positive number, or None", omega)
    free = 2 if omega is None else 3
    if len(L) < free or (np.diff(L) <= 0).any():
        raise fail("sizes", f"{free} increasing sizes or more", L.tolist())
    columns = np.stack([np.log(L), np.ones_like(L)] + ([] if omega is None else [L**-omega]), 1)
    weight = y / sigma
    found, covariance, first, misfit = columns[0], np.eye(free), 0, math.nan
    for first in range(max(1, len(L) - free)):
        table, target = columns[first:] * weight[first:, None], np.log(y[first:]) * weight[first:]
        found, *_ = np.linalg.lstsq(table, target)
        covariance = np.linalg.pinv(table.T @ table)
        degrees = len(target) - free
        misfit = float(((table @ found - target) ** 2).sum() / degrees) if degrees else math.nan
        if not misfit > LARGEST_MISFIT:
            break
    error = math.sqrt(covariance[0, 0] * (max(1.0, misfit) if math.isfinite(misfit) else 1.0))
    return PowerLaw(
        float(found[0]), error, float(found[1]), 0.0 if omega is None else float(found[2]), first, misfit
    )


def chi_squared(fit: PowerLaw) -> str:
    """How well a line describes its points, in words.

    >>> chi_squared(power_law([8, 16], [1.0, 2.0], [0.1, 0.1]))
    'no degree of freedom for χ²'
    """
    return "no degree of freedom for χ²" if math.isnan(fit.misfit) else f"χ²/dof = {fit.misfit:.2f}"


@dataclass(frozen=True, eq=False, repr=False)
class FiniteSize(Shown):
    """ν and η of a critical point.

    sizes: L. slope, slope_error: 2 D_2 − D_4; square, square_error: ⟨m²⟩, float64 (n,) by size. growth: the
    line of `slope`, 1/ν; decay: of `square`, −(d − 2 + η). omega: of the corrections, or None.
    states: q of Potts models, else None. moving: how the system shows that it is not critical, or "".
    correlated: at which sizes the samples are few for their autocorrelation, and how, or "".
    """

    sizes: tuple[int, ...]
    slope: Float[np.ndarray, " n"]
    slope_error: Float[np.ndarray, " n"]
    square: Float[np.ndarray, " n"]
    square_error: Float[np.ndarray, " n"]
    growth: PowerLaw
    decay: PowerLaw
    omega: float | None
    dimension: int
    states: int | None = None
    moving: str = ""
    correlated: str = ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What qualifies ν and η, a line each."""
        slow = (caveat("untrusted", self.correlated),) if self.correlated else ()
        if self.moving:
            return (caveat("no-fixed-point", f"the system is not critical: {self.moving}"), *slow)
        known = known_of_potts(self.states, self.dimension)
        if self.first_order:
            return (caveat("no-fixed-point", known), *slow)
        fits = (("−∂ ln U/∂ ln K", self.growth), ("⟨m²⟩", self.decay))
        bad = [
            caveat(
                "bad-fit",
                f"the line of {title} does not describe its points: χ² is {fit.misfit:.1f} a degree",
            )
            for title, fit in fits
            if fit.misfit > LARGEST_MISFIT
        ]
        if math.isnan(self.growth.misfit):
            words = f"{len(self.sizes)} sizes are as many as the line has parameters"
            bad.append(
                caveat("unjudged", f"{words}: nothing tells whether it describes them; give more sizes")
            )
        said = (caveat("assumption", known),) if known else left_out(self.states, self.dimension, self.omega)
        return (*said, *bad, *slow)

    @property
    def first_order(self) -> bool:
        """Whether the transition is known to be of first order: it has no exponents."""
        return "first order" in known_of_potts(self.states, self.dimension)

    @property
    def nu(self) -> float:
        """ν; NaN where the system is not critical, and at transitions of first order."""
        return math.nan if self.moving or self.first_order else 1 / self.growth.exponent

    @property
    def nu_error(self) -> float:
        """One σ of ν."""
        return self.growth.error * self.nu**2

    @property
    def eta(self) -> float:
        """η; NaN where the system is not critical, and at transitions of first order."""
        return math.nan if self.moving or self.first_order else 2 - self.dimension - self.decay.exponent

    @property
    def eta_error(self) -> float:
        """One σ of η."""
        return math.nan if self.moving or self.first_order else self.decay.error

    def __str__(self) -> str:
        """A row a size, then the exponents with the fits that they are from."""
        lines = [f"{'L':>5} {'−∂ ln U/∂ ln K':>22} {'⟨m²⟩':>24}"]
        for row in zip(self.sizes, self.slope, self.slope_error, self.square, self.square_error, strict=True):
            slope, square = with_error(row[1], row[2]), with_error(row[3], row[4], ".6f")
            lines.append(f"{row[0]:5} {slope:>22} {square:>24}")
        for name, value, error, fit in (
            ()
            if self.moving or self.first_order
            else (
                ("ν", self.nu, self.nu_error, self.growth),
                ("η", self.eta, self.eta_error, self.decay),
            )
        ):
            start = f"from L = {self.sizes[fit.first]} on"
            lines.append(f"{name} = {with_error(value, error)}, {start}, {chi_squared(fit)}")
        return beneath("\n".join(lines), self.warnings)


def finite_size(
    family: Callable[[int], Any],
    sizes: Sequence[int] = (8, 12, 16, 24, 32, 48, 64),
    *,
    samples: int = 100_000,
    bins: int = 50,
    omega: float | None = None,
    sampler: Any = None,
    key: Array,
) -> FiniteSize:
    """Exponents of a critical system by finite-size scaling.

    family: L ↦ an `Ising` model without a field or a `Potts` model on L^d sites, at K_c of the infinite
    lattice. sizes: of two or more tori, with ω three or more. samples: of each size, drawn and summed bin by
    bin. bins: of the jackknife; each is to be longer than the autocorrelation. omega: of the corrections to
    scaling, where it is known. sampler: 20 chains of the one that `it.sample` takes for None.

    Raises InputError for other models, sizes that do not grow, and samples that do not fill the bins.

    >>> from intertwine.models.spins.ising import CRITICAL_SQUARE
    >>> from intertwine.spaces.lattices import Square
    >>> torus = lambda L: Ising(Square(L, L), CRITICAL_SQUARE)
    >>> found = finite_size(torus, (4, 6, 8), samples=20_000, key=jax.random.key(0))
    >>> bool(abs(found.nu - 1) < 0.15), bool(abs(found.eta - 0.25) < 0.05)
    (True, True)
    """
    sides = tuple(positive_int("sizes", side) for side in sizes)
    sampler = spin_sampler(family(sides[0]), chains=20) if sampler is None and sides else sampler
    measured, dimension, model = [], 0, None
    for k, side in enumerate(sides):
        model = family(side)
        dimension = model.lattice.dimension
        measured.append(
            critical_moments(model, samples, bins, sampler=sampler, key=jax.random.fold_in(key, k))
        )
    moments = np.stack(measured)
    slope, square = jackknife(moments, cumulant_slope), jackknife(moments, lambda m: m[..., 1])
    why = moving(sides, moments)
    try:
        lines = power_law(sides, *slope, omega=omega), power_law(sides, *square, omega=omega)
    except InputError as error:
        if why:
            raise fail("family", "a system at its critical point", "one off it", why) from error
        if (unknown := ~(slope[0] > 0)).any():
            expected = "samples, of a critical system, that give −∂ ln U/∂ ln K a value above 0"
            shown = ", ".join(with_error(*pair) for pair in zip(*slope, strict=True))
            remedy = f"give more; or the system orders at no K near this one (L = {np.array(sides)[unknown]})"
            raise fail("samples", expected, shown, remedy) from error
        raise
    states = getattr(model, "states", None)
    slow = correlated(sides, moments)
    found = FiniteSize(sides, *slope, *square, *lines, omega, dimension, states, why, slow)
    tell(found.warnings)
    return found


def critical_moments(
    model: Any, samples: int, bins: int, *, sampler: Any, key: Array
) -> Float[np.ndarray, "bins 5"]:
    """Means of ln Ψ, m², m⁴, m² ln Ψ, m⁴ ln Ψ in each bin; only one bin of configurations is held at a time.

    Raises InputError for models other than `Ising` without a field and `Potts`, and samples that do not fill
    the bins.
    """
    per_chain = positive_int("samples", samples) // (sampler.chains * positive_int("bins", bins))
    if per_chain < 1 or bins < 4:
        raise fail("samples", f"{sampler.chains * max(bins, 4)} or more, in four bins or more", samples)
    begin, run = jax.random.split(key)
    state, found = sampler.init(model, key=begin), np.empty((bins, 5))
    for k in range(bins):
        drawn, state = sampler.sample(model, state, per_chain, key=jax.random.fold_in(run, k))
        weight, square = _observed(model, np.asarray(drawn.configurations).reshape(-1, model.size))
        columns = weight, square, square**2, square * weight, square**2 * weight
        found[k] = [column.mean() for column in columns]
    return found


def cumulant_slope(moments: np.ndarray) -> np.ndarray:
    """2 D_2 − D_4 of moments (..., 5)."""
    return 2 * moments[..., 3] / moments[..., 1] - moments[..., 4] / moments[..., 2] - moments[..., 0]


def moving(sizes: Sequence[int], moments: np.ndarray) -> str:
    """How U = ⟨m⁴⟩/⟨m²⟩² of bins of moments (sizes, bins, 5) grows or falls with L, in words; "" where it
    stays the same, as it does at a critical point alone (Binder, Z. Phys. B 43, 119, 1981).

    The slope of ln U against ln L over the larger sizes, beyond four errors and what corrections do.
    """
    values, errors = jackknife(moments, lambda m: np.log(m[..., 2] / m[..., 1] ** 2))
    start = min(len(sizes) // 2, max(len(sizes) - 3, 0))
    x, y, weights = np.log(np.asarray(sizes, float))[start:], values[start:], 1 / errors[start:] ** 2
    if len(x) < 2 or not np.isfinite(weights).all():
        return ""
    x = x - weights @ x / weights.sum()
    slope, error = float(weights * x @ y / (weights * x @ x)), float((weights * x @ x) ** -0.5)
    if abs(slope) <= max(4 * error, CORRECTED):
        return ""
    where = "disorder" if slope > 0 else "order"
    return (
        f"⟨m⁴⟩/⟨m²⟩² goes to that of {where}, as L^({slope:+.3f} ± {error:.3f}), and is not the same at all L"
    )


def jackknife(moments: np.ndarray, of: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """A function of means and one σ, float64 (n,) each, of bins (n, bins, 5), which are joined where they are
    correlated."""
    errors = []
    for bins in moments:
        sums, count = _joined(bins)[0]
        without = (sums.sum(0) - sums) / (count.sum() - count)[:, None]
        errors.append(jackknife_error(of(without)))
    return of(moments.mean(1)), np.array(errors)


def correlated(sizes: Sequence[int], moments: np.ndarray) -> str:
    """The sizes whose bins of moments (sizes, bins, 5) are few for their autocorrelation, and how, or ""."""
    found = {side: words for side, bins in zip(sizes, moments, strict=True) if (words := _joined(bins)[1])}
    if not found:
        return ""
    return f"at L = {', '.join(map(str, found))} {list(found.values())[-1]}"


def _joined(bins: np.ndarray) -> tuple[tuple[np.ndarray, ...], str]:
    """Sums and numbers of bins of moments (bins, 5), joined by ⟨ln Ψ⟩, ⟨m²⟩ and ⟨m⁴⟩."""
    return joined((bins, np.ones(len(bins))), lambda sums: sums[0][:, :3] / sums[1][:, None])


def _observed(model: Any, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """ln Ψ and m² of configurations (n, N), float64 (n,)."""
    N = model.size
    if isinstance(model, Potts) and not float(model.field):
        q, alone = model.states, np.arange(N, dtype=np.int32)[:, None]
        equal = equal_sums(rows, linked_bonds(model.lattice)[0], q).sum(1)
        shares = equal_sums(rows, alone, q) / N
        return float(model.coupling) * equal, (q * (shares**2).sum(1) - 1) / (q - 1)
    if isinstance(model, Ising) and model.coupling.ndim == 0 and not np.asarray(model.field).any():
        weight = float(model.coupling) * product_sums(rows, linked_bonds(model.lattice)[0])
        for terms, strength in zip(model.terms, np.asarray(model.strengths), strict=True):
            weight += float(strength) * product_sums(rows, terms.sites)
        return weight, (rows.sum(1, dtype=np.int64) / N) ** 2
    raise fail("family", "Ising models of one K without a field, or Potts models without one", model)
