r"""Energy, order and correlation length of batches of spins, and their errors over bins.

    e = −(1/N) Σ_{⟨ij⟩} s_i s_j,   m = (1/N) Σ_i s_i,   S(k) = |Σ_j e^{−ik·x_j} s_j|²/N
    Potts: δ(s_i, s_j) for s_i s_j; m² and S(k) are q/(q − 1) Σ_a those of δ(s_i, a) − 1/q
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
    """Measures spins ±1 of one lattice, or Potts states 0 … states − 1."""

    def __init__(self, lattice: Lattice, states: int | None = None):
        self.size, self.states = lattice.size, states
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
        if self.states is None:
            energy, parts, norm = -self.bonds.sum(spins) / self.size, [spins], 1.0
        else:
            i, j = self.bonds.sites.T
            energy = -(spins[..., i] == spins[..., j]).sum(-1) / self.size
            parts = [(spins == a) - 1 / self.states for a in range(self.states)]
            norm = self.states / (self.states - 1)
        squared = sum(norm * part.mean(-1, dtype=np.float64) ** 2 for part in parts)
        smallest = sum(norm * self._smallest(part) for part in parts)
        return np.stack([energy, np.sqrt(squared), self.size * squared, smallest], -1)

    def _smallest(self, part: np.ndarray) -> np.ndarray:
        """S(k) of values (..., N), averaged over the smallest momenta."""
        waves = np.asarray(part.astype(np.float32) @ self.waves, np.float64)
        return 2 * (waves**2).sum(-1) / (self.waves.shape[1] * self.size)

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
    """How many configurations of a bin are kept, and of how many bins: for pictures and for couplings."""

    per_bin: int
    bins: int

    @classmethod
    def of(cls, rows: int, bins: int, size: int, most: int = 1 << 23) -> Kept:
        """At most `most` spins in all, and `rows` configurations of a bin.

        >>> Kept.of(20, 50, 4096), Kept.of(20, 50, 1 << 20)
        (Kept(per_bin=20, bins=50), Kept(per_bin=1, bins=8))
        """
        per_bin = min(rows, max(1, most // (bins * size)))
        return cls(per_bin, min(bins, max(1, most // (per_bin * size))))
