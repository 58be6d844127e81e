r"""Square-lattice strips of finite width and infinite length, by the transfer matrix of their rows.

    T(a, b) = D(a)^{1/2} [Π_x e^{u(a_x, b_x)}] D(b)^{1/2},     ln D(a) = Σ_x u(a_x, a_{x+1}) + Σ_x v(a_x)

for any pair interaction u and site term v (Kramers & Wannier, Phys. Rev. 60, 252, 1941). ln Z per site is
ln λ_0/W; correlations along the strip decay at the rates ln(λ_0/|λ_i|). At a critical point they give the
central charge and the scaling dimensions (Blöte, Cardy & Nightingale, Phys. Rev. Lett. 56, 742, 1986):

    ln λ_0 = W f_∞ + π c/(6 W) + …,       ln(λ_0/λ_i) = 2π Δ_i/W + …

T is applied site by site, W q^{W+1} operations, and never formed.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from intertwine._checks import fail, one_of, positive_int
from intertwine.models.spins.pair_weights import interaction

_MOST_STATES = 2**16


class StripValues(NamedTuple):
    """log_partition: ln Z per site in nats. rates: float64 (n,), ln(λ_0/|λ_i|) in increasing order, the
    inverse correlation lengths along the strip, in units of the lattice constant."""

    log_partition: float
    rates: Float[np.ndarray, " n"]


def strip(
    width: int, K: ArrayLike, field: ArrayLike = 0.0, *, boundary: str = "periodic", rates: int = 4
) -> StripValues:
    """Exact values of an infinitely long strip of `width` sites, at least 3 (2 if open); q^width ≤ 2^16.

    K, field: as in `interaction`: numbers for Ising spins, arrays (q, q) and (q,) for others.
    boundary: across the strip, "periodic" or "open". rates: how many decay rates, 1 to 20.

    Raises InputError for other values and wider strips.

    >>> ring = strip(8, math.log(1 + math.sqrt(2)) / 2)
    >>> round(float(ring.rates[0]) * 8 / (2 * math.pi), 3)          # the dimension 1/8 of the spin
    0.126
    """
    pair, site = interaction(K, field)
    states = len(pair)
    one_of("boundary", boundary, ("periodic", "open"))
    least = 3 if boundary == "periodic" else 2
    if positive_int("width", width) < least or width * math.log(states) > math.log(_MOST_STATES) + 1e-9:
        most = int(math.log(_MOST_STATES) / math.log(states) + 1e-9)
        raise fail("width", f"{least} to {most} sites for {states} states", width)
    if positive_int("rates", rates) > min(20, states**width - 2):
        raise fail("rates", f"1 to {min(20, states**width - 2)}", rates)
    row = _row_term(width, pair, site, boundary == "periodic")
    top, most = float(row.max()), float(pair.max())
    half, across = np.exp((row - top) / 2), np.exp(pair - most)
    values = _leading(half, across, width, rates + 1)
    log_z = (math.log(values[0]) + top) / width + most
    return StripValues(log_z, np.log(values[0] / np.abs(values[1:])))


def _row_term(width: int, pair: np.ndarray, site: np.ndarray, ring: bool) -> np.ndarray:
    """ln D over all rows, (q^W,), the first site varying slowest."""
    states = len(pair)
    total = np.zeros((states,) * width)
    for x in range(width):
        total += site.reshape([states if axis == x else 1 for axis in range(width)])
        if x + 1 < width or ring:
            sides = (x, (x + 1) % width)
            total += pair.reshape([states if axis in sides else 1 for axis in range(width)])
    return total.ravel()


def _leading(half: np.ndarray, across: np.ndarray, width: int, count: int) -> np.ndarray:
    """The eigenvalues of largest modulus, that one first."""
    from scipy.sparse.linalg import LinearOperator, eigsh

    states, size = len(across), half.size

    def apply(vector: np.ndarray) -> np.ndarray:
        found = half * vector.ravel()
        for _ in range(width):  # each turn acts on the slowest axis and makes it the fastest
            found = (across @ found.reshape(states, -1)).T.ravel()
        return half * found

    if size <= 64:
        matrix = np.stack([apply(column) for column in np.eye(size)])
        found = np.linalg.eigvalsh((matrix + matrix.T) / 2)
    else:
        operator = LinearOperator((size, size), matvec=apply, dtype=np.float64)  # type: ignore[call-arg]
        begin = np.random.default_rng(0).random(size)
        found = eigsh(
            operator, k=count, which="LM", v0=begin, ncv=min(size, 4 * count + 12), return_eigenvectors=False
        )
    return found[np.argsort(-np.abs(found))][:count]
