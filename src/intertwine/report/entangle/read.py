"""What the folder of a measurement of entropies holds: the plain run of its schema, and the spectrum."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from intertwine.records.folder import DATASET
from intertwine.report.folder import numbers_of, read_dataset
from intertwine.report.plain.read import PlainRun, read as read_plain


@dataclass(frozen=True, kw_only=True)
class Run(PlainRun):
    """spectrum: eigenvalues of the last region's reduced density matrix, descending; empty where unknown."""

    spectrum: np.ndarray


def read(folder: str | Path) -> Run:
    """The run in `folder`; raises `InputError` if it is not a run folder or one of its files is damaged."""
    plain, path, values = read_plain(folder), Path(folder) / DATASET, np.zeros(0)
    if path.is_file():
        found = read_dataset(path)
        values = numbers_of(path, found["spectrum"], 1) if "spectrum" in found.variables else values
    return Run(**{f.name: getattr(plain, f.name) for f in fields(plain)}, spectrum=values)
