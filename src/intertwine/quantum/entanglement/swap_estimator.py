r"""The second Rényi entropy from samples: the swap estimator over all pairs of them.

    P = Tr ρ_A² = ⟨ψ(A_2, B_1) ψ(A_1, B_2) / ψ(A_1, B_1) ψ(A_2, B_2)⟩ = ⟨Re K_12 K_21⟩,    S₂ = −ln P

over two independent configurations (Hastings, González, Kallin & Melko, PRL 104, 157201 (2010)). M samples
are usually taken as M/2 disjoint pairs, with variance 2(1 − P²)/M for a positive state. All pairs are as
good, and their mean, a U-statistic (Hoeffding, Ann. Math. Stat. 19, 293 (1948)), has

    Var = 4 (Tr ρ³ − P²)/M + 2 (1 − P²)/M²                                     (independent samples).

Only pairs from different chains are taken, which are independent whatever the autocorrelation. The error
comes from the projection h₁(i) = mean over j of h(i, j), a series along each chain whose mean is P: twice its
error, autocorrelation included. That counts the noise of the pairs themselves twice over, and half of it is
taken off again, as measured by the interaction in the table of chains H_ab = P + g_a + g_b + R_ab.

The first term does not fall with more pairs, so that not all of them are needed when M is large: samples
are dealt to groups that each hold draws of all chains, all pairs of a group are taken, and groups are joined
until the second term is a tenth of the first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from intertwine._caveats import caveat
from intertwine._checks import fail, positive_int
from intertwine._threads import over_ranges
from intertwine.quantum.entanglement.drawn import Drawn
from intertwine.quantum.entanglement.pair_ratios import GaugeLostError, Pairs, pair_ratios
from intertwine.quantum.entanglement.sampled_entropy import SampledEntropy
from intertwine.quantum.vmc.energy import qualified
from intertwine.sampling.statistics.estimate import Estimate, estimate, r_hat

RELATIVE_ERROR = 0.2
"""Of the purity, above which the entropy is said not to be trusted."""
FEWEST_PAIRS = 100.0
"""P times the pairs, and samples that carry the mean: below, likewise."""
FEWEST_CARRIERS = 30.0
_PAIRS_NOISE = 0.1
_GROUP, _SMALL_GROUP = 128, 64
_BLOCK = 1024


class Swapped(NamedTuple):
    """projection: h₁ of each sample, (chains, draws). chains: H_ab, (chains, chains), the diagonal not used.
    partners: how many samples each was paired with, at least. pairs: how many pairs."""

    projection: Float[np.ndarray, "C D"]
    chains: Float[np.ndarray, "C C"]
    partners: int
    pairs: int


def swapped_entropy(drawn: Drawn, region: tuple[int, ...], partners: int | None = None) -> SampledEntropy:
    """S₂ of `region` from configurations that were drawn before; caveats in the result only."""
    pairs = pair_ratios(drawn, drawn.modes(region))
    shape = drawn.configurations.shape[:2]
    try:
        swapped = enough_pairs(pairs, shape, partners, drawn.independent)
    except GaugeLostError:
        swapped = enough_pairs(pairs, shape, partners, drawn.independent)
    purity = purity_estimate(swapped, drawn.independent).noted(drawn.notes)
    return entropy_from(purity, swapped, region)


def purity_estimate(swapped: Swapped, independent: bool = False) -> Estimate:
    """P with its error, from the projections and the table of chains; independent: draws of a chain are."""
    values = swapped.projection
    found = qualified(estimate(values.reshape(-1, 1) if independent else values), values)
    error2, noise2 = 4 * float(found.error) ** 2, pair_noise(swapped.chains)
    error = np.sqrt(max(error2 - noise2, noise2, error2 / 2))
    alike = min(float(found.r_hat), r_hat(values, ranked=False))  # chains differ in whom they are paired with
    better = found._replace(error=np.float64(error), variance=4 * found.variance, r_hat=np.float64(alike))
    if independent:
        better = better._replace(tau=np.float64(1), r_hat=np.float64(1), ess=np.float64(values.size))
    return better.noted(found.notes)


def pair_noise(table: np.ndarray) -> float:
    """The part of Var(P̂) that comes from the pairs themselves, 2σ_R²/C(C − 1); 0 with fewer than 4 chains,
    where it cannot be told apart.

    >>> round(pair_noise(np.add.outer(np.arange(5.0), np.arange(5.0))), 12)
    0.0
    """
    C = len(table)
    if C < 4:
        return 0.0
    off = ~np.eye(C, dtype=bool)
    mean = table[off].mean()
    effect = (np.where(off, table, 0).sum(axis=1) / (C - 1) - mean) * (C - 1) / (C - 2)
    interaction = (table - mean - effect[:, None] - effect)[off]
    variance = float(np.sum(interaction**2)) / (C * (C - 3))  # each pair stands there twice
    return 2 * variance / (C * (C - 1))


def entropy_from(purity: Estimate, swapped: Swapped, region: tuple[int, ...]) -> SampledEntropy:
    """−ln P with the error of first order, the bias of second order, and the caveats."""
    P, error = float(purity.mean), float(purity.error)
    notes = list(purity.notes)
    more = "take more samples, or steps= (ratios of purities)"
    if not P > 0:
        words = f"the purity is {P:.2g} ± {error:.1g}, which has no logarithm: the pairs cancel"
        notes.append(caveat("untrusted", f"{words}; {more}"))
        nan = np.float64(np.nan)
        found = purity._replace(mean=nan, error=nan, variance=nan)
        return SampledEntropy(found.noted(notes), purity, 2.0, region, float("nan"), swapped.pairs)
    relative = error / P
    if relative > RELATIVE_ERROR:
        words = f"the purity {P:.2g} has a relative error of {100 * relative:.0f} %"
        words += f", and its logarithm a bias of about {relative**2 / 2:.2g} besides"
        notes.append(caveat("untrusted", f"{words}; {more}"))
    if swapped.pairs * P < FEWEST_PAIRS:
        words = f"{swapped.pairs} pairs of purity {P:.1g}: as good as {swapped.pairs * P:.0f} that contribute"
        notes.append(caveat("untrusted", f"{words}; {more}"))
    weights = np.abs(swapped.projection)
    carriers = float(weights.sum() ** 2 / np.sum(weights**2))
    if carriers < min(FEWEST_CARRIERS, weights.size / 4):
        words = f"about {carriers:.0f} of {weights.size} samples carry the purity: the error may be too small"
        notes.append(caveat("untrusted", f"{words}; {more}"))
    found = purity._replace(
        mean=np.float64(-np.log(P)), error=np.float64(relative), variance=purity.variance / P**2
    )
    return SampledEntropy(found.noted(notes), purity, 2.0, region, relative**2 / 2, swapped.pairs)


def swap_pairs(pairs: Pairs, shape: tuple[int, int], partners: int) -> Swapped:
    """All pairs of different chains in groups of about `partners` samples, each with draws of all chains."""
    C, D = shape
    groups = max(1, min(D, round(C * D / max(partners, 2 * C))))
    projection, tables = np.empty(shape), np.zeros((groups, C, C))

    def fill(start: int, stop: int) -> None:
        for g in range(start, stop):
            draws = np.arange(g, D, groups)
            sums = _group(pairs, C, D, draws)
            projection[:, draws] = sums.sum(axis=1).reshape(C, -1) / ((C - 1) * len(draws))
            tables[g] = sums.reshape(C, len(draws), C).sum(axis=1) / len(draws) / D

    if pairs.cheap:
        over_ranges(fill, groups)
    else:
        fill(0, groups)
    table = tables.sum(axis=0)
    count = C * (C - 1) // 2 * sum(len(range(g, D, groups)) ** 2 for g in range(groups))
    return Swapped(projection, table, (C - 1) * (D // groups), count)


def enough_pairs(pairs: Pairs, shape: tuple[int, int], partners: int | None, independent: bool) -> Swapped:
    """As many pairs as lower the error, or as asked for."""
    C, D = shape
    if C < 2:
        raise fail("samples", "draws of at least two chains", f"{C} chain", "give more samples")
    if partners is not None:
        return swap_pairs(pairs, shape, positive_int("partners", partners, "give a number of samples"))
    wanted = _GROUP if pairs.cheap else _SMALL_GROUP
    while True:
        found = swap_pairs(pairs, shape, wanted)
        if found.partners >= (C - 1) * D:
            return found
        noise, whole = pair_noise(found.chains), float(purity_estimate(found, independent).error) ** 2
        if noise <= _PAIRS_NOISE * max(whole - noise, 0.0) or (C < 4 and wanted >= 8 * _GROUP):
            return found
        factor = 2 if noise == 0 else noise / (_PAIRS_NOISE * max(whole - noise, 1e-300))
        wanted = max(wanted, found.partners) * int(np.clip(2 ** np.ceil(np.log2(factor)), 2, 8))


def _group(pairs: Pairs, C: int, D: int, draws: np.ndarray) -> np.ndarray:
    """Σ of h(i, j) over the j of each chain, for the samples `draws` of all chains: (C·d, C); 0 for their own
    chain."""
    d = len(draws)
    numbers = (np.arange(C)[:, None] * D + draws).reshape(-1)
    out = np.zeros((C * d, C))
    step = max(1, _BLOCK // d)
    for a in range(0, C, step):
        first = slice(a * d, min(a + step, C) * d)
        for b in range(a, C, step):
            second = slice(b * d, min(b + step, C) * d)
            there = pairs(numbers[first], numbers[second])
            back = there if a == b else pairs(numbers[second], numbers[first])
            h = np.real(there * back.T)
            out[first, b : b + step] = h.reshape(len(h), -1, d).sum(axis=2)
            if a != b:
                out[second, a : a + step] = h.T.reshape(h.shape[1], -1, d).sum(axis=2)
    out[np.arange(C * d), np.repeat(np.arange(C), d)] = 0.0
    return out
