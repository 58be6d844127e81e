"""The study `flow` of a sampled system: Monte Carlo renormalization (`rg.montecarlo.renormalization`), level
by level, and the flows from other starts."""

from __future__ import annotations

import math
from pathlib import Path

import jax
from jaxtyping import PyTree

from intertwine._caveats import caveat
from intertwine.experiments.renormalize.files import read_configurations
from intertwine.experiments.renormalize.results import Outcome, Subject
from intertwine.experiments.renormalize.sampled_results import flow_outcome, said
from intertwine.experiments.renormalize.settings import RenormalizeConfiguration
from intertwine.experiments.renormalize.system import (
    build_lattice,
    build_model,
    build_rule,
    build_sampler,
    coupling_of,
    critical_coupling,
    exact_exponents,
    words_of,
)
from intertwine.learning.study import Scalars
from intertwine.rg.montecarlo.renormalization import Renormalization
from intertwine.rg.montecarlo.spin_system import SpinSystem


def build(c: RenormalizeConfiguration) -> Sampled:
    """The study of the configuration; `InputError` for what does not go together."""
    return Sampled(c)


class Sampled(Subject[Renormalization]):
    """Batches of one system, then the other starts."""

    def __init__(self, c: RenormalizeConfiguration):
        self.c = c
        rule, self.caveats = build_rule(c)
        self.study = Renormalization(
            build_system(c),
            rule,
            levels=c.levels,
            couplings=c.couplings,
            samples=c.sampler.samples,
            bins=c.sampler.bins,
            starts=c.starts,
            key=jax.random.key(c.seed),
        )

    @property
    def announcement(self) -> str:
        c = self.c
        return (
            f"{words_of(c)}, {c.rule.short}, {c.levels} levels;"
            f" {self.study.samples} samples in {c.sampler.bins} batches"
        )

    def describe(self, record: Scalars) -> str:
        """The exponents so far, in words."""
        if record.get("start") is not None:
            return f"flow from K = {record['start']:.4f}"
        words = [f"E/N {record['energy']:.4f}".replace("-", "−")]
        for name in ("y_T", "y_H"):
            if record.get(name) is not None:
                error = record[f"{name}_error"]
                words.append(f"{name} {said(record[name], math.nan if error is None else error)}")
        return "  ".join(words)

    def outcome(self, state: PyTree, history: list[Scalars]) -> Outcome:
        """What was found beside what is known exactly."""
        exact = exact_exponents(self.c.named) if self._may_be_critical else None
        return flow_outcome(self.c, self.study.finish(state, history), exact, self._caveats)

    @property
    def _may_be_critical(self) -> bool:
        """Whether the exponents of the class may be expected: at K_c, or at a K given with further pairs."""
        s, known = self.c.system, critical_coupling(self.c)
        at = known is not None and abs(coupling_of(self.c) - known) < 1e-6
        return s.field == 0 and not self.c.frozen and (at or s.next != 0)

    @property
    def _caveats(self) -> list[str]:
        """What to beware of in the rule and in own configurations."""
        said, own = list(self.caveats), self.c.system.own_configurations
        if own:
            words = f"the {self.study.samples} configurations of {Path(own).name} are taken as draws in their"
            where = f"order, in equilibrium, in {self.study.chains} chains or stretches"
            said.append(caveat("data", f"{words} {where}"))
        return said


def build_system(c: RenormalizeConfiguration) -> SpinSystem:
    """The spin model with its sampler, or the configurations of a file."""
    if not c.system.own_configurations:
        return SpinSystem.of(build_model(c), build_sampler(c))
    lattice, states = build_lattice(c.named), c.named.potts_states
    return SpinSystem(
        lattice,
        states,
        c.named.model == "clock",
        configurations=read_configurations(c.system.own_configurations, lattice, states),
        coupling=coupling_of(c),
        field=c.system.field != 0,
    )
