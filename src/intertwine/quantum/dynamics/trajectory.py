"""What an evolution gives: observables in time, and how far to trust them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from intertwine._caveats import beneath, caveat
from intertwine.quantum.dynamics.certificate import TRUSTED


@dataclass(frozen=True, eq=False, repr=False)
class Trajectory:
    """A wave function at `times`.

    times: float64 (T,). observables, errors: name → (T,), means and one-σ errors (0 for exact sums).
    energy, energy_error, variance: ⟨H⟩ and Var(H), float64 (T,). bound: of the distance to the true state,
    (T,), of which residual (∫ r dt), integrator, fit and scheme are the parts (`certificate`). rate: r at
    each time. model: at the last time. method: "tdvp" or "projected"; because: why. history: every column of
    the metrics. notes: caveats. state: of the study, at the end.
    """

    times: np.ndarray
    observables: dict[str, np.ndarray]
    errors: dict[str, np.ndarray]
    energy: np.ndarray
    energy_error: np.ndarray
    variance: np.ndarray
    bound: np.ndarray
    residual: np.ndarray
    integrator: np.ndarray
    rate: np.ndarray
    model: Any
    method: str
    because: str
    history: dict[str, np.ndarray]
    notes: tuple[str, ...] = ()
    state: Any = None

    def __getitem__(self, name: str) -> np.ndarray:
        """The observable of that name, (T,)."""
        return self.observables[name]

    @property
    def trusted_until(self) -> float:
        """The last time at which the bound is below 0.1: the last of all where it never is above."""
        beyond = np.flatnonzero(~(self.bound <= TRUSTED))
        if len(beyond) == 0:
            return float(self.times[-1])
        return float(self.times[beyond[0] - 1]) if beyond[0] else 0.0

    @property
    def warnings(self) -> tuple[str, ...]:
        """What qualifies the curves, a line each."""
        if np.all(self.bound <= TRUSTED):
            return self.notes
        until, last = self.trusted_until, self.bound[-1]
        words = f"the bound on the distance to the true state passes {TRUSTED} after t = {until:.4g}"
        remedy = f"({last:.2g} at the end): the curves beyond are not to be trusted on its account"
        return (*self.notes, caveat("untrusted", f"{words} {remedy}; take a larger model, or more samples"))

    def __str__(self) -> str:
        span = f"{len(self.times)} times to {self.times[-1]:.4g} by {self.method}"
        steps = int(self.history["steps"][-1])
        return beneath(
            f"{span}, {steps} steps, distance to the true state ≤ {self.bound[-1]:.2g}", self.warnings
        )

    def __repr__(self) -> str:
        names = ", ".join(self.observables) or "energy alone"
        return f"Trajectory({names}; {str(self).partition(chr(10))[0]})"
