"""The digits of an exact curvature: R is a difference of products of cumulants, whose rounding may exceed it.

A table of states gives cumulants with all of their digits, however small they are. A transfer matrix and the
derivatives of ln Z give them beside sums of the size of ⟨S⟩², so that variances near ε⟨S⟩² are noise.
"""

from __future__ import annotations

import math

import numpy as np

from intertwine._caveats import caveat
from intertwine.geometry.couplings.families import CouplingFamily, Cumulants, TableFamily
from intertwine.geometry.couplings.tensors import rounding

ENOUGH = 1e-3
"""Share of R that rounding may change without a word."""
_FLAT = 1e-9


def digits(value: float, found: Cumulants, family: CouplingFamily) -> tuple[float, tuple[str, ...]]:
    """(R of a site, nan where no digit is left; the caveat, if there is one)."""
    kept = isinstance(family, TableFamily)
    lost = rounding(found.metric, found.third, kept) * family.sites
    eps = np.finfo(np.float64).eps
    if not kept and (np.diagonal(found.metric) < 1e3 * eps * np.maximum(found.mean**2, eps)).any():
        lost = math.inf
    if lost <= max(ENOUGH * abs(value), _FLAT):
        return value, ()
    words = f"R is a difference of numbers whose rounding is up to {lost:.1e}, more than {ENOUGH:g} of R"
    said = (caveat("untrusted", f"{words}: take weaker couplings"),)
    return (value if lost < abs(value) else math.nan), said
