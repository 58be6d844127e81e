r"""Metropolis sampling of |ψ|² on the host for modes with several levels: compiled, a block of chains a core.

For real models of levels that are a `SpinForm` of the spins that stand for them (`models.kernels
.level_kernels`), and moves that are steps of levels (`level_rules`). The law is that of the JAX path; the
numbers depend on the key and the inputs, not on the number of threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jax import Array

from intertwine import _threads
from intertwine._compile import inner, kernel
from intertwine.models.kernels.host_kernels import rescale
from intertwine.models.kernels.host_tables import LARGEST, SMALLEST
from intertwine.models.kernels.level_kernels import (
    LevelForm,
    changed_product,
    fill,
    fill_local,
    flips_of,
    log_amplitude,
    log_factor,
)
from intertwine.sampling.host_random import alias_table, chain_states, uniform
from intertwine.sampling.metropolis.legality import Checks
from intertwine.sampling.metropolis.rules import MoveTable, Rule

BLOCK = 8
"""Chains a block, whatever the number of threads."""
_SEGMENT = 1024
"""Accepted moves after which (p, q) are made afresh."""


def supports(rule: Rule) -> bool:
    """Whether all moves of `rule` are steps of levels."""
    return all(part.takes == "levels" for part in rule.parts)


def sample(
    form: LevelForm,
    table: MoveTable,
    checked: Checks | None,
    configurations: Array | np.ndarray,
    draws: int,
    sweep: int,
    key: Array | np.ndarray,
) -> tuple[np.ndarray, float]:
    """`draws` configurations of each chain, `sweep` proposals apart, int8 (chains, draws, N), and the
    accepted share of the proposals."""
    levels = np.array(configurations, np.int64, order="C")
    chains, size = levels.shape
    states = chain_states(key, chains)
    drawn, accepted = np.empty((chains, draws, size), np.int8), np.zeros(chains, np.int64)
    share, alias = alias_table(table.weights)
    assert table.shifts is not None
    sites, shifts = table.sites.astype(np.int64), table.shifts.astype(np.int64)
    most = max(2, int(np.abs(shifts).sum(1).max()))
    step = 4 * most * np.abs(form.weights).max(initial=0.0)
    patience = max(1, int(200 / step)) if step > 200 / _SEGMENT else _SEGMENT
    width = max(BLOCK, -(-chains // 16))

    def blocks(start: int, stop: int) -> None:
        for b in range(start, stop):
            part = slice(b * width, (b + 1) * width)
            count = len(levels[part])
            local = np.empty((count, len(form.rows)))
            _run(
                *form, sites, shifts, share, alias, checked, levels[part], states[part],
                np.empty((count, 4, form.rows.shape[1])), local, np.empty(most, np.int64),
                np.empty(most, np.int64), np.empty(form.rows.shape[1]), patience, sweep, drawn[part],
                accepted[part],
            )  # fmt: skip

    _threads.over_ranges(blocks, -(-chains // width))
    return drawn, float(accepted.sum()) / (chains * draws * sweep)


@inner
def _inside(checked: Checks, m: int, n: np.ndarray, c: int) -> Any:
    """Whether the bounds that move m can break hold for configuration c."""
    inside = True
    for k in range(checked.rows.shape[1]):
        r, total = checked.rows[m, k], 0
        for d in range(checked.modes.shape[1]):
            if checked.weights[r, d] != 0:
                total += checked.weights[r, d] * n[c, checked.modes[r, d]]
        if checked.modulus[r] > 0:
            total %= checked.modulus[r]
        inside = inside and checked.low[r] <= total <= checked.high[r]
    return inside


@kernel
def _run(
    levels: np.ndarray,
    first: np.ndarray,
    rows: np.ndarray,
    weights: np.ndarray,
    bias: np.ndarray,
    field: np.ndarray,
    logs: np.ndarray,
    coupling: np.ndarray | None,
    careful: bool,
    sites: np.ndarray,
    shifts: np.ndarray,
    share: np.ndarray,
    alias: np.ndarray,
    checked: Checks | None,
    n: np.ndarray,
    states: np.ndarray,
    pq: np.ndarray,
    local: np.ndarray,
    spins: np.ndarray,
    downs: np.ndarray,
    theta: np.ndarray,
    patience: int,
    sweep: int,
    drawn: np.ndarray,
    accepted: np.ndarray,
) -> None:
    """All draws of a block of chains. coupling and checked are None where there is nothing of them."""
    size, moves, units = n.shape[1], sites.shape[0], rows.shape[1]
    for c in range(n.shape[0]):
        known, since = 1.0, patience  # (p, q) are made afresh at once
        for d in range(drawn.shape[1]):
            for _ in range(sweep):
                if since >= patience:
                    if not careful:
                        fill(levels, first, weights, bias, n, c, theta, pq, c, units)
                    if coupling is not None:
                        fill_local(levels, first, coupling, n, c, local, c)
                    known, since = 1.0, 0
                u = uniform(states, c) * moves
                m = int(u)
                if u - m >= share[m]:
                    m = alias[m]
                legal = True
                for f in range(sites.shape[1]):
                    i = sites[m, f]
                    if i < size:
                        after = n[c, i] + shifts[m, f]
                        legal = legal and 0 <= after < levels[i]
                if not legal:
                    continue
                count = flips_of(first, n, c, sites, shifts, m, spins, downs)
                for f in range(sites.shape[1]):
                    if sites[m, f] < size:
                        n[c, sites[m, f]] += shifts[m, f]
                if checked is not None:
                    legal = _inside(checked, m, n, c)
                square, accept = 0.0, 0.0
                if legal and not careful:
                    square = changed_product(pq, c, rows, spins, downs, count, units)
                    square *= square
                    change = log_factor(logs, coupling, local, c, spins, downs, count)
                    accept = square / known * np.exp(2.0 * change)
                sound = SMALLEST < square < LARGEST and SMALLEST < accept < LARGEST
                if legal and not sound:
                    log_after = log_amplitude(levels, first, weights, bias, field, coupling, n, c, theta)
                    for f in range(sites.shape[1]):
                        if sites[m, f] < size:
                            n[c, sites[m, f]] -= shifts[m, f]
                    log_before = log_amplitude(levels, first, weights, bias, field, coupling, n, c, theta)
                    for f in range(sites.shape[1]):
                        if sites[m, f] < size:
                            n[c, sites[m, f]] += shifts[m, f]
                    accept = np.exp(min(0.0, 2.0 * (log_after - log_before)))
                if legal and (accept >= 1.0 or uniform(states, c) < accept):
                    accepted[c] += 1
                    since += 1
                    if not sound:
                        since = patience
                        continue
                    for f in range(count):
                        for k in range(units):
                            pq[c, downs[f], k] *= rows[spins[f], k]
                        if coupling is not None:
                            sign = 1.0 - 2.0 * downs[f]
                            for e in range(coupling.shape[0]):
                                local[c, e] -= 2.0 * sign * coupling[spins[f], e]
                    known = square
                    if not 1e-60 < known < 1e60:
                        known = rescale(pq, c, units, None)
                else:
                    for f in range(sites.shape[1]):
                        if sites[m, f] < size:
                            n[c, sites[m, f]] -= shifts[m, f]
            for i in range(size):
                drawn[c, d, i] = n[c, i]
