r"""Critical slowing down: how the autocorrelation time of a sampler grows with the size of the system at T_c.

    τ = 1 + 2 Σ_{t ≥ 1} ρ(t) ~ L^z

in sweeps, for the energy and for m². Local updates have the z of model A (2.1667(5) for the Ising model in
two dimensions: Nightingale & Blöte, Phys. Rev. Lett. 76, 4548, 1996); cluster updates have z near 0.2
(Swendsen & Wang, Phys. Rev. Lett. 58, 86, 1987). A cluster of the single-cluster sampler (Wolff 1989) has
⟨m²⟩ N sites on average and counts as ⟨m²⟩ of a sweep; after the burn-in `Wolff` takes one cluster a step.

The sweeps between draws are doubled until the draws of a chain cover 50 τ; the shorter runs before are
burn-in, after that of the sampler. Errors of τ are those of a jackknife over independent chains, and z is the
slope of a weighted straight line in ln τ against ln L.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np
from jax import Array
from jaxtyping import Float, PyTree

from intertwine._checks import fail, positive_int
from intertwine._shown import Shown, with_error
from intertwine.models.spins.ising import CRITICAL_SQUARE, Ising
from intertwine.models.spins.spin_terms import spin_terms
from intertwine.sampling.statistics.estimate import autocorrelation_time
from intertwine.spaces.lattice import Lattice
from intertwine.spaces.lattices import Square

_TAUS = 50
_GROUPS = 16
_BYTES = 2**26
_OBSERVABLES = ("energy", "m2")


@dataclass(frozen=True, eq=False, repr=False)
class CriticalSlowing(Shown):
    """Autocorrelation times in sweeps, and their exponents.

    lengths: (n,). tau, tau_error: float64 (n,) by observable, "energy" and "m2". exponents: (z, its error) by
    observable. slowest: the observable with the longest time at the largest L.
    """

    lengths: tuple[int, ...]
    tau: dict[str, Float[np.ndarray, " n"]]
    tau_error: dict[str, Float[np.ndarray, " n"]]
    exponents: dict[str, tuple[float, float]]

    @property
    def slowest(self) -> str:
        return max(_OBSERVABLES, key=lambda name: self.tau[name][-1])

    @property
    def z(self) -> float:
        """The exponent of the slowest observable."""
        return self.exponents[self.slowest][0]

    @property
    def z_error(self) -> float:
        """One standard deviation of `z`, corrections to scaling not included."""
        return self.exponents[self.slowest][1]

    @property
    def table(self) -> list[dict[str, float]]:
        """One row per size: L, and τ with its error of both observables."""
        found = []
        for i, length in enumerate(self.lengths):
            row: dict[str, float] = {"L": length}
            for name in _OBSERVABLES:
                row[f"tau_{name}"] = float(self.tau[name][i])
                row[f"tau_{name}_error"] = float(self.tau_error[name][i])
            found.append(row)
        return found

    def __str__(self) -> str:
        lines = [f"{'L':>5} {'τ energy':>18} {'τ m²':>18}"]
        for i, length in enumerate(self.lengths):
            cells = (with_error(self.tau[n][i], self.tau_error[n][i], ".4g", ".2g") for n in _OBSERVABLES)
            lines.append(f"{length:5d} " + " ".join(f"{cell:>18}" for cell in cells))
        cells = (with_error(z, error, ".3f") for z, error in self.exponents.values())
        lines.append(f"{'z':>5} " + " ".join(f"{cell:>18}" for cell in cells))
        return "\n".join([*lines, "τ = 1 + 2 Σ ρ(t), twice the τ_int = 1/2 + Σ ρ(t) of other texts"])


def critical_slowing(
    sampler: PyTree,
    lengths: Sequence[int] = (8, 16, 32),
    *,
    lattice: Callable[[int], Lattice] = Square,
    K: float = CRITICAL_SQUARE,
    draws: int = 2048,
    key: Array,
) -> CriticalSlowing:
    """The autocorrelation times of a sampler of Ising models at K, and how they grow.

    sampler: such as `HeatBath()`, `SwendsenWang()` or `Wolff()`, with at least 8 chains; many give better
    errors. lengths: at least two different sizes L. lattice: L to the lattice, by default the square torus.
    draws: configurations a chain that are looked at for each L, at least 256; the sweeps between them are
    found.

    Raises InputError for fewer than two sizes or eight chains.

    >>> from intertwine.sampling.spins.cluster import SwendsenWang
    >>> found = critical_slowing(SwendsenWang(chains=16), (4, 8), draws=256, key=jax.random.key(0))
    >>> found.lengths, -0.5 < found.z < 1.5
    ((4, 8), True)
    """
    sizes = tuple(positive_int("lengths", n) for n in lengths)
    if len(set(sizes)) < 2:
        raise fail("lengths", "at least two different sizes", sizes)
    if positive_int("draws", draws) < 256:
        raise fail("draws", "at least 256", draws)
    if not getattr(sampler, "chains", 0) >= 8 or not hasattr(sampler, "sample"):
        raise fail("sampler", "a sampler with at least 8 chains, such as HeatBath(chains=64)", sampler)
    found = [_times(sampler, Ising(lattice(n), K), draws, jax.random.fold_in(key, n)) for n in sorted(sizes)]
    tau = {name: np.array([x[0][i] for x in found]) for i, name in enumerate(_OBSERVABLES)}
    error = {name: np.array([x[1][i] for x in found]) for i, name in enumerate(_OBSERVABLES)}
    exponents = {name: _slope(sorted(sizes), tau[name], error[name]) for name in _OBSERVABLES}
    return CriticalSlowing(tuple(sorted(sizes)), tau, error, exponents)


def _times(sampler: PyTree, model: Ising, draws: int, key: Array) -> tuple[np.ndarray, np.ndarray]:
    """(τ of energy and m² in sweeps, their errors)."""
    state, run, steps = sampler.init(model, key=key), 0, 1
    single = hasattr(state, "clusters")
    state = state._replace(clusters=np.int32(1)) if single else state
    while True:
        run += 1
        spaced = replace(sampler, steps=steps)
        values, state = _series(spaced, model, state, draws, jax.random.fold_in(key, run))
        tau = np.array([autocorrelation_time(x) for x in values])
        if tau.max() * _TAUS <= draws:
            break
        steps *= 2
    chains = values.shape[1]
    group = np.arange(chains) * _GROUPS // chains if chains >= _GROUPS else np.arange(chains)
    without = np.array(
        [[autocorrelation_time(x[group != g]) for x in values] for g in range(group.max() + 1)]
    )
    error = np.sqrt((len(without) - 1) * without.var(0))
    scale = steps * (float(values[1].mean()) if single else 1.0)
    return tau * scale, error * scale


def _series(sampler: PyTree, model: Ising, state: PyTree, draws: int, key: Array) -> tuple[np.ndarray, Any]:
    """(energy and m², float64 (2, chains, draws); the state after them)."""
    if hasattr(sampler, "sums"):
        sums, state = sampler.sums(model, state, draws, key=key)
        return np.stack([-sums.log_weight, (sums.magnetization / model.size) ** 2]), state
    pairs, parts = spin_terms(model.lattice, "nearest"), []
    most = max(1, _BYTES // (sampler.chains * model.size))
    for k, first in enumerate(range(0, draws, most)):
        count = min(most, draws - first)
        samples, state = sampler.sample(model, state, count, key=jax.random.fold_in(key, k))
        spins = np.asarray(samples.configurations)
        parts.append(np.stack([-pairs.sum(spins).astype(float), spins.mean(-1, dtype=float) ** 2]))
    return np.concatenate(parts, -1), state


def _slope(lengths: Sequence[int], tau: np.ndarray, error: np.ndarray) -> tuple[float, float]:
    """(z, its error) of a weighted line in ln τ against ln L; the error grows where the line does not fit."""
    x, y, weight = np.log(lengths), np.log(tau), (tau / error) ** 2
    x = x - (weight * x).sum() / weight.sum()
    spread = (weight * x * x).sum()
    z = (weight * x * y).sum() / spread
    residual = y - z * x
    residual -= (weight * residual).sum() / weight.sum()
    excess = (weight * residual**2).sum() / max(len(x) - 2, 1)
    return float(z), math.sqrt(max(1.0, excess) / spread)
