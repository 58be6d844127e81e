"""Fields as arrays by name in an npz archive: (samples, *places), or (samples, *places, components).

Values at the vertices of a mesh stand so beside the mesh's file, (samples, vertices), images as (samples,
X, Y). Units stand in an array of words "units": "z=m**2 s**-2", one for each that has some.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from intertwine._checks import fail
from intertwine.data.checks import checksum
from intertwine.data.fields import Axis, Fields
from intertwine.data.formats.numpy_files import members, read_npz, write_npz
from intertwine.data.known_numbers import check_numbers

_UNITS = "units"


def read_arrays(path: Path, variables: Sequence[str] | None = None) -> Fields:
    """The arrays of numbers in the archive, as many samples in each.

    Raises InputError for names that are not there, arrays of one axis, infinite values, and numbers of
    samples or points that differ.
    """
    with zipfile.ZipFile(path) as archive:
        held = members(archive)
    units = {}
    if _UNITS in held:
        words = read_npz(path, _UNITS, words=True)
        units = dict(str(word).split("=", 1) for word in words.reshape(-1) if "=" in str(word))
    names = [name for name in held if name != _UNITS]
    for name in variables or ():
        if name not in names:
            raise fail(path.name, f"arrays of the archive ({', '.join(names[:12])})", repr(name))
    values = {}
    for name in variables or names:
        found = read_npz(path, name)
        values[name] = found if found.dtype.kind == "f" else found.astype(np.float64)
        if found.ndim < 2:
            raise fail(
                f"{path.name}: {name}", "axes (samples, *places)", f"shape {found.shape}", "say [None]"
            )
    if not values:
        raise fail(path.name, "arrays of numbers", "none")
    check_numbers(path.name, values)
    first = min(values, key=lambda name: values[name].ndim)
    shape = values[first].shape
    for name, found in values.items():
        if found.shape[: len(shape)] != shape or found.ndim > len(shape) + 1:
            expected = f"{name} as (samples, *places) = {shape} of {first}, or with components after them"
            raise fail(path.name, expected, f"shape {found.shape}", "is samples the first axis?")
    mask = np.ones(shape, bool)
    for found in values.values():
        known = np.isfinite(found)
        mask &= known if found.ndim == len(shape) else known.all(axis=-1)
    axes = (Axis("sample", np.arange(shape[0]), {}),)
    return Fields(
        values, {n: units.get(n, "") for n in values}, {}, axes, None, None if mask.all() else mask,
        str(path), checksum(path),
    )  # fmt: skip


def write_arrays(path: Path, fields: Fields) -> None:
    """Write arrays with their units."""
    units = np.array([f"{name}={unit}" for name, unit in fields.units.items() if unit], dtype=str)
    write_npz(path, dict(fields.values) | ({_UNITS: units} if len(units) else {}))
