r"""Metropolis sampling of |ψ|² on the host: compiled, one core a block of chains.

For models that are a `SpinForm` (RBMs, symmetric RBMs, Jastrow, mean field). A proposal s → s' is accepted if a uniform
number is below |ψ(s')/ψ(s)|² (Metropolis et al., J. Chem. Phys. 21, 1087, 1953), which the tables of
`models.host_tables` give as a product over hidden units. Every move of a rule is one of

    row       one site, or an exchange of opposite spins: one row of the table
    global    all sites: the row e^{4b}, then p and q change places
    composed  any other set of sites: the rows of its sites multiplied into a copy of (p, q)

The kernel advances each chain of a block until it is done, has to have (p, q) recomputed, or meets a proposal whose
product left the range of floating-point numbers; numpy answers for all such chains at once, and the kernel goes on.

Same law as the JAX path; the numbers depend on the key and the inputs, not on the number of threads.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from intertwine import _threads
from intertwine._checks import fail, positive_int
from intertwine._compile import kernel
from intertwine.models import host_tables
from intertwine.models.host_tables import LARGEST, SMALLEST, HostForm, multiply, product, product_square, rescale
from intertwine.models.protocols import SpinForm, SpinFormed
from intertwine.sampling.host_random import alias_table, chain_states, uniform
from intertwine.sampling.rules import Rule

ROW, GLOBAL, COMPOSED = 0, 1, 2
SEGMENT = 2048
"""Proposals after which (p, q) are recomputed from the configuration."""
BLOCK = 8
"""Chains a block, whatever the number of threads (more where there are many chains)."""


def supports(rule: Any, model: Any) -> bool:
    """Whether `sample` can draw from `model` with the moves of `rule`.

    >>> import jax
    >>> from intertwine.models.rbm import RBM
    >>> from intertwine.sampling.rules import SingleFlip
    >>> supports(SingleFlip(), RBM(4, hidden=4, key=jax.random.key(0)))
    True
    """
    return isinstance(rule, Rule) and isinstance(model, SpinFormed)


def sample(
    form: SpinForm,
    moves: np.ndarray,
    weights: np.ndarray | None,
    configurations: Any,
    draws: int,
    sweep: int,
    key: Any,
    exchange: bool | np.ndarray = False,
) -> tuple[np.ndarray, float]:
    """`draws` configurations of each chain, `sweep` proposals apart, and the accepted share of the proposals.

    form: what to sample. moves: int32 (moves, F), sites that a move flips, padded with N. weights: (moves,)
    probabilities, or None (equal). configurations: int8 (chains, N) spins ±1 to start from. key: a JAX key.
    exchange: for all moves or for each (moves,), whether a move is null when its two sites carry equal spins.

    Returns int8 (chains, draws, N), the last draw of a chain being where it stands, and a float.

    Raises InputError for arrays whose shapes or values do not fit.

    >>> import jax
    >>> from intertwine.models.rbm import RBM
    >>> form = RBM(4, hidden=4, key=jax.random.key(0)).spin_form()
    >>> start = np.ones((2, 4), np.int8)
    >>> drawn, accepted = sample(form, np.arange(4)[:, None], None, start, 3, 4, jax.random.key(1))
    >>> drawn.shape, 0 < accepted <= 1
    ((2, 3, 4), True)
    """
    host = host_tables.host_form(form)
    size = host.field.shape[1]
    spins = np.array(configurations, np.int8, order="C")
    if spins.ndim != 2 or spins.shape[1] != size or not (np.abs(spins) == 1).all():
        raise fail("configurations", f"spins ±1 of shape (chains, {size})", f"shape {spins.shape}")
    draws, sweep = positive_int("draws", draws), positive_int("sweep", sweep)
    plan = _plan(host, moves, weights, exchange)
    chains = len(spins)
    states = chain_states(key, chains)
    drawn = np.empty((chains, draws, size), np.int8)
    accepted = np.zeros(chains, np.int64)
    width = max(BLOCK, -(-chains // 16))

    def blocks(start: int, stop: int) -> None:
        for b in range(start, stop):
            part = slice(b * width, (b + 1) * width)
            _advance(host, plan, sweep, spins[part], states[part], drawn[part], accepted[part])

    _threads.over_ranges(blocks, -(-chains // width))
    return drawn, float(accepted.sum()) / (chains * draws * sweep)


class _Plan(NamedTuple):
    """What the kernel needs of the moves (m, ...): sites, their counts, kind of move, row, whether equal spins make it
    null, alias table; and the table rows (sites, pairs, global, unit), ln |Π E^{−1/2}| of each, and the factor |Π E^{−1/2} e^{∓A}|² for a first
    spin up (0) and down (1)."""

    sites: np.ndarray
    counts: np.ndarray
    kind: np.ndarray
    row: np.ndarray
    exchange: np.ndarray
    share: np.ndarray
    alias: np.ndarray
    rows: np.ndarray
    row_logs: np.ndarray
    factors: np.ndarray


def _plan(host: HostForm, moves: Any, weights: Any, exchange: Any) -> _Plan:
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
    if probabilities.shape != (len(sites),) or not (probabilities >= 0).all() or not probabilities.sum() > 0:
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
    return _Plan(sites, counts, kind, row, null, *alias_table(probabilities), table.values, logs, factors)


class _Chains(NamedTuple):
    """A block of B chains under way: spins, generators, (p, q) with two rows of scratch, their Π |p + q|², Re(a + Js), the number of
    proposals done, the move that waits for its ratio (−1: none) and that ratio."""

    spins: np.ndarray
    states: np.ndarray
    pq: np.ndarray
    norm: np.ndarray
    local: np.ndarray
    done: np.ndarray
    waiting: np.ndarray
    ratio: np.ndarray


def _advance(
    host: HostForm,
    plan: _Plan,
    sweep: int,
    spins: np.ndarray,
    states: np.ndarray,
    drawn: np.ndarray,
    accepted: np.ndarray,
) -> None:
    """All draws of a block of chains."""
    count, total = len(spins), drawn.shape[1] * sweep
    width = host.rows.shape[1]
    chains = _Chains(
        spins,
        states,
        np.empty((count, 4, width)),
        np.empty(count),
        np.empty(spins.shape),
        np.zeros(count, np.int64),
        np.full(count, -1, np.int64),
        np.empty(count),
    )
    constants = (host.coupling, host.complex_units, host.careful)
    for start in range(0, total, SEGMENT):
        stop = min(start + SEGMENT, total)
        late = np.arange(count)
        while len(late):
            fresh = late[chains.waiting[late] < 0]
            if len(fresh):
                pairs = host_tables.unit_pairs(host, spins[fresh])
                chains.pq[fresh, :2] = pairs
                chains.local[fresh] = host.field[0] + (spins[fresh] @ host.coupling[0] if host.coupling.size else 0)
                chains.norm[fresh] = host_tables.norms(host, pairs)
            asking = late[chains.waiting[late] >= 0]
            if len(asking):
                chains.ratio[asking] = _exact_ratios(host, spins[asking], plan.sites[chains.waiting[asking]])
            _run(*plan, *constants, *chains, sweep, stop, drawn, accepted)
            late = np.flatnonzero(chains.done < stop)


def _exact_ratios(host: HostForm, spins: np.ndarray, sites: np.ndarray) -> np.ndarray:
    """min(1, |ψ(s')/ψ(s)|²) (B,) in logarithms; 1 where ψ(s) = 0. sites (B, F) padded with N."""
    flipped = np.pad(spins, ((0, 0), (0, 1)))
    rows = np.arange(len(spins))[:, None]
    flipped[rows, sites] *= -1
    with np.errstate(invalid="ignore"):
        change = host_tables.log_amplitude(host, flipped[:, :-1]).real - host_tables.log_amplitude(host, spins).real
        return np.exp(2 * np.where(change < 0, change, 0.0))


@kernel
def _run(
    sites, counts, kind, row, exchange, share, alias, rows, row_logs, factors, coupling, complex_units, careful,
    spins, states, pq, norm, local, done, waiting, ratio, sweep, stop, drawn, accepted,
):  # fmt: skip
    """Advance each chain to `stop` proposals, or to the first that needs numpy: `waiting` then has its move, or is −1
    if the chain must have (p, q) recomputed. pq[c] is p, q and two rows of scratch."""
    size, width, moves = local.shape[1], rows.shape[1], sites.shape[0]
    units = width // 2 if complex_units else width
    paired = coupling.shape[1] > 0
    for c in range(spins.shape[0]):
        n, known = done[c], norm[c]
        left = sweep - n % sweep
        while n < stop:
            m, given = waiting[c], waiting[c] >= 0
            if not given:
                u = uniform(states, c) * moves
                m = int(u)
                if u - m >= share[m]:
                    m = alias[m]
            first = sites[m, 0]
            changed = not (exchange[m] and spins[c, first] == spins[c, sites[m, 1]])
            if changed:
                how, r, flips = kind[m], row[m], counts[m]
                b = 0 if how != ROW or spins[c, first] > 0 else 1  # p (0) is multiplied, or q (1)
                a, down = 1 - b, b
                if how == GLOBAL:
                    a, b = 0, 1
                elif how == COMPOSED:
                    for k in range(width):
                        pq[c, 2, k] = pq[c, 0, k]
                        pq[c, 3, k] = pq[c, 1, k]
                    for f in range(flips):
                        i = sites[m, f]
                        multiply(pq, c, 2 if spins[c, i] > 0 else 3, rows, i, units, complex_units)
                    a, b = 2, 3
                if complex_units:
                    square = product_square(pq, c, a, b, rows, r, units)
                else:
                    square = product(pq, c, a, b, rows, r, units)
                    square *= square
                accept = ratio[c]
                if not given:
                    factor = factors[r, down]
                    if paired or how != ROW:
                        change = 0.0 if how == COMPOSED else row_logs[r]
                        for f in range(flips):
                            i = sites[m, f]
                            change -= 2.0 * spins[c, i] * local[c, i]
                            if how == COMPOSED:
                                change += row_logs[i]
                            if paired:
                                for g in range(f):
                                    j = sites[m, g]
                                    change += 4.0 * spins[c, i] * spins[c, j] * coupling[0, i, j]
                        factor = np.exp(2.0 * change)
                    accept = square / known * factor
                    if careful or not (SMALLEST < square < LARGEST and SMALLEST < accept < LARGEST):
                        waiting[c] = m
                        break
                waiting[c] = -1
                changed = not (accept < 1.0 and uniform(states, c) >= accept)
            if changed:
                accepted[c] += 1
                for f in range(flips):
                    i = sites[m, f]
                    spins[c, i] = -spins[c, i]
                    if paired:
                        for j in range(size):
                            local[c, j] += 2.0 * spins[c, i] * coupling[0, i, j]
                known = square
                if how == COMPOSED:
                    for k in range(width):
                        pq[c, 0, k] = pq[c, 2, k]
                        pq[c, 1, k] = pq[c, 3, k]
                else:
                    multiply(pq, c, b, rows, r, units, complex_units)
                if how == GLOBAL:
                    for k in range(width):
                        pq[c, 0, k], pq[c, 1, k] = pq[c, 1, k], pq[c, 0, k]
                if not 1e-60 < known < 1e60:
                    known = rescale(pq, c, units, complex_units)
            n += 1
            left -= 1
            if left == 0:
                left = sweep
                d = n // sweep - 1
                for i in range(size):
                    drawn[c, d, i] = spins[c, i]
            if given and changed:
                break
        done[c], norm[c] = n, known
