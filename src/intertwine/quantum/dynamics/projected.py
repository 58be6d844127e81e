r"""Projected steps: the state after a factor of a product scheme, fitted by its fidelity.

For V = 1 + a z A (`schemes`) the target is Vψ, its amplitudes known at every configuration,

    L(s) = (Vψ)(s)/ψ'(s) = [1 + a z A_loc(s)] ψ(s)/ψ'(s),     1 − F(ψ', Vψ) = ⟨|L − ⟨L⟩|²⟩ / ⟨|L|²⟩   over
    |ψ'|²,

a variance that vanishes where ψ' is the target: no noise is left there. Its minimum is found by Gauss-Newton
steps in the metric,

    δ = argmin ‖Ō δ − (L/⟨L⟩ − 1)‖²,

the equations of `tangent` with other local values, halved where they do not lower the infidelity. No
derivative of the dynamics is inverted, so that nothing is stiff, and a start whose tangent space does not
hold the motion is left behind where one that does is near (Sinibaldi, Giuliani, Carleo & Vicentini, Quantum
7, 1131 (2023)). Diagonal factors are exact (`dressed`).

Certificate: a fit of infidelity ε adds √(2 − 2√(1 − ε)); the factors after it are not unitary, and may
enlarge what came before by ‖V‖ ‖φ‖/‖Vφ‖, ‖A‖ being at most Σ|c|. The remainder ‖(e^{zH} − scheme) φ‖ is
computed on the vector for exact sums; for samples it is that of the first term left out, τ^{p+1} ‖(H −
E)^{p+1} φ‖/(p+1)!, with the moments of a normal distribution of energies, m_{2k} = (2k − 1)!! Var(H)^k.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import PyTree

from intertwine.quantum.dynamics.dressed import Dressed
from intertwine.quantum.dynamics.ensemble import Ensemble, weights_of
from intertwine.quantum.dynamics.schemes import Scheme
from intertwine.quantum.dynamics.tangent import Regular, Velocity, moved, velocity
from intertwine.quantum.dynamics.variational import Step, Stuck
from intertwine.quantum.exact.krylov import propagated
from intertwine.quantum.operators import pauli
from intertwine.quantum.operators.operator import Operator
from intertwine.quantum.operators.pauli import PauliSum
from intertwine.quantum.vmc.local_energy import local_values, log_amplitudes
from intertwine.sampling.enumeration import all_configurations

MOST_ITERATIONS = 12
ENOUGH = 1e-16
WORSE = 0.3
"""Infidelity of a fit from which on it is no fit."""


@jax.jit
def _ratios(target: Array, amplitudes: Array, base: Array) -> tuple[Array, Array, Array]:
    """L/⟨L⟩, the infidelity and ⟨|L|²⟩ (relative to the largest |L|), over |ψ'|²."""
    weights = weights_of(amplitudes, base)
    logs = target - amplitudes
    ratios = jnp.exp(logs - jnp.max(jnp.where(weights > 0, jnp.real(logs), -jnp.inf)))
    mean = jnp.sum(weights * ratios)
    spread = jnp.sum(weights * jnp.abs(ratios - mean) ** 2)
    square = jnp.sum(weights * jnp.abs(ratios) ** 2)
    return ratios / mean, spread / square, square


def fitted(
    model: PyTree, target: Array, ensemble: Ensemble, *, exact: bool, regular: Regular
) -> tuple[Any, float, int]:
    """The model nearest to the state of amplitudes e^{target} (S,) on `ensemble`, from `model`; its
    infidelity, and how many Gauss-Newton steps it took."""
    amplitudes = log_amplitudes(model, ensemble.configurations)
    ratios, lost, _ = _ratios(target, amplitudes, ensemble.base)
    best, count, factor = float(lost), 0, 1.0
    fixed = Operator.from_strings(model.size, [(1.0, {})])
    while count < MOST_ITERATIONS and best > ENOUGH and np.isfinite(best):
        step = velocity(fixed, model, ensemble, factor=1.0, exact=exact, regular=regular, local=ratios)
        improved = False
        for _ in range(6):
            count += 1
            tried = moved(model, factor * step.vector)
            later = log_amplitudes(tried, ensemble.configurations)
            new_ratios, lost, _ = _ratios(target, later, ensemble.base)
            if float(lost) < best:
                improved = True
                break
            factor *= 0.5
        if not improved:
            break
        gained = float(lost) < 0.7 * best
        model, ratios, best, factor = tried, new_ratios, float(lost), min(1.0, 2 * factor)
        if not gained:
            break
    return model, best, count


class Projected:
    """Steps of `scheme` by fits, under `hamiltonian` (a function of the time).

    tolerance: of the remainder of the scheme per unit of time, which chooses the step, unless it is given.
    """

    def __init__(
        self,
        hamiltonian: Callable[[float], Operator],
        scheme: Scheme,
        *,
        imaginary: bool,
        exact: bool,
        tolerance: float,
        regular: Regular,
        given: float | None = None,
    ):
        self.hamiltonian, self.scheme, self.exact, self.regular = hamiltonian, scheme, exact, regular
        self.factor = -1.0 + 0j if imaginary else -1j
        self.tolerance, self.given = tolerance, given

    def velocity(self, model: PyTree, t: float, ensemble: Ensemble) -> Velocity:
        """That of the variational principle: for the metrics."""
        return velocity(
            self.hamiltonian(t), model, ensemble, factor=self.factor, exact=self.exact, regular=self.regular
        )

    def first(self, variance: float) -> float:
        """As `length`."""
        return self.length(variance)

    def length(self, variance: float) -> float:
        """The step whose remainder, for that Var(H), is within the tolerance."""
        p = self.scheme.order
        share = self.tolerance * math.factorial(p + 1) / _moment(p + 1)
        h = share ** (1 / p) / max(variance, 1e-12) ** ((p + 1) / (2 * p))
        return h if self.given is None else self.given

    def step(self, model: PyTree, ensemble: Ensemble, t: float, h: float) -> Step:
        """From `model` at t, by h or less."""
        H = self.hamiltonian(t + h / 2)
        configurations = ensemble.configurations
        local = local_values(H, model, configurations)
        weights = weights_of(log_amplitudes(model, configurations), ensemble.base)
        energy = float(jnp.sum(weights * local).real)
        variance = float(jnp.sum(weights * jnp.abs(local - energy) ** 2))
        if not np.isfinite(variance):
            raise Stuck(f"the energy at t = {t:.6g} is not finite")
        best = self.length(variance)
        if h > 1.5 * best:
            h = best
            H = self.hamiltonian(t + h / 2)
        z = self.factor * h
        off, spread = _without_diagonal(H), float(np.sum(np.abs(H.masks().h)))
        before, worst, distance, evaluations = model, 0.0, 0.0, 0
        for k, a in enumerate(self.scheme.linear):
            part, shift = (off, 0.0) if self.scheme.diagonal is not None else (H, energy)
            if self.scheme.diagonal is not None:
                assert isinstance(model, Dressed)
                c = self.scheme.diagonal[k]
                model = model.turned(H, c * z)
                distance *= math.exp(2 * abs((c * z).real) * spread)
            target, grown = _target(part, model, ensemble, a * z, shift)
            model, lost, count = fitted(model, target, ensemble, exact=self.exact, regular=self.regular)
            evaluations += count + 1
            if not lost < WORSE:
                raise Stuck(f"the fit at t = {t:.6g} ends at an infidelity of {lost:.2g}")
            distance = distance * (1 + abs(a * z) * (spread + abs(shift))) / max(grown, 1e-12)
            distance += math.sqrt(2 * lost / (1 + math.sqrt(1 - lost)))
            worst = max(worst, lost)
        remainder = self._remainder(H, before, h, variance, energy)
        return Step(
            model, h, best, 0.0, 0.0, evaluations, energy, infidelity=worst,
            scheme=remainder, fit=distance,
        )  # fmt: skip

    def missed(self, model: PyTree, t: float, ensemble: Ensemble, ending: Velocity | None) -> float:
        """Nothing: fits are judged by their infidelity."""
        return 0.0

    def _remainder(self, H: Operator, model: PyTree, h: float, variance: float, energy: float) -> float:
        """‖(e^{zH} − scheme) φ‖, both normalised."""
        if not self.exact or H.size > 14:
            p = self.scheme.order
            return h ** (p + 1) * variance ** ((p + 1) / 2) * _moment(p + 1) / math.factorial(p + 1)
        logs = np.asarray(log_amplitudes(model, _everything(H.size)), complex)
        psi = np.exp(logs - np.max(np.real(logs)))
        psi /= np.linalg.norm(psi)
        matrix = H.to_sparse()
        diagonal = matrix.diagonal()
        shift = energy if self.scheme.diagonal is None else 0.0
        found = self.scheme.applied(lambda v: matrix @ v - shift * v, diagonal - shift, psi, self.factor * h)
        whole: Any = matrix
        true = propagated(whole, psi, h, self.factor, 1e-13)
        overlap = abs(np.vdot(true, found)) / np.linalg.norm(found)
        return math.sqrt(max(0.0, 2 - 2 * min(overlap, 1.0)))


@partial(jax.jit, static_argnames=())
def _grown(local: Array, weights: Array) -> Array:
    return jnp.sqrt(jnp.sum(weights * jnp.abs(local) ** 2))


def _target(
    part: Operator, model: PyTree, ensemble: Ensemble, az: complex, shift: float
) -> tuple[Array, float]:
    """log of [(1 + az (A − shift)) ψ](s), and the norm of that state over that of ψ."""
    amplitudes = log_amplitudes(model, ensemble.configurations)
    local = local_values(part, model, ensemble.configurations) - shift
    factor = 1 + az * local
    weights = weights_of(amplitudes, ensemble.base)
    return amplitudes + jnp.log(factor), float(_grown(factor, weights))


def _moment(k: int) -> float:
    """√((2k − 1)!!)."""
    return math.sqrt(math.prod(range(1, 2 * k, 2)))


def _everything(size: int) -> Array:
    return jnp.asarray(all_configurations(size))


def _without_diagonal(H: Operator) -> Operator:
    """A = H − D; the identity, a number, goes with D."""
    x, z, h = H.masks()
    off = np.any(x, axis=1)
    terms = pauli.canonical(PauliSum(x[off], z[off], h[off]))
    return Operator.from_masks(H.size, terms, lattice=H.lattice, turned=H.turned, hilbert=H.hilbert)
