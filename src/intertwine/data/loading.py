"""`load`: a data set by its name or by the path of a file."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from intertwine._caveats import caveat, tell
from intertwine._checks import fail
from intertwine.data.dataset import Dataset
from intertwine.data.formats.sequences import INSERTING, SIMILAR, is_fasta, read_fasta, without_insertions
from intertwine.data.sets.spherical_name import spherical_name
from intertwine.data.words import are_words, insertions, sequence_column

NAMES = (
    "mnist", "rotmnist", "spherical-mnist:NR-R", "digits", "ising:8", "ising:8x16:2.5", "bars-and-stripes:4",
    "group:S4",
)  # fmt: skip
_ISING = re.compile(r"ising:([0-9]{1,3})(?:x([0-9]{1,3}))?(?::([0-9]+(?:\.[0-9]*)?))?", re.ASCII)
FROM_MNIST = ("mnist", "rotmnist", "spherical-mnist")
"""Sets that are made from the files of MNIST; what follows a colon says which of them."""
LABELS = ("labels", "train_labels", "y_train", "label", "targets", "target", "y")
"""What an array of labels is called, the likeliest first."""
GROUP = "group:"
_BARS = re.compile(r"bars-and-stripes:([0-9]{1,3})", re.ASCII)


def load(
    name: str,
    *,
    units: str | None = None,
    shape: tuple[int, ...] | None = None,
    variable: str | None = None,
    labels: str | Path | None = "auto",
    test_share: float = 0.1,
    rows: int = 1000,
    folder: str | Path | None = None,
    download: bool = False,
    seed: int = 0,
    header: bool | None = None,
    alphabet: str | None = None,
    similarity: float | None = SIMILAR,
    space: str | None = None,
) -> Dataset:
    """The data set called `name`, that of the file at the path `name`, or that of data in memory: an array, a
    data frame, a masked array, a sparse matrix, lists (see `Dataset.of`).

    Names: mnist; rotmnist, its digits turned (12,000 and 50,000 held out); spherical-mnist, its digits on
    the sphere, also as spherical-mnist:NR-R or R-R, where R are turned at random (`sets.spherical`); digits
    (scikit-learn's); ising:L or ising:HxW:T, exact samples of the Ising model on a torus at the temperature
    T (the critical one by default), `rows` to learn from and as many held out; bars-and-stripes:n; group:S4,
    group:cyclic:97 and others, the products of pairs of elements (`group_table`). Files:
    npy (read in place), npz, netCDF, CSV as spreadsheets, pandas and R write it, parquet (with pyarrow),
    IDX; gzipped ones too. A folder of images, one folder per class within it (with Pillow).

    units: "binary", "spin", "gaussian", "potts:q"; detected if None.
    shape: (height, width), or with channels before or after them, where rows are images and the file does not
    say so.
    variable: which array of a file with several, or which columns of a table, their names separated by
    commas. labels: another array of the file (npz, netCDF), a column of the table, or a file; "auto" finds
    the array of an npz archive that has a name of labels ("labels", "y", "target", …)
    where it holds whole numbers or words; None for none.
    alphabet, similarity: of sequences of letters (FASTA, also gzipped; tables with a column of words of one
    length, or columns of single letters): see `Dataset.of`.
    header: whether the first line of a table holds names; found out if None.
    space: the name of the space whose points the columns of a file are, such as "healpix:8" or
    "mesh:cow.obj"; "auto" where only the file is to say it. A netCDF file on a whole grid of latitudes and
    longitudes says its own, and its rows are then north to south, eastward from 0°.
    test_share: of a file's rows, how many to hold out (where it has no array called test); with 0 one row
    alone is taken too, to be scored or classified. seed: of that choice, and of generated rows. folder: where
    the files of mnist are; else the environment variable INTERTWINE_DATA.
    download: fetch mnist where it is not found.

    What was left out, or taken for another kind than it may be, is told once as a Python warning (`Caveat`);
    it stands in `notes` of the data set, and beneath `describe()`.

    Raises `InputError` for whatever is not right: one line that says what was expected.

    >>> load("bars-and-stripes:2").train.shape
    (8, 4)
    """
    if not 0 <= test_share < 1:
        raise fail("test_share", "a share of [0, 1)", test_share, "say 0.1")
    beside = None
    if isinstance(labels, str) and labels == "auto":
        labels = beside = labels_beside(name, variable) if isinstance(name, str | Path) else None
        labels = None if beside is not None and _has_fractions(Path(name), beside) else beside
    data = _loaded(
        name, units, shape, variable, labels, test_share, rows, folder, download, seed, header, alphabet,
        similarity, space,
    )  # fmt: skip
    if beside is not None and labels is None:
        note = f"the array {beside!r} has fractions, which are no labels, and is left out"
        data = replace(data, notes=(*data.notes, note))
    tell(caveat("data", note) for note in data.notes if "left out" in note or "taken for" in note)
    return data


def _loaded(
    name: str,
    units: str | None,
    shape: tuple[int, ...] | None,
    variable: str | None,
    labels: Any,
    test_share: float,
    rows: int,
    folder: str | Path | None,
    download: bool,
    seed: int,
    header: bool | None,
    alphabet: str | None,
    similarity: float | None,
    space: str | None,
) -> Dataset:
    if not isinstance(name, str | Path):
        return Dataset.of(
            name, labels=labels, units=units, shape=shape, test_share=test_share, seed=seed,
            alphabet=alphabet, similarity=similarity, space=None if space == "auto" else space,
        )  # fmt: skip
    text = str(name)
    if text == "mnist":
        from intertwine.data.sets.mnist import mnist

        return _with_units(mnist(folder, download=download), units)
    if text == "rotmnist":
        from intertwine.data.sets.rotated import rotated_mnist

        return _with_units(rotated_mnist(folder, download=download), units)
    if which := spherical_name(text):
        from intertwine.data.sets.spherical import spherical_mnist

        return _with_units(spherical_mnist(which, folder, download=download), units)
    if text == "digits":
        from intertwine.data.sets.digits import digits

        return _with_units(digits(test_share=test_share, seed=seed), units)
    if _ISING.fullmatch(text):
        from intertwine.data.sets.ising import ising

        return _with_units(ising(*_torus(text), rows=rows, seed=seed), units)
    if match := _BARS.fullmatch(text):
        from intertwine.data.sets.bars_and_stripes import bars_and_stripes

        return _with_units(bars_and_stripes(int(match[1])), units)
    if text.startswith(GROUP):
        from intertwine.data.sets.group_tables import group_table

        return _with_units(group_table(text, 1 - test_share, seed=seed), units)
    return _from_file(
        text, units, shape, variable, labels, test_share, seed, header, alphabet, similarity, space
    )


def is_named(name: str) -> bool:
    """Whether `name` has the form of a known set."""
    made = _ISING.fullmatch(name) or _BARS.fullmatch(name) or spherical_name(name) or name.startswith(GROUP)
    return name in ("mnist", "rotmnist", "digits") or bool(made)


def is_from_mnist(name: str) -> bool:
    """Whether `name` is that of a set made from the files of MNIST.

    >>> is_from_mnist("spherical-mnist:NR-R"), is_from_mnist("digits")
    (True, False)
    """
    return is_named(name) and name.partition(":")[0] in FROM_MNIST


def check_name(name: str) -> None:
    """Raise `InputError` for what is neither a known name nor a path that leads somewhere."""
    if _ISING.fullmatch(name):
        from intertwine.data.sets.ising import check_torus

        check_torus(*_torus(name))
    elif match := _BARS.fullmatch(name):
        from intertwine.data.sets.bars_and_stripes import check_side

        check_side(int(match[1]))
    elif name.startswith(GROUP):
        from intertwine.data.sets.group_tables import as_table_group

        as_table_group(name)
    elif not is_named(name) and not _is_folder(name):
        _check_path(name)


def _torus(name: str) -> tuple[int, int, float]:
    """(height, width, temperature) of ising:8, ising:8x16 or ising:8x16:2.5."""
    from intertwine.data.sets.ising import CRITICAL

    match = _ISING.fullmatch(name)
    assert match is not None
    height, width, temperature = match.groups()
    return int(height), int(width or height), float(temperature or CRITICAL)


def _check_path(name: str) -> Path:
    if name.partition(":")[0] in ("ising", "bars-and-stripes", *FROM_MNIST, "digits") or "\x00" in name:
        raise fail("data", "a name such as " + ", ".join(NAMES), repr(name), "say 'ising:8'")
    from intertwine.data.checks import check_file

    return check_file(name)


def _from_file(
    name: str,
    units: str | None,
    shape: tuple[int, ...] | None,
    variable: str | None,
    labels: Any,
    test_share: float,
    seed: int,
    header: bool | None,
    alphabet: str | None,
    similarity: float | None,
    space: str | None,
) -> Dataset:
    from intertwine.data.checks import checksum
    from intertwine.data.files import has_named_columns, read_array

    if _is_folder(name):
        return _from_image_folder(name, units, shape, variable, labels, test_share, seed)
    path = _check_path(name)
    if is_fasta(path):
        _, sequences = read_fasta(path)
        sure = path.name.lower().removesuffix(".gz").endswith(INSERTING)
        sequences, inserted = without_insertions(sequences, sure)
        return Dataset.of(
            sequences, units=units, labels=_label_column(path, labels, len(sequences)) if labels else None,
            test_share=test_share, seed=seed, name=path.name, source=str(path), checksum=checksum(path),
            alphabet=alphabet, similarity=similarity, notes=(insertions(inserted),) if inserted else (),
        )  # fmt: skip
    if has_named_columns(path):
        return _from_table(
            path, units, shape, variable, labels, test_share, seed, header, alphabet, similarity
        )
    if alphabet is not None:
        raise fail("alphabet", "None where data are no sequences", repr(alphabet), "leave it out")
    if header is not None:
        raise fail("header", f"None with {path.name}, which is no table", header, "leave it out")
    rows, space = (read_array(path, variable), None) if space is None else _on_space(path, variable, space)
    test = test_labels = None
    if path.suffix.lower() == ".npz":
        test, test_labels = _companions(path, variable, labels)
    return Dataset.of(
        rows, test, labels=_labels(path, labels, rows), test_labels=test_labels, units=units, shape=shape,
        test_share=test_share, seed=seed, name=path.name, source=str(path), checksum=checksum(path),
        space=space,
    )  # fmt: skip


def _on_space(path: Path, variable: str | None, space: str) -> tuple[np.ndarray, str | None]:
    """(rows, the name of the space that they lie on): of a netCDF file with a grid of the globe its own."""
    from intertwine.data.files import is_netcdf, read_array
    from intertwine.data.formats.globe_netcdf import has_globe, read_globe
    from intertwine.data.globe import Globe

    if not is_netcdf(path) or not has_globe(path):
        return read_array(path, variable), None if space == "auto" else space
    fields = read_globe(path, None if variable is None else [variable])
    if len(fields.values) > 1:
        listed = ", ".join(fields.values)
        raise fail("variable", f"one of the variables of {path.name} ({listed})", "nothing", "say which")
    assert isinstance(fields.layout, Globe)
    globe = fields.layout
    size = "x".join(map(str, globe.shape))
    return next(iter(fields.values.values())), f"sphere:{globe.bandlimit}:{globe.grid}:{size}"


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except (OSError, ValueError):
        return False


def _from_image_folder(
    name: str,
    units: str | None,
    shape: tuple[int, ...] | None,
    variable: str | None,
    labels: Any,
    test_share: float,
    seed: int,
) -> Dataset:
    from intertwine.data.formats.image_folder import read_image_folder

    for argument, value in (("variable", variable), ("labels", labels), ("shape", shape)):
        if value is not None:
            raise fail(argument, "None with a folder of images, which says it", repr(value), "leave it out")
    images, numbers, classes = read_image_folder(Path(name))
    return Dataset.of(
        images, labels=numbers, classes=classes, units=units, test_share=test_share, seed=seed,
        name=Path(name).name, source=str(name),
    )  # fmt: skip


def labels_beside(name: str | Path, variable: str | None = None) -> str | None:
    """The array of an .npz archive or a netCDF file that holds labels by its name, and is not `variable`;
    None where there is none."""
    path = Path(name)
    try:
        kind = path.suffix.lower()
        if kind not in (".npz", ".nc") or not path.is_file():
            return None
    except (OSError, ValueError):  # no name of a file
        return None
    from intertwine.data.formats.netcdf import netcdf_names
    from intertwine.data.formats.numpy_files import read_members

    names = read_members(path) if kind == ".npz" else netcdf_names(path, axes=1)
    return next((usual for usual in LABELS if usual in names and usual != variable), None)


def _has_fractions(path: Path, name: str) -> bool:
    """Whether an array of a file has numbers that are no labels."""
    from intertwine.data.files import is_netcdf
    from intertwine.data.formats.netcdf import read_netcdf
    from intertwine.data.formats.numpy_files import read_npz

    values = read_netcdf(path, name) if is_netcdf(path) else read_npz(path, name, words=True)
    return values.dtype.kind == "f" and bool((np.isfinite(values) & (values != np.round(values))).any())


def _from_table(
    path: Path,
    units: str | None,
    shape: tuple[int, ...] | None,
    variable: str | None,
    labels: Any,
    test_share: float,
    seed: int,
    header: bool | None,
    alphabet: str | None,
    similarity: float | None,
) -> Dataset:
    from intertwine.data.checks import checksum
    from intertwine.data.columns import column_of, interpreted
    from intertwine.data.files import read_named_columns

    table = read_named_columns(path, header)
    column = labels if labels is None or str(labels) in (table.names or ()) else None
    if labels is not None and column is None and not Path(labels).is_file():
        what = f"a column of {path.name} or a file of labels"
        raise fail(
            "labels", what, f"{str(labels)!r}, which is neither", "leave it out to learn without labels"
        )
    if (
        found := sequence_column(table, variable, alphabet, None if column is None else str(column))
    ) is not None:
        if column is not None:
            labels = column_of(table, str(column), path.name)
        elif labels is not None:
            labels = _label_column(path, labels, len(found.words))
        return Dataset.of(
            found.words, labels=labels, test_share=test_share, seed=seed, name=path.name, source=str(path),
            units=units, checksum=checksum(path), alphabet=alphabet, similarity=similarity, notes=found.notes,
        )  # fmt: skip
    read = interpreted(table, path.name, variable=variable, labels=None if column is None else str(column))
    own = labels is None or column is not None
    return Dataset.of(
        read.rows, labels=read.labels if own else _label_column(path, labels, len(read.rows)), units=units,
        shape=shape, test_share=test_share, seed=seed, name=path.name, source=str(path),
        checksum=checksum(path), columns=read.names, classes=read.classes if own else None, notes=read.notes,
    )  # fmt: skip


def _label_column(path: Path, labels: Any, rows: int) -> np.ndarray:
    """The labels of a file of their own; its first line is a name where it has one line more than `rows`."""
    from intertwine.data.files import has_named_columns, read_array, read_named_columns

    labels = Path(labels)
    if not has_named_columns(labels):
        found = read_array(labels, words=True)
    else:
        from intertwine.data.formats.table import columns_as_rows

        table = read_named_columns(labels, header=False)
        if len(table.columns[0]) == rows + 1:
            table = read_named_columns(labels, header=True)
        only = table.columns[0] if len(table.columns) == 1 else None
        found = only if only is not None and are_words(only) else columns_as_rows(table, labels)
    return found.reshape(-1) if found.ndim == 2 and 1 in found.shape else found


def _companions(path: Path, variable: str | None, labels: Any) -> tuple[Any, Any]:
    """The arrays of an archive called test (x_test) and test_labels (y_test), where train is learnt."""
    from intertwine.data.formats.numpy_files import read_members, read_npz

    names = read_members(path)
    pairs = {"train": ("test", "test_labels"), "x_train": ("x_test", "y_test")}
    chosen = variable or next((name for name in pairs if name in names), "")
    test, test_labels = pairs.get(chosen, ("", ""))
    if test not in names:
        return None, None
    wanted = labels is not None and test_labels in names
    return read_npz(path, test), read_npz(path, test_labels, words=True) if wanted else None


def _labels(path: Path, labels: Any, rows: np.ndarray) -> np.ndarray | None:
    """`labels` as an array of the same file, or as a file of its own."""
    if labels is None:
        return None
    from intertwine.data.files import is_netcdf
    from intertwine.data.formats.netcdf import netcdf_names, read_netcdf
    from intertwine.data.formats.numpy_files import read_members, read_npz

    if path.suffix.lower() == ".npz" and str(labels) in read_members(path):
        return read_npz(path, str(labels), words=True)
    if is_netcdf(path) and str(labels) in netcdf_names(path):
        return read_netcdf(path, str(labels))
    if not Path(labels).is_file():
        what = f"an array of {path.name} or a file of labels"
        raise fail(
            "labels", what, f"{str(labels)!r}, which is neither", "leave it out to learn without labels"
        )
    return _label_column(path, labels, len(rows) if rows.ndim else 0)


def _with_units(data: Dataset, units: str | None) -> Dataset:
    """`data` in other units, where they fit its values."""
    if units is None or units == data.units:
        return data
    return Dataset.of(
        data.train, data.test, labels=data.train_labels, test_labels=data.test_labels, units=units,
        shape=None if units.startswith("potts") else data.shape, test_share=0.0, name=data.name,
        source=data.source, known=None, checksum=data.checksum,
    )  # fmt: skip
