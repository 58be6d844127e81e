r"""A stack of restricted Boltzmann machines, trained one after another: what the deep machines begin with.

The machine k + 1 learns the hidden units that the trained machines 1, …, k make of the data,

    hᵏ ~ q(hᵏ|hᵏ⁻¹) ⋯ q(h¹|v),        v ~ data,

(Hinton, Osindero & Teh, Neural Comput. 18, 1527, 2006). If it starts as the machine below turned upside down
(`transposed`), its visible units have the law that the machine below gives its hidden ones; every nat that it
then learns is a nat of the bound on ln p(v). Rows of hᵏ are drawn anew every few epochs, a block at a time,
and written to a temporary file where they are many, so that memory does not grow with the data.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike

from intertwine._checks import fail, positive_int
from intertwine.learning.batches import binarised, check_probabilities, host_array
from intertwine.models.machines.directed_layer import DirectedLayer
from intertwine.models.machines.rbm import RBM
from intertwine.models.parameters import normal

IN_MEMORY = 2**28
"""Bytes of hidden units that are kept in memory; more are kept in a temporary file."""
_BLOCK = 1000


def upward_layers(rbms: Sequence[RBM]) -> tuple[DirectedLayer, ...]:
    """q(h|v) of each machine, the lowest first.

    >>> rbm = RBM(4, hidden=3, key=jax.random.key(0))
    >>> upward_layers([rbm])[0].outputs
    3
    """
    return tuple(DirectedLayer(r.weights, r.hidden_bias, r.hidden_layer) for r in rbms)


def representation(
    layers: Sequence[DirectedLayer],
    data: ArrayLike,
    *,
    means: bool = False,
    binarise: bool = False,
    in_memory: int = IN_MEMORY,
    key: Array,
) -> np.ndarray:
    """The hidden units (rows, M) that `layers`, one above another, make of `data` (rows, N).

    means: each layer's means instead of draws. binarise: the data are probabilities, and each row is drawn
    from them first. in_memory: bytes above which the result is a memory map of a temporary file, which is
    gone with the array.

    Draws of units with finitely many values are int8, other values are of the layers' type.

    Raises InputError for data of another width, and probabilities that are none.

    >>> layer = DirectedLayer(jnp.zeros((3, 2)), jnp.array([-50.0, 50.0]), RBM(2, 2, units="binary",
    ...     key=jax.random.key(0)).visible_layer)
    >>> representation([layer], [[0, 1, 1], [1, 0, 0]], key=jax.random.key(0)).tolist()
    [[0, 1], [0, 1]]
    """
    rows = host_array(data)
    layers = tuple(layers)
    if rows.ndim != 2 or rows.shape[1] != layers[0].inputs:
        raise fail("data", f"rows of {layers[0].inputs} columns", f"shape {rows.shape}")
    if binarise:
        check_probabilities(rows)
    dtype = layers[0].weights.dtype if means or not layers[-1].layer.is_discrete else np.int8
    found = _empty((len(rows), layers[-1].outputs), np.dtype(dtype), in_memory)
    for number, begin in enumerate(range(0, len(rows), _BLOCK)):
        part = np.asarray(rows[begin : begin + _BLOCK])
        short = min(_BLOCK, len(rows)) - len(part)
        filled = np.concatenate([part, np.repeat(part[-1:], short, axis=0)]) if short else part
        values = _lifted(layers, filled, jax.random.fold_in(key, number), means=means, binarise=binarise)
        found[begin : begin + len(part)] = np.asarray(values)[: len(part)]
    return found


def transposed(rbm: RBM, hidden: int, *, scale: float = 0.01, key: Array) -> RBM:
    """The machine above `rbm` that starts as `rbm` turned upside down: its visible units have the law of
    `rbm`'s hidden ones, exactly if `hidden` is `rbm.size`.

    hidden: its hidden units, at least `rbm.size`; those beyond it, of the same kind, start with normal
    weights of standard deviation `scale` and do nothing at 0.

    Raises InputError for fewer hidden units.

    >>> rbm = RBM(4, hidden=3, key=jax.random.key(0))
    >>> above = transposed(rbm, 6, key=jax.random.key(1))
    >>> above.size, above.hidden, bool((above.weights[:, :4] == rbm.weights.T).all())
    (3, 6, True)
    """
    more = positive_int("hidden", hidden) - rbm.size
    if more < 0 or (more > 0 and not isinstance(rbm.units, str)):
        raise fail("hidden", f"{rbm.size} hidden units or more, all of one kind", hidden)
    dtype = rbm.weights.dtype
    weights = jnp.concatenate([rbm.weights.T, normal(key, (rbm.hidden, more), dtype, scale)], axis=1)
    bias = jnp.concatenate([rbm.visible_bias, jnp.zeros(more, dtype)])
    return RBM.from_parameters(rbm.hidden_bias, bias, weights, units=rbm.hidden_units, hidden_units=rbm.units)


def can_transpose(below: RBM, above: RBM) -> bool:
    """Whether a machine of `above`'s sizes and kinds can start as `below` turned upside down."""
    if below.visible_layer.log_variance is not None:
        return False
    if above.hidden_layer == below.visible_layer:
        return True
    return isinstance(below.units, str) and below.units == above.hidden_units and above.hidden >= below.size


@partial(jax.jit, static_argnames=("means", "binarise"))
def _lifted(layers: tuple[DirectedLayer, ...], x: Array, key: Array, *, means: bool, binarise: bool) -> Array:
    dtype = layers[0].weights.dtype
    x = binarised(jnp.asarray(x), dtype, key=jax.random.fold_in(key, len(layers))) if binarise else x
    for k, layer in enumerate(layers):
        x = layer.mean(x) if means else layer.sample(x, key=jax.random.fold_in(key, k))
    return x.astype(jnp.int8) if layers[-1].layer.is_discrete and not means else x


def _empty(shape: tuple[int, int], dtype: np.dtype, in_memory: int) -> np.ndarray:
    size = int(np.prod(shape)) * dtype.itemsize
    if size <= in_memory:
        return np.empty(shape, dtype)
    with tempfile.TemporaryFile(prefix="intertwine-") as file:  # the map keeps it until it is gone itself
        file.truncate(size)
        return np.memmap(file, dtype, "r+", shape=shape)
