r"""One step of the time-dependent variational principle: an embedded pair over one ensemble.

The velocity is that of `tangent`, the step that of `integrator`; the step is repeated with a shorter one
until its error is within the tolerance. Over samples it is no longer than `LONGEST` in the Fubini-Study
metric, so that the weights of an ensemble stay near equal within it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import PyTree

from intertwine.quantum.dynamics.ensemble import Ensemble
from intertwine.quantum.dynamics.integrator import DORMAND_PRINCE, attempt, next_step
from intertwine.quantum.dynamics.tangent import Regular, Velocity, length, velocity, with_turning
from intertwine.quantum.vmc.moves import AnyOperator

LONGEST = 0.3
"""Radians that a step over samples moves the state; orthogonal states are π/2 apart."""
SHORTEST = 1e-13
"""Of a step, over the span of times: what is shorter has run aground."""


ROUNDING = 30.0
"""Times the precision: an error of a step that no shorter step makes smaller."""


class Stuck(RuntimeError):  # noqa: N818 (turned into Diverged by the study)
    """No step is short enough."""


class Step(NamedTuple):
    """model after a step of length taken; following: the length to try next. residual: the largest r in it.
    error: of the integrator; infidelity, fit, scheme: of fits, the distance that they add, and that of a
    formula. evaluations: how many. energy: at its beginning. turned: by which angle the phase of the state
    did, where that is followed. ending: the velocity at its end."""

    model: Any
    taken: float
    following: float
    residual: float
    error: float
    evaluations: int
    energy: float
    infidelity: float = 0.0
    scheme: float = 0.0
    fit: float = 0.0
    turned: float = 0.0
    ending: Velocity | None = None


class Variational:
    """TDVP steps under `hamiltonian` (a function of the time), in real or imaginary time.

    tolerance: of the integrator's error per unit of time. span: of all times. longest: of a step, for a
    Hamiltonian that depends on time. phase: whether the phase of the state is followed.
    """

    def __init__(
        self,
        hamiltonian: Callable[[float], AnyOperator],
        *,
        imaginary: bool,
        exact: bool,
        tolerance: float,
        regular: Regular,
        span: float,
        longest: float | None = None,
        phase: bool = False,
    ):
        self.hamiltonian, self.exact, self.tolerance, self.regular = hamiltonian, exact, tolerance, regular
        self.factor = -1.0 + 0j if imaginary else -1j
        self.pair = DORMAND_PRINCE
        self.longest = float("inf") if longest is None or longest <= 0 else longest
        self.shortest = SHORTEST * max(span, 1e-300)
        self.phase = phase and not imaginary
        self._last: tuple[Any, float, Ensemble | None, Velocity] | None = None

    def first(self, variance: float) -> float:
        """A thousandth of 1/√Var(H), the time in which the state changes."""
        return 1e-3 / max(variance, 1e-24) ** 0.5

    def velocity(self, model: PyTree, t: float, ensemble: Ensemble) -> Velocity:
        """At `model` and time t; the last one is remembered."""
        over = None if self.exact else ensemble
        last = self._last
        if last is not None and last[0] is model and last[1] == t and last[2] is over:
            return last[3]
        found = self._velocity(model, t, ensemble)
        self._last = (model, t, over, found)
        return found

    def missed(self, model: PyTree, t: float, ensemble: Ensemble, ending: Velocity | None) -> float:
        """r of the velocity with which a step ended at `model`, over configurations without a part in it."""
        return 0.0 if ending is None else self.velocity(model, t, ensemble).missed(ending.vector)

    def _velocity(self, model: PyTree, t: float, ensemble: Ensemble) -> Velocity:
        found = velocity(
            self.hamiltonian(t), model, ensemble, factor=self.factor, exact=self.exact, regular=self.regular
        )
        return with_turning(found, model, ensemble) if self.phase else found

    def step(self, model: PyTree, ensemble: Ensemble, t: float, h: float) -> Step:
        """From `model` at t, by h or less. Raises `Stuck` where no step is short enough."""
        first, h = self.velocity(model, t, ensemble), min(h, self.longest)
        evaluations, refused = 1, False
        rounding = ROUNDING * float(jnp.finfo(first.vector.dtype).eps)

        def evaluate(later: PyTree, when: float) -> Velocity:
            return self._velocity(later, when, ensemble)

        if not self.exact:
            speed = float(length(first.operator, first.vector))
            h = min(h, LONGEST / max(speed, 1e-300))
        while True:
            if not h > self.shortest or not first.residual < float("inf"):
                raise Stuck(f"no step from t = {t:.6g} is short enough: the last one tried was {h:.2g}")
            tried = attempt(self.pair, model, first, evaluate, t, h)
            evaluations += len(self.pair.a)
            following = next_step(self.pair, h, tried.error, self.tolerance)
            if tried.error <= self.tolerance * h + rounding:
                break
            h, refused = following, True
        if refused:
            following = min(following, h)
        if self.exact:
            self._last = (tried.model, t + h, None, tried.velocity)
        return Step(
            tried.model, h, following, tried.residual, tried.error, evaluations, first.energy,
            turned=tried.turned, ending=tried.velocity,
        )  # fmt: skip
