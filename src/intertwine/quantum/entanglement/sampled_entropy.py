"""The result of a sampled entropy: its estimate, the trace that it is the logarithm of, and what to say of
it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from intertwine._caveats import beneath, once
from intertwine.sampling.statistics.estimate import Estimate


@dataclass(frozen=True, eq=False, repr=False)
class SampledEntropy:
    """An entropy from samples, nats.

    mean, error, variance, tau, r_hat, ess, samples: as of `Estimate`; the error is one standard deviation,
    with the autocorrelation and the pairs' own noise. order: 2 for the swap estimator. region: its sites.
    purity: the estimate of Tr ρ² (of Tr ρ^order where that is not 2; the entropy itself at order 1). bias:
    what is known of E[mean] − S, nats: of the logarithm, error²/2, or what is left after extrapolation in
    the number of samples. pairs: how many pairs of samples were taken. warnings: what qualifies it.
    """

    estimate: Estimate
    purity: Estimate
    order: float
    region: tuple[int, ...]
    bias: float
    pairs: int

    @property
    def mean(self) -> float:
        return float(self.estimate.mean)

    @property
    def error(self) -> float:
        return float(self.estimate.error)

    @property
    def variance(self) -> float:
        return float(self.estimate.variance)

    @property
    def tau(self) -> float:
        return float(self.estimate.tau)

    @property
    def r_hat(self) -> float:
        return float(self.estimate.r_hat)

    @property
    def ess(self) -> float:
        return float(self.estimate.ess)

    @property
    def samples(self) -> int:
        return int(self.estimate.samples)

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(once([*self.estimate.warnings, *self.purity.notes]))

    def __float__(self) -> float:
        return self.mean

    @property
    def line(self) -> str:
        """Mean, error and diagnostics in one line, without the caveats."""
        return self.estimate.line

    def __str__(self) -> str:
        return beneath(self.line, self.warnings)

    def __repr__(self) -> str:
        return f"SampledEntropy(order={self.order:g}, {len(self.region)} sites; {self.line})"


def exactly(value: float, order: float, region: tuple[int, ...]) -> SampledEntropy:
    """An entropy that is known without sampling."""
    zero, one, nothing = np.float64(0.0), np.float64(1.0), np.int64(0)

    def known(mean: float) -> Estimate:
        return Estimate(np.float64(mean), zero, zero, one, one, zero, nothing)

    trace = value if order == 1 else float(np.exp((1 - order) * value))
    return SampledEntropy(known(value), known(trace), order, region, 0.0, 0)
