r"""Batch norms of any network: how it runs in training, and their statistics from data.

A network that is called takes the statistics that its batch norms keep (`normalisation`). In training,
`train_outputs` takes those of the batch, and gives the network back with its running means moved on:

    def loss(network, x, y):
        scores, network = it.layers.train_outputs(network, x, key=key)
        return cross_entropy(scores, y), network                  # has_aux=True: statistics are data

`calibrated` takes them from data anew: with the parameters as they are the network runs over batches, and
each norm keeps the means over batches of the batch means and of the unbiased batch variances (Ioffe &
Szegedy, ICML 2015, Algorithm 2), without dropout, as in inference.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, PyTree, Shaped

from intertwine._checks import fail, positive_int
from intertwine._results import as_model
from intertwine.layers.norms.normalisation import BatchNorm, Statistics

_AXIS = "examples"


def train_outputs(
    network: PyTree, x: Shaped[Array, "B ..."], *, key: Array | None = None
) -> tuple[Float[Array, "B ..."], Any]:
    """(outputs of a batch in training, the network with the running statistics of its batch norms moved on).

    network: an equinox module; one with `outputs` takes the batch there, any other is called with one example
    at a time. x: examples (B, ...). key: for dropout, which rests without one.

    For training loops of one's own; `fit_supervised` does it itself.

    >>> from intertwine.symmetry import cyclic, regular
    >>> layer, x = BatchNorm(regular(cyclic(2))), jnp.arange(8.0).reshape(4, 2)
    >>> outputs, layer = train_outputs(layer, x)
    >>> layer.statistics.mean.tolist(), bool(jnp.allclose(layer(x).mean(), outputs.mean(), atol=1e-6))
    ([3.5], True)
    """
    network = as_model(network)
    outputs, found = outputs_and_statistics(network, x, key=key)
    return outputs, with_batch_norms(network, moved(batch_norms(network), found))


def calibrated(network: PyTree, x: Array | np.ndarray, *, batch: int = 500) -> Any:
    """`network` with the statistics of its batch norms taken from x, at the parameters that it has.

    network: as in `train_outputs`. x: examples (N, ...), in memory or a memory map. batch: at most so many
    rows at once; a last batch of less than half of them is left out.

    Raises InputError where there are no examples. A network without batch norms comes back as it is.

    >>> from intertwine.symmetry import cyclic, regular
    >>> layer = calibrated(BatchNorm(regular(cyclic(2))), jnp.arange(8.0).reshape(4, 2), batch=2)
    >>> layer.statistics.mean.tolist()
    [3.5]
    """
    network = as_model(network)
    count = len(x) if getattr(x, "ndim", 0) else 0
    if count == 0:
        raise fail("x", "examples (N, ...)", f"shape {getattr(x, 'shape', None)}")
    step = min(positive_int("batch", batch), count)
    norms = batch_norms(network)
    if not norms:
        return network
    starts = [start for start in range(0, count, step) if min(step, count - start) * 2 >= step]
    total: Any = None
    for start in starts:
        found = _statistics(network, jnp.asarray(x[start : start + step]))
        if None in found:
            raise fail("network", "batch norms that are all called", f"number {found.index(None)} is not")
        total = found if total is None else jax.tree.map(jnp.add, total, found)
    means = jax.tree.map(lambda s: s / len(starts), total)
    return with_batch_norms(network, [n.with_statistics(s) for n, s in zip(norms, means, strict=True)])


def outputs_and_statistics(
    network: PyTree, x: Array, *, key: Array | None = None, resting: bool = False
) -> tuple[Array, list[Statistics | None]]:
    """(outputs, the batch's statistics of each batch norm, None for one that is not called), in training, or
    without dropout and the like."""
    module = eqx.nn.inference_mode(network, value=resting)
    norms = batch_norms(module)
    if hasattr(module, "outputs"):
        run, found = _watched(module, norms, None)
        return run.outputs(x, key=key), [_mean(batches) for batches in found]
    takes_key = "key" in inspect.signature(module).parameters

    def one(x: Array, key: Array | None) -> tuple[Array, list[Statistics | None]]:
        run, found = _watched(module, norms, _AXIS)
        out = run(x, key=key) if takes_key else run(x)
        return out, [_mean(batches) for batches in found]

    keys = None if key is None else jax.random.split(key, len(x))
    axes = (0, None if key is None else 0)
    return jax.vmap(one, in_axes=axes, out_axes=(0, None), axis_name=_AXIS)(x, keys)


def moved(norms: Sequence[BatchNorm], found: Sequence[Statistics | None]) -> list[BatchNorm]:
    """The norms after one more batch."""
    return [n if s is None else n.moved(s) for n, s in zip(norms, found, strict=True)]


class _Watched(eqx.Module):
    """A batch norm in training, which tells the statistics of its batches."""

    norm: BatchNorm
    report: Callable[[Statistics], None]
    axis: str | None

    def __call__(self, x: Array, *, key: Array | None = None) -> Array:
        y, statistics = self.norm.normalised(x, self.axis)
        self.report(statistics)
        return y


def _watched(
    module: object, norms: Sequence[BatchNorm], axis: str | None
) -> tuple[Any, list[list[Statistics]]]:
    found: list[list[Statistics]] = [[] for _ in norms]
    marked = [_Watched(norm, batches.append, axis) for norm, batches in zip(norms, found, strict=True)]
    return (with_batch_norms(module, marked) if norms else module), found


def _mean(batches: list[Statistics]) -> Statistics | None:
    """Of a norm that was called more than once, the mean."""
    return jax.tree.map(lambda *s: sum(s) / len(s), *batches) if batches else None


@eqx.filter_jit
def _statistics(network: PyTree, x: Array) -> list[Statistics | None]:
    return outputs_and_statistics(network, x, resting=True)[1]


def batch_norms(network: PyTree) -> list[BatchNorm]:
    """The batch norms of a network, in the order of its tree."""
    leaves = jax.tree.leaves(network, is_leaf=lambda leaf: isinstance(leaf, BatchNorm))
    return [leaf for leaf in leaves if isinstance(leaf, BatchNorm)]


def with_batch_norms(network: PyTree, norms: Sequence[Any]) -> Any:
    """The network with its batch norms replaced, in the order of `batch_norms`."""
    new = iter(norms)
    return jax.tree.map(
        lambda leaf: next(new) if isinstance(leaf, BatchNorm) else leaf,
        network,
        is_leaf=lambda leaf: isinstance(leaf, BatchNorm),
    )
