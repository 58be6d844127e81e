"""The study `flow` of a sampled system: Monte Carlo renormalization, level by level.

A line of metrics is a batch: draws of every chain, blocked `levels` times, their sums added to the bin of the
batch (`rg.mcrg`). Some configurations of every batch are kept: the couplings of the blocked spins are matched
to them at the end (`rg.matched_flow`), the flow {K} → {K'} → {K''}. Then a line for each other start
around the system's K: fewer samples, blocked and matched, for the flow diagram. Of Potts states the exponents
alone are measured.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from warnings import catch_warnings, simplefilter

import jax
import numpy as np

from intertwine._caveats import Caveat, caveat
from intertwine._checks import InputError
from intertwine.experiments.renormalize.files import read_configurations
from intertwine.experiments.renormalize.observables import Kept, Observables
from intertwine.experiments.renormalize.results import Outcome
from intertwine.experiments.renormalize.sampled_results import flow_outcome, said, share_of, unfit
from intertwine.experiments.renormalize.settings import RenormalizeConfiguration
from intertwine.experiments.renormalize.system import (
    around,
    build_lattice,
    build_model,
    build_rule,
    build_sampler,
    coupling_of,
    critical_coupling,
    exact_energy,
    exact_exponents,
    words_of,
)
from intertwine.learning.study import Scalars, Study
from intertwine.rg.montecarlo.streaming import MCRGSums
from intertwine.rg.steps.matched_flow import matched_flow
from intertwine.sampling.draw import frustrating

START_DRAWS = 40
"""Draws of every chain for a flow from another start."""

SPREAD = 0.1
"""The other starts lie between (1 − SPREAD) K and (1 + SPREAD) K."""


LARGEST_ERROR = 0.2
"""Couplings of larger errors are not determined: the flow ends."""


class State(NamedTuple):
    """chains: the sampler's. sums: of the MCRG. observables: means of bins, float64 (chains, bins, columns).
    kept: int8 (bins kept, configurations, N). flow: couplings from the other starts and their errors, (2,
    starts, levels + 1, families), NaN where they ended.
    """

    chains: Any
    sums: Any
    observables: np.ndarray
    kept: np.ndarray
    flow: np.ndarray


def build(c: RenormalizeConfiguration) -> Sampled:
    """The study of the configuration; `InputError` for what does not go together."""
    return Sampled(c)


class Sampled(Study[State, Outcome]):
    """Batches of one system, then the other starts."""

    def __init__(self, c: RenormalizeConfiguration):
        self.c = c
        self.rule, self.lattice = build_rule(c), build_lattice(c.named)
        self.own = None
        if c.system.own_configurations:
            self.own = read_configurations(c.system.own_configurations, self.lattice, c.named.potts_states)
        else:
            self.model, self.sampler = build_model(c), build_sampler(c)
        self.observables = Observables(self.lattice, c.named.potts_states, clock=c.named.model == "clock")
        self.sums = MCRGSums(
            self.rule, self.lattice, levels=c.levels, couplings=c.couplings, states=c.named.potts_states
        )
        self.lattices = self.sums.lattices
        self.key = jax.random.key(c.seed)
        self.chains = c.sampler.chains if self.own is None else len(self.own)
        in_all = c.sampler.samples // self.chains if self.own is None else self.own.shape[1]
        self.draws = in_all // c.sampler.bins
        self.keep = Kept.of(self.chains * self.draws, c.sampler.bins, self.lattice.size)
        of_a_chain = -(-self.keep.per_bin // self.chains)
        self.picked = np.linspace(0, self.draws - 1, of_a_chain).astype(int)
        self.others = c.starts if c.alike and self.own is None else 0
        self.lines = c.sampler.bins + self.others

    @property
    def announcement(self) -> str:
        c = self.c
        return (
            f"{words_of(c)}, {c.rule.short}, {c.levels} levels;"
            f" {self.samples} samples in {c.sampler.bins} batches"
        )

    @property
    def samples(self) -> int:
        """How many configurations are blocked."""
        return self.chains * self.draws * self.c.sampler.bins

    @cached_property
    def families(self) -> tuple[str, ...]:
        """Of the couplings that are matched: the even ones of the MCRG, and the field where there is one."""
        even = self.sums.even
        return (*even, "field") if self.c.system.field else even

    def template(self, done: int) -> State:
        """A state of the structure of every other, without the burn-in."""
        return self._fresh(self._chains(1, self.key))

    def start(self) -> State:
        """The state before the first batch: chains after their burn-in."""
        return self._fresh(self._chains(None, jax.random.fold_in(self.key, 0)))

    def _chains(self, burn_in: int | None, key: jax.Array) -> Any:
        """The sampler's chains after `burn_in` steps, its own number for None; nothing where none draws."""
        if self.own is not None:
            return np.zeros(1)
        sampler = self.sampler if burn_in is None else replace(self.sampler, burn_in=burn_in)
        return sampler.init(self.model, key=key)

    def _fresh(self, chains: Any) -> State:
        s = self.c.sampler
        kept = np.zeros((self.keep.bins, self.keep.per_bin, self.lattice.size), np.int8)
        flow = np.full((2, self.others, self.c.levels + 1, len(self.families)), np.nan)
        return State(
            chains,
            self.sums.zeros(s.bins),
            np.zeros((self.chains, s.bins, self.observables.columns)),
            kept,
            flow,
        )

    def iterate(self, state: State, done: int) -> Iterator[tuple[State, dict[str, Any]]]:
        """(state, scalars) after each further line."""
        for line in range(done, self.lines):
            key = jax.random.fold_in(self.key, line + 1)
            if line < self.c.sampler.bins:
                state = self._batch(state, line, key)
                yield state, self._measured(state, line)
            else:
                state, scalars = self._flow_from(state, line - self.c.sampler.bins, key)
                yield state, scalars

    def _batch(self, state: State, line: int, key: jax.Array) -> State:
        draw_key, block_key = jax.random.split(key)
        if self.own is None:
            samples, chains = self.sampler.sample(self.model, state.chains, self.draws, key=draw_key)
            spins = np.asarray(samples.configurations)
        else:
            spins, chains = self.own[:, line * self.draws : (line + 1) * self.draws], state.chains
        observables, kept = state.observables.copy(), state.kept.copy()
        measured = self.observables.of(spins), self.observables.order(spins)
        observables[:, line] = np.concatenate(measured, -1).mean(1)
        kept[line * self.keep.bins // self.c.sampler.bins] = self._picked(spins)
        sums = self.sums.add(state.sums, line, spins.reshape(-1, spins.shape[-1]), key=block_key)
        return State(chains, sums, observables, kept, state.flow)

    def _picked(self, spins: np.ndarray) -> np.ndarray:
        """What is kept of a batch (chains, draws, N): draws of every chain, all where there is room."""
        rows = spins[:, self.picked].swapaxes(0, 1).reshape(-1, spins.shape[-1])
        return rows[-self.keep.per_bin :]

    def _measured(self, state: State, line: int) -> dict[str, Any]:
        """The exponents of the last level from all bins so far, and the energy of this one."""
        energies = state.observables[:, line, 0]
        found: dict[str, Any] = {
            "energy": float(energies.mean()),
            "energy_error": float(energies.std(ddof=1) / len(energies) ** 0.5) if len(energies) > 1 else None,
        }
        if line >= 3:
            result = self.sums.result(state.sums, line + 1)
            for name in ("y_T", "y_H"):
                found[name] = float(getattr(result, name)[-1, -1])
                found[f"{name}_error"] = float(getattr(result, f"{name}_error")[-1, -1])
        return found

    def describe(self, record: dict[str, Any]) -> str:
        """The exponents so far, in words."""
        if record.get("start") is not None:
            return f"flow from K = {record['start']:.4f}"
        words = [f"E/N {record['energy']:.4f}".replace("-", "−")]
        for name in ("y_T", "y_H"):
            if record.get(name) is not None:
                error = record[f"{name}_error"]
                words.append(f"{name} {said(record[name], math.nan if error is None else error)}")
        return "  ".join(words)

    def starts(self) -> np.ndarray:
        """The other couplings to flow from: evenly spread, the system's own left out."""
        return around(coupling_of(self.c), self.others, SPREAD)

    def _flow_from(self, state: State, number: int, key: jax.Array) -> tuple[State, dict[str, Any]]:
        K = float(self.starts()[number])
        one, two, three = jax.random.split(key, 3)
        system = self.c.system.model_copy(update={"coupling": K})
        model = build_model(self.c.model_copy(update={"system": system}))
        samples, _ = self.sampler.sample(model, self.sampler.init(model, key=one), START_DRAWS, key=two)
        spins = np.asarray(samples.configurations)
        flow = state.flow.copy()
        flow[:, number] = self.matched(spins.swapaxes(0, 1).reshape(-1, spins.shape[-1]), three)[:2]
        return state._replace(flow=flow), {"start": K}

    def matched(self, spins: np.ndarray, key: jax.Array) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
        """Couplings and errors of spins (samples, N) at every level, (levels + 1, families), NaN from the
        level on which they do not determine them; and their caveats."""
        warnings: tuple[str, ...] = ()
        found = np.full((2, len(self.lattices), len(self.families)), np.nan)
        with contextlib.suppress(InputError), catch_warnings():  # ordered from the beginning
            simplefilter("ignore", Caveat)
            got = matched_flow(
                spins, self.rule, self.c.levels, self.families, lattice=self.lattice,
                bins=min(20, len(spins) // 2), key=key,
            )  # fmt: skip
            warnings = got.warnings
            sure = np.cumprod((got.errors < LARGEST_ERROR).all(1)).astype(bool)
            found[0, : len(sure)][sure], found[1, : len(sure)][sure] = got.couplings[sure], got.errors[sure]
        return found[0], found[1], warnings

    def pictures(self, spins: np.ndarray, key: jax.Array) -> list[np.ndarray]:
        """One configuration (N,) at every level, as the rows of pictures."""
        found = []
        for level, lattice in enumerate(self.lattices):
            if level:
                spins = np.asarray(
                    self.rule(spins[None], self.lattices[level - 1], key=jax.random.fold_in(key, level))
                )[0]
            height = lattice.extent[0] if lattice.dimension > 1 else 1
            found.append(spins.reshape(height, -1))
        return found

    @property
    def _may_be_critical(self) -> bool:
        """Whether the exponents of the class may be expected: at K_c, or at a K given with further pairs."""
        s, known = self.c.system, critical_coupling(self.c)
        at = known is not None and abs(coupling_of(self.c) - known) < 1e-6
        return s.field == 0 and not self.c.frozen and (at or s.next != 0)

    @property
    def _caveats(self) -> list[str]:
        """What to beware of in the system itself."""
        c, said = self.c, [] if self.own is not None else list(frustrating(self.model, self.sampler))
        if self.own is not None:
            name = Path(c.system.own_configurations).name
            words = f"the {self.samples} configurations of {name} are taken as draws in their order"
            said.append(caveat("data", f"{words}, in equilibrium, in {self.chains} chains or stretches"))
        if c.frozen:
            words = (
                "every bond has a coupling of its own: block spins have no one Hamiltonian by families, and"
            )
            said.append(caveat("assumption", f"{words} y_T and y_H of one such system are no exponents"))
        if c.system.coupling != "critical" and c.system.coupling < 0:
            words = (
                "with K < 0 neighbours are opposite: blocks of an even side sum that order to zero, and y_H"
            )
            said.append(caveat("assumption", f"{words} is that of the uniform field; majority:3 keeps it"))
        return said

    def finish(self, state: State, history: list[Scalars]) -> Outcome:
        """The result after the last line."""
        key = jax.random.fold_in(self.key, self.lines + 1)
        measured = self.observables.record(state.observables)
        reason = "every bond has a coupling of its own" if self.c.frozen else unfit(measured)
        result = self.sums.result(
            state.sums,
            self.c.sampler.bins,
            unfit=reason,
            field=self.c.system.field != 0,
            clock=self.c.named.model == "clock",
        )
        rows = state.kept.reshape(-1, self.lattice.size)
        matched, of_matched = None, ()
        if self.c.alike:
            K, error, of_matched = self.matched(rows, jax.random.fold_in(key, 1))
            matched = K, error
        own_K = coupling_of(self.c)
        if not np.isfinite(own_K) and matched is not None:
            own_K = matched[0][0, 0]
        measured["energy"]["exact"] = exact_energy(self.c)  # type: ignore[assignment]
        order = np.argsort(self.observables.of(rows)[:, 1], kind="stable")
        pictures = self.pictures(rows[order[len(order) // 4]], jax.random.fold_in(key, 2))
        outcome = flow_outcome(
            self.c,
            result,
            exact_exponents(self.c.named) if self._may_be_critical else None,
            measured,
            self.families,
            matched,
            (np.append(self.starts(), own_K), state.flow),
            pictures,
            [lattice.name.partition(":")[2] for lattice in self.lattices],
            share_of(len(rows), self.samples),
        )
        outcome.record["samples"] = self.samples
        outcome.record["samples_of_couplings"] = len(rows) if matched else None
        return replace(outcome, warnings=[*outcome.warnings, *of_matched, *self._caveats])
