r"""Where learning begins: visible biases with which a machine has the means of the data, column by column.

    E[v_i | θ_i] = ⟨v_i⟩_data,     a = θ − W λ,     λ = E[h | ⟨v⟩_data]

(Hinton, A practical guide to training RBMs, 2010, section 8). It is the one rule for the function, the
estimators and the command: a machine that begins elsewhere spends its updates on finding the means, and with
rare ones and few updates ends below independent columns. A value that none of n rows has is counted as a
third of a row (Kerman, Electron. J. Stat. 5, 1450 (2011)).

A machine that has learned already keeps its biases: `begin="auto"` compares how well both explain the data,
each from its own hidden means,

    ⟨v·f − base(v) − A(f)⟩_data,     f = a + W E[h|v].

Where the means of the data gain less than CLEARLY nats per column on a machine that explains the rows better
than independent columns, it has learned, and its biases stay.

Gaussian columns, which have widths to learn, begin at the normal distribution of the data
(`normal_beginning`).
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import PyTree
from numpy.typing import ArrayLike

from intertwine._checks import fail, one_of
from intertwine.boltzmann.defaults import MEAN_ROWS, UNSEEN
from intertwine.learning.batches import Batches
from intertwine.models.machines.base_rate import base_rate
from intertwine.models.machines.unit_kinds import unit_kind
from intertwine.models.machines.unit_layer import UnitLayer

BEGINNINGS = ("auto", "data", "model")
COMPARED_ROWS = 500
"""Rows on which two beginnings are compared."""
CLEARLY = 0.01
"""Nats per column by which the means of the data have to explain the rows better than the biases at hand."""


def begun(model: PyTree, batches: Batches, begin: str = "auto") -> Any:
    """`model`, an RBM or a DBM, with the visible biases at which its learning of the data begins.

    begin: "data", "model" (the biases as they are), or "auto": "data" where it explains the data clearly
        better.

    Raises InputError for another word.
    """
    if one_of("begin", begin, BEGINNINGS) == "model":
        return model
    rows, weights = seen(batches, MEAN_ROWS)
    mean = known_means(rows, weights)
    rows = np.where(np.isnan(rows), mean, rows)
    there = normal_beginning(model, rows, weights)
    fields = jnp.asarray(field_of_means(_layers(there)[0], mean, batches.rows))
    there = _with_means(there, fields, mean)
    if begin == "data":
        return there
    some = jnp.asarray(rows[:: -(-len(rows) // COMPARED_ROWS)])
    own, margin = _explained(model, some), CLEARLY * some.shape[1]
    gained = _explained(there, some) - own
    if 0 < gained <= margin:  # little to gain: because it has learned, or because there is nothing to learn
        apart = eqx.tree_at(lambda m: _lowest(m)[2], there, jnp.zeros_like(_lowest(there)[2]))
        return model if own > _explained(_with_means(apart, fields, mean), some) + margin else there
    return there if gained > 0 else model


def unseen_means(layer: UnitLayer, batches: Batches) -> np.ndarray:
    """What values that no row has add to the means of the columns, (N,): UNSEEN of a row each, 0 in columns
    where all values are met, and in continuous ones.

    >>> unseen_means(UnitLayer.of("binary", 2), Batches(np.array([[0, 0], [0, 1], [0, 1]]))).round(3).tolist()
    [0.02, 0.0]
    """
    mean = known_means(*seen(batches, MEAN_ROWS))
    begun = np.asarray(layer.mean(jnp.asarray(field_of_means(layer, mean, batches.rows))), np.float64)
    found, place = np.zeros(layer.size), 0
    for kind, columns in layer.parts:
        part = slice(place, place + columns)
        place += columns
        if unit_kind(kind).states:
            found[part] = (begun - mean)[part]
    return np.where(np.abs(found) > 1e-6 / max(batches.rows, 1), found, 0.0)


def known_means(rows: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Of the entries of each column that are not nan, (N,). weights: of the rows."""
    known = ~np.isnan(rows)
    share = known if weights is None else known * np.asarray(weights)[:, None]
    return (np.where(known, rows, 0) * share).sum(0) / np.maximum(share.sum(0), np.finfo(float).tiny)


def normal_beginning(model: PyTree, rows: np.ndarray, weights: np.ndarray | None = None) -> Any:
    r"""`model` with widths, weights and hidden biases at which its Gaussian visible columns have nearly the
    normal distribution of the rows; other machines as they are.

    On a principal axis y of the standardised columns, with variance λ > σ², K two-state hidden units add

        Σ_k ln(1 + e^{u(y − y_k)}) ≅ ½ y² (1/σ² − 1/λ),      u = 6√λ (1/σ² − 1/λ)/K,

    a parabola made of K bends that lie evenly over ±3√λ: ln p(y) = −y²/2λ. σ² is as small as the bends of all
    axes can follow (`_width`), so that learning may cut modes out of the normal distribution without waiting
    for σ. Other hidden units than two-state ones begin at independent columns.
    """
    visible, hidden = _layers(model)[:2]
    if visible.log_variance is None:
        return model
    columns = visible.gaussian_columns
    v = rows[:, columns]
    mean = np.average(v, axis=0, weights=weights)
    deviation = np.sqrt(np.average((v - mean) ** 2, axis=0, weights=weights))
    far = (deviation > 0) & (np.abs(mean) > MOST_OFF * deviation)
    if far.any() and model.weights.dtype == jnp.float32:
        at = int(np.argmax(far))
        got = f"column {columns[at]}: {mean[at]:.6g} ± {deviation[at]:.2g}"
        remedy = "subtract the means: energies in float32 do not resolve such columns"
        raise fail("data", f"means within {MOST_OFF:.0f} standard deviations of 0", got, remedy)
    deviation = np.where(deviation > 1e-6 * np.maximum(np.abs(mean), 1e-30), deviation, 1.0)
    a, b, w = (np.asarray(x, np.float64) for x in _lowest(model))
    log_variance = 2 * np.log(deviation)
    if hidden.is_two_state:
        share = np.full(len(v), 1 / len(v)) if weights is None else weights / weights.sum()
        least, own, bends = _bent((v - mean) / deviation * np.sqrt(share)[:, None], w.shape[1])
        own, bends = (own / 2, bends / 2) if hidden.spec == "spin" else (own, bends)
        w = w.copy()
        w[columns] = (own + w[columns]) / deviation[:, None]
        b, log_variance = bends - mean @ w[columns], log_variance + np.log(least)
    layer = visible.with_widths(jnp.asarray(log_variance, visible.log_variance.dtype))
    parts = tuple(jnp.asarray(x, model.weights.dtype) for x in (a, b, w))
    model = eqx.tree_at(_lowest, model, parts)
    return eqx.tree_at(lambda m: m.visible_layer, model, layer)


MOST_OFF = 300.0
"""Standard deviations that the mean of a column may lie from 0 in float32."""
REACH = 3.0
"""Standard deviations over which the bends of an axis lie."""
BEND = 8.0
"""Slope of a bend times the distance to the next, at most: 4 is the width of a bend."""
LEAST_WIDTH = 0.02
"""σ² as a share of the largest variance of an axis, at least."""


def _bent(u: np.ndarray, units: int) -> tuple[float, np.ndarray, np.ndarray]:
    """(σ², weights (N, M), biases (M,)) of rows whose products sum to their correlations."""
    step = -(-len(u) // MOST_FOR_AXES) if u.shape[1] > len(u) // 4 else 1
    _, values, axes = np.linalg.svd(u[::step] * np.sqrt(step), full_matrices=False)
    spread = values**2
    variance = _width(spread, u.shape[1], units)
    wanted = _needed(spread, variance)
    w, b = np.zeros((u.shape[1], units)), np.zeros(units)
    if wanted.sum() == 0:
        return variance, w, b
    exact = wanted / wanted.sum() * units
    counts = np.floor(exact).astype(int)
    counts[np.argsort(counts - exact)[: units - counts.sum()]] += 1
    place = 0
    for axis, lam, count in zip(axes, spread, counts, strict=True):
        if count:
            here = slice(place, place + count)
            bends = REACH * np.sqrt(lam) * ((2 * np.arange(count) + 1) / count - 1)
            slope = 2 * REACH * np.sqrt(lam) * (1 / variance - 1 / lam) / count
            w[:, here], b[here], place = axis[:, None] * slope, -slope * bends, place + count
    return variance, w, b


MOST_FOR_AXES = 2000
"""Rows of which the axes of wide data are taken."""


def _needed(spread: np.ndarray, variance: float) -> np.ndarray:
    """Units that each axis needs for bends of at most BEND."""
    return 2 * REACH * np.sqrt(np.maximum(spread / variance - 1, 0) / BEND)


def _width(spread: np.ndarray, columns: int, units: int) -> float:
    """σ² of standardised columns: the least for which all axes have bends enough, at most the mean variance
    that is left by as many axes as have four units each (Tipping & Bishop 1999)."""
    low, high = LEAST_WIDTH * spread[0], spread[0]
    for _ in range(50):
        middle = np.sqrt(low * high)
        enough = _needed(spread, middle).sum() <= units
        low, high = (low, middle) if enough else (middle, high)
    axes = min(max(units // 4, 1), columns - 1, len(spread))
    left = max(columns - spread[:axes].sum(), 0) / max(columns - axes, 1)
    return float(max(min(high, left if axes else high), LEAST_WIDTH * spread[0], 1e-3))


def field_of_means(layer: UnitLayer, mean: ArrayLike, rows: int) -> np.ndarray:
    """The fields (N,) in which independent units have the `mean` (N,) of so many `rows`.

    >>> field_of_means(UnitLayer.of("binary", 2), [0.5, 0.0], rows=33).round(3).tolist()    # 0 as 1/3 of 33
    [0.0, -4.585]
    """
    return base_rate(layer, mean, floor=min(0.02, UNSEEN / max(rows, 1)))


def seen(batches: Batches, most: int) -> tuple[np.ndarray, np.ndarray | None]:
    """At most `most` rows (float64) that lie evenly among all, as probabilities where they are drawn from,
    and their weights."""
    step = -(-batches.rows // most)
    rows = np.asarray(batches.arrays[0][::step], np.float64)
    if batches.binarise and batches.arrays[0].dtype == np.uint8:
        rows = rows / 255
    return rows, batches.arrays[1][::step] if len(batches.arrays) > 1 else None


def _layers(model: PyTree) -> tuple[UnitLayer, ...]:
    return getattr(model, "layers", None) or (model.visible_layer, model.hidden_layer)


def _lowest(model: PyTree) -> tuple[Array, Array, Array]:
    """(visible biases, biases of the first hidden layer, weights between them)."""
    if hasattr(model, "biases"):
        return model.biases[0], model.biases[1], model.weights[0]
    return model.visible_bias, model.hidden_bias, model.weights


def _with_means(model: PyTree, fields: Array, mean: ArrayLike) -> Any:
    a, b, w = _lowest(model)
    hidden = _layers(model)[1].mean(b + jnp.asarray(mean, w.dtype) @ w)
    found = (fields - w @ hidden).astype(a.dtype)
    return eqx.tree_at(lambda m: _lowest(m)[0], model, found)


def _explained(model: PyTree, rows: Array) -> float:
    """Mean of v·f − base(v) − A(f) over the rows."""
    (a, b, w), (visible, hidden) = _lowest(model), _layers(model)[:2]
    v = rows.astype(w.dtype)
    fields = a + hidden.mean(b + v @ w) @ w.T
    return float(((v * fields).sum(-1) - visible.base(v) - visible.log_partition(fields)).mean())
