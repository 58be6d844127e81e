r"""Exact values of the square-lattice Ising model on finite tori.

    ln Ψ(s) = K Σ_{⟨ij⟩} s_i s_j,     E = −Σ_{⟨ij⟩} s_i s_j,     N = L M sites

Partition function (Kaufman, Phys. Rev. 76, 1232, 1949): with cosh γ_l = cosh 2K coth 2K − cos(πl/L), and
γ_0 = 2K + ln tanh K with its sign,

    Z = ½ (2 sinh 2K)^{LM/2} [Π 2cosh(Mγ_{2r+1}/2) + Π 2sinh(Mγ_{2r+1}/2)
                              + Π 2cosh(Mγ_{2r}/2) + Π 2sinh(Mγ_{2r}/2)],      r = 0 … L − 1

(the last sign is that of this γ_0). Energy and specific heat are −∂ ln Z/∂K and K² ∂² ln Z/∂K², by
complex steps and central differences of them. The distribution of the magnetization is the Fourier transform
of Z in imaginary fields, Z(iφ/2) = tr (D T D)^M with the transfer matrix T of rows of L spins.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from intertwine._checks import fail, positive_int

WIDEST = 10
"""The widest row that the transfer matrix is made for."""


class IsingValues(NamedTuple):
    """Of an L × M torus at K, per site: energy ⟨E⟩/N and specific heat K² Var(E)/N (in units of J and k_B),
    and ln Z/N in nats."""

    energy: float
    specific_heat: float
    log_partition: float


def ising_torus(rows: int, columns: int, K: float) -> IsingValues:
    """The exact values of a periodic rows × columns square lattice; both at least 3 (a torus of 2 has double
    bonds), K > 0.

    Raises InputError for smaller tori, and for K outside (0, 10].

    >>> values = ising_torus(8, 8, 0.5 * math.log(1 + math.sqrt(2)))
    >>> [round(x, 7) for x in values]
    [-1.4915891, 1.1455592, 0.9397153]
    """
    for name, value in (("rows", rows), ("columns", columns)):
        if positive_int(name, value) < 3:
            raise fail(name, "at least 3", value, "on a torus of 2, bonds are double")
    if not 0 < K <= 10:
        raise fail("K", "a coupling in (0, 10]", K)
    sites = rows * columns

    def slope(k: float) -> float:
        """d ln Z/dK by a complex step: exact to rounding."""
        return float(_log_z(rows, columns, k + 1e-30j).imag / 1e-30)

    step = 1e-3 * min(1.0, K)
    weights = ((45.0, 1), (-9.0, 2), (1.0, 3))
    second = sum(c * (slope(K + n * step) - slope(K - n * step)) for c, n in weights) / (60 * step)
    log_z = float(_log_z(rows, columns, complex(K)).real)
    return IsingValues(-slope(K) / sites, K * K * second / sites, log_z / sites)


def magnetization_distribution(rows: int, columns: int, K: float) -> tuple[np.ndarray, np.ndarray]:
    """(m, P(m)): the possible magnetizations per site −1 … 1, (N + 1,), and their probabilities.

    Raises InputError unless the shorter side is 3 to 10.

    >>> m, p = magnetization_distribution(8, 8, 0.5 * math.log(1 + math.sqrt(2)))
    >>> round(float(p @ abs(m)), 6), round(float(p @ m**2), 6)
    (0.777331, 0.646912)
    """
    width, length = sorted((positive_int("rows", rows), positive_int("columns", columns)))
    if not 3 <= width <= WIDEST:
        raise fail("rows", f"a torus whose shorter side is 3 to {WIDEST}", (rows, columns))
    codes = np.arange(1 << width)
    spins = ((codes[:, None] >> np.arange(width)) & 1) * 2.0 - 1
    inside = (spins * np.roll(spins, 1, 1)).sum(1)
    bonds = inside[:, None] / 2 + spins @ spins.T + inside / 2
    transfer = np.exp(K * (bonds - bonds.max()))
    total, sites = spins.sum(1), width * length
    phases = 2 * np.pi * np.arange(sites + 1) / (sites + 1)  # conjugate to the number of spins up
    half = len(phases) // 2 + 1
    up = (total + width) / 2
    found = np.empty(sites + 1, complex)
    for k, phase in enumerate(phases[:half]):
        turned = np.exp(0.5j * phase * up)
        found[k] = _trace_of_power(turned[:, None] * transfer * turned, length)
    found[half:] = found[1 : len(phases) - half + 1][::-1].conj()
    chance = np.fft.fft(found).real
    return (2 * np.arange(sites + 1) - sites) / sites, chance / chance.sum()


def _log_z(width: int, length: int, K: complex) -> complex:
    odd = _gammas(width, K, range(1, 2 * width, 2))
    even = _gammas(width, K, range(0, 2 * width, 2))
    first, third = (_sum_log_2cosh(length * g / 2) for g in (odd, even))
    second, fourth = (np.prod(np.tanh(length * g / 2)) for g in (odd, even))
    ratio = np.exp(third - first)
    bracket = first + np.log(1 + second + ratio * (1 + fourth))
    return complex(width * length / 2 * np.log(2 * np.sinh(2 * K)) + bracket - math.log(2))


def _gammas(width: int, K: complex, numbers: range) -> np.ndarray:
    level = np.asarray(list(numbers))
    gamma = np.arccosh(np.cosh(2 * K) / np.tanh(2 * K) - np.cos(np.pi * level / width) + 0j)
    return np.where(level == 0, 2 * K + np.log(np.tanh(K)), gamma)


def _sum_log_2cosh(x: np.ndarray) -> complex:
    y = np.where(np.real(x) < 0, -x, x)
    return complex((y + np.log(1 + np.exp(-2 * y))).sum())


def _trace_of_power(matrix: np.ndarray, power: int) -> complex:
    return complex(np.trace(np.linalg.matrix_power(matrix, power)))
