r"""Whether a machine has learned what is beyond independent columns, where there is something to learn.

A likelihood that equals that of independent columns is right for independent columns, and a failure for data
with modes; one above it may still miss modes (fewer hidden units than clusters, too few updates). How much
there is to learn, a mixture of products of columns tells (`models.product_mixture`), of several widths where
columns are continuous: fitted to half of the rows, it explains the other half by so much better than
independent columns fitted to the same half do. A machine that gains far less is a worse model than that.
"""

from __future__ import annotations

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from intertwine._caveats import BASELINE_ERRORS, short_of_mixture
from intertwine.boltzmann.baseline import complete_rows, independent_columns
from intertwine.boltzmann.defaults import UNSEEN
from intertwine.models.machines.product_mixture import fitted_mixture
from intertwine.models.machines.unit_kinds import unit_kind
from intertwine.models.machines.unit_layer import UnitLayer

ROWS, LEAST_ROWS = 1000, 40
"""Rows of each half, at most; rows without which nothing is judged."""
MODES, MODE_ROWS = (8, 32), 12
"""Of the mixture, at least and at most; rows for each between."""
WIDTHS = (1.0, 0.5, 0.25, 0.1)
"""Of continuous columns within a mode, in units of their standard deviations."""
DOUBTFUL = 0.01
"""Nats a column below independent columns from which a mixture need not be asked."""


def beyond_columns(
    layer: UnitLayer, rows: ArrayLike, found: np.ndarray, independent: np.ndarray, error: float = 0.0
) -> tuple[str, ...]:
    """The caveat of rows (rows, N) whose ln p `found` (rows,) gains far less over independent columns than a
    mixture of products does; () also where it lies below the columns, which is told elsewhere. `error`: of
    ln Z, nats. Rows with missing entries do not count.

    >>> rng = np.random.default_rng(0)
    >>> rows = np.where(rng.random((400, 1)) < 0.5, -2, 2) + 0.3 * rng.normal(size=(400, 1))
    >>> layer = UnitLayer.of("gaussian", 1)
    >>> alone = independent_columns(layer, rows)
    >>> [len(beyond_columns(layer, rows, alone + gain, alone)) for gain in (0, 0.5, 1)]
    [1, 1, 0]
    """
    values = np.asarray(rows)
    if values.dtype.kind == "f" and not (known := np.isfinite(values).all(1)).all():
        values, found, independent = values[known], found[known], independent[known]
    if len(found) < LEAST_ROWS or not (np.isfinite(found).all() and np.isfinite(independent).all()):
        return ()
    gains = found - independent
    gain, error = float(gains.mean()), float(np.hypot(gains.std(ddof=1) / np.sqrt(len(gains)), error))
    if gain < -BASELINE_ERRORS * error - DOUBTFUL * layer.count:
        return ()
    best = mixture_gain(layer, values)
    return () if best is None else short_of_mixture(gain, *best, error)


def mixture_gain(layer: UnitLayer, rows: ArrayLike) -> tuple[float, float] | None:
    """By how much a mixture of products explains rows (rows, N) better than independent columns, nats per
    row, and its error; None where that cannot be decided.

    >>> bits = np.random.default_rng(0).integers(0, 2, (500, 4))
    >>> gain, error = mixture_gain(UnitLayer.of("binary", 4), bits)
    >>> gain < 3 * error
    True
    """
    values = complete_rows(rows)
    if values is None or len(values) < LEAST_ROWS or "rectified" in dict(layer.parts):
        return None
    order = np.random.default_rng(1).permutation(len(values))[: 2 * ROWS]
    train, test = np.array_split(np.asarray(values, np.float64)[order], 2)
    real = np.concatenate([np.full(n, not unit_kind(kind).states) for kind, n in layer.parts])
    offset, scale = train[:, real].mean(0), train[:, real].std(0)
    if not (scale > 1e-6 * np.maximum(1, np.abs(offset))).all():
        return None
    for part in (train, test):
        part[:, real] = (part[:, real] - offset) / scale
    alone = independent_columns(layer, test, train)
    floor = min(0.02, UNSEEN / len(train))
    modes = int(np.clip(len(train) // MODE_ROWS, *MODES))
    found = []
    for width in WIDTHS if real.any() else WIDTHS[:1]:
        log_variance = np.full(real.sum(), 2 * np.log(width), np.float32) if real.any() else None
        mixture = fitted_mixture(replace(layer, log_variance=log_variance), train, modes, floor=floor)
        gains = np.asarray(mixture.log_probability(jnp.asarray(test, jnp.float32)), np.float64) - alone
        found.append((float(gains.mean()), float(gains.std(ddof=1) / np.sqrt(len(gains)))))
    return max(found)
