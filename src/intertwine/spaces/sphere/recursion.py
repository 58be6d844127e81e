r"""Wigner's d functions and spin-weighted harmonics by recursion over the degree, in float64 on the host.

    d^l_{mn}(β) = ⟨l m| exp(−iβ J_y) |l n⟩                          (Sakurai, Edmonds, active sign)
    sY_lm(θ, φ) = (−1)^s √((2l+1)/4π) d^l_{m,−s}(θ) e^{imφ}          (s = 0: Condon and Shortley's Y_lm)

For fixed m, n the degrees l = max(|m|, |n|), … follow from the first one by

    l √((l+1)²−m²) √((l+1)²−n²) d^{l+1} = (2l+1) (l(l+1) cos β − mn) d^l − (l+1) √(l²−m²) √(l²−n²) d^{l−1},

along which d is the dominant solution, so that errors do not grow. The first one is √C(2l, l+n) times powers
of cos β/2 and sin β/2, down to 10^−1000 at l = 512: numbers are kept as x·2^{256 e} with e shared by the two
last degrees, and count from where e = 0 (Fukushima 2012; Reinecke & Seljebotn 2013).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import comb, log

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

_STEP = 256
"""The radix is 2^256."""


def wigner_d_degrees(
    band_limit: int, orders: ArrayLike, n: int, angles: ArrayLike
) -> Iterator[tuple[int, Float[np.ndarray, "m angles"]]]:
    """(l, d^l_{mn}(β)) for l = 0, …, band_limit − 1, one after another; zero where l < max(|m|, |n|).

    orders: int (m,). n: the second order. angles: β (angles,) in [0, π].

    >>> rows = dict(wigner_d_degrees(3, [0, 1], 0, [0.5]))
    >>> np.allclose(rows[1][:, 0], [np.cos(0.5), -np.sin(0.5) / 2**0.5], atol=1e-15)
    True
    """
    m = np.asarray(orders, np.int64)[:, None]
    beta = np.asarray(angles, np.float64)[None, :]
    cosine = np.cos(beta)
    first = np.maximum(np.abs(m), abs(n))
    seeds, exponents = first_degree(m, n, beta)
    now, before, e = np.zeros_like(seeds), np.zeros_like(seeds), np.zeros_like(exponents)
    for l in range(band_limit):  # noqa: E741
        start = first[:, 0] == l
        if start.any():
            now[start], e[start] = seeds[start], exponents[start]
        yield l, np.ldexp(now, e * _STEP)
        a, b, c = recursion_factors(l, m, n)
        after = (a * cosine - b) * now - c * before
        before, now = now, after
        big = np.abs(now) > 2.0**_STEP
        if big.any():
            now[big], before[big] = now[big] * 2.0**-_STEP, before[big] * 2.0**-_STEP
            e[big] += 1


def recursion_factors(degree: int, m: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """a, b, c of d^{l+1} = (a cos β − b) d^l − c d^{l−1}; zero where l < max(|m|, |n|)."""
    l = degree  # noqa: E741
    here = np.maximum(np.abs(m), abs(n)) <= l
    square = np.where(here, ((l + 1.0) ** 2 - m * m) * ((l + 1.0) ** 2 - n * n), 1.0)
    root = np.sqrt(square)
    a = np.where(here, (2 * l + 1) * (l + 1) / root, 0.0)
    if l == 0:  # m = n = 0
        return a, np.zeros_like(a), np.zeros_like(a)
    b = np.where(here, (2 * l + 1) * m * n / (l * root), 0.0)
    inner = np.where(here, (l * l - m * m) * (l * l - n * n), 0.0)
    return a, b, np.where(here, (l + 1) * np.sqrt(inner) / (l * root), 0.0)


def first_degree(m: np.ndarray, n: int, beta: np.ndarray, step: int = _STEP) -> tuple[np.ndarray, np.ndarray]:
    """d^l_{mn}(β) at l = max(|m|, |n|) as numbers x and whole numbers e, d = x·2^{step e}."""
    j = np.maximum(np.abs(m), abs(n))
    other = np.where(np.abs(m) == j, n, m)  # the order that is not ±j
    plus = np.where(np.abs(m) == j, m == j, n == j)
    # d_{j,n}: cos^{j+n} (−sin)^{j−n}; d_{−j,n}: cos^{j−n} sin^{j+n}; d_{m,±j} = (−1)^{m∓j} d_{±j,m}
    cos_power = np.where(plus, j + other, j - other)
    sin_power = 2 * j - cos_power
    signs = np.where(np.abs(m) == j, np.where(plus, j - other, 0), np.where(plus, 0, other + j))
    with np.errstate(divide="ignore", invalid="ignore"):
        log_cos, log_sin = np.log(np.cos(beta / 2)), np.log(np.sin(beta / 2))
        powers = np.where(cos_power > 0, cos_power * log_cos, 0.0) + np.where(
            sin_power > 0, sin_power * log_sin, 0.0
        )
    pairs = zip((2 * j).flat, (j + other).flat, strict=True)
    binomial = np.array([log(comb(int(a), int(b))) for a, b in pairs]).reshape(j.shape)  # of whole numbers
    total = (binomial / 2 + powers) / np.log(2.0)
    finite = np.isfinite(total)
    e = np.where(finite, np.minimum(np.ceil(np.where(finite, total, 0.0) / step), 0), 0).astype(np.int64)
    x = np.where(finite, np.exp2(np.where(finite, total, 0.0) - e * step), 0.0)
    return x * np.where(signs % 2 == 0, 1.0, -1.0), e
