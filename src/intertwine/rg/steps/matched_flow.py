r"""The flow {K} → {K'} → {K''} of samples that are blocked repeatedly.

    samples of e^{−H} ──rule──► samples of e^{−H'} ──rule──► samples of e^{−H''} …
         │ match                     │ match                      │ match
         K                           K'                           K''

At every level the couplings are matched to the same samples (`moment_matching`), so that a truncation does
not feed the next step, as it does where K' is sampled anew (`MatchedStep`). What is lost instead is size: b
times shorter sides at every level.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import numpy as np
from jax import Array
from numpy.typing import ArrayLike

from intertwine._caveats import once, tell
from intertwine._checks import InputError, positive_int
from intertwine.models.parameters import check_key
from intertwine.rg.blocks.chains import given_chains
from intertwine.rg.montecarlo.moment_matching import matched_moments
from intertwine.rg.steps.flow import Flow
from intertwine.rg.terms.families import Families, as_families, family_names
from intertwine.spaces.lattice import Lattice

if TYPE_CHECKING:
    from intertwine.rg.blocks.blocking import Rule


def matched_flow(
    spins: ArrayLike,
    rule: Rule,
    levels: int,
    couplings: Families,
    *,
    lattice: Lattice | None = None,
    method: str | None = None,
    bins: int = 32,
    key: Array,
) -> Flow:
    """Couplings by level, with errors, of sampled spins ±1 under a rule.

    spins: (samples, N) or (chains, draws, N). rule: a `Rule` of spins. levels: how often it is applied.
    couplings: families of `spin_terms`, followed on all levels. lattice: None for the one that
    `it.sample` gave along. method, bins: of `match_moments`. key: for rules that draw.

    The flow ends, with its reason, where a level has no room for the families or no couplings (an ordered
    phase). What qualifies it is in `warnings`, and told, as by `match_moments`. Raises InputError where
    level 0 has none.

    >>> from intertwine.models.spins.ising import Ising
    >>> from intertwine.rg.blocks.blocking import Majority
    >>> from intertwine.sampling.draw import sample
    >>> from intertwine.spaces.lattices import Square
    >>> hot = sample(Ising(Square(16, 16), K=0.3), 500, key=jax.random.key(0))
    >>> found = matched_flow(hot, Majority(2), 2, ("nearest",), key=jax.random.key(1))
    >>> bool((np.diff(found.couplings[:, 0]) < 0).all())                       # to K = 0
    True
    """
    rows, lattice = given_chains(spins, lattice)
    families = as_families(couplings)
    names = family_names(lattice, families)
    levels = positive_int("levels", levels, "give the number of steps")
    keys = jax.random.split(check_key(key), 2 * levels + 1)
    first = matched_moments(spins, families, lattice=lattice, method=method, bins=bins, key=keys[-1])
    found, stopped = [first], ""
    for level in range(levels):
        draw, match = keys[2 * level], keys[2 * level + 1]
        try:
            rows, lattice = rule(rows, lattice, key=draw), rule.blocked(lattice)
            matched = matched_moments(rows, families, lattice=lattice, method=method, bins=bins, key=match)
        except InputError as problem:
            stopped = f"no couplings at level {level + 1}: {problem}"
            break
        found.append(matched)
    covariance = np.stack([level.covariance for level in found])
    warnings = tuple(once(line for level in found for line in level.warnings))
    tell(warnings)
    couplings_found = np.stack([level.couplings for level in found])
    return Flow(couplings_found, covariance, names, float(rule.block), stopped, warnings)
