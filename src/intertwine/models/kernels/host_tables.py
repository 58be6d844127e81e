r"""Wave functions on the host: a `SpinForm` as tables for which ψ(s')/ψ(s) needs no transcendental function.

    log ψ(s) = constant + a·s + ½ sᵀJs + Σ_k ln 2cosh θ_k,      θ = b + sᵀW

Each hidden unit is kept as a pair (p_k, q_k) with p_k/q_k = e^{2θ_k}, on any common scale, so that
2cosh θ_k = (p_k + q_k)/√(p_k q_k). Flipping a spin s_i multiplies e^{2θ_k} by e^{∓4W_ik}.
With E_ik = e^{−4W_ik}

    s_i = +1:  p ← p E_i,      s_i = −1:  q ← q E_i,

    ψ(s')/ψ(s) = e^{pair and field terms} · Π_k E_ik^{−1/2} · Π_k (p'_k + q'_k) / Π_k (p_k + q_k).

One row E of a table serves both signs, an exchange of opposite spins is one row E_i/E_j, and the flip of
all spins is the row e^{4b} with p and q exchanged after it. A proposal costs a multiply-add and a product
per hidden unit, an acceptance a product; real parameters give sums of positive numbers, so nothing cancels.
Compare the tanh form of Carleo & Troyer, Science 355, 602 (2017), supplement, which divides at every
acceptance and cancels where cosh saturates. The running Π(p + q) is kept; (p, q) are scaled back to p + q =
1 before they could leave the range of numbers, and are recomputed from s now and then, against the drift of
rounding.

Range: where Σ_k Re W_ik is large, hidden units are reflected (W_k, b_k → −W_k, −b_k, which leaves ψ as it
is) until it nearly vanishes on every site; the products are then of the size of the ratio itself. A product
outside [10⁻²⁹⁰, 10²⁹⁰] sends its proposal through `log_amplitude`, from the configuration itself and in
logarithms, and so does every proposal where the weights themselves are too large for a table (`careful`).

Layout: a row is (P,) float64, P = Mp for real hidden units, P = 2 Mp (real parts, then imaginary parts) for
complex ones; Mp is M padded to whole vectors with units p = 0, q = 1, E = 1. Transcendental functions are
done here, over whole arrays; the kernels only multiply and add (`host_kernels`), which also keeps their
compilation short.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from intertwine.models.kernels.host_kernels import cos_sin, sums
from intertwine.models.protocols import SpinForm

LANES, COMPLEX_LANES = 8, 16
LARGEST_ANGLE = 150.0
"""Bound on |Re θ| up to which (p, q) and rows hold every configuration."""
UNBALANCED = 20.0
MAX_PAIR_BYTES = 1 << 24
"""Rows of pairs are kept up to this size; beyond, a pair is composed of its two sites."""
SMALLEST, LARGEST = 1e-290, 1e290
"""Products within are used, others recomputed in logarithms."""


class HostForm(NamedTuple):
    """A `SpinForm` as numpy arrays for the kernels.

    field: (2, N) real and imaginary parts. coupling: (2, N, N), or (2, 0, 0) where there is none.
    bias: (P,). weights: (N, P). rows: (N, P), E_i = e^{−4W_i} of each site. logs: (N, 2), Σ_k 2W_ik =
    ln Π_k E_ik^{−1/2}, real and imaginary part. unit: (P,), the row of ones.
    constant: complex. hidden, padded: M and Mp. complex_units: whether rows are complex. is_complex:
    whether anything is. careful: whether the weights exceed what tables can hold.
    """

    field: np.ndarray
    coupling: np.ndarray
    bias: np.ndarray
    weights: np.ndarray
    rows: np.ndarray
    logs: np.ndarray
    unit: np.ndarray
    constant: complex
    hidden: int
    padded: int
    complex_units: bool
    is_complex: bool
    careful: bool


class Rows(NamedTuple):
    """Rows of a list of flip sets: values (R, P); logs (R, 2), ln Π_k E_k^{−1/2}; fields (R, 2), the A with
    which the first spin s₀ of the set enters, ψ'/ψ ∝ e^{−s₀A}; real and imaginary parts."""

    values: np.ndarray
    logs: np.ndarray
    fields: np.ndarray


def host_form(form: SpinForm) -> HostForm:
    """The arrays of one form, in float64; O(N M).

    >>> form = SpinForm(np.zeros(()), np.zeros(2), None, np.zeros(1), np.full((2, 1), 0.5))
    >>> host_form(form).rows[:, 0] - np.exp(-2.0)
    array([0., 0.])
    """
    constant, field, coupling, bias, weights = (None if x is None else np.asarray(x) for x in form)
    assert field is not None and bias is not None and weights is not None and constant is not None
    complex_units = bool(np.iscomplexobj(weights) or np.iscomplexobj(bias))
    hidden = weights.shape[1]
    lanes = COMPLEX_LANES if complex_units else LANES
    padded = -(-hidden // lanes) * lanes
    bias_row, weight_rows = _flat(bias[None], padded, complex_units)[0], _flat(weights, padded, complex_units)
    if hidden and np.abs(weight_rows[:, :padded].sum(axis=1)).max() > UNBALANCED:
        sign = np.tile(_balanced(weight_rows[:, :padded]), 1 + complex_units)
        bias_row, weight_rows = bias_row * sign, weight_rows * sign
    logs = np.zeros((len(field), 2))
    logs[:, 0] = 2 * weight_rows[:, :padded].sum(axis=1)
    logs[:, 1] = 2 * weight_rows[:, padded:].sum(axis=1)
    unit = np.zeros(weight_rows.shape[1])
    unit[:padded] = 1.0
    angle = np.abs(weight_rows[:, :padded]).sum(axis=0) + np.abs(bias_row[:padded])
    return HostForm(
        field=_split(field),
        coupling=np.zeros((2, 0, 0)) if coupling is None else _split(coupling),
        bias=bias_row,
        weights=weight_rows,
        rows=_exponential(-4 * weight_rows, padded),
        logs=logs,
        unit=unit,
        constant=complex(constant),
        hidden=hidden,
        padded=padded,
        complex_units=complex_units,
        is_complex=complex_units
        or np.iscomplexobj(field)
        or (coupling is not None and np.iscomplexobj(coupling)),
        careful=not bool(np.max(angle, initial=0.0) < LARGEST_ANGLE),
    )


def _flat(x: np.ndarray, padded: int, complex_units: bool) -> np.ndarray:
    """Rows (R, M) as (R, P)."""
    out = np.zeros((x.shape[0], padded * (1 + complex_units)))
    out[:, : x.shape[1]] = np.real(x)
    if np.iscomplexobj(x):
        out[:, padded : padded + x.shape[1]] = np.imag(x)
    return out


def _split(x: np.ndarray) -> np.ndarray:
    out = np.zeros((2, *x.shape))
    out[0] = np.real(x)
    if np.iscomplexobj(x):
        out[1] = np.imag(x)
    return out


def _exponential(x: np.ndarray, padded: int) -> np.ndarray:
    """e^x of rows."""
    with np.errstate(over="ignore", invalid="ignore"):
        if x.shape[1] == padded:
            return np.exp(x)
        out = np.empty_like(x)
        magnitude, (cosine, sine) = np.exp(x[:, :padded]), cos_sin(x[:, padded:])
        np.multiply(magnitude, cosine, out=out[:, :padded])
        np.multiply(magnitude, sine, out=out[:, padded:])
        return out


def _inverse(rows: np.ndarray, padded: int) -> np.ndarray:
    """1/E of rows."""
    if rows.shape[1] == padded:
        return 1 / rows
    scale = 1 / (np.square(rows[:, :padded]) + np.square(rows[:, padded:]))
    return rows * np.concatenate([scale, -scale], axis=1)


def _balanced(weights: np.ndarray) -> np.ndarray:
    """Signs (Mp,) that keep Σ_k sign_k W_ik small on every site, chosen one unit after another."""
    total, sign = np.zeros(weights.shape[0]), np.ones(weights.shape[1])
    for k, column in enumerate(weights.T):
        sign[k] = -1.0 if total @ column > 0 else 1.0
        total += sign[k] * column
    return sign


def single_rows(host: HostForm) -> Rows:
    """One row per site."""
    return Rows(host.rows, host.logs, 2 * np.ascontiguousarray(host.field.T))


def pair_rows(host: HostForm, pairs: np.ndarray, sign: int) -> Rows:
    """One row per pair (R, 2) of sites: E_i/E_j for opposite spins (sign −1), E_i E_j for equal ones
    (sign +1).
    """
    i, j, n = pairs[:, 0], pairs[:, 1], host.padded
    values = np.empty((len(pairs), host.rows.shape[1]))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        factors = host.rows if sign > 0 else _inverse(host.rows, n)
        for start in range(0, len(pairs), 32):  # a few rows at a time stay in the cache
            part = slice(start, start + 32)
            a, b = host.rows[i[part]], factors[j[part]]
            if host.complex_units:
                np.subtract(a[:, :n] * b[:, :n], a[:, n:] * b[:, n:], out=values[part, :n])
                np.add(a[:, :n] * b[:, n:], a[:, n:] * b[:, :n], out=values[part, n:])
            else:
                np.multiply(a, b, out=values[part])
    twice = 2 * host.field.T
    return Rows(values, host.logs[i] + sign * host.logs[j], twice[i] + sign * twice[j])


def global_row(host: HostForm) -> Rows:
    """The row that multiplies q before p and q change places when all spins flip; its field term is not
    in the row.
    """
    b, n = host.bias, host.padded
    logs = np.array([[-2 * b[:n].sum(), -2 * b[n:].sum()]])
    return Rows(_exponential(4 * b[None], n), logs, np.zeros((1, 2)))


def unit_row(host: HostForm) -> Rows:
    """The row of ones, which changes nothing."""
    return Rows(host.unit[None], np.zeros((1, 2)), np.zeros((1, 2)))


def joined(parts: list[Rows]) -> Rows:
    """The rows of several tables, in order."""
    return Rows(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def unit_pairs(host: HostForm, spins: np.ndarray) -> np.ndarray:
    """(p, q) of configurations (B, N): (B, 2, P), scaled to |p + q| = 1 (where it does not vanish)."""
    n, width = host.padded, host.rows.shape[1]
    pq = np.empty((len(spins), 2, width))
    p, q = pq[:, 0], pq[:, 1]
    if host.careful:  # not used then
        p[:], q[:] = 0.0, host.unit
        return pq
    theta = sums(spins, host.weights, host.bias)
    ratio = np.exp(-2 * theta[:, :n])  # |q/p|, within e^{±300} as `careful` says
    if not host.complex_units:
        np.divide(1.0, 1 + ratio, out=p)
        np.multiply(ratio, p, out=q)
    else:
        cosine, sine = cos_sin(theta[:, n:])
        low = 1 / (1 + ratio)
        high = ratio * low
        square = np.square(cosine) + np.square((low - high) * sine)
        scale = 1 / np.maximum(np.sqrt(square), 1e-60)
        cosine *= scale
        sine *= scale
        np.multiply(low, cosine, out=p[:, :n])
        np.multiply(low, sine, out=p[:, n:])
        np.multiply(high, cosine, out=q[:, :n])
        np.multiply(-high, sine, out=q[:, n:])
    p[:, host.hidden : n], q[:, host.hidden : n] = 0.0, 1.0
    p[:, n + host.hidden :] = q[:, n + host.hidden :] = 0.0
    return pq


def norms(host: HostForm, pq: np.ndarray) -> np.ndarray:
    """Π_k |p_k + q_k|² of (B, 2, P): (B,)."""
    total, n = pq[:, 0] + pq[:, 1], host.padded
    squares = np.square(total[:, :n])
    if host.complex_units:
        squares += np.square(total[:, n:])
    return np.prod(squares, axis=1)


def log_amplitude(host: HostForm, spins: np.ndarray) -> np.ndarray:
    """log ψ − constant of configurations (B, N), complex (B,), from θ in logarithms: the path for any
    weights.
    """
    s = spins.astype(np.float64)
    theta = sums(spins, host.weights, host.bias)
    n, m = host.padded, host.hidden
    x = theta[:, :m]
    t = np.exp(-2 * np.abs(x))
    out = s @ (host.field[0] + 1j * host.field[1])
    if host.coupling.shape[1]:
        out += 0.5 * np.einsum("bi,bi->b", s @ (host.coupling[0] + 1j * host.coupling[1]), s)
    if not host.complex_units:
        return out + np.sum(np.abs(x) + np.log1p(t), axis=1)
    # 2cosh(x + iy) = e^{|x| ± iy} (1 + t e^{∓2iy}), t = e^{−2|x|}; |1 + t e^{…}|² = (1 − t)² + 4t cos² y
    y = np.where(x > 0, 1.0, -1.0) * theta[:, n : n + m]
    with np.errstate(divide="ignore"):
        real = np.abs(x) + 0.5 * np.log(np.square(1 - t) + 4 * t * np.square(np.cos(y)))
    imag = y + np.arctan2(-t * np.sin(2 * y), 1 + t * np.cos(2 * y))
    return out + np.sum(real, axis=1) + 1j * np.sum(imag, axis=1)


def local_fields(host: HostForm, spins: np.ndarray) -> np.ndarray:
    """a + Js of configurations (B, N): (B, 2, N) real and imaginary parts."""
    out = np.empty((len(spins), *host.field.shape))
    for part in range(2):
        if host.coupling.size:
            out[:, part] = sums(spins, host.coupling[part], host.field[part])
        else:
            out[:, part] = host.field[part]
    return out
