r"""Where learning begins: visible biases with which a machine has the means of the data, column by column.

    E[v_i | θ_i] = ⟨v_i⟩_data,     a = θ − W λ,     λ = E[h | ⟨v⟩_data]

(Hinton, A practical guide to training RBMs, 2010, section 8). It is the one rule for the function, the
estimators and the command: a machine that begins elsewhere spends its updates on finding the means, and with
rare ones and few updates ends below independent columns. A value that none of n rows has is counted as a
third of a row (Kerman, Electron. J. Stat. 5, 1450 (2011)).

A machine that has learned already keeps its biases: `begin="auto"` compares how well both explain the data,
each from its own hidden means,

    ⟨v·f − A(f)⟩_data,     f = a + W E[h|v].
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import Array

from intertwine._checks import one_of
from intertwine.boltzmann.defaults import MEAN_ROWS, UNSEEN
from intertwine.learning.batches import Batches
from intertwine.models.tempered import base_rate
from intertwine.models.unit_layer import UnitLayer

BEGINNINGS = ("auto", "data", "model")
COMPARED_ROWS = 500
"""Rows on which two beginnings are compared."""


def begun(model: Any, batches: Batches, begin: str = "auto") -> Any:
    """`model`, an RBM or a DBM, with the visible biases at which its learning of the data begins.

    begin: "data", "model" (the biases as they are), or "auto": whichever explains the data better.

    Raises InputError for another word.
    """
    if one_of("begin", begin, BEGINNINGS) == "model":
        return model
    rows, weights = seen(batches, MEAN_ROWS)
    known = ~np.isnan(rows)
    share = known if weights is None else known * np.asarray(weights)[:, None]
    mean = (np.where(known, rows, 0) * share).sum(0) / np.maximum(share.sum(0), np.finfo(float).tiny)
    rows = np.where(known, rows, mean)
    there = _with_means(model, jnp.asarray(field_of_means(_layers(model)[0], mean, batches.rows)), mean)
    if begin == "data":
        return there
    some = jnp.asarray(rows[:: -(-len(rows) // COMPARED_ROWS)])
    return there if _explained(there, some) > _explained(model, some) else model


def field_of_means(layer: UnitLayer, mean: Any, rows: int) -> np.ndarray:
    """The fields (N,) in which independent units have the `mean` (N,) of so many `rows`.

    >>> field_of_means(UnitLayer.of("binary", 2), [0.5, 0.0], rows=33).round(3).tolist()    # 0 as 1/3 of 33
    [0.0, -4.595]
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


def _layers(model: Any) -> tuple[UnitLayer, ...]:
    return getattr(model, "layers", None) or (model.visible_layer, model.hidden_layer)


def _lowest(model: Any) -> tuple[Array, Array, Array]:
    """(visible biases, biases of the first hidden layer, weights between them)."""
    if hasattr(model, "biases"):
        return model.biases[0], model.biases[1], model.weights[0]
    return model.visible_bias, model.hidden_bias, model.weights


def _with_means(model: Any, fields: Array, mean: Any) -> Any:
    a, b, w = _lowest(model)
    hidden = _layers(model)[1].mean(b + jnp.asarray(mean, w.dtype) @ w)
    found = (fields - w @ hidden).astype(a.dtype)
    return eqx.tree_at(lambda m: _lowest(m)[0], model, found)


def _explained(model: Any, rows: Array) -> float:
    """Mean of v·f − A(f) over the rows, the base energies left out."""
    (a, b, w), (visible, hidden) = _lowest(model), _layers(model)[:2]
    v = rows.astype(w.dtype)
    fields = a + hidden.mean(b + v @ w) @ w.T
    return float(((v * fields).sum(-1) - visible.log_partition(fields)).mean())
