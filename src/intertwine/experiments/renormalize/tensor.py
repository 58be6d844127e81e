"""The study `flow` by tensor renormalization: ln Z per site around the system's K, and its exponents.

A line of metrics is a coupling, coarse-grained by the plain and by the bond-weighted scheme (`rg.trg`),
beside Onsager's ln Z; the last is the system's own, whose transfer matrix gives the scaling dimensions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from intertwine._caveats import caveat
from intertwine.experiments.renormalize.results import Outcome
from intertwine.experiments.renormalize.settings import RenormalizeConfiguration
from intertwine.experiments.renormalize.system import around, coupling_of, exact_exponents
from intertwine.learning.study import Scalars, Study
from intertwine.models.spins.onsager import onsager
from intertwine.rg.tensor.trg import SCHEMES, SETTLED, trg

SPREAD = 0.05
STEPS = 40
SHOWN = 24
"""Steps of which exponents and phases are shown: later ones are rounding."""


class State(NamedTuple):
    """Row k of each: coupling k. log_z: by scheme, (lines, 2). phases: Gu and Wen's number by step, (lines,
    SHOWN). dimensions: the two smallest of the last line by step, (SHOWN, 2).
    """

    log_z: np.ndarray
    phases: np.ndarray
    dimensions: np.ndarray


class Tensor(Study[State, Outcome]):
    """Couplings around the system's, which is the last."""

    def __init__(self, c: RenormalizeConfiguration):
        self.c, self.chi = c, int(c.rule.parameter)
        self.couplings = np.append(around(coupling_of(c), c.starts, SPREAD), coupling_of(c))
        self.lines = len(self.couplings)

    @property
    def announcement(self) -> str:
        return (
            f"tensor renormalization with {self.chi} singular values, {STEPS} steps, {self.lines} couplings"
        )

    def template(self, done: int) -> State:
        nothing = np.full((self.lines, SHOWN), np.nan)
        return State(np.full((self.lines, 2), np.nan), nothing, np.full((SHOWN, 2), np.nan))

    def start(self) -> State:
        """The state before the first coupling."""
        return self.template(0)

    def iterate(self, state: State, done: int) -> Iterator[tuple[State, dict[str, Any]]]:
        """(state, scalars) after each further coupling."""
        for line in range(done, self.lines):
            state = State(*(array.copy() for array in state))
            exact = onsager(float(self.couplings[line])).log_partition
            for column, scheme in enumerate(SCHEMES):
                found = trg(float(self.couplings[line]), self.chi, STEPS, scheme=scheme)
                state.log_z[line, column] = found.log_z
            state.phases[line] = found.invariant[:SHOWN]
            if line == self.lines - 1:
                state.dimensions[:] = found.dimensions[:SHOWN, :2]
            errors = dict(
                zip(("error_trg", "error_bond_weighted"), state.log_z[line] / exact - 1, strict=True)
            )
            yield (
                state,
                {"start": float(self.couplings[line]), "log_z": found.log_z, "exact": exact, **errors},
            )

    def describe(self, record: dict[str, Any]) -> str:
        """A coupling in words."""
        off = f"{record['error_bond_weighted']:.1e} off"
        return f"K = {record['start']:.4f}  ln Z/N {record['log_z']:.8f} ({off})".replace("-", "−")

    def finish(self, state: State, history: list[Scalars]) -> Outcome:
        """ln Z beside Onsager's, and the exponents of the transfer matrix."""
        c, exact = self.c, exact_exponents(self.c.named)
        order = np.argsort(self.couplings)
        truth = np.array([onsager(float(K)).log_partition for K in self.couplings])
        errors = np.abs(state.log_z / truth[:, None] - 1)
        y = 2 - np.where(np.isfinite(state.dimensions), state.dimensions, np.nan)
        at, critical = round(2 * math.log2(self.chi)) - 1, c.system.coupling == "critical"
        names = {"y_H": float(y[at, 0]), "y_T": float(y[at, 1])} if critical else {}
        exponents = {
            name: {"mean": value, "error": None, "exact": None if exact is None else getattr(exact, name)}
            for name, value in names.items()
        }
        relative = float(errors[-1, 1])
        headline = (
            f"ln Z/N = {state.log_z[-1, 1]:.10f} at K = {self.couplings[-1]:.6f}, {relative:.1e} from"
            f" Onsager's; the plain scheme is {errors[-1, 0]:.1e} from it."
        )
        record = {
            "levels": STEPS,
            "exponents": exponents,
            "headline": headline,
            "cards": [["ln Z per site", f"{state.log_z[-1, 1]:.9f}", f"exact {truth[-1]:.9f}"],
                      ["Relative error", f"{relative:.1e}", f"{errors[-1, 0]:.1e} by the plain scheme"]],
            "facts": {"ln Z per site, exact": float(truth[-1]), "relative error": relative,
                      "relative error, plain scheme": float(errors[-1, 0]),
                      "phases at the end": float(state.phases[-1, -1]),
                      **({"exponents read at step": at + 1} if critical else {})},
        }  # fmt: skip
        arrays: dict[str, Any] = {
            "flow": (("start", "scale", "family"), state.phases[..., None], "Gu and Wen's number of phases"),
            "start_coupling": ("start", self.couplings, "K of every start"),
            "column_coupling": ("row", self.couplings[order], "K = J/T"),
            "column_bond_weighted": ("row", errors[order, 1], "relative error of ln Z, bond-weighted"),
            "column_plain": ("row", errors[order, 0], "relative error of ln Z, plain"),
        }
        if critical:
            for column, name in enumerate(("y_H", "y_T")):
                arrays[name] = (("level", "number"), y[:, column, None], "from the transfer matrix")
        said = self._caveats(state.dimensions, at) if critical else []
        return Outcome(record, arrays, [headline], said, attributes=self._attributes(at))

    def _caveats(self, dimensions: np.ndarray, at: int) -> list[str]:
        """Of scaling dimensions that change from the step before the one at which they are read."""
        before, read = dimensions[at - 1], dimensions[at]
        change = float(np.abs(read / before - 1).max())
        if change <= SETTLED:
            return []
        words = f"the scaling dimensions change by {change:.1%} to step {at + 1}, where they are read"
        return [caveat("not-converged", f"{words}: y_T and y_H are only so good; take more singular values")]

    def _attributes(self, at: int) -> dict[str, Any]:
        """Titles and captions of the figures; at: the row at which exponents are read."""
        return {
            "families": "coexisting phases",
            "main_start": self.lines - 1,
            "row_of": "coupling",
            "title_coupling": "K = J/T",
            "title_bond_weighted": "error of ln Z, bond-weighted",
            "title_plain": "error of ln Z, plain",
            "log_bond_weighted": 1,
            "log_plain": 1,
            "caption_bond_weighted": f"Relative error of ln Z per site with χ = {self.chi} against Onsager's,"
            " by the bond-weighted scheme (Adachi, Okubo & Todo 2022).",
            "caption_plain": "The same for the plain scheme (Levin & Nave 2007).",
            "caption_flow": "Gu and Wen's number of coexisting phases of the tensor, step by step: it ends at"
            " 1 above T_c and at 2 below, and stands between them at T_c. This run's K in orange.",
            "caption_exponents": "y = 2 − Δ from the transfer matrix of the coarse-grained tensor, by step,"
            f" each √2 in length. Dashed: exact. They are read at step {at + 1}, L = χ: before, the lattice"
            " is small; later, the cut at χ has moved the tensor away.",
        }
