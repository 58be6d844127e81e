r"""Metropolis sampling of |ψ|² on the host: compiled, one core per block of chains.

For models that are a `SpinForm` (RBMs, symmetric RBMs, Jastrow, mean field). A proposal s → s' is accepted
if a uniform number is below |ψ(s')/ψ(s)|² (Metropolis et al., J. Chem. Phys. 21, 1087, 1953), which the
tables of `models.host_tables` give as a product over hidden units. How each move reads the tables is in
`host_moves`.

The kernel advances each chain of a block until it is done, has to have (p, q) recomputed, or meets a
proposal whose product left the range of floating-point numbers; numpy answers for all such chains at once,
and the kernel goes on.

Same law as the JAX path; the numbers depend on the key and the inputs, not on the number of threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jax import Array

from intertwine import _threads
from intertwine._checks import fail, positive_int
from intertwine._compile import COMPLEX, inner, kernel
from intertwine.models.kernels import host_tables
from intertwine.models.kernels.host_kernels import multiply, product, product_square, rescale
from intertwine.models.kernels.host_tables import LARGEST, SMALLEST, HostForm
from intertwine.models.protocols import SpinForm, SpinFormed
from intertwine.sampling.host_random import chain_states, uniform
from intertwine.sampling.metropolis.host_moves import (
    COMPOSED,
    GLOBAL,
    ROW,
    SEGMENT,
    MovePlan,
    move_plan,
    patience,
)
from intertwine.sampling.metropolis.legality import Checks
from intertwine.sampling.metropolis.rules import Rule

if TYPE_CHECKING:
    from intertwine.models.protocols import LogAmplitude

BLOCK = 8
"""Chains a block, whatever the number of threads (more where there are many chains)."""


def supports(rule: Rule, model: LogAmplitude) -> bool:
    """Whether `sample` can draw from `model` with the moves of `rule`.

    >>> import jax
    >>> from intertwine.models.machines.rbm import RBM
    >>> from intertwine.sampling.metropolis.rules import SingleFlip
    >>> supports(SingleFlip(), RBM(4, hidden=4, key=jax.random.key(0)))
    True
    """
    return isinstance(rule, Rule) and isinstance(model, SpinFormed)


def sample(
    form: SpinForm,
    moves: np.ndarray,
    weights: np.ndarray | None,
    configurations: Array | np.ndarray,
    draws: int,
    sweep: int,
    key: Array | np.ndarray,
    exchange: bool | np.ndarray = False,
    checked: Checks | None = None,
) -> tuple[np.ndarray, float]:
    """`draws` configurations of each chain, `sweep` proposals apart, and the accepted share of the proposals.

    form: what to sample. moves: int32 (moves, F), sites that a move flips, padded with N. weights: (moves,)
    probabilities, or None (equal). configurations: int8 (chains, N) spins ±1 to start from. key: a JAX key.
    exchange: for all moves or for each (moves,), whether a move is null when its two sites carry equal spins.
    checked: the bounds that moves can break; a move that breaks one is null. None for free spins.

    Returns int8 (chains, draws, N), the last draw of a chain being where it stands, and a float.

    Raises InputError for arrays whose shapes or values do not fit.

    >>> import jax
    >>> from intertwine.models.machines.rbm import RBM
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
    plan = move_plan(host, moves, weights, exchange)
    chains = len(spins)
    states = chain_states(key, chains)
    drawn = np.empty((chains, draws, size), np.int8)
    accepted = np.zeros(chains, np.int64)
    width = max(BLOCK, -(-chains // 16))

    def blocks(start: int, stop: int) -> None:
        for b in range(start, stop):
            part = slice(b * width, (b + 1) * width)
            _advance(host, plan, checked, sweep, spins[part], states[part], drawn[part], accepted[part])

    _threads.over_ranges(blocks, -(-chains // width))
    return drawn, float(accepted.sum()) / (chains * draws * sweep)


def warm_up(form: SpinForm, rule: Rule) -> Any:
    """Begin in the background to compile what `sample` needs for such a form and rule; returns a future.

    A process's first call of `sample` otherwise compiles (about a second, once a machine: later processes
    read it from disk). To be called before JAX compiles its own functions.
    """
    return _threads.background(lambda: _compile(form, rule))


def _compile(form: SpinForm, rule: Rule) -> None:
    size = form.weights.shape[0]
    table = rule.table(size)
    sample(form, table.sites, table.weights, np.ones((1, size)), 1, 1, np.zeros(2, np.uint32), table.exchange)


class _Chains(NamedTuple):
    """A block of B chains under way: spins, generators, (p, q) with two rows of scratch, their Π |p + q|²,
    Re(a + Js), the number of proposals done, the move that waits for its ratio (−1: none) and that
    ratio."""

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
    plan: MovePlan,
    checked: Checks | None,
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
    paired = host.coupling.size > 0
    flags = (
        plan.counts if (plan.kind != ROW).any() else None,
        plan.logs if paired or (plan.kind != ROW).any() else None,
        host.coupling[0] if paired else None,
        COMPLEX if host.complex_units else None,
        host.careful,
        patience(host, plan),
    )
    for start in range(0, total, SEGMENT):
        stop = min(start + SEGMENT, total)
        late = np.arange(count)
        while len(late):
            fresh = late[chains.waiting[late] < 0]
            if len(fresh):
                pairs = host_tables.unit_pairs(host, spins[fresh])
                chains.pq[fresh, :2], chains.norm[fresh] = pairs, host_tables.norms(host, pairs)
                chains.local[fresh] = host_tables.local_fields(host, spins[fresh])[:, 0]
            asking = late[chains.waiting[late] >= 0]
            if len(asking):
                chains.ratio[asking] = _exact_ratios(host, spins[asking], plan.sites[chains.waiting[asking]])
            _run(*plan[:-2], *flags, checked, *chains, sweep, stop, drawn, accepted)
            late = np.flatnonzero(chains.done < stop)


def _exact_ratios(host: HostForm, spins: np.ndarray, sites: np.ndarray) -> np.ndarray:
    """min(1, |ψ(s')/ψ(s)|²) (B,) in logarithms; 1 where ψ(s) = 0. sites (B, F) padded with N."""
    flipped = np.pad(spins, ((0, 0), (0, 1)))
    rows = np.arange(len(spins))[:, None]
    flipped[rows, sites] *= -1
    with np.errstate(invalid="ignore"):
        change = np.real(
            host_tables.log_amplitude(host, flipped[:, :-1]) - host_tables.log_amplitude(host, spins)
        )
        return np.exp(2 * np.where(change < 0, change, 0.0))


@inner
def _stays_inside(checked: Checks, m: int, sites: np.ndarray, spins: np.ndarray, c: int) -> bool:
    """Whether the bounds that move m can break hold after it."""
    size: Any = spins.shape[1]
    inside: Any = True
    for f in range(sites.shape[1]):
        if sites[m, f] < size:
            spins[c, sites[m, f]] = -spins[c, sites[m, f]]
    for k in range(checked.rows.shape[1]):
        r, total = checked.rows[m, k], 0
        for d in range(checked.modes.shape[1]):
            if checked.weights[r, d] != 0 and spins[c, checked.modes[r, d]] < 0:
                total += checked.weights[r, d]
        if checked.modulus[r] > 0:
            total %= checked.modulus[r]
        inside = inside and checked.low[r] <= total <= checked.high[r]
    for f in range(sites.shape[1]):
        if sites[m, f] < size:
            spins[c, sites[m, f]] = -spins[c, sites[m, f]]
    return inside


@kernel
def _run(
    sites: np.ndarray,
    kind: np.ndarray,
    row: np.ndarray,
    exchange: np.ndarray,
    share: np.ndarray,
    alias: np.ndarray,
    rows: np.ndarray,
    factors: np.ndarray,
    counts: np.ndarray,
    logs: np.ndarray,
    coupling: np.ndarray,
    complex_units: bool,
    careful: bool,
    patience: int,
    checked: Checks | None,
    spins: np.ndarray,
    states: np.ndarray,
    pq: np.ndarray,
    norm: np.ndarray,
    local: np.ndarray,
    done: np.ndarray,
    waiting: np.ndarray,
    ratio: np.ndarray,
    sweep: np.ndarray,
    stop: np.ndarray,
    drawn: np.ndarray,
    accepted: np.ndarray,
):
    """Advance each chain to `stop` proposals, or to the first that needs numpy: `waiting` then has its
    move, or is −1 if the chain must have (p, q) recomputed. pq[c] is p, q and two rows of scratch;
    `patience` accepted moves may pass before they are rescaled. None: counts and logs where all moves are
    rows; coupling (and then logs) where there is no pair term; complex_units where they are real; checked
    where no move leaves the space."""
    size, width, moves = spins.shape[1], rows.shape[1], sites.shape[0]
    units = width if complex_units is None else width // 2
    for c in range(spins.shape[0]):
        n, known = done[c], norm[c]
        left, since = sweep - n % sweep, patience
        while n < stop:
            m, given = waiting[c], waiting[c] >= 0
            if not given:
                u = uniform(states, c) * moves
                m = int(u)
                if u - m >= share[m]:
                    m = alias[m]
            first = spins[c, sites[m, 0]]
            changed = not (exchange[m] and first == spins[c, sites[m, 1]])
            if checked is not None:
                changed = changed and _stays_inside(checked, m, sites, spins, c)
            if changed:
                r = row[m]
                b = 0 if first > 0 else 1  # p (0) is multiplied, or q (1)
                a = 1 - b
                factor = factors[r, b]
                flips = 2 if exchange[m] else 1
                if counts is not None:
                    flips = counts[m]
                    if kind[m] == GLOBAL:
                        a, b = 0, 1
                    elif kind[m] == COMPOSED:
                        for k in range(width):
                            pq[c, 2, k] = pq[c, 0, k]
                            pq[c, 3, k] = pq[c, 1, k]
                        for f in range(flips):
                            i = sites[m, f]
                            multiply(pq, c, 2 if spins[c, i] > 0 else 3, rows, i, units, complex_units)
                        a, b = 2, 3
                if complex_units is None:
                    square = product(pq, c, a, b, rows, r, units)
                    square *= square
                else:
                    square = product_square(pq, c, a, b, rows, r, units)
                if logs is not None:
                    composed = kind[m] == COMPOSED
                    change = 0.0 if composed else logs[r]
                    for f in range(flips):
                        i = sites[m, f]
                        change -= 2.0 * spins[c, i] * local[c, i]
                        if composed:
                            change += logs[i]
                        if coupling is not None:
                            for g in range(f):
                                j = sites[m, g]
                                change += 4.0 * spins[c, i] * spins[c, j] * coupling[i, j]
                    factor = np.exp(2.0 * change)
                accept = square / known * factor
                if given:
                    accept = ratio[c]
                elif careful or not (SMALLEST < square < LARGEST and SMALLEST < accept < LARGEST):
                    waiting[c] = m
                    break
                waiting[c] = -1
                changed = not (accept < 1.0 and uniform(states, c) >= accept)
            if changed:
                accepted[c] += 1
                for f in range(flips):
                    i = sites[m, f]
                    spins[c, i] = -spins[c, i]
                    if coupling is not None:
                        for j in range(size):
                            local[c, j] += 2.0 * spins[c, i] * coupling[i, j]
                known = square
                if counts is not None and kind[m] == COMPOSED:
                    for k in range(width):
                        pq[c, 0, k] = pq[c, 2, k]
                        pq[c, 1, k] = pq[c, 3, k]
                else:
                    multiply(pq, c, b, rows, r, units, complex_units)
                if counts is not None and kind[m] == GLOBAL:
                    for k in range(width):
                        pq[c, 0, k], pq[c, 1, k] = pq[c, 1, k], pq[c, 0, k]
                since += 1
                if since >= patience or not 1e-60 < known < 1e60:
                    known = rescale(pq, c, units, complex_units)
                    since = 0
            n += 1
            left -= 1
            if left == 0:
                left = sweep
                for i in range(size):
                    drawn[c, n // sweep - 1, i] = spins[c, i]
            if given and changed:
                break
        done[c], norm[c] = n, known
