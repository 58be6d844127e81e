r"""Two-lattice matching: the coupling that a block step makes, and the beta function of the running coupling.

A system at K on L sites, blocked n + 1 times, and one at K' on L/b sites, blocked n times, have lattices of
one size. Where the irrelevant couplings have died out, all their block-spin moments agree if

    K' = R(K),      ⟨S_α^{(n+1)}⟩_{K, L} = ⟨S_α^{(n)}⟩_{K', L/b},

so that finite-size effects cancel (Wilson 1979; Swendsen 1984; Hasenfratz et al. 1984). K' is found by
Newton's method, ∂⟨S_α^{(n)}⟩/∂K being the covariance with ∂ ln Ψ/∂K, from the α of the smallest error. The
running coupling then flows with the beta function

    β(K) = dK/dl = (R(K) − K)/ln b,      β(K_c) = 0,      dR/dK at K_c = b^{y_T}.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, PyTree
from numpy.typing import ArrayLike

from intertwine._caveats import beneath, caveat, disagreement, once, tell
from intertwine._checks import InputError, fail, positive_int
from intertwine._shown import Shown, with_error
from intertwine.models.spins.ising import Ising
from intertwine.rg.blocks.blocking import Decimation, Majority, Rule
from intertwine.rg.montecarlo.moment_matching import binned_mean
from intertwine.rg.terms.operators import default_families, measure
from intertwine.sampling.spins.default_sampler import spin_sampler
from intertwine.sampling.statistics.estimate import estimate
from intertwine.spaces.lattice import Lattice

if TYPE_CHECKING:
    from intertwine.models.protocols import SpinSystem
    from intertwine.sampling.protocols import RunsChains

Family = Callable[[Lattice, float], Any]
_BINS = 25


class _Moments(NamedTuple):
    """Means, their errors and derivatives in K, float64 (n,), and "" or how few they are of."""

    mean: Float[np.ndarray, " n"]
    error: Float[np.ndarray, " n"]
    slope: Float[np.ndarray, " n"]
    correlated: str


@dataclass(frozen=True, repr=False)
class BetaFunction(Shown):
    """K' = R(K) at several couplings.

    couplings: K, float64 (n,), increasing. matched, errors: K' and one σ. block: b. warnings: what qualifies
    them, lines `code: sentence`.
    """

    couplings: Float[np.ndarray, " n"]
    matched: Float[np.ndarray, " n"]
    errors: Float[np.ndarray, " n"]
    block: float
    warnings: tuple[str, ...] = ()

    @property
    def values(self) -> Float[np.ndarray, " n"]:
        """β = dK/dl = (K' − K)/ln b; its errors are `errors`/ln b."""
        return (self.matched - self.couplings) / math.log(self.block)

    def critical(self) -> tuple[float, float]:
        """(K_c, one σ): where a straight line through β vanishes."""
        (slope, constant), covariance = self._line()
        root = -constant / slope
        gradient = np.array([-root / slope, -1 / slope])
        return float(root), float(np.sqrt(gradient @ covariance @ gradient))

    def y_T(self) -> tuple[float, float]:
        """(y_T, one σ) from the slope of the line: dR/dK = b^{y_T}."""
        (slope, _), covariance = self._line()
        rate = 1 + slope
        if rate <= 0:
            raise fail("couplings", "couplings at which K' grows with K", "a line that falls", "more samples")
        scale = math.log(self.block)
        return math.log(rate) / scale, math.sqrt(float(covariance[0, 0])) / float(rate) / scale

    def _line(self) -> tuple[np.ndarray, np.ndarray]:
        if len(self.couplings) < 2:
            raise fail("couplings", "two couplings or more for a slope", len(self.couplings))
        table = np.stack([self.couplings, np.ones_like(self.couplings)], 1) / self.errors[:, None]
        covariance = np.linalg.inv(table.T @ table)
        return covariance @ table.T @ ((self.matched - self.couplings) / self.errors), covariance

    def __str__(self) -> str:
        lines = [f"{'K':>10} {'K′ = R(K)':>22} {'dK/dl':>20}"]
        scale = math.log(self.block)
        for K, made, error, beta in zip(self.couplings, self.matched, self.errors, self.values, strict=True):
            shown = with_error(made, error, ".5f"), with_error(beta, error / scale, "+.5f")
            lines.append(f"{K:10.5f} {shown[0]:>22} {shown[1]:>20}")
        return beneath("\n".join(lines), self.warnings)


def beta_function(
    couplings: ArrayLike,
    lattice: Lattice,
    *,
    family: Family | None = None,
    rule: Rule | None = None,
    levels: int = 2,
    samples: int = 10_000,
    sampler: PyTree = None,
    key: Array,
) -> BetaFunction:
    """The beta function of a system at several couplings K.

    couplings: K (n,). lattice: the larger one. family: (lattice, K) ↦ model; None for the nearest-neighbour
    Ising model; ∂ ln Ψ/∂K is taken of it. rule: `Majority(2)` for None. levels: n + 1, how often the larger
    lattice is blocked. samples: of each lattice and coupling. sampler: 20 chains of the one that `it.sample`
    takes for None. What qualifies K' (chains that disagree, samples that are few for their autocorrelation, a
    K' that was not reached) is in `warnings`, and told as a Python warning.

    Raises InputError for couplings that are not finite, and lattices that the rule does not tile.

    >>> from intertwine.spaces.lattices import Square
    >>> found = beta_function([0.42, 0.46], Square(16, 16), samples=4000, key=jax.random.key(0))
    >>> bool(found.values[0] < 0 < found.values[1]), bool(abs(found.critical()[0] - 0.4407) < 0.01)
    (True, True)
    """
    values = np.asarray(couplings, np.float64)
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise fail("couplings", "finite numbers (n,)", couplings)
    rule = Majority(2) if rule is None else rule
    levels = positive_int("levels", levels)
    family = Ising if family is None else family
    values = np.sort(values)
    sampler = spin_sampler(family(lattice, float(values[0])), chains=20) if sampler is None else sampler
    found = [
        matched_coupling(
            float(K), lattice, family=family, rule=rule, levels=levels, samples=samples, sampler=sampler,
            key=jax.random.fold_in(key, k),
        )
        for k, K in enumerate(values)
    ]  # fmt: skip
    matched, errors = np.array([pair[:2] for pair in found]).T
    warnings = tuple(once((*_opposite(values, family, rule), *(x for _, _, said in found for x in said))))
    tell(warnings)
    return BetaFunction(values, matched, errors, float(rule.block), warnings)


def matched_coupling(
    K: float,
    lattice: Lattice,
    *,
    family: Family = Ising,
    rule: Rule,
    levels: int = 2,
    samples: int = 10_000,
    sampler: RunsChains,
    key: Array,
) -> tuple[float, float, tuple[str, ...]]:
    """(K', one σ, what qualifies them) of one coupling; arguments as for `beta_function`."""
    large_key, block_key, key = jax.random.split(key, 3)
    smaller = rule.blocked(lattice)
    spins, of_large = _drawn(family(lattice, K), sampler, samples, large_key)
    large = _moments(spins, lattice, rule, levels, None, block_key)
    small, of_small, found, error, K_small, reached = large, of_large, K, math.inf, K, False
    for step in range(4):
        draw_key, block_key, key = jax.random.split(key, 3)
        spins, of_small = _drawn(family(smaller, K_small), sampler, samples, draw_key)
        slope_of = _conjugate(family, K_small, smaller, spins)
        small = _moments(spins, smaller, rule, levels - 1, slope_of, block_key)
        with np.errstate(all="ignore"):
            each = (large.mean - small.mean) / small.slope
            variance = (large.error**2 + small.error**2) / small.slope**2
        usable = np.isfinite(each) & np.isfinite(variance) & (variance > 0)
        if not usable.any():
            raise fail("couplings", "couplings at which moments change with K", K, "nearer to K_c")
        best = np.argmin(np.where(usable, variance, np.inf))
        found, error = K_small + float(each[best]), float(np.sqrt(variance[best]))
        reached = abs(found - K_small) < max(2 * error, 1e-3 * abs(K))
        if step and reached:
            break
        K_small += float(np.clip(found - K_small, -0.1 * abs(K), 0.1 * abs(K)))
    named = (f"{K:.6g}", of_large, large), (f"K′ of {K:.6g}", of_small, small)
    said = [line for name, r_hat, of in named for line in _qualified(name, r_hat, of.correlated)]
    if not reached:
        words = f"K′ of {K:.6g} is extrapolated over {abs(found - K_small):.2g} from where it was sampled"
        said.append(caveat("not-converged", f"{words}: take couplings nearer to K_c"))
    return found, error, tuple(said)


def _opposite(values: np.ndarray, family: Family, rule: Rule) -> tuple[str, ...]:
    """The caveat of antiferromagnets whose order blocks of an even side sum to zero."""
    if family is not Ising or values[0] >= 0 or rule.block % 2 or isinstance(rule, Decimation):
        return ()
    words = (
        "with K < 0 neighbours are opposite: blocks of an even side sum that order to zero, and moments of"
    )
    remedy = "on lattices of two sublattices −K is the same system"
    return (caveat("assumption", f"{words} blocks do not tell K′; {remedy}"),)


def _qualified(name: str, r_hat: float, correlated: str) -> tuple[str, ...]:
    """The caveats of the samples at one coupling."""
    remedy = "draw more samples, take more steps, or a sampler by clusters"
    slow = (caveat("untrusted", f"at {name} {correlated}"),) if correlated else ()
    return (*disagreement(r_hat, f"the samples at {name}", remedy), *slow)


def _drawn(model: SpinSystem, sampler: RunsChains, samples: int, key: Array) -> tuple[np.ndarray, float]:
    """Configurations (n, N), one chain after another, and R-hat of ln Ψ."""
    begin, run = jax.random.split(key)
    draws = -(-positive_int("samples", samples) // sampler.chains)
    if draws < 2 * _BINS:
        expected = f"at least {2 * _BINS * sampler.chains} for {sampler.chains} chains"
        raise fail("samples", expected, samples)
    drawn, _ = sampler.sample(model, sampler.init(model, key=begin), draws, key=run)
    spins = np.asarray(drawn.configurations)
    observed = np.stack([_log_weights(model, jnp.asarray(rows)) for rows in spins]).astype(np.float64)
    return spins.reshape(-1, spins.shape[-1]), float(estimate(observed).r_hat)


def _conjugate(family: Family, K: float, lattice: Lattice, spins: np.ndarray) -> np.ndarray:
    """∂ ln Ψ/∂K of configurations, float64 (n,): exact for models linear in K."""
    up, down = (family(lattice, K + shift) for shift in (0.5, -0.5))
    rows = jnp.asarray(spins)
    return np.asarray(_log_weights(up, rows) - _log_weights(down, rows), np.float64)


@jax.jit
def _log_weights(model: SpinSystem, spins: Array) -> Array:
    return jax.lax.map(model, spins, batch_size=1024)


def _moments(
    spins: np.ndarray, lattice: Lattice, rule: Rule, levels: int, conjugate: np.ndarray | None, key: Array
) -> _Moments:
    """Of the even operators after `levels` blockings."""
    for level in range(levels):
        spins = np.asarray(rule(spins, lattice, key=jax.random.fold_in(key, level)))
        lattice = rule.blocked(lattice)
    states = getattr(rule, "states", None)
    names, _ = default_families(lattice, 3, states)
    try:
        even, _ = measure(spins, lattice, names, ("field",), states)
    except InputError as error:
        raise fail("levels", f"fewer levels than {levels}", lattice.name, str(error)) from None
    mean, covariance, correlated = binned_mean(even, _BINS)
    error = np.sqrt(np.diagonal(covariance))
    if conjugate is None:
        return _Moments(mean, error, np.zeros(even.shape[1]), correlated)
    slope = (even * (conjugate - conjugate.mean())[:, None]).mean(0)
    return _Moments(mean, error, slope, correlated)
