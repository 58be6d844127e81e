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
from typing import Any

import jax
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail, one_of, positive_int
from intertwine.models.spin_terms import Shape, spin_terms
from intertwine.rg.blocks import checked_spins
from intertwine.rg.callen import callen_couplings, check_terms, local_fields
from intertwine.rg.exponential_family import ExponentialFamily
from intertwine.rg.heat_bath import heat_bath
from intertwine.sampling.enumeration import all_configurations
from intertwine.spaces.lattice import Lattice
from intertwine.spaces.lattices import Square

MOST_COUNTED = 16
"""Sites of the largest lattice whose configurations are counted unless asked for."""

_METHODS = ("likelihood", "callen", "sampling")
_ROUNDS = 4


@dataclass(frozen=True, eq=False)
class MatchedCouplings:
    """Couplings of block spins, with errors.

    couplings: float64 (n,), in the order of `names`. covariance: of their errors, float64 (n, n).
    method: how they were found.
    """

    couplings: Float[np.ndarray, " n"]
    covariance: Float[np.ndarray, "n n"]
    names: tuple[str, ...]
    method: str

    @property
    def errors(self) -> Float[np.ndarray, " n"]:
        """One standard deviation of each coupling."""
        return np.sqrt(np.diagonal(self.covariance))

    def __str__(self) -> str:
        rows = zip(self.names, self.couplings, self.errors, strict=True)
        return "\n".join(f"{name:<10} {K:>9.5f} ± {error:.5f}" for name, K, error in rows)


def match_moments(
    spins: Any,
    couplings: tuple[str | Shape, ...],
    *,
    lattice: Lattice | None = None,
    method: str | None = None,
    bins: int = 32,
    key: Array | None = None,
) -> MatchedCouplings:
    """The couplings of the families `couplings` that describe sampled (block) spins best.

    spins: ±1, (samples, N), successive rows from one or more chains in turn, or (chains, draws, N).
    couplings: families of `spin_terms`. lattice: of the spins; None for the square torus of side √N.
    method: "likelihood", "callen" or "sampling" (the head of this file); None counts configurations up to 16
    sites, and takes "callen" beyond. bins: of samples, for errors; each should be longer than the
    autocorrelation time. key: for "sampling".

    Raises InputError for what is not ±1 or does not fit the lattice, for too few samples, and for samples
    that do not determine the couplings.

    >>> from intertwine.models.ising import Ising
    >>> from intertwine.sampling.draw import sample
    >>> drawn = sample(Ising(Square(4, 4), K=0.3), 2000, key=jax.random.key(0))
    >>> found = match_moments(drawn, ("nearest", "next"), method="callen")
    >>> bool((abs(found.couplings - [0.3, 0.0]) < 4 * found.errors).all())
    True
    """
    given = np.asarray(spins)
    if given.ndim not in (2, 3) or given.size == 0:
        raise fail("spins", "an array (samples, N) or (chains, draws, N)", f"shape {given.shape}")
    lattice = _lattice(lattice, given.shape[-1])
    rows = checked_spins(given, lattice).reshape(-1, lattice.size)
    names = tuple(couplings) if not isinstance(couplings, str) else (couplings,)
    labels = check_terms(lattice, names)
    if not 2 <= positive_int("bins", bins) <= len(rows):
        raise fail("bins", f"2 to {len(rows)} bins, the number of samples", bins)
    if method is None:
        method = "likelihood" if lattice.size <= MOST_COUNTED else "callen"
    if one_of("method", method, _METHODS) == "callen":
        return MatchedCouplings(*callen_couplings(local_fields(rows, lattice, names, bins)), labels, method)
    sums = np.stack([spin_terms(lattice, name).sum(rows) for name in names], -1).astype(np.float64)
    mean, of_mean = binned_mean(sums, bins)
    if method == "likelihood":
        family = counted_family(lattice, names)
        found = family.matched(mean)
        inverse = np.linalg.inv(family.moments(found)[1])
        return MatchedCouplings(found, inverse @ of_mean @ inverse, labels, method)
    if key is None:
        raise fail("key", "a JAX key for method 'sampling'", None)
    return MatchedCouplings(*_by_sampling(rows, lattice, names, mean, of_mean, bins, key), labels, method)


@lru_cache(maxsize=16)
def counted_family(lattice: Lattice, names: tuple[str | Shape, ...]) -> ExponentialFamily:
    """The exponential family of the sums of `names` over all configurations: the density of states.

    Raises InputError beyond 22 sites.

    >>> counted_family(Square(4, 4), ("nearest",)).sums.shape         # 15 energies
    (15, 1)
    """
    spins = all_configurations(lattice.size)
    sums = np.stack([spin_terms(lattice, name).sum(spins).astype(np.int32) for name in names], -1)
    return ExponentialFamily.collected(sums, np.zeros(len(sums)))


def binned_mean(values: Float[np.ndarray, "n k"], bins: int) -> tuple[np.ndarray, np.ndarray]:
    """The mean (k,) of correlated rows, and its covariance (k, k) from bins of successive rows.

    >>> mean, covariance = binned_mean(np.array([[1.0], [1.0], [3.0], [3.0]]), 2)
    >>> mean, covariance
    (array([2.]), array([[1.]]))
    """
    length = len(values) // bins
    parts = values[: length * bins].reshape(bins, length, -1).mean(1)
    apart = parts - parts.mean(0)
    return values.mean(0), apart.T @ apart / (bins * (bins - 1))


def _lattice(lattice: Lattice | None, size: int) -> Lattice:
    if lattice is None:
        side = round(size**0.5)
        if side * side != size:
            raise fail("lattice", "the lattice of the spins", None, f"{size} is no square")
        return Square(side, side)
    if not isinstance(lattice, Lattice) or lattice.size != size:
        raise fail("lattice", f"a lattice of {size} sites", lattice, "one site a column of `spins`")
    return lattice


def _by_sampling(
    rows: np.ndarray,
    lattice: Lattice,
    names: tuple[str | Shape, ...],
    mean: np.ndarray,
    of_mean: np.ndarray,
    bins: int,
    key: Array,
) -> tuple[np.ndarray, np.ndarray]:
    """Newton's method on sampled moments; the chains begin at the samples, from the couplings of `callen`."""
    found = callen_couplings(local_fields(rows, lattice, names, bins))[0]
    chains = min(len(rows), 64)
    draws = -(-len(rows) // chains)
    spins = rows[np.linspace(0, len(rows) - 1, chains).astype(int)]
    for k, part in enumerate(jax.random.split(key, _ROUNDS)):
        length = max(draws // 2 ** (_ROUNDS - 1 - k), 16)
        drawn = heat_bath(lattice, names, found, spins, length, key=part)
        spins = drawn[:, -1]
        kept = drawn[:, length // 8 :].swapaxes(0, 1).reshape(-1, lattice.size)
        sums = np.stack([spin_terms(lattice, name).sum(kept) for name in names], -1).astype(np.float64)
        model, of_model = binned_mean(sums, min(bins, len(sums)))
        inverse = np.linalg.inv(np.atleast_2d(np.cov(sums.T)))
        found = found + inverse @ (mean - model)
    return found, inverse @ (of_mean + of_model) @ inverse
