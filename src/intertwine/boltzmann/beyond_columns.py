r"""Whether a machine has learned anything beyond independent columns, where there is something to learn.

A likelihood that equals that of independent columns is right for independent columns, and a failure for data
with modes. Which of the two it is, a mixture of products of columns tells (`models.product_mixture`), of
several widths where columns are continuous: fitted to half of the rows, it explains the other half better
than independent columns fitted to the same half do, or it does not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np

from intertwine._caveats import BASELINE_ERRORS, nothing_learned
from intertwine.boltzmann.baseline import complete_rows, independent_columns
from intertwine.boltzmann.defaults import UNSEEN
from intertwine.models.product_mixture import fitted_mixture
from intertwine.models.unit_kinds import unit_kind
from intertwine.models.unit_layer import UnitLayer

MODES, ROWS, LEAST_ROWS = 8, 1000, 40
"""Of the mixture; rows of each half, at most; rows without which nothing is judged."""
WIDTHS = (1.0, 0.5, 0.25, 0.1)
"""Of continuous columns within a mode, in units of their standard deviations."""
DOUBTFUL = 0.01
"""Nats a column from independent columns up to which a mixture is asked."""


def nothing_beyond(
    layer: UnitLayer, rows: Any, found: np.ndarray, independent: np.ndarray, error: float = 0.0
) -> tuple[str, ...]:
    """The caveat of rows whose ln p (rows,) is that of independent columns while a mixture of products does
    better; `error`: of ln Z, nats.

    >>> rng = np.random.default_rng(0)
    >>> rows = np.where(rng.random((400, 1)) < 0.5, -2, 2) + 0.3 * rng.normal(size=(400, 1))
    >>> layer = UnitLayer.of("gaussian", 1)
    >>> alone = independent_columns(layer, rows)
    >>> len(nothing_beyond(layer, rows, alone, alone)), nothing_beyond(layer, rows, alone + 1, alone)
    (1, ())
    """
    if len(found) < LEAST_ROWS or not (np.isfinite(found).all() and np.isfinite(independent).all()):
        return ()
    gains = found - independent
    gain, error = float(gains.mean()), float(np.hypot(gains.std(ddof=1) / np.sqrt(len(gains)), error))
    if abs(gain) > BASELINE_ERRORS * error + DOUBTFUL * layer.count:
        return ()
    known = mixture_gain(layer, rows)
    return () if known is None else nothing_learned(gain, *known)


def mixture_gain(layer: UnitLayer, rows: Any) -> tuple[float, float] | None:
    """By how much a mixture of products explains rows (rows, N) better than independent columns, nats a row,
    and its error; None where that cannot be judged.

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
    found = []
    for width in WIDTHS if real.any() else WIDTHS[:1]:
        log_variance = np.full(real.sum(), 2 * np.log(width), np.float32) if real.any() else None
        mixture = fitted_mixture(replace(layer, log_variance=log_variance), train, MODES, floor=floor)
        gains = np.asarray(mixture.log_probability(jnp.asarray(test, jnp.float32)), np.float64) - alone
        found.append((float(gains.mean()), float(gains.std(ddof=1) / np.sqrt(len(gains)))))
    return max(found)
