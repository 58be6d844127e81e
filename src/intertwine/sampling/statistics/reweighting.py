r"""Histogram reweighting: from samples at a few couplings to averages and ln Z at the couplings between them.

For a distribution whose ln Ψ = −K E + … is linear in a coupling K, samples at K_1 … K_R with energies E are
samples at every K near them (Ferrenberg & Swendsen, Phys. Rev. Lett. 61, 2635, 1988; 63, 1195, 1989):

    ⟨A⟩(K) = Σ_n A_n w_n(K) / Σ_n w_n(K),      w_n(K) = g_n^{-1} e^{−K E_n} / Σ_l (N_l/g_l) e^{f_l − K_l E_n},

where f_l = −ln Z(K_l) up to a constant, N_l is the number of samples at K_l and g = 1 + 2τ their statistical
inefficiency, which weighs the histograms (`autocorrelation_time`). The f_l are the minimum of a convex
function whose gradient says that each data set has the total probability 1,

    F(f) = Σ_n g_n^{-1} ln Σ_l (N_l/g_l) e^{f_l − K_l E_n} − Σ_l (N_l/g_l) f_l,

found by Newton's method (the same equations as Shirts & Chodera, J. Chem. Phys. 129, 124105, 2008). Then
ln Z(K) = ln Σ_n w_n(K). Errors are those of a jackknife over blocks that are longer than the correlations,
the f_l solved anew each time. E may be minus anything that is conjugate to K: −Σ_i s_i for a field.

Outside the energies that were sampled, few samples carry all the weight: their effective number 1/Σ p_n² is
reported, and a warning given where it is small.

Energies of another scale or sign are found out by the samples themselves: ⟨E⟩ falls as K grows, dE/dK = −Var
E, and the mean that is reweighted to K_l from all samples is the mean of those at K_l. One data set alone
cannot tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._caveats import Caveat, beneath, caveat, tell
from intertwine._checks import fail, one_of
from intertwine.sampling.statistics.estimate import autocorrelation_time
from intertwine.sampling.statistics.histogram_equations import (
    Rows,
    partition_functions,
    rows_of,
    weighted_means,
)
from intertwine.sampling.statistics.jackknife import jackknife_error

LARGEST_SIGMAS = 5
"""Standard errors between a data set's own mean energy and the reweighted one that are no chance."""

LEAST_ESS = 20
"""Effective samples below which a coupling counts as outside the data."""


class OutsideData(Caveat):
    """Reweighted to couplings that the samples do not cover."""


@dataclass(frozen=True, eq=False)
class Reweighted:
    """Averages at the couplings K that were asked for, a number or an array of any shape S.

    means, errors: float64 arrays S by name, "energy" and "energy_squared" among them. log_ratio,
    log_ratio_error: ln Z(K) − ln Z(K_1), K_1 being the first coupling of the data. ess: the effective number
    of samples. blocks: the jackknife's values by name, (blocks, *S). warnings: what to beware of.
    """

    couplings: Float[np.ndarray, "*S"]
    means: dict[str, np.ndarray]
    errors: dict[str, np.ndarray]
    log_ratio: Float[np.ndarray, "*S"]
    log_ratio_error: Float[np.ndarray, "*S"]
    ess: Float[np.ndarray, "*S"]
    blocks: dict[str, np.ndarray]
    warnings: tuple[str, ...] = ()

    def covariance(self, name: str) -> Float[np.ndarray, "n n"]:
        """The covariance of the errors of an average at all couplings, flattened: those of one run go up and
        down together. It is what `it.rg.collapse` takes as errors.

        >>> rng = np.random.default_rng(0)
        >>> found = reweight(rng.normal(size=4000), None, 0.0, [0.0, 0.1])
        >>> covariance = found.covariance("energy")
        >>> bool(np.allclose(np.sqrt(np.diag(covariance)), found.errors["energy"])), covariance.shape
        (True, (2, 2))
        """
        left_out = self.blocks[one_of("name", name, tuple(self.blocks))]
        count = len(left_out)
        apart = left_out.reshape(count, -1) - left_out.reshape(count, -1).mean(0)
        return (count - 1) / max(count, 1) * apart.T @ apart

    def derived(self, function: Callable[[Mapping[str, np.ndarray]], Any]) -> tuple[np.ndarray, np.ndarray]:
        """A function of the averages by name, and its error.

        >>> found = reweight(np.random.default_rng(0).normal(size=4000), None, 0.0, 0.1)
        >>> variance, error = found.derived(lambda m: m["energy_squared"] - m["energy"] ** 2)
        >>> round(float(variance), 1)
        1.0
        """
        value = np.asarray(function(self.means))
        return value, jackknife_error(np.asarray(function(self.blocks)))

    def specific_heat(self, sites: int) -> tuple[np.ndarray, np.ndarray]:
        """K² Var(E)/N and its error."""
        k2 = self.couplings**2 / sites
        return self.derived(lambda m: k2 * (m["energy_squared"] - m["energy"] ** 2))

    def __str__(self) -> str:
        names = [name for name in self.means if name != "energy_squared"]
        lines = [f"{'K':>10} {'ESS':>8} " + " ".join(f"{name:>24}" for name in (*names, "ln Z ratio"))]
        values = [self.means[n] for n in names] + [self.log_ratio]
        errors = [self.errors[n] for n in names] + [self.log_ratio_error]
        for i, K in enumerate(np.ravel(self.couplings)):
            cells = (
                f"{np.ravel(v)[i]:.6g} ± {np.ravel(e)[i]:.1g}" for v, e in zip(values, errors, strict=True)
            )
            lines.append(f"{K:10.6g} {np.ravel(self.ess)[i]:8.0f} " + " ".join(f"{c:>24}" for c in cells))
        return beneath("\n".join(lines), self.warnings)


def reweight(
    energies: ArrayLike, observables: Mapping[str, ArrayLike] | None, K_from: float, K_to: ArrayLike
) -> Reweighted:
    """Averages at `K_to`, a number or an array, from samples at `K_from` alone (a single histogram).

    energies: (chains, draws) or (draws,), E with ln Ψ = −K E + …. observables: None, or arrays of the same
    shape by name. Gives the warning `OutsideData` as `MultiHistogram.at` does.

    >>> x = np.random.default_rng(0).normal(size=4000)                                 # E² K = ln Ψ at K = ½
    >>> found = reweight(x**2, {"x": x}, 0.5, [0.45, 0.55])
    >>> [round(float(e), 1) for e in found.means["energy"]]                                       # 1/(2 K)
    [1.1, 0.9]
    """
    return MultiHistogram(
        [energies],
        [K_from],
        None if observables is None else {k: [v] for k, v in _named(observables).items()},
    ).at(K_to)


class MultiHistogram:
    """Samples at several couplings, combined.

    energies: one array a coupling, (chains, draws) or (draws,), E with ln Ψ = −K E + …, for example
    `Ising.energy`. couplings: (R,), the K of each. observables: for each name one array a coupling, of the
    shapes of the energies; None for the energies alone. weights: exact probabilities of the same shapes, if
    the energies are all that there are (enumeration); errors are then nan.

    log_partition, log_partition_error: ln Z(K_l) − ln Z(K_1), (R,). inefficiencies: g_l, (R,), from the
    autocorrelation of the energies (or of an observable, where that is longer). couplings: (R,).

    warnings: what to beware of.

    Raises InputError for arrays that do not fit, for data sets that do not overlap, and for energies of which
    these cannot be the couplings (of another sign, or a site instead of the total).

    >>> rng = np.random.default_rng(0)
    >>> K = [0.4, 0.6, 0.9]
    >>> data = MultiHistogram([rng.normal(scale=(2 * k) ** -0.5, size=3000) ** 2 for k in K], K)
    >>> found = data.at(0.5)                                                         # ⟨x²⟩ = 1/(2K), Z ∝ K^−½
    >>> round(float(found.means["energy"]), 1), round(float(data.log_partition[2]), 1)
    (1.0, -0.4)
    """

    def __init__(
        self,
        energies: Sequence[Any],
        couplings: ArrayLike,
        observables: Mapping[str, Sequence[Any]] | None = None,
        *,
        weights: Sequence[Any] | None = None,
    ):
        named = _named(observables)
        values = [{"energy": x} for x in _arrays("energies", energies, None)]
        self.couplings = _couplings(couplings, len(values))
        for name, arrays in named.items():
            if name in ("energy", "energy_squared"):
                raise fail("observables", "names other than energy and energy_squared", name)
            shapes = [v["energy"].shape for v in values]
            for v, x in zip(values, _arrays(f"observables[{name}]", arrays, shapes), strict=True):
                v[name] = x
        shapes = [v["energy"].shape for v in values]
        exact = None if weights is None else _arrays("weights", weights, shapes)
        self._own = _own_means(values, exact)
        _check_sign(self.couplings, self._own, [v["energy"] for v in values])
        self._rows: Rows = rows_of(values, exact)
        self.inefficiencies = self._rows.inefficiencies
        blocks = range(self._rows.blocks) if exact is None else range(0)
        f = partition_functions(self._rows, self.couplings)
        self._free = [f] + [
            partition_functions(self._rows, self.couplings, left_out=b, start=f) for b in blocks
        ]
        self.log_partition = -self._free[0]
        self.log_partition_error = jackknife_error(np.reshape(self._free[1:], (-1, len(f))))
        self.warnings = self._disagreements()
        tell(self.warnings)

    def _disagreements(self) -> tuple[str, ...]:
        """The caveat of data sets whose own mean energy is not the reweighted one. Raises InputError where
        reweighting does not even follow the means."""
        means = [
            weighted_means(self._rows, self.couplings, f, self.couplings, left_out=None if b == 0 else b - 1)
            for b, f in enumerate(self._free)
        ]
        own, error = self._own
        found = means[0].means["energy"]
        blocks = np.reshape([m.means["energy"] for m in means[1:]], (-1, len(own)))
        sigma = np.hypot(error, jackknife_error(blocks)) if len(blocks) else error
        apart = np.abs(own - found)
        beyond = apart > LARGEST_SIGMAS * sigma + 1e-6 * (1 + np.abs(own).max())
        if (beyond & (apart > np.ptp(own) / 4)).any():
            raise fail(
                "energies", "total energies E with ln Ψ = −K E + …", _shown(own, found, self.couplings),
                "give for example model.energy(spins), of the whole lattice, not a site; or run longer",
            )  # fmt: skip
        if not beyond.any():
            return ()
        words = f"{_shown(own, found, self.couplings)}: the samples are not in equilibrium, or the errors are"
        return (caveat("untrusted", f"{words} too small; take longer runs"),)

    def at(self, K: ArrayLike) -> Reweighted:
        """Averages at couplings K, a number or an array.

        Gives the warning `OutsideData` where the effective number of samples is below 20.
        """
        points = _numbers(K)
        if not points.size or not np.isfinite(points).all():
            raise fail("K", "finite couplings", K)
        flat = points.reshape(-1)
        found = [
            weighted_means(self._rows, self.couplings, f, flat, left_out=None if b == 0 else b - 1)
            for b, f in enumerate(self._free)
        ]
        shape = points.shape
        means = {name: x.reshape(shape) for name, x in found[0].means.items()}
        blocks = {n: np.reshape([x.means[n] for x in found[1:]], (-1, *shape)) for n in means}
        ratios = np.reshape([x.log_z for x in found[1:]], (-1, *shape))
        ess = found[0].ess.reshape(shape)
        outside = flat[found[0].ess < LEAST_ESS]
        said = self.warnings
        if len(self._free) > 1 and len(outside):
            low, high = self.couplings.min(), self.couplings.max()
            words = (
                f"K: {', '.join(f'{k:.6g}' for k in outside)} not covered by the samples at {low:.6g} … "
                f"{high:.6g} (fewer than {LEAST_ESS} effective samples); sample nearer, or more"
            )
            said = (*said, caveat("untrusted", words))
            tell(said[-1:], OutsideData, stacklevel=2)
        return Reweighted(
            couplings=points,
            means=means,
            errors={name: jackknife_error(x) for name, x in blocks.items()},
            log_ratio=found[0].log_z.reshape(shape),
            log_ratio_error=jackknife_error(ratios),
            ess=ess,
            blocks=blocks,
            warnings=said,
        )


def _own_means(
    values: list[dict[str, np.ndarray]], weights: list[np.ndarray] | None
) -> tuple[np.ndarray, np.ndarray]:
    """The mean energy of every data set and its standard error (0 where the weights are exact), (R,)."""
    energies = [v["energy"] for v in values]
    if weights is not None:
        means = [float((x * w).sum() / w.sum()) for x, w in zip(energies, weights, strict=True)]
        return np.array(means), np.zeros(len(means))
    times = [autocorrelation_time(x) if x.shape[1] > 1 else 1.0 for x in energies]
    errors = [(x.var() * max(g, 1.0) / x.size) ** 0.5 for x, g in zip(energies, times, strict=True)]
    return np.array([x.mean() for x in energies]), np.array(errors)


def _check_sign(
    couplings: np.ndarray, own: tuple[np.ndarray, np.ndarray], energies: list[np.ndarray]
) -> None:
    """Raise InputError where the mean energy grows with K (between data sets that overlap at all)."""
    order = np.argsort(couplings)
    mean, error = own[0][order], own[1][order]
    grown, sigma = np.diff(mean), np.hypot(error[1:], error[:-1])
    low, high = (np.array([limit(x) for x in energies])[order] for limit in (np.min, np.max))
    overlap = high[:-1] >= low[1:]
    if len(mean) > 1 and mean[-1] > mean[0] and (overlap & (grown > LARGEST_SIGMAS * sigma)).any():
        got = f"means that grow with K, from {mean[0]:.6g} to {mean[-1]:.6g}"
        raise fail("energies", "energies E with ln Ψ = −K E + …, which fall", got, "change their sign")


def _shown(own: np.ndarray, found: np.ndarray, couplings: np.ndarray) -> str:
    """The data set whose mean is furthest from the reweighted one, in words."""
    k = int(np.abs(own - found).argmax())
    return f"a mean of {own[k]:.6g} at K = {couplings[k]:.6g} where reweighting all sets gives {found[k]:.6g}"


def _numbers(values: ArrayLike) -> np.ndarray:
    """float64, empty where these are no numbers."""
    try:
        return np.asarray(values, np.float64)
    except (TypeError, ValueError):
        return np.zeros(0)


def _couplings(values: ArrayLike, count: int) -> np.ndarray:
    found = _numbers(values)
    if found.shape != (count,) or not count or not np.isfinite(found).all():
        raise fail("couplings", f"{count} finite numbers, one for each data set", values)
    if len(np.unique(found)) < count:
        raise fail("couplings", "different couplings", values, "join the samples of one coupling")
    return found


def _named(observables: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if observables is None:
        return {}
    if not isinstance(observables, Mapping) or not all(isinstance(name, str) for name in observables):
        raise fail("observables", 'arrays by name, such as {"m2": m**2}', observables)
    return observables


def _arrays(name: str, arrays: Sequence[ArrayLike], shapes: list[tuple[int, ...]] | None) -> list[np.ndarray]:
    """Finite float64 arrays (chains, draws), one for each data set."""
    try:
        sets = list(arrays)
    except TypeError:
        sets = []
    if not sets:
        raise fail(name, "a list of arrays (chains, draws), one for each coupling", arrays)
    found = []
    for k, given in enumerate(sets):
        x = _numbers(given)
        x = x[None] if x.ndim == 1 else x
        if x.ndim != 2 or not x.size or not np.isfinite(x).all():
            raise fail(name, "finite arrays (chains, draws), one for each coupling", f"shape {x.shape}")
        if shapes is not None and (k >= len(shapes) or x.shape != shapes[k]):
            raise fail(name, f"arrays of the energies' shapes {shapes}", f"shape {x.shape}")
        found.append(x)
    if shapes is not None and len(found) != len(shapes):
        raise fail(name, f"{len(shapes)} arrays, one for each coupling", len(found))
    return found
