"""Monte Carlo renormalization of one system, as a study: `mcrg` and `coupling_flow` of a model carry it out,
the command `renormalize` with a folder beside it; the same system, settings and key give the same numbers.

A line is a batch: draws of every chain, blocked `levels` times, their sums added to the bin of the batch
(`streaming`). Some configurations of every batch are kept: the couplings of the blocked spins are matched to
them at the end (`matched_flow`), the flow {K} → {K'} → {K''}. Then a line for each other start around the
system's K: fewer samples, blocked and matched, for the flow diagram.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple
from warnings import catch_warnings, simplefilter

import jax
import numpy as np
from jax import Array
from jaxtyping import Float, Int8

from intertwine._caveats import Caveat, beneath, caveat, disagreement, once
from intertwine._checks import InputError, fail, positive_int
from intertwine._shown import Shown, with_error
from intertwine.learning.study import Scalars, Study
from intertwine.rg.blocks.blocking import Rule
from intertwine.rg.defaults import SPREAD
from intertwine.rg.montecarlo.mcrg_result import MCRG
from intertwine.rg.montecarlo.observables import Kept, Measured, Observables, disagree, unfit, worst_r_hat
from intertwine.rg.montecarlo.spin_system import OWN_BONDS, SpinSystem, with_coupling
from intertwine.rg.montecarlo.streaming import MCRGSums
from intertwine.rg.steps.matched_flow import matched_flow
from intertwine.rg.steps.starts import around
from intertwine.spaces.lattice import Lattice

if TYPE_CHECKING:
    from intertwine.models.spins.spin_terms import Shape

START_DRAWS = 40
"""Draws of every chain for a flow from another start."""

LARGEST_ERROR = 0.2
"""Couplings of larger errors are not determined: the flow ends."""

_JUDGED_FROM = 4
"""Batches from which a line tells of exponents."""


@dataclass(frozen=True, eq=False, repr=False)
class CouplingFlow(Shown):
    """A system blocked level by level, and its flow of couplings.

    K: float64 (starts + 1,), where flows begin: the other starts, then the system's own. couplings, errors:
    float64 (starts + 1, levels + 1, families), by start and level, NaN from the level on which the samples do
    not determine them (errors are one σ); None for systems whose couplings are not numbers by family.
    families: of the couplings. mcrg: exponents by step. observables: energy, |m| and ξ with their errors.
    lattices: by level. kept: int8 (n, N), the configurations that the own couplings are matched to. pictures:
    one configuration (N,) at every level. samples: how many configurations were blocked. notes: what
    qualifies all of it beside what qualifies the exponents.
    """

    K: Float[np.ndarray, " starts+1"]
    couplings: Float[np.ndarray, "starts+1 levels+1 families"] | None
    errors: Float[np.ndarray, "starts+1 levels+1 families"] | None
    families: tuple[str, ...]
    mcrg: MCRG
    observables: Measured
    lattices: tuple[Lattice, ...]
    kept: Int8[np.ndarray, "n N"]
    pictures: tuple[Int8[np.ndarray, " M"], ...]
    samples: int
    notes: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What qualifies couplings and exponents, a line each."""
        return tuple(once([*self.mcrg.warnings, *self.notes]))

    def __str__(self) -> str:
        if self.couplings is None or self.errors is None:
            return beneath("couplings are not followed", self.warnings)
        lines = [f"{self.families[0]} couplings by level"]
        for K, row, error in zip(self.K, self.couplings[..., 0], self.errors[..., 0], strict=True):
            known = np.isfinite(row)
            cells = [with_error(k, e) for k, e in zip(row[known], error[known], strict=True)]
            lines.append(f"K = {K:.4f}: " + (" → ".join(cells) or "not determined"))
        return beneath("\n".join(lines), self.warnings)


class Batches(NamedTuple):
    """chains: the sampler's. sums: of the MCRG. observables: means of bins, float64 (chains, bins, columns).
    kept: int8 (bins kept, configurations, N). flow: couplings from the other starts and their errors, (2,
    starts, levels + 1, families), NaN where they ended.
    """

    chains: Any
    sums: Any
    observables: np.ndarray
    kept: np.ndarray
    flow: np.ndarray


class Renormalization(Study[Batches, CouplingFlow]):
    """Batches of one system, then the other starts.

    samples: configurations in all, rounded up to whole batches; those of `system.configurations`, where they
    are given, rounded down. starts: other K to flow from. follow: whether couplings are matched at all.
    """

    def __init__(
        self,
        system: SpinSystem,
        rule: Rule,
        *,
        levels: int,
        couplings: int | Iterable[str | Shape],
        samples: int,
        bins: int,
        starts: int = 0,
        follow: bool = True,
        key: Array,
    ):
        self.system, self.rule, self.key = system, rule, key
        self.bins = _checked_bins(bins)
        self.lattice = system.lattice
        self.sums = MCRGSums(rule, self.lattice, levels=levels, couplings=couplings, states=system.states)
        self.lattices = self.sums.lattices
        self.levels = len(self.lattices) - 1
        self.observables = Observables(self.lattice, system.states, clock=system.clock)
        self.chains = system.chains
        self.draws = self._draws(samples)
        self.keep = Kept.of(self.chains * self.draws, self.bins, self.lattice.size)
        of_a_chain = -(-self.keep.per_bin // self.chains)
        self.picked = np.linspace(0, self.draws - 1, of_a_chain).astype(int)
        self.follow = follow and system.matchable
        others = starts if self.follow and system.model is not None else 0
        self.starts = around(system.coupling, others, SPREAD) if others else np.zeros(0)
        even = self.sums.even
        self.families = (*even, "field") if system.field else even
        self.lines = self.bins + others

    def _draws(self, samples: int) -> int:
        """Of every chain in a batch."""
        if self.system.configurations is not None:
            return self.system.configurations.shape[1] // self.bins
        return -(-positive_int("samples", samples) // (self.chains * self.bins))

    @property
    def samples(self) -> int:
        """How many configurations are blocked."""
        return self.chains * self.draws * self.bins

    def template(self, done: int) -> Batches:
        """A state of the structure of every other, without the burn-in."""
        return self._fresh(self._chains(1, self.key))

    def start(self) -> Batches:
        """The state before the first batch: chains after their burn-in."""
        return self._fresh(self._chains(None, jax.random.fold_in(self.key, 0)))

    def _chains(self, burn_in: int | None, key: Array) -> Any:
        """The sampler's chains after `burn_in` steps, its own number for None; nothing where none draws."""
        if self.system.configurations is not None:
            return np.zeros(1)
        own = self.system.sampler
        sampler = own if burn_in is None or not hasattr(own, "burn_in") else replace(own, burn_in=burn_in)
        return sampler.init(self.system.model, key=key)

    def _fresh(self, chains: Any) -> Batches:
        return Batches(
            chains,
            self.sums.zeros(self.bins),
            np.zeros((self.chains, self.bins, self.observables.columns)),
            np.zeros((self.keep.bins, self.keep.per_bin, self.lattice.size), np.int8),
            np.full((2, len(self.starts), self.levels + 1, len(self.families)), np.nan),
        )

    def iterate(self, state: Batches, done: int) -> Iterator[tuple[Batches, Scalars]]:
        for line in range(done, self.lines):
            key = jax.random.fold_in(self.key, line + 1)
            if line < self.bins:
                state = self._batch(state, line, key)
                yield state, self._measured(state, line)
            else:
                number = line - self.bins
                state = self._flow_from(state, number, key)
                yield state, {"start": float(self.starts[number])}

    def _batch(self, state: Batches, line: int, key: Array) -> Batches:
        draw_key, block_key = jax.random.split(key)
        given = self.system.configurations
        if given is None:
            system = self.system
            samples, chains = system.sampler.sample(system.model, state.chains, self.draws, key=draw_key)
            spins = np.asarray(samples.configurations)
        else:
            spins, chains = given[:, line * self.draws : (line + 1) * self.draws], state.chains
        observables, kept = state.observables.copy(), state.kept.copy()
        measured = self.observables.of(spins), self.observables.order(spins)
        observables[:, line] = np.concatenate(measured, -1).mean(1)
        kept[line * self.keep.bins // self.bins] = self._picked(spins)
        sums = self.sums.add(state.sums, line, spins.reshape(-1, spins.shape[-1]), key=block_key)
        return Batches(chains, sums, observables, kept, state.flow)

    def _picked(self, spins: np.ndarray) -> np.ndarray:
        """What is kept of a batch (chains, draws, N): draws of every chain, all where there is room."""
        rows = spins[:, self.picked].swapaxes(0, 1).reshape(-1, spins.shape[-1])
        return rows[-self.keep.per_bin :]

    def _measured(self, state: Batches, line: int) -> Scalars:
        """The exponents of the last level from all bins so far, and the energy of this one."""
        energies = state.observables[:, line, 0]
        found: Scalars = {
            "energy": float(energies.mean()),
            "energy_error": float(energies.std(ddof=1) / len(energies) ** 0.5) if len(energies) > 1 else None,
        }
        if line + 1 >= _JUDGED_FROM:
            result = self.sums.result(state.sums, line + 1)
            for name in ("y_T", "y_H"):
                found[name] = float(getattr(result, name)[-1, -1])
                found[f"{name}_error"] = float(getattr(result, f"{name}_error")[-1, -1])
        return found

    def _flow_from(self, state: Batches, number: int, key: Array) -> Batches:
        one, two, three = jax.random.split(key, 3)
        model, sampler = with_coupling(self.system.model, float(self.starts[number])), self.system.sampler
        samples, _ = sampler.sample(model, sampler.init(model, key=one), START_DRAWS, key=two)
        spins = np.asarray(samples.configurations)
        flow = state.flow.copy()
        flow[:, number] = self._matched(spins.swapaxes(0, 1).reshape(-1, spins.shape[-1]), three)[:2]
        return state._replace(flow=flow)

    def _matched(self, spins: np.ndarray, key: Array) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
        """Couplings and errors of spins (samples, N) at every level, (levels + 1, families), NaN from the
        level on which they do not determine them; and their caveats."""
        warnings: tuple[str, ...] = ()
        found = np.full((2, len(self.lattices), len(self.families)), np.nan)
        with contextlib.suppress(InputError), catch_warnings():  # ordered from the beginning
            simplefilter("ignore", Caveat)
            got = matched_flow(
                spins, self.rule, self.levels, self.families, lattice=self.lattice,
                bins=min(20, len(spins) // 2), key=key,
            )  # fmt: skip
            warnings = got.warnings
            sure = np.cumprod((got.errors < LARGEST_ERROR).all(1)).astype(bool)
            found[0, : len(sure)][sure], found[1, : len(sure)][sure] = got.couplings[sure], got.errors[sure]
        return found[0], found[1], warnings

    def _pictures(self, spins: np.ndarray, key: Array) -> tuple[np.ndarray, ...]:
        """One configuration (N,) at every level."""
        found = [spins]
        for level, lattice in enumerate(self.lattices[:-1], start=1):
            below = found[-1][None]
            found.append(np.asarray(self.rule(below, lattice, key=jax.random.fold_in(key, level)))[0])
        return tuple(found)

    def finish(self, state: Batches, history: list[Scalars]) -> CouplingFlow:
        key, system = jax.random.fold_in(self.key, self.lines + 1), self.system
        observables = self.observables.record(state.observables)
        exponents = self.sums.result(
            state.sums,
            self.bins,
            unfit=unfit(observables) if system.uniform else OWN_BONDS,
            field=system.field,
            clock=system.clock,
        )
        rows = state.kept.reshape(-1, self.lattice.size)
        own_K, couplings, errors, of_matched = system.coupling, None, None, ()
        if self.follow:
            K, error, of_matched = self._matched(rows, jax.random.fold_in(key, 1))
            couplings, errors = (
                np.concatenate([flow, own[None]]) for flow, own in zip(state.flow, (K, error), strict=True)
            )
            own_K = own_K if math.isfinite(own_K) else float(K[0, 0])
        order = np.argsort(self.observables.of(rows)[:, 1], kind="stable")
        shown = rows[order[len(order) // 4]]
        notes = (
            *_doubtful_chains(observables),
            *(() if couplings is None else _not_matched(couplings[-1], self.lattices)),
            *of_matched,
            *system.caveats,
        )
        return CouplingFlow(
            np.append(self.starts, own_K), couplings, errors, self.families, exponents, observables,
            tuple(self.lattices), rows, self._pictures(shown, jax.random.fold_in(key, 2)), self.samples,
            notes,
        )  # fmt: skip


def _checked_bins(bins: int) -> int:
    if positive_int("bins", bins) < _JUDGED_FROM:
        raise fail("bins", f"{_JUDGED_FROM} bins or more", bins)
    return int(bins)


def _doubtful_chains(observables: Measured) -> tuple[str, ...]:
    """The caveat of chains that disagree."""
    remedy = "take a longer burn-in, more steps between draws, or cluster samplers"
    worst = worst_r_hat(observables) if disagree(observables) else None
    return disagreement(worst, "the energy and the magnetization", remedy)


def _not_matched(couplings: np.ndarray, lattices: list[Lattice]) -> tuple[str, ...]:
    """The caveat of levels (levels + 1, families) whose couplings the samples do not determine."""
    sizes = [lattice.name.partition(":")[2] for lattice in lattices]
    ended = [size for size, row in zip(sizes, couplings, strict=True) if not np.isfinite(row).all()]
    if not ended:
        return ()
    words = f"the couplings on {', '.join(ended)} could not be matched"
    reason = "the lattice is too small for the families, or its spins are ordered"
    return (caveat("unjudged", f"{words}: {reason}"),)
