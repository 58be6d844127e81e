"""Moments of the order parameter at a critical point, bin by bin: what finite-size scaling is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float, PyTree

from intertwine._checks import fail
from intertwine.models.spins.ising import Ising
from intertwine.models.spins.potts import Potts
from intertwine.models.spins.spin_terms import linked_bonds
from intertwine.rg.montecarlo.spin_system import is_uniform
from intertwine.rg.terms.host_terms import equal_sums, product_sums
from intertwine.sampling.statistics.jackknife import jackknife_error
from intertwine.sampling.statistics.joined_bins import joined

CORRECTED = 0.03
"""d ln U/d ln L of corrections to scaling, at most."""


def moments(model: PyTree, spins: np.ndarray) -> Float[np.ndarray, "5"]:
    """Means of ln Ψ, m², m⁴, m² ln Ψ, m⁴ ln Ψ over configurations (n, N).

    Raises InputError for models other than `Ising` and `Potts` without a field, whose bonds are alike.
    """
    weight, square = _observed(model, spins)
    columns = weight, square, square**2, square * weight, square**2 * weight
    return np.array([column.mean() for column in columns])


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


def _observed(model: PyTree, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """ln Ψ and m² of configurations (n, N), float64 (n,)."""
    N = model.size
    if isinstance(model, Potts) and not float(model.field):
        q, alone = model.states, np.arange(N, dtype=np.int32)[:, None]
        equal = equal_sums(rows, linked_bonds(model.lattice)[0], q).sum(1)
        shares = equal_sums(rows, alone, q) / N
        return float(model.coupling) * equal, (q * (shares**2).sum(1) - 1) / (q - 1)
    if isinstance(model, Ising) and is_uniform(model) and not np.asarray(model.field).any():
        weight = np.zeros(len(rows))
        for sites, strength in _terms(model):
            weight += strength * product_sums(rows, sites)
        return weight, (rows.sum(1, dtype=np.int64) / N) ** 2
    expected = "Ising models without a field whose bonds are alike, or Potts models without one"
    raise fail("family", expected, model)


def _terms(model: Ising) -> list[tuple[np.ndarray, float]]:
    """(sites (T, n), coupling) of all terms that share a coupling."""
    bonds, numbers = linked_bonds(model.lattice)
    K = np.asarray(model.coupling, float)
    K = K[numbers] if K.ndim else np.full(len(bonds), K)
    found = [(bonds[value == K], float(value)) for value in np.unique(K)]
    strengths = np.asarray(model.strengths, float).tolist()
    return found + [(terms.sites, x) for terms, x in zip(model.terms, strengths, strict=True)]
