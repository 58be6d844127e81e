r"""Independent columns: the likelihood that a model of the data must beat.

    ln p_0(v) = Σ_i ln p_i(v_i)

with the frequencies of each column (discrete units; a value that no row has counts as a third of a row, as
where learning begins, `beginning`), or a normal law of its mean and variance (continuous ones). A row is left
out of the frequencies that it is judged by, so that few rows flatter nobody. Missing entries (nan) count for
nothing.

Columns fitted to the very rows that are judged know more than any model of other rows can: of rows of
one mode out of several they tell which mode it is. So a verdict on what a machine has learned takes the
columns of the rows that it learned from. A continuous column without variance has a density without
bound: nothing is judged.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from intertwine._caveats import below_baseline, caveat
from intertwine.boltzmann.defaults import UNSEEN
from intertwine.models.machines.unit_kinds import unit_kind
from intertwine.models.machines.unit_layer import UnitLayer

NO_VARIANCE = 1e-12
"""The variance of a continuous column, in units of 1 or of its squared mean, at which it is constant."""


class Moments(NamedTuple):
    """count, mean, variance of the known entries of each column, (N,) float64."""

    count: np.ndarray
    mean: np.ndarray
    variance: np.ndarray

    @classmethod
    def of(cls, rows: ArrayLike) -> Moments:
        values = np.asarray(rows, np.float64)
        with warnings.catch_warnings():  # columns of which nothing is known have the mean nan
            warnings.simplefilter("ignore", RuntimeWarning)
            return cls(np.isfinite(values).sum(0), np.nanmean(values, 0), np.nanvar(values, 0))

    def joined(self, other: Moments) -> Moments:
        """Of the rows of both together."""
        total = self.count + other.count
        share = other.count / np.maximum(total, 1)
        apart = np.where(other.count * self.count > 0, other.mean - self.mean, 0.0)
        mean = np.where(self.count > 0, self.mean + share * apart, other.mean)
        within = (self.count * np.nan_to_num(self.variance) + other.count * np.nan_to_num(other.variance)) / (
            np.maximum(total, 1)
        )
        return Moments(total, mean, np.where(total > 0, within + share * (1 - share) * apart**2, np.nan))

    @property
    def sums(self) -> np.ndarray:
        return np.where(self.count > 0, self.count * self.mean, 0.0)


def independent_columns(
    layer: UnitLayer, rows: ArrayLike, train: ArrayLike | Moments | None = None
) -> np.ndarray:
    """ln p_0 of each row (rows, N), nats, float64: by the columns of `train` (rows, or their `Moments`), or
    of the other rows. nan where a continuous column has no variance.

    >>> rows = np.repeat([[0, 1], [1, 0]], 500, axis=0)
    >>> round(float(independent_columns(UnitLayer.of("binary", 2), rows).mean()), 2)              # −2 ln 2
    -1.39
    """
    values = np.asarray(rows, np.float64)
    known = train if isinstance(train, Moments) else Moments.of(values if train is None else train)
    own = 1.0 if train is None else 0.0
    found, begin = np.zeros(len(values)), 0
    for name, columns in layer.parts:
        part = slice(begin, begin + columns)
        begin += columns
        kind = unit_kind(name)
        seen = Moments(*(x[part] for x in known))
        if kind.states and kind.columns == 1:
            low, high = kind.states[0][0], kind.states[1][0]
            found += _frequencies(values[:, part], seen, (low, high), own)
        elif kind.states:
            count = np.maximum(seen.sums - own * np.nan_to_num(values[:, part]), UNSEEN)
            groups = count.reshape(*count.shape[:-1], -1, kind.columns)
            logs = np.log(groups / groups.sum(-1, keepdims=True)).reshape(count.shape)
            found += np.nansum(values[:, part] * logs, 1)
        else:
            found += _normal(values[:, part], seen, own)
    return found


def _frequencies(values: np.ndarray, seen: Moments, states: tuple[int, int], own: float) -> np.ndarray:
    low, high = states
    up, ups = (values - low) / (high - low), (seen.sums - low * seen.count) / (high - low)
    total = np.maximum(seen.count - own * np.isfinite(values), 2 * UNSEEN)
    floor = UNSEEN / total
    share = np.clip((ups - own * np.nan_to_num(up)) / total, floor, 1 - floor)
    return np.nansum(up * np.log(share) + (1 - up) * np.log1p(-share), 1)


def _normal(values: np.ndarray, seen: Moments, own: float) -> np.ndarray:
    """Two numbers per column are fitted: so much is taken off for rows that they are fitted to."""
    known = seen.count > 0
    if (seen.variance <= NO_VARIANCE * np.maximum(1, seen.mean**2))[known].any():
        return np.full(len(values), np.nan)
    logs = -0.5 * (np.log(2 * np.pi * seen.variance) + (values - seen.mean) ** 2 / seen.variance)
    return np.nansum(logs, 1) - 2 * own * (1 / seen.count[known]).sum()


def complete_rows(rows: ArrayLike) -> np.ndarray | None:
    """The rows without missing entries, None where there are none."""
    values = np.asarray(rows)
    if values.dtype.kind == "f":
        values = values[np.isfinite(values).all(1)]
    return values if len(values) else None


def below_independent(
    found: np.ndarray, independent: np.ndarray, error: float = 0.0, learned: bool | None = None
) -> tuple[str, ...]:
    """The caveat of rows whose ln p (rows,) lies below that of independent columns by more than chance, or
    of columns that judge nothing; `error`: of ln Z, nats.

    learned: whether the machine beats the columns on the rows that it learned from, to which these columns
    are fitted; None where they are fitted to the judged rows themselves, which is no verdict on learning.
    """
    if len(found) < 2 or not np.isfinite(found).all():
        return ()
    if not np.isfinite(independent).all():
        words = "a continuous column is constant: a density of independent columns has no bound there"
        return (caveat("unjudged", f"{words}, and the likelihood is not compared with one"),)
    return below_baseline(
        float(found.mean()),
        float(independent.mean()),
        float(np.hypot((found - independent).std(ddof=1) / np.sqrt(len(found)), error)),
        learned,
    )
