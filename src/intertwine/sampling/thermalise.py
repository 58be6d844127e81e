r"""Thermalisation that is measured: sample until the chains agree with one another and no longer drift.

Draws are taken in rounds that double the total. After each round only the last half of all draws counts, and
the chains are thermalised if, for log |ψ| and for an observable if one is given,

    R-hat < 1.05 (split, rank-normalised, folded: Vehtari et al. 2021), and
    the means of the two halves of the last half differ by less than twice the error bar of the difference.

Random configurations are far out in log |ψ|, so that it is the quantity that settles last in most cases; a
slower observable (an order parameter) can be given.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np
from jax import Array
from jaxtyping import PyTree

from intertwine._caveats import Caveat
from intertwine._checks import fail, positive_int
from intertwine.models.protocols import LogAmplitude
from intertwine.sampling.enumeration import log_density
from intertwine.sampling.sharding import on_host
from intertwine.sampling.statistics.estimate import autocorrelation_time, estimate, r_hat

if TYPE_CHECKING:
    from intertwine.sampling.protocols import Sampler


class ThermalisationWarning(Caveat):
    """The chains did not agree within the draws allowed."""


class Thermalisation(NamedTuple):
    """What thermalisation took and found.

    draws: draws per chain that were taken. proposals: the same in proposals per chain, where the sampler has
        sweeps.
    r_hat: the largest R-hat over the last half. drift: the largest difference of the means of its halves, in
        error bars. tau: integrated autocorrelation time of log |ψ| in draws over the last half. acceptance:
        of the last block.
    converged: whether the limits were met.
    """

    draws: int
    proposals: int
    r_hat: float
    drift: float
    tau: float
    acceptance: float
    converged: bool

    def __str__(self) -> str:
        verdict = "thermalised" if self.converged else "NOT thermalised"
        return (
            f"{verdict} after {self.draws} draws per chain: R̂ {self.r_hat:.3f}, "
            f"drift {self.drift:.1f} error bars, τ {self.tau:.1f}, acceptance {self.acceptance:.2f}"
        )


def thermalise(
    sampler: Sampler,
    model: LogAmplitude,
    state: PyTree,
    *,
    key: Array,
    observable: Callable[[Array], Any] | None = None,
    limit: float = 1.05,
    block: int = 8,
    most: int = 2048,
    warn: bool = True,
) -> tuple[Any, Thermalisation]:
    """The state of thermalised chains, and what it took.

    observable: configurations (chains, draws, N) → real values (chains, draws), watched besides log |ψ|.
    limit: R-hat below which the chains agree. block: draws per chain taken at a time (one compilation).
    most: draws per chain after which the state is returned as it is, with a `ThermalisationWarning` unless
        `warn` is False.

    An enumeration needs no thermalisation. Raises InputError for numbers out of range.

    >>> import jax
    >>> from intertwine.models.machines.rbm import RBM
    >>> from intertwine.sampling.metropolis.metropolis import Metropolis
    >>> from intertwine.sampling.metropolis.rules import SingleFlip
    >>> key = jax.random.key(1)
    >>> psi = RBM(6, hidden=6, key=key)
    >>> sampler = Metropolis(SingleFlip(), chains=16, backend="jax")
    >>> state, report = thermalise(sampler, psi, sampler.init(psi, key=key), key=key)
    >>> report.converged
    True
    """
    block = positive_int("block", block, "give the number of draws per chain taken at a time")
    most = positive_int("most", most, "give the largest number of draws per chain")
    if not limit > 1.0:
        raise fail("limit", "a number above 1", limit, "1.05 is usual, 1.01 strict")
    watched: list[list[np.ndarray]] = []
    blocks, target = 0, max(1, -(-16 // block))  # a half of the last half needs 4 draws
    while True:
        samples, state = sampler.sample(model, state, block, key=jax.random.fold_in(key, blocks))
        if samples.weights is not None:
            return state, Thermalisation(0, 0, 1.0, 0.0, 1.0, 1.0, True)
        values = [on_host(log_density(model, samples.configurations)) / 2.0]
        if observable is not None:
            values.append(np.real(on_host(observable(samples.configurations))))
        watched.append(values)
        blocks += 1
        over = (blocks + 1) * block > most
        if blocks < target and not over:
            continue
        series = [np.concatenate(parts, axis=1) for parts in zip(*watched, strict=True)]
        report = _judge(series, limit, sampler, model, float(samples.acceptance))
        if report.converged:
            return state, report
        if over:
            if warn:
                remedy = f"give more draws (most={2 * most}), a longer sweep, or ParallelTempering"
                warnings.warn(f"{report}; {remedy}", ThermalisationWarning, stacklevel=2)
            return state, report
        target *= 2


def _judge(
    series: list[np.ndarray], limit: float, sampler: Sampler, model: LogAmplitude, acceptance: float
) -> Thermalisation:
    """R-hat and drift over the last half of the draws of every watched quantity."""
    draws = series[0].shape[1]
    lasts = [values[:, draws // 2 :] for values in series]
    worst_r = max(_r_hat(values) for values in lasts)
    worst_drift = max(_drift(values) for values in lasts)
    sweep = (getattr(sampler, "sweep", None) or model.size) * draws
    good = bool(worst_r < limit and worst_drift < 2.0)  # a nan is not good
    tau = autocorrelation_time(lasts[0])
    return Thermalisation(draws, sweep, worst_r, worst_drift, tau, acceptance, good)


def _r_hat(values: np.ndarray) -> float:
    """R-hat; one chain alone is compared half against half."""
    if len(values) == 1:
        half = values.shape[1] // 2
        values = np.vstack((values[:, :half], values[:, -half:]))
    return r_hat(values)


def _drift(values: np.ndarray) -> float:
    """|difference of the means of the halves| in error bars."""
    half = values.shape[1] // 2
    first, last = estimate(values[:, :half]), estimate(values[:, -half:])
    error = float(np.hypot(first.error, last.error))
    difference = abs(float(first.mean - last.mean))
    if difference <= 1e-12 * (1.0 + abs(float(last.mean))):
        return 0.0
    return difference / error if error > 0 else float("inf")
