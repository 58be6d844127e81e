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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import jax
import numpy as np
from jax import Array
from jaxtyping import Float, PyTree
from numpy.typing import ArrayLike

from intertwine._caveats import beneath, caveat, tell
from intertwine._checks import InputError, fail, positive_int
from intertwine._shown import Shown, with_error
from intertwine.learning.study import Scalars, Study, carry_out
from intertwine.models.parameters import check_key
from intertwine.rg.defaults import BINS, SCALING_SAMPLES, SIZES, SIZES_3D, sampler_of
from intertwine.rg.montecarlo.fixed_point_verdict import known_of_potts, left_out, slow_corrections
from intertwine.rg.scaling.moments import correlated, cumulant_slope, jackknife, moments, moving
from intertwine.sampling.draw import frustrating

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


def power_law(
    sizes: ArrayLike, values: ArrayLike, errors: ArrayLike, *, omega: float | None = None
) -> PowerLaw:
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
                name, f"positive finite numbers ({L.size},), one per size", f"shape {x.shape}, or others"
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
    correlated: at which sizes the samples are few for their autocorrelation, and how, or "". notes: further
    lines of `warnings`.
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
    notes: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What qualifies ν and η, a line each."""
        slow = (caveat("untrusted", self.correlated),) if self.correlated else ()
        slow = (*slow, *self.notes)
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
        """One row per size, then the exponents with the fits that they are from."""
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


class Moments(NamedTuple):
    """chains: the samplers', by size. sums: `moments` of every bin, float64 (sizes, bins, 5)."""

    chains: tuple[Any, ...]
    sums: np.ndarray


class FiniteSizeScaling(Study[Moments, FiniteSize]):
    """Batches of every size, a bin of the jackknife a line.

    models: one of each of `sizes`, L. samples: of each size, rounded up to whole bins. omega: of the
    corrections that are counted, or None.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        models: Sequence[Any],
        sampler: PyTree,
        *,
        samples: int,
        bins: int,
        omega: float | None,
        key: Array,
    ):
        self.sizes, self.models, self.sampler = tuple(sizes), tuple(models), sampler
        self.lines = positive_int("bins", bins)
        together = sampler.chains * self.lines
        if bins < 4 or positive_int("samples", samples) < together:
            raise fail("samples", f"{sampler.chains * max(bins, 4)} or more, in four bins or more", samples)
        self.draws = -(-samples // together)
        self.omega, self.key = omega, key
        self.dimension = self.models[0].lattice.dimension
        self.states = getattr(self.models[0], "states", None)
        moments(self.models[0], np.zeros((1, self.models[0].size), np.int8))  # refuses other models

    def template(self, done: int) -> Moments:
        """A state of the structure of every other, without the burn-in."""
        quick = replace(self.sampler, burn_in=1) if hasattr(self.sampler, "burn_in") else self.sampler
        return self._fresh(quick)

    def start(self) -> Moments:
        """The state before the first batch: chains of every size after their burn-in."""
        return self._fresh(self.sampler)

    def _fresh(self, sampler: PyTree) -> Moments:
        keys = jax.random.split(jax.random.fold_in(self.key, 0), len(self.sizes))
        chains = tuple(sampler.init(model, key=key) for model, key in zip(self.models, keys, strict=True))
        return Moments(chains, np.zeros((len(self.sizes), self.lines, 5)))

    def iterate(self, state: Moments, done: int) -> Iterator[tuple[Moments, Scalars]]:
        for line in range(done, self.lines):
            chains, sums = list(state.chains), state.sums.copy()
            for k, model in enumerate(self.models):
                key = jax.random.fold_in(jax.random.fold_in(self.key, line + 1), k)
                samples, chains[k] = self.sampler.sample(model, chains[k], self.draws, key=key)
                sums[k, line] = moments(model, np.asarray(samples.configurations).reshape(-1, model.size))
            state = Moments(tuple(chains), sums)
            yield state, self._measured(sums[:, : line + 1])

    def _measured(self, sums: np.ndarray) -> Scalars:
        """The exponents from the batches so far, from the fourth on."""
        if sums.shape[1] < 4:
            return {}
        try:
            growth, decay = self._lines(*self._points(sums))
        except InputError:  # too few batches for a slope above zero
            return {}
        y_H = self.dimension + decay.exponent / 2
        return {
            "y_T": growth.exponent, "y_T_error": growth.error, "y_H": y_H, "y_H_error": decay.error / 2,
        }  # fmt: skip

    def _points(self, sums: np.ndarray) -> tuple[Any, Any]:
        """(values, errors) by size of the slope and of ⟨m²⟩."""
        return jackknife(sums, cumulant_slope), jackknife(sums, lambda m: m[..., 1])

    def _lines(
        self, slope: tuple[np.ndarray, np.ndarray], square: tuple[np.ndarray, np.ndarray]
    ) -> tuple[PowerLaw, PowerLaw]:
        growth, decay = (power_law(self.sizes, *points, omega=self.omega) for points in (slope, square))
        return growth, decay

    def finish(self, state: Moments, history: list[Scalars]) -> FiniteSize:
        slope, square = self._points(state.sums)
        # of two sizes corrections to scaling cannot be told from a system that is not critical
        why = moving(self.sizes, state.sums) if len(self.sizes) > 2 else ""
        try:
            lines = self._lines(slope, square)
        except InputError as error:
            if why:
                raise fail("family", "a system at its critical point", "one off it", why) from error
            if (unknown := ~(slope[0] > 0)).any():
                expected = "samples, of a critical system, that give −∂ ln U/∂ ln K a value above 0"
                shown = ", ".join(with_error(*pair) for pair in zip(*slope, strict=True))
                where = np.array(self.sizes)[unknown]
                remedy = f"give more; or the system orders at no K near this one (L = {where})"
                raise fail("samples", expected, shown, remedy) from error
            raise
        return FiniteSize(
            self.sizes,
            slope=slope[0],
            slope_error=slope[1],
            square=square[0],
            square_error=square[1],
            growth=lines[0],
            decay=lines[1],
            omega=self.omega,
            dimension=self.dimension,
            states=self.states,
            moving=why,
            correlated=correlated(self.sizes, state.sums),
            notes=frustrating(self.models[0], self.sampler),
        )


def finite_size(
    family: Callable[[int], Any],
    sizes: Sequence[int] | None = None,
    *,
    samples: int = SCALING_SAMPLES,
    bins: int = BINS,
    omega: float | Literal["auto"] | None = "auto",
    sampler: PyTree = None,
    progress: Callable[[Moments, Scalars], object] | None = None,
    key: Array,
) -> FiniteSize:
    """Exponents of a critical system by finite-size scaling: the numbers of `intertwine renormalize
    --exponents` with the same settings and `key = jax.random.key(seed)`.

    family: L ↦ an `Ising` model without a field (bonds of different directions may differ) or a `Potts`
    model on L^d sites, at K_c of the infinite lattice. sizes: of two or more tori, with ω three or more; None
    for 8 to 48, in three dimensions 6 to 24. samples: of each size, rounded up to whole bins, drawn and
    summed bin by bin. bins: of the jackknife; they are joined where they are shorter than the
    autocorrelation. omega: of the corrections to scaling; "auto" counts them where they are known to be slow
    (0.8 of three Potts states, 0.83 of the Ising model in three dimensions), None never. sampler: 10 chains
    of the one that `it.sample` takes for None. progress: called with the state and the numbers after each
    bin.

    Raises InputError for other models, sizes that do not grow, and samples that do not fill the bins.

    >>> from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
    >>> from intertwine.spaces.lattices import Square
    >>> torus = lambda L: Ising(Square(L, L), CRITICAL_SQUARE)
    >>> found = finite_size(torus, (4, 6, 8), samples=20_000, key=jax.random.key(0))
    >>> bool(abs(found.nu - 1) < 0.15), bool(abs(found.eta - 0.25) < 0.05)
    (True, True)
    """
    if sizes is None:
        sizes = SIZES_3D if family(SIZES_3D[0]).lattice.dimension == 3 else SIZES
    sides = tuple(positive_int("sizes", side) for side in sizes)
    if not sides:
        raise fail("sizes", "two sizes or more", sizes)
    models = [family(side) for side in sides]
    sampler = sampler_of(models[0]) if sampler is None else sampler
    if omega == "auto":
        omega = slow_corrections(getattr(models[0], "states", None), models[0].lattice.dimension)
    study = FiniteSizeScaling(
        sides, models, sampler, samples=samples, bins=bins, omega=omega, key=check_key(key)
    )
    found = carry_out(study, progress=progress)
    tell(found.warnings)
    return found
