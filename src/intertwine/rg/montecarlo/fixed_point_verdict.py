r"""Whether a sampled flow is at a fixed point: one verdict from all its signs, in units of their errors.

Exponents are those of a fixed point, and a linearised transformation has eigenvalues anywhere. The signs:

    drift          the couplings stand still along the relevant direction (`coupling_drift`): the strongest
    y_T, y_H       do not change from step to step; a change that dies out is allowed, one that stays is not
    relevance      y_T > 0 by three errors
    chains, bins   have mixed, and do not know of one another

Of y the change from the first step to the second is only what later changes are compared with: the first step
begins at the system's own couplings, which are not those of the fixed point. The verdict is True where every
sign agrees, False where one contradicts, and None, unjudged, where nothing contradicts but the signs are
missing or too weak to see a deviation of `RESOLVED`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from intertwine._caveats import caveat
from intertwine.rg.montecarlo.coupling_drift import Drift
from intertwine.sampling.statistics.jackknife import jackknife_error

SIGMA = 3.0
"""So many errors of the drift are a drift."""

SIGMA_Y = 4.0
"""So many errors of a difference of exponents are a change."""

RESOLVED = 0.05
"""A deviation from the critical surface, relative and before the last step, that must be visible."""

NEGLIGIBLE = 0.004
"""One that couplings left out of the drift can make up."""

SHRINKS = 0.7
"""A change that dies out is at most this share of the change before it."""


FEWEST = 8
"""So many bins at least give an error."""


class Verdict(NamedTuple):
    """fixed_point: True, False, or None (unjudged). reason: why, in words."""

    fixed_point: bool | None
    reason: str

    @property
    def warnings(self) -> tuple[str, ...]:
        """The caveat of a verdict that is not True."""
        if self.fixed_point is None:
            return (caveat("unjudged", f"whether there is a fixed point cannot be told: {self.reason}"),)
        return () if self.fixed_point else (caveat("no-fixed-point", f"no fixed point: {self.reason}"),)


def judged(
    y: Float[np.ndarray, "2 levels"],
    without: Float[np.ndarray, "bins 2 levels"],
    drift: Drift | str,
    unfit: str = "",
) -> Verdict:
    """The verdict. y: y_T and y_H by step with all couplings; without: the same without each bin in turn.
    drift: or why there is none. unfit: why the samples are not to be judged by, or ""."""
    if not unfit and len(without) < FEWEST:
        unfit = (
            f"{len(without)} independent runs of samples are too few for errors, {FEWEST} at least are needed"
        )
    if unfit:
        return Verdict(None, unfit)
    against = _irrelevant(y[0], without[:, 0]) or _drifting(drift)
    for name, values, left in (("y_T", y[0], without[:, 0]), ("y_H", y[1], without[:, 1])):
        against = against or _changing(name, values, left)
    if against:
        return Verdict(False, against)
    if isinstance(drift, str):
        return Verdict(None, drift)
    seen = SIGMA * drift.deviation_error
    if not seen <= RESOLVED:
        words = f"a deviation of less than {seen:.0%} would not be seen; take more samples, or fewer levels"
        return Verdict(None, f"the couplings are not known well enough: {words}")
    stays = "the couplings, y_T and y_H stay the same from step to step"
    return Verdict(True, f"{stays}; a deviation of {max(seen, NEGLIGIBLE):.1%} would be seen")


def qualified(
    verdict: Verdict, states: int | None, dimension: int, field: bool = False, directions: int | None = None
) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict, and notes, with what is known beforehand of fields, Potts models, clocks (of so many
    `directions`) and three dimensions.

    In three dimensions majorities approach the fixed point as 2^{−0.8 n} (Baillie et al., Phys. Rev. B 45,
    10438, 1992): steps that agree within their errors are still some percent off it, and no lattice that can
    be sampled has room for many more.
    """
    if verdict.fixed_point is False:
        return verdict, ()
    if field:
        words = "a field is a relevant direction, in which even and odd operators mix"
        return Verdict(False, f"the system is in a field: {words}"), ()
    known = known_of_potts(states, dimension) or known_of_clocks(directions, dimension)
    if known and (verdict.fixed_point or "first order" in known):
        return Verdict(False if "first order" in known else None, known), ()
    if dimension == 3:
        words = "in three dimensions corrections to blocks of few steps die out slowly"
        reason = f"{words}: y_T, y_H and the exponents are off by some percent, more than their errors"
        if verdict.fixed_point:
            return Verdict(None, reason), ()
        return verdict, (caveat("assumption", reason),)
    return verdict, ()


def slow_corrections(states: int | None, dimension: int) -> float | None:
    """ω of corrections to scaling L^{−ω} that are too large to leave out, None where there are none.

    4/5 of Potts models of three states in two dimensions (Nienhuis, J. Phys. A 15, 199, 1982), 0.83 of the
    Ising model in three (Hasenbusch, Phys. Rev. B 82, 174433, 2010).

    >>> slow_corrections(3, 2), slow_corrections(None, 3), slow_corrections(None, 2)
    (0.8, 0.83, None)
    """
    return {(3, 2): 0.8, (2, 3): 0.83}.get((2 if states is None else states, dimension))


def left_out(states: int | None, dimension: int, omega: float | None) -> tuple[str, ...]:
    """The caveat of exponents that were taken without slow corrections (ω None); () where that is right."""
    known = slow_corrections(states, dimension)
    if known is None or omega is not None:
        return ()
    words = f"corrections to scaling fall only as L^−{known:g} here, and are left out"
    return (
        caveat("assumption", f"{words}: ν and η can be off by more than their errors; give omega={known:g}"),
    )


def known_of_potts(states: int | None, dimension: int) -> str:
    """Why a Potts model has no exponents to be measured at its transition, or "".

    Of q > 4 states in two dimensions (Baxter, J. Phys. C 6, L445, 1973), and q > 2 in three, the transition
    is of first order. At q = 4 a marginal coupling dies out as 1/ln L only (Nauenberg & Scalapino, Phys. Rev.
    Lett. 44, 837, 1980).

    >>> known_of_potts(5, 2)
    'Potts models of 5 states in 2 dimensions have a transition of first order: it has no critical exponents'
    >>> known_of_potts(3, 2)
    ''
    """
    q = 2 if states is None else states
    if q > {2: 4, 3: 2}.get(dimension, q):
        words = f"Potts models of {q} states in {dimension} dimensions have a transition of first order"
        return f"{words}: it has no critical exponents"
    if q == 4 and dimension == 2:
        words = "at 4 Potts states a marginal coupling dies out as 1/ln L only"
        return f"{words}: exponents of lattices that can be sampled are off by more than their errors"
    return ""


def known_of_clocks(directions: int | None, dimension: int) -> str:
    """Why a clock has no ν to be measured, or "".

    Of five directions and more, in two dimensions, every point between two Kosterlitz-Thouless transitions is
    critical (José, Kadanoff, Kirkpatrick & Nelson, Phys. Rev. B 16, 1217, 1977): the temperature is marginal,
    and steps seem to stay as they are wherever one looks.

    >>> known_of_clocks(4, 2), known_of_clocks(5, 2)[:38]
    ('', 'clocks of 5 directions in two dimensio')
    """
    if directions is None or directions < 5 or dimension != 2:
        return ""
    words = f"clocks of {directions} directions in two dimensions are critical over a whole phase"
    return f"{words}, between two Kosterlitz-Thouless transitions: the temperature is marginal, there is no ν"


def _irrelevant(y_T: np.ndarray, without: np.ndarray) -> str:
    if not np.isfinite(y_T).all():
        return "the leading even eigenvalue is not a positive number at every step"
    error = float(jackknife_error(without[:, -1]))
    if not y_T[-1] > SIGMA * error:
        shown = f"y_T = {y_T[-1]:.3f} ± {error:.3f}" if math.isfinite(error) else f"y_T = {y_T[-1]:.3f} ± ?"
        return f"no relevant even direction is left: {shown} at the last step"
    return ""


def _drifting(drift: Drift | str) -> str:
    if isinstance(drift, str):
        return ""
    size, error = drift.deviation, drift.deviation_error
    if abs(size) <= max(SIGMA * error, NEGLIGIBLE + SIGMA / 2 * error):
        return ""
    where = "to order" if size > 0 else "to disorder"
    return f"the couplings flow {where}: before the last step they are off by {size:+.1%} ± {error:.1%}"


def _changing(name: str, y: np.ndarray, without: np.ndarray) -> str:
    """A change after the first that is seen and does not die out."""
    change = np.diff(y)
    error = np.asarray(jackknife_error(np.diff(without, axis=1)))
    for n in range(1, len(change)):
        allowed = SIGMA_Y * error[n] + SHRINKS * abs(change[n - 1])
        if not abs(change[n]) <= allowed:
            return (
                f"{name} goes on changing, from {y[n]:.4f} to {y[n + 1]:.4f} at step {n + 2},"
                f" by {change[n]:+.4f} ± {error[n]:.4f}"
            )
    return ""
