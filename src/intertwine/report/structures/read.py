"""What the folder of a run on structures holds: the plain run of its schema, values as they are and as said,
one structure in space."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from intertwine.records.folder import DATASET, METRICS
from intertwine.report.folder import damaged, numbers_of, read_dataset, read_metrics
from intertwine.report.plain.read import PlainRun, read as read_plain

if TYPE_CHECKING:
    import xarray

_MOST = 4_000_000
_SHOWN = {"position": 2, "element": 1, "arrow": 2, "shown_label": 1, "shown_guess": 1}


class Pairs(NamedTuple):
    """A target: true, said (rows, components). element: of each row, or None. points: of each structure, or
    None. unit."""

    true: np.ndarray
    said: np.ndarray
    element: np.ndarray | None
    points: np.ndarray | None
    unit: str


@dataclass(frozen=True, kw_only=True)
class Run(PlainRun):
    """pairs: target → what is true and said. shown: of one structure `position` (n, 3), `element`, and
    `arrow` (n, 3), `shown_label`, `shown_guess` where there are."""

    pairs: dict[str, Pairs]
    shown: dict[str, np.ndarray]

    @property
    def model(self) -> dict[str, Any]:
        """What result.json says of the model."""
        found = self.result.get("model")
        return found if isinstance(found, dict) else {}

    @property
    def symbols(self) -> dict[int, str]:
        """Number of an element, or kind → its word."""
        numbers, words = (self.model.get(name) for name in ("elements", "symbols"))
        if not isinstance(numbers, list) or not isinstance(words, list) or len(numbers) != len(words):
            return {}
        return {int(n): str(word) for n, word in zip(numbers, words, strict=True)}


def read(folder: str | Path) -> Run:
    """The run in `folder`; raises `InputError` if it is not a run folder or one of its files is damaged."""
    plain, path = read_plain(folder), Path(folder) / DATASET
    pairs: dict[str, Pairs] = {}
    shown: dict[str, np.ndarray] = {}
    if path.is_file():
        found = read_dataset(path)
        for name in map(str, found.data_vars):
            if name.startswith("true_"):
                target = name.removeprefix("true_")
                pairs[target] = _pairs(path, found, target)
        shown = {
            name: numbers_of(path, found[name], axes)
            for name, axes in _SHOWN.items()
            if name in found.variables
        }
        if "position" in shown and (
            shown["position"].shape[1:] != (3,)
            or any(len(values) != len(shown["position"]) for values in shown.values())
        ):
            raise damaged(path, "position (points, 3), and others as long", "others")
    made = {f.name: getattr(plain, f.name) for f in fields(plain)}
    lines = Path(folder) / METRICS
    if lines.is_file():  # also the errors of targets, which the schema does not name
        made["metrics"] = read_metrics(lines)
    return Run(**made, pairs=pairs, shown=shown)


def _pairs(path: Path, found: xarray.Dataset, target: str) -> Pairs:
    both = [
        numbers_of(path, found[f"{words}_{target}"], 2)
        for words in ("true", "said")
        if f"{words}_{target}" in found.variables
    ]
    if len(both) != 2 or both[0].shape != both[1].shape or both[0].size > _MOST:
        raise damaged(path, f"said_{target} beside true_{target}, of one shape", "others")
    more = [
        numbers_of(path, found[f"{words}_{target}"], 1) if f"{words}_{target}" in found.variables else None
        for words in ("element", "points")
    ]
    if any(values is not None and len(values) != len(both[0]) for values in more):
        raise damaged(path, f"an element for each row of true_{target}", "others")
    unit = str(found[f"true_{target}"].attrs.get("units", ""))
    return Pairs(both[0], both[1], more[0], more[1], unit)
