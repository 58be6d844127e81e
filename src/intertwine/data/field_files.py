"""Fields from files and into files, by the kind of the file."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path

from intertwine._checks import fail
from intertwine.data.checks import check_file
from intertwine.data.fields import Fields, Healpix
from intertwine.data.formats.arrays_by_name import read_arrays, write_arrays
from intertwine.data.formats.globe_netcdf import read_globe, write_globe
from intertwine.data.formats.healpix_maps import read_healpix, write_healpix
from intertwine.data.globe import Globe

_MESHES = {".obj", ".ply", ".stl", ".off", ".glb", ".gltf"}


def load_fields(path: str | Path, variables: Sequence[str] | None = None) -> Fields:
    """The fields in a file, by its kind: netCDF on a latitude-longitude grid (`formats.globe_netcdf`), FITS
    with a HEALPix map, also gzipped (`formats.healpix_maps`, needs healpy), npz with arrays (samples,
    *places) by name (`formats.arrays_by_name`: images, volumes, values at the vertices of a mesh).

    variables: which; all by default. Raises `InputError`, one line, for whatever cannot be read so.

    >>> load_fields("no such file.nc")
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: data: expected a file or a named data set, got no such file.nc, ...
    """
    file = check_file(path)
    first = _first_bytes(file)
    if first[:3] == b"CDF" or first[:4] == b"\x89HDF":
        return read_globe(file, variables)
    if first == b"SIMPLE":
        return read_healpix(file, variables)
    if first[:2] == b"PK":
        return read_arrays(file, variables)
    if file.suffix.lower() in _MESHES:
        remedy = "put them into an npz archive, arrays (samples, vertices), and say space=mesh:FILE"
        raise fail("data", "a file of fields", f"{file.name}, a mesh", remedy)
    got, remedy = f"{file.name}, which begins with {first[:4]!r}", "save it as one of these"
    raise fail("data", "a netCDF file, a HEALPix map (FITS) or an npz archive", got, remedy)


def _first_bytes(file: Path) -> bytes:
    """The first six of a file, or of what is compressed in it."""
    with open(file, "rb") as opened:
        first = opened.read(6)
    if first[:2] == b"\x1f\x8b":
        try:
            with gzip.open(file) as opened:
                inside = opened.read(6)
        except (OSError, EOFError, zlib.error):
            raise fail("data", "a whole file", f"{file.name}, whose compression is damaged") from None
        return inside if inside == b"SIMPLE" else first
    return first


def write_fields(path: str | Path, fields: Fields) -> None:
    """Write fields so that `load_fields` gives them back exactly: a netCDF-4 file (.nc) for a globe, in the
    order of latitudes and longitudes of the file that they came from, with names, units and attributes; an
    npz archive for vertices and arrays; FITS (.fits) for HEALPix. The file is written aside and renamed.

    Raises InputError for another ending.
    """
    path = Path(path)
    endings = {".fits"} if isinstance(fields.layout, Healpix) else {".nc"} if fields.layout else {".npz"}
    if path.suffix.lower() not in endings:
        raise fail("out", f"a file {' or '.join(endings)} for {fields.layout or 'arrays'}", path.name)
    if isinstance(fields.layout, Globe):
        write_globe(path, fields)
    elif isinstance(fields.layout, Healpix):
        write_healpix(path, fields)
    else:
        write_arrays(path, fields)
