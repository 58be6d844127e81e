r"""Products over hidden units for every pair of a row and a column: no transcendental function in the loop.

A wave function whose log ψ is a `SpinForm` is, on configurations cut into two parts a and b,

    ψ(a, b) = f(a) g(b) e^{aᵀ J b} Π_k 2 cosh(α_k(a) + β_k(b)),      α = bias + aᵀW,  β = bᵀW,
    2 cosh(α + β) = e^{−β} (p t + q),      p = e^α,  q = e^{−α},  t = e^{2β}.

So the amplitudes of all n·n' pairs take a multiply-add for each pair and hidden unit, after (n + n') M
exponentials. Hidden units are reflected (`host_tables`) so that Σ_k β_k nearly vanishes, and the products
stay in the range of numbers; where one does not, the caller takes logarithms instead.
"""

from __future__ import annotations

import numpy as np

from intertwine._compile import kernel
from intertwine._threads import over_ranges
from intertwine.models.kernels.host_kernels import cos_sin, sums
from intertwine.models.kernels.host_tables import LARGEST, SMALLEST, HostForm, host_form
from intertwine.models.protocols import SpinForm

TILE = 64


def all_amplitudes(form: SpinForm, size: int) -> np.ndarray | None:
    """ψ over all 2^N configurations up to a factor, real or complex (2^N,), site 0 the most significant bit;
    None where the products leave the range of numbers.
    """
    host = host_form(form)
    if host.careful:
        return None
    first = np.arange(size // 2)
    second = np.arange(size // 2, size)
    rows, columns = _spins(len(first)), _spins(len(second))
    alpha, beta = angles(host, first, rows, bias=True), angles(host, second, columns)
    m = host.padded
    top = np.abs(alpha[:, :m]).sum(axis=1)
    p, q = exponential(alpha, m, -np.abs(alpha[:, :m])), exponential(-alpha, m, -np.abs(alpha[:, :m]))
    found = products(p, q, exponential(2 * beta, m), host.complex_units)
    if not in_range(found):
        return None
    left = top + _half(host, first, rows)
    right = _half(host, second, columns) - _total(beta, m)
    scales = [np.exp(log - np.max(np.real(log))) for log in (left, right)]
    if not host.is_complex:
        scales = [np.real(scale) for scale in scales]
    found = found * scales[0][:, None]
    found *= scales[1]
    if host.coupling.size:
        found = found * coupled(host, first, rows, second, columns)
    usable = np.isfinite(found).all() and np.abs(found).max() > 1e-200
    return found.reshape(-1) if usable else None


def angles(host: HostForm, sites: np.ndarray, spins: np.ndarray, *, bias: bool = False) -> np.ndarray:
    """Σ over `sites` of s_i W_i (and the bias) for spins (n, l) of them: (n, P)."""
    start = host.bias if bias else np.zeros_like(host.bias)
    if len(sites) == 0:
        return np.tile(start, (len(spins), 1))
    return sums(spins, np.ascontiguousarray(host.weights[sites]), start)


def coupled(
    host: HostForm, first: np.ndarray, rows: np.ndarray, second: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """e^{aᵀJb} of every pair, the part of the coupling that joins the two."""
    J = host.coupling[0] + 1j * host.coupling[1] if host.is_complex else host.coupling[0]
    return np.exp(rows.astype(float) @ J[np.ix_(first, second)] @ columns.astype(float).T)


def products(p: np.ndarray, q: np.ndarray, t: np.ndarray, complex_units: bool) -> np.ndarray:
    """Π_k (p_ik t_jk + q_ik) of rows p, q (n, P) and t (n', P): (n, n'), float64 or complex128.

    >>> products(np.ones((1, 8)), np.ones((1, 8)), np.full((2, 8), 2.0), False).tolist()
    [[6561.0, 6561.0]]
    """
    n, count = len(p), len(t)
    tiles = -(-count // TILE)
    padded = np.ones((tiles * TILE, t.shape[1]))
    padded[:count] = t
    tiled = np.ascontiguousarray(padded.reshape(tiles, TILE, -1).transpose(0, 2, 1))
    p, q = np.ascontiguousarray(p), np.ascontiguousarray(q)
    if not complex_units:
        out = np.empty((n, count))
        over_ranges(lambda i, j: _real_products(p, q, tiled, out, i, j), n, 4)
        return out
    pair = np.empty((n, count), np.complex128)
    view = pair.view(np.float64).reshape(n, count, 2)
    over_ranges(lambda i, j: _complex_products(p, q, tiled, view, i, j), n, 4)
    return pair


def in_range(found: np.ndarray) -> bool:
    """Whether no product has overflowed or vanished."""
    size = np.abs(found)
    return bool((size < LARGEST).all() and (size > SMALLEST).all()) if size.size else True


@kernel
def _real_products(
    p: np.ndarray, q: np.ndarray, t: np.ndarray, out: np.ndarray, begin: int, end: int
) -> None:
    """Rows begin..end of Π_k (p t + q), four units at a time (P is a multiple of 8)."""
    units, count = t.shape[1], out.shape[1]
    value = np.empty(64)
    for tile in range(t.shape[0]):
        first = tile * 64
        width = min(64, count - first)
        for i in range(begin, end):
            for j in range(64):
                value[j] = 1.0
            for k in range(0, units, 4):
                a, b, c, d = p[i, k], p[i, k + 1], p[i, k + 2], p[i, k + 3]
                e, f, g, h = q[i, k], q[i, k + 1], q[i, k + 2], q[i, k + 3]
                for j in range(64):
                    value[j] *= (
                        (a * t[tile, k, j] + e)
                        * (b * t[tile, k + 1, j] + f)
                        * (c * t[tile, k + 2, j] + g)
                        * (d * t[tile, k + 3, j] + h)
                    )
            for j in range(width):
                out[i, first + j] = value[j]


@kernel
def _complex_products(
    p: np.ndarray, q: np.ndarray, t: np.ndarray, out: np.ndarray, begin: int, end: int
) -> None:
    """The same for complex units, two at a time; out (n, n', 2) holds real and imaginary parts."""
    n, count = t.shape[1] // 2, out.shape[1]
    real, imag = np.empty(64), np.empty(64)
    for tile in range(t.shape[0]):
        first = tile * 64
        width = min(64, count - first)
        for i in range(begin, end):
            for j in range(64):
                real[j] = 1.0
                imag[j] = 0.0
            for k in range(0, n, 2):
                a, b, c, d = p[i, k], p[i, n + k], q[i, k], q[i, n + k]
                e, f, g, h = p[i, k + 1], p[i, n + k + 1], q[i, k + 1], q[i, n + k + 1]
                for j in range(64):
                    x, y = t[tile, k, j], t[tile, n + k, j]
                    u, v = c + a * x - b * y, d + a * y + b * x
                    x, y = t[tile, k + 1, j], t[tile, n + k + 1, j]
                    w, z = g + e * x - f * y, h + e * y + f * x
                    x, y = u * w - v * z, u * z + v * w
                    u, v = real[j], imag[j]
                    real[j] = u * x - v * y
                    imag[j] = u * y + v * x
            for j in range(width):
                out[i, first + j, 0] = real[j]
                out[i, first + j, 1] = imag[j]


def _spins(sites: int) -> np.ndarray:
    """All configurations of `sites` spins, int8 (2^sites, sites)."""
    bits = (np.arange(2**sites)[:, None] >> np.arange(sites - 1, -1, -1)) & 1
    return (1 - 2 * bits).astype(np.int8)


def _half(host: HostForm, sites: np.ndarray, spins: np.ndarray) -> np.ndarray:
    """a·s + ½ sᵀJs of one part, complex (n,)."""
    s = spins.astype(float)
    out = s @ (host.field[0] + 1j * host.field[1])[sites]
    if host.coupling.size:
        J = (host.coupling[0] + 1j * host.coupling[1])[np.ix_(sites, sites)]
        out = out + 0.5 * np.einsum("ni,ij,nj->n", s, J, s)
    return out


def _total(rows: np.ndarray, m: int) -> np.ndarray:
    """Σ_k of rows (n, P), complex (n,)."""
    real = rows[:, :m].sum(axis=1)
    return real + 1j * rows[:, m:].sum(axis=1) if rows.shape[1] > m else real.astype(complex)


def exponential(rows: np.ndarray, m: int, shift: np.ndarray | None = None) -> np.ndarray:
    """e^{rows + shift} of rows (n, P), the shift real."""
    out = np.empty_like(rows)
    size = np.exp(rows[:, :m] if shift is None else rows[:, :m] + shift)
    if rows.shape[1] == m:
        return size
    cosine, sine = cos_sin(rows[:, m:])
    np.multiply(size, cosine, out=out[:, :m])
    np.multiply(size, sine, out=out[:, m:])
    return out
