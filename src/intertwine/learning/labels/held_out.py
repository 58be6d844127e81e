"""Rows that are held out to watch a fit with."""

from __future__ import annotations

import numpy as np
from jaxtyping import PyTree

from intertwine._checks import fail
from intertwine.data.dataset import held_apart
from intertwine.learning.labels.class_names import numbered
from intertwine.learning.labels.labelled import Labelled, labelled
from intertwine.learning.supervised import Supervised


def held_out(
    data: Labelled,
    validation: PyTree,
    outputs: int,
    objective: Supervised,
    seed: int,
    *,
    places: tuple[int, ...] = (),
    names: tuple[str, ...] | None = None,
) -> tuple[Labelled, Labelled | None]:
    """(training, held-out data) for what `validation` says: None, a share, or (x, y)."""
    if validation is None:
        return data, None
    if isinstance(validation, float | int):
        return split(data, float(validation), seed=seed, by_class=objective.classifies and not places)
    if not isinstance(validation, tuple | list) or len(validation) != 2:
        remedy = "for example validation=0.1"
        raise fail(
            "validation", "held-out data (x, y), or the share of the rows", type(validation).__name__, remedy
        )
    argument = ("validation[0]", "validation[1]")
    held_x, held_y = validation
    if objective.classifies:
        held_y = numbered(held_y, names, argument[1])
    held = labelled(held_x, held_y, outputs, classes=objective.classifies, argument=argument, places=places)
    if held.x.shape[1:] != data.x.shape[1:]:
        raise fail(argument[0], f"examples of shape {data.x.shape[1:]}, as in x", f"shape {held.x.shape[1:]}")
    return data, held


def split(data: Labelled, share: float, *, seed: int, by_class: bool = False) -> tuple[Labelled, Labelled]:
    """(training, held out): a random `share` of the rows, at least one, is held out; of each class its share
    where `y` are labels `by_class`.

    >>> data = Labelled(np.arange(20.0)[:, None], np.arange(20) // 15)
    >>> split(data, 0.4, seed=0, by_class=True)[1].y.tolist()
    [0, 0, 0, 0, 0, 0, 1, 1]
    """
    labels = data.y if by_class and data.y.ndim == 1 else None
    kept, chosen = split_rows(len(data.x), share, seed=seed, labels=labels)
    return data.take(kept), data.take(chosen)


def split_rows(
    rows: int, share: float, *, seed: int, labels: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """(numbers of the rows to learn from, of those held out): a random `share`, at least one; of each of
    `labels` its share.

    >>> kept, held = split_rows(10, 0.2, seed=0)
    >>> len(kept), len(held), sorted([*kept.tolist(), *held.tolist()]) == list(range(10))
    (8, 2, True)
    """
    held = max(1, round(share * rows))
    if not 0 < share < 1 or held >= rows:
        raise fail("validation", "(x, y), or a share between 0 and 1 that leaves rows to learn from", share)
    return held_apart(rows, held, labels, np.random.default_rng(seed))
