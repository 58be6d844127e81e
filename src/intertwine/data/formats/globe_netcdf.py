"""Weather files: netCDF 3 and 4 on latitude-longitude grids, by xarray.

Packed shorts become the numbers that they stand for, missing values nan, among them those outside of the
valid range that the file tells; latitudes may go either way, longitudes begin anywhere. Axes of a variable
other than latitude and longitude (times, levels, members) are axes of samples; a variable on fewer of them
(an orography, a mask) is the same in all others. Which axis is latitude is said by its units
(degrees_north), its standard name, or its name. Times are kept as the numbers that they are in the file, with
their units.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from intertwine._checks import InputError, fail
from intertwine.data.checks import DEFLATE, check_announced, checksum
from intertwine.data.fields import Axis, Fields
from intertwine.data.formats.netcdf import opened
from intertwine.data.globe import Globe, globe_of
from intertwine.data.known_numbers import check_numbers
from intertwine.records.writing import check_room, write_aside_with

if TYPE_CHECKING:
    import xarray as xr

_NORTH = ("degrees_north", "degree_north", "degree_n", "degrees_n")
_EAST = ("degrees_east", "degree_east", "degree_e", "degrees_e")
_NAMES = {"latitude": ("latitude", "lat"), "longitude": ("longitude", "lon")}


def read_globe(path: Path, variables: Sequence[str] | None = None) -> Fields:
    """The variables on the grid of the globe in a netCDF file; by default all on the axes of the one that has
    most, or on fewer of them.

    Raises InputError for files without latitudes and longitudes of one axis each, parts of the globe,
    irregular grids, variables that are not there or on other axes, infinite values, and damaged files.
    """
    return opened(path, lambda dataset, engine: _fields(path, dataset, variables, engine))


def has_globe(path: Path) -> bool:
    """Whether the file has latitudes and longitudes of a whole grid of the sphere."""

    def whole(dataset: xr.Dataset, _: str) -> bool:
        try:
            north, east = (_axis(path, dataset, kind) for kind in ("latitude", "longitude"))
            globe_of(dataset[north].values, dataset[east].values)
        except InputError:
            return False
        return True

    return opened(path, whole)


def write_globe(path: Path, fields: Fields) -> None:
    """Write fields as netCDF-4, as they were filed; see `field_files.write_fields`."""
    import xarray

    globe = fields.layout
    assert isinstance(globe, Globe)
    lead = [axis.name for axis in fields.axes]
    sizes = [len(axis.values) for axis in fields.axes]
    coordinates = {axis.name: ((axis.name,), axis.values, axis.attributes) for axis in fields.axes}
    for name, values, attributes in zip(
        globe.names, (globe.latitude, globe.longitude), globe.attributes, strict=True
    ):
        coordinates[name] = ((name,), values, attributes)
    data = {}
    for name, values in fields.values.items():
        attributes = {"units": fields.units.get(name, "")} | fields.attributes.get(name, {})
        attributes = {key: value for key, value in attributes.items() if value != ""}
        filed = globe.as_filed(values).reshape(*sizes, *globe.shape)
        data[name] = ((*lead, *globe.names), filed, attributes)
    dataset = xarray.Dataset(data, coordinates, fields.attributes.get("", {}))
    encoding = {name: {"_FillValue": np.array(np.nan, dataset[name].dtype)} for name in data}
    check_room(path, sum(values.nbytes for values in fields.values.values()))
    write_aside_with(path, lambda aside: dataset.to_netcdf(aside, engine="h5netcdf", encoding=encoding))


def _fields(path: Path, dataset: xr.Dataset, variables: Sequence[str] | None, engine: str) -> Fields:
    north, east = (_axis(path, dataset, kind) for kind in ("latitude", "longitude"))
    attributes = dict(dataset[north].attrs), dict(dataset[east].attrs)
    latitude, longitude = dataset[north].values, dataset[east].values
    for name, found in ((north, attributes[0]), (east, attributes[1])):
        if str(found.get("units", "")).lower().startswith("rad"):
            raise fail(f"{path.name}: {name}", "degrees", "radians", "multiply it with 180/π")
    globe = globe_of(latitude, longitude, where=path.name, names=(north, east), attributes=attributes)
    names = _chosen(path, dataset, variables, (north, east))
    most = path.stat().st_size * (DEFLATE if engine == "h5netcdf" else 8)
    check_announced(path, sum(int(dataset[n].nbytes) for n in names), most, ", ".join(names[:8]))
    lead = [str(d) for d in _longest(dataset, names).dims if d not in (north, east)]
    axes = tuple(
        Axis(d, dataset[d].values, dict(dataset[d].attrs))
        if d in dataset.coords
        else Axis(d, np.arange(dataset.sizes[d]), {})
        for d in lead
    )
    samples = math.prod(len(axis.values) for axis in axes)
    values, mask = {}, np.ones((samples, *globe.shape), bool)
    for name in names:
        own = [d for d in lead if d in dataset[name].dims]
        found = _known(dataset[name].transpose(*own, north, east))
        sizes = [len(axis.values) if axis.name in own else 1 for axis in axes]
        every = [len(axis.values) for axis in axes]
        spread = np.broadcast_to(found.reshape(*sizes, *globe.shape), (*every, *globe.shape))
        values[name] = globe.in_order(spread.reshape(samples, *globe.shape))
        mask &= ~np.isnan(values[name])
    check_numbers(path.name, values)
    units = {name: str(dataset[name].attrs.get("units", "")) for name in names}
    described = {name: dict(dataset[name].attrs) for name in names} | {"": dict(dataset.attrs)}
    return Fields(
        values, units, described, axes, globe, None if mask.all() else mask, str(path), checksum(path)
    )


def _axis(path: Path, dataset: xr.Dataset, kind: str) -> str:
    """The dimension of latitudes or longitudes."""
    units, names = (_NORTH if kind == "latitude" else _EAST), _NAMES[kind]
    found = [
        str(name)
        for name, variable in dataset.variables.items()
        if str(variable.attrs.get("units", "")).lower() in units
        or variable.attrs.get("standard_name") == kind
        or str(name).lower() in names
    ]
    for name in found:
        if dataset[name].dims == (name,):
            return name
    if found:
        got = f"{found[0]} on the axes {', '.join(map(str, dataset[found[0]].dims))}"
        remedy = "put an irregular (curvilinear) grid on a regular one first"
        raise fail(path.name, f"{kind}s along an axis of their own", got, remedy)
    listed = ", ".join(str(name) for name in list(dataset.variables)[:8])
    remedy = f"name an axis {kind}, or give it the units {units[0]}"
    raise fail(path.name, f"an axis of {kind}s", f"variables {listed or 'none'}", remedy)


def _chosen(
    path: Path, dataset: xr.Dataset, variables: Sequence[str] | None, axes: tuple[str, str]
) -> list[str]:
    """The names to read: those whose axes are among those of the one that has most."""
    here = [str(n) for n in dataset.data_vars if set(axes) <= set(dataset[n].dims) and _numbers(dataset[n])]
    names = list(dict.fromkeys(here if variables is None else variables))
    for name in names:
        if name not in here:
            raise fail(path.name, f"variables on its grid ({', '.join(here[:12]) or 'none'})", repr(name))
    if not names:
        raise fail(path.name, "variables on its grid", "none")
    longest = _longest(dataset, names)
    same = [name for name in names if set(dataset[name].dims) <= set(longest.dims)]
    if variables is not None and len(same) < len(names):
        odd = next(name for name in names if name not in same)
        got = f"{odd} on {', '.join(map(str, dataset[odd].dims))}"
        expected = f"variables on the axes of {longest.name} ({', '.join(map(str, longest.dims))}), or some"
        raise fail(path.name, expected, got)
    return same


def _longest(dataset: xr.Dataset, names: Sequence[str]) -> xr.DataArray:
    """The first of the variables with the most axes."""
    return max((dataset[name] for name in names), key=lambda variable: len(variable.dims))


def _known(variable: xr.DataArray) -> np.ndarray:
    """The values as floats, nan outside of the file's valid range."""
    found = np.array(variable.values, dtype=variable.dtype if variable.dtype.kind == "f" else np.float64)
    low, high = _valid(variable)
    found[(found < low) | (found > high)] = np.nan
    return found


def _valid(variable: xr.DataArray) -> tuple[float, float]:
    """The least and the largest valid value; in the file they are packed where they have the type of packed
    numbers, and get the room of half a step here."""
    bounds = np.asarray(variable.attrs.get("valid_range", (-np.inf, np.inf)))
    low = np.asarray(variable.attrs.get("valid_min", bounds[0]))
    high = np.asarray(variable.attrs.get("valid_max", bounds[1]))
    scale, shift = (float(variable.encoding.get(k, v)) for k, v in (("scale_factor", 1), ("add_offset", 0)))
    if (scale == 1 and shift == 0) or low.dtype.kind == high.dtype.kind == "f":
        return float(low), float(high)
    ends = sorted(float(end) * scale + shift for end in (low, high))
    return ends[0] - abs(scale) / 2, ends[1] + abs(scale) / 2


def _numbers(variable: xr.DataArray) -> bool:
    return variable.dtype.kind in "fiub"
