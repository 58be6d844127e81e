"""Images as they are shown in an epoch: turned, moved or deformed anew at every visit.

The copies of an epoch are a function of the seed and the epoch, so that an interrupted fit goes on with the
same ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from jaxtyping import PyTree

from intertwine._checks import fail, one_of
from intertwine.data.sets.rotated import deformed, random_deformations, rotated
from intertwine.layers.networks.numbers import as_numbers
from intertwine.spaces.protocols import takes_arrays

Named = Literal["none", "rotations", "rotations+shifts", "deformations"]
AUGMENTATIONS = ("none", "rotations", "rotations+shifts", "deformations")
Shown = Callable[[np.ndarray, int], np.ndarray]
"""(images, epoch from 0) → the images of that epoch."""
_SHIFT = 14
_STREAM = 0x726F74


def augmentation(augment: Any, *, seed: int, network: PyTree) -> Shown | None:
    """What shows the images of an epoch: the function `augment`, or the one that it names; None for "none"
    and None.

    "rotations": turned by any angle; "rotations+shifts": moved by up to a fourteenth of the width too;
    "deformations": stretched by up to 16 % along each axis, slanted by up to 0.2 and turned. seed: of the
    copies. network: which says whether bytes are read as numbers of [0, 1].
    """
    if augment is None:
        return None
    if not callable(augment):
        one_of("augment", augment, AUGMENTATIONS)
        if augment == "none":
            return None
        space = getattr(network, "space", None)
        if space is not None and not takes_arrays(space):
            remedy = "leave it out: the network does not change when they turn"
            raise fail("augment", f"'none' or a function for images on {space!r}", augment, remedy)

        def shown(images: np.ndarray, epoch: int) -> np.ndarray:
            return augmented(as_numbers(images, network, np.float32), augment, seed, epoch)

        return shown
    return lambda images, epoch: _checked(augment(images, epoch), images)


def augmented(images: np.ndarray, kind: str, seed: int, epoch: int) -> np.ndarray:
    """Images (n, X, X, channels) of this epoch, within the limits of the given ones.

    >>> images = np.random.default_rng(0).random((2, 5, 5, 1), np.float32)
    >>> augmented(images, "rotations", 0, 1).shape
    (2, 5, 5, 1)
    """
    random = np.random.default_rng([seed, _STREAM, epoch])
    limits = images.min(), images.max()
    if kind == "deformations":
        return np.clip(deformed(images, random_deformations(random, len(images))), *limits)
    angles = random.uniform(0, 2 * np.pi, len(images))
    shifts: Any = None
    if kind == "rotations+shifts":
        shifts = random.uniform(-1, 1, (len(images), 2)) * images.shape[1] / _SHIFT
    return np.clip(rotated(images, angles, shifts), *limits)


def _checked(shown: object, images: np.ndarray) -> np.ndarray:
    shown = np.asarray(shown)
    if shown.shape != images.shape:
        raise fail("augment", f"a function that keeps the shape {images.shape}", f"shape {shown.shape}")
    return shown
