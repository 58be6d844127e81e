r"""Depth is imaginary time: e^{−βH}|+⟩ of a transverse-field Ising model as a deep Boltzmann machine.

    ψ = (e^{τD/2} e^{τ Σ h X} e^{τD/2})^M |+⟩,      −H = D + Σ h_i X_i,  D = Σ J_ij Z_i Z_j + Σ g_i Z_i,
    τ = β/M

Inserting Σ_s |s⟩⟨s| between the factors, ψ(s) is a sum over M slices of hidden spins. With

    e^{τhX}(s, s') = √(½ sinh 2τh) e^{K s s'},  K = −½ ln tanh τh
    e^{K s s'} ∝ Σ_b e^{w b (s + s')},               cosh 2w = e^{2K},

each slice is a layer, linked site by site to the next, and each bond a hidden unit of the layer above
(Carleo, Nomura & Imada, Nat. Commun. 9, 5322 (2018)). Nothing is trained: the weights are those of the
Hamiltonian, and the depth is β. Suzuki (1976): summed over the bonds' units it is an anisotropic classical
Ising model in one dimension more, τJ along space (half of it at the ends) and K along time.

The energy ⟨ψ|H|ψ⟩/⟨ψ|ψ⟩ lies above the ground state by what e^{−2βΔ} leaves of excited states, and by O(τ⁴):
the product is e^{−τH'} with H' = H + O(τ²), whose ground state is wrong by O(τ²).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail, positive_int, positive_number
from intertwine.models.machines.deep_boltzmann import DBM
from intertwine.models.spins.ising import Ising
from intertwine.quantum.imaginary_time.transverse import Transverse, transverse
from intertwine.quantum.operators.operator import Operator
from intertwine.spaces.graph.graph import Graph

if TYPE_CHECKING:
    from intertwine.quantum.imaginary_time.correlations import Excitations, LightCone
    from intertwine.quantum.imaginary_time.sampled import SampledEnergy

MOST_SITES = 20
"""Of a state vector."""


def path_integral(H: Operator, beta: float, steps: int) -> PathIntegral:
    """e^{−βH}|+⟩ in `steps` steps of imaginary time τ = beta/steps, as a network.

    H: a transverse-field Ising model on any lattice or graph, of any signs (`it.tfim`, also with longitudinal
    fields). beta: in units of 1/energy; the gap times 2·beta says how far excited states are gone.

    Raises InputError for any other operator: with a sign problem, the weights would not be positive.

    >>> import intertwine as it
    >>> path = path_integral(it.tfim(it.Chain(4), h=1.0), beta=4.0, steps=40)
    >>> path.tau, path.machine().depth, path.classical().size
    (0.1, 41, 324)
    >>> bool(abs(path.energy() - it.exact.ground_energy(it.tfim(it.Chain(4), h=1.0))) < 1e-3)
    True
    """
    found = transverse(H)
    return PathIntegral(H, positive_number("beta", beta), positive_int("steps", steps), found)


@dataclass(frozen=True, eq=False)
class PathIntegral:
    """A path of spins in imaginary time; made by `path_integral`.

    H: the operator. beta, steps: the length of the path and its number of steps. terms: its couplings.
    """

    H: Operator
    beta: float
    steps: int
    terms: Transverse

    @property
    def tau(self) -> float:
        """τ, a step of imaginary time."""
        return self.beta / self.steps

    @property
    def vertical(self) -> Float[np.ndarray, "N"]:
        """K = −½ ln tanh τh along time, for each site."""
        return -0.5 * np.log(np.tanh(self.tau * self.terms.h))

    @cached_property
    def log_constant(self) -> float:
        """ln ψ(s) − ln of what the machine sums."""
        tau, h = self.tau, self.terms.h
        flips = self.steps * float(np.sum(0.5 * np.log(0.5 * np.sinh(2 * tau * h))))
        bonds = float(np.sum(tau * np.abs(self.terms.J))) * self.steps
        units = (self.steps + 1) * len(self.terms.J) * np.log(2)
        return flips - bonds - units - 0.5 * len(h) * np.log(2)

    def machine(self) -> DBM:
        """The deep Boltzmann machine of spins ±1: ψ(s) = e^{log_constant} Σ_hidden e^{−E}.

        Layer l has the spins of slice l, counted from the visible ones, and one unit for each bond of the
        slice below; the last one has the units of the last slice. steps + 2 layers in all.
        """
        (N, B), M = (len(self.terms.h), len(self.terms.J)), self.steps
        if B == 0:
            raise fail("H", "bonds, whose units are the layers", "none")
        weights, biases = [], [self._field(0)]
        for layer in range(M + 1):
            below = np.zeros((N + (B if layer else 0), (N if layer < M else 0) + B))
            if layer < M:
                below[np.arange(N), np.arange(N)] = self.vertical
            below[:N, -B:] = self._units(layer)
            weights.append(below)
            biases.append(
                np.zeros(below.shape[1]) + (np.pad(self._field(layer + 1), (0, B)) if layer < M else 0)
            )
        arrays = [jnp.asarray(b) for b in biases], [jnp.asarray(w) for w in weights]
        return DBM.from_parameters(*arrays, units="spin", hidden_units="spin")

    def _field(self, layer: int) -> np.ndarray:
        return self.tau * self.terms.g * (0.5 if layer in (0, self.steps) else 1.0)

    def _units(self, layer: int) -> np.ndarray:
        """w of the units of each bond, (N, B)."""
        J = self.terms.J * self.tau * (0.5 if layer in (0, self.steps) else 1.0)
        w = 0.5 * np.arccosh(np.exp(2 * np.abs(J)))
        found, bonds = np.zeros((len(self.terms.h), len(J))), np.arange(len(J))
        found[self.terms.pairs[:, 0], bonds] = w
        found[self.terms.pairs[:, 1], bonds] = np.where(J < 0, -w, w)
        return found

    def log_vector(self) -> Float[np.ndarray, "D"]:
        """ln ψ of all configurations (2^N,), N ≤ 20, as `all_configurations` counts them: by the steps
        themselves, in float64. In the frame where every transverse field is positive."""
        N = len(self.terms.h)
        if N > MOST_SITES:
            raise fail("H", f"at most {MOST_SITES} sites for a vector", N, "sample() takes any number")
        numbers = np.arange(2**N)
        z = 1.0 - 2.0 * ((numbers[:, None] >> np.arange(N - 1, -1, -1)) & 1)
        a, b = self.terms.pairs.T
        D = (z[:, a] * z[:, b]) @ self.terms.J + z @ self.terms.g
        half, scale = np.exp(0.5 * self.tau * (D - D.max())), 0.5 * self.tau * D.max()
        psi, log = np.full(2**N, 2.0 ** (-N / 2)), 0.0
        for _ in range(self.steps):
            psi = psi * half
            for site, h in enumerate(self.terms.h):
                x = psi.reshape(2**site, 2, -1)
                psi = (np.cosh(self.tau * h) * x + np.sinh(self.tau * h) * x[:, ::-1]).reshape(-1)
            psi = psi * half
            top = psi.max()
            psi, log = psi / top, log + 2 * scale + np.log(top)
        return np.log(psi) + log

    def energy(self) -> float:
        """⟨ψ|H|ψ⟩/⟨ψ|ψ⟩ exactly, N ≤ 20."""
        log = self.log_vector()
        psi = np.exp(log - log.max())
        psi /= np.linalg.norm(psi)
        N = len(self.terms.h)
        z = 1.0 - 2.0 * ((np.arange(2**N)[:, None] >> np.arange(N - 1, -1, -1)) & 1)
        a, b = self.terms.pairs.T
        diagonal = (z[:, a] * z[:, b]) @ self.terms.J + z @ self.terms.g
        total = float(psi**2 @ diagonal)
        for site, h in enumerate(self.terms.h):
            x = psi.reshape(2**site, 2, -1)
            total += h * float((x * x[:, ::-1]).sum())
        return self.terms.constant - total

    def classical(self, *, periodic: bool = False, dtype: Any = float) -> Ising:
        """The classical spins of ⟨ψ|ψ⟩, 2·steps + 1 slices of N sites one after another, the middle one the
        configuration that is measured; periodic: those of Tr (e^{−τH'})^steps, `steps` slices that close."""
        (N, M), terms = (len(self.terms.h), self.steps), self.terms
        slices = M if periodic else 2 * M + 1
        if periodic and M < 3:
            raise fail("steps", "at least 3 slices that close", M)
        share = np.ones(slices)
        if not periodic:
            share[[0, -1]] = 0.5
        times = np.arange(slices)
        space = (times[:, None, None] * N + terms.pairs[None]).reshape(-1, 2)
        first = times if periodic else times[:-1]
        sites = np.arange(N)
        begin = (first[:, None] * N + sites).reshape(-1)
        end = (((first + 1) % slices)[:, None] * N + sites).reshape(-1)
        K = [(share[:, None] * self.tau * terms.J).reshape(-1), np.tile(self.vertical, len(first))]
        edges = np.concatenate([space, np.stack([begin, end], 1)])
        field = (share[:, None] * self.tau * terms.g).reshape(-1)
        graph = Graph(edges, size=slices * N)
        return Ising(graph, np.concatenate(K), field if field.any() else 0.0, dtype=dtype)

    def sample(
        self, draws: int = 200, *, chains: int = 32, steps: int = 1, burn_in: int = 300, key: Array
    ) -> SampledEnergy:
        """The energy from the classical spins, by clusters; see `sampled.SampledEnergy`.

        draws: configurations a chain, `steps` cluster steps apart, after burn_in of them.

        >>> import jax, intertwine as it
        >>> path = path_integral(it.tfim(it.Chain(4), h=1.0), beta=2.0, steps=20)
        >>> found = path.sample(50, chains=8, key=jax.random.key(0))
        >>> bool(abs(found.energy.mean - path.energy()) < 5 * found.energy.error)
        True
        """
        from intertwine.quantum.imaginary_time.sampled import sampled_energy

        return sampled_energy(self, draws, chains=chains, steps=steps, burn_in=burn_in, key=key)

    def excitations(
        self, draws: int = 100, *, chains: int = 32, steps: int = 1, burn_in: int = 300, key: Array
    ) -> Excitations:
        """Excitation energies ω(k) from the decay of correlations between layers; see
        `correlations.Excitations`."""
        from intertwine.quantum.imaginary_time.correlations import excitations

        return excitations(self, draws, chains=chains, steps=steps, burn_in=burn_in, key=key)

    def light_cone(
        self, draws: int = 100, *, chains: int = 32, steps: int = 1, burn_in: int = 300, key: Array
    ) -> LightCone:
        """The speed at which space and time are alike, of a ring; see `correlations.LightCone`."""
        from intertwine.quantum.imaginary_time.correlations import light_cone

        return light_cone(self, draws, chains=chains, steps=steps, burn_in=burn_in, key=key)
