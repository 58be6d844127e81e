r"""Exact distributions of a few spins of an Ising model, the others summed out one after another.

    p(s_A) = (1/Z) Σ_{s_i, i ∉ A} Π_terms e^{K_t Π_{i ∈ t} s_i}

Summing over one site multiplies the factors that hold it and leaves one factor on its neighbours (variable
elimination; Bertelè & Brioschi 1972). In the order of least neighbours this is the transfer matrix of a
strip, for any lattice and any couplings: the cost is 2^w for the widest factor met, w about twice the
circumference of a torus.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.models.spins.ising import Ising

if TYPE_CHECKING:
    from intertwine.models.protocols import SpinSystem

WIDEST = 24
"""Spins of the largest table that is formed, 128 MiB."""


class Marginal(NamedTuple):
    """table: float64 (2, ..., 2), one axis a site, index 0 ↔ spin +1. log_z: ln Z of the model, in nats."""

    table: Float[np.ndarray, "..."]
    log_z: float


def marginal(model: Ising, sites: Sequence[int]) -> Marginal:
    """The exact distribution of the spins at `sites`, axes in their order, and ln Z.

    Raises InputError for what is no `Ising` model, sites that are outside or repeated, and where a table of
    more than 2²⁴ entries would be needed.

    >>> from intertwine.spaces.lattices import Chain
    >>> p = marginal(Ising(Chain(40), K=0.5), [0, 3])
    >>> correlation = p.table[0, 0] + p.table[1, 1] - p.table[0, 1] - p.table[1, 0]
    >>> bool(abs(correlation - math.tanh(0.5) ** 3) < 1e-12)           # of an infinite chain, to rounding
    True
    """
    kept = _checked(model, sites)
    terms = spin_factors(model)
    factors = [_factor(sites, strength) for sites, strength in terms]
    log_scale = sum(abs(strength) for _, strength in terms)
    for site in _order(model.size, [f[0] for f in factors], set(kept)):
        joined = [f for f in factors if site in f[0]]
        factors = [f for f in factors if site not in f[0]]
        scope, table = _product(joined, last=site)
        table = table.sum(-1) if joined else np.array(2.0)
        top = float(table.max())
        log_scale += math.log(top)
        factors.append((scope[:-1], table / top))
    scope, table = _product(factors)
    spread = [n for n in kept if n not in scope]  # sites without terms: even
    table = np.broadcast_to(table[(..., *(None,) * len(spread))], table.shape + (2,) * len(spread))
    names = (*scope, *spread)
    table = table.transpose([names.index(n) for n in kept])
    total = float(table.sum())
    return Marginal(table / total, log_scale + math.log(total))


def spin_factors(model: Ising) -> list[tuple[tuple[int, ...], float]]:
    """(sites, K_t) of every term K_t Π s_i of ln Ψ, zero couplings left out."""
    found: list[tuple[tuple[int, ...], float]] = []
    bonds, couplings = model.pairs()
    found += zip(map(tuple, bonds.tolist()), couplings.tolist(), strict=True)
    field = np.broadcast_to(np.asarray(model.field, float), (model.size,))
    found += [((i,), h) for i, h in enumerate(field.tolist())]
    for terms, strength in zip(model.terms, np.asarray(model.strengths, float).tolist(), strict=True):
        if terms.order != 2:
            found += [(tuple(sites), strength) for sites in terms.sites.tolist()]
    return [(sites, strength) for sites, strength in found if strength != 0]


def _checked(model: SpinSystem, sites: Sequence[int]) -> tuple[int, ...]:
    if not isinstance(model, Ising):
        raise fail("model", "an Ising model", type(model).__name__)
    kept = tuple(int(i) for i in sites)
    if len(set(kept)) < len(kept) or not all(0 <= i < model.size for i in kept):
        raise fail("sites", f"different sites from 0 to {model.size - 1}", list(kept))
    if len(kept) > WIDEST:
        raise fail("sites", f"at most {WIDEST} sites", len(kept), "take a smaller block or environment")
    return kept


def _factor(sites: tuple[int, ...], strength: float) -> tuple[tuple[int, ...], np.ndarray]:
    """e^{K Π s − |K|}, an axis a site."""
    product = np.array(1.0)
    for _ in sites:
        product = np.multiply.outer(product, np.array([1.0, -1.0]))
    return sites, np.exp(strength * product - abs(strength))


def _order(size: int, scopes: list[tuple[int, ...]], kept: set[int]) -> list[int]:
    """The sites to sum over, always the one with the fewest neighbours left."""
    around: list[set[int]] = [set() for _ in range(size)]
    for scope in scopes:
        for i in scope:
            around[i] |= set(scope) - {i}
    left, order = set(range(size)) - kept, []
    while left:
        site = min(left, key=lambda i: (len(around[i]), i))
        if len(around[site]) + 1 > WIDEST:
            expected = f"a model whose sites can be summed out with tables of {WIDEST} spins"
            raise fail("model", expected, f"{len(around[site]) + 1} spins", "take a narrower lattice")
        for i in around[site]:
            around[i] |= around[site]
            around[i] -= {i, site}
        left.remove(site)
        order.append(site)
    return order


def _product(factors: list, last: int | None = None) -> tuple[tuple[int, ...], np.ndarray]:
    """The product of factors and its sites, sorted but for `last`."""
    found = sorted(set().union(*(f[0] for f in factors))) if factors else []
    scope = tuple(i for i in found if i != last) + ((last,) if last is not None else ())
    total = np.ones(())
    for sites, table in sorted(factors, key=lambda f: len(f[0])):
        ordered = sorted(sites, key=scope.index)
        aligned = table.transpose([sites.index(i) for i in ordered])
        total = total * aligned.reshape([2 if i in sites else 1 for i in scope])
    return scope, total
