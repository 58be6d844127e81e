r"""What it costs to carry a unit of probability from one configuration to another: d(x, y)^order.

    hamming       the number of units that differ
    euclidean     |x − y|, columns as they are
    a function    metric(x, y) of two configurations, which JAX can trace

Hamming distances of machines' units are squares, |s ∘ (x − y)|² with s = 1 for binary columns, ½ for spins,
1/√2 for the columns of Potts units, so that a table of them is one matrix product. Up to a group of
permutations of the sites, d([x], [y]) = min_g d(x, g y) is a distance of orbits: it does not see where on a
lattice a configuration lies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int, Shaped

from intertwine._checks import fail
from intertwine.models.machines.unit_layer import UnitLayer

Metric = str | Callable[..., Any]
METRICS = ("hamming", "euclidean")
_SCALES = {"binary": 1.0, "spin": 0.5}


def checked_metric(metric: Metric | None) -> Metric | None:
    """A metric, or the error that lists them."""
    if metric is None or callable(metric) or metric in METRICS:
        return metric
    raise fail("metric", "'hamming', 'euclidean' or a function of two configurations", metric)


def checked_order(order: int) -> int:
    """1 or 2."""
    if isinstance(order, bool) or order not in (1, 2):
        raise fail("order", "1 or 2", order, "1 is the earth mover's distance")
    return int(order)


def layer_cost(
    layer: UnitLayer, metric: Metric, order: int, x: Float[Array, "n N"], y: Float[Array, "m N"]
) -> Float[Array, "n m"]:
    """d^order of rows of the units of `layer`; pure, for compiled loops."""
    if callable(metric):
        return _called(metric, x, y) ** order
    if metric == "euclidean":
        squares = _squares(x, y)
        return squares if order == 2 else jnp.sqrt(squares)
    scale = jnp.asarray(hamming_scale(layer), x.dtype)
    return jnp.round(_squares(x * scale, y * scale)) ** order


def suited_metric(layer: UnitLayer | None) -> str:
    """hamming where all units have finitely many values (or nothing is known of them), else euclidean."""
    return "hamming" if layer is None or layer.is_discrete else "euclidean"


def hamming_scale(layer: UnitLayer) -> np.ndarray:
    """s (N,), see the head of this file; `InputError` for continuous units."""
    if not layer.is_discrete:
        raise fail("metric", "'euclidean' or a function for continuous columns", "hamming", "or leave it out")
    parts = [np.full(columns, _SCALES.get(kind, 0.5**0.5)) for kind, columns in layer.parts]
    return np.concatenate(parts)


def table(
    x: Shaped[np.ndarray, "n N"],
    y: Shaped[np.ndarray, "m N"],
    metric: Metric,
    order: int,
    *,
    layer: UnitLayer | None = None,
    group: Int[np.ndarray, "G N"] | None = None,
) -> Float[np.ndarray, "n m"]:
    """d^order of all pairs, float64, on the host. layer: of whose units the rows are, if of a machine; else
    every column is a unit. group: permutations of the columns over which the least distance is taken.

    >>> table(np.array([[1, -1, 1]]), np.array([[-1, 1, 1], [1, 1, 1]]), "hamming", 1).tolist()
    [[2.0, 1.0]]
    """
    if group is None:
        return _distances(x, y, metric, layer) ** order
    found = np.full((len(x), len(y)), np.inf)
    for moved in group:
        np.minimum(found, _distances(x, y[:, moved], metric, layer), out=found)
    return found**order


def _distances(x: np.ndarray, y: np.ndarray, metric: Metric, layer: UnitLayer | None) -> np.ndarray:
    from scipy.spatial.distance import cdist

    if callable(metric):
        with jax.enable_x64(True):
            found = np.asarray(_jitted(metric, _numbers(x), _numbers(y)), np.float64)
        if found.shape != (len(x), len(y)):
            raise fail("metric", "a function that gives one number", f"shape {found.shape[2:]}")
        if not (np.isfinite(found).all() and (found >= 0).all()):
            bad = found[~(np.isfinite(found) & (found >= 0))]
            raise fail("metric", "a function with finite values ≥ 0", f"{bad[0]} among its values")
        return found
    if metric == "euclidean":
        return cdist(np.asarray(x, np.float64), np.asarray(y, np.float64))
    if layer is not None:
        scale = hamming_scale(layer)
        return np.round(_host_squares(x * scale, y * scale))
    return _differing(x, y)


def _differing(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The number of columns that differ, of whole numbers."""
    values = np.unique(np.concatenate([np.unique(x), np.unique(y)]))
    if len(values) <= 2:
        u, v = ((rows == values[-1]).astype(np.float64) for rows in (x, y))
        return np.round(_host_squares(u, v))
    found = np.full((len(x), len(y)), float(x.shape[1]))
    for value in values:
        found -= (x == value).astype(np.float64) @ (y == value).astype(np.float64).T
    return found


def _host_squares(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    return np.maximum((x * x).sum(1)[:, None] + (y * y).sum(1) - 2 * x @ y.T, 0)


def _squares(x: Array, y: Array) -> Array:
    return jnp.maximum((x * x).sum(1)[:, None] + (y * y).sum(1) - 2 * x @ y.T, 0)


def _called(metric: Callable[..., Any], x: Array, y: Array) -> Array:
    return jax.vmap(lambda a: jax.vmap(lambda b: jnp.asarray(metric(a, b)))(y))(x)


_jitted = jax.jit(_called, static_argnums=0)


def _numbers(x: np.ndarray) -> np.ndarray:
    return np.asarray(x, np.float64)
