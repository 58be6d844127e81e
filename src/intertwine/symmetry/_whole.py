"""Dimensions come out of averages of characters as whole numbers, up to rounding."""

from __future__ import annotations

import numpy as np


def as_dimension(value: complex) -> int:
    """`value`, real or complex, as the whole number that it is; AssertionError where it is none.

    >>> as_dimension(2.0000000001 + 0j)
    2
    """
    whole = round(float(np.real(value)))
    if abs(value - whole) > 1e-6:
        raise AssertionError(f"a dimension of {value} is no integer: please report this")
    return whole
