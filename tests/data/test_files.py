"""Each format gives back what was written, and each damage is one clear line that names what is wrong."""

import resource
import time

import numpy as np
import pytest

from intertwine import data
from intertwine._checks import InputError
from intertwine.data.files import read_array

from .make_files import LABELS, ROWS, idx, netcdf, npy, npz, packed, pickled

HUNDRED_MILLION = 100_000_000
FLOATS = np.random.default_rng(1).normal(size=(30, 12))
IMAGES = np.random.default_rng(2).integers(0, 256, (30, 4, 3)).astype(np.uint8)


def spoiled(value):
    rows = FLOATS.copy()
    rows[7, 3] = value
    return rows


GOOD = {
    "npy": ("a.npy", lambda tmp: npy(ROWS), ROWS),
    "npy, float64": ("a.npy", lambda tmp: npy(FLOATS), FLOATS),
    "npy without a suffix": ("rows", lambda tmp: npy(ROWS), ROWS),
    "npz": ("a.npz", lambda tmp: npz(x=npy(ROWS)), ROWS),
    "npz of several": ("a.npz", lambda tmp: npz(other=npy(LABELS), data=npy(ROWS)), ROWS),
    "idx": ("a-idx3-ubyte", lambda tmp: idx(IMAGES), IMAGES),
    "idx, gzipped": ("a-idx3-ubyte.gz", lambda tmp: packed(idx(IMAGES)), IMAGES),
    "idx of floats": ("a.idx", lambda tmp: idx(FLOATS, kind=14), FLOATS),
    "netCDF-4": ("a.nc", lambda tmp: netcdf(FLOATS, tmp), FLOATS),
    "netCDF-3": ("a.nc", lambda tmp: netcdf(FLOATS, tmp, 3), FLOATS),
    "netCDF-3, packed shorts": (
        "a.nc",
        lambda tmp: netcdf(
            np.arange(24.0).reshape(6, 4) / 4, tmp, 3, dtype="int16", scale_factor=0.25, _FillValue=-1
        ),
        np.arange(24.0).reshape(6, 4) / 4,
    ),
    "csv": ("a.csv", lambda tmp: b"1,2\n3,4.5\n", np.array([[1, 2], [3, 4.5]])),
    "csv with a header": ("a.csv", lambda tmp: b"left,right\n1,2\n3,4\n", np.array([[1, 2], [3, 4]])),
    "columns": ("a.txt", lambda tmp: b"1 2\n3 4\n", np.array([[1, 2], [3, 4]])),
}


@pytest.mark.parametrize("case", GOOD)
def test_what_was_written_is_read(case, tmp_path):
    name, content, array = GOOD[case]
    (tmp_path / name).write_bytes(content(tmp_path))
    np.testing.assert_array_equal(read_array(tmp_path / name), array)


def test_npy_is_read_in_place(tmp_path):
    (tmp_path / "a.npy").write_bytes(npy(ROWS))
    assert isinstance(read_array(tmp_path / "a.npy"), np.memmap)


DAMAGE = {
    "npy cut short": ("a.npy", lambda t: npy(ROWS)[:-5], "bytes of data"),
    "npy cut in its header": ("a.npy", lambda t: npy(ROWS)[:40], "a NumPy file"),
    "npy too long": ("a.npy", lambda t: npy(ROWS) + b"\0", "bytes of data"),
    "npy, wrong magic": ("a.npy", lambda t: b"NOTNUMPY" + npy(ROWS)[8:], "magic"),
    "npy, a hundred million rows": ("a.npy", lambda t: npy(ROWS, (HUNDRED_MILLION, 12)), "bytes of data"),
    "npy, more rows than numbers": ("a.npy", lambda t: npy(ROWS, (10**30, 12)), "bytes of data"),
    "npy, a header that is no literal": (
        "a.npy", lambda t: npy(ROWS).replace(b"{'descr'", b"open('x'"), "header",
    ),
    "npy of objects": ("a.npy", lambda t: pickled(np.array([{}, 1], object)), "pickle"),
    "npy, ragged": ("a.npy", lambda t: pickled(np.array([[1], [1, 2]], object)), "pickle"),
    "npy of words": ("a.npy", lambda t: npy(np.array([["a"], ["b"]])), "real numbers"),
    "npy of complex numbers": ("a.npy", lambda t: npy(ROWS.astype(complex)), "real numbers"),
    "npy, structured": ("a.npy", lambda t: npy(np.zeros(3, "f4,i4")), "real numbers"),
    "npy, one number": ("a.npy", lambda t: npy(np.array(3.0)), "rows"),
    "npy, one axis": ("a.npy", lambda t: npy(np.arange(9.0)), "rows"),
    "npy, no row": ("a.npy", lambda t: npy(np.zeros((0, 5))), "at least two rows"),
    "npy, no column": ("a.npy", lambda t: npy(np.zeros((5, 0))), "at least two rows"),
    "npy, one row": ("a.npy", lambda t: npy(ROWS[:1]), "one row"),
    "npy with an infinity": ("a.npy", lambda t: npy(spoiled(-np.inf)), "-inf in row 7, column 3"),
    "npz cut short": ("a.npz", lambda t: npz(x=npy(ROWS))[:-30], "whole .npz"),
    "npz, wrong magic": ("a.npz", lambda t: b"nothing of the kind", "whole .npz"),
    "npz, a hundred million rows": (
        "a.npz", lambda t: npz(x=npy(ROWS, (HUNDRED_MILLION, 12))), "as it announces",
    ),
    "npz, some more rows": ("a.npz", lambda t: npz(x=npy(ROWS, (40, 12))), "bytes of data"),
    "npz of objects": ("a.npz", lambda t: npz(x=pickled(np.array([{}, 1], object))), "pickle"),
    "npz of two unknown arrays": ("a.npz", lambda t: npz(u=npy(ROWS), w=npy(ROWS)), "variable"),
    "npz of nothing": ("a.npz", lambda t: npz(), "variable"),
    "npz, one byte changed": (
        "a.npz", lambda t: (c := npz(x=npy(ROWS)))[:150] + bytes([c[150] ^ 255]) + c[151:], ".npz",
    ),
    "idx cut short": ("a.idx", lambda t: idx(IMAGES)[:-5], "as it announces"),
    "idx too long": ("a.idx", lambda t: idx(IMAGES) + b"1", "more"),
    "idx, wrong magic": ("a-ubyte", lambda t: b"\x01\x02" + idx(IMAGES)[2:], "magic"),
    "idx, unknown type": ("a-ubyte", lambda t: b"\0\0\x07\x03" + idx(IMAGES)[4:], "magic"),
    "idx, extents missing": ("a-ubyte", lambda t: idx(IMAGES)[:9], "extents"),
    "idx, a hundred million rows": (
        "a.idx", lambda t: idx(IMAGES, (HUNDRED_MILLION, 4, 3)), "as it announces",
    ),
    "idx.gz, a hundred million rows": (
        "a.gz", lambda t: packed(idx(IMAGES, (HUNDRED_MILLION, 28, 28))), "as it announces",
    ),
    "idx.gz, some more rows": ("a.gz", lambda t: packed(idx(IMAGES, (40, 4, 3))), "as its header announces"),
    "idx.gz cut short": ("a.gz", lambda t: packed(idx(IMAGES))[:-40], "gzip"),
    "idx.gz, one byte changed": (
        "a.gz", lambda t: (c := packed(idx(IMAGES)))[:-6] + bytes([c[-6] ^ 255]) + c[-5:], "gzip",
    ),
    "idx.gz of something else": ("a.gz", lambda t: packed(b"a text"), "magic"),
    "netCDF-4 cut short": ("a.nc", lambda t: netcdf(FLOATS, t)[:-3000], "netCDF"),
    "netCDF-3 cut short": ("a.nc", lambda t: netcdf(FLOATS, t, 3)[:-100], "netCDF"),
    "netCDF, wrong magic": ("a.nc", lambda t: b"CDX" + netcdf(FLOATS, t, 3)[3:], "magic"),
    "netCDF of words": ("a.nc", lambda t: netcdf(np.array([["a", "b"], ["c", "d"]]), t), "letters"),
    "netCDF without rows": ("a.nc", lambda t: netcdf(np.arange(4.0), t), "variable"),
    "csv, ragged": ("a.csv", lambda t: b"1,2\n3\n", "numbers"),
    "csv of words": ("a.csv", lambda t: b"apple,pear\nplum,fig\nnut,oak\n", "numbers"),
    "csv, not UTF-8": ("a.csv", lambda t: b"\xff\xfe\n1,2\n", "numbers"),
    "empty": ("a.npy", lambda t: b"", "empty"),
    "unknown format": ("a.dat", lambda t: b"something else", "known format"),
}  # fmt: skip


@pytest.mark.parametrize("case", DAMAGE)
@pytest.mark.filterwarnings("ignore:loadtxt")
def test_damage_is_one_clear_line(case, tmp_path):
    name, content, told = DAMAGE[case]
    path = tmp_path / name
    path.write_bytes(content(tmp_path))
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(InputError) as error:
        data.load(path)
    message = str(error.value)
    assert told in message and "expected" in message and "got" in message
    assert "\n" not in message and len(message) < 500
    assert time.process_time() - begun < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kilobytes


def test_a_netcdf_4_file_that_announces_a_hundred_million_rows(tmp_path):
    import h5netcdf

    with h5netcdf.File(tmp_path / "a.nc", "w") as file:
        file.dimensions = {"row": HUNDRED_MILLION, "x": 784}
        file.create_variable("field", ("row", "x"), "f4", chunks=(1000, 784))
    with pytest.raises(InputError, match="as it announces"):
        data.load(tmp_path / "a.nc")


@pytest.mark.parametrize(
    "name",
    ["nothing", "mnis", "ising", "ising:2", "ising:8x8x8", "ising:11", "ising:8:0.01", "ising:8:-1", "",
     "bars-and-stripes", "bars-and-stripes:1", "bars-and-stripes:99", "mnist:3", "a\0b", "x" * 5000, "."],
    ids=lambda name: ascii(name[:20]),
)  # fmt: skip
def test_names_that_are_none(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as error:
        data.load(name)
    assert str(error.value).startswith("data: expected ") and len(str(error.value)) < 400


def test_variables_of_a_file(tmp_path):
    (tmp_path / "a.npz").write_bytes(npz(u=npy(ROWS), w=npy(FLOATS)))
    assert data.load(tmp_path / "a.npz", variable="w").units == "gaussian"
    with pytest.raises(InputError, match="variable: expected an array of"):
        data.load(tmp_path / "a.npz", variable="q")
    (tmp_path / "a.nc").write_bytes(netcdf(FLOATS, tmp_path))
    with pytest.raises(InputError, match="variable: expected a variable of"):
        data.load(tmp_path / "a.nc", variable="q")


def test_labels_beside_are_found_where_they_are_labels(tmp_path):
    """As `intertwine classify` finds them; not fractions, not what is asked for as the rows."""
    rows, path = ROWS[:30], tmp_path / "a.npz"
    np.savez(path, x=rows, labels=np.array(["cat", "dog", "cow"])[np.arange(30) % 3])
    made = data.load(path, test_share=0)
    assert made.classes == ("cat", "cow", "dog") and made.train_labels[:3].tolist() == [0, 2, 1]
    assert data.load(path, test_share=0, labels=None).train_labels is None
    np.savez(path, x=rows, y=np.linspace(0, 1, 30))
    with pytest.warns(UserWarning, match="'y' has fractions, which are no labels, and is left out"):
        made = data.load(path, test_share=0)
    assert made.train_labels is None and "left out" in made.notes[-1]


def test_one_row_alone_is_data_where_nothing_is_held_out(tmp_path):
    made = data.load(ROWS[:1], test_share=0)
    assert len(made.train) == 1 and "one row of 12 columns" in made.describe()
    with pytest.raises(InputError, match="one example is no distribution"):
        data.load(ROWS[:1])
