"""Labels of rows: whole numbers, or words, which are numbered in their order."""

from __future__ import annotations

from typing import Any

import numpy as np

from intertwine._checks import fail
from intertwine.data.arrays import as_array
from intertwine.data.values import check_real
from intertwine.data.words import are_words

Names = tuple[str, ...]


def numbered(labels: Any, test_labels: Any) -> tuple[Any, Any, Names | None]:
    """Labels of both parts with the same words numbered alike, and the words; others as they are, and None.

    >>> numbered(["dog", "cat"], np.array(["dog"]))
    (array([1, 0]), array([1]), ('cat', 'dog'))
    """
    given = [part for part in (labels, test_labels) if part is not None]
    if not given or not all(are_words(part) for part in given):
        return labels, test_labels, None
    texts = [np.asarray(part).astype(str) for part in given]
    names, numbers = np.unique(np.concatenate([text.reshape(-1) for text in texts]), return_inverse=True)
    parts = np.split(numbers.reshape(-1), [texts[0].size])
    first, *rest = (part.reshape(text.shape) for part, text in zip(parts, texts, strict=False))
    named = tuple(map(str, names))
    return (first, rest[0] if rest else None, named) if labels is not None else (None, first, named)


def whole_labels(name: str, labels: Any, rows: int) -> np.ndarray | None:
    """Whole numbers, one a row."""
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
