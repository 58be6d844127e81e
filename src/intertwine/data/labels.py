"""Labels of rows: whole numbers, or words, which are numbered in their order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.data.arrays import as_array
from intertwine.data.values import check_real

Names = tuple[str, ...]


def as_words(labels: ArrayLike) -> np.ndarray | None:
    """Labels that are words, as an array of them; None for anything else.

    >>> as_words(["cat", "dog"]).tolist(), as_words([0, 1])
    (['cat', 'dog'], None)
    """
    array = np.asarray(labels, object) if isinstance(labels, list | tuple) else np.asarray(labels)
    if array.dtype.kind in "US":
        return array.astype(str)
    words = array.dtype.kind == "O" and array.size > 0 and all(isinstance(v, str) for v in array.flat)
    return array.astype(str) if words else None


def distinct(*words: np.ndarray) -> Names:
    """The different words of some arrays, sorted: the names of classes."""
    return tuple(map(str, np.unique(np.concatenate([part.reshape(-1) for part in words]))))


def places(words: np.ndarray, names: Names) -> np.ndarray:
    """The place of each word in `names`, int32; −1 for words that are none of them.

    >>> places(np.array(["dog", "cat", "cow"]), ("cat", "dog")).tolist()
    [1, 0, -1]
    """
    place = {name: number for number, name in enumerate(names)}
    return np.vectorize(lambda word: place.get(str(word), -1), otypes=[np.int32])(words)


def shared_numbers(labels: ArrayLike | None, test_labels: ArrayLike | None) -> tuple[Any, Any, Names | None]:
    """Labels of both parts with the same words numbered alike, and the words; others as they are, and None.

    >>> shared_numbers(["dog", "cat"], np.array(["dog"]))[0].tolist()
    [1, 0]
    """
    words = [None if part is None else as_words(part) for part in (labels, test_labels)]
    known = [found for found in words if found is not None]
    if not known or len(known) < sum(part is not None for part in (labels, test_labels)):
        return labels, test_labels, None
    names = distinct(*known)
    first, second = (None if found is None else places(found, names) for found in words)
    return first, second, names


def whole_labels(name: str, labels: ArrayLike | None, rows: int) -> np.ndarray | None:
    """Whole numbers, one per row."""
    if labels is None:
        return None
    labels = check_real(name, as_array(labels, name))
    if labels.shape != (rows,):
        raise fail(name, f"one label a row ({rows})", f"shape {labels.shape}", "give those of the same file")
    if labels.dtype.kind == "f" and not (np.isfinite(labels) & (labels == np.rint(labels))).all():
        raise fail(
            name,
            "whole numbers",
            "fractions or values that are not finite",
            "number the classes, or give words",
        )
    return labels.astype(np.int64)
