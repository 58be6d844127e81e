"""Labels as words: a class is a number inside, and its name where it is given and shown.

A network that `network_from_name(..., classes=("cat", "dog"))` built knows the names of its outputs, and so
does one that was fitted to words: they are part of it, and saved with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import PyTree
from numpy.typing import ArrayLike

from intertwine._checks import fail
from intertwine.data.labels import Names, as_words, distinct, places
from intertwine.models.network import Network
from intertwine.models.results import as_model


def names_of(model: PyTree, classes: Sequence[object] | None = None) -> Names | None:
    """The names of a network's outputs: `classes`, or those that it knows, or None."""
    known = classes
    if known is None:
        model = as_model(model)
        known = getattr(model.module if isinstance(model, Network) else model, "classes", None)
        if not isinstance(known, tuple):
            return None
    names = tuple(known) if isinstance(known, tuple | list) else ()
    if not names or len(set(names)) < len(names) or not all(isinstance(name, str) for name in names):
        raise fail("classes", "a name for each output, no two alike", classes, 'for example ("cat", "dog")')
    return tuple(map(str, names))


def numbered(y: ArrayLike, names: Names | None, argument: str = "y") -> Any:
    """Labels as numbers: words by their place in `names`, and so whole numbers where the names are such
    ("1", "2", "3": the labels of the data), anything else as it is.

    Raises InputError for words that are no class, and for words where no names are known.

    >>> numbered(["dog", "cat"], ("cat", "dog")).tolist()
    [1, 0]
    >>> numbered([3, 1], ("1", "2", "3")).tolist()
    [2, 0]
    """
    words = _as_names(y, names)
    if words is None:
        return y
    if names is None:
        remedy = "fit the network to words, or give classes=(…), the names in the order of the outputs"
        raise fail(
            argument,
            "labels 0, 1, … for a network that knows no names",
            f"words such as {str(words.flat[0])!r}",
            remedy,
        )
    found = places(words, names)
    if (found < 0).any():
        raise fail(argument, "labels among " + ", ".join(map(repr, names)), repr(str(min(words[found < 0]))))
    return found


def _as_names(y: ArrayLike, names: Names | None) -> np.ndarray | None:
    words = as_words(y)
    if words is not None or names is None or not all(name.lstrip("-").isdecimal() for name in names):
        return words
    array = np.asarray(y)
    return array.astype(str) if array.dtype.kind in "iu" else None


def named_from(y: ArrayLike, outputs: int, argument: str = "y") -> Names | None:
    """The names of the classes that labels as words have, sorted; None for other labels.

    Raises InputError where there is not one for each of the network's outputs.
    """
    words = as_words(y)
    if words is None:
        return None
    names = distinct(words)
    if len(names) != outputs:
        got = f"{len(names)}: " + ", ".join(map(repr, names[:8]))
        remedy = "give the network classes=(…), all names in an order, or as many outputs"
        raise fail(argument, f"labels of {outputs} classes, as the network has outputs", got, remedy)
    return names
