"""β and γ from exact correlators, a row a coupling."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._caveats import caveat
from intertwine._checks import fail
from intertwine.rg.correlators.equation import Equation
from intertwine.rg.correlators.result import CallanSymanzik
from intertwine.rg.correlators.rows import collected, numbers, part_of, row_of
from intertwine.rg.correlators.windows import exact_window, moved_windows

_STENCIL = 7
"""Rows that a derivative in K is taken from, at most."""

_ROUGH = 0.02
"""Relative difference of derivatives from so many rows and from two fewer that is told."""


def of_exact(
    correlations: object,
    couplings: object,
    distances: ArrayLike,
    derivatives: object,
    window: ArrayLike | None,
) -> CallanSymanzik:
    r = numbers("distances", distances)
    if r.ndim != 1 or len(r) < 4 or r[0] <= 0 or (np.diff(r) <= 0).any():
        raise fail("distances", "four growing positive numbers or more", distances)
    G = np.atleast_2d(numbers("correlations", correlations))
    if G.ndim != 2 or G.shape[1] != len(r):
        raise fail("correlations", f"rows of {len(r)} values, one a distance", f"shape {G.shape}")
    if couplings is None:
        raise fail("couplings", "the coupling of every row", None)
    K = np.atleast_1d(numbers("couplings", couplings))
    if K.shape != (len(G),) or (np.diff(np.sort(K)) <= 0).any():
        raise fail("couplings", f"{len(G)} different numbers, one a row of correlations", couplings)
    order = np.argsort(K)
    K, G = K[order], G[order]
    chosen = exact_window(r, window)
    bad = ~(G[:, chosen] > 0)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        got = f"{G[row, chosen[column]]:.3g} at K = {K[row]:.6g}, r = {r[chosen[column]]:.4g}"
        remedy = "take another window; of an order that alternates, correlate the staggered spins"
        raise fail("correlations", "positive values in the window", got, remedy)
    log_g = np.log(G[:, chosen])
    notes: tuple[str, ...] = ()
    if derivatives is not None:
        given = np.atleast_2d(numbers("derivatives", derivatives))
        if given.shape != G.shape:
            raise fail("derivatives", f"an array like correlations, {G.shape}", f"shape {given.shape}")
        slope = given[order][:, chosen] / G[:, chosen]
    elif len(K) < 2:
        remedy = "give rows at two couplings or more, or ∂G/∂K as derivatives"
        raise fail("couplings", "two couplings or more, for ∂G/∂K", len(K), remedy)
    else:
        slope, notes = differences(K, log_g)
    equation = Equation.at(r[chosen])
    rows = []
    for values, change in zip(log_g, slope, strict=True):
        found = equation.solve(values, change)
        others = moved_windows(r, chosen)
        again = [
            part_of(equation, part - chosen[0]).solve(values[part - chosen[0]], change[part - chosen[0]])
            for part in others
        ]
        rows.append(row_of(r, chosen, equation, found, again))
    inner = np.ones(len(K), bool)
    if derivatives is None and len(K) >= 5:
        inner[[0, -1]] = False
    return collected(K, r, rows, inner, notes)


def differences(
    K: Float[np.ndarray, " n"], rows: Float[np.ndarray, "n w"]
) -> tuple[Float[np.ndarray, "n w"], tuple[str, ...]]:
    """d/dK of rows, of the polynomial through the nearest rows, seven at most; and what qualifies it.

    >>> K = np.array([0.1, 0.2, 0.4])
    >>> np.round(differences(K, K[:, None] ** 2)[0].ravel(), 12)
    array([0.2, 0.4, 0.8])
    """
    if len(K) == 2:
        words = "∂G/∂K of two rows is that half way between their couplings; give a third, or derivatives"
        return np.repeat(np.diff(rows, axis=0) / np.diff(K), 2, 0), (caveat("assumption", words),)
    number = min(len(K), _STENCIL)
    found = _derivative(K, number) @ rows
    if len(K) < 5:
        return found, ()
    fewer = _derivative(K, number - 2) @ rows
    size = np.abs(found).max(1)
    rough = (np.abs(found - fewer).max(1) / np.where(size > 0, size, 1.0))[1:-1].max()
    if rough <= _ROUGH:
        return found, ()
    words = f"∂G/∂K from {number} rows and from {number - 2} differ by {rough:.1%}: the couplings are too far"
    remedy = "apart for differences, as they are wherever G is not smooth (at K_c); give ∂G/∂K as derivatives"
    return found, (caveat("not-converged", f"{words} {remedy}"),)


def _derivative(K: np.ndarray, number: int) -> np.ndarray:
    """The matrix of d/dK on functions at K, (n, n), each of the polynomial through the `number` nearest."""
    found = np.zeros((len(K), len(K)))
    for k, at in enumerate(K):
        near = np.sort(np.argsort(np.abs(K - at), kind="stable")[:number])
        apart = (K[near] - at) / np.ptp(K[near])
        weights = np.linalg.solve(np.vander(apart, increasing=True).T, np.eye(number)[1])
        found[k, near] = weights / np.ptp(K[near])
    return found
