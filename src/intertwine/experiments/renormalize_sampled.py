"""The study `flow` of a sampled system: Monte Carlo renormalization, level by level.

A line of metrics is a batch: draws of every chain, blocked `levels` times, their sums added to the bin of the
batch (`rg.mcrg`). Some configurations of every batch are kept: the couplings of the blocked spins are matched
to them at the end (`rg.matched_flow`), the flow {K} → {K'} → {K''}. Then a line for each other start
around the system's K: fewer samples, blocked and matched, for the flow diagram. Of Potts states the exponents
alone are measured.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

import jax
import numpy as np

from intertwine._checks import InputError
from intertwine.experiments.renormalize_configuration import RenormalizeConfiguration
from intertwine.experiments.renormalize_observables import Kept, Observables
from intertwine.experiments.renormalize_results import Outcome
from intertwine.experiments.renormalize_system import (
    around,
    build_lattice,
    build_model,
    build_rule,
    build_sampler,
    coupling_of,
    exact_energy,
    exact_exponents,
)
from intertwine.experiments.renormalize_words import flow_outcome
from intertwine.models.spin_terms import EVEN
from intertwine.rg.matched_flow import matched_flow
from intertwine.rg.streaming import MCRGSums

START_DRAWS = 40
"""Draws of every chain for a flow from another start."""

KEPT_DRAWS = 4
"""Draws of every chain that are kept of a batch."""

SPREAD = 0.1
"""The other starts lie between (1 − SPREAD) K and (1 + SPREAD) K."""


LARGEST_ERROR = 0.2
"""Couplings of larger errors are not determined: the flow ends."""


class State(NamedTuple):
    """chains: the sampler's. sums: of the MCRG. observables: means of bins, float64 (chains, bins, 4). kept:
    int8 (bins kept, configurations, N). flow: couplings from the other starts, (starts, levels + 1,
    families), NaN where they ended.
    """

    chains: Any
    sums: Any
    observables: np.ndarray
    kept: np.ndarray
    flow: np.ndarray


def build(c: RenormalizeConfiguration) -> Sampled:
    """The study of the configuration; `InputError` for what does not go together."""
    return Sampled(c)


class Sampled:
    """Batches of one system, then the other starts."""

    def __init__(self, c: RenormalizeConfiguration):
        self.c = c
        self.rule, self.lattice = build_rule(c), build_lattice(c.named)
        self.model, self.sampler = build_model(c), build_sampler(c)
        self.observables = Observables(self.lattice, c.named.potts_states)
        self.sums = MCRGSums(
            self.rule, self.lattice, levels=c.levels, couplings=c.couplings, states=c.named.potts_states
        )
        self.lattices = self.sums.lattices
        self.key = jax.random.key(c.seed)
        self.draws = c.sampler.samples // (c.sampler.chains * c.sampler.bins)
        self.picked = np.unique(np.linspace(0, self.draws - 1, KEPT_DRAWS).astype(int))
        self.keep = Kept.of(c.sampler.chains * len(self.picked), c.sampler.bins, self.lattice.size)
        self.others = c.starts if c.named.potts_states is None else 0
        self.lines = c.sampler.bins + self.others

    @property
    def announcement(self) -> str:
        c = self.c
        return (
            f"{c.named.full} at K = {coupling_of(c):.6g}, {c.rule.name}, {c.levels} levels;"
            f" {c.sampler.samples} samples in {c.sampler.bins} batches"
        )

    @cached_property
    def families(self) -> tuple[str, ...]:
        """Of the couplings that are matched: the even ones of the MCRG, and the field where there is one."""
        even = EVEN[: self.c.couplings]
        return (*even, "field") if self.c.system.field else even

    @property
    def template(self) -> State:
        """A state of the structure of every other, without the burn-in."""
        return self._fresh(replace(self.sampler, burn_in=1).init(self.model, key=self.key))

    def start(self) -> State:
        """The state before the first batch: chains after their burn-in."""
        return self._fresh(self.sampler.init(self.model, key=jax.random.fold_in(self.key, 0)))

    def _fresh(self, chains: Any) -> State:
        s = self.c.sampler
        kept = np.zeros((self.keep.bins, self.keep.per_bin, self.lattice.size), np.int8)
        flow = np.full((self.others, self.c.levels + 1, len(self.families)), np.nan)
        return State(chains, self.sums.zeros(s.bins), np.zeros((s.chains, s.bins, 4)), kept, flow)

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
        samples, chains = self.sampler.sample(self.model, state.chains, self.draws, key=draw_key)
        spins = np.asarray(samples.configurations)
        observables, kept = state.observables.copy(), state.kept.copy()
        observables[:, line] = self.observables.of(spins).mean(1)
        kept[line * self.keep.bins // self.c.sampler.bins] = self._picked(spins)
        sums = self.sums.add(state.sums, line, spins.reshape(-1, spins.shape[-1]), key=block_key)
        return State(chains, sums, observables, kept, state.flow)

    def _picked(self, spins: np.ndarray) -> np.ndarray:
        """What is kept of a batch (chains, draws, N): a few draws of every chain."""
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
                words.append(
                    f"{name} {record[name]:.4f} ± {record[f'{name}_error'] or 0:.4f}".replace("-", "−")
                )
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
        flow[number] = self.matched(spins.swapaxes(0, 1).reshape(-1, spins.shape[-1]), three)[0]
        return state._replace(flow=flow), {"start": K}

    def matched(self, spins: np.ndarray, key: jax.Array) -> tuple[np.ndarray, np.ndarray]:
        """Couplings and errors of spins (samples, N) at every level, (levels + 1, families); NaN from the
        level on which they do not determine them."""
        found = np.full((2, len(self.lattices), len(self.families)), np.nan)
        with contextlib.suppress(InputError):  # ordered from the beginning
            got = matched_flow(
                spins, self.rule, self.c.levels, self.families, lattice=self.lattice,
                bins=min(20, len(spins) // 2), key=key,
            )  # fmt: skip
            sure = np.cumprod((got.errors < LARGEST_ERROR).all(1)).astype(bool)
            found[0, : len(sure)][sure], found[1, : len(sure)][sure] = got.couplings[sure], got.errors[sure]
        return found[0], found[1]

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
        s = self.c.system
        return s.field == 0 and (s.coupling == "critical" or s.next != 0)

    def finish(self, state: State) -> Outcome:
        """The result after the last line."""
        key = jax.random.fold_in(self.key, self.lines + 1)
        result = self.sums.result(state.sums, self.c.sampler.bins)
        rows = state.kept.reshape(-1, self.lattice.size)
        matched = None
        if self.c.named.potts_states is None:
            matched = self.matched(rows, jax.random.fold_in(key, 1))
        measured = self.observables.record(state.observables)
        measured["energy"]["exact"] = exact_energy(self.c)  # type: ignore[assignment]
        order = np.argsort(self.observables.of(rows)[:, 1], kind="stable")
        pictures = self.pictures(rows[order[len(order) // 4]], jax.random.fold_in(key, 2))
        return flow_outcome(
            self.c,
            result,
            exact_exponents(self.c.named) if self._may_be_critical else None,
            measured,
            self.families,
            matched,
            (np.append(self.starts(), coupling_of(self.c)), state.flow),
            pictures,
            [lattice.name.partition(":")[2] for lattice in self.lattices],
        )
