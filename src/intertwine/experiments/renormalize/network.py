"""The study `network`: a trained machine as a renormalization step (`rg.networks.network_study`).

A line of metrics is a stretch of the flow v → h → v, from T = 0 and from T = ∞ side by side. At the end:
where both meet, read as a temperature; the trace condition on rows of the data; the couplings of the machine
by distance; its receptive fields.
"""

from __future__ import annotations

import jax
from jaxtyping import PyTree

from intertwine.experiments.renormalize.network_results import network_outcome
from intertwine.experiments.renormalize.results import Outcome, Subject
from intertwine.experiments.renormalize.settings import RenormalizeConfiguration
from intertwine.experiments.renormalize.trained_network import load_learned, rows_of
from intertwine.learning.study import Scalars
from intertwine.rg.networks.network_study import NetworkStudy

MOST_ROWS = 2000


def build(c: RenormalizeConfiguration) -> Network:
    """The study of the configuration; `InputError` for a folder that has no such machine."""
    return Network(c)


class Network(Subject[NetworkStudy]):
    """Both flows, stretch by stretch."""

    def __init__(self, c: RenormalizeConfiguration):
        self.c = c
        self.learned = load_learned(c.rule.name, c.named.extent if c.named.sized else None)
        known = self.learned.data.known
        self.study = NetworkStudy(
            self.learned.machine,
            self.learned.lattice,
            rows=rows_of(self.learned, MOST_ROWS),
            log_probability=None if known is None else known.log_probability,
            steps=c.network.steps,
            chains=c.network.chains,
            notes=self.learned.caveats,
            key=jax.random.key(c.seed),
        )

    @property
    def announcement(self) -> str:
        machine = self.learned.machine
        return (
            f"{self.c.rule.name}: {machine.size} visible, {machine.hidden} hidden units;"
            f" {self.study.steps} steps v → h → v"
        )

    def describe(self, record: Scalars) -> str:
        """Both energies in words."""
        return f"E/N from T = 0 {record['cold']:.4f}, from T = ∞ {record['hot']:.4f}".replace("-", "−")

    def outcome(self, state: PyTree, history: list[Scalars]) -> Outcome:
        """Where the flows meet, and the machine as a rule."""
        return network_outcome(self.c, self.learned, self.study.finish(state, history))
