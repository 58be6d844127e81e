"""What is measured of a trained classifier: accuracy, equivariance, turned images, filters, mistakes."""

from __future__ import annotations

import math
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from intertwine.data.sets.rotated import rotated
from intertwine.experiments.fields.measures import equivariance
from intertwine.layers.conv import Conv
from intertwine.layers.equivariance.check import equivariance_errors
from intertwine.layers.fields import field_type
from intertwine.learning.labels.class_scores import class_scores
from intertwine.learning.labels.labelled import Labelled
from intertwine.spaces.grid import Grid
from intertwine.spaces.names import space_from_name
from intertwine.spaces.sphere.sphere import Sphere

ANGLES = tuple(range(0, 360, 15))
TURNED_IMAGES = 1000
ROTATIONS, ROTATED_IMAGES = 6, 500
MOST_FILTERS, MOST_MISTAKES = 8, 24
CHUNK = 256
_AT_ONCE = 100


def log_probabilities(network: PyTree, images: np.ndarray) -> np.ndarray:
    """ln p(c|x), float64 (n, classes)."""
    scores = class_scores(network, images, chunk=CHUNK).astype(np.float64)
    scores = scores - scores.max(axis=1, keepdims=True)
    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


def accuracy_record(log_p: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """accuracy with one standard error, mean loss in nats, and how many.

    The error is the deviation of what the share of all images may be, after Laplace's rule: it is not 0
    where all of a few are right.
    """
    share, n = float((log_p.argmax(axis=1) == labels).mean()), len(labels)
    likely = (share * n + 1) / (n + 2)
    return {
        "accuracy": share,
        "error": math.sqrt(likely * (1 - likely) / (n + 3)),
        "loss": float(-log_p[np.arange(n), labels].mean()),
        "count": n,
    }


def commonest_class(log_p: np.ndarray, labels: np.ndarray, learnt: np.ndarray) -> dict[str, Any]:
    """What always saying the commonest class of the images learnt from would reach: the class, its accuracy,
    and the standard error of the network's lead over it, from the images that one of the two has right."""
    commonest = int(np.bincount(learnt).argmax())
    network, always = log_p.argmax(axis=1) == labels, labels == commonest
    return {
        "class": commonest,
        "accuracy": float(always.mean()),
        "lead_error": math.sqrt(float((network != always).sum())) / len(labels),
    }


def confusion(log_p: np.ndarray, labels: np.ndarray) -> list[list[int]]:
    """How many of class i (row) are taken for class j (column)."""
    counts = np.zeros((log_p.shape[1],) * 2, np.int64)
    np.add.at(counts, (labels, log_p.argmax(axis=1)), 1)
    return [[int(n) for n in row] for row in counts]


def by_angle(network: PyTree, data: Labelled) -> dict[str, list[float]]:
    """The accuracy on the first images turned by each angle, with one standard error."""
    few = Labelled(data.x[:TURNED_IMAGES], data.y[:TURNED_IMAGES])
    found: dict[str, list[float]] = {"degrees": [], "accuracy": [], "error": []}
    for degrees in ANGLES:
        turned = rotated(few.x, np.full(len(few.y), math.radians(degrees)))
        record = accuracy_record(log_probabilities(network, turned), few.y)
        found["degrees"].append(float(degrees))
        found["accuracy"].append(record["accuracy"])
        found["error"].append(record["error"])
    return found


def under_turns(network: PyTree, data: Labelled, space: str | None, key: jax.Array) -> dict[str, Any]:
    """What the record says of turned images: of the plane `angles`, of a sphere `rotations`; and the
    `equivariance`, a row for each layer and element. space: its name, None of the plane."""
    if space is None:
        rows = equivariance_errors(network, key=key, shape=data.x.shape[1:3])
        kept = [row._asdict() for row in rows if row.element >= 0]
        return {"angles": by_angle(network, data), "rotations": None, "equivariance": kept}
    named = space_from_name(space)
    return {
        "angles": None,
        "rotations": by_rotation(network, data, named.space, key),
        "equivariance": equivariance(network, named, key),
    }


def by_rotation(network: PyTree, data: Labelled, space: Any, key: jax.Array) -> dict[str, Any] | None:
    """The accuracy on the first images as they are and turned by some random rotations of the sphere, exactly
    as far as the space has degrees, with one standard error; None on meshes, whose elements are frames."""
    if not isinstance(space, Sphere):
        return None
    few = Labelled(np.asarray(data.x[:ROTATED_IMAGES], np.float32), data.y[:ROTATED_IMAGES])
    elements = space.random_elements(ROTATIONS, key=key)
    scalars = field_type(space, few.x.shape[-1])
    named = ["as they are", *(space.element_name(g) for g in elements)]
    found: dict[str, Any] = {"elements": named, "accuracy": [], "count": len(few.y)}
    for g in (None, *elements):
        turned = few.x if g is None else _turned(space, g, few.x, scalars)
        record = accuracy_record(log_probabilities(network, turned), few.y)
        found["accuracy"].append(record["accuracy"])
        found["error"] = max(found.get("error", 0.0), record["error"])
    return found


def _turned(space: Sphere, rotation: np.ndarray, images: np.ndarray, rep: Any) -> np.ndarray:
    parts = [images[i : i + _AT_ONCE] for i in range(0, len(images), _AT_ONCE)]
    return np.concatenate([np.asarray(space.act(rotation, part, rep)) for part in parts])


def filters(network: PyTree) -> np.ndarray:
    """(filter, element, k_0, k_1): kernels of the first convolution from the first channel to the first
    component of each copy, moved by every element of the point group."""
    first = next(layer for _, layer in network.layers if isinstance(layer, Conv))
    assert isinstance(first.space, Grid)
    kernel = np.asarray(first.dense_kernel())
    component = first.rep_out.blocks[0][0].dimension
    chosen = kernel[..., 0, ::component][..., :MOST_FILTERS]
    images = np.moveaxis(chosen, -1, 0)[..., None].astype(np.float64)
    grid = first.space
    moved = [grid.act(h, images, grid.scalar)[..., 0] for h in range(grid.group.order)]
    return np.stack(moved, axis=1)


def mistakes(log_p: np.ndarray, data: Labelled) -> dict[str, np.ndarray]:
    """The examples that are most surely taken for another class."""
    guess = log_p.argmax(axis=1)
    wrong = np.flatnonzero(guess != data.y)
    sure = log_p[wrong, guess[wrong]]
    order = wrong[np.argsort(-sure, kind="stable")][:MOST_MISTAKES]
    return {
        "wrong_images": data.x[order],
        "wrong_labels": data.y[order],
        "wrong_predictions": guess[order].astype(np.int32),
        "wrong_probabilities": np.exp(log_p[order, guess[order]]),
    }
