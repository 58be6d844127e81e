"""An operator without its constant."""

from __future__ import annotations

from typing import Any, TypeVar

from intertwine.quantum.operators.protocols import QuantumOperator

Kind = TypeVar("Kind", bound=QuantumOperator)


def traceless(operator: Kind) -> tuple[Kind, Any]:
    """(A − c, c) with the coefficient c of the identity. Local values are taken without it, and it is added
    to their mean: a large one takes no digits from them.

    >>> from intertwine.quantum.operators.operator import Operator
    >>> rest, constant = traceless(Operator.from_strings(2, [(1e9, {}), (1.0, {0: "Z"})]))
    >>> rest.strings(), float(constant)
    ([((1+0j), {0: 'Z'})], 1000000000.0)
    """
    constant = operator.constant
    return (operator - constant, constant) if constant else (operator, constant)  # type: ignore[return-value]


def identity_coefficient(operator: QuantumOperator) -> Any:
    """c of A = c + what has no trace."""
    return operator.constant
