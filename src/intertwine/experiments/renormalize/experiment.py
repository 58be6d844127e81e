"""The command `renormalize`: what coarse graining does to a spin system or to a trained network.

    flow         blocked samples: Monte Carlo renormalization (`sampled`), or an approximate
                 transformation in coupling space (`approximate`, `tensor`)
    exponents    ν and η by finite-size scaling (`exponents`)
    callan-symanzik  β(K) and γ(K) from correlations at several couplings (`callan_symanzik`)
    network      a trained machine as a renormalization step (`network`)

Each makes a study of `intertwine.rg` from the settings, and puts what it found in the words, the record and
the arrays of a run folder (`results.Subject`).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from jaxtyping import PyTree

from intertwine.experiments.renormalize.files import own_files
from intertwine.experiments.renormalize.memory import checked_memory
from intertwine.experiments.renormalize.names import NETWORK
from intertwine.experiments.renormalize.results import Subject, dataset, result_record
from intertwine.experiments.renormalize.settings import RenormalizeConfiguration
from intertwine.learning.study import Scalars
from intertwine.runs.experiment import Experiment, Finished


def build(c: RenormalizeConfiguration) -> Subject[Any]:
    """What the configuration asks for; `InputError` for what does not go together."""
    name = "sampled" if c.study == "flow" else c.study.replace("-", "_")
    if c.approximate:
        name = "tensor" if c.rule.family == "trg" else "approximate"
    return import_module(f"intertwine.experiments.renormalize.{name}").build(c)


class Renormalize(Experiment):
    """A renormalization run made ready."""

    def __init__(self, configuration: RenormalizeConfiguration):
        self.memory = checked_memory(configuration)
        self.c, self.subject = configuration, build(configuration)
        self.study, self.every = self.subject.study, configuration.checkpoint_every
        self.source = source_record(configuration)

    def announce(self) -> None:
        print(self.subject.announcement, flush=True)

    def describe(self, record: Scalars) -> str:
        return self.subject.describe(record)

    def finish(self, state: PyTree, history: list[Scalars], seconds: Callable[[], float]) -> Finished:
        outcome = self.subject.outcome(state, history)
        record = result_record(self.c, outcome, seconds())
        return Finished(record, lambda: dataset(self.c, outcome, history), outcome.words)


def source_record(c: RenormalizeConfiguration) -> dict[str, Any] | None:
    """What names the network or the files of the run, for `data.json`; None where there are none."""
    if c.rule.family != NETWORK:
        return own_files(c)
    from intertwine.experiments.renormalize.trained_network import checksum

    return {
        "what": "network",
        "setting": "rule.name",
        "source": c.rule.name,
        "checksum": checksum(c.rule.name),
    }
