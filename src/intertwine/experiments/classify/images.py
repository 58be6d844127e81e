"""From a data set to the images that a classifier learns from, is watched on and is tested with.

Bytes become numbers of [0, 1]; other images stay as they are. Augmented copies are a function of the
seed and the epoch, so that an interrupted run goes on with the same ones.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from intertwine._checks import fail
from intertwine.data.dataset import Dataset, held_apart
from intertwine.data.sets.rotated import deformed, random_deformations, rotated
from intertwine.experiments.classify.settings import ClassifyConfiguration

_SHIFT = 14
MOST_CLASSES = 1000
"""A page shows no more, and more different labels are no classes."""


class Labelled(NamedTuple):
    """images: float32 (n, X, X, channels). labels: int32 (n,)."""

    images: np.ndarray
    labels: np.ndarray


class LabelledImages(NamedTuple):
    """train, validation (None without), test (None where the set has none); side: X; names: of the classes,
    the words or numbers that labels came as, in order; named: whether those are other than 0, 1, ….
    """

    train: Labelled
    validation: Labelled | None
    test: Labelled | None
    side: int
    names: tuple[str, ...]
    named: bool

    @property
    def classes(self) -> int:
        """How many."""
        return len(self.names)


def labelled_images(c: ClassifyConfiguration, data: Dataset) -> LabelledImages:
    """The images of `data` as the configuration shares them out; `InputError` for what cannot be
    classified."""
    if data.missing:
        raise fail(
            "data.name", "images without missing values", f"{data.missing} of them nan", "fill them in"
        )
    if data.train_labels is None:
        raise fail(
            "data.labels", "labels of the images", "none", "give --labels, a file or an array of the file"
        )
    height, width = data.as_images(data.train[:1]).shape[1:3]
    if height != width:
        got = f"{height} × {width}"
        raise fail(
            "data.shape", "square images, which turns map to themselves", got, "cut or pad them to a square"
        )
    labels = (
        data.train_labels
        if data.test_labels is None
        else np.concatenate([data.train_labels, data.test_labels])
    )
    values = np.unique(labels)
    if not 2 <= len(values) <= MOST_CLASSES:
        expected = f"labels of at least two classes, and at most {MOST_CLASSES}"
        got = f"{len(values)} different labels, such as {values[:3].tolist()}"
        raise fail("data.labels", expected, got, "is it the array of the labels?")
    random = np.random.default_rng(c.seed)
    order = np.arange(len(data.train))
    if 0 < c.optimiser.examples < len(order):
        order = held_apart(len(order), c.optimiser.examples, data.train_labels, random)[1]
    held = round(c.optimiser.validation * len(order))
    if len(order) - held < 1:
        raise fail(
            "optimiser.validation", "a share that leaves something to learn from", c.optimiser.validation
        )
    chosen, watched = (order[x] for x in held_apart(len(order), held, data.train_labels[order], random))
    test = None
    if data.test is not None and data.test_labels is not None:
        test = _labelled(data, data.test, data.test_labels, values)
    return LabelledImages(
        _labelled(data, data.train[chosen], data.train_labels[chosen], values),
        _labelled(data, data.train[watched], data.train_labels[watched], values) if held else None,
        test,
        height,
        tuple(str(v) if data.classes is None else str(data.classes[v]) for v in values.tolist()),
        data.classes is not None or not np.array_equal(values, np.arange(len(values))),
    )


def _labelled(data: Dataset, rows: np.ndarray, labels: np.ndarray, values: np.ndarray) -> Labelled:
    """The images, and the place of each label among the different ones."""
    images = np.asarray(rows, np.float32) / (255.0 if data.grey else 1.0)
    numbers = np.searchsorted(values, labels).astype(np.int32)
    return Labelled(data.as_images(images).astype(np.float32), numbers)


def augmented(c: ClassifyConfiguration, images: np.ndarray, epoch: int) -> np.ndarray:
    """The images (n, X, X, channels) of this epoch, turned and moved as the configuration says."""
    if c.optimiser.augment == "none":
        return images
    random = np.random.default_rng([c.seed & 0xFFFFFFFF, 0x726F74, epoch])
    limits = images.min(), images.max()
    if c.optimiser.augment == "deformations":
        return np.clip(deformed(images, random_deformations(random, len(images))), *limits)
    angles = random.uniform(0, 2 * np.pi, len(images))
    shifts: Any = None
    if c.optimiser.augment == "rotations+shifts":
        shifts = random.uniform(-1, 1, (len(images), 2)) * images.shape[1] / _SHIFT
    return np.clip(rotated(images, angles, shifts), *limits)
