r"""Batch-norm statistics for use at rest, of any network (Ioffe & Szegedy, ICML 2015, Algorithm 2).

With the trained parameters, the network runs in training mode (dropout off) over batches of data; each
`BatchNorm` then stores the means over batches of the batch means and of the unbiased batch variances.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from intertwine._checks import fail, positive_int
from intertwine.layers.dropout import Dropout
from intertwine.layers.normalisation import BatchNorm, Statistics


def calibrated(network: Any, x: Any, *, batch: int = 500) -> Any:
    """`network` with the statistics of its batch norms stored.

    network: an equinox module with `BatchNorm` layers anywhere in it; one with `outputs` takes batches
    there, any other is called with a batch. x: examples (N, ...), in memory or a memory map. batch: at
    most so many rows at once; a last batch of less than half of them is left out.

    Raises InputError where there are no examples. A network without batch norms comes back as it is.

    >>> from intertwine.symmetry import cyclic, regular
    >>> layer = calibrated(BatchNorm(regular(cyclic(2))), jnp.arange(8.0).reshape(4, 2), batch=2)
    >>> layer.stored.mean.tolist()
    [3.5]
    """
    count = len(x) if getattr(x, "ndim", 0) else 0
    if count == 0:
        raise fail("x", "examples (N, ...)", f"shape {getattr(x, 'shape', None)}")
    step = min(positive_int("batch", batch), count)
    if not batch_norms(network):
        return network
    starts = [start for start in range(0, count, step) if min(step, count - start) * 2 >= step]
    total: Any = None
    for start in starts:
        found = _statistics(network, jnp.asarray(x[start : start + step]))
        total = found if total is None else jax.tree.map(jnp.add, total, found)
    means = jax.tree.map(lambda s: s / len(starts), total)
    changed = [norm.with_statistics(s) for norm, s in zip(batch_norms(network), means, strict=True)]
    return with_batch_norms(network, changed)


class _Watched(eqx.Module):
    """A batch norm in training mode that reports its statistics."""

    norm: BatchNorm
    report: Callable[[Statistics], None]

    def __call__(self, x: Array, *, key: Array | None = None) -> Array:
        self.report(self.norm.statistics(x))
        return self.norm(x)


@eqx.filter_jit
def _statistics(network: Any, x: Array) -> list[Statistics]:
    """The statistics of every batch norm, in the order of the tree, for one batch."""
    norms = batch_norms(network)
    found: list[Any] = [None] * len(norms)
    training = [eqx.tree_at(lambda m: m.inference, norm, False) for norm in norms]
    watched = [_Watched(norm, partial(found.__setitem__, place)) for place, norm in enumerate(training)]
    network = _replaced(network, Dropout, lambda drop: eqx.tree_at(lambda m: m.inference, drop, True))
    network = with_batch_norms(network, watched)
    (network.outputs if hasattr(network, "outputs") else network)(x)
    for place, statistics in enumerate(found):
        if statistics is None:
            raise fail("network", "batch norms that are all called", f"number {place} is not")
    return found


def _replaced(network: Any, kind: type, change: Callable[[Any], Any]) -> Any:
    """The network with every layer of `kind` changed, in the order of the tree."""
    return jax.tree.map(
        lambda leaf: change(leaf) if isinstance(leaf, kind) else leaf,
        network,
        is_leaf=lambda leaf: isinstance(leaf, kind),
    )


def batch_norms(network: Any) -> list[BatchNorm]:
    """The batch norms of a network, in the order of its tree."""
    leaves = jax.tree.leaves(network, is_leaf=lambda leaf: isinstance(leaf, BatchNorm))
    return [leaf for leaf in leaves if isinstance(leaf, BatchNorm)]


def with_batch_norms(network: Any, norms: Sequence[Any]) -> Any:
    """The network with its batch norms replaced, in the order of `batch_norms`."""
    new = iter(norms)
    return _replaced(network, BatchNorm, lambda _: next(new))
