"""The study `network`: a trained machine as a renormalization step.

A line of metrics is a stretch of the flow v → h → v (`rg.network_flow`), from T = 0 and from T = ∞ side by
side. At the end: where both meet, read as a temperature; the trace condition on rows of the data; the
couplings of the machine by distance; its receptive fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import numpy as np

from intertwine.experiments.renormalize.network_results import network_outcome
from intertwine.experiments.renormalize.results import Outcome
from intertwine.experiments.renormalize.settings import RenormalizeConfiguration
from intertwine.experiments.renormalize.trained_network import load_learned, rows_of
from intertwine.learning.study import Scalars, Study
from intertwine.rg.networks.network_flow import FlowFixedPoint, NetworkFlow, network_flow
from intertwine.rg.networks.thermometer import ising_temperature
from intertwine.sampling.statistics.estimate import estimate

STRETCH = 100
"""Steps of the flow a line."""

MOST_ROWS = 2000


class State(NamedTuple):
    """energies: float64 (2, chains, steps + 1), cold and hot, NaN where they have not come. spins: int8 (2,
    chains, N).
    """

    energies: np.ndarray
    spins: np.ndarray


def build(c: RenormalizeConfiguration) -> Network:
    """The study of the configuration; `InputError` for a folder that has no such machine."""
    return Network(c)


class Network(Study[State, Outcome]):
    """Both flows, stretch by stretch."""

    def __init__(self, c: RenormalizeConfiguration):
        self.c = c
        self.learned = load_learned(c.rule.name, c.named.extent if c.named.sized else None)
        self.lines = -(-c.network.steps // STRETCH)
        self.key = jax.random.key(c.seed)

    @property
    def announcement(self) -> str:
        machine = self.learned.machine
        return (
            f"{self.c.rule.name}: {machine.size} visible, {machine.hidden} hidden units, after line"
            f" {self.learned.step} of its training; {self.lines * STRETCH} steps v → h → v"
        )

    def template(self, done: int) -> State:
        shape = (2, self.c.network.chains)
        energies = np.full((*shape, self.lines * STRETCH + 1), np.nan)
        return State(energies, np.zeros((*shape, self.learned.lattice.size), np.int8))

    def start(self) -> State:
        """All spins alike, half of the chains up; and random spins."""
        energies, spins = self.template(0)
        chains = self.c.network.chains
        spins[0] = np.where(np.arange(chains) % 2, -1, 1)[:, None]
        drawn = jax.random.bernoulli(jax.random.fold_in(self.key, 0), 0.5, spins.shape[1:])
        spins[1] = 2 * np.asarray(drawn) - 1
        return State(energies, spins)

    def iterate(self, state: State, done: int) -> Iterator[tuple[State, dict[str, Any]]]:
        """(state, scalars) after each further stretch."""
        for line in range(done, self.lines):
            energies, spins = state.energies.copy(), state.spins.copy()
            means = []
            for k in range(2):
                key = jax.random.fold_in(jax.random.fold_in(self.key, line + 1), k)
                found = network_flow(
                    self.learned.machine, spins[k], STRETCH, lattice=self.learned.lattice, key=key
                )
                energies[k, :, line * STRETCH : (line + 1) * STRETCH + 1] = found.energies
                spins[k] = found.configurations
                means.append(float(found.mean[-1]))
            state = State(energies, spins)
            yield state, {"cold": means[0], "hot": means[1]}

    def describe(self, record: dict[str, Any]) -> str:
        """Both energies in words."""
        return f"E/N from T = 0 {record['cold']:.4f}, from T = ∞ {record['hot']:.4f}".replace("-", "−")

    def finish(self, state: State, history: list[Scalars]) -> Outcome:
        """Where the flows meet, and the machine as a rule."""
        lattice, half = self.learned.lattice, self.lines * STRETCH // 2 + 1
        flows = [NetworkFlow(e, s, lattice) for e, s in zip(state.energies, state.spins, strict=True)]
        cold, hot = (estimate(flow.energies[:, half:]) for flow in flows)
        both = estimate(np.concatenate([flow.energies[:, half:] for flow in flows]))
        reading = ising_temperature(float(both.mean), lattice, float(both.error))
        met = FlowFixedPoint(cold, hot, both, reading, self.lines * STRETCH, (flows[0], flows[1]))
        return network_outcome(self.c, self.learned, met, rows_of(self.learned, MOST_ROWS))
