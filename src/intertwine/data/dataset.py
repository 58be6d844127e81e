r"""A data set: rows to learn from, rows held out, and what they are made of.

Grey images are kept as they come, one byte a pixel, and read as probabilities g/255 of a 1. Training draws
new zeros and ones at every visit; the held-out rows are binarised once, with a fixed seed, so that
likelihoods can be compared (Salakhutdinov & Murray, ICML 2008). Real numbers ("gaussian" units, of variance
1) are standardised column by column; `offset` and `scale` lead back. Entries that are not known are nan
(float32 rows then), and learnt from what is there (`sampling.missing`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from intertwine._checks import InputError, fail
from intertwine.data import words
from intertwine.data.arrays import as_array
from intertwine.data.columns import column_of, interpreted, is_frame, table_of
from intertwine.data.doubts import doubts
from intertwine.data.formats.sequences import SIMILAR, similarity_weights
from intertwine.data.labels import shared_numbers, whole_labels
from intertwine.data.units import converter, find_units
from intertwine.data.values import Values, blocks, check_real, examine

BINARISATION_SEED = 2008
"""The seed of the held-out rows' binarisation."""

COPY_BELOW = 1 << 28
"""Bytes: below this, held-out rows are chosen at random (copied); above, the last rows, left on disk."""

_MOST_CHANNELS = 4
"""A first or last of three axes that is no longer than this holds the channels of an image."""


@dataclass(frozen=True, eq=False)
class Known:
    """What is known exactly of the distribution that the rows come from.

    entropy: in nats: the best mean log-likelihood of any model is its negative.
    log_probability: rows (n, N) → float64[n], nats.
    observables: rows → name → float64[n]; `exact` has their exact means and what follows from them.
    """

    entropy: float
    log_probability: Callable[[np.ndarray], np.ndarray]
    observables: Callable[[np.ndarray], dict[str, np.ndarray]] | None = None
    exact: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows to learn from and what is known of them; made by `load` or `Dataset.of`.

    train: (n, N), test: (m, N) or None; int8 or uint8 where the values allow, else float32; possibly memory
    maps. train_labels, test_labels: int64[n], int64[m] or None. shape: (height, width) of images, or
    the three extents of rows with channels before or after them, or None.
    units: "binary", "spin", "gaussian" or "potts:q". grey: whether bytes g are probabilities g/255 of a 1.
    offset, scale: None, or float32[N] that were subtracted and divided by. notes: what a user should know.
    columns: the names of the columns as they were read, classes: the words that labels number, or None.
    missing: how many entries of all rows are nan. alphabet: the letters of the states of sequences, or None.
    space: the name of the space whose points the columns are, such as "sphere:30:driscoll-healy", where the
    data say it.
    weights: float64[n] of the rows of `train`, of sequences that are alike, else None.
    """

    name: str
    train: np.ndarray
    test: np.ndarray | None
    units: str
    train_labels: np.ndarray | None = None
    test_labels: np.ndarray | None = None
    shape: tuple[int, ...] | None = None
    grey: bool = False
    source: str = "an array"
    checksum: str = ""
    offset: np.ndarray | None = None
    scale: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    known: Known | None = None
    columns: tuple[str, ...] | None = None
    classes: tuple[str, ...] | None = None
    missing: int = 0
    alphabet: str | None = None
    weights: np.ndarray | None = None
    space: str | None = None

    @classmethod
    def of(
        cls,
        rows: Any,
        test: Any = None,
        *,
        labels: Any = None,
        test_labels: np.ndarray | None = None,
        units: str | None = None,
        shape: tuple[int, ...] | None = None,
        test_share: float = 0.1,
        seed: int = 0,
        name: str = "data",
        source: str = "an array",
        checksum: str = "",
        known: Known | None = None,
        columns: tuple[str, ...] | None = None,
        classes: tuple[str, ...] | None = None,
        notes: tuple[str, ...] = (),
        alphabet: str | None = None,
        similarity: float | None = SIMILAR,
        space: str | None = None,
    ) -> Dataset:
        """The data set of an array (n, N), or of images (n, height, width), (n, height, width, channels) or
        (n, channels, height, width), whose rows stay in the order of the array.

        rows, test: also a data frame (columns of words or called label are labels, a column that numbers or
        names the rows is left out, and `notes` say so), a masked array, a sparse matrix, lists. nan, masked
        and missing entries are not known: they are kept as nan and counted in `missing`.
        labels: one per row, whole numbers or words, or the name of a column of a data frame.
        Words of one length, or single letters (n, L), are aligned sequences (`sequences`): Potts units of the
        letters of `alphabet` ("dna", "rna", "protein", the letters themselves, or None to find it). Those
        that agree in a share of places ≥ `similarity` count together as one in `weights` (None: no weights).
        units: detected if None: {0, 1} is binary, {−1, 1} spin, [0, 1] and bytes that reach 32 grey, else
        gaussian; "potts": q is found from the data.
        test_share: the share of the rows to hold out where `test` is None; 0 holds none out.
        space: see the class.

        Raises `InputError` for values that are not finite real numbers or do not fit the units, for fewer
        than two rows, and for labels of another length.

        >>> rows = np.random.default_rng(0).integers(0, 2, (20, 6))
        >>> data = Dataset.of(rows, test_share=0.25)
        >>> data.units, data.train.shape, data.test.shape
        ('binary', (15, 6), (5, 6))
        """
        wanted = labels if isinstance(labels, str) else None
        if is_frame(rows):
            table = table_of(rows)
            if found := words.sequence_column(table, None, alphabet, wanted):
                rows, notes = found.words, (*notes, *found.notes)
                if wanted is not None:
                    labels = column_of(table, wanted, name)
        if is_frame(rows):
            read = interpreted(table_of(rows), name, labels=wanted)
            rows, columns, notes = read.rows, read.names, (*notes, *read.notes)
            if labels is None or wanted is not None:
                labels, classes = read.labels, read.classes
            if is_frame(test):
                chosen = ",".join(columns or ())
                held_out = interpreted(table_of(test), f"{name} (held out)", variable=chosen)
                test = held_out.rows
        labels, test_labels, named = shared_numbers(labels, test_labels)
        classes = named or classes
        told = False
        if words.are_words(rows):
            told = True
            rows, alphabet, note = words.as_levels(rows, alphabet, name)
            units, notes = units or f"potts:{len(alphabet)}", (*notes, note)
            if test is not None:
                test, _, _ = words.as_levels(test, alphabet, f"{name} (held out)")
        elif alphabet is not None:
            raise fail(
                "alphabet", "None where data are no sequences of letters", repr(alphabet), "leave it out"
            )
        points = () if space is None else as_array(rows, name).shape[1:]
        rows, found = _rows(name, rows)
        if len(rows) < 2 and test_share > 0:
            raise one_row(name, rows)
        shape = shape if shape is not None else points or found
        if shape is not None and prod(shape) != rows.shape[1]:
            got = "x".join(map(str, shape))
            raise fail("shape", f"height x width = {rows.shape[1]}, as a row", got, "give both, say '28x28'")
        labels = whole_labels("labels", labels, len(rows))
        if test is not None:
            test, _ = _rows(f"{name} (held out)", test)
            if test.shape[1] != rows.shape[1]:
                raise fail("test", f"rows of {rows.shape[1]} values", f"rows of {test.shape[1]}")
            test_labels = whole_labels("test_labels", test_labels, len(test))
        values = examine(name, rows)
        kind, grey = find_units(name, rows, values, units)
        notes = (*notes, *_notes(values, rows.shape))
        notes += doubts(rows, values, kind, grey, units is None, columns)
        missing = values.missing
        if test is None and test_share > 0:
            rows, test, labels, test_labels, note = _split(rows, labels, test_share, seed)
            notes += note
        elif test is not None:
            check = examine(f"{name} (held out)", test)
            find_units(f"{name} (held out)", test, check, "binary" if grey else kind)
            missing += check.missing
        offset = scale = None
        if kind == "gaussian":
            offset = values.mean.astype(np.float32)
            scale = np.where(values.deviation > 0, values.deviation, 1.0).astype(np.float32)
            volume = float(np.log(scale, dtype=np.float64).sum())
            said = f"columns are standardised: ln p of the standardised ones is {volume:.6g} nats"
            if volume or len(rows) > 1:  # one row alone has no width
                notes += (f"{said} above that of the columns as they are, which a run of the command tells",)
        convert = converter(kind, grey, values, offset, scale)
        train = convert(rows)
        weights = None
        if told and similarity is not None:
            weights = similarity_weights(train, len(alphabet or ""), similarity)
            notes += (f"{len(train)} sequences count as {weights.sum():.1f}: those alike in"
                      f" {similarity:.0%} of their places share one weight",)  # fmt: skip
        test = None if test is None else convert(test)
        return cls(
            name, train, test, kind, labels, test_labels, shape, grey, source,
            checksum or digest(train), offset, scale, notes, known, columns, classes, missing,
            alphabet, weights, space,
        )  # fmt: skip

    @property
    def size(self) -> int:
        """Columns of a row N."""
        return self.train.shape[1]

    @property
    def log_volume(self) -> float:
        """Σ ln scale, nats: what the density of standardised columns is higher by than that of the data's."""
        return 0.0 if self.scale is None else float(np.log(np.asarray(self.scale, np.float64)).sum())

    def as_given(self, rows: np.ndarray) -> np.ndarray:
        """Rows (..., N) of standardised columns in the units of the data; others as they are.

        >>> data = Dataset.of(np.array([[1.0, 20.0], [3.0, 40.0], [2.0, 30.0]]), test_share=0)
        >>> data.as_given(data.train).round(4).tolist()
        [[1.0, 20.0], [3.0, 40.0], [2.0, 30.0]]
        """
        if self.scale is None or self.offset is None:
            return rows
        return (rows * self.scale + self.offset).astype(np.float32)

    def as_images(self, rows: np.ndarray) -> np.ndarray:
        """Rows (n, N) as images (n, height, width, channels); an axis of channels that comes first goes last.

        Where the data say their space: as fields on it, (n, *points, channels).

        Raises `InputError` where rows are no images.

        >>> data = Dataset.of(np.random.default_rng(0).integers(0, 256, (4, 3, 8, 6)), test_share=0)
        >>> data.shape, data.as_images(data.train).shape
        ((3, 8, 6), (4, 8, 6, 3))
        """
        if self.shape is None or self.units.startswith("potts"):
            remedy = "give data.shape, as in 28x28"
            raise fail("data.name", "images", f"{self.name}: rows of {self.size} numbers", remedy)
        first, last = self.shape[0], self.shape[-1]
        images = rows.reshape(-1, *self.shape)
        if self.space is not None:
            axes = axes_of_points(self.space)
            if len(self.shape) not in (axes, axes + 1):
                expected = f"rows (samples, {'row, column' if axes == 2 else 'point'}) on {self.space}"
                got = f"{len(self.shape)} axes beside the samples"
                raise fail("data.shape", f"{expected}, and maybe channels after them", got)
            return images[..., None] if len(self.shape) == axes else images
        if len(self.shape) == 2:
            return images[..., None]
        if last <= _MOST_CHANNELS:
            return images
        if first <= _MOST_CHANNELS:
            return np.moveaxis(images, 1, -1)
        got = "x".join(map(str, self.shape))
        raise fail("data.shape", f"at most {_MOST_CHANNELS} channels, before or after height and width", got)

    def held_out(self, most: int | None = None) -> np.ndarray | None:
        """The held-out rows (the first `most`) as a model sees them: grey ones binarised, always the same."""
        if self.test is None:
            return None
        rows = self.test[:most]
        return binarise(rows, BINARISATION_SEED) if self.grey else np.asarray(rows)

    def examples(self, most: int) -> np.ndarray:
        """The first `most` rows to learn from, grey ones binarised with the fixed seed."""
        rows = self.train[:most]
        return binarise(rows, BINARISATION_SEED) if self.grey else np.asarray(rows)

    def describe(self) -> str:
        """A line of name, rows, columns and units, and one for each of `notes`."""
        columns = f"{'x'.join(map(str, self.shape))} pixels" if self.shape else f"{self.size} columns"
        test = "" if self.test is None else f", {len(self.test)} held out"
        units = self.units + (", grey: binarised at every visit" if self.grey else "")
        rows = f"{len(self.train)} rows" if len(self.train) > 1 else "one row"
        line = f"{self.name}: {rows} of {columns}{test}; {units}"
        return "\n".join([line, *(f"note: {note}" for note in self.notes)])


def axes_of_points(space: str) -> int:
    """The axes of the points of a space by name: rows and columns of a grid of the sphere or the plane, one
    of pixels and of vertices.

    >>> [axes_of_points(name) for name in ("sphere:30:driscoll-healy", "healpix:8", "mesh:cow.obj")]
    [2, 1, 1]
    """
    kind, _, rest = space.partition(":")
    return 2 if kind == "plane" or (kind == "sphere" and "healpix" not in rest) else 1


def binarise(grey: np.ndarray, seed: int) -> np.ndarray:
    """Zeros and ones (uint8) with the probabilities grey/255, a function of `seed` alone.

    >>> binarise(np.array([[0, 255, 0], [255, 255, 0]], np.uint8), seed=0)
    array([[0, 1, 0],
           [1, 1, 0]], dtype=uint8)
    """
    chance = np.random.default_rng(seed)
    if grey.dtype.kind == "f":  # probabilities, nan where missing
        drawn = [(chance.random(block.shape) < block).astype(np.float32) for block in blocks(grey)]
        return np.where(np.isnan(grey), np.float32(np.nan), np.concatenate(drawn))
    drawn = [chance.integers(0, 255, block.shape, dtype=np.uint8) < block for block in blocks(grey)]
    return np.concatenate(drawn).view(np.uint8) if drawn else np.zeros(grey.shape, np.uint8)


def digest(rows: np.ndarray) -> str:
    """sha256 of an array's bytes."""
    found = hashlib.sha256()
    for block in blocks(rows):
        found.update(np.ascontiguousarray(block).data)
    return f"sha256:{found.hexdigest()}"


def one_row(name: str, rows: np.ndarray) -> InputError:
    """The error of one row to learn from."""
    return fail(name, "at least two rows", f"one row (shape {rows.shape})", "one example is no distribution")


def _rows(name: str, array: Any) -> tuple[np.ndarray, tuple[int, ...] | None]:
    """`array` as rows (n, N), and the images' shape if it has one."""
    array = check_real(name, as_array(array, name))
    if array.ndim < 2:
        remedy = "give rows of numbers, or images (n, height, width)"
        raise fail(name, "an array of rows (n, N)", f"{array.ndim} axes of shape {array.shape}", remedy)
    if array.size == 0:
        raise fail(name, "at least two rows", f"none (shape {array.shape})", "give some data")
    image = [extent for extent in array.shape[1:] if extent != 1]
    coloured = len(image) == 3 and min(image[0], image[2]) <= _MOST_CHANNELS
    shape = tuple(image) if array.ndim > 2 and (len(image) == 2 or coloured) else None
    return array.reshape(len(array), -1), shape


def _split(rows: np.ndarray, labels: np.ndarray | None, share: float, seed: int) -> tuple:
    """(train, test, labels of each, notes)."""
    count = min(len(rows) - 1, max(1, round(share * len(rows))))
    if rows.nbytes > COPY_BELOW:
        note = (f"the last {count} rows are held out (a large file is read in place): rows in an order of"
                " their own should be shuffled first",)  # fmt: skip
        cut = len(rows) - count
        parts = (None, None) if labels is None else (labels[:cut], labels[cut:])
        return rows[:cut], rows[cut:], *parts, note
    train, test = held_apart(len(rows), count, labels, np.random.default_rng(seed))
    parts = (None, None) if labels is None else (labels[train], labels[test])
    return np.asarray(rows[train]), np.asarray(rows[test]), *parts, ()


def held_apart(
    rows: int, count: int, labels: np.ndarray | None, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """(rows to learn from, `count` rows to hold out), each in order, drawn by chance; of every label its
    share, to one row, where there are few different ones.

    >>> labels = np.array([0] * 90 + [1] * 10)
    >>> held = held_apart(100, 20, labels, np.random.default_rng(0))[1]
    >>> np.bincount(labels[held]).tolist()
    [18, 2]
    """
    order = random.permutation(rows)
    chosen = order[:count]
    if labels is not None and count > 0 and len(np.unique(labels)) <= count:
        by_label = order[np.argsort(labels[order], kind="stable")]
        chosen = by_label[((np.arange(count) + 0.5) * rows / count).astype(int)]
    held = np.zeros(rows, bool)
    held[chosen] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


def _notes(values: Values, shape: tuple[int, ...]) -> tuple[str, ...]:
    rows, columns = shape
    found = []
    if values.constant and rows > 1:
        found.append(f"{values.constant} of {columns} columns are constant in the rows to learn from")
    if values.missing:
        found.append(
            f"{values.missing} of {rows * columns} entries are missing (nan): learnt from what is there"
        )
    return tuple(found)
