r"""Square-lattice partition functions as networks of one four-leg tensor, and one step of coarse graining.

Z is the contraction of a tensor T(l, u, r, d) on every site, with weights X on the bonds along a row and Y on
those along a column (1 at first). With e^{u(s, s')} = Σ_a A(s, a) B(s', a) by singular values,

    T(l, u, r, d) = Σ_s e^{v(s)} B(s, l) A(s, u) A(s, r) B(s, d).

A step (Levin & Nave, Phys. Rev. Lett. 99, 120601, 2007) cuts T in two along one diagonal on every second site
and along the other on the rest, keeps χ singular values σ, and contracts the four halves around each of half
of the squares: the new lattice is turned by 45° and has half as many sites.

          u          u                           \     /
          |          |                            S2─S3
      l ──T── r  =  ─S1                    ⇒      |   |        ⇒    T', X' = σ_A^k, Y' = σ_B^k
          |            \ x                        S4─S1
          d             S2─                      /     \

The halves carry σ^{(1−k)/2} and the new bonds σ^k: k = 0 is Levin and Nave's scheme, k = −1/2 the
bond-weighted one (Adachi, Okubo & Todo, Phys. Rev. B 105, L060402, 2022), whose cuts see part of their
surroundings.

A cut never divides a multiplet of equal σ (to 1e-6, relative): all of it is left out, so that the symmetry of
the spins survives, unless there is nothing else. Only invariants of the basis of the legs are ever reported.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from intertwine._threads import over_ranges
from intertwine.models.spins.pair_weights import Interaction

_SMALLEST = 1e-13
"""Singular values below this share of the largest are zero to rounding."""

_SAME = 1e-6
"""Relative distance of singular values that count as one multiplet."""


class BondTensor(NamedTuple):
    """tensor: float64 (l, u, r, d). row, column: float64 (l,) and (u,), the weights of the bonds along a row
    and along a column."""

    tensor: Float[np.ndarray, "l u r d"]
    row: Float[np.ndarray, " l"]
    column: Float[np.ndarray, " u"]


def site_tensor(interaction: Interaction) -> tuple[BondTensor, float]:
    """The tensor of one site, with Z(1 × 1) = 1, and the logarithm of what it was divided by.

    >>> from intertwine.models.spins.pair_weights import interaction
    >>> site, log_norm = site_tensor(interaction(0.5))
    >>> site.tensor.shape, abs(log_norm - math.log(2 * math.exp(1.0))) < 1e-12     # both bonds lead to itself
    ((2, 2, 2, 2), True)
    """
    pair, site = interaction
    top, most = float(site.max()), float(pair.max())
    left, s, right = np.linalg.svd(np.exp(pair - most))
    kept = s > _SMALLEST * s[0]
    A, B = (left * np.sqrt(s))[:, kept], (right.T * np.sqrt(s))[:, kept]
    tensor = np.einsum("s,sl,su,sr,sd->lurd", np.exp(site - top), B, A, A, B, optimize=True)
    ones = np.ones(kept.sum())
    found, log_norm = normalised(BondTensor(tensor, ones, ones))
    return found, log_norm + 2 * most + top


def normalised(network: BondTensor) -> tuple[BondTensor, float]:
    """The network over its Z(1 × 1), and ln Z(1 × 1); not a number where that is not positive."""
    total = float(np.einsum("lulu,l,u->", network.tensor, network.row, network.column))
    if not 0 < total < math.inf:
        return network, math.nan
    return network._replace(tensor=network.tensor / total), math.log(total)


def coarsen(network: BondTensor, chi: int, k: float) -> BondTensor:
    """One step: legs of at most `chi`, bond weights σ^k, half as many sites. The cuts run in two threads."""
    tensor, row, column = network
    a, b = len(row), len(column)
    matrices = tensor.reshape(a * b, a * b), tensor.transpose(0, 3, 1, 2).reshape(a * b, b * a)
    halves: list[Any] = [None, None]

    def cut(start: int, stop: int) -> None:
        halves[start:stop] = [_cut(matrix, chi, k) for matrix in matrices[start:stop]]

    over_ranges(cut, 2)
    (upper, lower, across), (left, right, along) = halves
    S1, S2 = upper.reshape(a, b, -1), lower.reshape(-1, a, b)  # (l, u, z), (x, r, d)
    S3, S4 = left.reshape(a, b, -1), right.reshape(-1, b, a)  # (l, d, y), (w, u, r)
    top = np.tensordot(S2 * row[:, None] * column, S3 * column[:, None], axes=(1, 0))  # (x, d, d', y)
    bottom = np.tensordot(S4 * row, S1, axes=(2, 0))  # (w, u, u', z)
    square = np.tensordot(top, bottom, axes=([1, 2], [1, 2]))  # (x, y, w, z)
    return BondTensor(square.transpose(0, 1, 3, 2), across, along)


def transfer_spectrum(network: BondTensor, count: int) -> Float[np.ndarray, " count"]:
    """The `count` eigenvalues of largest modulus of one row of one site, closed along the row: moduli, padded
    with zeros."""
    half = np.sqrt(network.column)
    matrix = np.einsum("lulv,l->uv", network.tensor, network.row) * half[:, None] * half
    found = np.sort(np.abs(np.linalg.eigvals(matrix)))[::-1][:count]
    return np.pad(found, (0, count - len(found)))


def gu_wen(network: BondTensor) -> float:
    """Z(1 × 1)²/Z(1 × 2): the number of phases that coexist, 1 disordered and q ordered (Gu & Wen,
    Phys. Rev. B 80, 155131, 2009)."""
    matrix = np.einsum("lulv,l,v->uv", network.tensor, network.row, network.column)
    return float(np.trace(matrix) ** 2 / np.sum(matrix * matrix.T))


def _cut(
    matrix: Float[np.ndarray, "m n"], chi: int, k: float
) -> tuple[Float[np.ndarray, "m x"], Float[np.ndarray, "x n"], Float[np.ndarray, " x"]]:
    """matrix ≈ P diag(σ^k) Q with P = U σ^{(1−k)/2} and Q = σ^{(1−k)/2} Vᵀ."""
    U, s, Vt = leading_singular(matrix, chi + 1)
    kept = min(chi, int((s > _SMALLEST * s[0]).sum()))
    if kept < len(s) and s[kept] > _SMALLEST * s[0]:
        kept = int((s[:kept] > (1 + _SAME) * s[kept]).sum()) or kept
    s = s[:kept]
    share = s ** ((1 - k) / 2)
    return U[:, :kept] * share, share[:, None] * Vt[:kept], s**k


def leading_singular(
    matrix: Float[np.ndarray, "m n"], count: int
) -> tuple[Float[np.ndarray, "m c"], Float[np.ndarray, " c"], Float[np.ndarray, "c n"]]:
    """The `count` largest singular values and their vectors, fewer where the matrix is smaller.

    Small matrices go to LAPACK. Large ones by block iteration from a fixed start: the values to 1e-12 of the
    largest, their space to the square root of that, which enters Z squared (Halko, Martinsson & Tropp, SIAM
    Rev. 53, 217, 2011).
    """
    smaller = min(matrix.shape)
    columns = count + max(count // 2, 8)
    if smaller <= 3 * columns:
        U, s, Vt = np.linalg.svd(matrix, full_matrices=False)
        return U[:, :count], s[:count], Vt[:count]
    V = np.random.default_rng(0).standard_normal((matrix.shape[1], columns))
    before = np.zeros(columns)
    for _ in range(100):
        U, _ = np.linalg.qr(matrix @ V)
        V, R = np.linalg.qr(matrix.T @ U)
        s = np.linalg.svd(R, compute_uv=False)
        if np.abs(s - before)[:count].max() <= 1e-12 * s[0]:
            break
        before = s
    left, s, right = np.linalg.svd(R.T)
    return (U @ left)[:, :count], s[:count], (right @ V.T)[:count]
