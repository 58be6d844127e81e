r"""Energy, order and correlation length of batches of spins, and their errors over bins.

    e = −(1/N) Σ_{⟨ij⟩} s_i s_j,   m = (1/N) Σ_i s_i,   S(k) = |Σ_j e^{−ik·x_j} s_j|²/N
    ξ = 1/(2 sin(k/2)) · √(⟨S(0)⟩/⟨S(k)⟩ − 1)       at the smallest momenta k of the torus

ξ is the second-moment correlation length (Cooper, Freedman & Preston, Nucl. Phys. B 210, 210, 1982); in the
ordered phase, where ⟨S(0)⟩ counts the order itself, it has no such meaning and grows with the lattice.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from intertwine.models.spin_terms import spin_terms
from intertwine.sampling.estimate import estimate
from intertwine.spaces.lattice import Lattice

NAMES = ("energy", "abs_magnetization", "structure_zero", "structure_smallest")
"""The columns of a batch."""


class Observables:
    """Measures spins ±1 of one lattice."""

    def __init__(self, lattice: Lattice):
        self.size = lattice.size
        self.bonds = spin_terms(lattice, "nearest")
        reciprocal = 2 * np.pi * np.linalg.inv(np.asarray(lattice.basis_vectors)).T
        momenta = reciprocal / np.asarray(lattice.extent)[:, None]
        lengths = np.linalg.norm(momenta, axis=1)
        kept = np.isclose(lengths, lengths.min())
        phases = np.asarray(lattice.positions) @ momenta[kept].T
        self.momentum = float(lengths.min())
        self.waves = np.concatenate([np.cos(phases), np.sin(phases)], axis=1).astype(np.float32)

    def of(self, spins: np.ndarray) -> np.ndarray:
        """The columns `NAMES` of spins (..., N), float64 (..., 4)."""
        energy = -self.bonds.sum(spins) / self.size
        m = spins.mean(-1, dtype=np.float64)
        waves = np.asarray(spins.astype(np.float32) @ self.waves, np.float64)
        smallest = 2 * (waves**2).sum(-1) / (self.waves.shape[1] * self.size)
        return np.stack([energy, np.abs(m), self.size * m * m, smallest], -1)

    def length(self, zero: float, smallest: float) -> float:
        """ξ from ⟨S(0)⟩ and ⟨S(k)⟩; 0 where they do not decay."""
        ratio = zero / smallest if smallest > 0 else math.inf
        return math.sqrt(max(0.0, ratio - 1)) / (2 * math.sin(self.momentum / 2))

    def record(self, bins: np.ndarray) -> dict[str, dict[str, float]]:
        """Means and errors from means of bins (chains, bins, 4); ξ by the jackknife over bins."""
        found: dict[str, dict[str, float]] = {}
        for column, name in enumerate(NAMES[:2]):
            values: Any = estimate(bins[..., column])
            found[name] = {
                "mean": float(values.mean),
                "error": float(values.error),
                "r_hat": float(values.r_hat),
            }
        zero, smallest = bins[..., 2].mean(0), bins[..., 3].mean(0)
        left = [
            self.length(float(np.delete(zero, k).mean()), float(np.delete(smallest, k).mean()))
            for k in range(len(zero))
        ]
        spread = math.sqrt(max(0.0, (len(left) - 1) * float(np.var(left))))
        mean = self.length(float(zero.mean()), float(smallest.mean()))
        return found | {"correlation_length": {"mean": mean, "error": spread}}


class Kept(NamedTuple):
    """How many configurations of every bin are kept for pictures and for matching moments."""

    per_bin: int
    bins: int

    @classmethod
    def of(cls, chains: int, bins: int, size: int, most: int = 1 << 23) -> Kept:
        """At most `most` spins in all, and one of every chain in a bin.

        >>> Kept.of(20, 50, 4096), Kept.of(20, 50, 1 << 20)
        (Kept(per_bin=20, bins=50), Kept(per_bin=1, bins=8))
        """
        per_bin = min(chains, max(1, most // (bins * size)))
        return cls(per_bin, min(bins, max(1, most // (per_bin * size))))
