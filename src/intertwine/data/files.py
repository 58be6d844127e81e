"""A path to an array: which format it is, how large it may be, and its checksum.

The format is that of the file's suffix, or of its first bytes where the suffix says nothing.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from intertwine._checks import fail
from intertwine.data.checks import check_file, damaged, shown
from intertwine.data.columns import Table

FORMATS = ".npy, .npz, .nc (netCDF), .csv, .parquet, or IDX (.gz, -ubyte)"

_SUFFIXES = {
    ".npy": "npy", ".npz": "npz", ".nc": "netcdf", ".nc4": "netcdf", ".cdf": "netcdf", ".h5": "netcdf",
    ".csv": "table", ".tsv": "table", ".txt": "table", ".gz": "idx", ".idx": "idx",
    ".parquet": "parquet", ".pq": "parquet", ".xlsx": "sheet", ".xls": "sheet", ".ods": "sheet",
}  # fmt: skip
_MAGIC = {
    b"\x93NUMPY": "npy",
    b"PK\x03\x04": "npz",
    b"CDF": "netcdf",
    b"\x89HDF": "netcdf",
    b"\x1f\x8b": "idx",
    b"PAR1": "parquet",
}


def read_array(path: str | Path, variable: str | None = None, *, words: bool = False) -> np.ndarray:
    """The array in the file at `path`; `variable` names one of several (npz, netCDF). words: whether one of
    NumPy's may hold text.

    Raises `InputError` for a file that is not there, of no known format, cut short, or larger than announced.
    """
    path = check_file(path)
    kind = _format(path)
    if kind == "npy":
        from intertwine.data.formats.numpy_files import read_npy

        return read_npy(path, words=words)
    if kind == "npz":
        from intertwine.data.formats.numpy_files import read_npz

        return read_npz(path, variable, words=words)
    if kind == "netcdf":
        from intertwine.data.formats.netcdf import read_netcdf

        return read_netcdf(path, variable)
    if kind in ("table", "parquet"):
        from intertwine.data.columns import interpreted

        return interpreted(read_named_columns(path), shown(path), variable=variable).rows
    from intertwine.data.formats.idx import read_idx

    return read_idx(path)


def has_named_columns(path: Path) -> bool:
    """Whether the file at `path` is a table, whose columns may have names: CSV, parquet."""
    return _format(path) in ("table", "parquet")


def is_netcdf(path: Path) -> bool:
    """Whether the file at `path` is netCDF, by its ending or its first bytes."""
    return _format(path) == "netcdf"


def read_named_columns(path: Path, header: bool | None = None) -> Table:
    """The columns of a table; header: whether its first line holds their names, None to find it out."""
    if _format(path) == "table":
        from intertwine.data.formats.table import read_table

        return read_table(path, header)
    from intertwine.data.columns import table_of

    try:
        import pandas

        frame = pandas.read_parquet(path)
    except ImportError:
        remedy = "pip install pyarrow, or save the table as CSV"
        raise fail("data", "the package pyarrow, which reads parquet", "none", remedy) from None
    except Exception as error:  # the reader raises many kinds for a damaged file
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:150]
        raise damaged(path, "a whole parquet file", reason) from None
    return table_of(frame)


def _format(path: Path) -> str:
    kind = _SUFFIXES.get(path.suffix.lower())
    inner = Path(path.stem).suffix.lower()
    if path.suffix.lower() == ".gz" and _SUFFIXES.get(inner) == "table":
        return "table"
    if kind == "sheet":
        raise fail("data", f"a file of a known format: {FORMATS}", shown(path), "save the sheet as CSV")
    if kind is None and path.name.endswith("-ubyte"):
        kind = "idx"
    if kind is not None:
        return kind
    with open(path, "rb") as file:
        first = file.read(8)
    if first[:2] == b"\x00\x00" and len(first) > 3 and first[2] in range(8, 15):
        return "idx"
    for magic, kind in _MAGIC.items():
        if first.startswith(magic):
            return kind
    raise fail("data", f"a file of a known format: {FORMATS}", shown(path), "convert it, say with numpy.save")
