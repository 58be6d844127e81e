"""The data of a run: loaded as the configuration says, told of in `data.json`, and the same when it goes
on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from intertwine._checks import fail
from intertwine.data.dataset import Dataset


def load_data(d: Any) -> Dataset:
    """The data set of a configuration's section `data`."""
    from intertwine.data import load

    return load(
        d.name,
        units=None if d.units == "auto" else d.units,
        shape=None if d.shape == "auto" else tuple(int(extent) for extent in d.shape.split("x")),
        variable=None if d.variable == "auto" else d.variable,
        labels=None if d.labels == "none" else d.labels,
        test_share=d.test_share,
        rows=d.rows,
        folder=None if d.folder == "auto" else d.folder,
        download=d.download,
        seed=d.seed,
    )


def data_record(data: Any) -> dict[str, Any]:
    """What was learnt from, for `result.json` and `data.json`."""
    return {
        "name": data.name,
        "source": data.source,
        "checksum": data.checksum,
        "rows": len(data.train),
        "held_out": 0 if data.test is None else len(data.test),
        "columns": data.size,
        "units": data.units,
        "grey": data.grey,
        "shape": list(data.shape) if data.shape else None,
        "entropy": data.known.entropy if data.known else None,
        "notes": list(data.notes),
    }


def check_same_data(path: Path, data: Dataset) -> None:
    """Raise `InputError` where the data are not those that the run began with."""
    try:
        before = json.loads(path.read_text(encoding="utf-8"))["checksum"]
    except (OSError, ValueError, KeyError, TypeError):
        remedy = "start a new run"
        raise fail(
            str(path), "the checksum of the run's data", "a file that is missing or damaged", remedy
        ) from None
    if before != data.checksum:
        remedy = "put the old file back, or start a new run"
        raise fail("data.name", f"the data of this run ({before})", f"{data.source}: {data.checksum}", remedy)
