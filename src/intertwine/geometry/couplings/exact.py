"""The family of a model's couplings, exactly: a table of all states, or the transfer matrix of rows."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import PyTree

from intertwine._checks import fail
from intertwine.geometry.couplings.families import CouplingFamily, TableFamily
from intertwine.geometry.couplings.statistics import (
    Couplings,
    Statistics,
    fixed_terms,
    statistics_of,
    term_value,
)
from intertwine.geometry.couplings.transfer import TransferFamily, row_width
from intertwine.geometry.spectrum import exact_distribution, log_weights, spin_view
from intertwine.models.spins.ising import Ising
from intertwine.models.spins.potts import Clock, Potts
from intertwine.models.spins.spin_enumeration import enumerate_distribution

QUICK_TABLE, LARGEST_TABLE = 2**16, 2**22
"""States of a table that is made at once, and of the largest one."""
QUICK_ROW, QUICK_SITES = 2**8, 256
"""States of a row, and sites, whose transfer matrix takes seconds."""


def exact_family(model: PyTree, statistics: Statistics) -> CouplingFamily:
    """Raises InputError for systems with too many states for either."""
    lattice_model = isinstance(model, Ising | Potts | Clock)
    states, size = statistics.states, model.size
    count = size * math.log(states)
    sites = size if lattice_model else 1
    terms = statistics.terms if lattice_model else None
    if terms is not None and count > math.log(QUICK_TABLE) + 1e-9:
        fixed = fixed_terms(model)
        width = row_width([part[0] for part in (*fixed, *terms)], size, states)
        if width is not None:
            return _rows(model, statistics, fixed, width)
    if count > math.log(LARGEST_TABLE) + 1e-9:
        expected = "samples of a system with more than 2^22 states whose rows have more than 2^10"
        raise fail("samples", expected, None, "give for example samples=100_000 and key=jax.random.key(0)")
    if terms is not None:
        rows = _all_rows(size, states)
        rows = rows if isinstance(model, Potts) else (1 - 2 * rows).astype(np.int8)
        base = sum(_summed(rows, sites, kind, strength) for sites, kind, strength in fixed_terms(model))
    elif lattice_model:
        rows, p, log_z = enumerate_distribution(model)
        base = _logarithm(p) + log_z
    else:
        view = spin_view(model)
        rows, _ = exact_distribution(view)
        base = log_weights(view, rows)
        rows = (rows + 1) // 2 if getattr(model, "units", "spin") == "binary" else rows
    sums = statistics.sums(rows)
    return TableFamily(statistics.names, sums, base - sums @ statistics.theta, statistics.theta, sites)


def is_quick(model: PyTree, couplings: Couplings) -> bool:
    """Whether exact values take seconds: few states, or short rows of few sites."""
    if not isinstance(model, Ising | Potts):
        return False
    statistics = statistics_of(model, couplings)
    if model.size * math.log(statistics.states) <= math.log(QUICK_TABLE) + 1e-9:
        return True
    if statistics.terms is None or model.size > QUICK_SITES:
        return False
    sites = [part[0] for part in (*fixed_terms(model), *statistics.terms)]
    width = row_width(sites, model.size, statistics.states)
    return width is not None and statistics.states**width <= QUICK_ROW


def _rows(model: PyTree, statistics: Statistics, fixed: tuple, width: int) -> TransferFamily:
    assert statistics.terms is not None
    less = [
        (sites, kind, np.full(len(sites), -at))
        for (sites, kind), at in zip(statistics.terms, statistics.theta, strict=True)
    ]

    def value(columns: list[np.ndarray], kind: str) -> np.ndarray:
        return term_value(columns, kind, levels=True)

    return TransferFamily(
        statistics.names, statistics.terms, [*fixed, *less], statistics.theta, model.size, width,
        statistics.states, value,
    )  # fmt: skip


def _all_rows(size: int, states: int) -> np.ndarray:
    numbers = np.arange(states**size, dtype=np.int64)
    rows = np.empty((len(numbers), size), np.int8)
    for i in range(size):
        rows[:, i] = numbers // states ** (size - 1 - i) % states
    return rows


def _summed(rows: np.ndarray, sites: np.ndarray, kind: str, strength: np.ndarray) -> np.ndarray:
    total = np.zeros(len(rows))
    if strength.any():
        for term, factor in zip(sites, strength, strict=True):
            total += factor * term_value([rows[:, site] for site in term], kind)
    return total


def _logarithm(p: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(p)
