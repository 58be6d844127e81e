"""The data of a run: loaded as the configuration says, and told of in `data.json`."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import PyTree

from intertwine.data.dataset import Dataset


def load_data(d: PyTree, space: str | None = None) -> Dataset:
    """The data set of a configuration's section `data`. space: that its rows lie on, as of `load`."""
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
        header={"auto": None, "yes": True, "no": False}[d.header],
        alphabet=None if d.alphabet == "auto" else d.alphabet,
        similarity=d.similarity or None,
        space=space,
    )


def held_bytes(data: Dataset) -> int:
    """Bytes that the rows take in memory: none where they are read in place."""
    arrays = [rows for rows in (data.train, data.test) if rows is not None]
    return sum(rows.nbytes for rows in arrays if not isinstance(rows, np.memmap))


def data_record(data: Dataset) -> dict[str, Any]:
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
        "missing": data.missing,
        "alphabet": data.alphabet,
        "effective_rows": None if data.weights is None else float(data.weights.sum()),
        "notes": list(data.notes),
    }
