r"""ln Z from annealed log weights: the mean, its error, and bounds from both sides.

Forward weights have E[w] = Z, weights of the reverse walk E[1/w] = 1/Z. Jensen's inequality holds for any
group of K chains,

    E ln (1/K) Σ w  ≤  ln Z  ≤  −E ln (1/K) Σ 1/w,

and a mean of logarithms has light tails even where a mean of weights has not. So the bounds are means over
groups of √C chains, less (plus) Student's t times their standard error: they hold with the stated confidence
also where the effective sample size is small and the error bar of ln (mean w) means nothing. With both walks
the estimate is Bennett's (J. Comput. Phys. 22, 245, 1976), the solution c of

    Σ_forward 1/(1 + e^{c + M − ln w}) = Σ_reverse 1/(1 + e^{ln w − c − M}),     M = ln(n_forward/n_reverse),

of least variance among all that use these weights (Shirts, Bair, Hooker & Pande 2003). A walk back that
begins with the forward walk's weighted ends counts as many independent chains as these are worth.
"""

from __future__ import annotations

import numpy as np

from intertwine.boltzmann.partition.annealing import effective_size

CONFIDENCE = 0.9995
"""Of each bound."""
_DRAWS = 400


def log_mean_exp(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """ln of the mean of e^x."""
    top = x.max(axis=axis, keepdims=True)
    return np.squeeze(top, axis) + np.log(np.exp(x - top).mean(axis=axis))


def lower_bound(
    log_weights: np.ndarray, confidence: float = CONFIDENCE, independent: float | None = None
) -> float:
    """A number below ln E[w] with this confidence, from log weights (C,), C ≥ 4.

    independent: how many of the chains count as independent, if not all.
    """
    count = len(log_weights)
    groups = max(2, int(np.sqrt(count)))
    size = count // groups
    share = 1.0 if independent is None else min(1.0, max(independent, 2.0) / count)
    means = log_mean_exp(log_weights[: groups * size].reshape(groups, size))
    return max(_below(means, confidence, share), _below(log_weights, confidence, share))


def _below(x: np.ndarray, confidence: float, share: float) -> float:
    """The mean of x, less Student's t times its standard error; `share` of the values are independent."""
    from scipy.stats import t

    freedom = max(share * len(x) - 1, 1)
    return float(x.mean() - t.ppf(confidence, freedom) * x.std(ddof=1) / np.sqrt(freedom + 1))


def upper_bound(
    reverse: np.ndarray, confidence: float = CONFIDENCE, independent: float | None = None
) -> float:
    """A number above −ln E[1/w] with this confidence."""
    return -lower_bound(-reverse, confidence, independent)


def delta_error(log_weights: np.ndarray) -> float:
    """The standard error of ln (mean w) to first order: √((C/ESS − 1)/(C − 1))."""
    count = len(log_weights)
    return float(np.sqrt(max(count / effective_size(log_weights) - 1, 0.0) / max(count - 1, 1)))


def bootstrap_error(
    forward: np.ndarray, reverse: np.ndarray | None, seed: int, independent: float | None = None
) -> float:
    """The standard deviation of the estimate over chains drawn with replacement; `independent` reverse ones
    are drawn, if not all count."""
    rng = np.random.default_rng(seed)
    draws = forward[rng.integers(len(forward), size=(_DRAWS, len(forward)))]
    if reverse is None:
        return float(log_mean_exp(draws).std(ddof=1))
    drawn = len(reverse) if independent is None else int(np.clip(independent, 2, len(reverse)))
    other = reverse[rng.integers(len(reverse), size=(_DRAWS, drawn))]
    return float(bennett(draws, other).std(ddof=1))


def bennett(forward: np.ndarray, reverse: np.ndarray) -> np.ndarray:
    """ln Z of forward (..., n) and reverse (..., m) log weights, by bisection."""
    shift = np.log(forward.shape[-1] / reverse.shape[-1])
    both = np.concatenate([forward, reverse], axis=-1)
    low, high = both.min(-1) - abs(shift) - 40, both.max(-1) + abs(shift) + 40
    for _ in range(100):
        middle = 0.5 * (low + high)
        c = (middle + shift)[..., None]
        excess = _logistic(forward - c).sum(-1) - _logistic(c - reverse).sum(-1)
        low, high = np.where(excess > 0, middle, low), np.where(excess > 0, high, middle)
    return 0.5 * (low + high)


def _logistic(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * x))
