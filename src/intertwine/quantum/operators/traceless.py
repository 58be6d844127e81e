"""An operator without its constant."""

from __future__ import annotations

from typing import Any

import numpy as np

from intertwine.quantum.operators.operator import Operator


def traceless(operator: Operator) -> tuple[Operator, Any]:
    """(A − c, c) with the coefficient c of the identity. Local values are taken without it, and it is added
    to their mean: a large one takes no digits from them.

    >>> rest, constant = traceless(Operator.from_strings(2, [(1e9, {}), (1.0, {0: "Z"})]))
    >>> rest.strings(), float(constant)
    ([((1+0j), {0: 'Z'})], 1000000000.0)
    """
    constant = identity_coefficient(operator)
    return (operator - constant, constant) if constant else (operator, constant)


def identity_coefficient(operator: Operator) -> Any:
    """c of A = c + sums of other Pauli strings: Tr A / 2^N."""
    identity = np.all(np.asarray(operator.diagonal_signs) == operator.size, axis=-1)
    return np.sum(np.asarray(operator.diagonal_coefficients), where=identity)
