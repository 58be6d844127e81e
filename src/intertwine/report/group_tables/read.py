"""What the folder of a run on a group's table holds: the plain run of its schema, and energies by irrep."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from intertwine.records.folder import METRICS
from intertwine.report.folder import damaged, mapping, optional, read_lists
from intertwine.report.plain.read import PlainRun, read as read_plain


@dataclass(frozen=True, kw_only=True)
class TableRun(PlainRun):
    """energy: float64 (lines, irreps), shares of the scores' energy; weights: of the weights; or None."""

    energy: np.ndarray | None
    weights: np.ndarray | None

    @property
    def emergence(self) -> dict[str, Any]:
        """What result.json says of it."""
        return self.result.get("emergence") or {}

    @property
    def test(self) -> dict[str, Any]:
        """Of the pairs held out."""
        return self.result.get("test") or {}


def read(folder: str | Path) -> TableRun:
    """The run in `folder`; raises `InputError` if it is not a run folder or one of its files is damaged."""
    plain, path = read_plain(folder), Path(folder) / METRICS
    if plain.result:
        where = Path(folder) / "result.json"
        found = mapping(where, plain.result, "emergence")
        for name in ("memorised", "generalised", "first_error", "error", "class_error"):
            found[name] = optional(where, f"emergence.{name}", found.get(name))
        irreps = found.get("irreps") or []
        if not isinstance(irreps, list):
            raise damaged(where, "emergence.irreps to be a list", irreps)
        found["irreps"] = [str(name) for name in irreps]
        test = mapping(where, plain.result, "test")
        plain.result["emergence"] = found
        plain.result["test"] = {
            n: optional(where, f"test.{n}", test.get(n)) for n in ("accuracy", "error", "count")
        }
    tables = [
        read_lists(path, name) if path.is_file() else None for name in ("irrep_energy", "irrep_weights")
    ]
    made = {f.name: getattr(plain, f.name) for f in fields(plain)}
    return TableRun(**made, energy=tables[0], weights=tables[1])
