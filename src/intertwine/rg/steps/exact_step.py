r"""One exact step in coupling space, on a small torus.

    K  ──►  p(v) ∝ e^{K·S(v)} on the lattice  ──rule──►  p'(h)  ──►  K' with ⟨S'⟩_{K'} = ⟨S'⟩_{p'}

The blocked lattice is a smaller torus of the same kind; its couplings, written on the larger one again, make
a flow (the cell-cluster approximation of Nauenberg & Nienhuis, Phys. Rev. Lett. 33, 1598, 1974: four cells of
four spins, periodic). Nothing is approximated but the size of the torus, and the truncation where the
families do not reproduce H'. The derivative is exact too:

    ∂K'/∂K = Cov_{K'}(S', S')⁻¹ Cov_p(S', S)

the linearised transformation of Monte Carlo renormalization (Swendsen 1979), by enumeration.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.rg.blocks.block_hamiltonian import projected
from intertwine.rg.blocks.push_forward import all_states, push_forward
from intertwine.rg.terms.exponential_family import ExponentialFamily
from intertwine.rg.terms.families import Families, family_names, family_sums
from intertwine.spaces.lattice import Lattice

_MOST_SITES = 20


@dataclass(frozen=True, eq=False)
class ExactStep:
    """The step of a rule on a lattice of at most 20 sites, for `flow` and `fixed_point`.

    rule: a `Rule` of spins. lattice: where it is enumerated. couplings: families of `spin_terms` that both
    lattices have room for. On `Square(4, 4)` with blocks of 2 × 2, ("nearest", "next", "plaquette") is
    complete for even couplings.

    Raises InputError for larger lattices, rules that do not tile, and families that do not fit the blocks.

    >>> from intertwine.rg.blocks.blocking import Decimation
    >>> from intertwine.spaces.lattices import Chain
    >>> step = ExactStep(Decimation(2), Chain(8), ("nearest",))
    >>> bool(abs(np.tanh(step.step(np.array([0.7]))[0]) - np.tanh(0.7) ** 2) < 1e-12)
    True
    """

    rule: Any
    lattice: Lattice
    couplings: Families

    def __post_init__(self) -> None:
        if self.lattice.size > _MOST_SITES:
            raise fail(
                "lattice", f"at most {_MOST_SITES} sites", self.lattice.name, "VariationalStep samples"
            )
        for lattice in (self.lattice, self.rule.blocked(self.lattice)):
            family_names(lattice, self.couplings)

    @property
    def block(self) -> float:
        return float(self.rule.block)

    @property
    def names(self) -> tuple[str, ...]:
        return family_names(self.lattice, self.couplings)

    def step(self, couplings: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """K' (n,) of K (n,)."""
        return self._blocked(np.asarray(couplings, np.float64))[0]

    def jacobian(self, couplings: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n n"]:
        """∂K'_i/∂K_j at K (n,)."""
        found, pushed, mean = self._blocked(np.asarray(couplings, np.float64))
        block_sums = self._sums[1]
        own = ExponentialFamily(block_sums, np.zeros(len(block_sums))).moments(found)[1]
        cross = block_sums.T @ pushed[:, 1:] - np.outer(block_sums.T @ pushed[:, 0], mean)
        return np.linalg.solve(own, cross)

    def _blocked(self, K: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(K', Σ_v p(h|v) p(v) (1, S(v)), ⟨S⟩)."""
        sums, block_sums = self._sums
        exponent = sums @ K
        p = np.exp(exponent - exponent.max())
        p /= p.sum()
        pushed = push_forward(self.rule, self.lattice, np.column_stack([p, p[:, None] * sums]))
        with np.errstate(divide="ignore"):
            log_p = np.log(pushed[:, 0])
        return projected(block_sums, log_p, "blocked"), pushed, p @ sums

    @cached_property
    def _sums(self) -> tuple[np.ndarray, np.ndarray]:
        """S of all configurations of both lattices, float64 (2^N, n) and (2^N', n)."""
        pair = (self.lattice, self.rule.blocked(self.lattice))
        fine, coarse = (family_sums(all_states(x.size), x, self.couplings) for x in pair)
        return fine, coarse
