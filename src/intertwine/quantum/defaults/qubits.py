r"""Settings of a search in which the wave function is a quantum circuit.

Its few angles have a metric that is often nearly singular, and each enters the state as e^{−iλP}: momentum
would carry angles far along directions that the metric does not see. Small circuits are summed exactly
(`sampling.autoregressive.own_sampler`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from intertwine.models.protocols import Tabulates
from intertwine.quantum.defaults.choice import Choice
from intertwine.quantum.defaults.units import in_units_of
from intertwine.quantum.operators.operator import Operator

CIRCUIT = Choice(momentum=0.0, shift=1e-2, shift_end=1e-3)
RATE = 0.12
"""Learning rate times Σ |c| a site."""


def of_circuits(operator: Operator) -> Choice:
    """The settings of a search with a circuit.

    >>> import intertwine as it
    >>> [of_circuits(it.tfim(it.Chain(8), J=J, h=J)).learning_rate for J in (1.0, 1000.0)]
    [0.06, 6e-05]
    """
    from intertwine.quantum.operators.traceless import traceless

    strength = float(np.sum(np.abs(traceless(operator)[0].masks().h))) / operator.size
    rate = float(f"{RATE / strength:.3g}") if strength else CIRCUIT.learning_rate
    return replace(CIRCUIT, learning_rate=rate, learning_rate_end=rate)


def for_model(operator: Any, model: object) -> Choice:
    """The settings of a search with a model that was given, with learning rates in the unit of energy.

    >>> import intertwine as it
    >>> for_model(it.tfim(it.Chain(4)), it.Circuit(4, [it.qubits.h(0)])).momentum
    0.0
    """
    of_qubits = isinstance(model, Tabulates) and isinstance(operator, Operator)
    return of_circuits(operator) if of_qubits else in_units_of(operator)
