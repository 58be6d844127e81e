"""Inputs as numbers: the one place that says how bytes are read."""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import PyTree

from intertwine._checks import fail

_MOST = 2.0
"""Numbers beyond are none of [0, 1]: turned images may swing a little over 1 at their edges."""


def check_numbers(x: np.ndarray, network: PyTree, argument: str = "x") -> None:
    """Raise InputError for numbers far beyond 1, and no bytes, where the network read bytes as parts of 255.

    >>> from types import SimpleNamespace
    >>> check_numbers(np.array([[0.0, 200.0]]), SimpleNamespace(grey=True))
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: x: expected bytes, or numbers of [0, 1], as the network read bytes, got
    float64 up to 200; give x.astype(np.uint8), or x / 255.
    """
    if x.dtype in (np.uint8, np.bool_) or not getattr(network, "grey", False) or x.size == 0:
        return
    most = float(x.max())
    if most > _MOST:
        expected, remedy = "bytes, or numbers of [0, 1], as the network read bytes", "x.astype(np.uint8)"
        raise fail(argument, expected, f"{x.dtype} up to {most:.6g}", f"give {remedy}, or x / 255")


def as_numbers(x: Array | np.ndarray, network: PyTree, dtype: DTypeLike) -> Any:
    """x (an array of the host or of JAX) as numbers of `dtype`: bytes as parts of 255 where the network reads
    them so (`Sequential.grey`), everything else as it is.

    >>> from types import SimpleNamespace
    >>> x = np.array([0, 51], np.uint8)
    >>> as_numbers(x, SimpleNamespace(grey=True), np.float32).tolist()
    [0.0, 0.20000000298023224]
    >>> as_numbers(x, None, np.float32).tolist()
    [0.0, 51.0]
    """
    values = x.astype(dtype)
    return values / 255 if x.dtype == np.uint8 and getattr(network, "grey", False) else values
