"""Small files of every format, right and wrong."""

import gzip
import io
import struct
import zipfile

import numpy as np

ROWS = np.random.default_rng(5).integers(0, 2, (30, 12)).astype(np.uint8)
LABELS = np.arange(30) % 3


def idx(array, announced=None, kind=8):
    """The bytes of an IDX file; `announced`: extents other than the array's."""
    shape = array.shape if announced is None else announced
    head = bytes([0, 0, kind, len(shape)]) + b"".join(struct.pack(">I", extent) for extent in shape)
    dtype = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}[kind]
    return head + array.astype(dtype).tobytes()


def npy(array, announced=None):
    """The bytes of an .npy file; `announced`: a shape other than the array's."""
    file = io.BytesIO()
    header = {
        "descr": np.lib.format.dtype_to_descr(array.dtype), "fortran_order": False,
        "shape": array.shape if announced is None else announced,
    }  # fmt: skip
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + array.tobytes()


def npz(**members):
    """The bytes of an .npz file whose members are given as bytes of .npy files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return file.getvalue()


def pickled(array):
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def netcdf(array, tmp_path, version=4, name="field", **encoding):
    """The bytes of a netCDF file."""
    import xarray

    axes = ["row", "y", "x", "z"][: array.ndim]
    path = tmp_path / "made.nc"
    dataset = xarray.Dataset({name: (axes, array)})
    if version == 3:
        dataset.to_netcdf(path, engine="scipy", format="NETCDF3_64BIT", encoding={name: encoding})
    else:
        dataset.to_netcdf(path, engine="h5netcdf", encoding={name: encoding})
    content = path.read_bytes()
    path.unlink()
    return content


def packed(content):
    return gzip.compress(content)


def mnist_folder(folder, rows=40, test=10, labels=None):
    """The four files under their usual names, at a small size; the arrays."""
    chance = np.random.default_rng(3)
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {
        "train-images-idx3-ubyte": chance.integers(0, 256, (rows, 4, 4)),
        "train-labels-idx1-ubyte": chance.integers(0, 10, rows if labels is None else labels),
        "t10k-images-idx3-ubyte": chance.integers(0, 256, (test, 4, 4)),
        "t10k-labels-idx1-ubyte": chance.integers(0, 10, test),
    }
    for name, array in arrays.items():
        (folder / f"{name}.gz").write_bytes(packed(idx(array)))
    return arrays
