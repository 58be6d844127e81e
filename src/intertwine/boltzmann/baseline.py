r"""Independent columns: the likelihood that a model of the data must beat.

    ln p_0(v) = Σ_i ln p_i(v_i)

with the frequencies of each column (discrete units; half a row is added to every value), or a normal law of
its mean and variance (continuous ones). A row is left out of the frequencies that it is judged by, so that
few rows flatter nobody. Missing entries (nan) count for nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from intertwine._caveats import caveat
from intertwine.models.unit_kinds import unit_kind
from intertwine.models.unit_layer import UnitLayer

ERRORS = 3.0
"""So many standard errors below independent columns are told."""


def independent_columns(layer: UnitLayer, rows: Any, train: Any = None) -> np.ndarray:
    """ln p_0 of each row (rows, N), nats, float64: by the columns of `train`, or of the other rows.

    >>> rows = np.repeat([[0, 1], [1, 0]], 500, axis=0)
    >>> round(float(independent_columns(UnitLayer.of("binary", 2), rows).mean()), 2)              # −2 ln 2
    -1.39
    """
    values = np.asarray(rows, np.float64)
    seen = values if train is None else np.asarray(train, np.float64)
    own = 1.0 if train is None else 0.0
    found, begin = np.zeros(len(values)), 0
    for name, columns in layer.parts:
        part = slice(begin, begin + columns)
        begin += columns
        kind = unit_kind(name)
        if kind.states and kind.columns == 1:
            low, high = kind.states[0][0], kind.states[1][0]
            found += _frequencies(values[:, part], seen[:, part], (low, high), own)
        elif kind.states:
            count = np.nansum(seen[:, part], 0) - own * np.nan_to_num(values[:, part]) + 0.5
            groups = count.reshape(*count.shape[:-1], -1, kind.columns)
            logs = np.log(groups / groups.sum(-1, keepdims=True)).reshape(count.shape)
            found += np.nansum(values[:, part] * logs, 1)
        else:
            found += _normal(values[:, part], seen[:, part], own)
    return found


def _frequencies(values: np.ndarray, seen: np.ndarray, states: tuple[int, int], own: float) -> np.ndarray:
    low, high = states
    up, ups = (values - low) / (high - low), np.nansum((seen - low) / (high - low), 0)
    total = np.isfinite(seen).sum(0) - own * np.isfinite(values) + 1.0
    share = (ups - own * np.nan_to_num(up) + 0.5) / total
    return np.nansum(up * np.log(share) + (1 - up) * np.log1p(-share), 1)


def _normal(values: np.ndarray, seen: np.ndarray, own: float) -> np.ndarray:
    """Two numbers a column are fitted: so much is taken off for rows that they are fitted to."""
    mean, variance = np.nanmean(seen, 0), np.nanvar(seen, 0) + 1e-12
    logs = -0.5 * (np.log(2 * np.pi * variance) + (values - mean) ** 2 / variance)
    return np.nansum(logs, 1) - 2 * own * values.shape[1] / len(seen)


def complete_rows(rows: Any) -> np.ndarray | None:
    """The rows without missing entries, None where there are none."""
    values = np.asarray(rows)
    if values.dtype.kind == "f":
        values = values[np.isfinite(values).all(1)]
    return values if len(values) else None


def below_independent(found: np.ndarray, independent: np.ndarray, error: float = 0.0) -> tuple[str, ...]:
    """The caveat of rows whose ln p (rows,) lies below that of independent columns by more than chance;
    `error`: of ln Z, nats."""
    if len(found) < 2 or not np.isfinite(found).all():
        return ()
    return below_baseline(
        float(found.mean()),
        float(independent.mean()),
        float(np.hypot((found - independent).std(ddof=1) / np.sqrt(len(found)), error)),
    )


def below_baseline(mean: float, independent: float, error: float) -> tuple[str, ...]:
    """The same from the means, nats a row, and the error of their difference.

    >>> below_baseline(-30.0, -40.0, 0.1), len(below_baseline(-192.0, -107.0, 0.1))
    ((), 1)
    """
    if not mean < independent - ERRORS * error - 1e-3:
        return ()
    words = f"the log-likelihood of {mean:.4g} nats lies below that of independent columns, {independent:.4g}"
    remedy = "train longer, with a smaller learning rate, or with tempering"
    return (caveat("below-baseline", f"{words}: the machine has not learned the data; {remedy}"),)
