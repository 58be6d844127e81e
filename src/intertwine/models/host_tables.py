r"""Wave functions on the host: a `SpinForm` as tables for which ψ(s')/ψ(s) needs no transcendental function.

    log ψ(s) = constant + a·s + ½ sᵀJs + Σ_k ln 2cosh θ_k,      θ = b + sᵀW

Each hidden unit is kept as a pair (p_k, q_k) with p_k/q_k = e^{2θ_k}, on any common scale, so that
2cosh θ_k = (p_k + q_k)/√(p_k q_k). Flipping a spin s_i multiplies e^{2θ_k} by e^{∓4W_ik}: with E_ik = e^{−4W_ik}

    s_i = +1:  p ← p E_i,      s_i = −1:  q ← q E_i,

    ψ(s')/ψ(s) = e^{pair and field terms} · Π_k E_ik^{−1/2} · Π_k (p'_k + q'_k) / Π_k (p_k + q_k).

One row E of a table serves both signs, an exchange of opposite spins is one row E_i/E_j, and the flip of all spins is
the row e^{4b} with p and q exchanged after it. A proposal costs a multiply-add and a product per hidden unit, an
acceptance a product; real parameters give sums of positive numbers, so nothing cancels. Compare the tanh form of
Carleo & Troyer, Science 355, 602 (2017), supplement, which divides at every acceptance and cancels where cosh
saturates. The running Π(p + q) is kept; (p, q) are scaled back when it leaves a window and are recomputed from s now and
then, against the drift of rounding.

Range: hidden units are reflected (W_k, b_k → −W_k, −b_k, which leaves ψ as it is) so that Σ_k Re W_ik nearly
vanishes on every site; the products are then of the size of the ratio itself. A product outside [10⁻²⁹⁰, 10²⁹⁰]
sends its proposal through `log_amplitude`, from the configuration itself in logarithms, and so does every proposal
where the weights themselves are too large for a table (`careful`).

Layout: real tables (rows, M), complex ones (rows, 2, M) as real and imaginary parts; one kernel source serves both, as
numba decides on `ndim` when it compiles. M is padded to whole vectors with units p = 0, q = 1, E = 1.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from intertwine._compile import kernel
from intertwine.models.protocols import SpinForm

LANES = 8
LARGEST_EXPONENT = 300.0
MAX_PAIR_BYTES = 1 << 24
"""Rows of pairs are kept up to this size; beyond, a pair is composed of its two sites."""


class HostForm(NamedTuple):
    """A `SpinForm` as real numpy arrays, padded and reflected.

    field: (2, N) real and imaginary parts. coupling: (2, N, N), or (2, 0, 0) where there is none.
    bias: (Mp,) or (2, Mp). weights: (N, Mp) or (N, 2, Mp). site_rows: as weights, E_i = e^{−4W_i}.
    site_logs: (N, 2), Σ_k 2W_ik = ln Π_k E_ik^{−1/2}, real and imaginary part.
    constant: complex. hidden: M before padding. careful: whether weights exceed what tables can hold.
    is_complex: whether anything in the form is.
    """

    field: np.ndarray
    coupling: np.ndarray
    bias: np.ndarray
    weights: np.ndarray
    site_rows: np.ndarray
    site_logs: np.ndarray
    constant: complex
    hidden: int
    careful: bool
    is_complex: bool


class Rows(NamedTuple):
    """Table rows of a list of flip sets; row −1 means: compose it from the sites' rows.

    values: (R, Mp) or (R, 2, Mp). logs: (R, 2), ln Π_k E_k^{−1/2}. fields: (R, 2), the sum A of ±2a with which the
    first spin s₀ of the set enters, ψ'/ψ ∝ e^{−s₀A}. single, opposite, equal: int32 row of each set (as given).
    """

    values: np.ndarray
    logs: np.ndarray
    fields: np.ndarray


def host_form(form: SpinForm) -> HostForm:
    """The tables of one form; O(N M)."""
    field, bias, weights = (np.asarray(x) for x in (form.field, form.hidden_bias, form.weights))
    coupling = None if form.coupling is None else np.asarray(form.coupling)
    size, hidden = weights.shape
    is_complex = any(np.iscomplexobj(x) for x in (field, bias, weights) if x is not None) or (
        coupling is not None and np.iscomplexobj(coupling)
    )
    padded = -(-hidden // LANES) * LANES
    real_weights = _padded(weights.real, padded)
    sign = np.ones(padded)
    if hidden:
        _balance(real_weights, sign)
    complex_hidden = np.iscomplexobj(weights) or np.iscomplexobj(bias)
    real_weights *= sign
    real_bias = _padded(bias.real[None], padded)[0] * sign
    magnitude = np.exp(-4 * real_weights)
    logs = np.zeros((size, 2))
    logs[:, 0] = 2 * real_weights.sum(axis=1)
    if complex_hidden:
        imag_weights = _padded(weights.imag, padded) * sign
        imag_bias = _padded(bias.imag[None], padded)[0] * sign
        logs[:, 1] = 2 * imag_weights.sum(axis=1)
        angle = -4 * imag_weights
        rows = np.stack([magnitude * np.cos(angle), magnitude * np.sin(angle)], axis=1)
        host_weights, host_bias = np.stack([real_weights, imag_weights], axis=1), np.stack([real_bias, imag_bias])
    else:
        rows, host_weights, host_bias = magnitude, real_weights, real_bias
    largest = np.abs(real_weights).sum(axis=0) + np.abs(real_bias)
    careful = bool(not (np.max(largest, initial=0.0) < LARGEST_EXPONENT / 2))
    pair = np.zeros((2, 0, 0)) if coupling is None else _split(coupling)
    constant = complex(np.asarray(form.constant))
    return HostForm(
        _split(field), pair, host_bias, host_weights, rows, logs, constant, hidden, careful, is_complex
    )


def _padded(x: np.ndarray, width: int) -> np.ndarray:
    out = np.zeros((x.shape[0], width))
    out[:, : x.shape[1]] = x
    return out


def _split(x: np.ndarray) -> np.ndarray:
    out = np.zeros((2, *x.shape))
    out[0] = x.real
    if np.iscomplexobj(x):
        out[1] = x.imag
    return out


def single_rows(host: HostForm) -> Rows:
    """One row a site."""
    return Rows(host.site_rows, host.site_logs, 2 * np.ascontiguousarray(host.field.T))


def pair_rows(host: HostForm, pairs: np.ndarray, sign: int) -> Rows:
    """One row a pair (P, 2) of sites: E_i/E_j for opposite spins (sign −1), E_i E_j for equal ones (sign +1)."""
    values = np.empty((len(pairs), *host.site_rows.shape[1:]))
    i, j = pairs[:, 0], pairs[:, 1]
    if len(pairs):
        _combine(host.site_rows, i.astype(np.int64), j.astype(np.int64), sign, values)
    twice = 2 * host.field.T
    return Rows(values, host.site_logs[i] + sign * host.site_logs[j], twice[i] + sign * twice[j])


def global_row(host: HostForm) -> Rows:
    """The row of the flip of all spins, applied to q before p and q are exchanged; its field term is not a table's."""
    if host.bias.ndim == 1:
        values = np.exp(4 * host.bias)[None]
        logs = np.array([[-2 * host.bias.sum(), 0.0]])
    else:
        factor = np.exp(4 * (host.bias[0] + 1j * host.bias[1]))
        values = np.stack([factor.real, factor.imag])[None]
        logs = -2 * host.bias.sum(axis=1)[None]
    return Rows(values, logs, np.zeros((1, 2)))


def joined(parts: list[Rows]) -> Rows:
    """The rows of several tables, in order."""
    if len(parts) == 1:
        return parts[0]
    return Rows(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


# ---- kernels: arrays of hidden units are (Mp,) if real, (2, Mp) if complex ------------------------------------------


@kernel
def _balance(weights: Any, sign: Any) -> None:
    """Reflections `sign` (Mp,) that keep Σ_k sign_k W_ik small on every site, one unit after another."""
    total = np.zeros(weights.shape[0])
    for k in range(weights.shape[1]):
        overlap = 0.0
        for i in range(weights.shape[0]):
            overlap += total[i] * weights[i, k]
        sign[k] = -1.0 if overlap > 0.0 else 1.0
        for i in range(weights.shape[0]):
            total[i] += sign[k] * weights[i, k]


@kernel
def _combine(rows: Any, i: Any, j: Any, sign: int, out: Any) -> None:
    """out[r] = rows[i[r]] · rows[j[r]]^sign."""
    for r in range(out.shape[0]):
        if rows.ndim == 2:
            for k in range(out.shape[1]):
                other = rows[j[r], k]
                out[r, k] = rows[i[r], k] * (other if sign > 0 else 1.0 / other)
        else:
            for k in range(out.shape[2]):
                x, y = rows[i[r], 0, k], rows[i[r], 1, k]
                u, v = rows[j[r], 0, k], rows[j[r], 1, k]
                if sign < 0:
                    scale = 1.0 / (u * u + v * v)
                    u, v = u * scale, -v * scale
                out[r, 0, k] = x * u - y * v
                out[r, 1, k] = x * v + y * u


@kernel
def product_square(a: Any, b: Any, e: Any) -> float:
    """Π_k |a_k + b_k e_k|²."""
    product = 1.0
    if e.ndim == 1:
        for k in range(e.shape[0]):
            product *= a[k] + b[k] * e[k]
        return product * product
    else:
        ar, ai, br, bi, er, ei = a[0], a[1], b[0], b[1], e[0], e[1]
        for k in range(er.shape[0]):
            x = ar[k] + (br[k] * er[k] - bi[k] * ei[k])
            y = ai[k] + (br[k] * ei[k] + bi[k] * er[k])
            product *= x * x + y * y
        return product


@kernel
def multiply(b: Any, e: Any) -> None:
    """b ← b e."""
    if e.ndim == 1:
        for k in range(e.shape[0]):
            b[k] *= e[k]
    else:
        br, bi, er, ei = b[0], b[1], e[0], e[1]
        for k in range(er.shape[0]):
            x = br[k] * er[k] - bi[k] * ei[k]
            bi[k] = br[k] * ei[k] + bi[k] * er[k]
            br[k] = x


@kernel
def rescale(pq: Any) -> None:
    """(p, q) divided by |p + q|."""
    if pq.ndim == 2:
        for k in range(pq.shape[1]):
            scale = 1.0 / (pq[0, k] + pq[1, k])
            pq[0, k] *= scale
            pq[1, k] *= scale
    else:
        for k in range(pq.shape[2]):
            x, y = pq[0, 0, k] + pq[1, 0, k], pq[0, 1, k] + pq[1, 1, k]
            scale = 1.0 / max(np.sqrt(x * x + y * y), 1e-60)
            pq[0, 0, k] *= scale
            pq[0, 1, k] *= scale
            pq[1, 0, k] *= scale
            pq[1, 1, k] *= scale


@kernel
def angles(spins: Any, weights: Any, bias: Any, theta: Any) -> None:
    """theta = bias + spins·weights."""
    theta[...] = bias
    for i in range(spins.shape[0]):
        if bias.ndim == 1:
            for k in range(bias.shape[0]):
                theta[k] += spins[i] * weights[i, k]
        else:
            for part in range(2):
                for k in range(bias.shape[1]):
                    theta[part, k] += spins[i] * weights[i, part, k]


@kernel
def refresh(spins: Any, weights: Any, bias: Any, hidden: int, pq: Any) -> None:
    """(p, q) of a configuration, p = e^{θ−|Re θ|}, q = e^{−θ−|Re θ|} up to a phase, then rescaled."""
    theta = pq[1].copy()
    angles(spins, weights, bias, theta)
    if pq.ndim == 2:
        for k in range(pq.shape[1]):
            t = np.exp(-2.0 * abs(theta[k]))
            scale = 1.0 / (1.0 + t)
            pq[0, k] = (1.0 if theta[k] > 0.0 else t) * scale
            pq[1, k] = (t if theta[k] > 0.0 else 1.0) * scale
        pq[0, hidden:] = 0.0
        pq[1, hidden:] = 1.0
    else:
        for k in range(pq.shape[2]):
            x, y = theta[0, k], theta[1, k]
            t = np.exp(-2.0 * abs(x))
            u, v = t * np.cos(2.0 * y), t * np.sin(2.0 * y)
            up = 0 if x > 0.0 else 1
            pq[up, 0, k] = 1.0
            pq[up, 1, k] = 0.0
            pq[1 - up, 0, k] = u
            pq[1 - up, 1, k] = -v if x > 0.0 else v
        pq[:, :, hidden:] = 0.0
        pq[1, 0, hidden:] = 1.0
        rescale(pq)


@kernel
def log_amplitude(spins: Any, field: Any, coupling: Any, weights: Any, bias: Any, hidden: int) -> Any:
    """log ψ(s) − constant as (real, imaginary), from the configuration, in logarithms: the path for any weights."""
    real, imag = 0.0, 0.0
    for i in range(spins.shape[0]):
        x, y = field[0, i], field[1, i]
        for j in range(coupling.shape[1]):
            x += 0.5 * coupling[0, i, j] * spins[j]
            y += 0.5 * coupling[1, i, j] * spins[j]
        real += spins[i] * x
        imag += spins[i] * y
    theta = np.empty(bias.shape)
    angles(spins, weights, bias, theta)
    for k in range(hidden):
        if bias.ndim == 1:
            x = abs(theta[k])
            real += x + np.log1p(np.exp(-2.0 * x))
        else:
            # 2cosh(x + iy) = e^{|x| ± iy} (1 + t e^{∓2iy}), t = e^{−2|x|}; |1 + …|² = (1 − t)² + 4t cos² y
            x, y = abs(theta[0, k]), theta[1, k]
            y = y if theta[0, k] > 0.0 else -y
            t = np.exp(-2.0 * x)
            c = np.cos(y)
            real += x + 0.5 * np.log((1.0 - t) * (1.0 - t) + 4.0 * t * c * c)
            imag += y + np.arctan2(-t * np.sin(2.0 * y), 1.0 + t * np.cos(2.0 * y))
    return real, imag
