"""A complete run on a group's table as an object to go on with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from intertwine.experiments.classify.settings import ClassifyConfiguration
from intertwine.layers.networks.saved_network import load_network
from intertwine.layers.networks.table_network import TableNetwork
from intertwine.records.classify import SCHEMA
from intertwine.records.folder import NETWORK
from intertwine.runs.complete import complete
from intertwine.runs.run_folder import read_metrics
from intertwine.symmetry.groups.finite_group import FiniteGroup
from intertwine.symmetry.groups.group_names import group_from_name


@dataclass(frozen=True, eq=False, repr=False)
class TrainedTable:
    """What a run on a group's table found: `it.layers.emergent_symmetry` tells its training.

    model: the network, pairs (2,) → scores (g,). group: whose table it learned. settings: of the run.
    metrics: name → float64, an entry a line. looks: the lines. result: result.json.
    """

    model: TableNetwork
    group: FiniteGroup
    settings: ClassifyConfiguration
    metrics: dict[str, np.ndarray]
    looks: list[dict[str, Any]]
    result: dict[str, Any]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What qualifies the run's numbers."""
        return tuple(self.result["warnings"])

    def __repr__(self) -> str:
        test = self.result["test"]
        share = f"held-out products {100 * test['accuracy']:.2f} ± {100 * test['error']:.2f} %"
        return f"TrainedTable({self.settings.network.name} on {self.group.name}, {share})"


def load_table_run(folder: str | Path) -> TrainedTable:
    """The complete run in `folder`; `InputError` where there is none, of another kind, or of a precision that
    JAX is not set to."""
    run = complete(folder, "classify", ("test", "emergence", "warnings"), (NETWORK,))
    group = group_from_name(run.settings.data.name.partition(":")[2])
    looks = read_metrics(run.path, SCHEMA)
    return TrainedTable(load_network(run.path / NETWORK), group, run.settings, run.metrics, looks, run.result)
