r"""Products over hidden units where levels change, from the tables of `host_tables`.

A model of levels is a `SpinForm` of the spins that stand for them (`models.levels.level_spins`), real, and a
step of a mode flips one of them: up from n it is the spin n of the mode, which goes down, p ← p E; down from
n the spin n − 1, which goes up, q ← q E. A hop is one of each,

    ψ'/ψ = (factors of both) · Π_k (p_k E'_k + q_k E_k) / Π_k (p_k + q_k).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from intertwine._compile import inner
from intertwine.models.kernels import host_tables
from intertwine.models.levels.level_spins import Encoding
from intertwine.models.protocols import SpinForm


class LevelForm(NamedTuple):
    """A real model of levels as the kernels read it, E spins and P hidden units (padded).

    levels: int64 (N,), d_i. first: int64 (N,), the first spin of each mode. rows: (E, P), e^{−4W}. weights:
    (E, P). bias: (P,) the angles where all spins are up. field: (E,). logs: (E, 2), ln of the factor of a
    spin that goes down (0) and up (1). coupling: (E, E) or None. careful: whether the weights exceed what
    tables can hold.
    """

    levels: np.ndarray
    first: np.ndarray
    rows: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    field: np.ndarray
    logs: np.ndarray
    coupling: np.ndarray | None
    careful: bool


def level_form(form: SpinForm, code: Encoding) -> LevelForm:
    """The arrays of one real form."""
    host = host_tables.host_form(form)
    logs = host.logs[:, :1] + 2 * host.field[0][:, None] * np.array([-1.0, 1.0])
    return LevelForm(
        np.array(code.levels, np.int64),
        code.first.astype(np.int64),
        host.rows,
        host.weights,
        host.bias + host.weights.sum(axis=0),
        np.ascontiguousarray(host.field[0]),
        np.ascontiguousarray(logs),
        np.ascontiguousarray(host.coupling[0]) if host.coupling.size else None,
        host.careful,
    )


def is_real(form: SpinForm) -> bool:
    """Whether the kernels of levels take the form."""
    return not any(np.iscomplexobj(x) for x in form if x is not None)


@inner
def angles(
    levels: np.ndarray,
    first: np.ndarray,
    weights: np.ndarray,
    bias: np.ndarray,
    n: np.ndarray,
    c: int,
    theta: np.ndarray,
) -> None:
    """θ_k of configuration c into theta."""
    for k in range(theta.shape[0]):
        theta[k] = bias[k]
    for i in range(first.shape[0]):
        for v in range(n[c, i]):
            for k in range(theta.shape[0]):
                theta[k] -= 2.0 * weights[first[i] + v, k]


@inner
def fill(
    levels: np.ndarray,
    first: np.ndarray,
    weights: np.ndarray,
    bias: np.ndarray,
    n: np.ndarray,
    c: int,
    theta: np.ndarray,
    pq: np.ndarray,
    b: int,
    hidden: int,
) -> None:
    """(p, q) of configuration c into pq[b], scaled to p + q = 1; units from `hidden` on are padding."""
    angles(levels, first, weights, bias, n, c, theta)
    for k in range(theta.shape[0]):
        low = 1.0 / (1.0 + np.exp(-2.0 * theta[k])) if k < hidden else 0.0
        pq[b, 0, k] = low
        pq[b, 1, k] = 1.0 - low


@inner
def fill_local(
    levels: np.ndarray,
    first: np.ndarray,
    coupling: np.ndarray,
    n: np.ndarray,
    c: int,
    local: np.ndarray,
    b: int,
) -> None:
    """Σ_e' J_ee' σ_e' of configuration c into local[b]."""
    count = coupling.shape[0]
    for e in range(count):
        local[b, e] = 0.0
    for i in range(first.shape[0]):
        for v in range(levels[i] - 1):
            f = first[i] + v
            sign = -1.0 if v < n[c, i] else 1.0
            for e in range(count):
                local[b, e] += sign * coupling[f, e]


@inner
def log_amplitude(
    levels: np.ndarray,
    first: np.ndarray,
    weights: np.ndarray,
    bias: np.ndarray,
    field: np.ndarray,
    coupling: np.ndarray | None,
    n: np.ndarray,
    c: int,
    theta: np.ndarray,
) -> Any:
    """log ψ − constant of configuration c, in logarithms."""
    angles(levels, first, weights, bias, n, c, theta)
    value = 0.0
    for k in range(theta.shape[0]):
        x = abs(theta[k])
        value += x + np.log1p(np.exp(-2.0 * x))
    for i in range(first.shape[0]):
        for v in range(levels[i] - 1):
            e = first[i] + v
            sign = -1.0 if v < n[c, i] else 1.0
            value += sign * field[e]
            if coupling is not None:
                for j in range(first.shape[0]):
                    for w in range(levels[j] - 1):
                        other = -1.0 if w < n[c, j] else 1.0
                        value += 0.5 * sign * other * coupling[e, first[j] + w]
    return value


@inner
def flips_of(
    first: np.ndarray,
    n: np.ndarray,
    c: int,
    sites: np.ndarray,
    shifts: np.ndarray,
    m: int,
    spins: np.ndarray,
    downs: np.ndarray,
) -> int:
    """The spins that move m flips from configuration c, into `spins` with whether each goes down, and how
    many; levels are within their range."""
    count = 0
    for f in range(sites.shape[1]):
        i = sites[m, f]
        if i < first.shape[0]:
            step, level = shifts[m, f], n[c, i]
            for _ in range(abs(step)):
                if step > 0:
                    spins[count], downs[count] = first[i] + level, 0
                    level += 1
                else:
                    spins[count], downs[count] = first[i] + level - 1, 1
                    level -= 1
                count += 1
    return count


@inner
def changed_product(
    pq: np.ndarray, b: int, rows: np.ndarray, spins: np.ndarray, downs: np.ndarray, count: int, units: int
) -> Any:
    """Π_k (p'_k + q'_k) after the flips of `spins` from pq[b]; pq[b, 2], pq[b, 3] are scratch."""
    value = 1.0
    if count == 1:
        a = downs[0]
        for k in range(units):
            value *= pq[b, a, k] * rows[spins[0], k] + pq[b, 1 - a, k]
        return value
    if count == 2 and downs[0] != downs[1]:
        x, y = (spins[0], spins[1]) if downs[0] == 0 else (spins[1], spins[0])
        for k in range(units):
            value *= pq[b, 0, k] * rows[x, k] + pq[b, 1, k] * rows[y, k]
        return value
    for k in range(units):
        pq[b, 2, k] = pq[b, 0, k]
        pq[b, 3, k] = pq[b, 1, k]
    for f in range(count):
        for k in range(units):
            pq[b, 2 + downs[f], k] *= rows[spins[f], k]
    for k in range(units):
        value *= pq[b, 2, k] + pq[b, 3, k]
    return value


@inner
def log_factor(
    logs: np.ndarray,
    coupling: np.ndarray | None,
    local: np.ndarray,
    b: int,
    spins: np.ndarray,
    downs: np.ndarray,
    count: int,
) -> Any:
    """ln of the factor of the flips, pair terms included."""
    value = 0.0
    for f in range(count):
        value += logs[spins[f], downs[f]]
        if coupling is not None:
            sign = 1.0 - 2.0 * downs[f]  # the spin before it flips: up where it goes down
            value -= 2.0 * sign * local[b, spins[f]]
            for g in range(f):
                value += 4.0 * sign * (1.0 - 2.0 * downs[g]) * coupling[spins[f], spins[g]]
    return value
