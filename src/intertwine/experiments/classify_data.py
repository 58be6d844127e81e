"""From a data set to the images that a classifier learns from, is watched on and is tested with.

Bytes become numbers of [0, 1]; other images stay as they are. Augmented copies are a function of the
seed and the epoch, so that an interrupted run goes on with the same ones.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from intertwine._checks import fail
from intertwine.data.dataset import Dataset
from intertwine.data.rotated import deformed, random_deformations, rotated
from intertwine.experiments.classify_configuration import ClassifyConfiguration

_SHIFT = 14
MOST_CLASSES = 1000
"""A page shows no more, and a label far above the number of classes is a mistake."""


class Labelled(NamedTuple):
    """images: float32 (n, X, X, channels). labels: int32 (n,)."""

    images: np.ndarray
    labels: np.ndarray


class LabelledImages(NamedTuple):
    """train, validation (None without), test (None where the set has none); side: X; classes: how many."""

    train: Labelled
    validation: Labelled | None
    test: Labelled | None
    side: int
    classes: int


def labelled_images(c: ClassifyConfiguration, data: Dataset) -> LabelledImages:
    """The images of `data` as the configuration shares them out; `InputError` for what cannot be
    classified."""
    if data.missing:
        raise fail(
            "data.name", "images without missing values", f"{data.missing} of them nan", "fill them in"
        )
    height, width = data.as_images(data.train[:1]).shape[1:3]
    if data.train_labels is None:
        raise fail(
            "data.labels", "labels of the images", "none", "give --labels, a file or an array of the file"
        )
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
    if labels.min() < 0 or labels.max() >= MOST_CLASSES or len(np.unique(labels)) < 2:
        expected = f"labels 0, 1, … of two classes or more, and at most {MOST_CLASSES}"
        got = np.unique(labels)[[0, 1, -1] if len(np.unique(labels)) > 2 else slice(None)].tolist()
        raise fail("data.labels", expected, f"labels such as {got}", "number the classes from 0 on")
    order = np.random.default_rng(c.seed).permutation(len(data.train))
    order = order[: c.optimiser.examples or None]
    held = round(c.optimiser.validation * len(order))
    if len(order) - held < 1:
        raise fail(
            "optimiser.validation", "a share that leaves something to learn from", c.optimiser.validation
        )
    chosen, watched = order[: len(order) - held], order[len(order) - held :]
    test = None
    if data.test is not None and data.test_labels is not None:
        test = _labelled(data, data.test, data.test_labels)
    return LabelledImages(
        _labelled(data, data.train[np.sort(chosen)], data.train_labels[np.sort(chosen)]),
        _labelled(data, data.train[watched], data.train_labels[watched]) if held else None,
        test,
        height,
        int(labels.max()) + 1,
    )


def _labelled(data: Dataset, rows: np.ndarray, labels: np.ndarray) -> Labelled:
    values = np.asarray(rows, np.float32) / (255.0 if data.grey else 1.0)
    return Labelled(data.as_images(values).astype(np.float32), labels.astype(np.int32))


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
