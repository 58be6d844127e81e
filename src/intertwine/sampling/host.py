r"""Metropolis sampling of |ψ|² on the host: compiled, one core a block of chains.

For models that are a `SpinForm` (RBMs, symmetric RBMs, Jastrow, mean field). A proposal s → s' is accepted if a uniform
number is below |ψ(s')/ψ(s)|² (Metropolis et al., J. Chem. Phys. 21, 1087, 1953), which the tables of
`models.host_tables` give as a product over hidden units. Every move of a rule is one of

    row       one site, an exchange of opposite spins: one row of the table
    global    all sites: the row e^{4b}, then p and q change places
    composed  any other set of sites: the rows of its sites multiplied into a copy of (p, q)

Same law as the JAX path; the numbers depend on the key and the inputs, not on the number of threads.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from intertwine import _threads
from intertwine._checks import fail, positive_int
from intertwine._compile import kernel
from intertwine.models import host_tables
from intertwine.models.host_tables import HostForm, log_amplitude, multiply, product_square, refresh, rescale
from intertwine.models.protocols import SpinForm, SpinFormed
from intertwine.sampling.host_random import alias_table, chain_states, uniform
from intertwine.sampling.rules import Rule

COMPOSED, GLOBAL = -1, -2
REFRESH = 512
"""Accepted moves after which (p, q) are recomputed from the configuration."""


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
    exchange: for all moves or for each (moves,), whether a move is null when its first two sites carry equal spins.

    Returns int8 (chains, draws, N), the last draw of a chain being where it stands, and a float.

    Raises InputError for arrays whose shapes do not fit.

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
    if spins.ndim != 2 or spins.shape[1] != size:
        raise fail("configurations", f"an array of shape (chains, {size})", f"shape {spins.shape}")
    plan = _plan(host, moves, weights, exchange)
    draws, sweep = positive_int("draws", draws), positive_int("sweep", sweep)
    chains = len(spins)
    states = chain_states(key, chains)
    drawn = np.empty((chains, draws, size), np.int8)
    accepted = np.zeros(chains, np.int64)

    def block(start: int, stop: int) -> None:
        part = slice(start, stop)
        _chains(
            *plan, host.field, host.coupling, host.weights, host.bias, host.site_rows, host.site_logs, host.hidden,
            host.careful, sweep, states[part], spins[part], drawn[part], accepted[part],
        )  # fmt: skip

    _threads.over_ranges(block, chains)
    return drawn, float(accepted.sum()) / (chains * draws * sweep)


class _Plan(NamedTuple):
    """What the kernel needs of the moves: sites (m, F), their counts, rows, null rule, alias table, the table rows and
    each row's factor |Π E^{−1/2} e^{∓A}|² for the first spin down and up."""

    sites: np.ndarray
    counts: np.ndarray
    row: np.ndarray
    exchange: np.ndarray
    share: np.ndarray
    alias: np.ndarray
    rows: np.ndarray
    row_logs: np.ndarray
    factors: np.ndarray


def _plan(host: HostForm, moves: Any, weights: Any, exchange: Any) -> _Plan:
    size = host.field.shape[1]
    sites = np.ascontiguousarray(moves, np.int32)
    if sites.ndim != 2 or len(sites) == 0 or (sites < 0).any() or (sites > size).any():
        raise fail("moves", f"integers (moves, F) in 0..{size}", f"shape {sites.shape}", "pad with N")
    sites = np.sort(sites, axis=1)
    counts = np.sum(sites < size, axis=1).astype(np.int32)
    null = np.ascontiguousarray(np.broadcast_to(np.asarray(exchange, bool), len(sites)))
    probabilities = np.ones(len(sites)) if weights is None else np.asarray(weights, np.float64)
    if probabilities.shape != (len(sites),) or not (probabilities >= 0).all() or not probabilities.sum() > 0:
        raise fail("weights", f"{len(sites)} probabilities, one a move", probabilities)
    share, alias = alias_table(probabilities)
    row = np.full(len(sites), COMPOSED, np.int32)
    parts, base = [host_tables.single_rows(host)], size
    row[counts == 1] = sites[counts == 1, 0]
    pairs = np.flatnonzero(null & (counts == 2))
    if len(pairs) * host.site_rows[0].nbytes <= host_tables.MAX_PAIR_BYTES and len(pairs):
        parts.append(host_tables.pair_rows(host, sites[pairs, :2], -1))
        row[pairs] = base + np.arange(len(pairs))
        base += len(pairs)
    everything = (counts == size) & (size > 1) & ~null
    if everything.any():
        parts.append(host_tables.global_row(host))
        row[everything] = GLOBAL
    table = host_tables.joined(parts)
    exponents = table.logs[:, :1] + table.fields[:, :1] * np.array([1.0, -1.0])
    with np.errstate(over="ignore"):
        factors = np.exp(2 * exponents)
    return _Plan(sites, counts, row, null, share, alias, table.values, table.logs, factors)


@kernel
def _composed(sites: Any, spins: Any, pq: Any, site_rows: Any, out: Any) -> None:
    """(p, q) after the flip of `sites`."""
    out[...] = pq
    for f in range(sites.shape[0]):
        multiply(out[0 if spins[sites[f]] > 0 else 1], site_rows[sites[f]])


@kernel
def _exponent(sites: Any, spins: Any, local: Any, coupling: Any) -> float:
    """Re of the change of a·s + ½ sᵀJs when `sites` are flipped; local = Re(a + Js)."""
    change = 0.0
    for f in range(sites.shape[0]):
        i = sites[f]
        change -= 2.0 * spins[i] * local[i]
        if coupling.shape[1] > 0:
            for g in range(f):
                change += 4.0 * spins[i] * spins[sites[g]] * coupling[0, i, sites[g]]
    return change


@kernel
def _flip(sites: Any, spins: Any, local: Any, coupling: Any) -> None:
    """Flip `sites` of the configuration, local following."""
    for f in range(sites.shape[0]):
        i = sites[f]
        spins[i] = -spins[i]
        if coupling.shape[1] > 0:
            for j in range(local.shape[0]):
                local[j] += 2.0 * spins[i] * coupling[0, i, j]


@kernel
def _local(spins: Any, field: Any, coupling: Any, local: Any) -> None:
    """local = Re(a + Js)."""
    for i in range(local.shape[0]):
        local[i] = field[0, i]
        for j in range(coupling.shape[1]):
            local[i] += coupling[0, i, j] * spins[j]


@kernel
def _chains(
    sites, counts, row, exchange, share, alias, rows, row_logs, factors, field, coupling, weights, bias, site_rows,
    site_logs, hidden, careful, sweep, states, configurations, drawn, accepted,
):  # fmt: skip
    """All draws of a block of chains."""
    size, moves = field.shape[1], sites.shape[0]
    paired = coupling.shape[1] > 0
    shape = (2,) + bias.shape
    pq, trial = np.empty(shape), np.empty(shape)
    ones = np.zeros(bias.shape)
    if bias.ndim == 1:
        ones[:] = 1.0
    else:
        ones[0, :] = 1.0
    local = np.empty(size)
    for c in range(configurations.shape[0]):
        spins, state = configurations[c], states[c]
        _local(spins, field, coupling, local)
        refresh(spins, weights, bias, hidden, pq)
        norm = product_square(pq[0], pq[1], ones)
        since = 0
        for d in range(drawn.shape[1]):
            for _ in range(sweep):
                u = uniform(state) * moves
                m = int(u)
                if u - m >= share[m]:
                    m = alias[m]
                first = sites[m, 0]
                if exchange[m] and spins[first] == spins[sites[m, 1]]:
                    continue
                r, flipped = row[m], sites[m, : counts[m]]
                up = 1 if spins[first] > 0 else 0  # p (0) is multiplied if the first spin is up, else q (1)
                if r >= 0:
                    square = product_square(pq[up], pq[1 - up], rows[r])
                    if paired:
                        factor = np.exp(2.0 * (_exponent(flipped, spins, local, coupling) + row_logs[r, 0]))
                    else:
                        factor = factors[r, up]
                else:
                    log_factor = _exponent(flipped, spins, local, coupling)
                    if r == GLOBAL:
                        r = rows.shape[0] - 1
                        up = 0
                        square = product_square(pq[0], pq[1], rows[r])
                        log_factor += row_logs[r, 0]
                        r = GLOBAL
                    else:
                        _composed(flipped, spins, pq, site_rows, trial)
                        square = product_square(trial[0], trial[1], ones)
                        for f in flipped:
                            log_factor += site_logs[f, 0]
                    factor = np.exp(2.0 * log_factor)
                ratio = square / norm * factor
                exact = careful or not (1e-290 < square < 1e290 and 1e-290 < ratio < 1e290)
                if exact:
                    before, _ = log_amplitude(spins, field, coupling, weights, bias, hidden)
                    for f in flipped:
                        spins[f] = -spins[f]
                    after, _ = log_amplitude(spins, field, coupling, weights, bias, hidden)
                    for f in flipped:
                        spins[f] = -spins[f]
                    ratio = np.exp(min(2.0 * (after - before), 1.0)) if after - before < 0.0 else 1.0
                if ratio < 1.0 and uniform(state) >= ratio:
                    continue
                accepted[c] += 1
                since += 1
                _flip(flipped, spins, local, coupling)
                if exact or since >= REFRESH:
                    refresh(spins, weights, bias, hidden, pq)
                    norm = product_square(pq[0], pq[1], ones)
                    if paired:
                        _local(spins, field, coupling, local)
                    since = 0
                    continue
                if r >= 0:
                    multiply(pq[1 - up], rows[r])
                elif r == GLOBAL:
                    multiply(pq[1], rows[rows.shape[0] - 1])
                    trial[...] = pq
                    pq[0] = trial[1]
                    pq[1] = trial[0]
                else:
                    pq[...] = trial
                norm = square
                if not 1e-60 < norm < 1e60:
                    rescale(pq)
                    norm = product_square(pq[0], pq[1], ones)
            drawn[c, d] = spins
