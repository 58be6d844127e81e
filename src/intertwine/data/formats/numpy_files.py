"""NumPy's files: .npy read in place as a memory map, .npz read and written member by member. Pickles are
refused."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from intertwine._checks import InputError, fail
from intertwine.data.checks import DEFLATE, check_announced, damaged
from intertwine.records.writing import write_aside_with

_PICKLE = "plain numbers (an array of objects is a pickle, which is never read)"


def read_npy(path: Path, *, words: bool = False) -> np.ndarray:
    """The array as a read-only memory map, after its header has been compared with the file's size. words:
    whether it may hold text."""
    with open(path, "rb") as file:
        shape, dtype = _header(path, file, words)
        begin = file.tell()
    announced = _bytes(shape, dtype)
    there = path.stat().st_size - begin
    if announced != there:
        raise damaged(
            path, f"{announced:,} bytes of data, as its header announces for shape {shape}", f"{there:,}"
        )
    if announced == 0 or not shape:
        return np.load(path, allow_pickle=False)
    return np.load(path, mmap_mode="r", allow_pickle=False)


def read_npz(path: Path, variable: str | None, *, words: bool = False) -> np.ndarray:
    """The member `variable` of the archive, or its only one, or the one called train, x or data. words:
    whether it may hold text."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = members(archive)
            name = _choose(path, names, variable)
            entry = archive.getinfo(f"{name}.npy")
            with archive.open(entry) as file:
                shape, dtype = _header(path, file, words, name)
                announced = _bytes(shape, dtype)
                check_announced(path, announced, entry.compress_size * DEFLATE + DEFLATE, f"{name}: {shape}")
                there = entry.file_size - file.tell()
                if announced != there:
                    got = f"{there:,}"
                    raise damaged(
                        path, f"{announced:,} bytes of data, as {name} announces for shape {shape}", got
                    )
            with archive.open(entry) as file:
                return npy.read_array(file, allow_pickle=False)
    except InputError:
        raise
    except Exception as error:  # zipfile and zlib raise many kinds for a damaged archive
        raise damaged(
            path, "a whole .npz archive", " ".join(f"{type(error).__name__}: {error}".split())
        ) from None


def read_members(path: Path) -> list[str]:
    """The names of the arrays in an archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            return members(archive)
    except Exception as error:  # zipfile raises many kinds for a damaged archive
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:150]
        raise damaged(path, "a whole .npz archive", reason) from None


def members(archive: zipfile.ZipFile) -> list[str]:
    return [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]


def _choose(path: Path, names: list[str], variable: str | None) -> str:
    listed = ", ".join(names[:8]) or "none"
    if variable is not None:
        if variable not in names:
            raise fail("variable", f"an array of {path.name} ({listed})", repr(variable), "give one of them")
        return variable
    if len(names) == 1:
        return names[0]
    usual = [name for name in ("train", "x_train", "x", "X", "data", "images") if name in names]
    if not usual:
        raise fail(
            "variable", f"one of the arrays of {path.name} ({listed})", "nothing", "say which to learn"
        )
    return usual[0]


def _header(path: Path, file: IO[bytes], words: bool, name: str = "") -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of an array; name: what it is called in an archive."""
    where = f"{path.name}: {name}" if name else path.name
    try:
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(file)
    except Exception as error:  # a header is parsed as Python: whatever it raises, the file is damaged
        reason = " ".join(str(error).split())[:120]
        raise damaged(path, "a NumPy file (its magic number and a whole header)", reason) from None
    if dtype.hasobject:
        raise fail(where, _PICKLE, f"an array of type {dtype}", "save numbers of one length a row")
    if dtype.kind not in ("biufUS" if words else "biuf"):
        raise fail(where, "real numbers", f"an array of type {dtype}", "convert it to numbers first")
    return shape, dtype


def _bytes(shape: tuple[int, ...], dtype: np.dtype) -> int:
    total = dtype.itemsize
    for extent in shape:
        total *= int(extent)
    return total


def write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """An archive of arrays by any names (`np.savez` keeps some for itself), whole or not at all."""

    def write(aside: Path) -> None:
        with zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    npy.write_array(member, np.asarray(array), allow_pickle=False)

    write_aside_with(path, write)
