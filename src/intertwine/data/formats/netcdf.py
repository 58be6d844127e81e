"""netCDF files, version 3 and 4, with xarray: packed shorts become the numbers that they stand for."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from intertwine._checks import InputError, fail
from intertwine.data.checks import DEFLATE, check_announced, damaged

_CLASSIC = {b"CDF\x01", b"CDF\x02", b"CDF\x05"}


def read_netcdf(path: Path, variable: str | None) -> np.ndarray:
    """The variable called `variable`, or the file's only one of at least two axes; float32 where packed."""

    def read(dataset: xr.Dataset, engine: str) -> np.ndarray:
        chosen = dataset[_choose(path, dataset, variable)]
        most = path.stat().st_size * (DEFLATE if engine == "h5netcdf" else 8)
        check_announced(path, int(chosen.nbytes), most, f"{chosen.name}: {dict(chosen.sizes)}")
        return np.ascontiguousarray(chosen.values)

    return opened(path, read)


def netcdf_names(path: Path, axes: int | None = None) -> list[str]:
    """The names of the variables, those of coordinates not among them; of so many axes."""
    return opened(path, lambda d, _: [str(n) for n in d.data_vars if axes is None or d[n].ndim == axes])


def opened(path: Path, read: Callable[[xr.Dataset, str], Any]) -> Any:
    """What `read` makes of the open file and the name of its reader."""
    with open(path, "rb") as file:
        first = file.read(4)
    if first not in _CLASSIC and first != b"\x89HDF":
        raise damaged(path, "a netCDF file (magic number CDF or HDF)", f"the bytes {first.hex(' ')}")
    import xarray

    engine: Any = "scipy" if first in _CLASSIC else "h5netcdf"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # attributes that break the conventions: the values are checked
            dataset = xarray.open_dataset(path, engine=engine, decode_times=False)
        with dataset:
            return read(dataset, engine)
    except InputError:
        raise
    except Exception as error:  # the readers raise nearly everything for a damaged file
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:150]
        raise damaged(path, "a whole netCDF file", reason) from None


def _choose(path: Path, dataset: xr.Dataset, variable: str | None) -> str:
    rows = [str(name) for name in dataset.data_vars if dataset[name].ndim >= 2]
    names = [str(name) for name in dataset.variables]
    if variable is not None:
        if variable not in names:
            listed = ", ".join(names[:8]) or "none"
            raise fail(
                "variable", f"a variable of {path.name} ({listed})", repr(variable), "give one of them"
            )
        return variable
    if len(rows) != 1:
        listed = ", ".join(rows[:8]) or "none"
        remedy = "say which to learn"
        raise fail(
            "variable",
            f"one of the variables of {path.name} with two axes or more ({listed})",
            "nothing",
            remedy,
        )
    return rows[0]
