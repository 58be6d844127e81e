r"""What correlations between the layers of a path say: excitation energies, and a speed of light.

In the closed path, Tr (e^{−τH'})^M, the spins of layers n apart have the correlations

    C_k(n) = Σ_m |⟨m|s_k|0⟩|² cosh(ω_m (nτ − β/2)) + …,          s_k = N^{−1/2} Σ_r e^{−ik·r} s_r

so that a single excitation of momentum k gives C_k(n+1) + C_k(n−1) = 2 cosh(τω) C_k(n). Summed over a window
of n that is a ratio of two means, with an error by the jackknife over chains. For a ring the exact ω(k) of
the steps, at any τ, is that of the transfer matrix of the Ising model in two dimensions (Schultz, Mattis &
Lieb 1964):

    cosh τω = cosh 2τJ cosh 2τh − sinh 2τJ sinh 2τh cos k

At J = h it is cosh τω = 1 + sinh²(2τJ)(1 − cos k): ω = c|k| with c = sinh(2τJ)/τ. There a ring of N sites
whose path closes after β = N/c is a square torus, the same along space and along time: c is the speed for
which a distance x and a time x/c have the same correlation, G(x, 0) = G(0, x/c).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._caveats import caveat
from intertwine._checks import fail
from intertwine._shown import Shown, with_error
from intertwine.quantum.imaginary_time.sampled import drawn_slices
from intertwine.sampling.spins.cluster import SwendsenWang, frustrated

if TYPE_CHECKING:
    from intertwine.quantum.imaginary_time.network import PathIntegral

WINDOW = (0.7, 2.2)
"""Times nτ of the window over 1/ω: later, the signal is noise; earlier, several excitations count."""


@dataclass(frozen=True, repr=False)
class Excitations(Shown):
    """momenta: (n, d) of the lattice, in radians a lattice vector's dual. energies, errors: (n,), ω(k) of the
    lowest states that one spin leads to, nan where the correlation is lost in noise. exact: (n,) of a uniform
    ring, else None. correlations: (n, steps // 2 + 1), C_k(n). gap, gap_error: at k = 0."""

    momenta: Float[np.ndarray, "n d"]
    energies: Float[np.ndarray, "n"]
    errors: Float[np.ndarray, "n"]
    exact: Float[np.ndarray, "n"] | None
    correlations: Float[np.ndarray, "n T"]
    tau: float
    warnings: tuple[str, ...] = ()

    @property
    def gap(self) -> float:
        return float(self.energies[0])

    @property
    def gap_error(self) -> float:
        return float(self.errors[0])

    def __str__(self) -> str:
        rows = [f"gap {with_error(self.gap, self.gap_error)} at k = 0, τ = {self.tau:.4g}"]
        for k, e, d in list(zip(self.momenta, self.energies, self.errors, strict=True))[1:8]:
            rows.append(f"  k = ({', '.join(f'{x:.4g}' for x in k)})  ω = {with_error(e, d)}")
        return "\n".join(rows)

    def plot(self, ax: Any = None) -> Any:
        """ω over |k| with its errors, and the exact line of a ring, on matplotlib axes."""
        import matplotlib.pyplot as plt

        axes = plt.gca() if ax is None else ax
        size = np.linalg.norm((self.momenta + np.pi) % (2 * np.pi) - np.pi, axis=1)
        axes.errorbar(size, self.energies, self.errors, fmt="o", label="correlations between layers")
        if self.exact is not None:
            order = np.argsort(size)
            axes.plot(size[order], self.exact[order], label="exact")
        axes.set(xlabel="|k|", ylabel="ω")
        return axes


@dataclass(frozen=True, repr=False)
class LightCone(Shown):
    """speed, error: c, the mean over `distances` x of x/t, t the `times` at which the correlations are the
    same. exact: sinh(2τJ)/τ of a critical ring, else None. speeds: c for each distance."""

    speed: float
    error: float
    exact: float | None
    distances: Float[np.ndarray, "n"]
    times: Float[np.ndarray, "n"]
    speeds: Float[np.ndarray, "n"]
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        known = "" if self.exact is None else f" (exact {self.exact:.4f})"
        return f"speed of light {with_error(self.speed, self.error)}{known}"


def excitations(
    path: PathIntegral, draws: int, *, chains: int, steps: int, burn_in: int, key: Array
) -> Excitations:
    """`PathIntegral.excitations`. Raises InputError for lattices that are not periodic, with several sites a
    cell or no geometry."""
    lattice = path.H.lattice
    fits = hasattr(lattice, "momenta") and all(lattice.periodic) and lattice.basis_size == 1
    if not fits:
        raise fail("H", "one on a periodic lattice with one site a cell, for momenta", lattice)
    extent, axes = tuple(lattice.extent), tuple(range(3, 3 + len(lattice.extent)))
    model = path.classical(periodic=True)
    sampler = SwendsenWang(chains=chains, steps=steps, burn_in=burn_in)
    half, count = path.steps // 2 + 1, 0
    found: Any = 0.0
    for part in drawn_slices(path, model, draws, sampler, key):
        waves = np.fft.fftn(part.astype(np.float32).reshape(*part.shape[:3], *extent), axes=axes)
        waves = np.fft.fft(waves.reshape(*part.shape), axis=2)
        power = np.fft.ifft(np.abs(waves) ** 2, axis=2).real[:, :, :half]
        found, count = found + power.sum(1), count + part.shape[1]
    C = np.moveaxis(found / (count * path.steps * lattice.size), 1, 2)  # (chains, k, n)
    momenta = 2 * np.pi * np.stack(np.unravel_index(np.arange(lattice.size), extent), 1) / np.array(extent)
    values = [_energy(C[:, k], path.tau) for k in range(lattice.size)]
    energies, errors = (np.array(x) for x in zip(*values, strict=True))
    notes = list(frustrated(model))
    lost = int(np.isnan(energies).sum())
    if lost:
        words = f"the correlations of {lost} momenta are lost in noise within a layer or two"
        notes.append(caveat("unjudged", f"{words}; take more draws or smaller steps"))
    return Excitations(momenta, energies, errors, _exact(path), C.mean(0), path.tau, tuple(notes))


def _energy(C: np.ndarray, tau: float) -> tuple[float, float]:
    """(ω, error) of correlations (chains, n)."""
    mean = C.mean(0)
    guess = _ratio(mean, 1, 3)
    if not guess > 1:
        return np.nan, np.nan
    omega = np.arccosh(guess) / tau
    first = max(1, round(WINDOW[0] / (omega * tau)))
    last = min(max(first + 1, round(WINDOW[1] / (omega * tau))), C.shape[1] - 2)
    if last <= first:
        first = last = max(1, min(first, C.shape[1] - 2))
    whole = _ratio(mean, first, last)
    left = [_ratio((C.sum(0) - row) / (len(C) - 1), first, last) for row in C]
    if not whole > 1 or min(left) <= 1:
        return np.nan, np.nan
    each = np.arccosh(left) / tau
    error = float(np.sqrt((len(C) - 1) * np.var(each)))
    return float(np.arccosh(whole) / tau), error


def _ratio(C: np.ndarray, first: int, last: int) -> float:
    """cosh τω from the layers first … last."""
    n = np.arange(first, last + 1)
    below = C[n].sum()
    return float((C[n - 1] + C[n + 1]).sum() / (2 * below)) if below > 0 else np.nan


def _uniform_ring(path: PathIntegral) -> tuple[float, float] | None:
    """(J, h) of a uniform ring with a transverse field alone; None for anything else."""
    t, lattice = path.terms, path.H.lattice
    ring = getattr(lattice, "dimension", 0) == 1 and len(t.J) == len(t.h) > 2 and not t.g.any()
    alike = ring and np.ptp(t.J) == 0 == np.ptp(t.h)
    return (float(t.J[0]), float(t.h[0])) if alike and path.H.lattice.shells else None


def _exact(path: PathIntegral) -> np.ndarray | None:
    """ω(k) of the steps for a uniform ring."""
    found = _uniform_ring(path)
    if found is None:
        return None
    (J, h), N = found, len(path.terms.h)
    a, b, k = 2 * path.tau * J, 2 * path.tau * h, 2 * np.pi * np.arange(N) / N
    return np.arccosh(np.cosh(a) * np.cosh(b) - np.sinh(a) * np.sinh(b) * np.cos(k)) / path.tau


def light_cone(
    path: PathIntegral, draws: int, *, chains: int, steps: int, burn_in: int, key: Array
) -> LightCone:
    """`PathIntegral.light_cone`. Raises InputError for anything but a uniform ring."""
    found = _uniform_ring(path)
    if found is None:
        raise fail("H", "a uniform ring with a transverse field alone", path.H)
    (J, h), N = found, len(path.terms.h)
    model = path.classical(periodic=True)
    sampler = SwendsenWang(chains=chains, steps=steps, burn_in=burn_in)
    count = 0
    space: Any = 0.0
    time: Any = 0.0
    for part in drawn_slices(path, model, draws, sampler, key):
        waves = np.abs(np.fft.fft2(part.astype(np.float32), axes=(2, 3))) ** 2
        G = np.fft.ifft2(waves, axes=(2, 3)).real.sum(1) / (path.steps * N)
        space, time, count = space + G[:, 0, :], time + G[:, :, 0], count + part.shape[1]
    space, time = space / count, time / count
    x = np.arange(min(4, N // 4), 3 * N // 8 + 1)
    times, whole = _speeds(space.mean(0), time.mean(0), x, path.tau)
    left = []
    for a, b in zip(space, time, strict=True):
        others = (space.sum(0) - a) / (chains - 1), (time.sum(0) - b) / (chains - 1)
        left.append(_speeds(*others, x, path.tau)[1].mean())
    notes = list(frustrated(model))
    if abs(abs(J) - h) > 1e-9:
        words = "the ring is not critical (|J| = h): correlations fall exponentially, with no one speed"
        notes.append(caveat("assumption", words))
    if not 0.8 < whole.mean() * path.beta / N < 1.25:
        words = f"β = {path.beta:.4g} is not the time N/c = {N / whole.mean():.4g} of light around the ring"
        notes.append(caveat("assumption", f"{words}: the torus is not square, and c is not a speed"))
    error = float(np.sqrt((chains - 1) * np.var(left)))
    exact = float(np.sinh(2 * path.tau * abs(J)) / path.tau) if abs(abs(J) - h) <= 1e-9 else None
    return LightCone(float(whole.mean()), error, exact, x, times, whole, tuple(notes))


def _speeds(space: np.ndarray, time: np.ndarray, x: np.ndarray, tau: float) -> tuple[np.ndarray, np.ndarray]:
    """The times with the correlations of distances x, and x over these."""
    half = len(time) // 2
    falling = np.minimum.accumulate(np.abs(time[: half + 1]))
    at = np.interp(-np.log(np.abs(space[x])), -np.log(falling), np.arange(half + 1)) * tau
    return at, x / at
