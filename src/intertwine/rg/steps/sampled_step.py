r"""Renormalization steps in coupling space whose new couplings are measured, with errors.

    K ──► samples of e^{K·S} on the lattice ──rule──► block spins ──► K' ± error, ∂K'/∂K

`VariationalStep` finds K' with a bias that removes critical slowing down (`variational`); `MatchedStep` takes
plain samples and matches moments (`moment_matching`). Either is a step of `flow` and `fixed_point`; the flow
carries its errors. The new couplings are written on the lattice of the first step again, so that every step
is made at the same size. A step is a function of its couplings: its key is folded with them.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import Array
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine.models.parameters import check_key
from intertwine.rg.montecarlo.moment_matching import match_moments
from intertwine.rg.montecarlo.variational import variational_couplings
from intertwine.rg.terms.families import Families, family_names, family_sums, ising_of
from intertwine.spaces.lattice import Lattice


class Measured(NamedTuple):
    """What a sampled step found: couplings float64 (n,), their covariance (n, n), and ∂K'_i/∂K_j (n, n)."""

    couplings: Float[np.ndarray, " n"]
    covariance: Float[np.ndarray, "n n"]
    jacobian: Float[np.ndarray, "n n"]


@dataclass(frozen=True, eq=False)
class VariationalStep:
    """A step by variational Monte Carlo renormalization.

    rule: a `Rule` of separate blocks. lattice: where it is sampled. couplings: families of `spin_terms`.
    chains, draws, sweeps: of `variational_couplings`.

    >>> from intertwine.rg.blocks.blocking import Majority
    >>> from intertwine.spaces.lattices import Square
    >>> step = VariationalStep(Majority(2), Square(8, 8), ("nearest",), draws=200, key=jax.random.key(0))
    >>> bool(0 < step.step(np.array([0.3]))[0] < 0.3)                  # the disordered phase
    True
    """

    rule: Any
    lattice: Lattice
    couplings: Families
    key: Array
    chains: int = 32
    draws: int = 1000
    sweeps: int = 1

    @property
    def block(self) -> float:
        return float(self.rule.block)

    @property
    def names(self) -> tuple[str, ...]:
        return family_names(self.lattice, self.couplings)

    def step(self, couplings: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """K' (n,) of K (n,)."""
        return self.measured(couplings).couplings

    def jacobian(self, couplings: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n n"]:
        """∂K'_i/∂K_j at K (n,)."""
        return self.measured(couplings).jacobian

    def measured(self, couplings: Float[np.ndarray, " n"]) -> Measured:
        """K' of K (n,), with covariance and derivative."""
        found = variational_couplings(
            ising_of(self.lattice, self.couplings, couplings),
            self.rule,
            self.couplings,
            chains=self.chains,
            draws=self.draws,
            sweeps=self.sweeps,
            key=_folded(self.key, couplings),
        )
        return Measured(found.couplings, found.covariance, found.jacobian)


@dataclass(frozen=True, eq=False)
class MatchedStep:
    """A step by matched moments of blocked heat-bath samples.

    rule: any `Rule` of spins. lattice: where it is sampled. couplings: families of `spin_terms`. chains,
    draws, sweeps: of the heat bath, after half as many draws that are not kept. method: of `match_moments`.

    >>> from intertwine.rg.blocks.blocking import Majority
    >>> from intertwine.spaces.lattices import Square
    >>> step = MatchedStep(Majority(2), Square(8, 8), ("nearest",), draws=50, key=jax.random.key(0))
    >>> bool(0 < step.step(np.array([0.3]))[0] < 0.3)
    True
    """

    rule: Any
    lattice: Lattice
    couplings: Families
    key: Array
    chains: int = 64
    draws: int = 500
    sweeps: int = 2
    method: str | None = None

    @property
    def block(self) -> float:
        return float(self.rule.block)

    @property
    def names(self) -> tuple[str, ...]:
        return family_names(self.lattice, self.couplings)

    def step(self, couplings: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """K' (n,) of K (n,)."""
        return self.measured(couplings).couplings

    def jacobian(self, couplings: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n n"]:
        """∂K'_i/∂K_j at K (n,): Cov(S', S')⁻¹ Cov(S', S) of the samples."""
        return self.measured(couplings).jacobian

    def measured(self, couplings: Float[np.ndarray, " n"]) -> Measured:
        """K' of K (n,), with covariance and derivative."""
        from intertwine.sampling.spins.heat_bath import HeatBath

        begin, run, ties, match = jax.random.split(_folded(self.key, couplings), 4)
        model = ising_of(self.lattice, self.couplings, couplings)
        sampler = HeatBath(chains=self.chains, steps=self.sweeps, burn_in=self.draws * self.sweeps // 2)
        samples, _ = sampler.sample(model, sampler.init(model, key=begin), self.draws, key=run)
        spins = np.asarray(samples.configurations).swapaxes(0, 1).reshape(-1, self.lattice.size)
        blocked = self.rule.blocked(self.lattice)
        blocks = np.asarray(self.rule(spins, self.lattice, key=ties))
        found = match_moments(blocks, self.couplings, lattice=blocked, method=self.method, key=match)
        fine, coarse = (
            family_sums(x, on, self.couplings) for x, on in ((spins, self.lattice), (blocks, blocked))
        )
        n = len(self.couplings)
        joint = np.cov(coarse.T, fine.T)
        return Measured(found.couplings, found.covariance, np.linalg.solve(joint[:n, :n], joint[:n, n:]))


def _folded(key: Array, couplings: ArrayLike) -> Array:
    """A key of its own for every value of the couplings."""
    return jax.random.fold_in(check_key(key), zlib.crc32(np.asarray(couplings, np.float64).tobytes()))
