"""The study `flow` of an approximate transformation: Migdal-Kadanoff or Niemeijer-van Leeuwen.

Nothing is sampled. A line of metrics is a flow from one coupling: `starts` of them around the fixed point of
the transformation, then the system's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from intertwine.experiments.renormalize.results import Outcome
from intertwine.experiments.renormalize.settings import RenormalizeConfiguration
from intertwine.experiments.renormalize.system import around, coupling_of, exact_exponents
from intertwine.learning.study import Scalars, Study
from intertwine.rg.steps.flow import flow
from intertwine.rg.steps.migdal_kadanoff import migdal_kadanoff
from intertwine.rg.steps.niemeijer_van_leeuwen import niemeijer_van_leeuwen

SPREAD = 0.2
POINTS = 200


def build(c: RenormalizeConfiguration) -> Any:
    """The study of the configuration."""
    if c.rule.family == "trg":
        from intertwine.experiments.renormalize.tensor import Tensor

        return Tensor(c)
    return Approximate(c)


class Approximate(Study[np.ndarray, Outcome]):
    """Flows of one coupling. The state: float64 (starts + 1, levels + 1), NaN where a flow has ended."""

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
        self.starts = np.append(around(float(self.fixed.couplings[0]), c.starts, SPREAD), coupling_of(c))
        self.lines = len(self.starts)

    @property
    def announcement(self) -> str:
        return f"{self.c.rule.name}, {self.c.levels} levels from {self.lines} couplings; nothing is sampled"

    def template(self, done: int) -> np.ndarray:
        return np.full((self.lines, self.c.levels + 1), np.nan)

    def start(self) -> np.ndarray:
        """The state before the first flow."""
        return self.template(0)

    def iterate(self, state: np.ndarray, done: int) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
        """(state, scalars) after each further flow."""
        for line in range(done, self.lines):
            K = float(self.starts[line])
            found = flow([K], self.step, self.c.levels).couplings[:, 0]
            state = state.copy()
            state[line, : len(found)] = found
            yield state, {"start": K, "end": float(found[-1])}

    def describe(self, record: dict[str, Any]) -> str:
        """A flow in words."""
        return f"K = {record['start']:.4f} → {record['end']:.4g}"

    def finish(self, state: np.ndarray, history: list[Scalars]) -> Outcome:
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
        arrays = {
            "flow": (("start", "scale", "family"), state[..., None], "coupling by level from every start"),
            "map_from": ("point", x, "K"),
            "map_to": ("point", mapped, "K' = R(K)"),
        }
        attributes = {"families": "nearest", "fixed_coupling": K}
        return Outcome(record, arrays, [headline], attributes=attributes)
