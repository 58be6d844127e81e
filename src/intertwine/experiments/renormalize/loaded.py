"""A complete renormalization run as an object to go on with: its spin model or its machine, its rule, its
numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from intertwine._caveats import beneath
from intertwine._checks import fail
from intertwine._shown import Shown
from intertwine.experiments.renormalize.experiment import source_record
from intertwine.experiments.renormalize.exponents import sizes_of
from intertwine.experiments.renormalize.settings import RenormalizeConfiguration
from intertwine.experiments.renormalize.system import build_model, build_rule
from intertwine.records.folder import DATA, DATASET
from intertwine.runs.complete import complete


@dataclass(frozen=True, eq=False, repr=False)
class RenormalizeRun(Shown):
    """model: the spin model, of the study of exponents that of the largest size; of a network the machine;
    None where configurations came from a file. rule: that blocks, None where none does. settings: of the run.
    metrics: name → float64, one entry a line. result: of result.json. arrays: of result.nc, name → array.
    """

    model: Any
    rule: Any
    settings: RenormalizeConfiguration
    metrics: dict[str, np.ndarray]
    result: dict[str, Any]
    arrays: dict[str, np.ndarray]

    def __str__(self) -> str:
        return beneath(str(self.result["headline"]), self.result["warnings"])


def load_run(path: Path) -> RenormalizeRun:
    """The `RenormalizeRun` of the complete run in `path`; `InputError` as of `intertwine.load`."""
    from intertwine.report.folder import read_dataset

    run = complete(path, "renormalize", ("headline", "warnings"), (DATASET,))
    _check_sources(path, run.settings)
    dataset = read_dataset(path / DATASET)
    arrays = {str(name): np.asarray(dataset[name].values) for name in dataset.variables}
    model, rule = _model(run.settings), _rule(run.settings)
    return RenormalizeRun(model, rule, run.settings, run.metrics, run.result, arrays)


def _check_sources(path: Path, c: RenormalizeConfiguration) -> None:
    """Raise `InputError` where the files or the network that the run is made from have changed since."""
    from intertwine.records.writing import from_json

    now = source_record(c)
    if now is None:
        return
    try:
        before = from_json((path / DATA).read_bytes())["checksum"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if before != now["checksum"]:
        got = f"{now['source']}, which has changed since"
        raise fail("folder", "a run whose files are as they were", got, "put the old one back")


def _model(c: RenormalizeConfiguration) -> Any:
    if c.study == "network":
        from intertwine.experiments.renormalize.trained_network import load_learned

        return load_learned(c.rule.name, c.named.extent if c.named.sized else None).machine
    if c.system.own_configurations:
        return None
    if c.study == "exponents":
        return build_model(c, (sizes_of(c)[-1],) * len(c.named.extent))
    return build_model(c)  # of several couplings at that of the system


def _rule(c: RenormalizeConfiguration) -> Any:
    return build_rule(c)[0] if c.study == "flow" and not c.approximate else None
