"""Structures of frames that a reader has found one by one, with the values that all of them have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from intertwine.data.checks import checksum
from intertwine.data.structures.quantities import OF_POINTS
from intertwine.data.structures.structures import Structures
from intertwine.data.structures.text import counted


class Frame(NamedTuple):
    """positions (n, 3), species (n,), cell (3, 3) or None, periodic (3,), values of the structure and of its
    points (n, ...), numbers or words."""

    positions: np.ndarray
    species: np.ndarray
    cell: np.ndarray | None
    periodic: np.ndarray
    of_structure: Mapping[str, Any]
    of_points: Mapping[str, np.ndarray]


def assembled(
    source: str,
    file_checksum: str,
    frames: Sequence[Frame],
    *,
    kind: str = "atoms",
    species_names: tuple[str, ...] | None = None,
) -> tuple[Structures, tuple[str, ...]]:
    """The frames as structures, and what is to be told of values left out: those that some frames lack, or
    have in other shapes, and those that are no numbers. A name of structures and of points at once is
    changed for the points."""
    sizes = [len(frame.positions) for frame in frames]
    cells = None
    if any(frame.cell is not None for frame in frames):
        cells = np.stack([np.zeros((3, 3)) if f.cell is None else f.cell for f in frames])
    found = Structures(
        np.concatenate([frame.positions for frame in frames]).astype(np.float64),
        np.concatenate([frame.species for frame in frames]).astype(np.int64),
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), cells,
        np.stack([frame.periodic for frame in frames]).astype(bool),
        kind=kind, species_names=species_names, source=source, checksum=file_checksum,
    )  # fmt: skip
    left_out: dict[str, str] = {}
    of_structure = {name for frame in frames for name in frame.of_structure}
    of_points = {name for frame in frames for name in frame.of_points}
    every = of_structure | of_points
    other = {
        name: new if (new := OF_POINTS.get(name, f"atom-{name}")) not in every else f"atom-{name}"
        for name in sorted(of_structure & of_points)
    }
    for per_point in (False, True):
        parts = [frame.of_points if per_point else frame.of_structure for frame in frames]
        parts = (
            [{other.get(name, name): row for name, row in part.items()} for part in parts]
            if per_point
            else parts
        )
        for name in dict.fromkeys(name for part in parts for name in part):
            rows = [np.asarray(part[name]) for part in parts if name in part]
            if any(
                row.dtype.kind == "O" or (row.dtype.kind in "US" and row.ndim > per_point) for row in rows
            ):
                left_out[name] = "neither numbers nor one word a " + ("point" if per_point else "structure")
                continue
            value = _together(rows, per_point)
            if len(rows) < len(frames):
                left_out[name] = f"missing in {len(frames) - len(rows)} of {counted(len(frames), 'frame')}"
            elif value is None:
                left_out[name] = "of other shapes in some frames"
            else:
                found = found.with_values({name: value}, per_point=(name,) if per_point else ())
    told = "; ".join(f"{name} ({why})" for name, why in left_out.items())
    notes = [
        f"{old} is one a structure and one a point: the latter is called {new}" for old, new in other.items()
    ]
    return found, (*notes, *((f"values left out: {told}",) if told else ()))


def _together(rows: list[np.ndarray], per_point: bool) -> np.ndarray | None:
    """The values of all frames as one array; words where any is one; None where shapes differ."""
    if any(row.dtype.kind in "USO" for row in rows):
        rows = [row.astype(str) for row in rows]
        if any(row.ndim != int(per_point) for row in rows):
            return None
    if len({row.shape[int(per_point) :] for row in rows}) > 1:
        return None
    return np.concatenate(rows) if per_point else np.stack(rows)


def source_of(path: Any) -> tuple[str, str]:
    """A file's name and checksum, as results give them."""
    return str(path), checksum(path)
