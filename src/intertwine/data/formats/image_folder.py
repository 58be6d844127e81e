"""A folder of images, one folder per class within it: png, jpeg, bmp, gif, tiff or webp, read with Pillow.

    shapes/circle/1.png, shapes/circle/2.png, shapes/square/1.png      classes: circle, square

The classes are numbered in the order of their names, the images of each by theirs. All images are of one
size, grey where all are, else with three colours; transparency is left out.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from intertwine._checks import InputError, fail
from intertwine._memory import check_memory

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
_GREY, _COLOURED = ("1", "L", "LA"), ("P", "PA", "RGB", "RGBA")


def read_image_folder(folder: Path) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """(images uint8 (n, height, width) or (n, height, width, 3), labels int64 (n,), names of the classes).

    Raises `InputError` for folders without images, images of different sizes, of more than 8 bits a colour,
    and damaged ones, and where Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError:
        remedy = "pip install pillow, or save the images as one .npz archive"
        raise fail("data", "the package pillow, which reads images", "none", remedy) from None
    classes = [(path, _images(path)) for path in sorted(folder.iterdir()) if path.is_dir()]
    classes = [(path, files) for path, files in classes if files]
    if not classes:
        remedy = "put the images of each class into a folder of its own: data/cat/1.png"
        raise fail("data", "a folder that holds one folder of images for each class", str(folder), remedy)
    files = [file for _, files in classes for file in files]
    size, modes = None, []
    for file in files:
        try:
            with Image.open(file) as image:
                size = size or image.size
                modes.append(image.mode)
                if image.size != size:
                    got = "{} × {}, where {} has {} × {}".format(*image.size, files[0].name, *size)
                    raise fail(_short(file), "images of one size", got, "cut or scale them to one")
                if image.mode not in _GREY + _COLOURED:
                    remedy = "save it with 8 bits a colour"
                    raise fail(_short(file), "8 bits a colour", f"the mode {image.mode}", remedy)
        except InputError:
            raise
        except Exception as error:  # a damaged file raises many kinds
            raise _damaged(file, error) from None
    mode = "L" if all(mode in _GREY for mode in modes) else "RGB"
    assert size is not None
    shape = (len(files), size[1], size[0]) + ((3,) if mode == "RGB" else ())
    check_memory(int(np.prod(shape)), "take fewer or smaller images", str(folder))
    found = np.empty(shape, np.uint8)
    for place, file in zip(found, files, strict=True):
        try:
            with Image.open(file) as image:
                place[...] = np.asarray(image.convert(mode))
        except Exception as error:
            raise _damaged(file, error) from None
    labels = np.repeat(np.arange(len(classes)), [len(files) for _, files in classes])
    return found, labels, tuple(path.name for path, _ in classes)


def _images(folder: Path) -> list[Path]:
    return sorted(x for x in folder.iterdir() if x.suffix.lower() in SUFFIXES and x.is_file())


def _short(file: Path) -> str:
    return f"{file.parent.name}/{file.name}"


def _damaged(file: Path, error: Exception) -> InputError:
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:120]
    return fail(_short(file), "a whole image", reason, "get the file again, whole")
