r"""Grids of rings on the sphere: where their points lie, and how integrals over θ are sums over the rings.

    gauss              n = L rings at the zeros of P_n(cos θ): the fewest that a sum Σ w_j f(θ_j) is exact for
    driscoll-healy     n = 2L rings at θ_j = (2j + 1)π/4L, Fejér's weights (Driscoll & Healy 1994; Healy,
                       Rockmore, Kostelec & Moore 2003, whose offset keeps the poles out)
    clenshaw-curtis    n = L + 1 rings at θ_j = jπ/L, with both poles: the grid of weather files
    healpix            12 N² pixels of equal area in 4N − 1 rings (Górski et al. 2005); sums are approximate

The first two integrate products of two harmonics of degree < L exactly. On the third the harmonics of one
field of degree < L can still be told apart: along a meridian and back, f_m(θ) is a trigonometric polynomial
of degree ≤ L, even or odd about the poles by the parity of m + s. It is known on 2L points of that circle,
hence everywhere, and is integrated on twice as many (`folded_weights`; Reinecke et al., ducc0).
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int32

from intertwine._checks import fail
from intertwine.symmetry._images import frozen


class Rings(NamedTuple):
    """theta: colatitudes of the rings, north to south, symmetric about the equator. lengths: points on each.
    first: longitude of the first point of each. weights: Σ_j weights_j ∮ dφ f = ∫ f, of bandlimited f."""

    theta: Float[np.ndarray, " n"]
    lengths: Int32[np.ndarray, " n"]
    first: Float[np.ndarray, " n"]
    weights: Float[np.ndarray, " n"]


@lru_cache(maxsize=64)
def rings(grid: str, rows: int, columns: int, first_longitude: float) -> Rings:
    """The rings of a grid with `rows` rings of `columns` points; of "healpix", N = columns."""
    if grid == "healpix":
        return _healpix(columns)
    theta, weights = {"gauss": _gauss, "driscoll-healy": _fejer, "clenshaw-curtis": _clenshaw_curtis}[grid](
        rows
    )
    full = np.full(rows, columns, np.int32)
    return Rings(*map(frozen, (theta, full, np.full(rows, first_longitude), weights)))


def _gauss(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Zeros of P_n(cos θ) by Newton's method, and weights."""
    theta = np.pi * (np.arange(n) + 0.75) / (n + 0.5)
    for _ in range(8):
        x, before, now = np.cos(theta), np.ones(n), np.cos(theta)
        for k in range(1, n):
            before, now = now, ((2 * k + 1) * x * now - k * before) / (k + 1)
        slope = n * (before - x * now)  # sin² θ dP/dx
        theta = theta + np.sin(theta) * now / slope
        theta = (theta + np.pi - theta[::-1]) / 2
    x, before, now = np.cos(theta), np.ones(n), np.cos(theta)
    for k in range(1, n):
        before, now = now, ((2 * k + 1) * x * now - k * before) / (k + 1)
    weights = 2 * (np.sin(theta) / (n * (before - x * now))) ** 2
    return theta, (weights + weights[::-1]) / 2 * (2 / weights.sum())


def _fejer(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Fejér's first rule: exact for polynomials in cos θ of degree < n."""
    theta = (2 * np.arange(n) + 1) * np.pi / (2 * n)
    k = np.arange(1, (n - 1) // 2 + 1)
    return theta, 2 / n * (1 - 2 * (np.cos(2 * k * theta[:, None]) / (4 * k * k - 1)).sum(axis=1))


def _clenshaw_curtis(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Exact for polynomials in cos θ of degree < n (n rings, both poles)."""
    steps = n - 1
    theta = np.arange(n) * np.pi / steps
    k = np.arange(1, steps // 2 + 1)
    share = np.where(2 * k == steps, 1.0, 2.0) / (4 * k * k - 1)
    weights = 2 / steps * (1 - (share * np.cos(2 * k * theta[:, None])).sum(axis=1))
    weights[[0, -1]] /= 2
    return theta, weights


@lru_cache(maxsize=16)
def folded_weights(n: int, odd: bool) -> tuple[np.ndarray, np.ndarray]:
    """(θ of a finer ring grid (q,), R (q, n)): ∫ g f sin θ dθ = Σ_q g(θ_q) Σ_j R_qj f(θ_j) for f and g that
    are trigonometric polynomials of degree < n − 1 about the circle of a meridian, both even, or both `odd`,
    about the poles; f on the n rings of "clenshaw-curtis"."""
    steps = n - 1
    fine, weights = _clenshaw_curtis(2 * steps + 1)
    coarse, k = np.arange(n) * np.pi / steps, np.arange(n)
    ends = np.where((k == 0) | (k == steps), 0.5, 1.0)
    if odd:
        matrix = 2 / steps * np.sin(fine[:, None] * k[1:-1]) @ np.sin(k[1:-1, None] * coarse)
    else:
        matrix = 2 / steps * (np.cos(fine[:, None] * k) * ends) @ (np.cos(k[:, None] * coarse) * ends)
    return fine, weights[:, None] * matrix


def _healpix(n: int) -> Rings:
    """The ring scheme of HEALPix with N_side = n, 4n − 1 rings."""
    i = np.arange(1, 4 * n)
    near = np.minimum(i, 4 * n - i)  # rings from the nearer pole
    polar = near < n
    z = np.where(polar, 1 - near**2 / (3.0 * n * n), 4.0 / 3 - 2.0 * near / (3 * n))
    # near the pole θ from 1 − z = 2 sin²(θ/2)
    theta = np.where(polar, 2 * np.arcsin(near / (n * 6.0**0.5)), np.arccos(z))
    theta = np.where(i > 2 * n, np.pi - theta, theta)
    theta[2 * n - 1] = np.pi / 2
    lengths = np.where(polar, 4 * near, 4 * n).astype(np.int32)
    shifted = np.where(polar, 1, (near - n + 1) % 2)
    first = shifted * np.pi / lengths
    return Rings(
        *map(
            frozen,
            (theta, lengths, first, np.full(4 * n - 1, 4 * np.pi / (12 * n * n) / (2 * np.pi)) * lengths),
        )
    )


def default_shape(grid: str, band_limit: int, argument: str = "grid") -> tuple[int, int]:
    """(rows, columns) that a band limit asks for; of "healpix" (4N − 1, N), 2N ≥ band_limit."""
    counts = {
        "gauss": (band_limit, 2 * band_limit),
        "driscoll-healy": (2 * band_limit, 2 * band_limit),
        "clenshaw-curtis": (band_limit + 1, 2 * band_limit),
        "healpix": (4 * max(1, -(-band_limit // 2)) - 1, max(1, -(-band_limit // 2))),
    }
    if grid not in counts:
        raise fail(argument, "one of " + ", ".join(counts), grid)
    return counts[grid]
