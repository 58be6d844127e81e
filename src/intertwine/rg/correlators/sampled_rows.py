"""β and γ from sampled correlations, with errors and χ² by jackknife."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import fdtrc

from intertwine._caveats import caveat, once
from intertwine._checks import InputError, fail
from intertwine.rg.correlators.equation import Equation, Solution
from intertwine.rg.correlators.result import CallanSymanzik
from intertwine.rg.correlators.rows import Row, collected, part_of, row_of
from intertwine.rg.correlators.spin_correlations import SpinCorrelations, joined_bins, left_out, whole
from intertwine.rg.correlators.windows import moved_windows, sampled_window
from intertwine.sampling.statistics.jackknife import jackknife_error

LONG, ORDERED = 10.0, 0.985
"""The lattice is long where it is so many correlation lengths, or so ordered (`SpinCorrelations.order`): on
the square lattice β is then within 1.5 % of that of the infinite one."""


def of_samples(found: Sequence[SpinCorrelations], window: ArrayLike | None) -> CallanSymanzik:
    """`callan_symanzik` of sampled correlations, whose warnings are not told. Of several couplings those at
    which too little is seen are left out, with a caveat."""
    r = found[0].distances
    if any(not np.array_equal(one.distances, r) for one in found):
        raise fail("correlations", "samples of one lattice", "distances of several")
    rows, notes, kept = [], [], []
    for one in found:
        if not np.isfinite(one.sums.mixed).all():
            raise fail("correlations", "finite correlations", f"others at K = {one.coupling:.6g}")
        notes += one.warnings
        try:
            rows.append(_of_samples(one, window))
            kept.append(one)
        except InputError as error:
            if len(found) == 1 or (one is found[-1] and not kept):
                raise
            notes.append(caveat("unjudged", f"K = {one.coupling:.6g} is left out: {error}"))
    lengths = np.array([row.pop("lengths") for row in rows], float)
    clear = (lengths > LONG) | (np.array([one.order for one in kept]) > ORDERED)
    return collected(np.array([one.coupling for one in kept]), r, rows, clear, tuple(once(notes)))


def _of_samples(one: SpinCorrelations, window: ArrayLike | None) -> Row:
    sums, _ = joined_bins(one.sums)
    G, slope = whole(sums)
    without, slopes = left_out(sums)
    chosen = sampled_window(one.distances, G, jackknife_error(without), one.side, window, one.coupling)
    if not (without[:, chosen] > 0).all():
        remedy = "draw more samples, or take a window of smaller r"
        raise fail(
            "correlations", "positive values in the window", f"others at K = {one.coupling:.6g}", remedy
        )
    log_g, x = np.log(G[chosen]), slope[chosen] / G[chosen]
    logs, xs = np.log(without[:, chosen]), slopes[:, chosen] / without[:, chosen]
    spread = jackknife_error(logs)
    if not spread.all():
        raise fail("correlations", "samples that differ", f"all alike at K = {one.coupling:.6g}")
    equation = Equation.at(one.distances[chosen], 1 / spread**2)

    def solved(part: np.ndarray) -> tuple[Solution, list[Solution]]:
        own = part_of(equation, part)
        pairs = zip(logs[:, part], xs[:, part], strict=True)
        return own.solve(log_g[part], x[part]), [own.solve(a, b) for a, b in pairs]

    found, others = solved(np.arange(len(chosen)))
    again = [solved(part - chosen[0])[0] for part in moved_windows(one.distances, chosen)]
    row = row_of(one.distances, chosen, equation, found, again)
    rests = np.array([other.rest for other in others])
    apart = log_g - equation.weights @ log_g / equation.weights.sum()
    noise = equation.weights @ jackknife_error(rests) ** 2 / (equation.weights @ apart**2)
    smooth = equation.departures(x)
    seen, seen_without = smooth @ found.rest, rests @ smooth.T
    bins, p = len(logs), len(seen)
    off = seen_without - seen_without.mean(0)
    covariance = (bins - 1) / bins * off.T @ off
    squared = float(seen @ np.linalg.pinv(covariance) @ seen)
    chance = float(fdtrc(p, bins - p, squared * (bins - p) / (p * (bins - 1)))) if bins > p + 1 else np.nan
    decay = -found.beta * float(x[-1])  # −∂ ln G/∂ ln r at the last r, but for the power law: r/ξ
    return row | {
        "lengths": decay * one.side / one.distances[chosen[-1]],
        "beta_error": float(jackknife_error(np.array([other.beta for other in others]))),
        "gamma_error": float(jackknife_error(np.array([other.gamma for other in others]))),
        "residual_error": float(np.sqrt(noise)),
        "chi_squared": squared,
        "degrees": p,
        "p_value": chance,
    }
