r"""Turned and otherwise deformed images, and the rotated MNIST protocol made from MNIST.

The protocol follows that of Larochelle et al. (ICML 2007) as near as the original digits allow: of all
70,000 digits, in an order drawn with the seed, the first 12,000 are for training (the last 2,000 of them
for choosing between models) and the next 50,000 are the test set, each turned by an angle uniform in [0,
2π) about the centre of the image, by cubic splines, cut off at the range of a byte.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped

from intertwine._checks import fail, positive_int
from intertwine.data.dataset import Dataset
from intertwine.data.sets.mnist import mnist

TRAINING, TEST = 12_000, 50_000
SEED = 2007


def rotated(
    images: Shaped[np.ndarray, "n X Y *channels"],
    angles: Float[np.ndarray, " n"],
    shifts: Float[np.ndarray, "n 2"] | None = None,
    *,
    order: int = 3,
) -> Shaped[np.ndarray, "n X Y *channels"]:
    """Images (n, X, Y), or (n, X, Y, channels), turned by angles (n,), radians, axis 0 towards axis 1, about
    their centres; 0 outside.

    shifts: (n, 2) points that they are then moved by. Bytes stay bytes (rounded and cut off), floats
    floats. order: of the splines, 1 is bilinear, 3 cubic.

    Raises InputError for other shapes.

    >>> abs(rotated(np.array([[[1.0, 0.0], [0.0, 0.0]]]), np.array([np.pi / 2])).round(6))[0].tolist()
    [[0.0, 0.0], [1.0, 0.0]]
    """
    angles = np.asarray(angles, float)
    if angles.ndim != 1:
        raise fail("angles", "shape (n,)", f"shape {angles.shape}")
    c, s = np.cos(angles).round(15), np.sin(angles).round(15)  # exact at quarter turns
    back = np.moveaxis(np.array([[c, s], [-s, c]]), -1, 0)
    return _resampled(images, "angles", back, shifts, order)


def deformed(
    images: Shaped[np.ndarray, "n X Y *channels"],
    matrices: Float[np.ndarray, "n 2 2"],
    shifts: Float[np.ndarray, "n 2"] | None = None,
    *,
    order: int = 3,
) -> Shaped[np.ndarray, "n X Y *channels"]:
    """As `rotated`, for any linear maps about the centre: what is at r comes to A r, matrices (n, 2, 2).

    Raises InputError for other shapes, and for matrices without inverse.

    >>> swapped = deformed(np.array([[[0.0, 2.0], [1.0, 0.0]]]), np.array([[[0.0, 1.0], [1.0, 0.0]]]))
    >>> abs(swapped.round(6))[0].tolist()
    [[0.0, 1.0], [2.0, 0.0]]
    """
    matrices = np.asarray(matrices, float)
    if matrices.ndim != 3 or matrices.shape[1:] != (2, 2) or not np.isfinite(matrices).all():
        raise fail("matrices", "finite numbers of shape (n, 2, 2)", f"shape {matrices.shape}")
    if (np.abs(np.linalg.det(matrices)) < 1e-6).any():
        raise fail("matrices", "ones that have an inverse", "a determinant of 0")
    return _resampled(images, "matrices", np.linalg.inv(matrices), shifts, order)


def random_deformations(
    random: np.random.Generator, n: int, *, stretch: float = 0.15, slant: float = 0.2
) -> Float[np.ndarray, "n 2 2"]:
    """Matrices for `deformed`, to augment images with: R(θ) [[e^a, b], [0, e^c]], θ uniform on the circle, a
    and c up to ± `stretch`, b up to ± `slant`; (n, 2, 2).

    >>> matrices = random_deformations(np.random.default_rng(0), 5, stretch=0.0, slant=0.0)
    >>> bool(np.allclose(matrices @ matrices.swapaxes(1, 2), np.eye(2)))
    True
    """
    n = positive_int("n", n)
    angles = random.uniform(0, 2 * np.pi, n)
    along, across = np.exp(random.uniform(-stretch, stretch, (2, n)))
    c, s, zero = np.cos(angles), np.sin(angles), np.zeros(n)
    turns = np.array([[c, -s], [s, c]])
    shapes = np.array([[along, random.uniform(-slant, slant, n)], [zero, across]])
    return np.einsum("ijn,jkn->nik", turns, shapes)


def _resampled(
    images: np.ndarray, of: str, back: np.ndarray, shifts: np.ndarray | None, order: int
) -> np.ndarray:
    """Each image at the points that `back` (n, 2, 2) takes its own to."""
    from scipy.ndimage import affine_transform

    images = np.asarray(images)
    if images.ndim not in (3, 4) or len(back) != len(images):
        raise fail(
            "images",
            f"images (n, X, Y), with channels last, and as many {of}",
            f"shape {images.shape} and {len(back)}",
        )
    moves = np.zeros((len(images), 2)) if shifts is None else np.asarray(shifts, float)
    if moves.shape != (len(images), 2):
        raise fail("shifts", f"shape ({len(images)}, 2)", f"shape {moves.shape}")
    kind = images.dtype if np.issubdtype(images.dtype, np.floating) else np.dtype(np.float32)
    out = np.empty(images.shape, images.dtype)
    centre = (np.array(images.shape[1:3]) - 1) / 2
    for k, image in enumerate(images):
        offset = centre - back[k] @ (centre + moves[k])
        for plane, target in _planes(image.astype(kind), out[k]):
            moved = affine_transform(plane, back[k], offset, order=order)  # pyright: ignore
            target[:] = moved if kind == images.dtype else np.rint(np.clip(moved, 0, 255))
    return out


def _planes(image: np.ndarray, out: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each channel with its place in the output."""
    if image.ndim == 2:
        return [(image, out)]
    return [(image[..., c], out[..., c]) for c in range(image.shape[-1])]


def rotated_mnist(
    folder: str | Path | None = None,
    *,
    training: int = TRAINING,
    test: int = TEST,
    seed: int = SEED,
    download: bool = False,
) -> Dataset:
    """12,000 turned digits to learn from and 50,000 to test with, bytes, with labels (see the module).

    folder, download: as of `mnist`, whose files it reads. training, test: other numbers of the same order.

    Raises InputError where MNIST is not found, or for more than its 70,000 digits.
    """
    source = mnist(folder, download=download)
    assert source.shape is not None and source.train_labels is not None and source.test_labels is not None
    labels = np.concatenate([source.train_labels, source.test_labels])
    if not (training > 0 and test > 0 and training + test <= len(labels)):
        raise fail(
            "training", f"numbers of digits that add up to {len(labels)} at most", f"{training}, {test}"
        )
    random = np.random.default_rng(seed)
    chosen = random.permutation(len(labels))[: training + test]
    angles = random.uniform(0, 2 * np.pi, len(labels))[: training + test]
    pixels = np.concatenate([np.asarray(source.train), np.asarray(source.test)])[chosen]
    turned = rotated(pixels.reshape(-1, *source.shape), angles).reshape(len(chosen), -1)
    return Dataset.of(
        turned[:training], turned[training:], labels=labels[chosen[:training]],
        test_labels=labels[chosen[training:]], shape=source.shape, name="rotated-mnist", source=source.source,
        checksum=source.checksum,
    )  # fmt: skip
