r"""Monte Carlo renormalization: exponents of configurations at a critical point (Swendsen 1979).

Configurations are blocked again and again. From level to level, the correlations between operators of both
give the linearised transformation (`mcrg_result`), whose eigenvalues approach those of the fixed point
although its couplings are never known (Phys. Rev. Lett. 42, 859). `MCRGSums` (`streaming`) takes batches one
after another; `mcrg` takes them at once, or draws them itself (`renormalization`); `coupling_flow` follows
the couplings besides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import jax
import numpy as np
from jax import Array
from jaxtyping import PyTree
from numpy.typing import ArrayLike

from intertwine._caveats import tell
from intertwine._checks import fail, positive_int
from intertwine.learning.study import Scalars, carry_out
from intertwine.models.parameters import check_key
from intertwine.models.results import as_model
from intertwine.rg.blocks.blocking import Majority, Rule
from intertwine.rg.blocks.blocks import checked_states, lattice_of
from intertwine.rg.blocks.chains import chain_after_chain
from intertwine.rg.defaults import BINS, COUPLINGS, GIVEN_BINS, LEVELS, SAMPLES, STARTS, sampler_of
from intertwine.rg.montecarlo.mcrg_result import MCRG
from intertwine.rg.montecarlo.renormalization import Batches, CouplingFlow, Renormalization
from intertwine.rg.montecarlo.spin_system import SpinSystem, is_spin_model
from intertwine.rg.montecarlo.streaming import MCRGSums
from intertwine.sampling.statistics.joined_bins import unmixed
from intertwine.spaces.lattice import Lattice

if TYPE_CHECKING:
    from intertwine.models.spins.spin_terms import Shape
    from intertwine.sampling.protocols import Sampler

Progress = Callable[[Batches, Scalars], object]


def mcrg(
    spins: ArrayLike,
    rule: Rule | None = None,
    levels: int = LEVELS,
    couplings: int | Iterable[str | Shape] = COUPLINGS,
    *,
    lattice: Lattice | None = None,
    states: int | None = None,
    samples: int | None = None,
    bins: int | None = None,
    sampler: Sampler | None = None,
    progress: Progress | None = None,
    key: Array | None = None,
) -> MCRG:
    """Exponents of a critical system without a field, from a spin model that is sampled batch by batch, or
    from configurations of it, (n, N) or (chains, draws, N).

    spins: an `Ising`, `Potts` or `Clock` model (or a run that has one), which gives the numbers of
    `intertwine renormalize` with the same settings and `key = jax.random.key(seed)`; or spins ±1, or Potts
    states, in the order in which they were drawn (`it.sample` gives them so). rule: `Majority(2)` for None.
    levels: how often it is applied. couplings: a number, of the customary families
    ("nearest", "next", "plaquette", "third" …; "field", "corner", "row", "vee"), or a tuple of families of
    `spin_terms`. lattice, states: of the spins, and q of Potts states; None for those of the model, or that
    `it.sample` gave along (a bare array carries neither: give its lattice). samples, sampler: of a model;
    40,000 configurations, rounded up to whole bins, by 10 chains of the sampler that `it.sample` takes
    (`rg.defaults`) for None. bins: of the jackknife: runs of configurations, which are joined where they are
    shorter than the autocorrelation; None for the 25 batches of a model, 50 of given ones. progress: called
    with the state and the numbers after each batch of a model. key: None is `jax.random.key(0)`.

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
    >>> bool(abs(mcrg(ising, levels=2, couplings=3, samples=5000).y_H[1, 2] - 1.875) < 0.02)
    True
    """
    spins = as_model(spins)
    if is_spin_model(spins):
        if lattice is not None or states is not None:
            got = "one of " + ("lattice, states" if lattice is None else "lattice")
            raise fail("spins", "a spin model alone, which has its lattice and its states", got)
        study = renormalization(
            spins, rule, levels, couplings, samples=samples, bins=bins, sampler=sampler, key=key, follow=False
        )
        flow = carry_out(study, progress=progress)
        found = replace(flow.mcrg, notes=(*flow.mcrg.notes, *flow.notes))
        tell(found.warnings)
        return found
    rows = chain_after_chain(spins)
    for name, value in (("samples", samples), ("sampler", sampler), ("progress", progress)):
        if value is not None:
            raise fail(name, "None with given configurations, which are not sampled", value)
    bins = GIVEN_BINS if bins is None else bins
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


def coupling_flow(
    model: PyTree,
    rule: Rule | None = None,
    levels: int = LEVELS,
    couplings: int | Iterable[str | Shape] = COUPLINGS,
    *,
    starts: int = STARTS,
    samples: int | None = None,
    bins: int | None = None,
    sampler: Sampler | None = None,
    progress: Progress | None = None,
    key: Array | None = None,
) -> CouplingFlow:
    """The flow {K} → {K'} → {K''} of a spin model whose samples are blocked again and again, and from other
    couplings around its own, with the exponents of `mcrg`.

    model: an `Ising` model with one coupling a family (of others the exponents alone are measured), or a run
    that has one. starts: how many other K of nearest neighbours to flow from, evenly between 0.9 and 1.1 of
    its own. All else as for `mcrg`. The same numbers as of `intertwine renormalize` with the same settings
    and `key = jax.random.key(seed)`.

    A flow ends, with NaN, at the level on which the samples do not determine its couplings (an error beyond
    0.2, an ordered phase). Raises InputError as `mcrg` does.

    >>> from intertwine.models.spins.ising import Ising
    >>> from intertwine.spaces.lattices import Square
    >>> found = coupling_flow(Ising(Square(16, 16), 0.35), levels=2, couplings=2, starts=2, samples=5000)
    >>> found.K.round(3).tolist(), found.couplings.shape
    ([0.315, 0.385, 0.35], (3, 3, 2))
    >>> bool((np.diff(found.couplings[-1, :, 0]) < 0).all())                   # to K = 0
    True
    """
    model = as_model(model)
    if not is_spin_model(model):
        raise fail("model", "a spin model, such as it.Ising(it.Square(64, 64), K=0.44)", model)
    if starts:
        positive_int("starts", starts, "give 0 for none")
    study = renormalization(
        model, rule, levels, couplings, starts=starts, samples=samples, bins=bins, sampler=sampler, key=key
    )
    found = carry_out(study, progress=progress)
    tell(found.warnings)
    return found


def renormalization(
    model: PyTree,
    rule: Rule | None,
    levels: int,
    couplings: int | Iterable[str | Shape],
    *,
    starts: int = 0,
    samples: int | None,
    bins: int | None,
    sampler: Sampler | None,
    key: Array | None,
    follow: bool = True,
) -> Renormalization:
    """The study of a spin model, with what is not given by default."""
    system = SpinSystem.of(model, sampler_of(model) if sampler is None else sampler)
    return Renormalization(
        system,
        Majority(2, states=system.states) if rule is None else rule,
        levels=levels,
        couplings=couplings,
        samples=SAMPLES if samples is None else samples,
        bins=BINS if bins is None else bins,
        starts=starts,
        follow=follow,
        key=jax.random.key(0) if key is None else check_key(key),
    )
