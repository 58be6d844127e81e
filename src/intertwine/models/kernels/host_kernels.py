"""What the host kernels are made of: products over hidden units, sums over spins, cosine and sine.

A row of complex units is n real parts followed by n imaginary ones; `complex_units` is None for real ones
(see `_compile`). Arrays come whole, with indices: a view of an array costs its reference counts, as much as
a product of 40 units.
"""

from __future__ import annotations

import numpy as np

from intertwine._compile import inner, kernel, ordered_kernel


@inner
def product(pq: np.ndarray, c: int, a: int, b: int, rows: np.ndarray, r: int, n: int) -> float:
    """Π_k (pq[c, a]_k + pq[c, b]_k rows[r]_k) over n real units."""
    value = 1.0
    for k in range(n):
        value *= pq[c, a, k] + pq[c, b, k] * rows[r, k]
    return value


@inner
def product_square(pq: np.ndarray, c: int, a: int, b: int, rows: np.ndarray, r: int, n: int) -> float:
    """Π_k |pq[c, a]_k + pq[c, b]_k rows[r]_k|² over n complex units."""
    value = 1.0
    for k in range(n):
        u, v, e, f = pq[c, b, k], pq[c, b, n + k], rows[r, k], rows[r, n + k]
        x = pq[c, a, k] + (u * e - v * f)
        y = pq[c, a, n + k] + (u * f + v * e)
        value *= x * x + y * y
    return value


@inner
def multiply(pq: np.ndarray, c: int, b: int, rows: np.ndarray, r: int, n: int, complex_units: bool) -> None:
    """pq[c, b] ← pq[c, b] rows[r]."""
    for k in range(n):
        if complex_units is None:
            pq[c, b, k] *= rows[r, k]
        else:
            u, v, e, f = pq[c, b, k], pq[c, b, n + k], rows[r, k], rows[r, n + k]
            pq[c, b, k] = u * e - v * f
            pq[c, b, n + k] = u * f + v * e


@inner
def rescale(pq: np.ndarray, c: int, n: int, complex_units: bool) -> float:
    """(p, q) = pq[c, :2] divided by |p + q|; returns the new Π_k |p_k + q_k|², 1 unless one of them
    vanishes.
    """
    norm = 1.0
    for k in range(n):
        x = pq[c, 0, k] + pq[c, 1, k]
        if complex_units is not None:
            y = pq[c, 0, n + k] + pq[c, 1, n + k]
            x = np.sqrt(x * x + y * y)
        scale = 1.0 / max(x, 1e-60)
        norm *= x * scale
        pq[c, 0, k] *= scale
        pq[c, 1, k] *= scale
        if complex_units is not None:
            pq[c, 0, n + k] *= scale
            pq[c, 1, n + k] *= scale
    return norm * norm


def sums(spins: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """bias + spins·weights, (B, P) from (B, N), (N, P) and (P,); without BLAS, whose threads would meet
    ours.
    """
    out = np.empty((len(spins), weights.shape[1]))
    _sums(np.ascontiguousarray(spins, np.int8), weights, bias + weights.sum(axis=0), out)
    return out


def cos_sin(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """cos x and sin x of (R, n) to rounding; twenty times numpy's double-precision functions.

    >>> x = np.linspace(-99, 99, 1000)[None]
    >>> bool(np.abs(np.array(cos_sin(x)) - [np.cos(x), np.sin(x)]).max() < 3e-16)
    True
    """
    if not np.max(np.abs(x), initial=0.0) < 1e5:  # also NaN
        with np.errstate(invalid="ignore"):
            return np.cos(x), np.sin(x)
    cosine, sine = np.ascontiguousarray(x), np.empty(x.shape)
    cosine = cosine.copy() if cosine is x else cosine
    _cos_sin(cosine.reshape(-1), sine.reshape(-1))
    return cosine, sine


@ordered_kernel
def _cos_sin(x: np.ndarray, sine: np.ndarray) -> None:
    """x ← cos x: Cody-Waite reduction by π/2 in three parts, then the polynomials of Moshier's Cephes."""
    for k in range(x.shape[0]):
        turns = np.floor(x[k] * 0.6366197723675814 + 0.5)
        r = ((x[k] - turns * 1.57079625129699707031) - turns * 7.54978941586159635335e-8) - (
            turns * 5.39030285815811905290e-15
        )
        z = r * r
        s = 1.58962301576546568060e-10 * z - 2.50507477628578072866e-8
        s = (s * z + 2.75573136213857245213e-6) * z - 1.98412698295895385996e-4
        s = (s * z + 8.33333333332211858878e-3) * z - 1.66666666666666307295e-1
        s = r + r * z * s
        c = -1.13585365213876817300e-11 * z + 2.08757008419747316778e-9
        c = (c * z - 2.75573141792967388112e-7) * z + 2.48015872888517045348e-5
        c = (c * z - 1.38888888888730564116e-3) * z + 4.16666666666665929218e-2
        c = 1.0 - (0.5 * z - z * z * c)
        quarter = turns - 4.0 * np.floor(0.25 * turns)
        odd = quarter == 1.0 or quarter == 3.0
        u, v = (s if odd else c), (c if odd else s)
        x[k] = -u if quarter == 1.0 or quarter == 2.0 else u
        sine[k] = -v if quarter >= 2.0 else v


@kernel
def _sums(spins: np.ndarray, weights: np.ndarray, all_up: np.ndarray, out: np.ndarray) -> None:
    """out = all_up − 2 Σ over the spins down of their weights, 8 configurations at a time for each row
    of weights.
    """
    width = out.shape[1]
    for start in range(0, spins.shape[0], 8):
        stop = min(start + 8, spins.shape[0])
        for c in range(start, stop):
            for k in range(width):
                out[c, k] = all_up[k]
        for i in range(spins.shape[1]):
            for c in range(start, stop):
                if spins[c, i] < 0:
                    for k in range(width):
                        out[c, k] -= 2.0 * weights[i, k]
