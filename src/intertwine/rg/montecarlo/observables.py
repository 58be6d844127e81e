r"""Energy, order and correlation length of batches of spins, and their errors over bins.

    e = −(1/N) Σ_{⟨ij⟩} s_i s_j,   m = (1/N) Σ_i s_i,   S(k) = |Σ_j e^{−ik·x_j} s_j|²/N
    Potts: δ(s_i, s_j) for s_i s_j; m² and S(k) are q/(q − 1) Σ_a those of δ(s_i, a) − 1/q
    clock: cos(θ_i − θ_j) for s_i s_j; m² and S(k) are those of cos θ_i and of sin θ_i together
    ξ = 1/(2 sin(k/2)) · √(⟨S(0)⟩/⟨S(k)⟩ − 1)       at the smallest momenta k of the torus

ξ is the second-moment correlation length (Cooper, Freedman & Preston, Nucl. Phys. B 210, 210, 1982). In the
ordered phase ⟨S(0)⟩ counts the order itself, and ξ would grow beyond the lattice: where it does, N⟨|m|⟩² is
subtracted from ⟨S(0)⟩, and ξ is that of the connected correlations (ξ/L is 0.905 at T_c of the square torus,
and below that above T_c).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from scipy.special import chdtri

from intertwine._caveats import R_HAT_LIMIT
from intertwine.models.spins.spin_terms import spin_terms
from intertwine.sampling.statistics.estimate import estimate
from intertwine.sampling.statistics.jackknife import jackknife_error
from intertwine.sampling.statistics.joined_bins import joined
from intertwine.spaces.lattice import Lattice

Measured = dict[str, dict[str, Any]]
"""Observable → mean, error and what else is known of it."""

NAMES = ("energy", "abs_magnetization", "structure_zero", "structure_smallest")
"""The first columns of a batch; after them come the components of the order parameter (`order`), by which
chains are judged too: those that are stuck in opposite states have the same energy and |m|."""


LARGEST = 1.0
"""ξ beyond this share of the lattice is that of the order."""


class Observables:
    """Measures spins ±1 of one lattice, or states 0 … states − 1 of a Potts or clock model."""

    def __init__(self, lattice: Lattice, states: int | None = None, *, clock: bool = False):
        self.size, self.states, self.clock = lattice.size, states, clock
        self.columns = len(NAMES) + (1 if states is None else 2 if clock else states)
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
        elif self.clock:
            angles = spins * np.float32(2 * np.pi / self.states)
            (i, j), parts, norm = self.bonds.sites.T, [np.cos(angles), np.sin(angles)], 1.0
            energy = -sum((part[..., i] * part[..., j]).sum(-1, dtype=float) for part in parts) / self.size
        else:
            i, j = self.bonds.sites.T
            energy = -(spins[..., i] == spins[..., j]).sum(-1) / self.size
            parts = [(spins == a) - 1 / self.states for a in range(self.states)]
            norm = self.states / (self.states - 1)
        squared = sum(norm * part.mean(-1, dtype=np.float64) ** 2 for part in parts)
        smallest = sum(norm * self._smallest(part) for part in parts)
        return np.stack([energy, np.sqrt(squared), self.size * squared, smallest], -1)

    def order(self, spins: np.ndarray) -> np.ndarray:
        """The order parameter of spins (..., N), float64 (..., columns − 4): Σ s/N; the share of each state
        of a Potts model; Σ cos θ/N and Σ sin θ/N of a clock."""
        if self.states is None:
            parts = [spins]
        elif self.clock:
            angles = spins * np.float32(2 * np.pi / self.states)
            parts = [np.cos(angles), np.sin(angles)]
        else:
            parts = [spins == a for a in range(self.states)]
        return np.stack([part.mean(-1, dtype=np.float64) for part in parts], -1)

    def _smallest(self, part: np.ndarray) -> np.ndarray:
        """S(k) of values (..., N), averaged over the smallest momenta."""
        waves = np.asarray(part.astype(np.float32) @ self.waves, np.float64)
        return 2 * (waves**2).sum(-1) / (self.waves.shape[1] * self.size)

    def length(self, zero: float, smallest: float) -> float:
        """ξ from ⟨S(0)⟩ and ⟨S(k)⟩; 0 where they do not decay."""
        if zero <= 1e-9 * self.size:  # all order, or rounding of it
            return 0.0
        ratio = zero / smallest if smallest > 0 else math.inf
        return math.sqrt(max(0.0, ratio - 1)) / (2 * math.sin(self.momentum / 2))

    def record(self, bins: np.ndarray) -> Measured:
        """Means and errors from means of bins (chains, bins, columns); ξ by the jackknife over bins."""
        found: Measured = {}
        for column, name in enumerate(NAMES[:2]):
            values: Any = estimate(bins[..., column])
            found[name] = {
                "mean": float(values.mean),
                "error": float(values.error),
                "r_hat": float(values.r_hat),
                "r_hat_limit": r_hat_limit(*bins.shape[:2]),
            }
        stuck = [float(estimate(bins[..., k]).r_hat) for k in range(len(NAMES), bins.shape[-1])]
        judged = [r_hat for r_hat in (found["abs_magnetization"]["r_hat"], *stuck) if not math.isnan(r_hat)]
        found["abs_magnetization"]["r_hat"] = max(judged, default=math.nan)
        order, zero, smallest = (bins[..., k].mean(0) for k in (1, 2, 3))
        around = 2 * math.pi / self.momentum
        connected = self.length(float(zero.mean()), float(smallest.mean())) > LARGEST * around

        def length(order: float, zero: float, smallest: float) -> float:
            return self.length(zero - (self.size * order**2 if connected else 0.0), smallest)

        (sums, count), _ = joined(
            (np.stack([order, zero, smallest], 1), np.ones(len(zero))), lambda x: x[0] / x[1][:, None]
        )
        without = (sums.sum(0) - sums) / (count.sum() - count)[:, None]
        spread = float(jackknife_error(np.array([length(*row) for row in without])))
        mean = length(*(float(x.mean()) for x in (order, zero, smallest)))
        entry = {"mean": mean, "error": spread, "connected": bool(connected)}
        return found | {"correlation_length": entry}


def r_hat_limit(chains: int, bins: int) -> float:
    """What R-hat of means of bins may be: `R_HAT_LIMIT`, or where bins are few what one of a thousand sets of
    independent ones has.

    >>> r_hat_limit(20, 50), round(r_hat_limit(4, 25), 3)
    (1.05, 1.098)
    """
    if bins < 4:
        return R_HAT_LIMIT
    halves = 2 * chains - 1  # split chains are compared
    chance = float(chdtri(halves, 1e-3)) / halves
    return max(R_HAT_LIMIT, math.sqrt(1 + (chance - 1) / (bins // 2)))


def worst_r_hat(observables: Measured) -> float:
    """The largest R-hat of the observables; NaN where there is none (one chain)."""
    known = (values.get("r_hat", math.nan) for values in observables.values())
    return max((value for value in known if not math.isnan(value)), default=math.nan)


def unfit(observables: Measured) -> str:
    """Why chains are not to be judged by, or ""."""
    worst = worst_r_hat(observables)
    if math.isnan(worst):
        return "one chain, or few batches, cannot show that chains have mixed"
    return f"the chains have not mixed (R-hat {worst:.3g})" if disagree(observables) else ""


def disagree(observables: Measured) -> bool:
    """Whether R-hat of any is larger than its bins may have."""
    return any(
        values.get("r_hat", math.nan) > values.get("r_hat_limit", R_HAT_LIMIT)
        for values in observables.values()
    )


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
