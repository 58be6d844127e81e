"""The study `flow` by tensor renormalization: ln Z per site around the system's K, and its exponents.

A line of metrics is a coupling, coarse-grained by the plain and by the bond-weighted scheme
(`rg.tensor.coupling_scan`), beside Onsager's ln Z; the last is the system's own, whose transfer matrix gives
the scaling dimensions.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jaxtyping import PyTree

from intertwine._caveats import caveat
from intertwine.experiments.renormalize.results import Outcome, Subject
from intertwine.experiments.renormalize.settings import RenormalizeConfiguration
from intertwine.experiments.renormalize.system import coupling_of, exact_exponents
from intertwine.learning.study import Scalars
from intertwine.rg.defaults import TENSOR_SPREAD
from intertwine.rg.steps.starts import around
from intertwine.rg.tensor.coupling_scan import CouplingScan
from intertwine.rg.tensor.trg import SETTLED

SHOWN = 24
"""Steps of which exponents and phases are shown: later ones are rounding."""


def build(c: RenormalizeConfiguration) -> Tensor:
    """The study of the configuration."""
    return Tensor(c)


class Tensor(Subject[CouplingScan]):
    """Couplings around the system's, which is the last."""

    def __init__(self, c: RenormalizeConfiguration):
        self.c, self.chi = c, int(c.rule.parameter)
        couplings = np.append(around(coupling_of(c), c.starts, TENSOR_SPREAD), coupling_of(c))
        self.study = CouplingScan(couplings, self.chi)

    @property
    def announcement(self) -> str:
        return (
            f"tensor renormalization with {self.chi} singular values, {self.study.steps} steps,"
            f" {self.study.lines} couplings"
        )

    def describe(self, record: dict[str, Any]) -> str:
        """A coupling in words."""
        off = f"{record['error_bond_weighted']:.1e} off"
        return f"K = {record['start']:.4f}  ln Z/N {record['log_z']:.8f} ({off})".replace("-", "−")

    def outcome(self, state: PyTree, history: list[Scalars]) -> Outcome:
        """ln Z beside Onsager's, and the exponents of the transfer matrix."""
        c, exact = self.c, exact_exponents(self.c.named)
        found = self.study.finish(state, history)
        errors, phases, dimensions = found.errors, found.phases[:, :SHOWN], found.dimensions[:SHOWN]
        order = np.argsort(found.K)
        y = 2 - np.where(np.isfinite(dimensions), dimensions, np.nan)
        at, critical = round(2 * math.log2(self.chi)) - 1, c.system.coupling == "critical"
        names = {"y_H": float(y[at, 0]), "y_T": float(y[at, 1])} if critical else {}
        exponents = {
            name: {"mean": value, "error": None, "exact": None if exact is None else getattr(exact, name)}
            for name, value in names.items()
        }
        relative = float(errors[-1, 1])
        headline = (
            f"ln Z/N = {found.log_z[-1, 1]:.10f} at K = {found.K[-1]:.6f}, {relative:.1e} from"
            f" Onsager's; the plain scheme is {errors[-1, 0]:.1e} from it."
        )
        record = {
            "levels": self.study.steps,
            "exponents": exponents,
            "headline": headline,
            "cards": [["ln Z per site", f"{found.log_z[-1, 1]:.9f}", f"exact {found.exact[-1]:.9f}"],
                      ["Relative error", f"{relative:.1e}", f"{errors[-1, 0]:.1e} by the plain scheme"]],
            "facts": {"ln Z per site, exact": float(found.exact[-1]), "relative error": relative,
                      "relative error, plain scheme": float(errors[-1, 0]),
                      "phases at the end": float(phases[-1, -1]),
                      **({"exponents read at step": at + 1} if critical else {})},
        }  # fmt: skip
        arrays: dict[str, Any] = {
            "flow": phases[..., None],
            "start_coupling": found.K,
            "column_coupling": found.K[order],
            "column_bond_weighted": errors[order, 1],
            "column_plain": errors[order, 0],
        }
        if critical:
            for column, name in enumerate(("y_H", "y_T")):
                arrays[name] = y[:, column, None]
        said = self._caveats(dimensions, at) if critical else []
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
            "main_start": self.study.lines - 1,
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
