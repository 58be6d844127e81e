r"""Monte Carlo renormalization: exponents of configurations at a critical point (Swendsen 1979).

Configurations are blocked again and again. From level to level, the correlations between operators of both
give the linearised transformation (`mcrg_result`), whose eigenvalues approach those of the fixed point
although its couplings are never known (Phys. Rev. Lett. 42, 859). `MCRGSums` (`streaming`) takes batches one
after another; `mcrg` takes them at once.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from jax import Array

from intertwine._caveats import tell
from intertwine._checks import fail, positive_int
from intertwine.rg.blocks.blocking import Majority, Rule
from intertwine.rg.blocks.blocks import checked_states, lattice_of
from intertwine.rg.blocks.chains import chain_after_chain
from intertwine.rg.joined_bins import unmixed
from intertwine.rg.montecarlo.mcrg_result import MCRG
from intertwine.rg.montecarlo.streaming import MCRGSums
from intertwine.spaces.lattice import Lattice


def mcrg(
    spins: Any,
    rule: Rule | None = None,
    levels: int = 4,
    couplings: Any = 4,
    *,
    lattice: Lattice | None = None,
    states: int | None = None,
    bins: int = 50,
    key: Array | None = None,
) -> MCRG:
    """Exponents of the configurations (n, N), or (chains, draws, N), of a critical system without a field.

    spins: spins ±1, or Potts states, in the order in which they were drawn (`it.sample` gives them so). rule:
    `Majority(2)` for None. levels: how often it is applied. couplings: a number, of the customary families
    ("nearest", "next", "plaquette", "third" …; "field", "corner", "row", "vee"), or a tuple of families of
    `spin_terms`. lattice, states: of the spins, and q of Potts states; None for those that `it.sample` gave
    along (a bare array carries neither: give its lattice). bins: of the jackknife: runs of n/bins
    configurations, which are joined where they are shorter than the autocorrelation. key: None is
    `jax.random.key(0)`.

    The result says whether there is a fixed point (`fixed_point`: True, False, or None where that cannot be
    judged, such as of chains that have not mixed), and why (`reason`); what qualifies it is in `warnings`,
    and told as a Python warning.

    Raises InputError for spins of other values or shapes, a lattice that neither says, rules that do not
    tile it, and more levels or couplings than it has room for.

    >>> from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
    >>> from intertwine.sampling.spins.cluster import SwendsenWang
    >>> from intertwine.sampling.draw import sample
    >>> from intertwine.spaces.lattices import Square
    >>> ising, sampler = Ising(Square(16, 16), K=CRITICAL_SQUARE), SwendsenWang(chains=16)
    >>> found = mcrg(sample(ising, 4000, sampler=sampler, key=jax.random.key(0)), levels=2, couplings=3)
    >>> found.y_T.shape, bool(abs(found.y_T[1, 2] - 1) < 0.1), bool(abs(found.y_H[1, 2] - 1.875) < 0.02)
    ((2, 3), True, True)
    """
    rows = chain_after_chain(spins)
    if rows.ndim not in (2, 3):
        raise fail("spins", "configurations (n, N) or (chains, draws, N)", f"shape {rows.shape}")
    lattice = lattice_of(spins, lattice)
    checked_states(spins, lattice)
    rows = rows.reshape(-1, rows.shape[-1])
    if len(rows) < 4:
        raise fail("spins", "four configurations or more", len(rows), "draw more configurations")
    states = getattr(spins, "states", None) if states is None else states
    rule = Majority(2, states=states) if rule is None else rule
    collected = MCRGSums(rule, lattice, levels=levels, couplings=couplings, states=states)
    bins = positive_int("bins", bins)
    if bins < 2 or len(rows) < 2 * bins:
        expected = f"2 to {max(2, len(rows) // 2)} bins of two configurations or more"
        raise fail("bins", expected, f"{bins} bins of {len(rows)} configurations", "draw more configurations")
    key = jax.random.key(0) if key is None else key
    sums = collected.zeros(bins)
    for k, part in enumerate(np.array_split(rows, bins)):
        sums = collected.add(sums, k, part, key=jax.random.fold_in(key, k))
    found = collected.result(sums, unfit=unmixed(spins), clock=getattr(spins, "clock", False))
    tell(found.warnings)
    return found
