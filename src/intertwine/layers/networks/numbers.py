"""Inputs as numbers: the one place that says how bytes are read."""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import PyTree


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
