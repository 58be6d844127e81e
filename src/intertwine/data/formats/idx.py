"""IDX files, plain or gzipped: the format of MNIST (LeCun, Cortes, Burges).

    2 zero bytes, 1 byte for the type, 1 byte for the number of axes, then each extent and the values,
    big-endian

A gzipped file is read as a stream and never further than its header announces; what it announces is first
compared with the most that its compressed bytes can expand to.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from intertwine._checks import InputError
from intertwine.data.checks import DEFLATE, check_announced, damaged

_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_PART = 1 << 22


def read_idx(path: Path) -> np.ndarray:
    """The array, in the machine's byte order; `InputError` for a file cut short, too long, or no IDX."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path, "rb") if packed else open(path, "rb") as file:
            shape, dtype, header = _header(path, file)
            announced = dtype.itemsize * math.prod(shape)
            most = size * DEFLATE if packed else size - header
            check_announced(path, announced, most, f"shape {shape}")
            data = _read(path, file, announced)
    except InputError:
        raise
    except (EOFError, zlib.error, OSError) as error:
        raise damaged(path, "a whole gzip stream", " ".join(str(error).split()) or "less") from None
    array = np.frombuffer(data, dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def _header(path: Path, file: Any) -> tuple[tuple[int, ...], np.dtype, int]:
    first = file.read(4)
    if len(first) < 4 or first[:2] != b"\x00\x00" or first[2] not in _TYPES or not 1 <= first[3] <= 8:
        expected = "an IDX file (magic number 00 00, a type, a number of axes)"
        raise damaged(path, expected, f"the bytes {first.hex(' ') or 'of an empty stream'}")
    axes = first[3]
    extents = file.read(4 * axes)
    if len(extents) < 4 * axes:
        raise damaged(path, f"{axes} extents in its header", f"{len(extents)} bytes")
    shape = tuple(int.from_bytes(extents[4 * i : 4 * i + 4], "big") for i in range(axes))
    return shape, np.dtype(_TYPES[first[2]]), 4 + 4 * axes


def _read(path: Path, file: Any, announced: int) -> bytearray:
    """Exactly `announced` bytes; memory grows only with what is really there."""
    data = bytearray()
    while len(data) < announced:
        part = file.read(min(_PART, announced - len(data)))
        if not part:
            raise damaged(path, f"{announced:,} bytes of data, as its header announces", f"{len(data):,}")
        data += part
    if file.read(1):
        raise damaged(path, f"{announced:,} bytes of data, as its header announces", "more")
    return data
