"""Doubts about what the numbers of a data set mean: whole numbers that may be categories, pixels, values that
may stand for a missing entry, columns of few values. Nothing is changed here: each doubt is one line of text.
"""

from __future__ import annotations

import numpy as np

from intertwine.data.values import Values, blocks

MOST_LEVELS = 64
"""Whole numbers below this may be kinds or levels: it is told that they were taken for real numbers."""

FEW_VALUES = 10
"""Columns with fewer different values than this are named where they are taken for real numbers."""

STAND_INS = (-9.0, -99.0, -999.0, -9999.0, 99.0, 999.0, 9999.0)
"""Numbers that are written where a value is not known."""

_SMALL_STAND_INS = (-1.0, 9.0, 255.0)
"""The same, but only beside states 0 … `_FEW_STATES`: −1 and 9 of genotypes, 255 of bytes."""
_FEW_STATES = 3
_LEAST_ROWS = 30
_SHOWN = 8


def doubts(
    rows: np.ndarray, values: Values, kind: str, grey: bool, detected: bool, names: tuple[str, ...] | None
) -> tuple[str, ...]:
    """The lines to tell of `rows` (n, N) that are taken for units `kind`. detected: whether the units were
    found, not given. names: of the columns, or None.

    >>> from intertwine.data.values import examine
    >>> bits = np.array([[0, 1], [1, -999], [1, 0]])
    >>> doubts(bits, examine("data", bits), "gaussian", False, True, None)[0][:47]
    '1 entry is -999, far from the rest: taken for a'
    """
    found: list[str] = []
    if grey and rows.dtype == np.uint8 and values.high < 128:
        found.append(
            f"bytes from {values.low:.0f} to {values.high:.0f} were taken for grey, probabilities of a 1 of"
            f" at most {values.high / 255:.2g}, 255 being 1; if they number kinds, say units"
            f" potts:{values.high + 1:.0f}"
        )
    if kind == "gaussian" or grey:
        found += _stand_ins(rows, values)
    if kind == "gaussian" and detected:
        counting = values.integer and values.low >= 0 and values.high < MOST_LEVELS
        if counting:
            low, high = int(values.low), int(values.high)
            found.append(
                f"whole numbers from {low} to {high} were taken for real ones (gaussian units);"
                f" if they number kinds or levels, say units potts:{high + 1};"
                f" if they are grey, give values/{high} and say units binary"
            )
        elif (values.integer and values.low >= 0 and values.high <= 255) or (
            values.low == 0 and values.high == 255
        ):
            found.append(
                f"numbers from {values.low:g} to {values.high:g} were taken for real ones (gaussian units);"
                " if they are the grey of pixels, give values/255 and say units binary"
            )
        if not counting and (few := _of_few_values(rows)):
            listed = ", ".join(str(k + 1) if names is None else repr(names[k]) for k in few[:_SHOWN])
            more = f" and {len(few) - _SHOWN} more" if len(few) > _SHOWN else ""
            found.append(
                f"columns of fewer than {FEW_VALUES} different values were taken for real numbers:"
                f" {listed}{more}"
            )
    return tuple(found)


def _stand_ins(rows: np.ndarray, values: Values) -> list[str]:
    """A line for each number of `STAND_INS` that lies outside of what else a column has, by more than half of
    its extent, and comes twice or more, or beside values that would be of another kind without it."""
    known = STAND_INS + (_SMALL_STAND_INS if values.integer else ())
    candidates = [number for number in known if values.low <= number <= values.high]
    if not candidates:
        return []
    columns = rows.shape[1]
    low, high = np.full(columns, np.inf), np.full(columns, -np.inf)
    counts = np.zeros((len(candidates), columns), int)
    for block in blocks(rows):
        if block.dtype == bool:
            return []
        out = np.isin(block, candidates) | (block != block)
        low = np.minimum(low, np.where(out, np.inf, block).min(0))
        high = np.maximum(high, np.where(out, -np.inf, block).max(0))
        for k, number in enumerate(candidates):
            counts[k] += (block == number).sum(0)
    if not np.isfinite(low).any():
        return []
    lowest, highest = low.min(), high.max()
    states = values.integer and lowest >= 0 and 1 <= highest <= _FEW_STATES
    of_a_kind = (lowest >= -1 and highest <= 1) or (values.integer and lowest >= 0 and highest < MOST_LEVELS)
    pixels = values.integer and values.low >= 0 and values.high <= 255  # a dark column has 99 sometimes
    found = []
    for number, count in zip(candidates, counts, strict=True):
        distance = np.maximum(low - number, number - high)
        if number in _SMALL_STAND_INS:
            far = (distance > 0) & states
        else:
            far = np.isfinite(low) & (distance > np.maximum((high - low) / 2, 0))
        far &= not (pixels and lowest <= number <= highest)
        n = int(count[far].sum())
        if n > 1 or (n == 1 and of_a_kind):
            entries = "1 entry is" if n == 1 else f"{n} entries are"
            others = f"; all others are from {lowest:g} to {highest:g}" if of_a_kind else ""
            found.append(
                f"{entries} {number:g}, far from the rest: taken for a number like any other, and so were the"
                f" units{others}; if it means missing, write nan"
            )
    return found


def _of_few_values(rows: np.ndarray) -> list[int]:
    """The columns that have at least two, and fewer than `FEW_VALUES`, different values."""
    if len(rows) < _LEAST_ROWS:
        return []
    some = np.asarray(rows[:: max(1, len(rows) // 500)])
    seen = {k: values for k in range(rows.shape[1]) if len(values := _different(some[:, k])) < FEW_VALUES}
    for block in blocks(rows):
        if not seen:
            break
        seen = {k: _different(np.append(block[:, k], values)) for k, values in seen.items()}
        seen = {k: values for k, values in seen.items() if len(values) < FEW_VALUES}
    return [k for k, values in seen.items() if len(values) > 1]


def _different(column: np.ndarray) -> np.ndarray:
    found = np.unique(column)
    return found[found == found]
