"""What numbers of fields must be, in every format: some, finite, and, of variables that are used, no fill
values that a file does not declare."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from intertwine._checks import fail

FILLS = (1e20, 9.969209968386869e36, 1e30, 1e36, -1e20, -1e30, -999.0, -9999.0, -99999.0, -32767.0, -32768.0)
"""What stands for missing values in files that do not say so."""
_APART = 10.0
"""So many times their spread such a number must be away from the others."""


def check_numbers(where: str, values: Mapping[str, np.ndarray]) -> None:
    """Raise InputError, called `where`, for no samples and for infinite values."""
    for name, found in values.items():
        if not len(found):
            raise fail(f"{where}: {name}", "one sample or more", "none")
        if np.isinf(found).any():
            raise fail(f"{where}: {name}", "finite numbers, or missing ones (nan)", "infinite values")


def check_fills(where: str, name: str, found: np.ndarray) -> None:
    """Raise InputError, called `where`, for a fill value among the other values of a variable.

    >>> check_fills("inputs", "z", np.array([2.0, 3.0, -9999.0]))
    Traceback (most recent call last):
    ...
    intertwine._checks.InputError: inputs: expected numbers of z, or missing ones (nan), got -9999 beside ...
    """
    known = found[~np.isnan(found)]
    if not known.size:
        return
    for extreme in (float(known.min()), float(known.max())):
        fill = next((f for f in FILLS if np.float32(f) == np.float32(extreme)), None)
        others = known if fill is None else known[np.float32(fill) != known.astype(np.float32)]
        if fill is not None and others.size and _apart(extreme, float(others.min()), float(others.max())):
            got = f"{fill:g} beside numbers from {others.min():.6g} to {others.max():.6g}"
            remedy = "declare it as _FillValue or missing_value, or make it nan"
            raise fail(where, f"numbers of {name}, or missing ones (nan)", got, remedy)


def _apart(extreme: float, low: float, high: float) -> bool:
    """Whether a number lies far from the others."""
    gap = max(low - extreme, extreme - high)
    return gap > _APART * max(high - low, 1e-6 * abs(high))
