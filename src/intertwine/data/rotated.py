r"""Turned images, and the rotated MNIST protocol made from MNIST.

The protocol follows that of Larochelle et al. (ICML 2007) as near as the original digits allow: of all
70,000 digits, in an order drawn with the seed, the first 12,000 are for training (the last 2,000 of them
for choosing between models) and the next 50,000 are the test set, each turned by an angle uniform in [0,
2π) about the centre of the image, by cubic splines, cut off at the range of a byte.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped

from intertwine._checks import fail
from intertwine.data.dataset import Dataset
from intertwine.data.mnist import mnist

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
    from scipy.ndimage import affine_transform

    images, angles = np.asarray(images), np.asarray(angles, float)
    if images.ndim not in (3, 4) or angles.shape != images.shape[:1]:
        raise fail(
            "images",
            "images (n, X, Y), with channels last, and angles (n,)",
            f"shapes {images.shape} and {angles.shape}",
        )
    moves = np.zeros((len(images), 2)) if shifts is None else np.asarray(shifts, float)
    if moves.shape != (len(images), 2):
        raise fail("shifts", f"shape ({len(images)}, 2)", f"shape {moves.shape}")
    kind = images.dtype if np.issubdtype(images.dtype, np.floating) else np.dtype(np.float32)
    out = np.empty(images.shape, images.dtype)
    centre = (np.array(images.shape[1:3]) - 1) / 2
    for k, (image, angle) in enumerate(zip(images, angles, strict=True)):
        c, s = np.cos(angle).round(15), np.sin(angle).round(15)  # exact at quarter turns
        back = np.array([[c, s], [-s, c]])
        offset = centre - back @ (centre + moves[k])
        for plane, target in _planes(image.astype(kind), out[k]):
            turned = affine_transform(plane, back, offset, order=order)  # pyright: ignore
            target[:] = turned if kind == images.dtype else np.rint(np.clip(turned, 0, 255))
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
