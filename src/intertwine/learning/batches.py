r"""Mini-batches of an array or a memory map: shuffled, and a number says where one is.

    epoch, place = divmod(position, per_epoch),        rows = order_epoch[place · batch : (place + 1) · batch]

The order of an epoch is a function of (seed, epoch), so that a run that goes on from a position sees the same
batches as one that was never interrupted. Rows that do not fill a batch wait for another epoch's order. Only
the rows of the next few batches are copied, in the type in which they are stored: a data set is never
converted as a whole, and a memory map is never read as a whole.

Grey values may stand for probabilities: with `binarise`, every visit of an example draws new binary values
(Salakhutdinov & Murray, ICML 2008), with the key of its update.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int
from intertwine._threads import background
from intertwine.data.arrays import as_array
from intertwine.models.machines.random_bits import uniforms

CHUNK_BYTES = 2**24
"""Rows copied at once, at most, unless one batch is larger."""
BLOCK_BYTES = 2**23
"""Rows looked at at once by checks."""


class Chunk(NamedTuple):
    """The batches of `count` updates from `position` on.

    arrays: one a data array, (capacity, batch, ...) in the stored type; the first `count` are filled.
    """

    position: int
    count: int
    arrays: tuple[np.ndarray, ...]


class Batches:
    """Shuffled mini-batches of `data`.

    data: an array (rows, ...) of booleans, integers or floats, a memory map, or a tuple of them with as many
        rows each, such as (images, labels).
    batch: rows per batch; all rows where there are fewer. seed: of the order. binarise: the values of the
        first array are probabilities, floats from 0 to 1 or uint8 from 0 to 255.
    most: batches in a chunk, at most. `missing`: whether some entry of the first array is nan.

    Raises InputError for data that are empty, of another type, or of different lengths.

    >>> batches = Batches(np.arange(10, dtype=np.uint8)[:, None], batch=5)
    >>> batches.per_epoch, int(batches.at(0).sum() + batches.at(1).sum())
    (2, 45)
    """

    def __init__(
        self,
        data: ArrayLike | tuple[ArrayLike, ...],
        batch: int = 100,
        *,
        seed: int = 0,
        binarise: bool = False,
        most: int | None = None,
    ) -> None:
        self.single = not isinstance(data, tuple)
        arrays = data if isinstance(data, tuple) else (data,)
        self.arrays: tuple[np.ndarray, ...] = tuple(host_array(a) for a in arrays)
        self.rows = len(self.arrays[0])
        for i, array in enumerate(self.arrays):
            if len(array) != self.rows:
                raise fail(f"data[{i}]", f"{self.rows} rows, as data[0]", len(array))
        self.batch = min(positive_int("batch", batch, "give the rows of a mini-batch"), self.rows)
        self.seed = int(seed)
        self.binarise = bool(binarise)
        self.missing = has_missing(self.arrays[0])
        if self.binarise:
            check_probabilities(self.arrays[0])
        one = sum(a[:1].nbytes for a in self.arrays) * self.batch
        spare = min(CHUNK_BYTES, sum(a.nbytes for a in self.arrays) // 8)
        chosen = max(1, spare // max(1, one)) if most is None else positive_int("most", most)
        self.most = min(chosen, self.per_epoch)

    @property
    def per_epoch(self) -> int:
        """Batches (updates) an epoch."""
        return self.rows // self.batch

    def chunks(self, first: int, updates: int) -> Iterator[Chunk]:
        """The batches of updates first, ..., first + updates − 1; a chunk never crosses an epoch's end."""
        position, epoch, order = first, -1, np.zeros(0, np.uint32)
        while position < first + updates:
            now, place = divmod(position, self.per_epoch)
            if now != epoch:
                epoch, order = now, self.order(now)
            count = min(self.most, self.per_epoch - place, first + updates - position)
            rows = order[place * self.batch : (place + count) * self.batch]
            yield Chunk(position, count, tuple(self._taken(array, rows) for array in self.arrays))
            position += count

    def order(self, epoch: int) -> np.ndarray:
        """The rows in the order of this epoch, (rows,)."""
        order = np.arange(self.rows, dtype=np.uint32 if self.rows < 2**32 else np.uint64)
        np.random.default_rng((self.seed, epoch)).shuffle(order)
        return order

    def at(self, position: int) -> Any:
        """The batch of one update: an array (batch, ...), or a tuple of them."""
        (chunk,) = self.chunks(position, 1)
        return self.unpacked(tuple(array[0] for array in chunk.arrays))

    def unpacked(self, arrays: tuple) -> Any:
        """What the objective sees: the one array by itself, or the tuple."""
        return arrays[0] if self.single else arrays

    def _taken(self, array: np.ndarray, rows: np.ndarray) -> np.ndarray:
        found = np.empty((self.most, self.batch, *array.shape[1:]), array.dtype)
        out = found.reshape(-1, *array.shape[1:])[: len(rows)]
        if rows.size:
            np.take(array, rows, axis=0, out=out, mode="clip")  # "clip" writes into `out` without a buffer
        found[len(rows) // self.batch :] = 0
        return found


def prefetched(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """The same chunks, each prepared by another thread while the one before it is used."""
    pending = background(lambda: next(chunks, None))
    while (chunk := pending.result()) is not None:
        pending = background(lambda: next(chunks, None))
        yield chunk


def binarised(values: Array, dtype: DTypeLike, *, key: Array) -> Array:
    """0 or 1 of `dtype`, 1 with the probability that `values` say: floats, or uint8 in units of 1/255; nan
    stays nan.

    >>> import jax
    >>> binarised(jnp.array([0, 255], jnp.uint8), jnp.float32, key=jax.random.key(0)).tolist()
    [0.0, 1.0]
    """
    if jnp.issubdtype(values.dtype, jnp.integer):
        return (uniforms(key, values.shape, dtype) * 255 < values.astype(dtype)).astype(dtype)
    values = values.astype(dtype)
    return jnp.where(jnp.isnan(values), values, (uniforms(key, values.shape, dtype) < values).astype(dtype))


def host_array(data: ArrayLike, argument: str = "data") -> np.ndarray:
    """`data` (an array, a data frame, a masked array, a sparse matrix, lists) as an array of the host with at
    least one row, not copied if it is one already; nan where an entry is masked or missing.

    >>> host_array([])
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: data: expected at least one row, got shape (0,); is the file empty?.
    """
    array = as_array(data, argument)
    if array.dtype.kind not in "biuf":
        raise fail(argument, "an array of booleans, integers or floats", f"type {array.dtype}")
    if array.ndim == 0 or array.shape[0] == 0:
        raise fail(argument, "at least one row", f"shape {array.shape}", "is the file empty?")
    return array


def has_missing(array: np.ndarray) -> bool:
    """Whether some entry is nan."""
    return array.dtype.kind == "f" and any(bool(np.isnan(rows).any()) for _, rows in blocks(array))


def check_known(array: np.ndarray, argument: str = "data") -> None:
    """Raise InputError where every entry is nan: nothing is known."""
    if array.size and array.dtype.kind == "f" and all(np.isnan(rows).all() for _, rows in blocks(array)):
        raise fail(argument, "finite numbers", "nan everywhere", "nan stands for an entry that is missing")


def blocks(array: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """(first row, rows) all along the array, a few megabytes at a time."""
    step = max(1, BLOCK_BYTES // max(1, array[:1].nbytes))
    for begin in range(0, len(array), step):
        yield begin, array[begin : begin + step]


def check_probabilities(array: np.ndarray, argument: str = "data") -> None:
    """Raise InputError unless every value is a probability, a float of [0, 1] or uint8 in units of 1/255, or
    nan: missing."""
    if array.dtype.kind == "b" or array.dtype == np.uint8:
        return
    if array.dtype.kind != "f":
        raise fail(argument, "floats from 0 to 1 or uint8, to binarise", f"type {array.dtype}")
    for begin, rows in blocks(array):
        bad = ~(((rows >= 0) & (rows <= 1)) | np.isnan(rows))
        if bad.any():
            where = np.argwhere(bad)[0]
            shown = tuple(int(i) for i in (where[0] + begin, *where[1:]))
            raise fail(argument, "probabilities from 0 to 1, to binarise", f"{rows[tuple(where)]} at {shown}")
