r"""How far the state may be from the true one: an account that grows with every step.

Let φ(t) be the normalised state of the model, with the phase (and in real time the norm) chosen such that
φ̇ + iHφ = ρ is orthogonal to φ; then ‖ρ‖ = r is the residual of `tangent`. By variation of constants, with
U = e^{−iHt} unitary,

    φ(t) − U(t) φ(0) = ∫_0^t U(t − s) ρ(s) ds      ⇒      ‖φ(t) − ψ(t)‖ ≤ ∫_0^t r(s) ds,

also where H depends on s. A step that is not made exactly ends at a distance from the flow: the error of the
integrator, the infidelity of a fit, the remainder of a product formula. U keeps distances, so these are
added:

    bound(t) = Σ_steps (h max r + integrator error + √(2 − 2√(1 − infidelity)) + remainder of the scheme).

The largest r of a step's stages stands for r in it. In imaginary time ψ̃' = −Hψ̃ + ρ‖ψ̃‖, ‖ψ̃‖' = −E ‖ψ̃‖,
and ‖e^{−Hτ}‖ = e^{−E_0 τ}, so that relative to ‖ψ̃‖ an error grows by E(τ) − E_0 at most:

    bound' = r + (E − E_0) bound

(with a lower bound of E_0 where it is not known, which is then said). ‖φ − ψ‖ = √(2 − 2|⟨φ|ψ⟩|) is meant
throughout, at the best phase; an expectation value of A is off by at most ‖A‖ · 2 · bound. Rigorous but for
three estimates: the integrator's error is `LOW` times that of its embedded pair, the remainder of a scheme
that of its first term left out, and for samples r is itself a mean over samples.

Over samples a velocity carries their noise, and what φ̇ + iHφ is has that noise in it. The configurations that
a velocity was found from do not show it, fresh ones do: r of a step is the larger one of what its own
configurations say and of ‖Ō λ̇ + cε‖ over those that are drawn after it, at its end, for the velocity that it
ended with. The noise of steps is added up as if it all led the same way, while it goes at random. What no
configuration meets is left out: near zeros of ψ that the equation leads to, r may be seen too small, also of
configurations that are blurred (`blurred`) to meet them.

A start that is the fit of a state by the model (`product_state`) begins with its distance from that state.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

TRUSTED = 0.1
"""A curve is said to be trusted as long as its bound is below this distance."""


LOW, LOW_SAMPLED = 3.0, 16.0
"""Times an embedded pair's estimate: right after a start with small weights, where the metric grows from
nothing, it was seen to be low by a factor of 2.2, later not; of the longer steps over samples by 11."""


class Account(NamedTuple):
    """Sums so far, numbers of NumPy (a pytree for checkpoints). residual: ∫ r dt. integrator: of the errors
    of steps. fit: of √(2 − 2√F), the start among them. scheme: of remainders. bound: see the module. steps,
    evaluations: how many. infidelity: the largest of a step. turned: the angle of the phase."""

    residual: np.ndarray
    integrator: np.ndarray
    fit: np.ndarray
    scheme: np.ndarray
    bound: np.ndarray
    steps: np.ndarray
    evaluations: np.ndarray
    infidelity: np.ndarray
    turned: np.ndarray

    @classmethod
    def begun(cls, distance: float = 0.0) -> Account:
        """Nothing done; distance: of the start from the state that is meant."""
        found = cls(*(np.zeros(()) for _ in range(9)))
        return found._replace(fit=np.array(distance), bound=np.array(distance))

    def with_step(
        self,
        h: float,
        residual: float,
        integrator: float = 0.0,
        infidelity: float = 0.0,
        scheme: float = 0.0,
        fit: float = 0.0,
        evaluations: int = 0,
        growth: float = 0.0,
        turned: float = 0.0,
        low: float = LOW,
    ) -> Account:
        """After a step of length h; residual: r in it; the others: see the fields; growth: E − E_0 in
        imaginary time, else 0. low: what the integrator's error is multiplied by.

        >>> after = Account.begun().with_step(0.5, residual=0.2, fit=distance_of(0.02))
        >>> float(after.residual), round(float(after.bound), 4)
        (0.1, 0.2418)
        """
        integrator = low * integrator
        jumps = integrator + fit + scheme
        ahead = np.exp(h * growth)
        run = h if growth == 0 else np.expm1(h * growth) / growth
        return Account(
            self.residual + h * residual,
            self.integrator + integrator,
            self.fit + fit,
            self.scheme + scheme,
            ahead * self.bound + run * residual + jumps * ahead,
            self.steps + 1,
            self.evaluations + evaluations,
            np.maximum(self.infidelity, infidelity),
            self.turned + turned,
        )


def distance_of(infidelity: float) -> float:
    """√(2 − 2√(1 − infidelity)): the distance of normalised states at the best phase.

    >>> round(distance_of(1e-8), 12)
    0.0001
    """
    p = min(max(infidelity, 0.0), 1.0)
    return float(np.sqrt(2 * p / (1 + np.sqrt(1 - p))))
