"""MNIST: 60,000 + 10,000 handwritten digits of 28 × 28 grey pixels (LeCun, Cortes, Burges), four IDX files.

They are looked for in a given folder, in the folder of the environment variable INTERTWINE_DATA, and in
`mnist/` of either. Only `download=True` fetches them, each with its checksum.
"""

from __future__ import annotations

import os
from pathlib import Path

from intertwine._checks import InputError, fail
from intertwine.data.checks import checksum
from intertwine.data.dataset import Dataset
from intertwine.data.formats.idx import read_idx

VARIABLE = "INTERTWINE_DATA"
_FILES = {
    "train-images-idx3-ubyte": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte": "ec29112dd5afa0611ce80d1b7f02629c",
}
_ADDRESS = "https://ossci-datasets.s3.amazonaws.com/mnist/"


def mnist(folder: str | Path | None = None, *, download: bool = False) -> Dataset:
    """The training and test images (bytes: grey) with their labels.

    Raises `InputError` where the files are not found, or one of them is damaged.
    """
    found = _find(folder)
    if found is None and download:
        found = _download()
    if found is None:
        remedy = f"give --data-folder, set {VARIABLE}, or ask for --download"
        searched = ", ".join(str(place) for place in _places(folder)) or "no folder"
        raise fail("data", "the four IDX files of MNIST", f"none in {searched}", remedy)
    images, labels, test, test_labels = (read_idx(path) for path in found)
    for name, array, axes in (("images", images, 3), ("labels", labels, 1)):
        if array.ndim != axes:
            raise fail("data", f"{name} of {axes} axes", f"shape {array.shape}", "get the files again")
    return Dataset.of(
        images, test, labels=labels, test_labels=test_labels, name="mnist", source=str(found[0].parent),
        checksum=checksum(found[0]),
    )  # fmt: skip


def _places(folder: str | Path | None) -> list[Path]:
    given = [Path(folder)] if folder is not None else []
    if os.environ.get(VARIABLE):
        given.append(Path(os.environ[VARIABLE]))
    return [place for path in given for place in (path, path / "mnist")]


def _find(folder: str | Path | None) -> list[Path] | None:
    for place in _places(folder):
        paths = [_file(place, name) for name in _FILES]
        present = [path for path in paths if path is not None]
        if len(present) == len(_FILES):
            return present
        if present:
            absent = ", ".join(name for name, path in zip(_FILES, paths, strict=True) if path is None)
            raise fail(
                "data", f"the four IDX files of MNIST in {place}", f"no {absent}", "get the missing ones"
            )
    return None


def _file(place: Path, name: str) -> Path | None:
    """`name`, gzipped or not, also in its older spelling with a dot."""
    for spelling in (name, name.replace("-idx", ".idx")):
        for path in (place / spelling, place / f"{spelling}.gz"):
            if path.is_file():
                return path
    return None


def _download() -> list[Path]:
    try:
        import pooch
    except ImportError:
        raise fail("download", "the package pooch", "none", "pip install pooch") from None
    cache = Path(os.environ.get(VARIABLE) or pooch.os_cache("intertwine")) / "mnist"
    names = [f"{name}.gz" for name in _FILES]
    registry = dict(zip(names, (f"md5:{value}" for value in _FILES.values()), strict=True))
    store = pooch.create(path=cache, base_url=_ADDRESS, registry=registry)
    try:
        return [Path(store.fetch(name)) for name in names]
    except InputError:
        raise
    except Exception as error:  # network, disk, checksum: each with its own class
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:150]
        raise fail("download", f"the files of MNIST from {_ADDRESS}", reason, "fetch them by hand") from None
