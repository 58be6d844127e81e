r"""Gradients of anything that a device can evaluate, by two shifted circuits for each rotation.

    ∂E/∂θ = ½ [E(θ + π/2) − E(θ − π/2)]      for R_P(θ) = e^{−iθP/2}, P² = 1

exactly, for every E that is linear in the state |ψ⟩⟨ψ|, such as an energy (Mitarai et al., PRA 98, 032309
(2018); Schuld et al., PRA 99, 032331 (2019)). Rotations that share λ are shifted one after another, and
∂E/∂λ = Σ factor · ∂E/∂θ. So E may come from shots, with their noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from intertwine._checks import fail
from intertwine.models.qubits.circuit import Circuit
from intertwine.models.qubits.moves import slots


class Shifts(NamedTuple):
    """gradient: like `circuit.parameters`. evaluations: how many circuits were evaluated."""

    gradient: tuple[Float[Array, "repeat P"], ...]
    evaluations: int


def parameter_shift(circuit: Circuit, evaluate: Callable[[Circuit], float | Array]) -> Shifts:
    """∂E/∂λ of all parameters, by 2 evaluations for each rotation that has one.

    evaluate: circuit → E, a number, exact or from shots; the circuits that it is given are
    `circuit.unshared()` with one angle moved (`gates()` and `it.qubits.qasm` tell a device what to do). Under
    `jax.jit` it is compiled once.

    Raises InputError where E is not a finite number.

    >>> import intertwine as it
    >>> psi = it.Circuit(1, [it.qubits.ry(0)], parameters=[[0.3]])
    >>> z = lambda c: (jnp.abs(c.vector()) ** 2 @ jnp.array([1.0, -1.0]))      # ⟨Z⟩ = cos θ
    >>> found = parameter_shift(psi, z)
    >>> round(float(found.gradient[0][0, 0]), 4), found.evaluations            # −sin 0.3
    (-0.2955, 2)
    """
    if not isinstance(circuit, Circuit):
        raise fail("circuit", "a Circuit", circuit)
    if not callable(evaluate):
        raise fail("evaluate", "a function of a circuit that gives a number", evaluate)
    parameters, back = jax.vjp(lambda q: _free(circuit, q), circuit.parameters)
    free = circuit.unshared()
    count, slopes = 0, []
    for number, row in enumerate(circuit.layers):
        turned = [place for place, gate in enumerate(row.gates) if gate.is_rotation]
        moved = [k for k, place in enumerate(turned) if place in slots(row)]
        slope = np.zeros((row.repeat, len(turned)))
        for time in range(row.repeat):
            for k in moved:
                ends = [_value(free, number, (time, k), sign * math.pi / 2, evaluate) for sign in (1, -1)]
                slope[time, k] = (ends[0] - ends[1]) / 2
                count += 2
        slopes.append(jnp.asarray(slope, parameters[number].dtype))
    (gradient,) = back(tuple(slopes))
    return Shifts(gradient, count)


def _free(circuit: Circuit, parameters: tuple[Array, ...]) -> tuple[Array, ...]:
    return eqx.tree_at(lambda c: c.parameters, circuit, parameters).unshared().parameters


def _value(
    free: Circuit,
    number: int,
    place: tuple[int, int],
    shift: float,
    evaluate: Callable[[Circuit], float | Array],
) -> float:
    """E with one angle moved by `shift`."""
    moved = free.parameters[number].at[place].add(shift)
    found = evaluate(eqx.tree_at(lambda c: c.parameters[number], free, moved))
    try:
        value = float(np.real(np.asarray(found)))
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise fail("evaluate", "a function that gives a finite number", found)
    return value
