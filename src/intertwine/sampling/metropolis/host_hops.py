r"""Metropolis sampling of fermions on the host: hops of one fermion, by rank-one updates, compiled.

For models that are a `DeterminantForm` (Slater-Jastrow, Slater-RBM, pair functions, projected ones) with a
real factor, and rules that exchange two modes. A proposal is null where both modes are alike, or belong to
different conserved numbers; else it costs O(n) for a determinant and O(M) for hidden units. Same law as the
JAX path; the numbers depend on the key and the inputs, not on the number of threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jax import Array

from intertwine import _threads
from intertwine._checks import fail, positive_int
from intertwine._compile import kernel
from intertwine.models.fermions.forms import DeterminantForm, has_determinants
from intertwine.models.kernels import host_determinants as dets, host_tables
from intertwine.models.kernels.host_determinants import HostDeterminants, Kept
from intertwine.models.kernels.host_kernels import multiply, product, rescale
from intertwine.sampling.host_random import alias_table, chain_states, uniform
from intertwine.sampling.metropolis.rules import MoveTable, Rule

if TYPE_CHECKING:
    from intertwine.spaces.hilbert.hilbert_space import HilbertSpace

SEGMENT = 2048
"""Proposals after which everything is made anew from the configuration."""
_LARGEST_STEP = 200.0


def supports(rule: Rule, model: Any, space: HilbertSpace | None = None) -> bool:
    """Whether `sample` can draw from `model` with the moves of `rule`, in `space`: the numbers of fermions
    must be all that restricts it.

    >>> import intertwine as it
    >>> space = it.Fermions(it.Chain(6), (3, 3))
    >>> supports(it.Exchange(), it.models.Slater(space), space)
    True
    """
    if not isinstance(rule, Rule) or not has_determinants(model) or rule.takes == "levels":
        return False
    if space is not None and (not space.binary or len(space.bounds) != len(model.filling.particles)):
        return False
    return bool(rule.table(model.size).exchange.all())


def sample(
    form: DeterminantForm,
    table: MoveTable,
    configurations: Array | np.ndarray,
    draws: int,
    sweep: int,
    key: Array | np.ndarray,
) -> tuple[np.ndarray, float]:
    """`draws` configurations of each chain, `sweep` proposals apart, and the accepted share of the proposals.

    form: what to sample. table: exchanges of two modes. configurations: int8 (chains, N) of ±1, with the
    form's numbers of fermions. key: a JAX key.

    Returns int8 (chains, draws, N), the last draw of a chain being where it stands, and a float.
    """
    spins = np.array(configurations, np.int8, order="C")
    filling = form.filling
    for a, b, n in zip(filling.starts, filling.stops, filling.particles, strict=True):
        if (np.sum(spins[:, a:b] < 0, axis=1) != n).any():
            expected = f"{n} fermions in modes {a} to {b - 1}"
            raise fail("configurations", expected, "other numbers", "begin with space.random")
    draws, sweep = positive_int("draws", draws), positive_int("sweep", sweep)
    host, factor = dets.host_determinants(form), host_tables.host_form(form.factor)
    pairs = np.asarray(table.sites[:, :2], np.int32)
    rows = host_tables.pair_rows(factor, pairs, -1)
    with np.errstate(over="ignore"):
        factors = np.exp(2 * (rows.logs[:, :1] + rows.fields[:, :1] * np.array([-1.0, 1.0])))
    share, alias = alias_table(np.asarray(table.weights))
    paired = factor.coupling.size > 0
    chains = len(spins)
    states = chain_states(key, chains)
    drawn = np.empty((chains, draws, filling.size), np.int8)
    accepted = np.zeros(chains, np.int64)
    step = 8 * np.abs(factor.weights).max(initial=0.0)
    patience = max(1, int(_LARGEST_STEP / step)) if step > _LARGEST_STEP / SEGMENT else SEGMENT

    def blocks(start: int, stop: int) -> None:
        part = slice(start, stop)
        scratch = dets.kept(form, host)
        total = draws * sweep
        for begin in range(0, total, SEGMENT):
            pq = np.empty((stop - start, 2, factor.rows.shape[1]))
            pq[:] = host_tables.unit_pairs(factor, spins[part])
            local = np.ascontiguousarray(host_tables.local_fields(factor, spins[part])[:, 0])
            end = min(begin + SEGMENT, total)
            _run(
                pairs, share, alias, rows.values, factors, rows.logs[:, 0].copy(),
                factor.coupling[0] if paired else None, host, scratch, spins[part], states[part], pq, local,
                patience, begin, end, sweep, drawn[part], accepted[part],
            )  # fmt: skip

    _threads.over_ranges(blocks, chains)
    return drawn, float(accepted.sum()) / (chains * draws * sweep)


@kernel
def _run(
    pairs: np.ndarray,
    share: np.ndarray,
    alias: np.ndarray,
    rows: np.ndarray,
    factors: np.ndarray,
    logs: np.ndarray,
    coupling: np.ndarray,
    host: HostDeterminants,
    k: Kept,
    spins: np.ndarray,
    states: np.ndarray,
    pq: np.ndarray,
    local: np.ndarray,
    patience: int,
    begin: int,
    end: int,
    sweep: int,
    drawn: np.ndarray,
    accepted: np.ndarray,
):
    """Advance every chain from proposal `begin` to `end`. coupling None: there is no pair term."""
    size, width, moves = spins.shape[1], rows.shape[1], pairs.shape[0]
    for c in range(spins.shape[0]):
        dets.list_modes(host, k, spins, c)
        dets.invert(host, k)
        known = rescale(pq, c, width, None)
        since = 0
        for n in range(begin, end):
            u = uniform(states, c) * moves
            m = int(u)
            if u - m >= share[m]:
                m = alias[m]
            i, j = pairs[m, 0], pairs[m, 1]
            if spins[c, i] != spins[c, j] and host.side[i] == host.side[j]:
                b = 0 if spins[c, i] > 0 else 1
                square = product(pq, c, 1 - b, b, rows, m, width)
                square *= square
                if coupling is None:
                    accept = square / known * factors[m, b]
                else:
                    change = logs[m] - 2.0 * (spins[c, i] * local[c, i] + spins[c, j] * local[c, j])
                    change += 4.0 * spins[c, i] * spins[c, j] * coupling[i, j]
                    accept = square / known * np.exp(2.0 * change)
                leaves, enters = (j, i) if b == 0 else (i, j)
                fermions = host.side[i] < 2
                total = k.shares[0]
                if fermions:
                    total = dets.hop_ratio(host, k, leaves, enters)
                    accept *= abs(total) ** 2
                if accept >= 1.0 or uniform(states, c) < accept:
                    accepted[c] += 1
                    if fermions:
                        spins[c, i], spins[c, j] = spins[c, j], spins[c, i]
                        dets.hop(host, k, leaves, enters, total)
                    else:
                        spins[c, i], spins[c, j] = spins[c, j], spins[c, i]
                    if coupling is not None:
                        for x in range(size):
                            local[c, x] += 2.0 * (spins[c, i] * coupling[i, x] + spins[c, j] * coupling[j, x])
                    known = square
                    multiply(pq, c, b, rows, m, width, None)
                    since += 1
                    if since >= patience or not 1e-60 < known < 1e60:
                        known = rescale(pq, c, width, None)
                        since = 0
            if (n + 1) % sweep == 0:
                for x in range(size):
                    drawn[c, (n + 1) // sweep - 1, x] = spins[c, x]
