"""A complete classifying run as an object to go on with, and what it says of other images.

network.bin    the network, with the statistics of its batch norms
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike

from intertwine._caveats import caveat, once
from intertwine._checks import fail
from intertwine.data.dataset import Dataset
from intertwine.experiments.classify import measures
from intertwine.experiments.classify.settings import ClassifyConfiguration
from intertwine.experiments.datasets import load_data
from intertwine.layers.networks.saved_network import load_network
from intertwine.learning.labels.class_names import numbered
from intertwine.records.folder import MESH, NETWORK
from intertwine.records.writing import write_aside
from intertwine.runs.complete import complete


@dataclass(frozen=True, eq=False, repr=False)
class TrainedClassifier:
    """What a classifying run found: taken wherever a network is (`it.predict`, `it.accuracy`,
    `it.class_scores`, `it.class_probabilities`, `it.confusion_matrix`, `it.fit_supervised`), and one itself.

    model: the network. settings: of the run. metrics: name → float64, an entry an epoch. result: result.json.

    One that learnt from bytes reads bytes as it did then, as numbers of [0, 1]; images of other types are
    taken as they are.
    """

    model: Any
    settings: ClassifyConfiguration
    metrics: dict[str, np.ndarray]
    result: dict[str, Any]

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the outputs."""
        return tuple(self.result["classes"])

    @property
    def warnings(self) -> tuple[str, ...]:
        """What qualifies the run's numbers."""
        return tuple(self.result["warnings"])

    def __call__(self, x: ArrayLike, *, key: Array | None = None) -> Any:
        """The scores of one image (X, X, channels)."""
        return self.model(x, key=key)

    def outputs(self, x: ArrayLike, *, key: Array | None = None) -> Any:
        """The scores of images (n, X, X, channels), one or many."""
        return self.model.outputs(x, key=key)

    def __repr__(self) -> str:
        s, test = self.settings, self.result["test"]
        share = f"accuracy {100 * test['accuracy']:.2f} ± {100 * test['error']:.2f} %"
        where = self.result.get("space") or s.group
        return f"TrainedClassifier({s.network.name} on {where}, {len(self.classes)} classes, {share})"


def load_classifier(folder: str | Path) -> TrainedClassifier:
    """The complete run in `folder`; `InputError` where there is none, of another kind, or of a precision that
    JAX is not set to."""
    run = complete(folder, "classify", ("test", "classes", "warnings"), (NETWORK,))
    mesh = run.path / MESH
    network = load_network(run.path / NETWORK, space=f"mesh:{mesh}" if mesh.is_file() else None)
    return TrainedClassifier(network, run.settings, run.metrics, run.result)


def learnt_before(folder: str, fresh: Any) -> Any:
    """The network of the classifying run in `folder`, to go on with in place of `fresh`; `InputError` for one
    of images of another size or channels, or of other classes."""
    network = load_classifier(folder).model
    for name, words in _ALIKE:
        asked, found = (getattr(net.recipe, name, None) for net in (fresh, network))
        if name == "space" and str(asked).startswith("mesh:") and str(found).startswith("mesh:"):
            asked, found = fresh.space, network.space  # whatever their files are called
        if asked != found:
            remedy = "give images like those of the run, or begin afresh"
            raise fail("network.start", f"a network of {_listed(asked)} {words}", _listed(found), remedy)
    numbers = jax.tree.map(
        lambda x: x.astype(jnp.result_type(float)) if eqx.is_inexact_array(x) else x, network
    )
    return numbers.reading_bytes(fresh.grey)


_ALIKE = (
    ("channels", "channels"), ("inputs", "channels"), ("image_size", "points a side"), ("space", "its space"),
    ("classes", "classes"),
)  # fmt: skip
"""What the recipes of a network to begin with and of a fresh one agree in, and in words."""


def _listed(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


class Predictions(NamedTuple):
    """probabilities: (n, classes). classes: their names. labels: the numbers of the images' own, or None."""

    probabilities: np.ndarray
    classes: tuple[str, ...]
    labels: np.ndarray | None

    @property
    def guesses(self) -> np.ndarray:
        """The number of the most probable class of each image."""
        return self.probabilities.argmax(axis=1)


def predictions(
    trained: TrainedClassifier,
    name: str,
    *,
    variable: str | None = None,
    labels: str | None = None,
    shape: str | None = None,
) -> tuple[Predictions, list[str]]:
    """(what the network says of the images called `name`, what is to be said of that): their accuracy where
    they have labels."""
    data = _images(trained, name, variable, labels, shape)
    images = data.as_images(data.as_given(np.asarray(data.train)))
    expected = tuple(trained.result["data"]["shape"])
    if data.shape != expected:
        remedy = "cut, pad or resample them, or say --shape"
        raise fail("data", f"images of {_by(expected)}, as those learnt from", _by(data.shape), remedy)
    if data.missing:
        raise fail("data", "images without missing values", f"{data.missing} of them nan", "fill them in")
    log_p = measures.log_probabilities(trained.model, images)
    found = Predictions(np.exp(log_p), trained.classes, _numbers(data, trained.classes))
    count = f"{len(images)} images" if len(images) > 1 else "one image"
    said = [f"{count}: {_counted(found)}"]
    notes = list(trained.warnings)
    if found.labels is not None:
        record = measures.accuracy_record(log_p, found.labels)
        share = f"accuracy {100 * record['accuracy']:.2f} ± {100 * record['error']:.2f} %"
        said.insert(0, f"{share} of {record['count']} labelled images")
        if data.checksum == trained.result["data"].get("checksum"):
            notes.append(caveat("no-test-data", "the run learnt from images of these data"))
    return found, said + [f"warning: {line}" for line in once(notes)]


def write_predictions(path: Path, found: Predictions) -> None:
    """.npy: the probabilities. .csv: a line an image: its class, the probability of each, its label."""
    if path.suffix.lower() == ".npy":
        np.save(path, found.probabilities)
        return
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    names, labels = found.classes, found.labels
    table.writerow(["class", *(f"p({name})" for name in names), *([] if labels is None else ["label"])])
    for k, (guess, row) in enumerate(zip(found.guesses, found.probabilities, strict=True)):
        label = [] if labels is None else [names[labels[k]]]
        table.writerow([names[guess], *(f"{p:.6g}" for p in row), *label])
    write_aside(path, text.getvalue())


def _images(
    trained: TrainedClassifier, name: str, variable: str | None, labels: str | None, shape: str | None
) -> Dataset:
    """The data, read as those of the run were."""
    own = trained.settings.data
    same = name == own.name
    asked = {
        "name": name,
        "variable": variable or (own.variable if same else "auto"),
        "labels": labels or (own.labels if same else "auto"),
        "shape": shape or own.shape,
        "units": str(trained.result["data"]["units"]),
        "test_share": 0.0,
    }
    return load_data(own.model_copy(update=asked), trained.result.get("space") or trained.settings.space.name)


def _numbers(data: Dataset, classes: tuple[str, ...]) -> np.ndarray | None:
    """The labels of the data as numbers of classes; `InputError` for one that is none."""
    if data.train_labels is None:
        return None
    words = data.train_labels if data.classes is None else np.array(data.classes)[data.train_labels]
    return numbered(words.astype(str), classes, "labels")


def _counted(found: Predictions) -> str:
    """How many of each class, the commonest first."""
    counts = np.bincount(found.guesses, minlength=len(found.classes))
    order = [k for k in np.argsort(-counts, kind="stable") if counts[k]]
    more = f" and {len(order) - 10} classes more" if len(order) > 10 else ""
    return ", ".join(f"{counts[k]} {found.classes[k]}" for k in order[:10]) + more


def _by(shape: Any) -> str:
    return " × ".join(map(str, shape))
