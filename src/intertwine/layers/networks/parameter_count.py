r"""How many numbers a network learns, and the width that gives a wanted number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PyTree

from intertwine._checks import positive_int
from intertwine._results import as_model


def parameter_count(network: PyTree) -> int:
    """The number of learned parameters; batch-norm statistics are none.

    >>> from intertwine.layers.norms.normalisation import BatchNorm
    >>> from intertwine.symmetry import cyclic, regular
    >>> parameter_count(BatchNorm(3 * regular(cyclic(4))))
    6
    """
    network = as_model(network)
    return sum(leaf.size for leaf in jax.tree.leaves(eqx.filter(network, _is_number)))


def width_for(parameters: int, build: Callable[[int], Any], *, most: int = 512) -> int:
    """The width whose network has the number of parameters nearest to `parameters`.

    build: width → network, more parameters for greater width. most: the largest width that is tried.

    >>> from intertwine.layers.norms.normalisation import BatchNorm
    >>> from intertwine.symmetry import cyclic, regular
    >>> width_for(21, lambda width: BatchNorm(width * regular(cyclic(4))))
    10
    """
    wanted, most = positive_int("parameters", parameters), positive_int("most", most)
    counts: dict[int, int] = {}

    def count(width: int) -> int:
        if width not in counts:
            counts[width] = parameter_count(eqx.filter_eval_shape(build, width))
        return counts[width]

    low, high = 1, 2
    while high < most and count(high) < wanted:
        low, high = high, 2 * high
    high = min(high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) < wanted else (low, middle)
    return min((low, high), key=lambda width: abs(count(width) - wanted))


def _is_number(leaf: object) -> bool:
    return eqx.is_inexact_array(leaf) or (
        isinstance(leaf, jax.ShapeDtypeStruct) and jnp.issubdtype(leaf.dtype, jnp.inexact)
    )
