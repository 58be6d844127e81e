"""How far a machine is from the data by optimal transport, along a run and at its end."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from intertwine.boltzmann.objectives.chain_rows import rows_of_chains
from intertwine.experiments.learn.measures import Probe
from intertwine.experiments.learn.settings import LearnConfiguration
from intertwine.geometry.transport.costs import table
from intertwine.geometry.transport.distance import wasserstein
from intertwine.geometry.transport.exact import least_cost
from intertwine.learning.stages import State, Training
from intertwine.models.machines.unit_layer import UnitLayer

FINAL_ROWS = 1000
"""Rows of the samples and of the data in the last distance."""


def measures_distance(c: LearnConfiguration) -> bool:
    """Whether the distance is measured along the run."""
    return c.method.distance == "yes" or (c.method.distance == "auto" and c.method.name == "wasserstein")


def line_distance(
    c: LearnConfiguration, training: Training, state: State, probe: Probe, key: jax.Array
) -> dict[str, float]:
    """Of a line: W1 between the chains of the training and as many rows of the data, and the distance between
    two sets of rows of the data of that number, its floor. Nothing without chains, or with missing entries.
    """
    model, rows = training.model(state), _rows(probe)
    stage = training.stages[len(state.machines)]
    if rows is None or len(rows) < 4:
        return {}
    inner = getattr(state.current.objective_state, "inner", None)
    chains = rows_of_chains(stage.objective, model, inner, key=key)
    if chains is None:
        return {}
    count = min(len(chains), len(rows) // 2)
    found = _between(c, model.visible_layer, chains[:count], rows[:count])
    floor = _between(c, model.visible_layer, rows[count : 2 * count], rows[:count])
    return {"wasserstein": found, "wasserstein_floor": floor}


def final_distance(
    c: LearnConfiguration, layer: UnitLayer, drawn: np.ndarray, probe: Probe
) -> dict[str, Any]:
    """What `result.json` has of the samples' distance from the data."""
    rows = _rows(probe)
    if rows is None or len(rows) < 4:
        return {}
    count = min(len(rows), len(drawn), FINAL_ROWS)
    every = np.linspace(0, len(drawn) - 1, count).astype(int)
    metric = _metric(c, layer)
    shown = [_of_units(layer, x) if metric == "hamming" else x for x in (drawn[every], rows[:count])]
    found = wasserstein(*shown, metric=metric)
    numbers = {name: getattr(found, name) for name in ("value", "error", "floor", "at_floor", "metric")}
    return numbers | {"rows": count}


def _between(c: LearnConfiguration, layer: UnitLayer, a: np.ndarray, b: np.ndarray) -> float:
    """W1 between two sets of as many rows of the machine's columns."""
    own = layer if layer.is_discrete else None
    return least_cost(table(a, b, _metric(c, layer), 1, layer=own))


def _of_units(layer: UnitLayer, rows: np.ndarray) -> np.ndarray:
    """A column for each unit: the states of Potts units as numbers."""
    width = layer.size // layer.count
    return rows if width == 1 else rows.reshape(len(rows), -1, width).argmax(-1)


def _metric(c: LearnConfiguration, layer: UnitLayer) -> str:
    if c.method.metric != "auto":
        return c.method.metric
    return "hamming" if layer.is_discrete else "euclidean"


def _rows(probe: Probe) -> np.ndarray | None:
    """Rows held out, or those learnt from; None with missing entries."""
    return None if probe.missing else probe.train if probe.test is None else probe.test
