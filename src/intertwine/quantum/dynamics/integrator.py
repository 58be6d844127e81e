r"""Runge-Kutta steps of the parameters with an error that is a distance between states.

    k_j = λ̇(t + c_j h, λ + h Σ_i a_{ji} k_i),     λ(t + h) = λ + h Σ_j b_j k_j,     e = h Σ_j (b_j − b̂_j)
    k_j, error = ‖Ō e‖ = √⟨e|S|e⟩,      accepted where error ≤ tolerance · h

with the metric S of the beginning or the end of the step, whichever makes it larger (near a product state
with small weights S grows within a step): directions of the parameters that do not change the state do not
count, however fast they run. An error per unit of time, so that the sum of all of them is at most
tolerance · t. Where the phase of the state is followed too, its own error, h |Σ_j (b_j − b̂_j) θ̇_j|, counts
besides. The pair is that of Dormand & Prince, 5(4) (J. Comput. Appl. Math. 6, 19 (1980)), whose last
stage is the first of the next step over the same configurations.

It is written out here, and not taken from diffrax: its steps are one traced program with a norm of the
error alone, while a velocity here draws on host kernels, LAPACK and a metric that belongs to the step, and a
study has to stop between steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from intertwine.quantum.dynamics.tangent import Velocity, length, moved

SHRINK, GROW, SAFETY = 0.2, 3.0, 0.8


class Pair(NamedTuple):
    """a: the rows below the first, the last of them b (first same as last). low: b̂. order: of b̂ + 1."""

    a: tuple[tuple[float, ...], ...]
    low: tuple[float, ...]
    order: int

    @property
    def nodes(self) -> tuple[float, ...]:
        """c_j of the stages after the first; the last is 1 exactly, the time of the next step."""
        return tuple(round(float(sum(row)), 12) for row in self.a)


DORMAND_PRINCE = Pair(
    (
        (1 / 5,),
        (3 / 40, 9 / 40),
        (44 / 45, -56 / 15, 32 / 9),
        (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
        (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
        (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
    ),
    (5179 / 57600, 0.0, 7571 / 16695, 393 / 640, -92097 / 339200, 187 / 2100, 1 / 40),
    5,
)


class Attempt(NamedTuple):
    """model and velocity at the end; error: ‖Ō e‖. residual: the largest r of the stages. turned: by which
    angle the phase did, where stages know it."""

    model: Any
    velocity: Velocity
    error: float
    residual: float
    turned: float = 0.0


def attempt(
    pair: Pair,
    model: PyTree,
    first: Velocity,
    evaluate: Callable[[PyTree, float], Velocity],
    t: float,
    h: float,
) -> Attempt:
    """One step of length h from `model` at t, whose velocity is `first`."""
    stages, later = [first], model
    for row, node in zip(pair.a, pair.nodes, strict=True):
        change = sum(a * k.vector for a, k in zip(row, stages, strict=True) if a)
        later = moved(model, h * jnp.asarray(change))
        stages.append(evaluate(later, t + node * h))
        if not np.isfinite(stages[-1].residual):
            return Attempt(later, stages[-1], np.inf, np.inf)
    high = (*pair.a[-1], 0.0)
    error = sum((b - low) * k.vector for b, low, k in zip(high, pair.low, stages, strict=True) if b != low)
    change = h * jnp.asarray(error)
    size = max(float(length(operator, change)) for operator in (first.operator, stages[-1].operator))
    turned = h * sum(b * k.turning for b, k in zip(high, stages, strict=True))
    astray = h * sum((b - low) * k.turning for b, low, k in zip(high, pair.low, stages, strict=True))
    return Attempt(later, stages[-1], float(np.hypot(size, astray)), max(k.residual for k in stages), turned)


def next_step(pair: Pair, h: float, error: float, tolerance: float) -> float:
    """The length to try next, after a step of length h with this error."""
    if not np.isfinite(error):
        return h * SHRINK
    share = error / (tolerance * h)
    return h * float(np.clip(SAFETY * max(share, 1e-30) ** (-1 / (pair.order - 1)), SHRINK, GROW))
