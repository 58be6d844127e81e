r"""What block spins still know of the couplings they came from: the Fisher metric under renormalization.

    G⁽⁰⁾_αβ = Cov(S_α, S_β),        G⁽ⁿ⁾_αβ = Cov(σ_α, σ_β),   σ_α(h) = ⟨S_α | h⟩

G⁽ⁿ⁾ is the Fisher metric of the distribution of the block spins h after n steps, in the couplings K_α of the
microscopic p ∝ e^{Σ K_α S_α}: the score of a marginal is the conditional mean of the score. Blocking only
loses information, G⁽ⁿ⁺¹⁾ ≤ G⁽ⁿ⁾ as matrices (data processing). The generalised eigenvalues of G⁽ⁿ⁾ against
G⁽⁰⁾, from 0 to 1, are what is kept of each direction in coupling space: a relevant direction with scaling
exponent y keeps its information, an irrelevant one loses it as b^{n(2y − d)} (Raju, Machta & Sethna, Phys.
Rev. E 98, 052112, 2018; Machta et al., Science 342, 604, 2013).

From samples σ is replaced by the best linear function of the blocked sums S'_γ(h), which gives a metric from
below, with the matrices of Monte Carlo renormalization (T = C'⁻¹M, Swendsen 1979):

    G⁽ⁿ⁾ ≥ Mᵀ C'⁻¹ M = TᵀC'T,      M_γα = Cov(S'_γ, S_α),   C'_γδ = Cov(S'_γ, S'_δ)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from jax import Array
from jaxtyping import Float, PyTree

from intertwine._caveats import beneath, tell
from intertwine._checks import fail, positive_int
from intertwine._shown import Shown, with_error
from intertwine.models.parameters import check_key
from intertwine.models.results import as_model
from intertwine.models.spins.ising import Ising
from intertwine.models.spins.spin_enumeration import enumerate_distribution
from intertwine.models.spins.spin_terms import spin_terms
from intertwine.rg.blocks.chains import given_chains
from intertwine.rg.blocks.push_forward import push_forward
from intertwine.sampling.statistics.joined_bins import caveats_of, joined
from intertwine.spaces.lattice import Lattice

if TYPE_CHECKING:
    from intertwine.rg.blocks.blocking import Rule

DEFAULT = ("nearest", "next", "plaquette")
_GROUPS = 20


@dataclass(frozen=True, eq=False, repr=False)
class CouplingMetrics(Shown):
    """names: the n couplings. metrics: float64 (levels + 1, n, n), G⁽⁰⁾ … in nats. kept: (levels + 1, n),
    the generalised eigenvalues of each against G⁽⁰⁾, largest first; sampled ones are corrected for bias, and
    may lie below 0 within their errors. kept_error: likewise, by jackknife over parts of the chains; 0 where
    exact. exact: whether the metrics are exact, or bounds from below. warnings: of samples that are few for
    their autocorrelation, lines `code: sentence`."""

    names: tuple[Any, ...]
    metrics: Float[np.ndarray, "l n n"]
    kept: Float[np.ndarray, "l n"]
    kept_error: Float[np.ndarray, "l n"]
    exact: bool
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        rows = [
            f"information kept of {', '.join(map(str, self.names))} ({'exact' if self.exact else 'bound'})"
        ]
        for level, (values, errors) in enumerate(zip(self.kept, self.kept_error, strict=True)):
            shown = "  ".join(with_error(v, e, ".3g", ".1g") for v, e in zip(values, errors, strict=True))
            rows.append(f"level {level}: {shown}")
        return beneath("\n".join(rows), self.warnings)


def coupling_metrics(
    system: PyTree,
    rule: Rule,
    *,
    levels: int = 1,
    names: Sequence[Any] = DEFAULT,
    lattice: Lattice | None = None,
    key: Array | None = None,
) -> CouplingMetrics:
    """The Fisher metric of couplings, before and after `levels` blockings.

    system: an `Ising` model small enough to enumerate (exact), or spins ±1, (draws, N) of one chain or
    (chains, draws, N) (a bound from below). rule: a blocking rule. names: families of `spin_terms`. lattice:
    of the spins; None is the one that `it.sample` gave along. key: for rules with chance, where spins are
    blocked.

    Raises InputError for names that do not fit the lattice of any level, couplings that depend on each other
    there, and rules that do not tile it.

    >>> from intertwine.rg.blocks.blocking import Majority
    >>> from intertwine.spaces.lattices import Square
    >>> found = coupling_metrics(Ising(Square(4, 4), K=0.44), Majority(2), names=("nearest", "next"))
    >>> found.metrics.shape, bool((found.kept[1] < 1).all())
    ((2, 2, 2), True)
    """
    system = as_model(system)
    levels, names = positive_int("levels", levels), tuple(names)
    if not names or len(set(names)) < len(names):
        raise fail("names", "different families of terms", names)
    if isinstance(system, Ising):
        metrics = _exact(system, rule, levels, names)
        kept = np.array([_kept(g, metrics[0]) for g in metrics])
        return CouplingMetrics(names, metrics, kept, np.zeros_like(kept), exact=True)
    chains, lattice = given_chains(system, lattice)
    sums = _sampled_sums(chains, lattice, rule, levels, names, key)
    metrics = _from_sums(sums.reshape(levels + 1, -1, len(names)))
    kept, errors, correlated = _jackknifed(sums)
    warnings = caveats_of(system, correlated)
    tell(warnings)
    return CouplingMetrics(names, metrics, kept, errors, exact=False, warnings=warnings)


def _exact(model: Ising, rule: Rule, levels: int, names: tuple) -> np.ndarray:
    """G⁽⁰⁾ … by enumeration: tables of p(h) and p(h) σ(h), blocked again and again."""
    found = enumerate_distribution(model)
    lattice, p = model.lattice, found.probabilities
    sums = np.stack([spin_terms(lattice, name).sum(found.configurations) for name in names], 1).astype(float)
    weighted = p[:, None] * (sums - p @ sums)
    metrics = []
    for level in range(levels + 1):
        held = p > 0
        metrics.append(weighted[held].T @ (weighted[held] / p[held, None]))
        if level < levels:
            tables = push_forward(rule, lattice, np.column_stack([p, weighted]))
            lattice, p, weighted = rule.blocked(lattice), tables[:, 0], tables[:, 1:]
    return np.array(metrics)


def _sampled_sums(
    chains: np.ndarray, lattice: Lattice, rule: Rule, levels: int, names: tuple, key: Array | None
) -> np.ndarray:
    """S_α of every level, float64 (levels + 1, chains, draws, n)."""
    keys = [None] * levels if key is None else jax.random.split(check_key(key), levels)
    found, spins = [], chains
    for level in range(levels + 1):
        found.append(np.stack([spin_terms(lattice, name).sum(spins) for name in names], -1).astype(float))
        if level < levels:
            spins, lattice = np.asarray(rule(spins, lattice, key=keys[level])), rule.blocked(lattice)
    return np.array(found)


def _from_sums(sums: np.ndarray) -> np.ndarray:
    """The metrics (levels + 1, n, n) from sums (levels + 1, samples, n)."""
    centred = sums - sums.mean(1, keepdims=True)
    metrics = []
    for blocked in centred:
        mixed, own = blocked.T @ centred[0], blocked.T @ blocked
        metrics.append(mixed.T @ _solved(own, mixed) / sums.shape[1])
    return np.array(metrics)


def _solved(own: np.ndarray, mixed: np.ndarray) -> np.ndarray:
    scale = np.sqrt(np.diag(own))
    scaled = own / np.outer(scale, scale) if scale.all() else own
    if not scale.all() or np.linalg.eigvalsh(scaled)[0] < 1e-10:
        raise fail(
            "names", "couplings that are independent at every level", "sums that depend on each other",
            "take a larger lattice, fewer levels or fewer couplings",
        )  # fmt: skip
    return np.linalg.solve(scaled, mixed / scale[:, None]) / scale[:, None]


def _kept(metric: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """The eigenvalues μ of G⁽ⁿ⁾ u = μ G⁽⁰⁾ u, largest first."""
    scale = np.sqrt(np.diag(whole))
    values, vectors = np.linalg.eigh(whole / np.outer(scale, scale)) if scale.all() else (scale, whole)
    if not scale.all() or values[0] < 1e-10:
        raise fail("names", "couplings that are independent on the lattice", "sums that depend on each other")
    root = vectors / np.sqrt(values) / scale[:, None]
    return np.linalg.eigvalsh(root.T @ metric @ root)[::-1]


def _jackknifed(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray, str]:
    """What is kept, (levels + 1, n), without its bias of the order 1/samples, its error, and "" or how the
    samples are too few: by leaving out one chain after another, or stretches of few chains, whose
    pseudo-values are joined where the S_α of the stretches are correlated."""
    levels, chains, draws, n = sums.shape
    groups = np.arange(chains) if chains >= _GROUPS else np.arange(draws) * _GROUPS // draws
    along = sums if chains >= _GROUPS else sums.swapaxes(1, 2)
    numbers = np.unique(groups)

    def kept(chosen: np.ndarray) -> np.ndarray:
        metrics = _from_sums(along[:, chosen].reshape(levels, -1, n))
        return np.array([_kept(g, metrics[0]) for g in metrics])

    whole, left = kept(groups >= 0), np.array([kept(groups != g) for g in numbers])
    last = len(numbers) - 1
    of_group = np.stack([along[0, groups == g].reshape(-1, n).mean(0) for g in numbers])
    pseudo = -last * left.reshape(len(left), -1)
    (parts, count, _), correlated = joined(
        (pseudo, np.ones(len(left)), of_group), lambda x: x[2] / x[1][:, None]
    )
    error = (parts / count[:, None]).std(0, ddof=1) / len(count) ** 0.5
    return whole + last * (whole - left.mean(0)), error.reshape(whole.shape), correlated
