r"""The entanglement spectrum from samples: eigenvalues of K/M, K_ij = ψ(A_i, B_j)/ψ(A_i, B_i).

Products around a cycle of independent samples have the mean ⟨K_12 K_23 … K_n1⟩ = Tr ρ^n, so that the
eigenvalues of the M × M matrix K/M tend to those of ρ_A, and functions of them to its entropies,

    Tr (K/M)^n → Tr ρ^n,      −Σ λ ln λ → S,      Tr K/M = 1,

with a bias that falls as 1/M: samples that stand twice in a cycle. It is measured, from the same samples in
halves and quarters of the chains, and taken off: f₁ = 2 f(M) − f(M/2). What is left is of second order, and
is told as a third of the difference between f₁ of the whole and of the halves. The error comes from the
influence of each sample, n M [(K/M)^n]_ii − n Tr (K/M)^n, and −M [(K/M) ln (K/M)]_ii − S for S itself: a
series along each chain, whose mean has the error that `estimate` gives, autocorrelation included.

Columns of equal B_j are equal, so that the matrix is no larger than the number of different B (or A,
whichever is smaller). Where that is above 640, samples are dealt to groups that each hold draws of all
chains, and the mean is taken over them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jax import Array
from jaxtyping import Complex, Float, PyTree

from intertwine._caveats import caveat, once, tell
from intertwine._checks import fail
from intertwine._threads import single_threaded_blas
from intertwine.quantum.entanglement.drawn import Drawn, draw
from intertwine.quantum.entanglement.entropies import checked_order
from intertwine.quantum.entanglement.pair_ratios import GaugeLostError, Pairs, pair_ratios
from intertwine.quantum.entanglement.regions import checked_region, rest
from intertwine.quantum.entanglement.sampled_entropy import SampledEntropy
from intertwine.quantum.entanglement.vectors import size_of
from intertwine.quantum.vmc.energy import qualified
from intertwine.sampling.statistics.estimate import Estimate, estimate

if TYPE_CHECKING:
    from intertwine.sampling.protocols import Sampler
    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

_LARGEST = 640
_TINY = 1e-13
LARGEST_BIAS = 0.2
"""Share of an entropy that may be taken off as bias before it is called untrusted."""

STATES = 16.0
"""Samples (of a group) for each of the e^S states that count, below which an entropy is called untrusted."""

Function = Callable[[Complex[np.ndarray, "..."]], Complex[np.ndarray, "..."]]


class _Group(NamedTuple):
    """One group of samples. draws: those of each chain. levels: eigenvalues of the whole, of halves and of
    quarters of the chains. weights: M (right)_ia (left)_{a, b(i)} of sample i and eigenvalue a, so that M
    [f(K/M)]_ii = Σ_a weights_ia f(λ_a)/λ_a."""

    draws: np.ndarray
    levels: list[list[np.ndarray]]
    weights: Complex[np.ndarray, "S u"]


@dataclass(frozen=True, eq=False, repr=False)
class SampledSpectrum:
    """The spectrum of ρ of a region from samples.

    values: eigenvalues of K/M, real parts, descending; those of several groups are averaged one by one.
    Small ones are noise. region: its sites. samples: how many. Entropies with their bias taken off:
    `von_neumann`, `renyi(order)`.
    """

    values: Float[np.ndarray, " k"]
    region: tuple[int, ...]
    shape: tuple[int, int]
    groups: tuple[_Group, ...]
    independent: bool
    notes: tuple[str, ...]

    @property
    def samples(self) -> int:
        return self.shape[0] * self.shape[1]

    @property
    def von_neumann(self) -> SampledEntropy:
        """−Tr ρ ln ρ, nats."""
        return self.renyi(1)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Those of the von Neumann entropy."""
        return self.von_neumann.warnings

    def renyi(self, order: float) -> SampledEntropy:
        """The entropy of an order from 1 to math.inf, nats, with its error and the bias that is left.

        Raises InputError for orders below 1: they come from eigenvalues that samples hardly meet.
        """
        order = checked_order(order)
        if order < 1:
            remedy = "orders below 1 come from eigenvalues that samples hardly meet"
            raise fail("order", "at least 1", order, remedy)
        if order == 1:
            return self._entropy(order, *self._extrapolated(lambda z: -np.log(z), 1.0))
        if math.isinf(order):
            return self._entropy(order, *self._extrapolated(lambda z: np.eye(1, len(z))[0] + 0j, 1.0))
        return self._entropy(order, *self._extrapolated(lambda z: z ** (order - 1), order))

    def _extrapolated(self, ratio: Function, degree: float) -> tuple[Estimate, float, float]:
        """(Tr f(ρ), f(λ) = λ ratio(λ), what was taken off, what may be left)."""
        series = np.empty(self.shape)
        sums = np.zeros(3)
        for group in self.groups:
            share = len(group.draws) / self.shape[1]
            first = group.levels[0][0]
            series[:, group.draws] = np.real(group.weights @ ratio(first)).reshape(self.shape[0], -1)
            sums += share * np.array(
                [np.mean([np.sum(np.real(z * ratio(z))) for z in level]) for level in group.levels]
            )
        values = series.reshape(-1, 1) if self.independent else series
        found = qualified(estimate(values), series)
        if self.independent:
            found = found._replace(tau=np.float64(1), r_hat=np.float64(1), ess=np.float64(series.size)).noted(
                found.notes
            )
        whole, halves, quarters = sums
        mean = 2 * whole - halves
        left = abs(mean - (2 * halves - quarters)) / 3
        better = found._replace(
            mean=np.float64(mean), error=found.error * degree, variance=found.variance * degree**2
        )
        return better.noted([*found.notes, *self.notes]), whole - mean, left

    def _entropy(self, order: float, found: Estimate, taken: float, left: float) -> SampledEntropy:
        """The entropy of `order` from its trace, what was taken off and what may be left of that."""
        value = float(found.mean)
        notes = list(found.notes)
        scale = 1.0 if math.isinf(order) or order == 1 else 1 / (order - 1)
        mean, raw, slope = value, value + taken, 1.0
        if order != 1:
            mean, raw = (-math.log(x) * scale if x > 0 else math.nan for x in (value, value + taken))
            slope = scale / value if value > 0 else math.nan
        error, bias = float(found.error) * slope, left * slope
        words = f"the entropy of order {order:g} from {self.samples} samples is {raw:.3g}, and {mean:.3g} "
        words += f"extrapolated in their number, with {bias:.1g} of bias left"
        most = max(LARGEST_BIAS * abs(mean), 3 * error)
        least = STATES * math.exp(min(max(raw, mean), 600.0)) if math.isfinite(raw + mean) else math.inf
        smallest = min(len(group.weights) for group in self.groups)
        if not (abs(raw - mean) <= most and bias <= max(3 * error, 0.1 * mean) and smallest >= least):
            notes.append(caveat("untrusted", f"{words}: too few for this entanglement; take more samples"))
        named = found._replace(
            mean=np.float64(mean), error=np.float64(error), variance=found.variance * slope**2
        )
        pairs = sum(len(group.weights) ** 2 for group in self.groups)
        return SampledEntropy(named.noted(notes), found, order, self.region, bias, pairs)

    def __repr__(self) -> str:
        return f"SampledSpectrum({len(self.region)} sites, {self.samples} samples; S {self.von_neumann.line})"


def sampled_spectrum(
    model: PyTree,
    region: Iterable[int],
    samples: int = 4096,
    *,
    key: Array,
    sampler: Sampler | None = None,
    space: HilbertSpace | None = None,
) -> SampledSpectrum:
    """The spectrum of ρ of `region` from samples, at any size, with von Neumann's and the higher entropies.

    model, samples, sampler, space: as of `renyi2`. From M independent samples the error of S is
    √(Var(−ln ρ)/M) and little more: 1 to 2 % for S up to about 1.5 with 4,000; where the bias is larger than
    what can be taken off, a warning says so. Raises InputError for a region that is empty, everything,
    repeats a site or leaves the lattice.

    >>> import jax
    >>> found = sampled_spectrum([0.6, 0.0, 0.0, 0.8], [0], samples=2000, key=jax.random.key(0))
    >>> found.values.round(1).tolist(), abs(found.von_neumann.mean - 0.6534) < 3 * found.von_neumann.error
    ([0.6, 0.4], True)
    """
    sites = checked_region(region, size_of(model, space))
    if len(sites) == size_of(model, space):
        raise fail("region", "a part of the sites", "all of them", "its state is pure")
    found = spectrum_of(draw(model, samples, key, sampler, space), sites)
    tell(found.warnings)
    return found


def spectrum_of(drawn: Drawn, region: tuple[int, ...]) -> SampledSpectrum:
    """The spectrum from configurations that were drawn before; caveats in the result only."""
    flat = drawn.configurations.reshape(-1, drawn.size)
    modes = drawn.modes(region)
    few = min(
        (rest(modes, drawn.size), modes), key=lambda sites: len(np.unique(flat[:, list(sites)], axis=0))
    )
    pairs = pair_ratios(drawn, rest(few, drawn.size))
    columns = np.unique(flat[:, list(few)], axis=0, return_inverse=True)[1].ravel()
    C, D = drawn.configurations.shape[:2]
    count = 1 if columns.max() < _LARGEST else min(D, -(-C * D // _LARGEST))
    try:
        groups = [_group(pairs, columns, C, D, np.arange(g, D, count)) for g in range(count)]
    except GaugeLostError:
        groups = [_group(pairs, columns, C, D, np.arange(g, D, count)) for g in range(count)]
    length = max(len(group.levels[0][0]) for group in groups)
    first = [np.real(group.levels[0][0]) for group in groups]
    padded = [np.pad(values, (0, length - len(values))) for values in first]
    values = np.sort(np.mean(padded, axis=0))[::-1]
    notes = tuple(once(drawn.notes))
    return SampledSpectrum(values, region, (C, D), tuple(groups), drawn.independent, notes)


def _group(pairs: Pairs, columns: np.ndarray, C: int, D: int, draws: np.ndarray) -> _Group:
    """Eigenvalues of the samples `draws` of all chains, and of parts of the chains."""
    numbers = (np.arange(C)[:, None] * D + draws).reshape(-1)
    different, first, place = np.unique(columns[numbers], return_index=True, return_inverse=True)
    K = pairs(numbers, numbers[first])
    with single_threaded_blas():
        values, right = np.linalg.eig(_summed(K, place, len(different)))
        order = np.argsort(-np.real(values))
        values, right = values[order], right[:, order]
        left = np.linalg.pinv(right) if np.linalg.cond(right) > 1e12 else np.linalg.inv(right)
        kept = np.abs(values) > _TINY
        weights = (K @ right[:, kept]) * left[kept][:, place].T  # M · R = K
        parts = [_parts(K, place, C, len(draws), pieces) for pieces in (2, 4)]
    return _Group(draws, [[values[kept]], *parts], weights)


def _parts(K: np.ndarray, place: np.ndarray, C: int, d: int, pieces: int) -> list[np.ndarray]:
    """Eigenvalues of `pieces` parts of the chains (of the draws, where there are fewer chains)."""
    numbers = np.arange(C * d).reshape(C, d)
    cut = np.array_split(numbers, pieces) if pieces <= C else np.array_split(numbers, pieces, axis=1)
    found = []
    for members in (part.reshape(-1) for part in cut):
        different, inside = np.unique(place[members], return_inverse=True)
        values = np.linalg.eigvals(_summed(K[np.ix_(members, different)], inside, len(different)))
        values = values[np.argsort(-np.real(values))]
        found.append(values[np.abs(values) > _TINY])
    return found


def _summed(K: np.ndarray, place: np.ndarray, count: int) -> np.ndarray:
    """G_bb' = (1/M) Σ over the samples with column b of K_ib': (count, count)."""
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(count))
    return np.add.reduceat(K[order], starts, axis=0).astype(complex) / len(K)
