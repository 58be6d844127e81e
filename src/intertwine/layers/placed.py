"""Layers that ask where a field lives: on a family of spaces, clouds of points, every call has its geometry.

    layer(x, key=...)              on one space: a grid, a sphere, a mesh
    layer(x, at=cloud, key=...)    on any of a family: which points there are, and who is near whom

Layers that treat every point alone (linear maps, norms, non-linearities) take no `at`; what calls layers in
turn hands it on to those that do."""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import Any

from jax import Array
from jaxtyping import PyTree


def takes_place(layer: PyTree) -> bool:
    """Whether `layer` is called with `at`: it says so (`takes_at`), or has an argument of that name.

    >>> takes_place(lambda x, at: x), takes_place(lambda x: x)
    (True, False)
    """
    said = getattr(layer, "takes_at", None)
    if said is not None:
        return bool(said)
    return _has_argument(type(layer)) or (not isinstance(layer, type) and _names(layer))


def called(layer: PyTree, x: Array, at: object, key: Array | None = None) -> Any:
    """`layer(x, key=key)`, with `at` where the layer takes it.

    >>> called(lambda x, at=None, key=None: (x, at), 1, "here")
    (1, 'here')
    """
    return layer(x, at=at, key=key) if at is not None and takes_place(layer) else layer(x, key=key)


@lru_cache(maxsize=512)
def _has_argument(kind: type) -> bool:
    return _names(kind.__call__)


def _names(function: Any) -> bool:
    try:
        return "at" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
