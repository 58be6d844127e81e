"""The region that kernels on points see, in words: how many radial functions, harmonics of which degrees."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from intertwine._checks import fail

_MOST_FUNCTIONS, _MOST_DEGREE = 512, 11


class Radial(NamedTuple):
    """κ(r) = Σ φ_n(|r|) Y_lm(r/|r|) K_{lm,n}: φ_n, n < `functions`, and degrees l ≤ `degree`.

    >>> Radial(4).degree
    2
    """

    functions: int = 8
    degree: int = 2


def radial_region(region: object) -> Radial:
    """A region as a `Radial`: None for its defaults, or a number of functions.

    Raises InputError for anything else.

    >>> radial_region(4)
    Radial(functions=4, degree=2)
    """
    found = Radial() if region is None else region
    if isinstance(found, int | np.integer) and not isinstance(found, bool):
        found = Radial(int(found))
    if isinstance(found, tuple) and not isinstance(found, Radial) and len(found) == 2:
        found = Radial(*found)
    whole = isinstance(found, Radial) and all(
        isinstance(n, int | np.integer) and not isinstance(n, bool) for n in found[:2]
    )
    if not whole or not isinstance(found, Radial):
        raise fail("support", "Radial(functions, degree), or a number of functions", region)
    if not 1 <= found.functions <= _MOST_FUNCTIONS or not 0 <= found.degree <= _MOST_DEGREE:
        limits = f"1 to {_MOST_FUNCTIONS} functions and a degree of 0 to {_MOST_DEGREE}"
        raise fail("support", limits, region)
    return found
