"""The study `flow` of an approximate transformation: Migdal-Kadanoff or Niemeijer-van Leeuwen.

Nothing is sampled. A line of metrics is a flow from one coupling (`rg.steps.flow_diagram`): `starts` of them
around the fixed point of the transformation, then the system's own.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import PyTree

from intertwine.experiments.renormalize.results import Outcome, Subject
from intertwine.experiments.renormalize.settings import RenormalizeConfiguration
from intertwine.experiments.renormalize.system import coupling_of, exact_exponents
from intertwine.learning.study import Scalars
from intertwine.rg.defaults import FLOW_SPREAD
from intertwine.rg.steps.flow_diagram import FlowDiagram
from intertwine.rg.steps.migdal_kadanoff import migdal_kadanoff
from intertwine.rg.steps.niemeijer_van_leeuwen import niemeijer_van_leeuwen
from intertwine.rg.steps.starts import around

POINTS = 200


def build(c: RenormalizeConfiguration) -> Approximate:
    """The study of the configuration."""
    return Approximate(c)


class Approximate(Subject[FlowDiagram]):
    """Flows of one coupling, and the fixed point."""

    def __init__(self, c: RenormalizeConfiguration):
        self.c = c
        if c.rule.family == "migdal-kadanoff":
            dimension = {"cubic": 3}.get(c.named.lattice, 2)
            self.step, self.with_field = (
                migdal_kadanoff(2, dimension),
                migdal_kadanoff(2, dimension, field=True),
            )
        else:
            self.step, self.with_field = niemeijer_van_leeuwen(), niemeijer_van_leeuwen(field=True)
        self.fixed = self.step.fixed_point
        starts = around(float(self.fixed.couplings[0]), c.starts, FLOW_SPREAD)
        self.study = FlowDiagram(np.append(starts, coupling_of(c))[:, None], self.step, c.levels)

    @property
    def announcement(self) -> str:
        many = self.study.lines
        return f"{self.c.rule.name}, {self.c.levels} levels from {many} couplings; nothing is sampled"

    def describe(self, record: Scalars) -> str:
        """A flow in words."""
        return f"K = {record['start']:.4f} → {record['end']:.4g}"

    def outcome(self, state: PyTree, history: list[Scalars]) -> Outcome:
        """The fixed point and its exponents beside the exact ones."""
        c, exact = self.c, exact_exponents(self.c.named)
        K, y_T, y_H = float(self.fixed.couplings[0]), float(self.step.y_T), float(self.with_field.y_H)
        values = {"y_T": y_T, "y_H": y_H, "nu": 1 / y_T, "eta": len(c.named.extent) + 2 - 2 * y_H}
        exponents = {
            name: {"mean": value, "error": None, "exact": None if exact is None else getattr(exact, name)}
            for name, value in values.items()
        }
        x = np.linspace(0.0, 2.2 * K, POINTS)
        mapped = np.array([float(np.asarray(self.step.step(np.array([k])))[0]) for k in x])
        headline = f"Fixed point K* = {K:.6f}, with y_T = {y_T:.4f} and y_H = {y_H:.4f}."
        record = {
            "levels": c.levels,
            "exponents": exponents,
            "fixed_point": True,
            "reason": f"K* = {K:.6f}",
            "headline": headline,
            "cards": [["Fixed point K*", f"{K:.6f}", "of this transformation"]],
            "facts": {
                "eigenvalue λ": float(np.real(self.fixed.eigenvalues)[0]),
                "block b": float(self.step.block),
            },
        }
        arrays = {"flow": self.study.finish(state, history), "map_from": x, "map_to": mapped}
        attributes = {"families": "nearest", "fixed_coupling": K}
        return Outcome(record, arrays, [headline], attributes=attributes)
