r"""The energy of a path from its classical spins.

With s the middle slice and s' the one before or after it,

    −E = Σ J s_i s_j + Σ g s_i + Σ_i h_i e^{−2·½τ s_i (Σ_j J_ij s_j + g_i)} (tanh τh_i)^{s_i s'_i}

is ψ's own local energy, given the next slice: its mean is exactly ⟨ψ|H|ψ⟩/⟨ψ|ψ⟩, whatever τ. The last sum is
taken in the mean over s_i given all other spins. The energy lies above the ground state by O(τ⁴) once excited
states are gone; energies at two τ, extrapolated in τ⁴, have less.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jax
import numpy as np
from jax import Array

from intertwine._caveats import caveat
from intertwine._checks import positive_int
from intertwine._shown import Shown
from intertwine.models.spins.ising import Ising
from intertwine.sampling.spins.cluster import SwendsenWang, frustrated
from intertwine.sampling.statistics.estimate import Estimate, estimate

if TYPE_CHECKING:
    from intertwine.quantum.imaginary_time.network import PathIntegral

_AT_ONCE = 64


@dataclass(frozen=True, repr=False)
class SampledEnergy(Shown):
    """energy: of the path, with an error that has the autocorrelation in it. tau, beta: of the path.
    warnings: what qualifies it."""

    energy: Estimate
    tau: float
    beta: float
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"energy {self.energy} at τ = {self.tau:.4g}, β = {self.beta:.4g}"


def drawn_slices(
    path: PathIntegral, model: Ising, draws: int, sampler: SwendsenWang, key: Array
) -> Iterator[np.ndarray]:
    """Configurations (chains, draws, slices, N) of the classical spins, some draws at a time."""
    first, rest = jax.random.split(key)
    state, left = sampler.init(model, key=first), positive_int("draws", draws)
    while left:
        now = min(left, _AT_ONCE)
        rest, own = jax.random.split(rest)
        found, state = sampler.sample(model, state, now, key=own)
        spins = np.asarray(found.configurations)
        yield spins.reshape(*spins.shape[:2], -1, len(path.terms.h))
        left -= now


def local_energies(path: PathIntegral, slices: np.ndarray) -> np.ndarray:
    """The estimator above of slices (..., 2 steps + 1, N), averaged over both neighbours: (...)."""
    s, before, after = (slices[..., path.steps + k, :].astype(np.float64) for k in (0, -1, 1))
    (a, b), J, g, h = path.terms.pairs.T, path.terms.J, path.terms.g, path.terms.h
    matrix = np.zeros((len(h), len(h)))
    np.add.at(matrix, (a, b), J)
    np.add.at(matrix, (b, a), J)
    around = s @ matrix
    diagonal = 0.5 * (s * around).sum(-1) + s @ g
    log_t, K = np.log(np.tanh(path.tau * h)), path.vertical
    push, both = path.tau * (around + g), K * (before + after)
    flips = sum(
        np.exp(own * both) * 0.5 * (np.exp(own * before * log_t) + np.exp(own * after * log_t))
        for own in (-1.0, 1.0)
    )
    return path.terms.constant - diagonal - (flips / (2 * np.cosh(push + both))) @ h


def sampled_energy(
    path: PathIntegral, draws: int, *, chains: int, steps: int, burn_in: int, key: Array
) -> SampledEnergy:
    """`PathIntegral.sample`."""
    model = path.classical()
    sampler = SwendsenWang(chains=chains, steps=steps, burn_in=burn_in)
    values = [local_energies(path, part) for part in drawn_slices(path, model, draws, sampler, key)]
    found = estimate(np.concatenate(values, axis=1))
    notes = list(found.warnings) + list(frustrated(model))
    strongest = max(float(np.abs(path.terms.J).max(initial=0)), float(path.terms.h.max()))
    if path.tau * strongest > 0.2:
        words = f"a step turns spins by τ·max(J, h) = {path.tau * strongest:.2g}"
        notes.append(caveat("assumption", f"{words}: O(τ⁴) is not small; take more steps"))
    return SampledEnergy(found, path.tau, path.beta, tuple(notes))
