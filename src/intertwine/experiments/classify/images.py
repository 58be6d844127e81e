"""From a data set to the images that a classifier learns from and is tested with, in the numbers of the data:
a network that learns from bytes reads them itself (`layers.networks.numbers`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from intertwine._checks import fail
from intertwine.data.dataset import Dataset, held_apart
from intertwine.experiments.classify.settings import (
    SPACES_ALONE,
    ClassifyConfiguration,
    check_network,
    check_on_space,
)
from intertwine.experiments.fields.settings import AUTO
from intertwine.learning.fields.placing import name_of
from intertwine.learning.labels.labelled import Labelled
from intertwine.spaces.names import space_from_name
from intertwine.spaces.sphere.grids import default_shape
from intertwine.spaces.sphere.sphere import Sphere

MOST_CLASSES = 1000
"""A page shows no more, and more different labels are no classes."""


class LabelledImages(NamedTuple):
    """train: images (n, *places, channels) with the numbers of their classes, also those that are held out to
    watch; test: None where the set has none. places: (X, X), or those of `space`, the name of the sphere or
    mesh that they lie on, None of the plane. names: of the classes, the words or numbers that labels
    came as, in order; named: whether those are other than 0, 1, ….
    """

    train: Labelled
    test: Labelled | None
    places: tuple[int, ...]
    space: str | None
    names: tuple[str, ...]
    named: bool

    @property
    def classes(self) -> int:
        """How many."""
        return len(self.names)

    def labels_of(self, data: Labelled) -> np.ndarray:
        """The labels as `fit_supervised` takes them: by name where classes have names."""
        return np.array(self.names)[data.y] if self.named else data.y


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
    space, places = _place(c, data)
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
    rows = np.arange(len(data.train))
    if 0 < c.optimiser.examples < len(rows):
        random = np.random.default_rng(c.seed)
        rows = held_apart(len(rows), c.optimiser.examples, data.train_labels, random)[1]
    if c.optimiser.validation and max(1, round(c.optimiser.validation * len(rows))) >= len(rows):
        expected = "a share that leaves something to learn from"
        raise fail("optimiser.validation", expected, c.optimiser.validation)
    test = None
    if data.test is not None and data.test_labels is not None:
        test = _labelled(data, data.test, data.test_labels, values)
    return LabelledImages(
        _labelled(data, data.train[rows], data.train_labels[rows], values),
        test,
        places,
        space,
        tuple(str(v) if data.classes is None else str(data.classes[v]) for v in values.tolist()),
        data.classes is not None or not np.array_equal(values, np.arange(len(values))),
    )


def space_of(c: ClassifyConfiguration, data: Dataset) -> str | None:
    """The name of the space that the images lie on, None for the plane: what is asked for, and what the data
    say. A sphere without a grid is one on that of the data."""
    asked, told = c.space.name, data.space
    if asked == AUTO:
        return told
    kind, _, rest = asked.partition(":")
    if kind != "sphere" or told is None or ":" in rest:
        return asked
    sphere = space_from_name(asked, "space.name").space
    own = space_from_name(told, "data.space").space
    if not isinstance(own, Sphere) or not isinstance(sphere, Sphere):
        return asked
    if sphere.bandlimit > own.bandlimit:
        expected = f"at most {own.bandlimit} degrees, which the grid of the data tells apart"
        raise fail("space.name", expected, repr(asked), f"take {told!r}")
    return name_of(own.limited(sphere.bandlimit))


def _place(c: ClassifyConfiguration, data: Dataset) -> tuple[str | None, tuple[int, ...]]:
    """(the name of the sphere or mesh that the images lie on, None for the plane; their points)."""
    space = space_of(c, data)
    places = data.as_images(data.train[:1]).shape[1:-1]
    if space is not None:
        check_on_space(c, space)
        shape = space_from_name(space, "space.name").shape
        if places != shape:
            expected = f"{' × '.join(map(str, shape))} points, as {space} has"
            raise fail("data.shape", expected, " × ".join(map(str, places)), _other_space(places))
        if not space.startswith("plane:"):
            return space, places
    if check_network(c.network) == SPACES_ALONE:
        remedy = "say --space sphere:L:GRID, healpix:N …, or take cnn:10"
        raise fail("network.name", "a network of the plane", repr(c.network.name), remedy)
    if places[0] != places[1]:
        got = f"{places[0]} × {places[1]}"
        raise fail(
            "data.shape", "square images, which turns map to themselves", got, "cut or pad them to a square"
        )
    return None, places


def _other_space(places: tuple[int, ...]) -> str:
    """Spheres that have so many points, or what to do."""
    found = []
    if len(places) == 2:
        limits = {"gauss": places[0], "driscoll-healy": places[0] // 2, "clenshaw-curtis": places[0] - 1}
        found = [
            f"sphere:{limit}:{grid}"
            for grid, limit in limits.items()
            if limit > 0 and default_shape(grid, limit) == places
        ]
    elif (side := round((places[0] / 12) ** 0.5)) > 0 and 12 * side**2 == places[0]:
        found = [f"healpix:{side}"]
    if found:
        return f"for these points say --space {' or '.join(found)}"
    return "say the space that the data lie on, as in --space healpix:8"


def _labelled(data: Dataset, rows: np.ndarray, labels: np.ndarray, values: np.ndarray) -> Labelled:
    """The images in the numbers of the data, and the place of each label among the different ones."""
    images = data.as_images(data.as_given(np.asarray(rows)))
    return Labelled(images, np.searchsorted(values, labels).astype(np.int32))
