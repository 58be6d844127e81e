"""What an evolution gives: observables in time, and how far to trust them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from intertwine._caveats import beneath, caveat, code_of
from intertwine.quantum.dynamics.certificate import TRUSTED

SURE = 5.0
"""Errors by which an energy that stays is not off."""


def distance_words(bound: float, judged: bool) -> str:
    """A bound in words; one that leaves something out does not say "at most".

    >>> distance_words(0.0123, True), distance_words(0.0123, False)
    ('at most 0.012', 'not bounded (0.012 is what is counted)')
    """
    return f"at most {bound:.2g}" if judged else f"not bounded ({bound:.2g} is what is counted)"


@dataclass(frozen=True, eq=False, repr=False)
class Trajectory:
    """A wave function at `times`.

    times: float64 (T,). observables, errors: name → (T,), means and one-σ errors (0 for exact sums).
    energy, energy_error, variance: ⟨H⟩ and Var(H), float64 (T,). bound: of the distance to the true state,
    (T,), of which residual (∫ r dt), integrator, fit and scheme are the parts (`certificate`). rate: r at
    each time. model: at the last time. method: "tdvp" or "projected"; because: why. history: every column of
    the metrics. notes: caveats. state: of the study, at the end. conserved: whether the energy is looked at,
    which has to stay.
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
    conserved: bool = False

    def __getitem__(self, name: str) -> np.ndarray:
        """The observable of that name, (T,)."""
        return self.observables[name]

    @property
    def trusted_until(self) -> float:
        """The last time before the bound passes 0.1, or the energy has moved that cannot: the last of all
        where neither happens."""
        beyond = np.flatnonzero(~(self.bound <= TRUSTED) | self._moved())
        if len(beyond) == 0:
            return float(self.times[-1])
        return float(self.times[beyond[0] - 1]) if beyond[0] else 0.0

    def _moved(self) -> np.ndarray:
        """Where the energy is off its first value by more than its errors and a thousandth, (T,)."""
        if not self.conserved:
            return np.zeros(len(self.times), bool)
        errors = np.hypot(self.energy_error, self.energy_error[0])
        allowed = SURE * errors + 1e-3 * np.abs(self.energy[0])
        return np.abs(self.energy - self.energy[0]) > allowed

    @property
    def warnings(self) -> tuple[str, ...]:
        """What qualifies the curves, a line each."""
        said, until = [*self.notes], self.trusted_until
        if (moved := self._moved()).any():
            t = self.times[np.flatnonzero(moved)[0]]
            off = np.max(np.abs(self.energy - self.energy[0]))
            words = f"the energy, which stays, has moved by {off:.2g}, beyond its errors from t = {t:.4g} on"
            said.append(caveat("untrusted", f"{words}: the steps are noisy; take more samples"))
        if not np.all(self.bound <= TRUSTED):
            words = f"the bound on the distance to the true state passes {TRUSTED} after t = {until:.4g}"
            end = f"({self.bound[-1]:.2g} at the end): the curves beyond are not to be trusted on its account"
            said.append(caveat("untrusted", f"{words} {end}; take a larger model, or more samples"))
        return tuple(said)

    @property
    def judged(self) -> bool:
        """Whether the bound holds all that it is to hold (not over samples, nor of product schemes under
        H(t))."""
        return not any(code_of(line) == "unjudged" for line in self.notes)

    def __str__(self) -> str:
        span = f"{len(self.times)} times to {self.times[-1]:.4g} by {self.method}"
        steps, far = int(self.history["steps"][-1]), distance_words(self.bound[-1], self.judged)
        return beneath(f"{span}, {steps} steps, distance to the true state {far}", self.warnings)

    def __repr__(self) -> str:
        names = ", ".join(self.observables) or "energy alone"
        return f"Trajectory({names}; {str(self).partition(chr(10))[0]})"
