r"""Local values of operators on modes with several levels, on the host, for real models (`level_kernels`).

⟨n|H|n + δ⟩ is a look-up in the tables of a `LevelOperator`; elements that vanish are skipped, and ψ'/ψ is a
product over hidden units. Products that leave the range of floating-point numbers are done in logarithms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jax import Array

from intertwine import _threads
from intertwine._compile import kernel
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

if TYPE_CHECKING:
    from intertwine.quantum.operators.levels.compiled import TableRows
    from intertwine.quantum.operators.levels.level_operator import LevelOperator

_BLOCK = 64


def local_values(operator: LevelOperator, form: LevelForm, configurations: Array | np.ndarray) -> np.ndarray:
    """E_loc of each configuration of levels (S, N): (S,) float64, or complex128 for a complex operator."""
    n = np.array(configurations, np.int64, order="C")
    values = np.asarray(operator.values)
    parts = np.ascontiguousarray(np.stack([np.real(values), np.imag(values)], axis=-1), np.float64)
    out = np.empty((len(n), 2))
    moves, shifts = np.asarray(operator.moves, np.int64), np.asarray(operator.shifts, np.int64)
    most = max(2, int(np.abs(shifts).sum(1).max(initial=0)))
    width, fermionic = form.rows.shape[1], np.array(operator.hilbert.fermionic, np.int64)
    terms, diagonal = _sorted(operator.terms, len(moves)), _rows(operator.diagonal_terms)

    def blocks(start: int, stop: int) -> None:
        for b in range(start, stop):
            part = slice(b * _BLOCK, (b + 1) * _BLOCK)
            _run(
                *form, moves, shifts, *terms, *diagonal, parts,
                fermionic, n[part], np.empty((1, 4, width)), np.empty((1, len(form.rows))),
                np.empty(most, np.int64), np.empty(most, np.int64), np.empty(width),
                np.empty(n.shape[1] + 1, np.int64), out[part],
            )  # fmt: skip

    _threads.over_ranges(blocks, -(-len(n) // _BLOCK), pieces_per_thread=2)
    return np.ascontiguousarray(out[:, 0]) if operator.is_real else out.view(np.complex128)[:, 0]


def _rows(rows: TableRows) -> tuple[np.ndarray, ...]:
    names = ("modes", "strides", "offsets", "ends")
    return tuple(np.ascontiguousarray(getattr(rows, name), np.int64) for name in names)


def _sorted(rows: TableRows, moves: int) -> tuple[np.ndarray, ...]:
    """(where the terms of each move begin (K + 1,), modes, strides, offsets, ends) by move."""
    order = np.argsort(rows.owners, kind="stable")
    begins = np.searchsorted(np.asarray(rows.owners)[order], np.arange(moves + 1))
    return (begins.astype(np.int64), *(x[order] for x in _rows(rows)))


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
    moves: np.ndarray,
    shifts: np.ndarray,
    begins: np.ndarray,
    modes: np.ndarray,
    strides: np.ndarray,
    offsets: np.ndarray,
    ends: np.ndarray,
    on_modes: np.ndarray,
    on_strides: np.ndarray,
    on_offsets: np.ndarray,
    on_ends: np.ndarray,
    values: np.ndarray,
    fermionic: np.ndarray,
    n: np.ndarray,
    pq: np.ndarray,
    local: np.ndarray,
    spins: np.ndarray,
    downs: np.ndarray,
    theta: np.ndarray,
    running: np.ndarray,
    out: np.ndarray,
) -> None:
    """Local values of a block."""
    size, units = n.shape[1], rows.shape[1]
    for c in range(n.shape[0]):
        running[0] = 1
        for i in range(size):
            odd = fermionic[i] * (n[c, i] % 2)
            running[i + 1] = running[i] * (1 - 2 * odd)
        real, imag = 0.0, 0.0
        for t in range(on_offsets.shape[0]):
            v, sign = on_offsets[t], 1
            for d in range(on_modes.shape[1]):
                if on_modes[t, d] < size:
                    v += on_strides[t, d] * n[c, on_modes[t, d]]
            for e in range(on_ends.shape[1]):
                sign *= running[on_ends[t, e]]
            real += sign * values[v, 0]
            imag += sign * values[v, 1]
        if not careful:
            fill(levels, first, weights, bias, n, c, theta, pq, 0, units)
        if coupling is not None:
            fill_local(levels, first, coupling, n, c, local, 0)
        known_log = np.nan
        for k in range(moves.shape[0]):
            x, y = 0.0, 0.0
            for t in range(begins[k], begins[k + 1]):
                v, sign = offsets[t], 1
                for d in range(modes.shape[1]):
                    if modes[t, d] < size:
                        v += strides[t, d] * n[c, modes[t, d]]
                for e in range(ends.shape[1]):
                    sign *= running[ends[t, e]]
                x += sign * values[v, 0]
                y += sign * values[v, 1]
            if x == 0.0 and y == 0.0:
                continue
            count = flips_of(first, n, c, moves, shifts, k, spins, downs)
            ratio = 0.0
            if not careful:
                ratio = changed_product(pq, 0, rows, spins, downs, count, units)
            if SMALLEST < ratio < LARGEST:
                ratio *= np.exp(log_factor(logs, coupling, local, 0, spins, downs, count))
            if not SMALLEST < ratio < LARGEST:
                if np.isnan(known_log):
                    known_log = log_amplitude(levels, first, weights, bias, field, coupling, n, c, theta)
                for f in range(moves.shape[1]):
                    if moves[k, f] < size:
                        n[c, moves[k, f]] += shifts[k, f]
                after = log_amplitude(levels, first, weights, bias, field, coupling, n, c, theta)
                for f in range(moves.shape[1]):
                    if moves[k, f] < size:
                        n[c, moves[k, f]] -= shifts[k, f]
                ratio = np.exp(after - known_log)
            real += x * ratio
            imag += y * ratio
        out[c, 0], out[c, 1] = real, imag
