r"""Variational Monte Carlo renormalization: couplings of block spins without critical slowing down.

    p_V(v, h) ∝ e^{−H(v)} p(h|v) e^{−V(h)},      V(h) = Σ_α K'_α S_α(h)

The functional Ω[V] = ln Σ_h e^{−H'(h)−V(h)} + ⟨V⟩_uniform is convex in K', with gradient ⟨S_α⟩_uniform −
⟨S_α⟩_V and Hessian Cov_V(S_α, S_β). At its minimum V cancels H' as far as the families allow, the block spins
become independent, and −H' = Σ_α K'_α S_α (Wu & Car, Phys. Rev. Lett. 119, 220602, 2017). The uniform moments
of products of spins vanish. As the bias takes the interactions of the block spins away, nothing slows down at
T_c.

Newton's method on sampled moments: short runs first, then one long run at a fixed bias, at the end of which
one more step is made; errors are those of ⟨S⟩_V in that run, by bins. The same run linearises the
transformation: differentiating ⟨S'⟩_V = 0 gives

    ∂K'/∂K = Cov_V(S', S')⁻¹ Cov_V(S', S)

whose eigenvalues are the exponents, also free of slowing down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jax
import numpy as np
from jax import Array
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine import _threads
from intertwine._caveats import beneath, tell
from intertwine._checks import fail, positive_int
from intertwine._keys import key_words
from intertwine._shown import Shown, with_error
from intertwine.models.parameters import check_key
from intertwine.models.results import as_model
from intertwine.models.spins.ising import Ising
from intertwine.models.spins.spin_terms import spin_terms
from intertwine.rg.blocks.push_forward import local_rule
from intertwine.rg.montecarlo.moment_matching import binned_mean
from intertwine.rg.terms.families import Families, as_families, family_names
from intertwine.rg.terms.term_graph import TermGraph, term_graph
from intertwine.sampling.statistics.estimate import estimate
from intertwine.sampling.statistics.joined_bins import caveats_of, joined

if TYPE_CHECKING:
    from intertwine.rg.blocks.blocking import Rule

_SHORT_RUNS = 6
_LARGEST_CHANGE = 0.25
_BINS = 32


@dataclass(frozen=True, eq=False, repr=False)
class VariationalCouplings(Shown):
    """The minimum of Ω.

    couplings: K', float64 (n,), in the order of `names`. covariance: of their errors, (n, n).
    jacobian: ∂K'_i/∂K_j of the same families, (n, n). jackknife: the same without one bin of the long run
    each, (bins, n, n). moments: ⟨S_α⟩_V/√Var_V(S_α) of that run, (n,): how flat the block spins were. tau:
    the longest autocorrelation time of the S_α in that run, in draws. block: b. warnings: of a run that is
    short for its autocorrelation, lines `code: sentence`.
    """

    couplings: Float[np.ndarray, " n"]
    covariance: Float[np.ndarray, "n n"]
    names: tuple[str, ...]
    jacobian: Float[np.ndarray, "n n"]
    jackknife: Float[np.ndarray, "bins n n"]
    moments: Float[np.ndarray, " n"]
    tau: float
    block: float
    warnings: tuple[str, ...] = ()

    @property
    def errors(self) -> Float[np.ndarray, " n"]:
        """One standard deviation of each coupling."""
        return np.sqrt(np.diagonal(self.covariance))

    def exponents(self) -> tuple[np.ndarray, np.ndarray]:
        """(y (n,), errors (n,)): ln|λ|/ln b of the jacobian, largest first, with jackknife errors. They are
        those of the fixed point where the couplings are near it."""
        values = np.stack([self._logs(matrix) for matrix in (self.jacobian, *self.jackknife)])
        bins = len(self.jackknife)
        spread = values[1:] - values[1:].mean(0)
        return values[0], np.sqrt((bins - 1) / bins * (spread**2).sum(0))

    def _logs(self, matrix: np.ndarray) -> np.ndarray:
        return np.sort(np.log(np.abs(np.linalg.eigvals(matrix))))[::-1] / math.log(self.block)

    def __str__(self) -> str:
        rows = zip(self.names, self.couplings, self.errors, strict=True)
        lines = [f"{name:<10} {with_error(K, error, '9.5f')}" for name, K, error in rows]
        return beneath("\n".join([*lines, f"τ = 1 + 2Σρ = {self.tau:.1f} draws"]), self.warnings)


def variational_couplings(
    model: Ising,
    rule: Rule,
    couplings: Families,
    *,
    chains: int = 32,
    draws: int = 2000,
    sweeps: int = 1,
    start: ArrayLike | None = None,
    key: Array,
) -> VariationalCouplings:
    """The renormalized couplings of an Ising model under a rule of separate blocks.

    model: `Ising` with one coupling a family. rule: a `Rule` whose blocks do not overlap. couplings: families
    of `spin_terms`, of the block spins. chains: run side by side. draws: a chain, of the long run; the six
    short runs before it are an eighth as long each. sweeps: between draws. start: the first K' (n,); None for
    those of the model.

    The same key gives the same numbers on any number of threads. Raises InputError for rules that do not tile
    or have no separate blocks, models with couplings of their own on each bond, and families that depend on
    each other on the blocked lattice.

    >>> from intertwine.rg.blocks.blocking import Majority
    >>> from intertwine.spaces.lattices import Square
    >>> ising, key = Ising(Square(4, 4), K=0.4), jax.random.key(0)
    >>> found = variational_couplings(ising, Majority(2), ("nearest",), key=key)
    >>> bool(0 < found.couplings[0] < 0.6), found.jacobian.shape
    (True, (1, 1))
    """
    model = as_model(model)
    if not isinstance(model, Ising):
        raise fail("model", "an Ising model", type(model).__name__)
    check_key(key)
    for name, value in (("chains", chains), ("draws", draws), ("sweeps", sweeps)):
        positive_int(name, value)
    if chains * draws < 100 * _BINS:
        raise fail("draws", f"at least {100 * _BINS} samples, chains × draws", chains * draws)
    families = as_families(couplings)
    run = _Biased(model, rule, families)
    names = family_names(run.blocked, families)
    known = {spin_terms(model.lattice, name).name: value for name, value in model.couplings.items()}
    K = np.array([known.get(name, 0.0) for name in names] if start is None else start, np.float64)
    if K.shape != (len(names),) or not np.isfinite(K).all():
        raise fail("start", f"{len(names)} finite couplings", str(start))
    keys = jax.random.split(key, _SHORT_RUNS + 2)
    random = np.random.default_rng(key_words(keys[0])).integers(0, 2, (chains, model.size + run.blocked.size))
    spins, blocks = np.split((2 * random - 1).astype(np.int8), [model.size], 1)
    for part in keys[1:-1]:
        _, sums = run(K, spins, blocks, max(draws // 8, -(-4 * _BINS // chains)), sweeps, part)
        change = _newton(sums)
        K = K + change * min(1.0, _LARGEST_CHANGE / max(np.abs(change).max(), 1e-300))
    fine, sums = run(K, spins, blocks, draws, sweeps, keys[-1])
    found = _result(K, fine, sums, names, float(rule.block))
    tell(found.warnings)
    return found


class _Biased:
    """The tables of one model under one rule, and runs of its chains under a bias."""

    def __init__(self, model: Ising, rule: Rule, families: Families):
        lattice = model.lattice
        self.blocked = rule.blocked(lattice)
        local = local_rule(rule, lattice)
        if local is None:
            expected = "a rule of separate blocks, such as Majority(2)"
            raise fail("rule", expected, type(rule).__name__, "match_moments serves any rule")
        self.sites, self.up = local
        own = {name: value for name, value in model.couplings.items() if value != 0}
        self.couplings = np.array(list(own.values()), np.float64)
        self.graph: TermGraph = term_graph(lattice, tuple(own))
        self.seen: TermGraph = term_graph(lattice, families, once=True)
        self.block_graph: TermGraph = term_graph(self.blocked, families)
        self.block_seen: TermGraph = term_graph(self.blocked, families, once=True)

    def __call__(
        self, K: np.ndarray, spins: np.ndarray, blocks: np.ndarray, draws: int, sweeps: int, key: Array
    ) -> tuple[np.ndarray, np.ndarray]:
        """(S of the spins, S of the block spins), (chains, draws, n) each, after a quarter as many draws that
        are not kept; `spins` and `blocks` move on."""
        from intertwine.rg.montecarlo.host_blocks import run_blocks
        from intertwine.sampling.host_random import chain_states

        skipped = max(draws // 4, 20)
        states = chain_states(key, len(spins))
        fine = np.empty((len(spins), skipped + draws, len(K)))
        coarse = np.empty((len(spins), skipped + draws, len(K)))

        def chains(a: int, b: int) -> None:
            run_blocks(
                self.couplings,
                tuple(self.graph),
                tuple(self.seen),
                -K,
                tuple(self.block_graph),
                tuple(self.block_seen),
                self.sites,
                self.up,
                spins[a:b],
                blocks[a:b],
                states[a:b],
                fine[a:b],
                coarse[a:b],
                sweeps,
            )

        _threads.over_ranges(chains, len(spins))
        return fine[:, skipped:], coarse[:, skipped:]


def _newton(sums: np.ndarray) -> np.ndarray:
    """Cov⁻¹ ⟨S⟩ of sums (chains, draws, n)."""
    rows = sums.reshape(-1, sums.shape[-1])
    covariance = np.atleast_2d(np.cov(rows.T))
    scale = np.sqrt(np.diagonal(covariance))
    if not (scale > 0).all() or np.linalg.eigvalsh(covariance / np.outer(scale, scale))[0] < 1e-10:
        raise fail(
            "couplings",
            "families whose sums are linearly independent on the blocked lattice",
            f"{len(scale)} of which some follow from others, or block spins that do not move",
            "take a larger lattice, fewer families, or a weaker coupling",
        )
    return np.linalg.solve(covariance, rows.mean(0))


def _result(
    K: np.ndarray, fine: np.ndarray, sums: np.ndarray, names: tuple[str, ...], block: float
) -> VariationalCouplings:
    """One more step from the bias K, with its errors and derivatives; fine, sums: (chains, draws, n)."""
    tau = max(float(estimate(sums[..., a]).tau) for a in range(len(K)))
    fine, sums = (x.reshape(-1, len(K)) for x in (fine, sums))  # chain after chain
    mean, of_mean, correlated = binned_mean(sums, _BINS)
    inverse = np.linalg.inv(np.atleast_2d(np.cov(sums.T)))
    jacobian, jackknife = _derivatives(fine, sums)
    return VariationalCouplings(
        couplings=K + inverse @ mean,
        covariance=inverse @ of_mean @ inverse,
        names=names,
        jacobian=jacobian,
        jackknife=jackknife,
        moments=mean / sums.std(0),
        tau=tau,
        block=block,
        warnings=caveats_of(None, correlated),
    )


def _derivatives(fine: np.ndarray, sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cov(S', S')⁻¹ Cov(S', S) of all rows, (n, n), and without one bin each, (bins, n, n); bins are
    joined where they are correlated."""
    n, length = sums.shape[1], len(sums) // _BINS
    both = np.concatenate([sums, fine], 1)[: length * _BINS].reshape(_BINS, length, 2 * n)
    parts = both.mean(1), np.einsum("bti,btj->bij", both, both) / length, np.ones(_BINS)
    parts, _ = joined(parts, lambda sums: sums[0] / sums[2][:, None])
    whole = [part.sum(0) for part in parts]

    def matrix(first: np.ndarray, second: np.ndarray, count: float) -> np.ndarray:
        mean = first / count
        covariance = second / count - np.outer(mean, mean)
        return np.linalg.solve(covariance[:n, :n], covariance[:n, n:])

    left = (matrix(*(a - b for a, b in zip(whole, row, strict=True))) for row in zip(*parts, strict=True))
    return matrix(*whole), np.stack(list(left))
