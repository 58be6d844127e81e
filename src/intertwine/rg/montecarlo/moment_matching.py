r"""Renormalized couplings from samples of block spins.

    p_K(h) = e^{Σ_α K_α S_α(h)}/Z,      ⟨S_α⟩_K = ⟨S_α⟩_samples

The couplings whose moments are those of the samples have the largest likelihood, and minimise KL(p'‖p_K) as
the samples become many: the truncated H'. The search is convex. Where all configurations can be counted,
model moments are exact ("likelihood"); elsewhere they are sampled by heat bath and corrected by Newton's
method with the sampled covariance ("sampling"), or the couplings come from the conditional laws of single
spins, without a model simulation ("callen", see there). All three agree where H' has no further couplings;
where it has, they differ by how each truncates.

Errors are those of the samples: their moments by bins of successive samples, carried through the covariance
of the model (the jackknife to first order).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._caveats import beneath, tell
from intertwine._checks import fail, one_of, positive_int
from intertwine._shown import Shown, with_error
from intertwine.models.parameters import check_key
from intertwine.rg.blocks.chains import given_chains
from intertwine.rg.montecarlo.callen import callen_couplings, local_fields
from intertwine.rg.terms.exponential_family import ExponentialFamily
from intertwine.rg.terms.families import Families, as_families, family_names, family_sums, ising_of
from intertwine.sampling.enumeration import all_configurations
from intertwine.sampling.statistics.joined_bins import caveats_of, joined
from intertwine.spaces.lattice import Lattice

MOST_COUNTED = 16
"""Sites of the largest lattice whose configurations are counted unless asked for."""

_METHODS = ("likelihood", "callen", "sampling")
_ROUNDS = 4
_CHAINS = 64


@dataclass(frozen=True, eq=False, repr=False)
class MatchedCouplings(Shown):
    """Couplings of block spins, with errors.

    couplings: float64 (n,), in the order of `names`. covariance: of their errors, float64 (n, n).
    method: how they were found. warnings: what qualifies them, lines `code: sentence`.
    """

    couplings: Float[np.ndarray, " n"]
    covariance: Float[np.ndarray, "n n"]
    names: tuple[str, ...]
    method: str
    warnings: tuple[str, ...] = ()

    @property
    def errors(self) -> Float[np.ndarray, " n"]:
        """One standard deviation of each coupling."""
        return np.sqrt(np.diagonal(self.covariance))

    def __str__(self) -> str:
        rows = zip(self.names, self.couplings, self.errors, strict=True)
        table = "\n".join(f"{name:<10} {with_error(K, error, '9.5f')}" for name, K, error in rows)
        return beneath(table, self.warnings)


def match_moments(
    spins: ArrayLike,
    couplings: Families,
    *,
    lattice: Lattice | None = None,
    method: str | None = None,
    bins: int = 32,
    key: Array | None = None,
) -> MatchedCouplings:
    """The couplings of the families `couplings` that describe sampled (block) spins best.

    spins: ±1, (samples, N), successive rows from one or more chains in turn, or (chains, draws, N).
    couplings: families of `spin_terms`. lattice: of the spins; None for the one that `it.sample` gave
    along.
    method: "likelihood", "callen" or "sampling" (the head of this file); None counts configurations up to 16
    sites, and takes "callen" beyond. bins: of samples, for errors; each should be longer than the
    autocorrelation time; they are joined where they are correlated. key: for "sampling".

    What qualifies the couplings is in `warnings`, and told as a Python warning: the caveats of what
    `it.sample` drew, chains that have not mixed, and samples too few for their autocorrelation.

    Raises InputError for what is not ±1 or does not fit the lattice, where no lattice is known, for too few
    samples, and for samples that do not determine the couplings.

    >>> from intertwine.models.spins.ising import Ising
    >>> from intertwine.sampling.draw import sample
    >>> from intertwine.spaces.lattices import Square
    >>> drawn = sample(Ising(Square(4, 4), K=0.3), 2000, key=jax.random.key(0))
    >>> found = match_moments(drawn, ("nearest", "next"), method="callen")
    >>> bool((abs(found.couplings - [0.3, 0.0]) < 4 * found.errors).all())
    True
    """
    found = matched_moments(spins, couplings, lattice=lattice, method=method, bins=bins, key=key)
    tell(found.warnings)
    return found


def matched_moments(
    spins: ArrayLike,
    couplings: Families,
    *,
    lattice: Lattice | None,
    method: str | None,
    bins: int,
    key: Array | None,
) -> MatchedCouplings:
    """`match_moments`, whose warnings are not told."""
    chains, lattice = given_chains(spins, lattice)
    rows = chains.reshape(-1, lattice.size)
    families = as_families(couplings)
    names = family_names(lattice, families)
    if not 2 <= positive_int("bins", bins) <= len(rows):
        raise fail("bins", f"2 to {len(rows)} bins, the number of samples", bins)
    if method is None:
        method = "likelihood" if lattice.size <= MOST_COUNTED else "callen"
    if one_of("method", method, _METHODS) == "callen":
        found, covariance, correlated = callen_couplings(local_fields(rows, lattice, families, bins))
        return MatchedCouplings(found, covariance, names, method, caveats_of(spins, correlated))
    mean, of_mean, correlated = binned_mean(family_sums(rows, lattice, families), bins)
    said = caveats_of(spins, correlated)
    if method == "likelihood":
        family = counted_family(lattice, families)
        found = family.matched(mean)
        inverse = np.linalg.inv(family.moments(found)[1])
        return MatchedCouplings(found, inverse @ of_mean @ inverse, names, method, said)
    key = check_key(key)
    start = callen_couplings(local_fields(rows, lattice, families, bins))[0]
    found, inverse, of_model, slow = _by_sampling(rows, lattice, families, mean, start, bins, key)
    said = caveats_of(spins, correlated or slow)
    return MatchedCouplings(found, inverse @ (of_mean + of_model) @ inverse, names, method, said)


@lru_cache(maxsize=16)
def counted_family(lattice: Lattice, families: Families) -> ExponentialFamily:
    """The exponential family of the sums of `families` over all configurations: the density of states.

    Raises InputError beyond 22 sites.

    >>> from intertwine.spaces.lattices import Square
    >>> counted_family(Square(4, 4), ("nearest",)).sums.shape         # 15 energies
    (15, 1)
    """
    sums = family_sums(all_configurations(lattice.size), lattice, families)
    return ExponentialFamily.collected(sums, np.zeros(len(sums)))


def binned_mean(values: Float[np.ndarray, "n k"], bins: int) -> tuple[np.ndarray, np.ndarray, str]:
    """The mean (k,) of correlated rows, its covariance (k, k) from bins of successive rows, which are joined
    where they are correlated, and "" or how they still are.

    >>> mean, covariance, _ = binned_mean(np.array([[1.0], [1.0], [3.0], [3.0]]), 2)
    >>> mean, covariance
    (array([2.]), array([[1.]]))
    """
    length = len(values) // bins
    means = values[: length * bins].reshape(bins, length, -1).mean(1)
    (sums, count), correlated = joined((means, np.ones(bins)), lambda bins: bins[0] / bins[1][:, None])
    parts = sums / count[:, None]
    apart = parts - parts.mean(0)
    return values.mean(0), apart.T @ apart / (len(parts) * (len(parts) - 1)), correlated


def _by_sampling(
    rows: np.ndarray,
    lattice: Lattice,
    families: Families,
    mean: np.ndarray,
    start: np.ndarray,
    bins: int,
    key: Array,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, str]:
    """(K, inverse covariance of S, covariance of the sampled ⟨S⟩, "" or how few they are): Newton's method on
    heat-bath moments, in runs of twice the length each, from chains that begin at the samples."""
    from intertwine.sampling.spins.heat_bath import HeatBath, HeatBathState

    found, draws = start, max(-(-len(rows) // _CHAINS), bins)
    slow, spins = "", jnp.asarray(rows[np.linspace(0, len(rows) - 1, _CHAINS).astype(int)])
    sampler, state = HeatBath(chains=_CHAINS, burn_in=0), HeatBathState(spins)
    for k, part in enumerate(jax.random.split(key, _ROUNDS)):
        model = ising_of(lattice, families, found)
        length = -(-draws // 2 ** (_ROUNDS - 1 - k))
        samples, state = sampler.sample(model, state, length + length // 4, key=part)
        kept = np.asarray(samples.configurations)[:, length // 4 :].reshape(-1, lattice.size)
        sums = family_sums(kept, lattice, families)
        model_mean, of_model, slow = binned_mean(sums, bins)
        inverse = np.linalg.inv(np.atleast_2d(np.cov(sums.T)))
        found = found + inverse @ (mean - model_mean)
    return found, inverse, of_model, slow
