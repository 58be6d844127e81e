"""What the folder of a run of fields holds: the plain run of its schema, some samples and their places."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from intertwine.records.folder import DATASET
from intertwine.report.folder import damaged, numbers_of, read_dataset
from intertwine.report.plain.read import PlainRun, read as read_plain

_PLACES = {"latitude": 1, "longitude": 1, "position": 2, "face": 2}
_MOST = 4_000_000


@dataclass(frozen=True, kw_only=True)
class Run(PlainRun):
    """samples: target → (true, said), each (components, samples, *places), NaN where missing. places:
    latitude and longitude of a globe, position (n, 3) and face (F, 3) of a mesh, nothing of arrays."""

    samples: dict[str, tuple[np.ndarray, np.ndarray]]
    places: dict[str, np.ndarray]


def read(folder: str | Path) -> Run:
    """The run in `folder`; raises `InputError` if it is not a run folder or one of its files is damaged."""
    plain, path = read_plain(folder), Path(folder) / DATASET
    samples: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    places: dict[str, np.ndarray] = {}
    if path.is_file():
        found = read_dataset(path)
        for name in found.data_vars:
            if str(name).startswith("true_"):
                target = str(name).removeprefix("true_")
                pair = [
                    numbers_of(path, found[f"{words}_{target}"], found[name].ndim)
                    for words in ("true", "said")
                    if f"{words}_{target}" in found.variables
                ]
                if len(pair) != 2 or pair[0].shape != pair[1].shape or pair[0].size > _MOST:
                    raise damaged(path, f"said_{target} beside true_{target}, of one shape", "others")
                samples[target] = (pair[0], pair[1])
        places = {
            name: numbers_of(path, found[name], axes)
            for name, axes in _PLACES.items()
            if name in found.variables
        }
    made = {f.name: getattr(plain, f.name) for f in fields(plain)}
    return Run(**made, samples=samples, places=places)
