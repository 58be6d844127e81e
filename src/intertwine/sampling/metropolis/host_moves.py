r"""How the moves of a rule read the tables of `models.host_tables`.

row       one site, or an exchange of opposite spins: one row of the table
global    all sites: the row e^{4b}, then p and q change places
composed  any other set of sites: the rows of its sites multiplied into a copy of (p, q)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from intertwine._checks import fail
from intertwine.models.kernels import host_tables
from intertwine.models.kernels.host_tables import HostForm
from intertwine.sampling.host_random import alias_table

ROW, GLOBAL, COMPOSED = 0, 1, 2
SEGMENT = 2048
"""Proposals after which (p, q) are recomputed from the configuration."""


class MovePlan(NamedTuple):
    """What the kernel needs of the moves (m, ...): sites, kind of move, row, whether equal spins make it
    null, alias table; the table rows (sites, pairs, global, unit) and the factor |Π E^{−1/2} e^{∓A}|² of
    each for a first spin up (0) and down (1); then what only some moves need: the number of sites of each,
    and ln |Π E^{−1/2}| of each row."""

    sites: np.ndarray
    kind: np.ndarray
    row: np.ndarray
    exchange: np.ndarray
    share: np.ndarray
    alias: np.ndarray
    rows: np.ndarray
    factors: np.ndarray
    counts: np.ndarray
    logs: np.ndarray


def move_plan(
    host: HostForm, moves: np.ndarray, weights: np.ndarray | None, exchange: np.ndarray | bool
) -> MovePlan:
    """The plan of moves (m, F) padded with N, their probabilities (None: equal), and which are exchanges.

    Raises InputError for arrays that do not fit.
    """
    size = host.field.shape[1]
    sites = np.asarray(moves, np.int32)
    if sites.ndim != 2 or sites.size == 0 or (sites < 0).any() or (sites > size).any():
        raise fail("moves", f"integers (moves, F) in 0..{size}", f"shape {sites.shape}", f"pad with {size}")
    sites = np.sort(sites, axis=1)
    counts = np.sum(sites < size, axis=1).astype(np.int32)
    null = np.ascontiguousarray(np.broadcast_to(np.asarray(exchange, bool), len(sites)))
    if (counts == 0).any() or (null & (counts != 2)).any():
        raise fail("moves", "at least one site a move, and two for an exchange", counts.tolist())
    probabilities = np.ones(len(sites)) if weights is None else np.asarray(weights, np.float64)
    sound = probabilities.shape == (len(sites),) and (probabilities >= 0).all() and probabilities.sum() > 0
    if not sound:
        raise fail("weights", f"{len(sites)} probabilities, one a move", probabilities)
    kind, row = np.full(len(sites), COMPOSED, np.int32), np.zeros(len(sites), np.int32)
    single, everything, pairs = counts == 1, (counts == size) & (size > 1) & ~null, np.flatnonzero(null)
    kind[single], row[single] = ROW, sites[single, 0]
    parts, base = [host_tables.single_rows(host)], size
    if 0 < len(pairs) * host.unit.nbytes <= host_tables.MAX_PAIR_BYTES or (len(pairs) and not host.hidden):
        parts.append(host_tables.pair_rows(host, sites[pairs, :2], -1))
        kind[pairs], row[pairs] = ROW, base + np.arange(len(pairs))
        base += len(pairs)
    kind[everything], row[everything] = GLOBAL, base
    row[kind == COMPOSED] = base + 1
    parts += [host_tables.global_row(host), host_tables.unit_row(host)]
    table = host_tables.joined(parts)
    with np.errstate(over="ignore", invalid="ignore"):
        factors = np.exp(2 * (table.logs[:, :1] + table.fields[:, :1] * np.array([-1.0, 1.0])))
    logs = np.ascontiguousarray(table.logs[:, 0])
    return MovePlan(sites, kind, row, null, *alias_table(probabilities), table.values, factors, counts, logs)


def patience(host: HostForm, plan: MovePlan) -> int:
    """Accepted moves after which (p, q), each of which may have moved by a factor e^{±200}, must be
    rescaled.
    """
    sites = int(plan.counts[plan.kind != GLOBAL].max(initial=0))
    step = 4 * sites * np.abs(host.weights[:, : host.padded]).max(initial=0.0)
    if (plan.kind == GLOBAL).any():
        step = max(step, 4 * np.abs(host.bias[: host.padded]).max(initial=0.0))
    return max(1, int(200 / step)) if step > 200 / SEGMENT else SEGMENT
