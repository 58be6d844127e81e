r"""The Ising model on a square torus: independent exact samples, and exact values to compare with.

    p(s) = e^{−E(s)/T}/Z,   E = −Σ_{⟨ij⟩} s_i s_j,   T_c = 2/ln(1 + √2)      (Onsager 1944)

The torus is cut into rows of W spins. With K = 1/T and r(a) = Σ_i a_i a_{i+1} the transfer matrix

    T(a, b) = exp(K [r(a)/2 + a·b + r(b)/2]),     Z = tr T^L,

gives p(row_1 = a) = T^L(a, a)/Z and p(row_{k+1} = b | row_k, row_1) ∝ T(row_k, b) T^{L−k}(b, row_1): rows are
drawn one after another, without a Markov chain, so that samples are independent and exact to rounding. The
energy follows from the joint distribution of two rows, the specific heat from its derivative in K, and the
distribution of the magnetization from Z in imaginary fields.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from intertwine._checks import fail
from intertwine.data.dataset import Dataset, Known

CRITICAL = 2.0 / math.log(1.0 + math.sqrt(2.0))
WIDEST, LONGEST = 10, 64
WIDEST_MAGNETIZATION = 8
"""Above this width the exact |m| takes minutes, and is left out."""


def ising(
    height: int, width: int, temperature: float = CRITICAL, *, rows: int = 1000, seed: int = 0
) -> Dataset:
    """`rows` samples of the height × width torus to learn from, and as many held out; spins ±1 (int8).

    Raises `InputError` for a torus with fewer than 3 or more than 10 by 64 sites, or a temperature outside
    [0.1, 100].

    >>> data = ising(4, 4, rows=50)
    >>> data.train.shape, data.units, round(data.known.exact["energy"], 4)
    ((50, 16), 'spin', -1.5656)
    """
    check_torus(height, width, temperature)
    short, long = min(height, width), max(height, width)
    chain = _Chain(short, long, 1.0 / temperature)
    drawn = chain.draw(2 * rows, np.random.default_rng(seed)).reshape(2 * rows, long, short)
    if (height, width) != (long, short):
        drawn = drawn.transpose(0, 2, 1)
    spins = np.ascontiguousarray(drawn.reshape(2 * rows, -1))
    name = f"ising:{height}x{width}:{temperature:.6g}"
    return Dataset.of(
        spins[:rows], spins[rows:], units="spin", shape=(height, width), name=name,
        source=f"made here: exact samples of the Ising model at T = {temperature:.6g}",
        known=_known(chain, height, width),
    )  # fmt: skip


def check_torus(height: int, width: int, temperature: float) -> None:
    """Raise `InputError` for a torus that is too small or too large, or a temperature out of range."""
    short, long = min(height, width), max(height, width)
    if short < 3 or short > WIDEST or long > LONGEST:
        remedy = "take ising:8, or give a file of samples"
        got = f"{height}x{width}"
        raise fail("data", f"an Ising torus from 3x3 to {WIDEST}x{LONGEST}", got, remedy)
    if not 0.1 <= temperature <= 100:
        critical = f"take {CRITICAL:.4f}, the critical one"
        raise fail("data", "a temperature from 0.1 to 100", temperature, critical)


def energy(spins: np.ndarray, height: int, width: int) -> np.ndarray:
    """E of each row of `spins` (n, height·width), int64[n], in units of the coupling.

    >>> energy(np.ones((1, 9), np.int8), 3, 3)
    array([-18])
    """
    s = spins.reshape(-1, height, width).astype(np.int64)
    return -(s * np.roll(s, 1, 1) + s * np.roll(s, 1, 2)).sum((1, 2))


def _known(chain: _Chain, height: int, width: int) -> Known:
    sites, log_z = height * width, chain.log_z()
    mean, slope = chain.energy(), chain.energy_slope()
    exact = {"energy": mean / sites, "specific_heat": -(chain.K**2) * slope / sites}
    if chain.width <= WIDEST_MAGNETIZATION:
        exact["abs_magnetization"] = chain.abs_magnetization()

    def observables(spins: np.ndarray) -> dict[str, np.ndarray]:
        e, m = energy(spins, height, width) / sites, spins.mean(1, dtype=np.float64)
        heat = chain.K**2 * sites * (e - e.mean()) ** 2 * (len(e) / max(1, len(e) - 1))
        return {"energy": e, "abs_magnetization": np.abs(m), "specific_heat": heat}

    def log_probability(spins: np.ndarray) -> np.ndarray:
        return -chain.K * energy(spins, height, width) - log_z

    return Known(log_z + chain.K * mean, log_probability, observables, exact)


class _Chain:
    """A ring of `length` rows of `width` spins at coupling K."""

    def __init__(self, width: int, length: int, K: float):
        self.width, self.length, self.K = width, length, K
        codes = np.arange(1 << width)
        self.spins = ((codes[:, None] >> np.arange(width)) & 1).astype(np.int8) * 2 - 1
        s = self.spins.astype(float)
        inside = (s * np.roll(s, 1, 1)).sum(1)
        self.bonds = inside[:, None] / 2 + s @ s.T + inside / 2

    def matrix(self, K: float) -> tuple[np.ndarray, float]:
        """(the transfer matrix over its largest element, the logarithm of that element)."""
        top = K * float(self.bonds.max())
        return np.exp(K * self.bonds - top), top

    def log_z(self) -> float:
        matrix, top = self.matrix(self.K)
        trace, scale = _trace(matrix, self.length)
        return math.log(trace) + scale + self.length * top

    def energy(self, K: float | None = None) -> float:
        """⟨E⟩ = −L ⟨bonds between and inside two rows⟩, whose joint weight is T(a, b) T^{L−1}(b, a)."""
        matrix, _ = self.matrix(self.K if K is None else K)
        power, _ = _power(matrix, self.length - 1)
        joint = matrix * power.T
        return -self.length * float((joint * self.bonds).sum() / joint.sum())

    def energy_slope(self) -> float:
        """d⟨E⟩/dK = −Var(E), by a central difference of the sixth order."""
        h = 2e-3 * max(self.K, 0.1)
        sides = [(45.0, 1), (-9.0, 2), (1.0, 3)]
        return sum(c * (self.energy(self.K + k * h) - self.energy(self.K - k * h)) for c, k in sides) / (
            60 * h
        )

    def abs_magnetization(self) -> float:
        """⟨|m|⟩: the distribution of M = Σ s is the Fourier transform of Z in imaginary fields."""
        sites = self.width * self.length
        matrix, _ = self.matrix(self.K)
        up = (self.spins > 0).sum(1)
        angles = 2.0 * np.pi * np.arange(sites + 1) / (sites + 1)
        half = (sites + 1) // 2 + 1
        z = np.empty(sites + 1, complex)
        norm = _trace(matrix, self.length)[1]
        for k, angle in enumerate(angles[:half]):
            phase = np.exp(0.5j * angle * up)
            trace, scale = _trace(phase[:, None] * matrix * phase, self.length)
            z[k] = trace * np.exp(scale - norm)
        z[half:] = z[1 : sites + 2 - half][::-1].conj()
        chance = np.fft.fft(z).real
        m = np.abs(2 * np.arange(sites + 1) - sites) / sites
        return float((chance * m).sum() / chance.sum())

    def draw(self, count: int, chance: np.random.Generator) -> np.ndarray:
        """(count, length, width) independent samples, int8."""
        matrix, _ = self.matrix(self.K)
        powers = [matrix]
        for _ in range(self.length - 1):
            nxt = powers[-1] @ matrix
            powers.append(nxt / nxt.max())
        first = _choose(np.broadcast_to(np.diag(powers[-1]), (count, len(matrix))), chance)
        rows = [first]
        for k in range(1, self.length):
            rows.append(_choose(matrix[rows[-1]] * powers[self.length - k - 1][first], chance))
        return self.spins[np.stack(rows, 1)]


def _power(matrix: np.ndarray, exponent: int) -> tuple[np.ndarray, float]:
    """(P, c) with matrix^exponent = e^c P, exponent ≥ 1, by squaring."""
    result, scale = None, 0.0
    base, base_scale = matrix, 0.0
    while True:
        if exponent & 1:
            result, scale = (base, base_scale) if result is None else (result @ base, scale + base_scale)
        exponent >>= 1
        if not exponent:
            assert result is not None
            return result, scale
        base, base_scale = base @ base, 2 * base_scale
        top = float(np.abs(base).max())
        base, base_scale = base / top, base_scale + math.log(top)


def _trace(matrix: np.ndarray, exponent: int) -> tuple[Any, float]:
    """(t, c) with tr matrix^exponent = e^c t, exponent ≥ 2: the last product is not formed."""
    left, left_scale = _power(matrix, exponent // 2)
    right, scale = (left, left_scale) if exponent % 2 == 0 else _power(matrix, exponent - exponent // 2)
    return (left * right.T).sum(), left_scale + scale


def _choose(weights: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """An index of each row of `weights` (n, states), with that chance."""
    found = np.empty(len(weights), np.intp)
    step = max(1, (1 << 22) // weights.shape[1])
    for begin in range(0, len(weights), step):
        total = np.cumsum(weights[begin : begin + step], 1)
        level = chance.random(len(total)) * total[:, -1]
        found[begin : begin + step] = (total <= level[:, None]).sum(1)
    return np.minimum(found, weights.shape[1] - 1)
