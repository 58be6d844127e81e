r"""Local values of an operator on the host for sums of determinants: E_loc(s) = Σ_{s'} ⟨s|H|s'⟩ ψ(s')/ψ(s).

ψ(s')/ψ(s) of a hop is a dot product for each determinant (`models.kernels.host_determinants`) times the
factor's ratio, and the sign of the order of the fermions; several hops at once are made one after another on
a copy of the inverses. Elements are looked up as for spins (`host_operator`), with the parities of
Jordan-Wigner strings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jax import Array

from intertwine import _threads
from intertwine._checks import fail
from intertwine._compile import kernel
from intertwine.models.fermions.forms import DeterminantForm
from intertwine.models.kernels import host_determinants as dets, host_tables
from intertwine.models.kernels.host_determinants import HostDeterminants, Kept
from intertwine.models.kernels.host_kernels import multiply, product
from intertwine.quantum.vmc.host_local_energy import running_products, table_plan, wide_elements
from intertwine.quantum.vmc.host_operator import prepare

if TYPE_CHECKING:
    from intertwine.quantum.operators.operator import Operator

BLOCK = 256
"""Configurations a block, whatever the number of threads."""


def local_values(operator: Operator, form: DeterminantForm, configurations: Array | np.ndarray) -> np.ndarray:
    """E_loc of each configuration: (S,) float64 for a real operator and form, else complex128.

    operator: an `Operator`. form: the wave function, its factor real. configurations: int8 (S, N) of ±1 with
    the form's numbers of fermions; elements to other numbers count 0.

    Raises InputError where sizes differ.
    """
    spins = np.asarray(configurations, np.int8)
    size = operator.size
    if spins.ndim != 2 or spins.shape[1] != size or form.filling.size != size:
        expected = f"configurations of shape (S, {size}) and a form of {size} modes, as the operator has"
        raise fail("configurations", expected, f"{spins.shape} and {form.filling.size} modes")
    ready, factor = prepare(operator), host_tables.host_form(form.factor)
    host, plan = dets.host_determinants(form), table_plan(ready, factor)
    extended = np.ones((len(spins), size + 1), np.int8)
    extended[:, :size] = spins
    out = np.empty((len(spins), 2))

    def blocks(start: int, stop: int) -> None:
        scratch, spare = dets.kept(form, host), dets.kept(form, host)
        for b in range(start, stop):
            part = slice(b * BLOCK, (b + 1) * BLOCK)
            s = extended[part]
            pq = np.empty((len(s), 4, factor.rows.shape[1]))
            pq[:, :2] = host_tables.unit_pairs(factor, s[:, :-1])
            running = running_products(ready, s)
            local = np.ascontiguousarray(host_tables.local_fields(factor, s[:, :-1])[:, 0])
            _run(
                ready.flips, ready.counts, ready.sites, ready.bits, ready.table, ready.offsets, ready.common,
                running, wide_elements(ready, s, running), ready.diagonal, ready.diagonal_sites,
                plan.opposite, plan.equal,
                plan.rows, plan.logs, local, factor.coupling[0] if factor.coupling.size else None,
                host, scratch, spare, s, pq, out[part],
            )  # fmt: skip

    _threads.over_ranges(blocks, -(-len(spins) // BLOCK), pieces_per_thread=2)
    if ready.is_complex or np.iscomplexobj(host.weights):
        return out.view(np.complex128)[:, 0]
    return np.ascontiguousarray(out[:, 0])


def warm_up(operator: Operator, form: DeterminantForm) -> Any:
    """Begin in the background to compile what `local_values` needs for them; returns a future."""
    start = np.ones((1, operator.size), np.int8)
    for a, n in zip(form.filling.starts, form.filling.particles, strict=True):
        start[:, a : a + n] = -1
    return _threads.background(lambda: local_values(operator, form, start))


@kernel
def _run(
    flips: np.ndarray,
    counts: np.ndarray,
    sites: np.ndarray,
    bits: np.ndarray,
    table: np.ndarray,
    offsets: np.ndarray,
    common: np.ndarray,
    running: np.ndarray,
    wide: np.ndarray,
    diagonal: np.ndarray,
    diagonal_sites: np.ndarray,
    opposite: np.ndarray,
    equal: np.ndarray,
    rows: np.ndarray,
    logs: np.ndarray,
    local: np.ndarray,
    coupling: np.ndarray,
    host: HostDeterminants,
    k: Kept,
    spare: Kept,
    spins: np.ndarray,
    pq: np.ndarray,
    out: np.ndarray,
):
    """Local values of a block (B, N + 1), the last column ones. None: running where
    no element has a string, coupling where there is no pair term."""
    width, unit = rows.shape[1], rows.shape[0] - 1
    before = np.zeros(max(1, flips.shape[1]), np.int8)
    for c in range(spins.shape[0]):
        dets.list_modes(host, k, spins, c)
        dets.invert(host, k)
        real, imag = 0.0, 0.0
        for t in range(diagonal.shape[0]):
            sign = 1
            for d in range(diagonal_sites.shape[1]):
                sign *= spins[c, diagonal_sites[t, d]]
            real += sign * diagonal[t, 0]
            imag += sign * diagonal[t, 1]
        own = product(pq, c, 0, 1, rows, unit, width)
        for f in range(flips.shape[0]):
            v = offsets[f]
            for d in range(bits[f] if v >= 0 else 0):
                if spins[c, sites[f, d]] < 0:
                    v += 1 << d
            h_real, h_imag = table[max(v, 0), 0], table[max(v, 0), 1]
            if v < 0:
                h_real, h_imag = wide[c, -1 - v, 0], wide[c, -1 - v, 1]
            if h_real == 0.0 and h_imag == 0.0:
                continue
            if running is not None and v >= 0:
                for d in range(common.shape[1]):
                    h_real *= running[c, common[f, d]]
                    h_imag *= running[c, common[f, d]]
            balance0, balance1 = 0, 0
            for x in range(counts[f]):
                i = flips[f, x]
                if host.side[i] == 0:
                    balance0 += spins[c, i]
                elif host.side[i] == 1:
                    balance1 += spins[c, i]
            if balance0 != 0 or balance1 != 0:
                continue
            # the factor's ratio
            first = spins[c, flips[f, 0]]
            b = 0 if first > 0 else 1
            r = opposite[f]
            if counts[f] == 2 and first == spins[c, flips[f, 1]]:
                r = equal[f]
            change = 0.0
            if r >= 0:
                value = product(pq, c, 1 - b, b, rows, r, width)
                change = logs[r, 0]
            else:
                for i in range(width):
                    pq[c, 2, i] = pq[c, 0, i]
                    pq[c, 3, i] = pq[c, 1, i]
                for x in range(counts[f]):
                    i = flips[f, x]
                    multiply(pq, c, 2 if spins[c, i] > 0 else 3, rows, i, width, None)
                    change += logs[i, 0]
                value = product(pq, c, 2, 3, rows, unit, width)
            for x in range(counts[f]):
                i = flips[f, x]
                change -= 2.0 * spins[c, i] * local[c, i]
                if coupling is not None:
                    for y in range(x):
                        j = flips[f, y]
                        change += 4.0 * spins[c, i] * spins[c, j] * coupling[i, j]
            ratio = value / own * np.exp(change)
            # the hops, one after another
            total = k.shares[0] * 0.0 + 1.0
            several = counts[f] > 2
            if several:
                dets.copy_into(spare, k)
            for x in range(counts[f]):
                before[x] = spins[c, flips[f, x]]
            for x in range(counts[f]):
                leaves, enters = flips[f, x], -1
                if before[x] > 0 or host.side[leaves] == 2:
                    continue
                for y in range(counts[f]):
                    j = flips[f, y]
                    free = before[y] > 0 and spins[c, j] > 0 and host.side[j] == host.side[leaves]
                    if enters < 0 and free:
                        enters = j
                ratio *= dets.order_sign(spins, c, leaves, enters)
                if several:
                    total = dets.hop_ratio(host, spare, leaves, enters)
                    dets.scaled_hop(host, spare, leaves, enters)
                else:
                    total = dets.hop_ratio(host, k, leaves, enters)
                spins[c, leaves], spins[c, enters] = 1, -1
            for x in range(counts[f]):
                spins[c, flips[f, x]] = before[x]
            out_real, out_imag = np.real(total) * ratio, np.imag(total) * ratio
            real += h_real * out_real - h_imag * out_imag
            imag += h_real * out_imag + h_imag * out_real
        out[c, 0], out[c, 1] = real, imag
