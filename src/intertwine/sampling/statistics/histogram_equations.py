r"""The equations of multi-histogram reweighting, on histograms of distinct energies (`reweighting`).

    p_l(E) = n_l e^{f_l − K_l E} / D(E),     D(E) = Σ_l n_l e^{f_l − K_l E},     n_l = N_l/g_l
    ∂F/∂f_l = Σ_E h(E) p_l(E) − n_l,         ∂²F/∂f_l∂f_m = Σ_E h(E) (p_l δ_lm − p_l p_m),

h(E) being the number of samples of energy E, each counted 1/g. f_1 = 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from intertwine._checks import fail
from intertwine.sampling.statistics.estimate import autocorrelation_time

MOST_BLOCKS, LEAST_BLOCKS = 32, 8
_TAUS = 10
_STEPS = 50


class Rows(NamedTuple):
    """All samples, those of one block and one energy together.

    energies: (bins,) distinct ones. bin, block: int64 (rows,). weight: (rows,), their number, each counted
    1/g. sums: by name (rows,), the observables summed likewise. counts: n_l, (blocks + 1, R): of all samples
    and without one block. inefficiencies: (R,). blocks: how many. exact: whether the weights are exact
    probabilities.
    """

    energies: np.ndarray
    bin: np.ndarray
    block: np.ndarray
    weight: np.ndarray
    sums: dict[str, np.ndarray]
    counts: np.ndarray
    inefficiencies: np.ndarray
    blocks: int
    exact: bool


class Means(NamedTuple):
    """means: by name (points,). log_z: ln Z(K) − ln Z(K_1), ess: effective samples, (points,)."""

    means: dict[str, np.ndarray]
    log_z: np.ndarray
    ess: np.ndarray


def rows_of(values: list[dict[str, np.ndarray]], weights: list[np.ndarray] | None) -> Rows:
    """Samples (chains, draws) by name of every data set, "energy" among them, in blocks.

    Blocks are contiguous pieces of the chains laid end to end, of at least 10 autocorrelation times where
    there are enough samples for 8 of them; whole chains where there are many. Raises InputError for fewer
    than 8 samples in a data set.
    """
    exact = weights is not None
    times = [max(autocorrelation_time(x) if x.shape[1] > 1 else 1.0 for x in v.values()) for v in values]
    g = np.ones(len(values)) if exact else np.array(times)
    blocks = 1 if exact else min(_blocks(v["energy"].shape, t) for v, t in zip(values, times, strict=True))
    flat = {name: np.concatenate([v[name].ravel() for v in values]) for name in values[0]}
    sizes = [v["energy"].size for v in values]
    block = np.concatenate([np.arange(n) * blocks // n for n in sizes])
    weight = np.concatenate([w.ravel() for w in weights]) if weights else np.repeat(1 / g, sizes)
    owner = np.repeat(np.arange(len(values)), sizes)
    counts = np.bincount(owner * blocks + block, weight, len(values) * blocks).reshape(-1, blocks)
    without = counts.sum(1, keepdims=True) - counts
    energies, bins = np.unique(flat["energy"], return_inverse=True)
    place, row = np.unique(block * len(energies) + bins, return_inverse=True)
    flat["energy_squared"] = flat["energy"] ** 2
    return Rows(
        energies=energies,
        bin=place % len(energies),
        block=place // len(energies),
        weight=np.bincount(row, weight),
        sums={name: np.bincount(row, weight * x) for name, x in flat.items()},
        counts=np.concatenate([counts.sum(1, keepdims=True), without], 1).T,
        inefficiencies=g,
        blocks=blocks,
        exact=exact,
    )


def _blocks(shape: tuple[int, ...], tau: float) -> int:
    chains, draws = shape
    if chains * draws < LEAST_BLOCKS:
        raise fail("energies", f"at least {LEAST_BLOCKS} samples a coupling", f"shape {shape}")
    pieces = max(int(chains * draws / (_TAUS * tau)), chains)
    return int(np.clip(pieces, LEAST_BLOCKS, MOST_BLOCKS))


def partition_functions(
    rows: Rows, couplings: np.ndarray, *, left_out: int | None = None, start: np.ndarray | None = None
) -> np.ndarray:
    """f_l = −ln Z(K_l) + ln Z(K_1), (R,), by Newton's method with halved steps; without a block if one is
    named.

    Raises InputError for data sets that do not overlap.
    """
    counts, heights = rows.counts[0 if left_out is None else left_out + 1], _heights(rows, left_out)
    used = heights > 0
    energies, heights = rows.energies[used], heights[used]
    f = _guess(rows, couplings) if start is None else start.copy()
    value, shares = _objective(f, couplings, counts, energies, heights)
    for _ in range(_STEPS):
        slope = (shares.sum(1) - counts)[1:]
        curvature = np.diag(shares.sum(1)) - (shares / heights) @ shares.T
        step = np.linalg.lstsq(curvature[1:, 1:], -slope, rcond=None)[0]
        scale, close = 1.0, np.abs(step).max(initial=0.0) < 1e-9 * (1 + np.abs(f).max())
        while scale > 1e-6:
            trial = f + scale * np.append(0.0, step)
            new, new_shares = _objective(trial, couplings, counts, energies, heights)
            if new <= value + 1e-12 * abs(value) or close:
                break
            scale /= 2
        f, value, shares = trial, new, new_shares
        if close:  # the next step would be its square
            break
    _check_overlap(rows, couplings, counts, shares, heights)
    return f


def weighted_means(
    rows: Rows, couplings: np.ndarray, f: np.ndarray, points: np.ndarray, *, left_out: int | None
) -> Means:
    """Averages at couplings (points,)."""
    counts = rows.counts[0 if left_out is None else left_out + 1]
    heights = _heights(rows, left_out)
    log_weight = -points[:, None] * rows.energies - _log_sum(f, couplings, counts, rows.energies)
    with np.errstate(divide="ignore"):
        seen = log_weight + np.log(heights)
    top = seen.max(1, keepdims=True)
    relative = np.exp(log_weight - top)
    total = relative @ heights
    means = {name: relative @ _heights(rows, left_out, x) / total for name, x in rows.sums.items()}
    return Means(means, top[:, 0] + np.log(total), total**2 / (relative**2 @ heights))


def _heights(rows: Rows, left_out: int | None, values: np.ndarray | None = None) -> np.ndarray:
    """The histogram, or sums of an observable, by energy, (bins,)."""
    weight = rows.weight if values is None else values
    if left_out is not None:
        weight = np.where(rows.block == left_out, 0.0, weight)
    return np.bincount(rows.bin, weight, len(rows.energies))


def _log_sum(f: np.ndarray, couplings: np.ndarray, counts: np.ndarray, energies: np.ndarray) -> np.ndarray:
    """ln D(E), (bins,)."""
    terms = (np.log(counts) + f)[:, None] - couplings[:, None] * energies
    top = terms.max(0)
    return top + np.log(np.exp(terms - top).sum(0))


def _objective(
    f: np.ndarray, couplings: np.ndarray, counts: np.ndarray, energies: np.ndarray, heights: np.ndarray
) -> tuple[float, np.ndarray]:
    """(F, h p_l as (R, bins))."""
    log_sum = _log_sum(f, couplings, counts, energies)
    shares = np.exp((np.log(counts) + f)[:, None] - couplings[:, None] * energies - log_sum)
    return float(heights @ log_sum - counts @ f), heights * shares


def _guess(rows: Rows, couplings: np.ndarray) -> np.ndarray:
    """f_l from the mean energies of an equal mixture: a straight line."""
    mean = rows.sums["energy"].sum() / rows.weight.sum()
    return (couplings - couplings[0]) * mean


def _check_overlap(
    rows: Rows, couplings: np.ndarray, counts: np.ndarray, shares: np.ndarray, heights: np.ndarray
) -> None:
    """Raise where the overlap matrix p_l p_m splits into parts: fewer than one sample is between them."""
    if len(couplings) == 1:
        return
    overlap = (shares / heights) @ shares.T / np.sqrt(np.outer(counts, counts))
    gap = 1 - np.sort(np.linalg.eigvalsh(overlap))[-2]
    if gap * (1.0 if rows.exact else counts.min()) < (1e-12 if rows.exact else 1.0):
        shown = ", ".join(f"{k:.6g}" for k in np.sort(couplings))
        remedy = "sample couplings between them"
        raise fail("couplings", "data sets whose energies overlap", f"couplings {shown}", remedy)
