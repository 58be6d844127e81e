r"""Learning rates in the unit of energy of the operator.

A step of imaginary time is 1/energy: what moves a state of H as far as one of c·H is η/c.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax
import numpy as np

from intertwine.quantum.defaults.choice import Choice
from intertwine.quantum.hilbert_moves import held_space, own_space
from intertwine.quantum.operators.protocols import QuantumOperator

_USUAL_STRENGTH = (1.0, 20.0)
"""Σ |c| a site of the Hamiltonians, the identity left out, that the learning rate is made for."""
_DRAWN = 256


def in_units_of(operator: Any, choice: Choice | None = None) -> Choice:
    """`choice` (None: the settings of a given model) with learning rates that fit the unit of energy: a step
    of imaginary time is 1/energy, so that those of H and 10⁶ H differ by 10⁶.

    >>> import intertwine as it
    >>> [in_units_of(it.tfim(it.Chain(8), J=J, h=J)).learning_rate for J in (1.0, 1000.0)]
    [0.05, 0.0005]
    """
    from intertwine.quantum.operators.traceless import traceless

    choice = Choice() if choice is None else choice
    if own_space(operator) is not None:
        strength = strength_in_space(operator)
    else:
        strength = float(np.sum(np.abs(traceless(operator)[0].masks().h))) / operator.size
    if not strength:
        return choice
    factor = float(np.clip(strength, *_USUAL_STRENGTH)) / strength
    first, last = (float(f"{factor * rate:.3g}") for rate in (choice.learning_rate, choice.learning_rate_end))
    return replace(choice, learning_rate=first, learning_rate_end=last)


def strength_in_space(operator: QuantumOperator) -> float:
    """What a site adds to the moduli of a row of H: the spread of the diagonal and the elements off it, over
    uniform configurations (the same at every call)."""
    space = held_space(operator)
    rows = np.asarray(space.random(_DRAWN, key=jax.random.key(0)))
    found = operator.host_rows(rows)
    diagonal = np.real(next(found)[0])
    elements = sum(float(np.mean(np.abs(values))) for values, _ in found)
    return (float(np.std(diagonal)) + elements) / space.size
