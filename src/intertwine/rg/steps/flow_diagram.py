"""Flows of one step from many couplings, as a study: a line is a flow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int
from intertwine.learning.study import Scalars, Study, carry_out
from intertwine.rg.steps.flow import flow
from intertwine.rg.steps.step import Step


class FlowDiagram(Study[np.ndarray, np.ndarray]):
    """The couplings of all flows, float64 (starts, levels + 1, n); NaN where they have not come, or ended.

    starts: couplings (starts, n).
    """

    def __init__(self, starts: np.ndarray, step: Step, levels: int):
        self.starts, self.step, self.levels = starts, step, levels
        self.lines = len(starts)

    def template(self, done: int) -> np.ndarray:
        return np.full((self.lines, self.levels + 1, self.starts.shape[1]), np.nan)

    def start(self) -> np.ndarray:
        """The state before the first flow."""
        return self.template(0)

    def iterate(self, state: np.ndarray, done: int) -> Iterator[tuple[np.ndarray, Scalars]]:
        for line in range(done, self.lines):
            found = flow(self.starts[line], self.step, self.levels).couplings
            state = state.copy()
            state[line, : len(found)] = found
            yield state, {"start": float(self.starts[line, 0]), "end": float(found[-1, 0])}

    def finish(self, state: np.ndarray, history: list[Scalars]) -> np.ndarray:
        return state


def flow_diagram(starts: ArrayLike, step: Step, levels: int) -> Float[np.ndarray, "starts levels+1 n"]:
    """The couplings by start and level of `flow` from many starts, float64 (starts, levels + 1, n); NaN where
    a flow has ended.

    starts: couplings (starts, n), or (starts,) of a step in one coupling. levels: how many steps.

    Raises InputError for starts of other shapes, and as `flow` does.

    >>> from intertwine.rg.steps.migdal_kadanoff import migdal_kadanoff
    >>> flow_diagram([0.29, 0.32], migdal_kadanoff(2), 2)[..., 0].round(3).tolist()
    [[0.29, 0.28, 0.264], [0.32, 0.331, 0.349]]
    """
    rows = np.asarray(starts, np.float64)
    rows = rows[:, None] if rows.ndim == 1 else rows
    if rows.ndim != 2 or not rows.size or rows.shape[1] != len(step.names):
        raise fail("starts", f"couplings (starts, {len(step.names)})", f"shape {np.shape(starts)}")
    return carry_out(FlowDiagram(rows, step, positive_int("levels", levels, "give the number of steps")))
