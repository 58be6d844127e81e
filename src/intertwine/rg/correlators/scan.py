r"""β(K) and γ(K) of a spin system, simulated at several couplings: the study behind `callan_symanzik_scan`
and `intertwine renormalize --callan-symanzik`.

A line is a bin of the jackknife at every coupling. Couplings are best where the lattice is long compared with
ξ: on both sides of K_c, not at it. With L/ξ = 10 to 16 below K_c and K as far above it where nothing is said,

    K = K_c (1 + t),     t = (−8.7, −7.3, −5.8, 2.9, 5.8)/L in two dimensions,
                         t = (−19, −16, −13, 6.5, 13)/L^{1/ν}, ν = 0.63, in three
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import Array
from jaxtyping import Float, PyTree
from numpy.typing import ArrayLike

from intertwine._caveats import tell
from intertwine._checks import InputError, fail, positive_int
from intertwine.learning.study import Scalars, Study, carry_out
from intertwine.models.parameters import check_key
from intertwine.models.spins.ising import Ising
from intertwine.models.spins.spin_terms import linked_bonds
from intertwine.rg.correlators.result import CallanSymanzik
from intertwine.rg.correlators.sampled_rows import of_samples
from intertwine.rg.correlators.spin_correlations import Measured, Sums, is_staggered, joined_bins
from intertwine.rg.defaults import BINS, EQUATION_SAMPLES, sampler_of
from intertwine.rg.montecarlo.spin_system import is_spin_model
from intertwine.sampling.draw import frustrating
from intertwine.sampling.statistics.joined_bins import caveats_of

PLANE = (-8.7, -7.3, -5.8, 2.9, 5.8)
SPACE, NU = (-19.0, -16.0, -13.0, 6.5, 13.0), 0.63
CHAIN = (0.8, 0.9, 1.0, 1.1, 1.2)


def around(critical: float, side: int, dimension: int) -> tuple[float, ...]:
    """Couplings at which a lattice of this side is long compared with ξ; of a chain, around a coupling.

    >>> [round(K, 3) for K in around(0.4406868, 64, 2)]
    [0.381, 0.39, 0.401, 0.461, 0.481]
    """
    if dimension == 1:
        return tuple(critical * share for share in CHAIN)
    shares = PLANE if dimension == 2 else SPACE
    length = side if dimension == 2 else side ** (1 / NU)
    return tuple(critical * (1 + t / length) for t in shares)


class Scanned(NamedTuple):
    """chains: the samplers', by coupling. sums: of every bin, (couplings, bins, …) each."""

    chains: tuple[Any, ...]
    sums: Sums


class CallanSymanzikScan(Study[Scanned, CallanSymanzik]):
    """Batches at every coupling.

    models: one of each of `couplings`, which increase. weights: ∂ ln Ψ/∂K of the bonds, a number or one each.
    samples: at each coupling, rounded up to whole bins. window: (first, last) r, or None.
    """

    def __init__(
        self,
        couplings: Sequence[float],
        models: Sequence[Any],
        sampler: PyTree,
        *,
        weights: ArrayLike = 1.0,
        samples: int,
        bins: int,
        window: tuple[float, float] | None = None,
        key: Array,
    ):
        self.couplings, self.models, self.sampler = tuple(couplings), tuple(models), sampler
        self.lines = positive_int("bins", bins)
        together = sampler.chains * self.lines
        if bins < 8 or positive_int("samples", samples) < 2 * together:
            raise fail(
                "samples", f"{2 * sampler.chains * max(bins, 8)} or more, in eight bins or more", samples
            )
        self.draws, self.window, self.key = -(-samples // together), window, key
        first = self.models[0]
        states, clock = getattr(first, "states", None), bool(getattr(first, "directions", False))
        turned = {is_staggered(first.lattice, K, states) for K in self.couplings}
        if len(turned) > 1:
            raise fail("couplings", "couplings of one sign", list(self.couplings))
        self.measured = Measured(first.lattice, states, clock=clock, staggered=turned.pop(), weights=weights)

    def template(self, done: int) -> Scanned:
        """A state of the structure of every other, without the burn-in."""
        from dataclasses import replace

        quick = replace(self.sampler, burn_in=1) if hasattr(self.sampler, "burn_in") else self.sampler
        return self._fresh(quick)

    def start(self) -> Scanned:
        """The state before the first batch: chains of every coupling after their burn-in."""
        return self._fresh(self.sampler)

    def _fresh(self, sampler: PyTree) -> Scanned:
        n, bins, shells = len(self.couplings), self.lines, len(self.measured.shells.distances)
        keys = jax.random.split(jax.random.fold_in(self.key, 0), n)
        chains = tuple(sampler.init(model, key=key) for model, key in zip(self.models, keys, strict=True))
        shapes = ((), (), (shells,), (shells,), (2,))
        return Scanned(chains, Sums(*(np.zeros((n, bins, *shape)) for shape in shapes)))

    def iterate(self, state: Scanned, done: int) -> Iterator[tuple[Scanned, Scalars]]:
        for line in range(done, self.lines):
            chains, sums = list(state.chains), Sums(*(part.copy() for part in state.sums))
            for k, model in enumerate(self.models):
                key = jax.random.fold_in(jax.random.fold_in(self.key, line + 1), k)
                drawn, chains[k] = self.sampler.sample(model, chains[k], self.draws, key=key)
                found = self.measured.sums(np.asarray(drawn.configurations).reshape(-1, model.size))
                for part, value in zip(sums, found, strict=True):
                    part[k, line] = value
            state = Scanned(tuple(chains), sums)
            yield state, self._so_far(sums, line + 1)

    def _so_far(self, sums: Sums, lines: int) -> Scalars:
        """y_T and γ at the zero of β from the batches so far, from the eighth on."""
        if lines < 8:
            return {}
        try:
            found = self._found(sums, lines)
        except InputError:  # too few batches to see the correlations
            return {}
        slope = found.y_T()
        if slope is None:
            return {}
        gamma = found.gamma_at()
        return {"y_T": slope[0], "y_T_error": slope[1], "gamma": gamma[0], "gamma_error": gamma[1]}

    def _found(self, sums: Sums, lines: int) -> CallanSymanzik:
        each = [Sums(*(part[k, :lines] for part in sums)) for k in range(len(self.couplings))]
        notes = frustrating(self.models[0], self.sampler)
        return of_samples(
            [
                self.measured.found(K, one, (*notes, *caveats_of(None, joined_bins(one)[1])))
                for K, one in zip(self.couplings, each, strict=True)
            ],
            self.window,
        )

    def finish(self, state: Scanned, history: list[Scalars]) -> CallanSymanzik:
        return self._found(state.sums, len(history) if history else self.lines)


def bond_weights(family: Callable[[float], Any], model: PyTree) -> Float[np.ndarray, "*B"]:
    """∂ ln Ψ/∂K of each bond of a family K ↦ model that is linear in K: a number, or one for each of the
    linked bonds."""
    up, down = (np.asarray(family(shift).coupling, float) for shift in (0.5, -0.5))
    found = up - down
    return found[linked_bonds(model.lattice)[1]] if found.ndim else found


def callan_symanzik_scan(
    family: Callable[[float], Any],
    couplings: Sequence[float],
    *,
    samples: int = EQUATION_SAMPLES,
    bins: int = BINS,
    window: tuple[float, float] | None = None,
    sampler: PyTree = None,
    progress: Callable[[Scanned, Scalars], object] | None = None,
    key: Array,
) -> CallanSymanzik:
    """`callan_symanzik` of a system that is simulated here, at several couplings: the numbers of `intertwine
    renormalize --callan-symanzik` with the same settings and `key = jax.random.key(seed)`.

    family: K ↦ an `Ising` model without a field, or a `Potts` or `Clock` model, linear in K and on one
    lattice. couplings: K, of one sign; best where the lattice is ten correlation lengths or more (`around`).
    samples: at each, rounded up to whole bins, drawn and summed bin by bin. window: (first, last) r of the
    fit. sampler: 10 chains of the one that `it.sample` takes for None. progress: called after each bin.

    Raises InputError for other models, samples that do not fill the bins, and what `callan_symanzik` refuses.

    >>> from intertwine.spaces.lattices import Square
    >>> torus = lambda K: Ising(Square(16, 16), K)
    >>> found = callan_symanzik_scan(torus, [0.3, 0.5], samples=2000, bins=10, key=jax.random.key(0))
    >>> bool(found.beta[0] < 0 < found.beta[1])
    True
    """
    values = sorted({float(K) for K in np.asarray(couplings, np.float64).ravel()})
    if not values or not np.isfinite(values).all():
        raise fail("couplings", "finite numbers", couplings)
    models = [family(K) for K in values]
    for model in models:
        if not is_spin_model(model) or np.asarray(getattr(model, "field", 0.0)).any():
            expected = "K ↦ an Ising, Potts or Clock model without a field"
            raise fail("family", expected, model, "a field is a second coupling, with a β of its own")
    sampler = sampler_of(models[0]) if sampler is None else sampler
    weights = bond_weights(family, models[0]) if isinstance(models[0], Ising) else 1.0
    study = CallanSymanzikScan(
        values,
        models,
        sampler,
        weights=weights,
        samples=samples,
        bins=bins,
        window=window,
        key=check_key(key),
    )
    found = carry_out(study, progress=progress)
    tell(found.warnings)
    return found
