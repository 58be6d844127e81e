"""One distance between two sets of rows: table of costs, programme or Sinkhorn's iteration, root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Int

from intertwine._checks import fail
from intertwine.geometry.transport.costs import Metric, table
from intertwine.geometry.transport.entropic import checked_cost, checked_epsilon, divergence_of, unfinished
from intertwine.geometry.transport.exact import dual_potentials, is_assigned, least_cost
from intertwine.geometry.transport.sides import Side
from intertwine.geometry.transport.sinkhorn import MOST, own_potential, potentials
from intertwine.models.machines.unit_layer import UnitLayer

_WORDS = 32
"""Columns with more values than this are measured by the euclidean distance where nothing is said."""


SAMPLED_TOLERANCE = 1e-5
"""Error of the marginals between samples, whose own errors are far above it."""
FEW_PAIRS = 10_000
"""Pairs of distinct rows up to which these with their weights are quicker than all rows."""


class Found(NamedTuple):
    """value: W_p or S_ε^{1/p}. error: of it where the potentials tell, else None. warnings."""

    value: float
    error: float | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Measure:
    """How two sets of rows are compared. layer: of whose units the rows are, if of a machine's."""

    metric: Metric
    order: int
    epsilon: float | None
    layer: UnitLayer | None
    group: Int[np.ndarray, "G N"] | None

    @classmethod
    def of(
        cls,
        a: np.ndarray,
        b: np.ndarray,
        layer: UnitLayer | None,
        metric: Metric | None,
        order: int,
        epsilon: float | None,
        group: np.ndarray | None,
    ) -> Measure:
        """The metric chosen, or checked against the values of the rows."""
        whole = layer is not None or all(_is_whole(x) for x in (a, b))
        if metric is None:
            few = layer is not None or (whole and max(len(np.unique(x)) for x in (a, b)) <= _WORDS)
            metric = "hamming" if few else "euclidean"
        elif metric == "hamming" and not whole:
            raise fail(
                "metric", "'euclidean' or a function for continuous columns", metric, "or leave it out"
            )
        return cls(metric, order, epsilon, layer, group)

    @property
    def name(self) -> str:
        """The metric in a word."""
        word = self.metric if isinstance(self.metric, str) else getattr(self.metric, "__name__", "a function")
        return word if self.group is None else f"{word}, up to {len(self.group)} permutations"

    def between(self, a: Side, b: Side) -> Found:
        """The distance between two sides."""
        if self.epsilon is not None:
            return self._entropic(a, b)
        x, p, y, q = self._points(a, b)
        return Found(least_cost(self._table(x, y), p, q) ** (1 / self.order), None, ())

    def error(self, a: Side, b: Side, value: float) -> float:
        """The standard error of the exact distance `value` by the variance of the dual potentials, Var f/n +
        Var g/m (Sommerfeld & Munk, J. R. Stat. Soc. B 80, 219, 2018)."""
        x, p, y, q = self._points(a, b)
        variance = 0.0
        for h, w, side in zip(dual_potentials(self._table(x, y), p, q), (p, q), (a, b), strict=True):
            if side.weights is None:
                mean = np.average(h, weights=w)
                variance += np.average((h - mean) ** 2, weights=w) / max(len(side.rows) - 1, 1)
        slope = 1.0 if self.order == 1 else 0.5 / max(value, 1e-12)
        return float(slope * np.sqrt(variance))

    def _points(self, a: Side, b: Side) -> tuple:
        """The points that are compared and their weights, None where all are alike."""
        (x, p), (y, q) = _merged(a), _merged(b)
        alike = a.weights is None and b.weights is None
        if alike and (is_assigned(len(a.rows), len(b.rows)) and len(x) * len(y) > FEW_PAIRS):
            return a.rows, None, b.rows, None
        return x, p, y, q

    def _table(self, x: np.ndarray, y: np.ndarray) -> Float[np.ndarray, "n m"]:
        return table(x, y, self.metric, self.order, layer=self.layer, group=self.group)

    def _entropic(self, a: Side, b: Side) -> Found:
        rows = a.rows, b.rows
        costs = tuple(checked_cost(self._table(*pair), "metric") for pair in _of_three(rows))
        wanted = SAMPLED_TOLERANCE if a.weights is None or b.weights is None else None
        epsilon, tolerance = checked_epsilon(self.epsilon or 0.0, wanted, *costs)
        p, q = (np.full(len(s.rows), 1 / len(s.rows)) if s.weights is None else s.weights for s in (a, b))
        with np.errstate(divide="ignore"), jax.enable_x64(True):
            logs = np.log(p), np.log(q)
            found = (
                potentials(costs[0], *logs, epsilon, tolerance=tolerance),
                own_potential(costs[1], logs[0], epsilon, tolerance=tolerance),
                own_potential(costs[2], logs[1], epsilon, tolerance=tolerance),
            )
            squared = float(divergence_of(costs, (p, q), found, epsilon))  # type: ignore[arg-type]
        value = max(squared, 0.0) ** (1 / self.order)
        said = unfinished(max(float(x.error) for x in found), tolerance, MOST)
        influence = [
            (np.asarray(found[0].f) - np.asarray(found[1].f), a),
            (np.asarray(found[0].g) - np.asarray(found[2].g), b),
        ]
        variance = sum(
            phi.var(ddof=1) / len(phi) for phi, s in influence if s.weights is None and len(phi) > 1
        )
        slope = 1.0 if self.order == 1 else 0.5 / max(value, 1e-12)
        return Found(value, float(slope * np.sqrt(variance)), said)


def _of_three(rows: tuple[np.ndarray, np.ndarray]) -> tuple:
    x, y = rows
    return (x, y), (x, x), (y, y)


def _merged(side: Side) -> tuple[np.ndarray, np.ndarray]:
    """Distinct rows with their weights."""
    rows, inverse = np.unique(side.rows, axis=0, return_inverse=True)
    weights = np.full(len(side.rows), 1 / len(side.rows)) if side.weights is None else side.weights
    return rows, np.bincount(inverse.ravel(), weights, len(rows))


def _is_whole(rows: np.ndarray) -> bool:
    return rows.dtype.kind in "biu" or bool((rows == np.round(rows)).all())
