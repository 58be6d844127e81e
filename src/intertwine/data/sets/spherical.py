r"""Digits on the sphere (Cohen, Geiger, Köhler & Welling, ICLR 2018, § 5.2; the protocol of their code).

An image is laid on the plane and carried by stereographic projection to the northern hemisphere: the
direction (θ, φ) sees the point

    (x, y) = tan(θ/2) (cos φ, sin φ) / 0.75

of an image that covers [−1, 1]², bilinearly between the middles of its pixels, and 0 outside of it and on
the southern hemisphere. Half the width of the image is three quarters of the equator's radius, so that its
sides lie at θ = 74°. Values are stretched to the range of a byte, and stand on the grid of Driscoll and Healy
with 2L rings of 2L points, θ_j = π(2j + 1)/(4L), φ_k = πk/L; L = 30.

Turned, f ↦ f(g⁻¹ x), every image has a rotation g of its own, uniform on SO(3). NR is not turned, R is: there
are a training and a test part of either.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped, UInt8

from intertwine._checks import fail
from intertwine.data.dataset import Dataset
from intertwine.data.sets.mnist import mnist
from intertwine.data.sets.spherical_name import Spherical

SEED = 2018
SHARE = 0.75
"""Half the width of an image, in radii of the projected equator."""
_SMALLEST, _LARGEST = 4, 128
_AT_ONCE = 200


def grid_points(bandlimit: int) -> Float[np.ndarray, "rows columns 3"]:
    """The points of the grid of Driscoll and Healy, 2L rings of 2L, as vectors of length 1.

    >>> grid_points(4).shape
    (8, 8, 3)
    """
    theta = np.pi * (2 * np.arange(2 * bandlimit) + 1) / (4 * bandlimit)
    phi = np.pi * np.arange(2 * bandlimit) / bandlimit
    s, z = np.sin(theta)[:, None], np.cos(theta)[:, None]
    return np.stack([s * np.cos(phi), s * np.sin(phi), z + 0 * phi], axis=-1)


def on_sphere(
    images: Shaped[np.ndarray, "n X X"],
    points: Float[np.ndarray, "*places 3"],
    rotations: Float[np.ndarray, "n 3 3"] | None = None,
) -> UInt8[np.ndarray, "n *places"]:
    """Images (n, X, X) at points of the unit sphere, as bytes (see the module).

    points: (*places, 3). rotations: by which each image is turned, or None.

    Raises InputError for images that are not square.

    >>> images = np.ones((2, 9, 9), np.uint8)
    >>> bright = on_sphere(images, grid_points(8))
    >>> bright.shape, int(bright[0, 0, 0]), int(bright[0, -1, 0])      # the north pole, the south pole
    ((2, 16, 16), 255, 0)
    """
    images = np.asarray(images)
    if images.ndim != 3 or images.shape[1] != images.shape[2]:
        raise fail("images", "square images (n, X, X)", f"shape {images.shape}")
    places, flat = points.shape[:-1], points.reshape(-1, 3)
    found = np.empty((len(images), len(flat)), np.uint8)
    for begin in range(0, len(images), _AT_ONCE):
        part = images[begin : begin + _AT_ONCE].astype(np.float32)
        turns = np.eye(3)[None] if rotations is None else rotations[begin : begin + _AT_ONCE]
        seen = flat @ turns  # g⁻¹ x = gᵀ x, of rows x g
        found[begin : begin + _AT_ONCE] = _stretched(_interpolated(part, seen.astype(np.float32)))
    return found.reshape(len(images), *places)


def _interpolated(images: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Images (n, X, X) at points (n or 1, p, 3), bilinear: float32 (n, p)."""
    size = images.shape[1]
    padded = np.pad(images, [(0, 0), (1, 1), (1, 1)]).reshape(len(images), -1)  # 0 around the image
    radius = SHARE * (1 + np.maximum(points[..., 2], 0))  # tan(θ/2) = sin θ/(1 + cos θ)
    column = (points[..., 0] / radius + 1) * size / 2 + 0.5
    row = (1 - points[..., 1] / radius) * size / 2 + 0.5
    column, row = (np.clip(v, 0, size + 1 - 1e-3) for v in (column, row))
    left, upper = column.astype(np.int32), row.astype(np.int32)
    right, lower = column - left, row - upper
    first = upper * (size + 2) + left
    north = points[..., 2] >= 0
    total = np.zeros((len(images), points.shape[1]), np.float32)
    for down, share in ((0, 1 - lower), (1, lower)):
        for beside, part in ((0, 1 - right), (1, right)):
            weight = np.where(north, share * part, 0)
            place = np.broadcast_to(first + down * (size + 2) + beside, total.shape)
            total += weight * np.take_along_axis(padded, place, axis=1)
    return total


def _stretched(values: np.ndarray) -> np.ndarray:
    """Each row from 0 to its largest value, as bytes."""
    largest = np.maximum(values.max(axis=1, keepdims=True), 1e-6)
    return np.rint(values * (255 / largest)).astype(np.uint8)


def uniform_rotations(random: np.random.Generator, n: int) -> Float[np.ndarray, "n 3 3"]:
    """n rotations, uniform on SO(3): of unit quaternions uniform on the sphere S³.

    >>> g = uniform_rotations(np.random.default_rng(0), 5)
    >>> bool(np.allclose(g @ g.swapaxes(1, 2), np.eye(3))), bool((np.linalg.det(g) > 0).all())
    (True, True)
    """
    q = random.normal(size=(n, 4))
    w, x, y, z = (q / np.linalg.norm(q, axis=1, keepdims=True)).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), -1, 0)


def spherical_mnist(
    which: Spherical,
    folder: str | Path | None = None,
    *,
    seed: int = SEED,
    download: bool = False,
) -> Dataset:
    """60,000 digits on the sphere to learn from and 10,000 to test with: bytes (2L, 2L), with labels.

    which: of the parts turned, and L. folder, download: as of `mnist`, whose files it reads. seed: of the
    rotations.

    Raises InputError where MNIST is not found, and for L below 4 or beyond 128.
    """
    if not _SMALLEST <= which.bandlimit <= _LARGEST:
        expected = f"spherical-mnist with a band limit from {_SMALLEST} to {_LARGEST}"
        raise fail("data", expected, which.bandlimit, "say spherical-mnist:NR-R:30")
    source = mnist(folder, download=download)
    assert source.shape is not None and source.test is not None
    points, random = grid_points(which.bandlimit), np.random.default_rng(seed)
    parts = []
    for rows, turned in ((source.train, which.turned_training), (source.test, which.turned_test)):
        rotations = uniform_rotations(random, len(rows))  # drawn also where not used: alike in all sets
        images = np.asarray(rows).reshape(-1, *source.shape)
        parts.append(on_sphere(images, points, rotations if turned else None))
    words = "-".join("R" if turned else "NR" for turned in which[:2])
    return Dataset.of(
        parts[0], parts[1], labels=source.train_labels, test_labels=source.test_labels,
        name=f"spherical-mnist-{words}", source=source.source, checksum=source.checksum,
        space=f"sphere:{which.bandlimit}:driscoll-healy",
    )  # fmt: skip
